from __future__ import annotations

from pathlib import Path

import pytest

from rerank_cli.store import open_writer
from tests.unit.store.texts import commit


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a small index lies: its first generation."""
    folder = tmp_path / "index"
    with open_writer(folder, wait_s=0) as writer:
        commit(writer, {"a.md": ["apples", "pears"], "b.md": ["plums"]})
    return folder
