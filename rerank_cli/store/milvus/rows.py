"""Passages, documents and files as rows."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Iterator
from typing import Any

from rerank_cli.errors import IndexDamaged, InputError, in_words
from rerank_cli.fields import Fields, date_of, folded
from rerank_cli.filters import PACKED_ENDINGS
from rerank_cli.ports import FileState, NewFile
from rerank_cli.records import Passage, Place, StoredPassage
from rerank_cli.stamps import Stamp
from rerank_cli.store.milvus.engine import Row
from rerank_cli.store.milvus.schema import ALIVE, MOST_BYTES, NO_VECTOR
from rerank_cli.store.milvus.words import terms_of

FILE, DOCUMENT = "file", "document"
"""Kinds of records. A document is known by its opening passage; one without text has a record of its own."""

PACKED = "z:"
"""Stands before a content that had to be packed to fit a row."""

STORED = ("path", "document_id", "ordinal", "position", "first", "last", "content")
"""The fields that a `StoredPassage` is made of."""


def hash_id(text_hash: bytes) -> str:
    """What a text's vector is called."""
    return text_hash.hex()


def passage_rows(file: NewFile, *, stamp: int) -> Iterator[Row]:
    """The rows of all passages of *file*, born by *stamp*, but for their vectors."""
    position = 0
    name, unpacked_name = names_of(file.state.path)
    for document in file.documents:
        prefix = _document_key(file.state.path, document.id)
        own_date = date_of(document.fields)
        shared = {
            "path": file.state.path,
            "name": name,
            "unpacked": unpacked_name,
            "document_id": document.id,
            "second": file.state.modified_at if own_date is None else own_date,
            "dated": own_date is not None,
            **_said(document.fields),
            "born": stamp,
            "died": ALIVE,
        }
        for passage, words in zip(document.passages, terms_of(document.passages), strict=True):
            place = passage.place
            said = [document.title, place.unit, place.label, list(passage.headings), passage.text]
            yield {
                **shared,
                "id": f"{prefix}-{passage.ordinal}-{stamp}",
                "ordinal": passage.ordinal,
                "position": position,
                "first": place.first,
                "last": place.last,
                "text_hash": hash_id(passage.text_hash),
                "content": packed(said, of=file.state.path),
                "words": words,
            }
            position += 1


def opening_id(passage_id: str) -> str:
    """The id of the opening passage of the document that *passage_id* is of."""
    document, _, stamp = passage_id.split("-")
    return f"{document}-0-{stamp}"


def stored_passage(row: Row) -> StoredPassage:
    """The passage in a *row* with the fields `STORED`."""
    title, unit, label, headings, text = unpacked(row["content"])
    passage = Passage(row["ordinal"], Place(unit, row["first"], row["last"], label), tuple(headings), text)
    return StoredPassage(row["id"], row["document_id"], row["path"], title, passage)


def file_rows(file: NewFile, *, stamp: int) -> Iterator[Row]:
    """The record of *file*, and those of its documents that have no text."""
    documents = {"with_text": 0, "all": len(file.documents), "passages": 0, "size_bytes": 0}
    for document in file.documents:
        documents["with_text"] += bool(document.passages)
        documents["passages"] += len(document.passages)
        documents["size_bytes"] += sum(len(passage.model_text.encode()) for passage in document.passages)
        if not document.passages:
            key = _document_key(file.state.path, document.id)
            yield record(
                f"{DOCUMENT}-{key}-{stamp}",
                DOCUMENT,
                path=file.state.path,
                document_id=document.id,
                fields=document.fields,
                born=stamp,
            )
    yield record(
        f"{FILE}-{_key(file.state.path)}-{stamp}",
        FILE,
        path=file.state.path,
        content=packed([_stated(file.state), documents], of=file.state.path),
        failed=file.state.failure is not None,
        documents=documents["with_text"],
        born=stamp,
    )


def record(
    id: str,
    kind: str,
    *,
    path: str = "",
    document_id: str = "",
    content: str = "",
    failed: bool = False,
    documents: int = 0,
    fields: Fields = (),
    born: int = 0,
) -> Row:
    """A row of the records."""
    return {
        "id": id,
        "kind": kind,
        "path": path,
        "document_id": document_id,
        "content": content,
        "failed": failed,
        "documents": documents,
        **_said(fields),
        "born": born,
        "died": ALIVE,
        "vector": NO_VECTOR,
    }


