"""A TREC run is the same to the letter, whether `query` prints it or `eval` writes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import LIBRARY, Cli

QUERIES = '{"_id": "q 1", "text": "cold radiator"}\n{"_id": "é%2", "text": "what eats my lettuce at night"}\n'


@pytest.mark.parametrize(
    "more", [(), ("--no-rerank",), ("--fusion", "rrf"), ("--retriever", "lexical", "--fusion", "none")], ids=" ".join
)
def test_query_and_eval_write_the_same_lines_for_the_same_run(
    indexed: Path, tmp_path: Path, cli: Cli, more: tuple[str, ...]
) -> None:
    queries, qrels, run = tmp_path / "queries.jsonl", tmp_path / "qrels.tsv", tmp_path / "out.run"
    queries.write_text(QUERIES)
    qrels.write_text("q 1\tmy notes.txt\t1\né%2\tgarden/slugs.txt\t1\n")
    evaluated = cli("eval", "--queries", queries, "--qrels", qrels, "--run-out", run, "--quiet", *more)
    assert evaluated.code == 0, evaluated.err
    printed = cli("query", "--queries", queries, "--format", "trec", "--top-n", "1000", *more)
    assert printed.out == run.read_text(encoding="utf-8")
    assert {line.split(" ")[0] for line in printed.lines} == {"q%201", "é%2"}
    if "lexical" not in more:
        assert {line.split(" ")[2] for line in printed.lines} > {"my%20notes.txt", "garden/slugs.txt"}
        assert len(printed.lines) == 2 * len(LIBRARY)


def test_fewer_hits_are_the_head_of_the_same_run(indexed: Path, tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "q.tsv").write_text("1\tcold radiator\n")
    ask = ("query", "--queries", tmp_path / "q.tsv", "--format", "trec", "--top-n")
    assert cli(*ask, "2").lines == cli(*ask, "5").lines[:2]
