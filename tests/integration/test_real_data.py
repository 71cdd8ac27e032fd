"""Targets on collections and manuals that lie outside the repository, in the folder that RERANK_TEST_DATA names.

Every run of the suite reads a part of each; the long form, with RERANK_FAULTS=long, all.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.conftest import LONG

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
DATA = os.environ.get("RERANK_TEST_DATA", "")

pytestmark = pytest.mark.skipif(not DATA, reason="RERANK_TEST_DATA names no folder with collections and manuals")


def benchmark(script: str, *arguments: str | Path) -> list[str]:
    command = [sys.executable, str(BENCHMARKS / script), *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def judged_part(collection: Path, folder: Path, *, every: int) -> Path:
    """A collection in *folder* of a third of the queries and what is judged for them; of the others one of so many."""
    folder.mkdir()
    lines = {
        name: (collection / name).read_text(encoding="utf-8").splitlines(keepends=True)
        for name in ("queries.jsonl", "qrels.tsv", "corpus.jsonl")
    }
    queries = lines["queries.jsonl"][::3]
    asked = {json.loads(line)["_id"] for line in queries}
    qrels = [line for n, line in enumerate(lines["qrels.tsv"]) if n == 0 or line.split("\t")[0] in asked]
    judged = {line.split("\t")[1] for line in qrels}
    corpus = [
        line for n, line in enumerate(lines["corpus.jsonl"]) if n % every == 0 or json.loads(line)["_id"] in judged
    ]
    for name, kept in (("queries.jsonl", queries), ("qrels.tsv", qrels), ("corpus.jsonl", corpus)):
        (folder / name).write_text("".join(kept), encoding="utf-8")
    return folder


def test_the_hybrid_first_stage_finds_more_on_scifact_than_either_list(
    tmp_path: Path, builtin_compiled: Path, model_cache: Path
) -> None:
    """Of all documents 0.70; of a part, which holds every answer and less to take for one, more."""
    collection, target = Path(DATA) / "collections" / "scifact", 0.70
    if not LONG:
        collection, target = judged_part(collection, tmp_path / "scifact", every=60), 0.92
    rows = [json.loads(line) for line in benchmark("collection.py", collection)]
    figures = {row["ranking"]: row["nDCG@10"] for row in rows}
    assert figures["hybrid"] >= target
    assert figures["hybrid"] > max(figures["lexical"], figures["dense"])


def answering_part(manuals: Path, folder: Path, *, every: int) -> Path:
    """The pages of *manuals* that answer a question, and of the others one of so many, in *folder*."""
    rows = (BENCHMARKS / "manuals.jsonl").read_text(encoding="utf-8").splitlines()
    answering = {json.loads(row)["path"] for row in rows}
    for number, page in enumerate(sorted(path for path in manuals.rglob("*") if path.is_file())):
        name = page.relative_to(manuals)
        if number % every == 0 or str(name) in answering:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(page, folder / name)
    assert all((folder / name).exists() for name in answering)
    return folder


def test_a_dozen_questions_over_two_manuals_are_answered_at_rank_1_to_3(
    tmp_path: Path, builtin_compiled: Path, model_cache: Path
) -> None:
    manuals = Path(DATA) / "docs"
    asked = [manuals] if LONG else [answering_part(manuals, tmp_path / "docs", every=20), "--top-k", "12"]
    *rows, _ = benchmark("manuals.py", *asked)
    ranks = [row.split("\t")[0] for row in rows]
    assert sum(rank in ("1", "2", "3") for rank in ranks) >= 12
