"""What documents of each format say of themselves beside their text."""

from __future__ import annotations

from pathlib import Path

import pytest

from rerank_cli.corpus.read import read_file
from rerank_cli.fields import Fields
from rerank_cli.records import FoundFile
from rerank_cli.stamps import Stamp

FORMATS = Path(__file__).parents[2] / "data" / "formats"


def fields(path: str, content: str | bytes) -> list[Fields]:
    """Those of each document."""
    held = content.encode() if isinstance(content, str) else content
    return [each.fields for each in read_file(FoundFile(path, path, Stamp(len(held), 0, 0, 0)), held).documents]


YAML = "---\ntitle: Hives\ntags: [Hive, bees]\ndate: 2026-01-02\nextra:\n  place: north\ndraft: false\n---\n\nText\n"
TOML = "+++\ntitle = 'Hives'\ndate = 2026-01-02\n[taxonomies]\ntags = ['hive', 'bees']\n+++\n\nText\n"
JSON = '{"title": "Hives", "tags": ["hive"]}\n\nText\n'
PELICAN = "Title: Hives\nDate: 2026-01-02\nTags: hive, bees\n\nText\n"
TEMPLATE = "---\ntitle: Hives\ndate: {{ date }}\ntags: []\n---\n\nText\n"
HTML = (
    "<head><meta name=Author content='Ann Smith'><meta name=keywords content='hive, bees'>"
    "<meta property='article:published_time' content='2026-01-02T03:04:05Z'><meta name='DC.creator' content='Bob'>"
    "<meta property='article:tag' content='honey'><meta name=viewport content='width=device-width'></head><p>Text</p>"
)
ORG = "#+TITLE: Hives\n#+AUTHOR: Ann\n#+DATE: <2026-01-02 Fri>\n#+FILETAGS: :hive:bees:\n#+OPTIONS: toc:nil\n\nText\n"
ADOC = "= Hives\nAnn Smith <ann@example.org>\nv1.0, 2026-01-02\n:keywords: hive, bees\n:toc:\n\nText\n\n:later: x\n"
RST = "Hives\n=====\n\n:Author: Ann\n:Date: 2026-01-02\n:Tags: hive, bees\n\nText\n\n:no: field\n"
NOTEBOOK = (
    '{"metadata": {"language_info": {"name": "python"}, "authors": [{"name": "Ann"}]}, "cells": ['
    '{"cell_type": "raw", "source": "---\\ntags: [hive]\\n---\\n"}, {"cell_type": "markdown", "source": "Text"}]}'
)
TAGS = (("tags", "hive"), ("tags", "bees"))


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        (
            "a.md",
            YAML,
            (
                *(("title", "Hives"), ("tags", "Hive"), ("tags", "bees"), ("date", "2026-01-02")),
                *(("extra.place", "north"), ("draft", "false")),
            ),
        ),
        ("a.md", TOML, (("title", "Hives"), ("date", "2026-01-02"), *TAGS)),
        ("a.md", JSON, (("title", "Hives"), ("tags", "hive"))),
        ("a.md", PELICAN, (("title", "Hives"), ("date", "2026-01-02"), *TAGS)),
        ("a.md", TEMPLATE, (("title", "Hives"),)),
        ("a.md", "# Hives\n\ntags: none\n", ()),
        (
            "a.html",
            HTML,
            (
                *(("author", "Ann Smith"), ("keywords", "hive"), ("keywords", "bees")),
                *(("published", "2026-01-02T03:04:05Z"), ("author", "Bob"), ("tags", "honey")),
            ),
        ),
        ("a.org", ORG, (("author", "Ann"), ("date", "2026-01-02 Fri"), *TAGS)),
        (
            "a.adoc",
            ADOC,
            (
                *(("author", "Ann Smith"), ("email", "ann@example.org"), ("date", "2026-01-02")),
                *(("keywords", "hive"), ("keywords", "bees")),
            ),
        ),
        ("a.rst", RST, (("author", "Ann"), ("date", "2026-01-02"), *TAGS)),
        ("a.rst", ":orphan:\n:author: Ann\n\nHives\n=====\n", (("author", "Ann"),)),
        ("a.ipynb", NOTEBOOK, (("language", "python"), ("author", "Ann"), ("tags", "hive"))),
        ("a.txt", "Tags: hive\n", ()),
    ],
)
def test_a_page_says_them_at_its_beginning(path: str, text: str, found: Fields) -> None:
    assert fields(path, text) == [found]


MAIL = (
    "From: Ann Smith <ann@example.org>\nTo: Bob <bob@example.org>, carl@example.org\nSubject: =?utf-8?q?Bl=C3=BCte?=\n"
    "Date: Fri, 02 Jan 2026 10:00:00 +0100\nList-Id: The hives <hives.example.org>\n\nText\n"
)


def test_a_mail_says_who_wrote_it_to_whom_by_name_and_by_address() -> None:
    assert fields("a.eml", MAIL) == [
        (
            *(("date", "2026-01-02T10:00:00+01:00"), ("subject", "Blüte")),
            *(("from", "Ann Smith"), ("from", "ann@example.org")),
            *(("to", "Bob"), ("to", "bob@example.org"), ("to", "carl@example.org")),
            ("list", "hives.example.org"),
        )
    ]


@pytest.mark.parametrize(
    ("header", "people"),
    [
        ('"Smith, Ann" <ann@example.org>', ["Smith, Ann", "ann@example.org"]),
        ("ann@example.org (Ann Smith)", ["ann@example.org"]),
        (
            "Everyone: ann@example.org, Bob <bob@example.org>;",
            ["Everyone", "ann@example.org", "Bob", "bob@example.org"],
        ),
        ("(" * 1900, []),
        ('"Ann', []),
    ],
)
def test_people_in_a_header_are_told_one_by_one(header: str, people: list[str]) -> None:
    (found,) = fields("a.eml", f"To: {header}\n\nText\n")
    assert [value for _, value in found] == people


def test_a_mail_without_headers_says_nothing() -> None:
    assert fields("a.eml", "\nText\n") == [()]


def test_a_record_says_all_but_its_id_its_title_and_its_text() -> None:
    rows = (
        '{"_id": "1", "title": "T", "text": "x", "tags": ["hive", "bees"], "meta": {"lang": "en"}, "n": 3}\n{"id": 2}\n'
    )
    assert fields("a.jsonl", rows) == [(*TAGS, ("meta.lang", "en"), ("n", "3")), ()]
    assert fields("a.csv", 'id,text,Lang,tags\n1,hello,EN,"hive, bees"\n2,hello,,\n') == [(("lang", "EN"), *TAGS), ()]


def test_a_packed_file_says_what_is_in_it() -> None:
    import gzip

    assert fields("a.md.gz", gzip.compress(JSON.encode())) == [(("title", "Hives"), ("tags", "hive"))]


def test_an_office_file_says_what_its_properties_do_but_for_their_times() -> None:
    held = (FORMATS / "word-python-docx.docx").read_bytes()
    assert fields("a.docx", held) == [(("author", "python-docx"),)]
    assert fields("a.odp", (FORMATS / "slides-libreoffice.odp").read_bytes()) == [(("author", "Steve Canny"),)]
