"""Published figures and time targets, on collections in the folder that RERANK_TEST_DATA names."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, cli  # noqa: F401 — the fixture
from tests.integration.test_real_data import DATA

pytestmark = pytest.mark.skipif(not DATA, reason="RERANK_TEST_DATA names no folder with collections and manuals")

DL19 = Path(DATA) / "collections" / "trec_dl19"
SCIFACT = Path(DATA) / "collections" / "scifact"

COLD_S, WARM_S = 240.0, 10.0
"""Most seconds for 300 queries at depth 100 on two idle cores, without and with remembered scores."""


def published() -> dict[str, dict[str, float]]:
    """The figures of each run by measure, as the table beside the runs has them."""
    rows = [
        [cell.strip() for cell in line.strip("|\n").split("|")]
        for line in (DL19 / "runs" / "README.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
    ]
    head, _, *body = rows
    return {row[0]: dict(zip(head[3:], map(float, row[3:]), strict=True)) for row in body}


@pytest.mark.parametrize("form", ["qrels_full.txt", "qrels_full.tsv"])
def test_published_runs_give_their_published_figures_to_four_digits(cli: Cli, form: str) -> None:  # noqa: F811
    figures = published()
    assert len(figures) == 5
    for name, expected in figures.items():
        options = [part for measure in expected for part in ("--measure", measure)]
        record = cli("eval", "--qrels", DL19 / form, "--run-in", DL19 / "runs" / f"{name}.run", "--json", *options).json
        found = {measure: round(values["run"], 4) for measure, values in record["measures"].items()}
        assert found == expected, name


def test_scifact_takes_four_minutes_at_most_and_ten_seconds_with_the_cache(
    cli: Cli,  # noqa: F811
    tmp_path: Path,
    model_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    cli("models", "prepare")
    cli("index", SCIFACT / "corpus.jsonl")
    seconds, records = [], []
    for _ in range(2):
        begun = time.monotonic()
        records.append(cli("eval", "--collection", SCIFACT, "--json").json)
        seconds.append(time.monotonic() - begun)
    assert records[0]["measures"] == records[1]["measures"]
    assert records[0]["collection"]["asked"] == 300
    assert re.search(r"30000 of 30000 pairs", " ".join(records[1]["notes"]))
    assert seconds[0] <= COLD_S
    assert seconds[1] <= WARM_S
