from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rerank_cli.store.layout import Layout, indexes_folder
from rerank_cli.store.remedies import index_command


def test_a_file_that_goes_while_sizes_are_added_up_counts_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "catalog.sqlite").write_bytes(bytes(100))
    listed: Callable[[Path], Iterator[Path]] = Path.iterdir
    monkeypatch.setattr(Path, "iterdir", lambda folder: iter([*listed(folder), folder / "catalog.sqlite-wal"]))
    assert Layout(tmp_path).size_bytes() == 100


def test_an_index_that_goes_meanwhile_has_no_files(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "gone")
    assert (layout.size_bytes(), layout.index_files(), layout.vectors()) == (0, [], [])


def test_the_command_that_mends_an_index_names_it_as_short_as_it_can(tmp_path: Path) -> None:
    ours = indexes_folder() / "my notes"
    assert index_command(ours) == "rerank-cli index FOLDER --index 'my notes'"
    assert index_command(tmp_path / "notes") == f"rerank-cli index FOLDER --index {tmp_path}/notes"
    assert index_command(indexes_folder() / "-x").endswith(f"--index {indexes_folder()}/-x")
