"""TREC run files: read as trec_eval orders them, written so that everybody reads the same order."""

from __future__ import annotations

from pathlib import Path

import ir_measures

from rerank_cli.evaluation.inputs.runs import Ranked, read_run, spelled, with_known_ids, write_run


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_scores_decide_and_ranks_do_not(tmp_path: Path) -> None:
    run = read_run(written(tmp_path / "a.run", "1 Q0 low 1 0.5 x\n1 Q0 high 2 7 x\n\n2\tQ0\tonly\t1\t-1e3\tx\r\n"))
    assert run == {"1": Ranked(("high", "low")), "2": Ranked(("only",))}


def test_a_written_run_is_read_back_in_its_order_by_us_and_by_ir_measures(tmp_path: Path) -> None:
    run = {
        "q1": Ranked(("b", "a", "c"), scores=(0.3, 0.3, -1.0)),
        "q2": Ranked(("c",), scores=(7.0,)),
        "q3": Ranked(()),
    }
    write_run(tmp_path / "ours.run", run)
    read = read_run(tmp_path / "ours.run")
    assert {query: ranked.documents for query, ranked in read.items()} == {"q1": ("b", "a", "c"), "q2": ("c",)}
    rows = list(ir_measures.read_trec_run(str(tmp_path / "ours.run")))
    assert [row.doc_id for row in sorted(rows[:3], key=lambda row: -row.score)] == ["b", "a", "c"]


def test_ids_with_blanks_are_encoded_and_known_again(tmp_path: Path) -> None:
    names = ("my notes.txt", "100%.md", "a\u2028b")
    write_run(tmp_path / "ours.run", {"my query": Ranked(names, scores=(3.0, 2.0, 1.0))})
    raw = read_run(tmp_path / "ours.run")
    assert raw["my%20query"].documents[:2] == ("my%20notes.txt", "100%.md")
    assert with_known_ids(raw, queries=["my query"], documents=names) == {"my query": Ranked(names)}


def test_documents_take_the_spelling_of_the_judgements_and_keep_their_scores() -> None:
    run = {"q": Ranked(("corpus.jsonl#1", "b"), {30: frozenset("b")}, (2.0, 1.0))}
    assert spelled(run, {"corpus.jsonl#1": "1"}) == {"q": Ranked(("1", "b"), {}, (2.0, 1.0))}
