from __future__ import annotations

import pytest

from rerank_cli.corpus.read.man import read
from rerank_cli.records import Block, Document, at_lines


def document(text: str) -> Document:
    (only,) = read(text, "page.1").documents
    return only


def texts(text: str) -> list[str]:
    return [block.text for block in document(text).blocks]


PAGE = (
    '.\\" hidden\n.TH TOOL 1 "2024-01-01" "v1" "Manual"\n.SH NAME\ntool \\- do a thing\n.SH OPTIONS\n.TP\n'
    '.BR \\-f ", " \\-\\-force\nOverwrite the \\fIoutput\\fP\nfile.\n.SS "Exit status"\n.B 0\non success.\n'
)


def test_a_manual_page_has_its_name_its_sections_and_its_options() -> None:
    assert document(PAGE).title == "TOOL(1)"
    assert document(PAGE).blocks == (
        Block("tool - do a thing", at_lines(4, 4), ("NAME",)),
        Block("-f, --force\nOverwrite the output file.", at_lines(7, 9), ("OPTIONS",)),
        Block("0 on success.", at_lines(11, 12), ("OPTIONS", "Exit status")),
    )


def test_a_log_that_was_put_away_is_plain_text() -> None:
    assert texts("started\n.hidden file\n\nstopped\n") == ["started\n.hidden file", "stopped"]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("a\\(aqb\\(em\\[u00E9]\\(:o\\[bu]", "a'b—éö•"),
        ("\\fBx\\fR \\f(CWy\\fP \\s-1Z\\s0 \\m[red]w", "x y Z w"),
        ("a\\ b\\~c\\&d \\e \\-1 \\h'2n'e", "a b cd \\ -1 e"),
        ('seen \\" hidden', "seen"),
        ("\\*(TM and \\*[long]", "(tm) and words"),
    ],
)
def test_escapes_are_what_they_stand_for(written: str, shown: str) -> None:
    assert texts(f".SH A\n.ds TM (tm)\n.ds long words\n{written}\n") == [shown]


def test_lists_code_links_and_line_breaks() -> None:
    page = (
        ".SH A\n.IP \\(bu 2\none\ngoes on\n.IP 1. 3\nfirst\n.nf\n  code\n.B more\n.fi\nSee\n.UR https://a.org\n"
        "the site\n.UE .\n.PP\na\n.br\nb\n"
    )
    assert texts(page) == ["- one goes on", "1. first", "  code\nmore", "See the site (https://a.org).", "a\nb"]


def test_conditions_for_other_devices_and_definitions_are_left_out() -> None:
    page = (
        ".de XX\nhidden\n..\n.ie t hidden\n.el .B shown\n.SH A\n.if t \\{\\\nhidden\n.\\}\n.if n seen\n.ig\nx\n..\nb\n"
    )
    assert texts(page)[-1] == "b"
    assert "hidden" not in " ".join(texts(page))


def test_a_table_has_a_row_a_line() -> None:
    blocks = document(".SH A\n.TS\ntab(@);\nl l.\nName@Use\n_\nT{\na\nlong\nT}@b\n.TE\n").blocks
    assert [(block.text, str(block.place), block.header) for block in blocks] == [
        ("Name | Use", "lines 5-6", "Name | Use"),
        ("a long | b", "lines 7-10", "Name | Use"),
    ]


def test_the_words_of_mdoc_are_put_together() -> None:
    page = (
        ".Dd May 1\n.Dt PEEL 1\n.Os\n.Sh NAME\n.Nm peel\n.Nd take it off\n.Sh SYNOPSIS\n.Nm\n.Op Fl ab Ns Ar x\n.Ar\n"
        ".Sh DESCRIPTION\n.Bl -tag\n.It Fl f , Fl Fl force\nDo it; see\n.Xr knife 1 .\n.El\n.Bl -enum\n"
        ".It\none\n.It\ntwo\n.El\n.Bd -literal\n$ peel\n.Ed\n"
    )
    assert document(page).title == "PEEL(1)"
    assert texts(page) == [
        "peel - take it off",
        "peel [-ab x] file ...".replace("ab x", "abx"),
        "-f, --force\nDo it; see knife(1).",
        "1. one",
        "2. two",
        "$ peel",
    ]
