"""What goes wrong beside or within Milvus: killed runs, several writers, a server that is gone, what is not ours."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rerank_cli.errors import Busy, IndexDamaged, IndexMismatch, IndexMissing, InputError, RerankError
from rerank_cli.indexing import update_index
from rerank_cli.ports import Filter, Index
from rerank_cli.store import open_writer
from tests.conftest import Plant
from tests.fakes import FakeEncoder
from tests.integration.test_update_equals_rebuild import WORDS
from tests.stores.embedded import serving
from tests.stores.kinds import NewStore, OnDisk, needs_milvus
from tests.stores.test_every_store import SETTINGS, passages_found, told, update, words_found

pytestmark = needs_milvus

CHANGES = ("upsert", "delete", "create_collection", "create_index", "drop_collection", "flush")
"""The calls that change a database."""

OLD = {"a.md": "# One\n\nthe old brake\n\n# Two\n\nthe old chain\n", "b.txt": "the old spoke\n", "c.txt": "stays\n"}
NEW = {"a.md": "# One\n\nthe new brake\n", "d.txt": "the new hub\n", "e.txt": "the new rim\n", "c.txt": "stays\n"}


class Killed(BaseException):
    """The end of a process: nothing of ours catches it."""


class Faulty:
    """A client of Milvus that ends the process at a certain one of the calls that change something, or after it."""

    def __init__(self, client: Any, faults: Faults) -> None:
        self._client = client
        self._faults = faults

    def __getattr__(self, name: str) -> Any:
        called = getattr(self._client, name)
        return self._faults.around(called) if name in CHANGES else called


class Faults:
    def __init__(self) -> None:
        self.left: int | None = None
        self.calls = 0
        self.before = True

    def around(self, called: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            self.calls += 1
            if self.left is not None and self.calls >= self.left:
                if self.calls == self.left and not self.before:
                    called(*arguments, **options)
                raise Killed
            return called(*arguments, **options)

        return call


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Faults:
    """What happens to the calls of every connection that is opened from now on."""
    from rerank_cli.store.milvus.engine import Engine

    own, connect = Faults(), Engine._open
    monkeypatch.setattr(Engine, "_open", lambda engine: Faulty(connect(engine), own))
    return own


@pytest.fixture
def short_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease runs out at once where its holder says nothing."""
    monkeypatch.setattr("rerank_cli.store.milvus.lease.LEASE_S", -1.0)
    monkeypatch.setattr("rerank_cli.store.milvus.lease.MARGIN_S", 0.0)


def plant_only(docs: Path, plant: Plant, files: dict[str, str]) -> None:
    for place in docs.iterdir():
        place.unlink()
    plant(files)


def all_of(index: Index) -> object:
    """All that a reader sees, but for ids, generations and times of files."""
    files = {path: (state.content_hash, state.failure) for path, state in index.files().items()}
    counts = index.counts()
    lists = (passages_found(index, "old new brake chain"), words_found(index, ["old", "new", "stays"]))
    return list(map(told, index.scan())), files, (counts.files, counts.documents, counts.passages), lists


def seen(store: OnDisk) -> object:
    with store.reader() as index:
        return all_of(index)


