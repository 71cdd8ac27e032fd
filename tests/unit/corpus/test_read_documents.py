from __future__ import annotations

import base64
import hashlib
import json

import pytest

from rerank_cli.corpus.read import Unreadable, format_of, read_file
from rerank_cli.records import Document, FoundFile
from rerank_cli.stamps import Stamp


def read(path: str, text: str, *, lone: bool = False) -> tuple[Document, ...]:
    return read_file(FoundFile(path, path, Stamp(len(text), 0, 0, 0)), text.encode(), lone=lone).documents


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a.md", "markdown"),
        ("A.MD", "markdown"),
        ("a.rst", "rst"),
        ("a.htm", "html"),
        ("a.py", "code"),
        ("a.toml", "code"),
        ("a.json", "code"),
        ("a.jsonl", "jsonl"),
        ("a.ndjson", "jsonl"),
        ("a.csv", "csv"),
        ("a.tsv", "tsv"),
        ("a.txt", "text"),
        ("a.unknown", "text"),
        ("docs.md/LICENSE", "text"),
        (".md", "text"),
    ],
)
def test_the_extension_picks_the_reader(path: str, name: str) -> None:
    assert format_of(path).name == name


def test_a_text_file_is_its_paragraphs_titled_by_its_name() -> None:
    (document,) = read("home/bleed-the_radiators.txt", "\n\nOne\ntwo\n \t\nThree\n")
    assert (document.id, document.title) == ("home/bleed-the_radiators.txt", "bleed the radiators")
    assert [(b.text, b.place.first, b.place.last) for b in document.blocks] == [
        ("One\ntwo", 3, 4),
        ("Three", 6, 6),
    ]


@pytest.mark.parametrize("text", ["One\n\ntwo", "def one():\n    two\n"])
@pytest.mark.parametrize("extension", ["txt", "md", "rst", "html", "py"])
def test_what_the_models_see_does_not_change_when_a_file_is_renamed(extension: str, text: str) -> None:
    (before,), (after,) = read(f"a.{extension}", text), read(f"sub/b-c.{extension}", text)
    assert before.title != after.title
    assert before.blocks == after.blocks


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("boiler care.md", "---\ntitle: Boiler care\n---\nWords.\n"),
        ("boiler care.html", "<title>Boiler care</title><p>Words.</p>"),
        ("boiler care.jsonl", '{"id": "1", "title": "boiler care", "text": "Words."}'),
    ],
)
def test_a_title_equal_to_the_name_of_its_file_still_stands_above_the_text(name: str, text: str) -> None:
    (same,), (other,) = read(name, text), read(f"other.{name.rpartition('.')[2]}", text)
    assert same.blocks[0].headings == (same.title,)
    assert same.blocks == other.blocks


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("sub/boiler-care.txt", "boiler care"),
        ("sub/boiler-care.md", "boiler care"),
        ("sub/boiler-care.rst", "boiler care"),
        ("sub/boiler-care.html", "boiler care"),
        ("sub/boiler-care.py", "sub/boiler-care.py"),
        ("sub/boiler-care.jsonl", ""),
    ],
)
def test_a_document_without_a_title_is_shown_under_the_name_of_its_file(path: str, title: str) -> None:
    (document,) = read(path, '{"text": "words"}')
    assert document.title == title
    assert document.blocks[0].headings == ()


def test_a_page_nested_beyond_the_stack_is_unreadable_and_ends_no_run() -> None:
    substitutions = "".join(f".. |x{n}| replace:: |x{n + 1}|\n" for n in range(2000))
    with pytest.raises(Unreadable, match=r"^nested too deeply$"):
        read("a.rst", f"{substitutions}\n|x0|\n")


def test_lines_count_as_an_editor_counts_them_whatever_ends_them() -> None:
    (document,) = read("a.txt", "one\r\n\r\ntwo\rthree\x0cstill three\r\rfive")
    assert [(b.place.first, b.place.last) for b in document.blocks] == [(1, 1), (3, 4), (6, 6)]


