"""Passages, documents and files as rows."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

from rerank_cli.errors import InputError
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

FILE_FIELDS = ("path", "content", "documents")


def hash_id(text_hash: bytes) -> str:
    """What a text's vector is called."""
    return text_hash.hex()


def passage_rows(file: NewFile, *, stamp: int) -> Iterator[Row]:
    """The rows of all passages of *file*, born by *stamp*, but for their vectors."""
    position = 0
    for document in file.documents:
        prefix = _document_key(file.state.path, document.id)
        own_date = date_of(document.fields)
        shared = {
            "path": file.state.path,
            "endings": endings_of(file.state.path),
            "places": places_of(file.state.path),
            "document_id": document.id,
            "second": file.state.modified_at if own_date is None else own_date,
            "dated": own_date is not None,
            "fields": field_values(document.fields),
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
                fields=field_values(document.fields),
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
    fields: Sequence[str] = (),
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
        "fields": list(fields),
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


def field_values(fields: Fields) -> list[str]:
    """*fields* as they are compared: `key\\nvalue` for each pair, and `key\\n` for each key."""
    pairs = {(folded(key), folded(value)) for key, value in fields}
    values = {field_value(key, value) for key, value in pairs} | {field_value(key) for key, _ in pairs}
    return sorted(values)


def field_value(key: str, value: str = "") -> str:
    """What a row has for a field of this *key* and *value*, and without one for any field of it."""
    return f"{key}\n{value}"


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
    """What `packed` made a text of."""
    if content.startswith(PACKED):
        return json.loads(zlib.decompress(base64.b85decode(content.removeprefix(PACKED))))
    return json.loads(content)


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


def endings_of(path: str) -> list[str]:
    """All that the name of *path* ends in behind a dot, in small letters, and what that of the file packed in it does.

    As in `filters`, a dot at its beginning hides a file.
    """
    name = path[path.rfind("/") + 2 :].casefold()
    packed_as = next((ending for ending in PACKED_ENDINGS if name.endswith(ending)), "")
    names = (name, name.removesuffix(packed_as))
    return sorted({each[place + 1 :] for each in names for place, letter in enumerate(each) if letter == "."})


def places_of(path: str) -> list[str]:
    """What plain patterns of git's say that mean *path* or a folder above it: see `expressions`.

    For `a/b.md` that is `/a/` and `/a/b.md`, `a/` and `b.md`, and `*.md`.
    """
    *folders, file = path.split("/")
    names = [*(f"{folder}/" for folder in folders), file]
    starts = [f"/{''.join(names[: number + 1])}" for number in range(len(names))]
    dots = ((name, place) for name in names for place, letter in enumerate(name) if letter == ".")
    return sorted({*names, *starts, *(f"*{name[place:]}" for name, place in dots)})


def _document_key(path: str, document_id: str) -> str:
    return _key(f"{path}\0{document_id}")


def _key(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:32]
