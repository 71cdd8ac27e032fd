"""From the bytes of a file to documents: one reader a format, picked by the file's extension."""

from __future__ import annotations

from dataclasses import replace

from rerank_cli.corpus.read.errors import NotReadToTheEnd, Unreadable
from rerank_cli.corpus.read.formats import Format, format_of, unpacked_name
from rerank_cli.fields import kept_fields
from rerank_cli.records import Block, Document, FoundFile, Reading

__all__ = ["SHARED_VERSION", "Format", "NotReadToTheEnd", "Unreadable", "format_of", "read_file"]

# Raise it whenever what all formats share, decoding and splitting, makes other passages: then every file is read again.
SHARED_VERSION = 6


def read_file(file: FoundFile, content: bytes, *, format: Format | None = None, lone: bool = False) -> Reading:
    """The documents in *content*, the bytes of *file*; none for a file of records without any.

    Its name says of which *format* it is, unless that is given.

    A record's id is `path#id`, or the bare id where *lone* says that this file is the whole corpus.
    Raises Unreadable, and whatever a library raises of a file that was made to break it.
    """
    format = format or format_of(file.path)
    try:
        reading = _read(format, content, file.path)
    except RecursionError as error:
        raise Unreadable("nested too deeply") from error
    return reading._replace(documents=tuple(_named(each, file.path, format, lone) for each in reading.documents))


def _read(format: Format, content: bytes, path: str) -> Reading:
    if format.inner:
        return _unpacked(format, format.inner, content, path)
    if format.binary:
        return format.read_bytes(content, path)
    from rerank_cli.corpus.read.decode import decode  # which whoever asks for a format alone does without

    decoded = decode(content)
    reading = format.read_text(decoded.text, path)
    return reading._replace(notes=(*decoded.notes, *reading.notes))


def _unpacked(format: Format, inner: Format, content: bytes, path: str) -> Reading:
    """What the packed file holds: its places are those in the file that it is unpacked to."""
    unpacked, note = format.unpack(content, is_text=not inner.binary)
    reading = _read(inner, unpacked, unpacked_name(path))
    return reading._replace(notes=(*reading.notes, note), damaged=True) if note else reading


def _named(document: Document, path: str, format: Format, lone: bool) -> Document:
    """*document* with its id and a title. A title that is made of the path is only for the eye: no model sees it."""
    titled = _under_its_title(document)._replace(fields=kept_fields(document.fields))
    if format.records:
        return titled if lone else titled._replace(id=f"{path}#{titled.id}")
    from rerank_cli.corpus.read.text import title_of

    name = unpacked_name(path) if format.inner else path
    return titled._replace(id=path, title=titled.title or (path if format.named else title_of(name)))


def _under_its_title(document: Document) -> Document:
    """Put the document's own title above every block that does not begin with it already."""
    if not document.title:
        return document
    from rerank_cli.corpus.read.outline import MAX_HEADING_CHARS

    words = document.title.casefold().split()
    begins: dict[str, bool] = {}  # by heading, of which many blocks have the same

    def titled(block: Block) -> Block:
        opening = block.headings[0] if block.headings else block.text
        if opening not in begins:
            begins[opening] = opening.casefold().split() == words
        return block if begins[opening] else replace(block, headings=(title, *block.headings))

    title = document.title[:MAX_HEADING_CHARS]
    return document._replace(blocks=tuple(map(titled, document.blocks)))
