"""A training on a disk that runs full: one line, and nothing half done in the model's place."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, assert_one_line
from tests.tiny_pairs import FAST

pytest.importorskip("datasets", reason="training needs the extra `train`")


@pytest.mark.parametrize("limit_bytes", [5_000, 75_000])
def test_a_training_that_cannot_write_its_checkpoints_says_so_in_one_line(
    cli: Cli, pairs: Path, tiny_encoder: Path, tiny_reranker: Path, limit_bytes: int
) -> None:
    folder = pairs.parent
    assert cli("models", "prepare", f"encoder:{tiny_encoder}", "--quiet").code == 0
    options = ["--pairs", "pairs.jsonl", "--base", str(tiny_reranker), "--out", "fitted", *FAST]
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limits[1]))
    try:
        done = cli("train", *options)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert done.code == 4, done.err
    assert_one_line(done, "fitted.checkpoints: cannot be written", "--resume")
    assert {path.name for path in folder.iterdir()} == {"pairs.jsonl", "fitted.checkpoints"}
    resumed = cli("train", *options, "--resume")
    assert resumed.code == 0, resumed.err