def test_a_run_killed_at_any_step_leaves_one_generation_or_the_other_and_is_gone_on_with(
    docs: Path, plant: Plant, in_milvus: NewStore, faults: Faults, short_leases: None
) -> None:
    states: dict[str, object] = {}
    for name, files in (("old", OLD), ("new", NEW)):
        plant_only(docs, plant, files)
        fresh = in_milvus()
        update(docs, fresh)
        states[name] = seen(fresh)
    store = in_milvus()
    plant_only(docs, plant, OLD)
    update(docs, store)
    before, after = ("old", OLD), ("new", NEW)
    step, died_before_the_end = -1, 0
    while True:
        step += 2  # every other one, once before and once after what it does
        faults.calls, faults.left, faults.before = 0, step, step % 4 == 1
        plant_only(docs, plant, after[1])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("rerank_cli.store.milvus.lease.RENEW_S", 0.0)  # so that each write is a step of its own
            with store.reader() as reading:
                try:
                    update(docs, store)
                    was_killed = False
                except Killed:
                    was_killed = True
                faults.left = None
                assert all_of(reading) == states[before[0]], "who reads keeps its generation"
        found = seen(store)
        assert found in (states[before[0]], states[after[0]]), f"step {step}"
        died_before_the_end += found == states[before[0]]
        encoder = FakeEncoder(fails_after=0 if step > 1 else None)  # by then all texts have been encoded once
        update(docs, store, encoder)
        assert seen(store) == states[after[0]], f"step {step}"
        before, after = after, before
        if not was_killed:
            break
    assert step > 12 and died_before_the_end > 4


def test_a_first_run_that_was_killed_is_gone_on_with(
    docs: Path, plant: Plant, in_milvus: NewStore, faults: Faults, short_leases: None
) -> None:
    plant_only(docs, plant, OLD)
    wanted = in_milvus()
    update(docs, wanted)
    for step in range(1, 40, 3):
        store = in_milvus()
        faults.calls, faults.left = 0, step
        try:
            update(docs, store)
            was_killed = False
        except Killed:
            was_killed = True
        faults.left = None
        update(docs, store)
        assert seen(store) == seen(wanted), step
        if not was_killed:
            return
    raise AssertionError("it was always killed")


def test_two_processes_do_not_write_one_index(docs: Path, plant: Plant, in_milvus: NewStore) -> None:
    plant(OLD)
    store = in_milvus()
    update(docs, store)
    with store.writer(), pytest.raises(Busy, match=f"another process is writing this index .*/{os.getpid()}") as raised:
        update(docs, store)
    assert raised.value.exit_code == 75
    assert update(docs, store).up_to_date


