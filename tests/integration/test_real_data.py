"""Targets on collections and manuals that lie outside the repository, in the folder that RERANK_TEST_DATA names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
DATA = os.environ.get("RERANK_TEST_DATA", "")

pytestmark = pytest.mark.skipif(not DATA, reason="RERANK_TEST_DATA names no folder with collections and manuals")


def benchmark(script: str, *arguments: str) -> list[str]:
    command = [sys.executable, str(BENCHMARKS / script), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def test_the_hybrid_first_stage_reaches_070_ndcg_on_scifact() -> None:
    rows = [json.loads(line) for line in benchmark("collection.py", f"{DATA}/collections/scifact")]
    figures = {row["ranking"]: row["nDCG@10"] for row in rows}
    assert figures["hybrid"] >= 0.70
    assert figures["hybrid"] > max(figures["lexical"], figures["dense"])


def test_a_dozen_questions_over_two_manuals_are_answered_at_rank_1_to_3() -> None:
    *rows, _ = benchmark("manuals.py", f"{DATA}/docs")
    ranks = [row.split("\t")[0] for row in rows]
    assert sum(rank in ("1", "2", "3") for rank in ranks) >= 12
