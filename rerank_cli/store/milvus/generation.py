"""The newest generation of an index in Milvus: the one row that, written last, makes a commit visible."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from rerank_cli.errors import IndexDamaged, IndexMismatch, IndexMissing
from rerank_cli.ports import Manifest, Recipe
from rerank_cli.store.milvus.address import Address
from rerank_cli.store.milvus.engine import Engine
from rerank_cli.store.milvus.rows import packed, record, unpacked
from rerank_cli.store.milvus.schema import FORMAT_VERSION, Names

MANIFEST = "manifest"

RECORD_FIELDS = {"id", "kind", "path", "document_id", "content", "born", "died"}
"""What tells a collection of ours from another of its name."""


@dataclass(frozen=True, slots=True)
class Held:
    """How much a generation holds; `documents` are all, `size_bytes` is that of texts and vectors."""

    files: int = 0
    documents: int = 0
    passages: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Generation:
    """A generation: its manifest, and the `stamp` of the commit that made it.

    `commits` are the newest stamps, each with the second of its commit: of rows that died long ago no reader knows any
    more. Rows that died by `cleared` are gone. `common` says of common words in what share of the passages they stand.
    `replaced` are collections of another encoder, by when they were left.
    """

    manifest: Manifest
    stamp: int
    held: Held
    committed_at: float
    commits: tuple[tuple[int, float], ...] = ()
    cleared: int = 0
    common: dict[str, float] = field(default_factory=dict)
    replaced: dict[str, float] = field(default_factory=dict)


def read_generation(engine: Engine, names: Names) -> Generation | None:
    """The newest generation; None before the first.

    Raises:
        IndexMismatch: it has another format.
        IndexDamaged: it cannot be understood.
    """
    rows = engine.query(names.records, f'id in ["{MANIFEST}"]', ["content"])
    if not rows:
        return None
    try:
        said: dict[str, Any] = unpacked(rows[0]["content"])
        if said.pop("format_version") != FORMAT_VERSION:
            raise IndexMismatch(
                f"{engine.address}: an index of another format than this program reads",
                remedy="use the version of rerank-cli that made it, or name another collection",
            )
        recipe = Recipe(**said["manifest"].pop("recipe"))
        manifest = Manifest(recipe, **said.pop("manifest"))
        commits = tuple((int(stamp), float(second)) for stamp, second in said.pop("commits"))
        return Generation(manifest, held=Held(**said.pop("held")), commits=commits, **said)
    except (KeyError, TypeError, ValueError) as error:
        raise IndexDamaged(
            f"{engine.address}: the manifest cannot be read ({error})", remedy="name another collection, and index anew"
        ) from error


def write_generation(engine: Engine, names: Names, generation: Generation) -> None:
    """Make *generation* the newest: from now on readers that open the index see it."""
    manifest = {**generation.manifest._asdict(), "recipe": generation.manifest.recipe._asdict()}
    said = {"format_version": FORMAT_VERSION, **asdict(generation), "manifest": manifest}
    content = packed(said, of=str(engine.address))
    engine.upsert(names.records, [record(MANIFEST, MANIFEST, content=content)])


def check_ours(engine: Engine, names: Names) -> None:
    """Make sure that the collection holds an index, and that it can be asked.

    Raises:
        IndexMissing: there is none.
        IndexMismatch: it is somebody else's.
    """
    if not engine.has(names.records):
        raise no_index(engine.address, "no index here")
    if not engine.fields_of(names.records).keys() >= RECORD_FIELDS:
        raise IndexMismatch(f"{engine.address}: holds something else than an index", remedy="name another collection")


def no_index(address: Address, what: str) -> IndexMissing:
    """That there is nothing to open at *address*."""
    return IndexMissing(f"{address}: {what}", remedy=f"make one: rerank-cli index FOLDER --store {address}")


def current_generation(engine: Engine, names: Names) -> Generation:
    """The newest generation.

    Raises:
        IndexMissing: there is none yet.
    """
    check_ours(engine, names)
    generation = read_generation(engine, names)
    if generation is None:
        raise no_index(engine.address, "the first run has not finished")
    return generation