def test_who_lost_its_lease_changes_nothing_any_more(
    docs: Path, plant: Plant, in_milvus: NewStore, short_leases: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rerank_cli.store.milvus.lease.RENEW_S", 0.0)
    plant_only(docs, plant, OLD)
    store = in_milvus()
    with store.writer() as slow:
        update(docs, store)
        wanted = seen(store)
        with pytest.raises(Busy, match="another process has taken over this index"):
            update_index(docs, writer=slow, encoder=FakeEncoder(), settings=SETTINGS)
    assert seen(store) == wanted


def test_of_several_who_want_the_lease_at_once_one_gets_it(
    place: str, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rerank_cli.store.milvus import schema
    from rerank_cli.store.milvus.address import parse_address
    from rerank_cli.store.milvus.engine import Engine
    from rerank_cli.store.milvus.lease import Lease
    from rerank_cli.store.milvus.schema import Names

    without = partial(schema._indexes, scalars=())  # which servers before 2.4 do not know
    monkeypatch.setattr(schema, "_indexes", lambda engine, *, graph, scalars=(): without(engine, graph=graph))
    address = parse_address(f"{place}/{collection}", collection="")

    def take(_: int) -> int | None:
        with Engine(address) as engine:
            try:
                return Lease(engine, Names(collection), wait_s=0).number
            except Busy:
                return None

    with Engine(address) as engine:
        schema.make_records(engine, collection)
        with ThreadPoolExecutor(6) as threads:
            got = list(threads.map(take, range(6)))
        assert sorted(number for number in got if number) == [1]
        engine.drop(collection)
        engine.drop(f"{collection}__claim_1")


def test_a_vector_of_another_index_of_the_database_is_taken_over(
    docs: Path, plant: Plant, in_milvus: NewStore, tmp_path: Path
) -> None:
    plant(OLD)
    update(docs, in_milvus())
    other = tmp_path / "other"
    other.mkdir()
    (other / "copy.txt").write_text("the old spoke\n")
    update(other, in_milvus(), FakeEncoder(fails_after=0))
    encoder = FakeEncoder(fingerprint="another")
    update(other, in_milvus(), encoder)
    assert encoder.encoded == ["the old spoke"]


def test_another_encoder_of_other_dimensions_is_taken_with_a_rebuild_alone(
    docs: Path, plant: Plant, in_milvus: NewStore
) -> None:
    plant(OLD)
    store = in_milvus()
    update(docs, store)
    wide = FakeEncoder(fingerprint="wide", dimensions=96)
    with pytest.raises(IndexMismatch, match="made with the encoder fake"):
        update(docs, store, wide)
    with store.reader() as reading:
        wanted = all_of(reading)
        update(docs, store, wide, rebuild=True)
        assert all_of(reading) == wanted
    with store.reader() as index:
        assert index.manifest.recipe.dimensions == 96
        assert len(index.search_dense(wide.encode_queries(["old brake"])[0], 10)) == index.counts().passages
    update(docs, store, rebuild=True)
    assert seen(store) == wanted


def test_a_reader_whose_generation_is_gone_says_so(
    docs: Path, plant: Plant, in_milvus: NewStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rerank_cli.store.milvus.reader.PATIENCE_S", 0.0)  # so long a server keeps it
    monkeypatch.setattr("rerank_cli.store.milvus.writer.KEEP_S", 0.0)
    plant_only(docs, plant, OLD)
    store = in_milvus()
    update(docs, store)
    with store.reader() as index:
        for text in ("one", "two", "three"):
            plant({"a.md": f"the {text} brake\n"})
            update(docs, store)
        with pytest.raises(Busy, match="this generation is gone"):
            passages_found(index, "brake")
        index.rest()
        index.wake()
        assert passages_found(index, "brake")


# Over the network


@pytest.fixture(params=["embedded", "server"])
def place(request: pytest.FixtureRequest, database: Path) -> str:
    """The address of the embedded database, or of a server of Milvus' own, if there is one to test with."""
    if request.param == "embedded":
        return f"milvus+file:{database}"
    if not (server := os.environ.get("RERANK_TEST_MILVUS", "")):
        pytest.skip("RERANK_TEST_MILVUS names no server, as in milvus+http://127.0.0.1:19530")
    return server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address of a server of its own process, which speaks as Milvus does."""
    with serving(tmp_path / "server.db") as served:
        yield served


def lose_a_passage(index: Any) -> None:
    """As if a part of the cluster were gone, and the rest answered all the same."""
    gone = next(iter(index.scan())).id
    index._engine.delete(index._passages, f'id in ["{gone}"]')


def test_a_server_is_asked_as_the_embedded_form_is_and_missed_when_it_is_gone(
    docs: Path, plant: Plant, in_milvus: NewStore, tmp_path: Path, server: tuple[str, subprocess.Popen[bytes]]
) -> None:
    place, process = server
    plant_only(docs, plant, OLD)
    embedded = in_milvus()
    store = OnDisk(tmp_path / "over-grpc", place)
    for files in (OLD, NEW):
        plant_only(docs, plant, files)
        update(docs, embedded)
        update(docs, store)
        assert seen(store) == seen(embedded)
    with store.reader() as index:
        assert index.name == f"{place}/i_over_grpc"
        assert index.manifest.search == "HNSW graph in Milvus"
        lose_a_passage(index)
        with pytest.raises(IndexDamaged, match="only 3 of 4 passages can be reached"), store.reader():
            pass
        process.kill()
        process.wait()
        with pytest.raises(RerankError, match=re.escape(place)) as raised:
            passages_found(index, "brake")
        assert "\n" not in str(raised.value)
    with pytest.raises(InputError, match="cannot be reached") as refused, store.reader():
        pass
    assert (refused.value.exit_code, refused.value.remedy) == (4, "check the address, and that Milvus runs")


# What cannot be used


def test_a_database_or_collection_that_is_not_there_is_told_with_the_command_that_makes_it(
    tmp_path: Path, docs: Path, plant: Plant, in_milvus: NewStore
) -> None:
    from rerank_cli.store.elsewhere import Elsewhere, remember_elsewhere

    remember_elsewhere(tmp_path / "gone", Elsewhere(f"milvus+file:{tmp_path}/gone.db/notes", "/docs"))
    with pytest.raises(IndexMissing, match="there is no such database") as raised, OnDisk(tmp_path / "gone").reader():
        pass
    assert raised.value.remedy == f"make one: rerank-cli index FOLDER --store milvus+file:{tmp_path}/gone.db/notes"
    plant(OLD)
    store = in_milvus()
    update(docs, store)
    address = store.address.rpartition("/")[0] + "/nobody"
    remember_elsewhere(tmp_path / "none", Elsewhere(address, "/docs"))
    with pytest.raises(IndexMissing, match="nobody: no index here"), OnDisk(tmp_path / "none").reader():
        pass


def test_a_collection_of_somebody_else_is_left_alone(tmp_path: Path, database: Path, collection: str) -> None:
    from pymilvus import MilvusClient

    MilvusClient(str(database)).create_collection(collection, dimension=8)
    store = OnDisk(tmp_path / "index", f"milvus+file:{database}/{collection}")
    with pytest.raises(IndexMismatch, match="holds something else than an index"), store.writer():
        pass
    assert not store.folder.exists(), "nothing is remembered of it"


def test_a_token_that_is_refused_is_never_printed(monkeypatch: pytest.MonkeyPatch, database: Path) -> None:
    from pymilvus import MilvusException

    from rerank_cli.store.milvus.address import Address
    from rerank_cli.store.milvus.engine import Engine

    monkeypatch.setenv("RERANK_CLI_STORE_TOKEN", "root:secret")
    with Engine(Address(str(database), "any", embedded=True)) as engine:

        def refuse(*_: object, **__: object) -> None:
            raise MilvusException(code=65535, message="auth check failure, please check username and password")

        monkeypatch.setattr(engine._client, "list_collections", refuse)
        with pytest.raises(InputError, match="refuses the token") as raised:
            engine.collections()
    assert raised.value.remedy == "check it in RERANK_CLI_STORE_TOKEN"
    assert "secret" not in f"{raised.value}{raised.value.remedy}"


def test_a_token_does_not_go_over_a_network_without_encryption(monkeypatch: pytest.MonkeyPatch) -> None:
    from rerank_cli.store.milvus.address import parse_address
    from rerank_cli.store.milvus.engine import Engine

    monkeypatch.setenv("RERANK_CLI_STORE_TOKEN", "root:secret")
    monkeypatch.setattr(Engine, "_check_reachable", lambda _: None)
    with pytest.raises(InputError, match="host:19530/notes: a token is not sent without encryption"):
        Engine(parse_address("milvus+http://host/notes", collection=""))


def test_a_request_that_could_not_be_taken_is_made_again(monkeypatch: pytest.MonkeyPatch, database: Path) -> None:
    from pymilvus import MilvusException

    from rerank_cli.store.milvus.address import Address
    from rerank_cli.store.milvus.engine import Engine

    monkeypatch.setattr("rerank_cli.store.milvus.engine.FIRST_PAUSE_S", 0.0)
    with Engine(Address(str(database), "any", embedded=True)) as engine:
        asked = []

        def busy(*_: object, **options: object) -> list[str]:
            asked.append(options["timeout"])
            if len(asked) < 3:
                raise MilvusException(code=8, message="rate limit exceeded")
            return ["one"]

        monkeypatch.setattr(engine._client, "list_collections", busy)
        assert engine.collections() == ["one"]
    assert asked == [600.0] * 3, "each with a time limit"


def test_a_server_that_speaks_no_tls_is_told_in_one_line(
    tmp_path: Path, server: tuple[str, subprocess.Popen[bytes]], capfd: pytest.CaptureFixture[str]
) -> None:
    address = f"{server[0].replace('+http:', '+https:')}/any"
    with pytest.raises(InputError, match=r"no encrypted connection \(WRONG_VERSION_NUMBER") as raised:
        open_writer(tmp_path / "index", wait_s=0, store=address).__enter__()
    assert "check its certificate" in str(raised.value.remedy)
    assert capfd.readouterr().err == ""


def test_a_connection_that_a_server_is_closing_is_made_again(monkeypatch: pytest.MonkeyPatch, database: Path) -> None:
    import grpc
    import pymilvus

    from rerank_cli.store.milvus.address import Address
    from rerank_cli.store.milvus.engine import Engine

    class HungUp(grpc.RpcError):
        def code(self) -> grpc.StatusCode:
            return grpc.StatusCode.UNAVAILABLE

    left = [HungUp(), HungUp()]
    connect = pymilvus.MilvusClient

    def hung_up_on(*arguments: Any, **options: Any) -> Any:
        if left:
            raise pymilvus.MilvusException(code=2, message="Fail connecting to server") from left.pop()
        return connect(*arguments, **options)

    monkeypatch.setattr("rerank_cli.store.milvus.engine.FIRST_PAUSE_S", 0.0)
    monkeypatch.setattr(pymilvus, "MilvusClient", hung_up_on)
    with Engine(Address(str(database), "any", embedded=True)) as engine:
        assert engine.version
    assert not left


# How it is asked


def test_a_generation_that_all_have_seen_is_read_without_waiting_for_the_newest_writes(
    docs: Path, plant: Plant, in_milvus: NewStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(OLD)
    store = in_milvus()
    update(docs, store)
    levels = []
    with store.reader() as index:
        search = index._engine.search
        monkeypatch.setattr(
            index._engine, "search", lambda *a, **how: levels.append(how["consistency_level"]) or search(*a, **how)
        )
        passages_found(index, "brake")
        later = SimpleNamespace(time=lambda: time.time() + 100, monotonic=time.monotonic)
        monkeypatch.setattr("rerank_cli.store.milvus.reader.time", later)
        passages_found(index, "brake")
    assert levels == ["Strong", "Bounded"]


def test_many_files_that_a_pattern_takes_are_named_some_at_a_time(
    docs: Path, plant: Plant, in_milvus: NewStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant({f"notes/{number}/a{number}.md": f"the brake of {number}\n" for number in range(9)})
    store = in_milvus()
    update(docs, store)
    with store.reader() as index:
        within = Filter(paths=("n*/[0-5]/",))
        wanted = passages_found(index, "brake of", within=within), words_found(index, ["brake"], within=within)
        assert len(wanted[0]) == len(wanted[1]) == 6
    monkeypatch.setattr("rerank_cli.store.milvus.expressions.PATHS_AT_ONCE", 2)
    with store.reader() as index:
        found = passages_found(index, "brake of", within=within), words_found(index, ["brake"], within=within)
        assert found == wanted
        assert passages_found(index, "brake of", within=within, depth=3) == wanted[0][:3]
        assert len(index._expressions(within)) == 3
        assert len(index._expressions(within._replace(paths=("n*/[0-6]/",)))) == 1, "two are left out"


def test_how_common_words_are_is_told_by_some_passages_of_a_large_index(
    docs: Path, plant: Plant, in_milvus: NewStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rerank_cli.store.milvus.writer.SAMPLE", 30)
    said = (f"{'brake' if n % 2 else 'chain'} {WORDS[n % 7]} {n // 7 * 'again '}of all\n" for n in range(60))
    plant({f"{number}.md": text for number, text in enumerate(said)})
    store = in_milvus()
    update(docs, store)
    with store.reader() as index:
        common = index._generation.common
        assert common["all"] == 1.0 and 0.2 < common["brake"] < 0.9
        assert round(1 / min(common.values())) <= 45, "not all passages tell it"
    plant({"1.md": "a wheel\n"})
    update(docs, store)
    with store.reader() as index:
        assert index._generation.common == common, "little changed"
