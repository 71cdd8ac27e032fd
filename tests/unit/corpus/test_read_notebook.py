from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from rerank_cli.corpus.read import Unreadable
from rerank_cli.corpus.read.notebook import read
from rerank_cli.records import Block, Document, Place
from tests.growth import FAR_TOO_LONG_S

FORMATS = Path(__file__).parents[2] / "data" / "formats"


def cell(number: int) -> Place:
    return Place("cell", number, number)


def document(text: str) -> Document:
    (only,) = read(text, "a.ipynb").documents
    return only


def notebook(*cells: dict[str, Any], **more: Any) -> Document:
    return document(json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, **more}))


def code(*outputs: dict[str, Any], source: str = "run()") -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "outputs": outputs}


def printed(text: str | list[str]) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text}


def result(**data: Any) -> dict[str, Any]:
    return {"output_type": "execute_result", "data": {f"text/{kind}": text for kind, text in data.items()}}


def texts(found: Document) -> list[str]:
    return [block.text for block in found.blocks]


def test_a_notebook_is_its_cells_under_the_headings_of_the_cells_above() -> None:
    found = document((FORMATS / "pressure.ipynb.json").read_text())
    readings, failure = ("Boiler pressure", "Readings"), ("Boiler pressure", "Failure")
    assert found.title == "Boiler pressure"
    assert found.blocks == (
        Block("The gauge was read every hour and\nwritten down.", cell(1), ("Boiler pressure",)),
        Block("import pandas as pd\n\nreadings = pd.read_csv('gauge.csv')\nreadings.head()", cell(2), readings),
        Block("loaded 3 rows", cell(2), readings),
        Block("   hour   bar\n0     1  1.20\n1     2  1.35", cell(2), readings),
        Block("The second hour is high.", cell(3), readings),
        Block("readings.plot()", cell(4), readings),
        Block("A raw note about the valve.", cell(5), readings),
        Block("- opened the valve", cell(6), failure),
        Block("- called the plumber", cell(6), failure),
        Block("The gauge", cell(6), failure),
        Block("1 / 0", cell(7), failure),
        Block("ZeroDivisionError: division by zero", cell(7), failure),
    )
    assert [block.heading_at for block in found.blocks] == [1, 1, 1, 1, 1, 1, 1, 6, 6, 6, 6, 6]


def test_the_format_before_4_is_read_alike() -> None:
    old, new = (document((FORMATS / name).read_text()) for name in ("pressure-3.ipynb.json", "pressure.ipynb.json"))
    assert old.title == "Boiler of the old house"
    old_texts = texts(old)
    assert old_texts[0] == "Boiler of the old house"
    assert old_texts[1:] == texts(new)


@pytest.mark.parametrize(
    "shown",
    [
        "<Figure size 640x480 with 1 Axes>",
        "[<matplotlib.lines.Line2D at 0x7f3c2c0b5f10>]",
        "array([<Axes: >, <Axes: >], dtype=object)",
        "<__main__.Model at 0x10a2b3c4d>",
        "<function boil at 0x7f3c2c0b5f10>",
        "<IPython.core.display.HTML object>",
        "Text(0.5, 1.0, 'Pressure')",
    ],
)
def test_a_result_that_only_says_where_it_lies_is_none(shown: str) -> None:
    assert texts(notebook(code(result(plain=shown, html="<p>x</p>")))) == ["run()"]


@pytest.mark.parametrize("shown", ["a < b and b > c", "<b>bold</b>", "[1, 2]", "'<Pump>'", "Text about pumps"])
def test_a_result_with_words_is_kept(shown: str) -> None:
    assert texts(notebook(code(result(plain=shown)))) == ["run()", shown]


def test_a_result_in_markdown_is_read_as_such() -> None:
    shown = result(plain="<IPython.core.display.Markdown object>", markdown="The *pump*")
    assert texts(notebook(code(shown))) == ["run()", "The pump"]


def test_printed_text_is_what_the_terminal_shows_in_the_end() -> None:
    bar = printed(["\x1b[32m  1%\r", " 50%\r", "100% \x1b[0mdone\r\n", "\x1b]0;title\x07next\r\n"])
    assert texts(notebook(code(bar))) == ["run()", "100% done\nnext"]


def test_what_is_encoded_is_left_out_of_sources_and_outputs() -> None:
    run = (Path(FORMATS / "pressure.ipynb.json").read_text().split('"image/png": "')[1]).split('"')[0]
    assert texts(notebook(code(printed(run), source=f"show('{run}')"))) == ["show('')"]


def test_a_source_may_be_one_text_or_lines() -> None:
    assert texts(notebook({"cell_type": "markdown", "source": ["one\n", "two"]})) == ["one\ntwo"]
    assert texts(notebook({"cell_type": "markdown", "source": "one\ntwo"})) == ["one\ntwo"]


def test_the_front_matter_of_a_raw_cell_is_the_title() -> None:
    front = {"cell_type": "raw", "source": "---\ntitle: Boilers\n---\n"}
    found = notebook(front, {"cell_type": "markdown", "source": "# Heading\n\nText."})
    assert (found.title, texts(found)) == ("Boilers", ["Text."])


def test_without_a_heading_the_metadata_may_name_it() -> None:
    assert notebook(code(), metadata={"title": "Boilers"}).title == "Boilers"
    assert notebook(code()).title == ""


def test_an_unfinished_cell_leaves_the_next_ones_alone() -> None:
    found = notebook(
        {"cell_type": "markdown", "source": "```\nopen"}, {"cell_type": "markdown", "source": "# Next\n\nText"}
    )
    assert [(block.text, block.headings) for block in found.blocks] == [("open", ()), ("Text", ("Next",))]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"cells": [', "line 1: not valid JSON, cut off perhaps"),
        ("# A heading", "line 1: not valid JSON"),
        ("[]", "no notebook"),
        ('{"a": 1}', "no notebook"),
    ],
)
def test_what_is_no_notebook_is_told(text: str, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        read(text, "a.ipynb")


def test_an_empty_file_is_an_empty_document() -> None:
    assert document("\n") == Document("a.ipynb", "", ())


@pytest.mark.parametrize("odd", [None, 1, "x", [], [1], {"a": 1}, {"cell_type": 7, "source": {}}])
def test_odd_values_break_nothing(odd: Any) -> None:
    keys = ("source", "outputs", "level", "text", "data", "name", "ename", "evalue")
    for kind in ("code", "markdown", "heading", "raw", None):
        for output in ("stream", "execute_result", "error", None):
            fields = {"cell_type": kind, **dict.fromkeys(keys, odd)}
            notebook(odd, fields, {**fields, "outputs": [odd, {"output_type": output, **dict.fromkeys(keys, odd)}]})
    document(json.dumps({"cells": odd, "worksheets": odd, "metadata": odd}))


def test_no_output_takes_long() -> None:
    started = time.process_time()
    for piece in ("\r", "a\r", "\x1b[", "\x1b]", "<", "<a", "Text(", "9" * 5000):
        notebook(code(printed(piece * (400_000 // len(piece))), result(plain=piece * (400_000 // len(piece)))))
    assert time.process_time() - started < FAR_TOO_LONG_S
