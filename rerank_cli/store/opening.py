"""Opens an index: any number of readers at its newest generation, and one writer."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rerank_cli.errors import IndexDamaged, IndexMismatch, IndexMissing, InputError
from rerank_cli.places import make_private_folder, open_private
from rerank_cli.ports import Manifest
from rerank_cli.records import VectorSearch
from rerank_cli.store.access import cannot, is_folder, naming_disk_errors
from rerank_cli.store.catalog import check_answers, check_pages, connect, connect_to_read, create_tables, telling
from rerank_cli.store.layout import Layout
from rerank_cli.store.lock import acquire
from rerank_cli.store.manifest import Generation, read_generation
from rerank_cli.store.migration import bring_over, holds_older_format, sealed_generation
from rerank_cli.store.pinned import open_pinned
from rerank_cli.store.reader import IndexReader, Snapshot
from rerank_cli.store.remedies import in_the_way, index_command, mend_remedy, rebuild_remedy
from rerank_cli.store.replaced import end_unfinished, put_back, remove_files, set_aside
from rerank_cli.store.seal import Seal, read_seal
from rerank_cli.store.sealing import Sealing, is_sealed

if TYPE_CHECKING:
    from rerank_cli.store.writer import LocalWriter


_last_opened: list[str] = []


def last_opened() -> str:
    """The folder of the index that this process opened last for reading; empty where it opened none."""
    return _last_opened[-1] if _last_opened else ""


def open_reader(folder: Path) -> IndexReader:
    """Open the index in *folder* at its current generation.

    Raises:
        IndexMissing: there is none.
        IndexDamaged: a file of it is missing, or is not what was written.
        IndexMismatch: it has another format.
        InputError: it cannot be read.
        Busy: it cannot be read before another process has ended.
    """
    layout = Layout(folder)
    _last_opened[:] = [str(folder.absolute())]
    return IndexReader(_open_snapshot(layout), reopen=lambda: _open_snapshot(layout))


def newest_generation(folder: Path) -> int | None:
    """The generation that `open_reader` would open now; None while a writer is at work, or where it cannot be known."""
    seal = _read_seal(Layout(folder))
    return None if seal is None or seal.broken else seal.generation


def _open_snapshot(layout: Layout) -> Snapshot:
    """A writer may move on between our snapshot and our look at what lies beside it: then there is a newer one."""
    missed = None
    while True:
        with ExitStack() as opened:
            connection = opened.enter_context(closing(_open_catalog(layout)))
            seal = _read_seal(layout)
            try:
                with telling(layout.catalog, connection):
                    connection.execute("BEGIN")
                    generation = read_generation(layout, connection)
                    if generation is None:
                        raise _unfinished(layout)
                    _check_seal(layout, seal, generation.manifest.generation)
                    if seal is not None and seal.broken:  # nothing vouches for the catalog but what it says itself
                        check_pages(layout.catalog, connection)
                    snapshot = _with_files(layout, connection, generation, opened)
            except IndexDamaged:
                if (seal, _read_seal(layout)) == (missed, missed):
                    raise
                missed = _read_seal(layout)
                continue
            opened.pop_all()
            return snapshot


def _with_files(layout: Layout, connection: sqlite3.Connection, generation: Generation, opened: ExitStack) -> Snapshot:
    vectors = open_pinned(layout.folder, generation.vectors)
    graph = None
    if generation.graph is not None:
        from rerank_cli.store.graph import open_graph

        graph = opened.enter_context(open_graph(layout.folder, generation.graph))
    return Snapshot(layout, connection, generation, vectors, graph)


def _check_seal(layout: Layout, seal: Seal | None, number: int) -> None:
    """Make sure that the catalog, of generation *number*, is what was written last, as far as its seal can tell.

    Raises:
        IndexDamaged: it is not.
    """
    if seal is None:
        if is_folder(layout.seal):
            raise in_the_way(layout.seal)
        raise IndexDamaged(f"{layout.seal}: is missing, or is not what was written", remedy=mend_remedy(layout.folder))
    is_older = number < seal.generation
    if is_older or (not seal.broken and not is_sealed(layout, seal, number)):
        raise IndexDamaged(f"{layout.catalog}: is not what was written last", remedy=rebuild_remedy(layout.folder))


def _read_seal(layout: Layout) -> Seal | None:
    try:
        return read_seal(layout.seal)
    except OSError as error:
        raise cannot("read", layout.seal, error) from error


def _unfinished(layout: Layout) -> IndexMissing | IndexDamaged:
    """What to tell of a catalog without a generation; *layout* may know better."""
    seal = _read_seal(layout)
    if seal is not None and seal.generation:
        return IndexDamaged(f"{layout.catalog}: is not what was written last", remedy=rebuild_remedy(layout.folder))
    return IndexMissing(
        f"{layout.folder}: the first run has not finished", remedy=f"run it again: {index_command(layout.folder)}"
    )


def _open_catalog(layout: Layout) -> sqlite3.Connection:
    try:
        layout.catalog.lstat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _missing(layout) from error
    except OSError as error:
        raise cannot("read", layout.catalog, error) from error
    try:
        return connect_to_read(layout.catalog)
    except InputError as error:
        if not layout.catalog.exists():  # it went meanwhile
            raise _missing(layout) from error
        raise


def _missing(layout: Layout) -> IndexMissing | IndexDamaged:
    seal = _read_seal(layout)
    if seal is not None and seal.generation:
        return IndexDamaged(f"{layout.catalog}: is missing", remedy=rebuild_remedy(layout.folder))
    return IndexMissing(f"{layout.folder}: no index here", remedy="make one: rerank-cli index FOLDER")


def check_whole(layout: Layout) -> Manifest:
    """Open all of the index that a query opens: a run must not end well where a query would not.

    Raises:
        RerankError: what `open_reader` or a search would end with.
    """
    from rerank_cli.store.vectors import check_vectors

    with _open_snapshot(layout) as snapshot:
        check_answers(layout.catalog, snapshot.connection)
        check_vectors(snapshot.vectors)
        if snapshot.graph is not None and snapshot.generation.graph is not None:
            from rerank_cli.store.graph import check_graph

            check_graph(snapshot.graph, snapshot.generation.graph)
        return snapshot.generation.manifest


@contextmanager
def open_writer(
    folder: Path, *, wait_s: float, rebuild: bool = False, search: VectorSearch | None = "auto"
) -> Iterator[LocalWriter]:
    """Hold the index in *folder* for writing; made if there is none, brought over if it has an older format.

    Without a *search*, vectors go on being searched as was asked for last.
    With *rebuild*, an index that cannot be believed, or has another format, gives way to an empty one; it comes back
    where that one is left without a commit. Where a first run fails before it has computed a vector, nothing is
    left of it.

    Raises:
        Busy: another process held it for longer than *wait_s*.
        IndexDamaged: the catalog is not what was written.
    """
    from rerank_cli.store.writer import LocalWriter  # which no reader needs

    layout = Layout(folder)
    with _locked(layout, wait_s) as made_folder:
        with naming_disk_errors(layout.folder):
            _check_no_folders(layout)
            end_unfinished(layout)
            seal = read_seal(layout.seal)
            older = _prepared(layout, seal, rebuild=rebuild)
            seal = seal if older is None else None  # the older index has taken its own along
            is_first_run = not layout.catalog.exists()
        sealing = Sealing(layout, seal)
        writer = None
        try:
            with closing(connect(layout.catalog, create=True)) as connection:
                try:
                    create_tables(layout.catalog, connection)
                    sealing.check(connection)
                    if older is not None:
                        sealing.break_seal()
                        _bring_over(older, layout, connection, rebuild=rebuild)
                    writer = LocalWriter(
                        layout,
                        connection,
                        search=search,
                        last_generation=seal.generation if seal else 0,
                        begin_writing=sealing.break_seal,
                    )
                    yield writer
                finally:
                    if writer is not None:
                        writer.close()
                    sealing.seal(connection)
        except BaseException:
            is_unfinished = is_first_run if writer is None else writer.manifest is None
            if is_unfinished and layout.replaced.is_dir():
                put_back(layout)
            elif is_unfinished and is_first_run and not (writer and writer.has_kept_vectors):
                _remove_first_run(layout, made_folder=made_folder)
            raise
        if writer.manifest is not None:
            writer.drop_leftovers()
            shutil.rmtree(layout.replaced, ignore_errors=True)
    if writer.manifest is not None and (writer.has_committed or older is not None):
        check_whole(layout)  # not under the lock, which would tell it that another process writes


def _bring_over(older: Layout, layout: Layout, connection: sqlite3.Connection, *, rebuild: bool) -> None:
    """As `bring_over`; a *rebuild* reads the texts again where the older index is damaged."""
    try:
        bring_over(older, layout, connection)
    except IndexDamaged:
        if not rebuild:
            raise


def _check_no_folders(layout: Layout) -> None:
    """Make sure that what is to be written, replaced and removed is ours, which no folder is.

    Raises:
        IndexDamaged: a folder stands in the place of a file.
    """
    for place in (*layout.index_files(), *layout.vectors(), layout.staging):
        if is_folder(place):
            raise in_the_way(place)


def _prepared(layout: Layout, seal: Seal | None, *, rebuild: bool) -> Layout | None:
    """Take an index out of the way that is to give way; where its format is an older one, where it lies then."""
    waiting = Layout(layout.replaced)
    if not layout.catalog.exists():  # a killed run may have left an older one half brought over
        return waiting if waiting.catalog.exists() and holds_older_format(waiting) else None
    try:
        if holds_older_format(layout):
            if (number := sealed_generation(layout)) is not None:
                _check_seal(layout, seal, number)
            return set_aside(layout)
        with closing(connect(layout.catalog)) as connection:
            generation = read_generation(layout, connection)
            if generation is None and waiting.catalog.exists() and holds_older_format(waiting):
                remove_files(layout)
                return waiting
            if rebuild and generation is not None:
                _check_seal(layout, seal, generation.manifest.generation)
                check_answers(layout.catalog, connection)
            elif rebuild:
                set_aside(layout)
    except (IndexDamaged, IndexMismatch):
        if not rebuild:
            raise
        set_aside(layout)
    return None


@contextmanager
def _locked(layout: Layout, wait_s: float) -> Iterator[bool]:
    """Hold the lock of the index; True where its folder had to be made.

    A run that failed may take folder and lock away while we wait: a lock counts if it still lies in its place.
    """
    while True:
        with naming_disk_errors(layout.folder):
            made_folder = not layout.folder.exists()
            make_private_folder(layout.folder)
            try:
                lock = open(layout.lock, "a", opener=open_private)  # noqa: SIM115 - closed below
            except FileNotFoundError:
                if layout.folder.exists():
                    raise
                continue
        with lock:
            with naming_disk_errors(layout.lock):
                acquire(lock.fileno(), layout.folder, wait_s)
                in_place = _lies_at(layout.lock, lock.fileno())
            if in_place:
                with naming_disk_errors(layout.folder):
                    layout.tighten()
                yield made_folder
                return


def _lies_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _remove_first_run(layout: Layout, *, made_folder: bool) -> None:
    """A file that cannot go stays for the next run: why the first one failed is what must be told."""
    with suppress(OSError):
        remove_files(layout)
        layout.staging.unlink(missing_ok=True)
        layout.lock.unlink()
        if made_folder:
            layout.folder.rmdir()  # fails where another run has begun in it
