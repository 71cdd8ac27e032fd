from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rerank_cli.store.layout import Layout


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
