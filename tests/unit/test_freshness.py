from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from rerank_cli.freshness import stale_files
from rerank_cli.regular import open_regular
from rerank_cli.store import open_reader
from tests.conftest import Plant, Update


def test_a_folder_that_may_not_be_looked_at_makes_no_hit_stale(
    plant: Plant, update: Update, docs: Path, index_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant({"a.md": "brake\n"})
    update()
    with open_reader(index_folder) as index:
        states = index.file_states(["a.md"])
    assert stale_files(docs, states) == {}

    def refuse(self: Path, **_: object) -> os.stat_result:
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), str(self))

    monkeypatch.setattr(Path, "stat", refuse)
    assert stale_files(docs, states) == {}


def test_a_pipe_in_the_place_of_a_file_lets_nobody_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        open_regular(tmp_path / "pipe")
