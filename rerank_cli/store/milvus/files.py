"""Files as records of an index in Milvus, and how much it holds in all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rerank_cli.ports import Counts, FileState
from rerank_cli.store.milvus.engine import Engine, Row, in_pieces, listed
from rerank_cli.store.milvus.generation import Generation
from rerank_cli.store.milvus.rows import FILE, file_state
from rerank_cli.store.milvus.schema import Names, visible


def files_of(
    engine: Engine, names: Names, generation: Generation, fields: Sequence[str], *, paths: Sequence[str] | None = None
) -> Iterator[Row]:
    """The records of the files of *generation*, or of those at *paths*, with these *fields*."""
    seen = f'kind == "{FILE}" and {visible(generation.stamp)}'
    if paths is None:
        yield from engine.rows(names.records, seen, ["id", *fields])
        return
    for some in in_pieces(paths):
        yield from engine.rows(names.records, f"{seen} and path in {listed(some)}", ["id", *fields])


def file_states(
    engine: Engine, names: Names, generation: Generation, paths: Sequence[str] | None = None
) -> dict[str, FileState]:
    """The files at *paths*, by default all, by path."""
    states = map(file_state, files_of(engine, names, generation, ["content"], paths=paths))
    return dict(sorted((state.path, state) for state in states))


def counts_of(engine: Engine, names: Names, generation: Generation) -> Counts:
    """How much *generation* holds."""
    held = generation.held
    failed = f'kind == "{FILE}" and {visible(generation.stamp)} and failed == true'
    return Counts(
        files=held.files,
        failed_files=engine.count(names.records, failed),
        documents=held.documents,
        passages=held.passages,
        size_bytes=held.size_bytes,
    )
