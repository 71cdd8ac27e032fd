"""A training on a disk that runs full: one line, and nothing half done in the model's place."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.tiny_pairs import FAST

pytest.importorskip("datasets", reason="training needs the extra `train`")


@pytest.mark.parametrize("limit_bytes", [5_000, 20_000, 75_000])
def test_a_training_that_cannot_write_its_checkpoints_says_so_in_one_line(
    cli: Cli, pairs: Path, tiny_encoder: Path, tiny_reranker: Path, limit_bytes: int
) -> None:
    folder = pairs.parent
    assert cli("models", "prepare", f"encoder:{tiny_encoder}", "--quiet").code == 0
    options = ["--pairs", "pairs.jsonl", "--base", str(tiny_reranker), "--out", "fitted", *FAST]
    limited = (
        f"import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit_bytes}, {limit_bytes}))\n"
        f"sys.argv = ['rerank-cli', 'train', *{options!r}]\n"
        "from rerank_cli.cli.app import main\nmain()"
    )
    command = [sys.executable, "-c", limited]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 4, done.stderr
    assert done.stderr.count("\n") == 1
    assert "fitted.checkpoints: cannot be written" in done.stderr and "--resume" in done.stderr
    assert {path.name for path in folder.iterdir()} == {"pairs.jsonl", "fitted.checkpoints"}
    resumed = cli("train", *options, "--resume")
    assert resumed.code == 0, resumed.err
