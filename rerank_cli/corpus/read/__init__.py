"""From the bytes of a file to documents: one reader a format, picked by the file's extension."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from rerank_cli.corpus.read import code, html, markdown, rows, rst, text
from rerank_cli.corpus.read.decode import decode
from rerank_cli.corpus.read.errors import NotReadToTheEnd, Unreadable
from rerank_cli.corpus.read.outline import MAX_HEADING_CHARS
from rerank_cli.records import Block, Document, FoundFile

__all__ = ["READER_VERSION", "NotReadToTheEnd", "Unreadable", "holds_records", "read_documents", "reader_name"]

# Raise it whenever the same bytes become another document, or other passages: then files are read again.
READER_VERSION = 3


@dataclass(frozen=True, slots=True)
class _Reader:
    """`many` tells a file of records, which carry their own ids, from one that is a document.

    `read` leaves the title empty where the document itself has none; `shown_title` makes one of the path,
    which is only for the eye: no model sees it.
    """

    name: str
    read: Callable[[str, str], tuple[Document, ...]]
    shown_title: Callable[[str], str] = text.title_of
    many: bool = False


_TEXT = _Reader("text", text.read)
_MARKDOWN = _Reader("markdown", markdown.read)
_RST = _Reader("rst", rst.read)
_HTML = _Reader("html", html.read)
_CODE = _Reader("code", code.read, shown_title=str)
_JSONL = _Reader("jsonl", rows.read_jsonl, many=True)
_CSV = _Reader("csv", rows.read_csv, many=True)
_TSV = _Reader("tsv", rows.read_tsv, many=True)

_READERS = {
    ".md": _MARKDOWN,
    ".markdown": _MARKDOWN,
    ".mdown": _MARKDOWN,
    ".mkd": _MARKDOWN,
    ".mdx": _MARKDOWN,
    ".rst": _RST,
    ".rest": _RST,
    ".html": _HTML,
    ".htm": _HTML,
    ".xhtml": _HTML,
    ".jsonl": _JSONL,
    ".ndjson": _JSONL,
    ".csv": _CSV,
    ".tsv": _TSV,
    **dict.fromkeys(code.EXTENSIONS, _CODE),
}


def read_documents(file: FoundFile, content: bytes, *, lone: bool = False) -> tuple[Document, ...]:
    """The documents in *content*, the bytes of *file*; none for a file of records without any.

    A record's id is `path#id`, or the bare id where *lone* says that this file is the whole corpus.
    Raises Unreadable, and whatever a library raises of a file that was made to break it.
    """
    reader = _reader(file.path)
    try:
        documents = reader.read(decode(content), file.path)
    except RecursionError as error:
        raise Unreadable("nested too deeply") from error
    if reader.many and not lone:
        documents = tuple(replace(document, id=f"{file.path}#{document.id}") for document in documents)
    shown_title = "" if reader.many else reader.shown_title(file.path)
    return tuple(replace(_under_its_title(document), title=document.title or shown_title) for document in documents)


def reader_name(path: str) -> str:
    """The name of the reader that *path* goes to."""
    return _reader(path).name


def holds_records(path: str) -> bool:
    """Whether *path* goes to a reader that makes several documents of a file, `path#id` each."""
    return _reader(path).many


def _reader(path: str) -> _Reader:
    return _READERS.get(PurePosixPath(path).suffix.lower(), _TEXT)


def _under_its_title(document: Document) -> Document:
    """Put the document's own title above every block that does not begin with it already."""
    if not document.title:
        return document
    words = document.title.casefold().split()
    begins: dict[str, bool] = {}  # by heading, of which many blocks have the same

    def titled(block: Block) -> Block:
        opening = block.headings[0] if block.headings else block.text
        if opening not in begins:
            begins[opening] = opening.casefold().split() == words
        return block if begins[opening] else replace(block, headings=(title, *block.headings))

    title = document.title[:MAX_HEADING_CHARS]
    return replace(document, blocks=tuple(map(titled, document.blocks)))
