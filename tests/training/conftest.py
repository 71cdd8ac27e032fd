from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import cli  # noqa: F401 - a fixture
from tests.tiny_pairs import rows


@pytest.fixture
def pairs(tmp_path: Path, tiny_encoder: Path, model_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of pairs, with the tiny encoder as the first stage."""
    monkeypatch.setenv("RERANK_CLI_ENCODER", str(tiny_encoder))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows()), encoding="utf-8")
    return tmp_path / "pairs.jsonl"
