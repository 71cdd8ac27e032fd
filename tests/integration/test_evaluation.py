"""Published figures, on collections in the folder that RERANK_TEST_DATA names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cli, cli  # noqa: F401 — the fixture
from tests.integration.test_real_data import DATA

pytestmark = pytest.mark.skipif(not DATA, reason="RERANK_TEST_DATA names no folder with collections and manuals")

DL19 = Path(DATA) / "collections" / "trec_dl19"


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
