"""The score cache keeps what it is given, beside other processes, and says how to go on where it cannot."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from threading import Timer

import pytest

from rerank_cli.errors import InputError
from rerank_cli.ports import KeptScore
from rerank_cli.store.scores import ScoreStore, scores_path

WRITER = """
import sys
from pathlib import Path
from rerank_cli.ports import KeptScore
from rerank_cli.store.scores import ScoreStore
with ScoreStore(Path(sys.argv[1])) as store:
    for number in range(200):
        store.keep([(bytes([int(sys.argv[2]), number]) * 8, KeptScore(float(number), 0.0))])
"""


def test_two_processes_may_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "scores.sqlite"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(number)]) for number in (1, 2)]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    keys = [bytes([writer, number]) * 8 for writer in (1, 2) for number in range(200)]
    with ScoreStore(path) as store:
        found = store.read([*keys, b"unknown"])
    assert found == {key: KeptScore(float(key[1]), 0.0) for key in keys}


def test_a_new_cache_waits_for_another_process_that_makes_it(tmp_path: Path) -> None:
    path = tmp_path / "scores.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        end = Timer(0.3, other.execute, ["COMMIT"])
        end.start()
        with ScoreStore(path) as store:
            store.keep([(b"pair" * 4, KeptScore(1.0, 0.0))])
        end.join()


def test_a_cache_that_is_no_database_says_how_to_go_on(tmp_path: Path) -> None:
    path = tmp_path / "scores.sqlite"
    path.write_bytes(b"no database at all, but long enough to be looked at" * 40)
    with pytest.raises(InputError, match="scores cannot be kept") as caught:
        ScoreStore(path)
    assert "--no-cache" in caught.value.remedy


def test_a_cache_folder_that_cannot_be_made_says_how_to_go_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="scores cannot be kept"):
        ScoreStore(tmp_path / "file" / "scores.sqlite")


def test_scores_lie_in_the_users_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert scores_path() == tmp_path / "rerank-cli" / "scores.sqlite"
