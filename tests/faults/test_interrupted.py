from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rerank_cli.encoding import ENCODE_BATCH
from rerank_cli.errors import Busy, IndexMissing
from rerank_cli.store import open_reader, open_writer
from tests.clocks import IdleClock
from tests.conftest import Plant, Update
from tests.fakes import FakeEncoder

COUNT = 3 * ENCODE_BATCH + 10


def records(word: str) -> dict[str, str]:
    return {"many.jsonl": "".join(json.dumps({"id": n, "text": f"{word} number {n}"}) + "\n" for n in range(COUNT))}


def _kill_when_stopped(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "stopped\n"
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.fixture
def kill_when_stopped(survived) -> Callable[[subprocess.Popen[str]], None]:
    def kill(process: subprocess.Popen[str]) -> None:
        _kill_when_stopped(process)
        survived("kills", 1)

    return kill


def outcome(process: subprocess.Popen[str]) -> dict[str, object]:
    stdout, _ = process.communicate(timeout=60)
    return json.loads(stdout)


def test_a_run_killed_while_encoding_goes_on_where_it_was(
    plant: Plant, update: Update, start_indexer, kill_when_stopped, index_folder: Path
) -> None:
    plant(records("old"))
    kill_when_stopped(start_indexer("--stop-at", "encode", str(2 * ENCODE_BATCH)))
    with pytest.raises(IndexMissing, match="not finished"):
        open_reader(index_folder)
    assert update().encoded == COUNT - 2 * ENCODE_BATCH


def test_an_update_killed_while_encoding_leaves_the_old_index_answering(
    plant: Plant, update: Update, start_indexer, kill_when_stopped, find, docs: Path
) -> None:
    plant({"a.md": "brake\n", "b.md": "chain\n"})
    update()
    plant(records("new"))
    (docs / "b.md").unlink()
    kill_when_stopped(start_indexer("--stop-at", "encode", str(ENCODE_BATCH)))
    assert find("chain") == ["b.md", "a.md"]
    assert update().encoded == COUNT - ENCODE_BATCH
    assert "b.md" not in find("chain")


def test_a_run_killed_between_its_vectors_and_its_commit_leaves_the_old_index_answering(
    plant: Plant, update: Update, start_indexer, kill_when_stopped, find, index_folder: Path
) -> None:
    plant({"a.md": "brake\n", "b.md": "chain\n"})
    update()
    plant({"b.md": "something else\n", "c.md": "chain chain\n"})
    kill_when_stopped(start_indexer("--stop-before-commit"))
    assert (index_folder / "staging").stat().st_size
    assert find("chain") == ["b.md", "a.md"]
    summary = update()
    assert (summary.generation, summary.encoded) == (2, 0)
    assert find("chain")[0] == "c.md"
    assert not (index_folder / "staging").exists()


def test_an_interrupted_run_keeps_what_it_encoded(plant: Plant, update: Update, encoder: FakeEncoder) -> None:
    plant(records("new"))

    def interrupt(progress: object) -> None:
        if len(encoder.encoded) >= 2 * ENCODE_BATCH:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        update(listener=interrupt)
    assert update().encoded == COUNT - 2 * ENCODE_BATCH


def test_a_failing_encoder_leaves_the_old_index_answering(
    plant: Plant, update: Update, find, index_folder: Path
) -> None:
    plant({"a.md": "brake\n", "b.md": "chain\n"})
    update()
    plant({"b.md": "something else\n", **records("new")})
    with pytest.raises(RuntimeError, match="broke down"):
        update(encoder=FakeEncoder(fails_after=ENCODE_BATCH))
    assert find("chain") == ["b.md", "a.md"]
    assert update().encoded == COUNT + 1 - ENCODE_BATCH


def test_two_runs_at_once_both_end_well(plant: Plant, update: Update, start_indexer, find) -> None:
    plant(records("new"))
    both = [start_indexer("--wait-s", "60", "--delay-s", "0.1") for _ in range(2)]
    ends = sorted((outcome(process) for process in both), key=lambda end: -int(str(end["encoded"])))
    assert ends == [{"generation": 1, "encoded": COUNT}, {"generation": 1, "encoded": 0}]
    assert len(find("new")) == COUNT


def test_a_run_beside_another_that_does_not_end_is_told_so(
    plant: Plant, update: Update, start_indexer, index_folder: Path, find, idle_clock: IdleClock
) -> None:
    plant({"a.md": "brake\n"})
    update()
    plant(records("new"))
    process = start_indexer("--stop-at", "encode", "0")
    assert process.stdout is not None
    assert process.stdout.readline() == "stopped\n"
    assert find("brake") == ["a.md"]  # readers do not wait
    with pytest.raises(Busy) as caught:
        update(wait_s=5)
    assert "--wait-s" in caught.value.remedy
    process.kill()
    process.wait()
    with open_writer(index_folder, wait_s=0):  # the lock went with its holder
        pass


def test_what_a_run_killed_while_it_wrote_left_half_is_read_again(
    plant: Plant, update: Update, index_folder: Path, find
) -> None:
    """Whatever is found before it, which lets the next run look ahead at that half."""
    plant({"a.md": "brake\n", "b.md": "chain\n"})
    update()
    plant({"a.md": "saddle\n", **records("new")})
    with pytest.raises(RuntimeError, match="broke down"):
        update(encoder=FakeEncoder(fails_after=0))
    staging = index_folder / "staging"
    staging.write_bytes(staging.read_bytes()[:1000])
    plant(records("newer"))
    assert update().changed == 1
    assert find("saddle")[0] == "a.md"
    assert len(find("newer")) == COUNT + 2
