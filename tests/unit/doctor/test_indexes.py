from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rerank_cli.doctor import indexes as doctor_indexes
from rerank_cli.doctor.findings import Finding
from rerank_cli.doctor.indexes import clock, health, locks
from rerank_cli.models.catalogue import ModelSource
from rerank_cli.models.compiled import ModelState
from rerank_cli.store.location import default_folder
from rerank_cli.store.reader import IndexReader
from tests.conftest import Plant, Update
from tests.fakes import FakeEncoder


def state_of(name: str = "fake", fingerprint: str = "fake-encoder") -> ModelState:
    source = ModelSource(name, "encoder", Path("/models/fake"), "folder", fingerprint)
    return ModelState(name, "encoder", source, None, None, "")


def look(*folders: Path, asked: bool = False, encoder: ModelState | None = None) -> list[Finding]:
    configured = encoder or state_of()
    return list(health(folders, asked=asked, encoder_in=lambda folder: configured))


@pytest.fixture
def index(plant: Plant, update: Update, index_folder: Path) -> Path:
    plant({"a.md": "brake\n", "b.md": "chain\n"})
    update()
    return index_folder


def test_a_sound_index_is_told_with_what_it_holds_and_how_old_it_is(index: Path, docs: Path) -> None:
    (finding,) = look(index)
    assert (finding.status, finding.subject) == ("ok", str(index))
    assert finding.message == f"2 passages of {docs}, updated just now"


def test_files_that_could_not_be_read_and_leftovers_are_told(plant: Plant, update: Update, index_folder: Path) -> None:
    plant({"a.md": "brake\n", "bad.jsonl": "no json\n"})
    update()
    (index_folder / "graph-9.hnsw.partial").write_bytes(b"")
    (finding,) = look(index_folder)
    assert "1 file could not be read" in finding.message
    assert "what a killed run left goes with the next index" in finding.message


def test_no_index_at_all_is_a_warning() -> None:
    (finding,) = look()
    assert (finding.status, finding.remedy) == ("warn", "make an index: rerank-cli index FOLDER")


def cut_catalog(index: Path) -> None:
    os.truncate(index / "catalog.sqlite", 5000)


def garble_catalog(index: Path) -> None:
    (index / "catalog.sqlite").write_bytes(b"no database" * 1000)


def empty_catalog(index: Path) -> None:
    (index / "catalog.sqlite").write_bytes(b"")


def garble_a_page(index: Path) -> None:
    content = (index / "catalog.sqlite").read_bytes()
    (index / "catalog.sqlite").write_bytes(content[: 4096 * 6] + b"\xff" * 4096 * 3 + content[4096 * 9 :])


def garble_a_text(index: Path) -> None:
    content = (index / "catalog.sqlite").read_bytes()
    assert b"chain" in content
    (index / "catalog.sqlite").write_bytes(content.replace(b"chain", b"ch\xffin"))


def vectors_of(index: Path) -> Path:
    return next(index.glob("*.vectors"))


def garble_the_keys(index: Path) -> None:
    keys = vectors_of(index).with_suffix(".keys")
    keys.write_bytes(bytes(len(keys.read_bytes())))


def garble_the_seal(index: Path) -> None:
    (index / "catalog.seal").write_bytes(b"no seal")


def garble_the_head_of_the_vectors(index: Path) -> None:
    with vectors_of(index).open("r+b") as file:
        file.write(b"\xff\xff")


def cut_vectors(index: Path) -> None:
    os.truncate(vectors_of(index), 10)


def lose_vectors(index: Path) -> None:
    vectors_of(index).unlink()


def lose_catalog(index: Path) -> None:
    (index / "catalog.sqlite").unlink()


def lose_everything(index: Path) -> None:
    shutil.rmtree(index)


