"""Indexes of bare texts, with no folder and no encoder: each text has a vector of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from rerank_cli.arrays import Vectors
from rerank_cli.fields import Fields
from rerank_cli.ports import Changes, FileState, NewFile, Recipe
from rerank_cli.records import Passage, SplitDocument, at_lines
from rerank_cli.stamps import Stamp
from rerank_cli.store.reader import IndexReader
from rerank_cli.store.writer import LocalWriter

DIMENSIONS = 8

RECIPE = Recipe(
    root="/docs",
    rules={},
    encoder="fake",
    encoder_fingerprint="fake",
    dimensions=DIMENSIONS,
    passage_tokens=40,
    reader_version=1,
)


def vector_of(text: str) -> Vectors:
    vector = np.random.default_rng(list(text.encode())).normal(size=DIMENSIONS)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def hash_of(text: str) -> bytes:
    return Passage(0, at_lines(1, 1), (), text).text_hash


def keep(writer: LocalWriter, texts: Iterable[str], *, fingerprint: str = "fake") -> None:
    """Keep a vector for each of *texts*."""
    some = list(dict.fromkeys(texts))
    if some:
        vectors = np.stack([vector_of(text) for text in some])
        writer.keep_vectors(fingerprint, [hash_of(text) for text in some], vectors)


def new_file(
    path: str,
    texts: Sequence[str],
    *,
    document_id: str | None = None,
    fields: Fields = (),
    modified_at: int = 0,
) -> NewFile:
    """A file of one document, whose passages are *texts*."""
    state = FileState(path, Stamp(1, 1, 1, 1), content_hash=b"x", reader="text", failure=None, modified_at=modified_at)
    passages = tuple(Passage(n, at_lines(n + 1, n + 1), (), text) for n, text in enumerate(texts))
    return NewFile(state, (SplitDocument(document_id or path, path, passages, fields),))


def commit(writer: LocalWriter, written: Mapping[str, Sequence[str]], *, removed: tuple[str, ...] = ()) -> None:
    """Write files of one document each, whose passages are the given texts."""
    commit_files(writer, [new_file(path, texts) for path, texts in written.items()], removed=removed)


def commit_files(writer: LocalWriter, files: Iterable[NewFile], *, removed: tuple[str, ...] = ()) -> None:
    """Write *files*."""
    written = []
    for file in files:
        keep(writer, [passage.text for document in file.documents for passage in document.passages])
        writer.stage(file, key="")
        written.append(file.state.path)
    writer.commit(Changes(tuple(written), removed), RECIPE)


def found(reader: IndexReader, text: str, depth: int = 100) -> list[str]:
    """The texts of the passages nearest to *text*, best first."""
    passages = [passage for passage, _ in reader.search_dense(vector_of(text), depth)]
    stored = reader.read(passages)
    return [stored[passage].passage.text for passage in passages]
