"""Read Jupyter notebooks: the text of their cells, their code, and what it printed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from rerank_cli.characters import whole_characters
from rerank_cli.corpus.read import markdown
from rerank_cli.corpus.read.encoded import without_encoded
from rerank_cli.corpus.read.errors import Unreadable
from rerank_cli.corpus.read.pinned import PinnedOutline
from rerank_cli.fields import fields_in
from rerank_cli.records import Document, Reading

_Fields = Mapping[str, Any]

# Colours and other commands to a terminal.
_ESCAPE = re.compile(r"\x1b(?:\[[0-9;:?]*+[ -/]*+[@-~]|\][^\x07\x1b]*+(?>(?:\x07|\x1b\\)?)|.)")

# How Python shows what has no text of its own: where it lies in memory, and the parts of a plot.
_NO_WORDS = re.compile(
    r"<[^<>\n]{1,200}? at 0x[0-9a-f]{6,}"
    r"|<(?:Figure size |Axes|matplotlib\.|BarContainer|IPython\.|PIL\.)|^Text\([-\d.]"
)


_NOTHING_SAID = Document("", "", ())


def read(text: str, path: str) -> Reading:
    """A single document; its title is its first heading, and its places are cells. Raises Unreadable."""
    if not text.strip():
        return Reading((Document(path, "", ()),))
    notebook = _notebook(text)
    outline = PinnedOutline("cell")
    title, fields = "", list(_said(_fields(notebook.get("metadata"))))
    for number, cell in enumerate(_cells(notebook), start=1):
        outline.at = number
        page = _add(cell, outline)
        title = page.title or title
        fields += page.fields
    blocks = outline.blocks()
    metadata = _fields(notebook.get("metadata"))
    title = title or outline.title or _text(metadata.get("title")).strip()
    return Reading((Document(path, title, blocks, tuple(fields)),))


def _said(metadata: _Fields) -> Iterator[tuple[str, str]]:
    """What a notebook says of itself: its language, its authors, its tags."""
    yield from fields_in(_fields(metadata.get("language_info")).get("name"), "language")
    yield from fields_in(_fields(metadata.get("kernelspec")).get("language"), "language")
    for author in _list(metadata.get("authors")):
        yield from fields_in(_fields(author).get("name", author), "author")
    for key in ("author", "date", "tags", "keywords"):
        yield from fields_in(metadata.get(key), key)


def _notebook(text: str) -> _Fields:
    try:
        notebook = json.loads(text, parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        raise Unreadable(f"line {error.lineno}: not valid JSON, cut off perhaps ({error.msg})") from error
    if not isinstance(notebook, dict) or not ("cells" in notebook or "worksheets" in notebook):
        raise Unreadable("no notebook: it has no cells")
    return notebook


def _cells(notebook: _Fields) -> Iterator[_Fields]:
    """All cells; the older format, before 4, has them on sheets."""
    sheets = [notebook, *map(_fields, _list(notebook.get("worksheets")))]
    for sheet in sheets:
        yield from map(_fields, _list(sheet.get("cells")))


def _add(cell: _Fields, outline: PinnedOutline) -> Document:
    """Add *cell* to *outline*; what it says of the whole is the title and the fields of a document without text."""
    source = _text(cell.get("source", cell.get("input")))
    match cell.get("cell_type"):
        case "markdown" | "html":
            markdown.feed(outline, without_encoded(source))
        case "heading":
            outline.heading(_level(cell), source)
        case "code":
            outline.block(without_encoded(source))
            for output in map(_fields, _list(cell.get("outputs"))):
                _add_output(output, outline)
        case _ if source.startswith(("---\n", "+++\n")):  # the front matter of a page that is made of the notebook
            return markdown.read(source, "").documents[0]._replace(blocks=())
        case _:
            outline.block(without_encoded(source))
    return _NOTHING_SAID


def _level(cell: _Fields) -> int:
    level = _text(cell.get("level"))
    return int(level) if level in ("1", "2", "3", "4", "5", "6") else 1


def _add_output(output: _Fields, outline: PinnedOutline) -> None:
    """What was printed, the text of a result, the last line of an error. A picture has no words."""
    match output.get("output_type"):
        case "stream" if output.get("name", output.get("stream", "stdout")) == "stdout":
            outline.block(_printed(_text(output.get("text"))))
        case "execute_result" | "display_data" | "pyout":
            data = _fields(output.get("data")) or output
            if formatted := _text(data.get("text/markdown")):
                markdown.feed(outline, without_encoded(formatted))
            else:
                outline.block(_shown(_printed(_text(data.get("text/plain", data.get("text"))))))
        case "error" | "pyerr":
            told = f"{_text(output.get('ename'))}: {_text(output.get('evalue'))}"
            outline.block(_printed(told.strip(": ")))


def _printed(text: str) -> str:
    """*text* as a terminal shows it in the end: of a progress bar, its last state."""
    lines = _ESCAPE.sub("", text).split("\n")
    return without_encoded("\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines))


def _shown(result: str) -> str:
    return "" if _NO_WORDS.search(result) else result


def _text(value: object) -> str:
    """A text, which may be kept as a list of lines."""
    if isinstance(value, list):
        value = "".join(part for part in value if isinstance(part, str))
    return whole_characters(value) if isinstance(value, str) else ""


def _fields(value: object) -> _Fields:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