@pytest.mark.parametrize(
    "damage",
    [
        cut_catalog,
        garble_catalog,
        empty_catalog,
        garble_a_page,
        garble_a_text,
        garble_the_head_of_the_vectors,
        cut_vectors,
        lose_vectors,
        garble_the_keys,
        garble_the_seal,
        lose_catalog,
        lose_everything,
    ],
)
def test_a_damaged_index_fails_with_3_and_the_command_that_mends_it(index: Path, damage) -> None:
    damage(index)
    (finding,) = look(index)
    assert (finding.status, finding.exit_code) == ("FAIL", 3), finding
    assert "rerank-cli index" in finding.remedy


def test_a_folder_in_the_place_of_the_catalog_fails_with_a_remedy(index: Path) -> None:
    lose_catalog(index)
    (index / "catalog.sqlite").mkdir()
    (finding,) = look(index)
    assert finding.status == "FAIL" and finding.exit_code in (3, 4) and finding.remedy


def test_one_bad_index_does_not_keep_the_others_from_being_looked_at(
    index: Path, update: Update, tmp_path: Path
) -> None:
    update(index_folder=tmp_path / "other")
    garble_catalog(index)
    assert [finding.status for finding in look(index, tmp_path / "other")] == ["FAIL", "ok"]


def test_an_index_asked_for_that_another_encoder_made_fails(index: Path) -> None:
    _, finding = look(index, asked=True, encoder=state_of("other", "other-encoder"))
    assert (finding.status, finding.exit_code) == ("FAIL", 3)
    assert finding.message == "made with the encoder fake, while other is configured"
    assert "--encoder" in finding.remedy and "--rebuild" in finding.remedy


def test_the_index_that_is_its_folders_own_must_be_of_the_configured_encoder(
    plant: Plant, update: Update, docs: Path
) -> None:
    plant({"a.md": "brake\n"})
    update(index_folder=default_folder(docs))
    _, finding = look(default_folder(docs), encoder=state_of("fake", "newer"))
    assert (finding.status, finding.exit_code) == ("FAIL", 3)
    assert finding.message == "made with other weights of fake, while fake is configured"
    assert finding.remedy == f"encode it anew: rerank-cli index --rebuild {docs}"


def test_one_beside_it_may_be_of_another_encoder(index: Path) -> None:
    _, finding = look(index, encoder=state_of("other", "other-encoder"))
    assert (finding.status, finding.exit_code) == ("warn", 0)


def test_where_the_encoder_is_not_here_the_index_is_not_compared(index: Path) -> None:
    missing = ModelState("gone", "encoder", None, None, None, "")
    assert [finding.status for finding in look(index, asked=True, encoder=missing)] == ["ok"]


def test_documents_that_are_not_there_are_a_warning(index: Path, docs: Path) -> None:
    docs.rename(docs.parent / "elsewhere")
    _, finding = look(index)
    assert (finding.status, finding.message) == ("warn", f"its documents are not there: {docs}")
    assert "mount its disk" in finding.remedy


def refuse(monkeypatch: pytest.MonkeyPatch, refused: Path, code: int) -> None:
    """As a disk that is stale, or a folder on the way that may not be entered."""
    stat = os.stat

    def look_at(path: object, *arguments: object, **options: object) -> os.stat_result:
        if isinstance(path, str | os.PathLike) and Path(path).is_relative_to(refused):
            raise OSError(code, os.strerror(code), os.fspath(path))
        return stat(path, *arguments, **options)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(os, "stat", look_at)