@pytest.mark.parametrize("path", ["a.txt", "a.md", "a.rst", "a.html", "a.py"])
@pytest.mark.parametrize("text", ["", "\n \n\t\n"])
def test_a_blank_file_is_a_document_without_blocks(path: str, text: str) -> None:
    (document,) = read(path, text)
    assert document.blocks == ()


def test_the_title_stands_above_every_block_but_is_never_said_twice() -> None:
    (document,) = read("a.md", "# The  Boiler\n\nIntro.\n\n# Other\n\nMore.\n")
    assert [b.headings for b in document.blocks] == [("The Boiler",), ("The Boiler", "Other")]


def test_a_title_in_the_front_matter_that_the_first_heading_repeats_is_said_once() -> None:
    (document,) = read("a.md", "---\ntitle: The boiler\n---\n# The BOILER\n\nIntro.\n")
    assert document.title == "The boiler"
    assert [b.headings for b in document.blocks] == [("The BOILER",)]


def test_records_carry_the_path_of_their_file_unless_it_is_the_whole_corpus() -> None:
    line = '{"_id": "7", "title": "T", "text": "words"}'
    (document,) = read("sub/a.jsonl", line)
    assert (document.id, document.blocks[0].headings) == ("sub/a.jsonl#7", ("T",))
    (alone,) = read("a.jsonl", line, lone=True)
    assert alone.id == "7"
    (page,) = read("a.md", "words", lone=True)
    assert page.id == "a.md"


PICTURE = base64.b64encode(hashlib.shake_128(b"picture").digest(600)).decode()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.md", f"Before ![the plan](data:image/png;base64,{PICTURE}) after.\n\n{PICTURE}\n"),
        ("a.html", f'<p>Before <img alt="the plan" src="data:image/png;base64,{PICTURE}"> after.<p>{PICTURE}'),
        ("a.txt", f"Before the plan after.\n\n{PICTURE}\n"),
        ("a.rst", f"Before the plan after.\n\n.. image:: data:image/png;base64,{PICTURE}\n"),
        ("a.py", f"# Before the plan after.\nPLAN = '{PICTURE}'\n"),
        ("a.jsonl", json.dumps({"id": 1, "text": f"Before the plan after. {PICTURE}"})),
        ("a.csv", f"id,text,picture\n1,Before the plan after.,{PICTURE}\n"),
    ],
)
def test_encoded_data_is_no_text(path: str, text: str) -> None:
    shown = " ".join(block.text for document in read(path, text) for block in document.blocks)
    assert all(word in shown for word in ("Before", "the plan", "after."))
    assert PICTURE[:40] not in shown and PICTURE[-40:] not in shown


def test_a_file_that_cannot_be_understood_is_unreadable() -> None:
    with pytest.raises(Unreadable, match=r"^line 2: "):
        read("a.jsonl", '\n{"id": 2')


@pytest.mark.parametrize(
    ("path", "text", "damaged"),
    [
        ("a.jsonl", '{"text": "x"}\n{"text":\n', True),
        ("a.jsonl", '{"id": 1, "text": "x"}\n{"id": 1, "text": "y"}\n', False),
        ("a.csv", 'id,text\n1,"x\n2,y\n', True),
        ("a.csv", "id,text,n\n1,x,2,3,4\n2,y,1\n3,z,1\n", False),
        ("a.svg", "<svg><text>x</text><text>y</svg>", True),
        ("a.svg", "<svg><text>x</text></svg>", False),
    ],
)
def test_what_is_broken_is_told_from_what_is_only_odd(path: str, text: str, damaged: bool) -> None:
    reading = read_file(FoundFile(path, path, Stamp(len(text), 0, 0, 0)), text.encode())
    assert reading.damaged == damaged
    assert reading.notes or not damaged