def note_id(kind: str, path: str) -> str:
    """What a record of this *kind* about the file or folder at *path* is called."""
    return f"{kind}-{_key(path)}"


def file_state(row: Row) -> FileState:
    """The state in a *row* of a file."""
    path, stamp, content_hash, reader, failure, notes, modified_at, damaged = unpacked(row["content"])[0]
    digest = bytes.fromhex(content_hash)
    return FileState(path, Stamp(*stamp), digest, reader, failure, tuple(notes), modified_at, damaged)


def held_by(row: Row) -> dict[str, int]:
    """How much the file in a *row* holds: documents `with_text` and `all`, `passages`, and `size_bytes` of text."""
    held: dict[str, int] = unpacked(row["content"])[1]
    return held


def restated(row: Row, state: FileState) -> Row:
    """What changes of the *row* of a file that was found so: its documents stay as they are, and how it was read."""
    known = file_state(row)
    kept = state._replace(reader=known.reader, notes=known.notes, damaged=known.damaged)
    content = packed([_stated(kept), held_by(row)], of=state.path)
    return {"id": row["id"], "content": content, "failed": state.failure is not None}


def field_mark(key: str, value: str = "") -> str:
    """What the marks of a row have for a field of this *key* and *value*, and without one for any field of it.

    A mark is a hash: no letter of it means anything in a pattern, whatever a document says.
    """
    return hashlib.sha256(f"{key}\n{value}".encode()).hexdigest()[:16]


def fields_in(said: str) -> list[tuple[str, str]]:
    """The pairs of a key and a value in what a row says of its document's fields."""
    pairs = (line.partition("\t") for line in said.split("\n") if line)
    return [(key, value) for key, _, value in pairs]


def _said(fields: Fields) -> Row:
    """What a row has of the *fields* of its document, as they are compared: as text, and as marks.

    The text ends where a row has no more room: a filter then finds what is behind that by its marks alone.
    """
    pairs = sorted({(folded(key), folded(value)) for key, value in fields})
    text = "\n"
    for key, value in pairs:
        line = f"{key}\t{value}\n"
        if len((text + line).encode()) > MOST_BYTES:
            break
        text += line
    marks = sorted({field_mark(*pair) for pair in pairs} | {field_mark(key) for key, _ in pairs})
    return {"fields": text, "marks": " ".join(marks)}


def packed(said: object, *, of: str) -> str:
    """*said* as a text that fits a row.

    Raises:
        InputError: it is too long, which no text of a language is.
    """
    content = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    if len(content.encode()) <= MOST_BYTES:
        return content
    small = PACKED + base64.b85encode(zlib.compress(content.encode())).decode()
    if len(small) > MOST_BYTES:
        raise InputError(f"{of}: has a passage too long for Milvus", remedy="choose a smaller --passage-tokens")
    return small


def unpacked(content: str) -> Any:
    """What `packed` made a text of.

    Raises:
        IndexDamaged: it made no such text.
    """
    try:
        if content.startswith(PACKED):
            return json.loads(zlib.decompress(base64.b85decode(content.removeprefix(PACKED))))
        return json.loads(content)
    except (ValueError, zlib.error) as error:
        raise IndexDamaged(
            f"a row of the index in Milvus is not what was written ({in_words(error)})",
            remedy="name another collection, and index anew",
        ) from error


def _stated(state: FileState) -> list[object]:
    return [
        state.path,
        list(state.stamp),
        state.content_hash.hex(),
        state.reader,
        state.failure,
        list(state.notes),
        state.modified_at,
        state.damaged,
    ]


def names_of(path: str) -> tuple[str, str]:
    """The name of *path* as extensions are looked for in it, and that of the file packed in it, in small letters.

    As in `filters`, a dot at its beginning hides a file.
    """
    name = path[path.rfind("/") + 2 :].casefold()
    packed_as = next((ending for ending in PACKED_ENDINGS if name.endswith(ending)), "")
    return name, name.removesuffix(packed_as)


def _document_key(path: str, document_id: str) -> str:
    return _key(f"{path}\0{document_id}")


def _key(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:32]