@pytest.mark.parametrize("code", [errno.EACCES, errno.ESTALE, errno.EIO])
def test_documents_that_cannot_be_looked_at_are_a_warning(
    index: Path, docs: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    refuse(monkeypatch, docs, code)
    sound, finding = look(index)
    assert (sound.status, finding.status, finding.exit_code) == ("ok", "warn", 0)
    assert finding.message == f"its documents cannot be looked at ({os.strerror(code)}): {docs}"
    assert finding.remedy
    (finding,) = clock([index], now_s=time.time())
    assert finding.status == "ok"


# The lock


@pytest.fixture
def writer(docs: Path, plant: Plant, index_folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the index for writing until it is killed."""
    program = (
        "import sys, time\nfrom pathlib import Path\nfrom rerank_cli.store import open_writer\n"
        "with open_writer(Path(sys.argv[1]), wait_s=0):\n    print('held', flush=True)\n    time.sleep(600)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program, index_folder], stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_nobody_writing_is_told(index: Path) -> None:
    assert list(locks([index])) == [Finding("lock", "", "ok", "nobody is writing")]


def test_the_process_that_writes_is_named(index_folder: Path, writer: subprocess.Popen[str]) -> None:
    (finding,) = locks([index_folder])
    assert (finding.status, finding.subject) == ("ok", str(index_folder))
    assert finding.message == f"process {writer.pid} is writing"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="without /proc nobody can tell")
def test_a_stopped_process_that_holds_the_lock_is_a_warning(index_folder: Path, writer: subprocess.Popen[str]) -> None:
    writer.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, writer.pid, os.WSTOPPED)
    (finding,) = locks([index_folder])
    assert finding.status == "warn"
    assert f"kill -CONT {writer.pid}" in finding.remedy


def test_a_first_run_that_is_at_work_is_no_failure(index_folder: Path, writer: subprocess.Popen[str]) -> None:
    (finding,) = look(index_folder)
    assert (finding.status, finding.message) == ("warn", "is being made now")


def test_a_lock_that_cannot_be_opened_hides_no_other(
    index: Path, update: Update, tmp_path: Path, writer: subprocess.Popen[str]
) -> None:
    update(index_folder=tmp_path / "bad")
    (tmp_path / "bad" / "write.lock").unlink()
    (tmp_path / "bad" / "write.lock").mkdir()
    bad, held = locks([tmp_path / "bad", index])
    assert (bad.status, bad.subject) == ("FAIL", str(tmp_path / "bad"))
    assert held.message == f"process {writer.pid} is writing"


# The clock


def test_a_sane_clock_is_told(index: Path) -> None:
    (finding,) = clock([index], now_s=time.time())
    assert finding.status == "ok"


def test_a_clock_that_is_before_the_update_of_an_index_is_a_warning(index: Path) -> None:
    (finding,) = clock([index], now_s=time.time() - 86_400)
    assert (finding.status, finding.remedy) == ("warn", "set the clock")
    assert "this machine's time is before its update" in finding.message


def test_files_of_the_future_are_a_warning_until_they_are_touched(
    index: Path, docs: Path, plant: Plant, update: Update
) -> None:
    plant({"c.md": "wheel\n", "d.md": "gear\n"})
    for name in ("c.md", "d.md"):
        os.utime(docs / name, (time.time() + 86_400,) * 2)
    update()
    (finding,) = clock([index], now_s=time.time())
    assert finding.status == "warn"
    assert finding.message.startswith("c.md and 1 more: changed in the future")
    for name in ("c.md", "d.md"):
        os.utime(docs / name)
    (finding,) = clock([index], now_s=time.time())
    assert finding.status == "ok"


def test_a_file_of_the_future_that_is_a_root_of_its_own_is_found(
    docs: Path, plant: Plant, update: Update, index_folder: Path
) -> None:
    plant({"c.md": "wheel\n"})
    os.utime(docs / "c.md", (time.time() + 86_400,) * 2)
    update(docs / "c.md")
    (finding,) = clock([index_folder], now_s=time.time())
    assert finding.status == "warn"


def test_an_index_whose_time_cannot_be_looked_at_hides_no_other(
    index: Path, update: Update, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    update(index_folder=tmp_path / "bad")
    opened = doctor_indexes.open_reader

    def refuse_one(folder: Path) -> IndexReader:
        if folder == tmp_path / "bad":
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(folder))
        return opened(folder)

    monkeypatch.setattr(doctor_indexes, "open_reader", refuse_one)
    bad, behind = clock([tmp_path / "bad", index], now_s=time.time() - 86_400)
    assert (bad.status, bad.subject) == ("FAIL", str(tmp_path / "bad"))
    assert (behind.status, behind.remedy) == ("warn", "set the clock")


def test_a_damaged_index_says_nothing_of_the_clock(index: Path, encoder: FakeEncoder) -> None:
    garble_catalog(index)
    (finding,) = clock([index], now_s=time.time())
    assert finding.status == "ok"
