"""One pass gives what runs of their own would give, and says what it could not do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from rerank_cli.context import Window
from rerank_cli.errors import IndexMismatch, InputError, UsageError
from rerank_cli.evaluation.conclusions.notes import collection_notes, indexed_collection_note
from rerank_cli.evaluation.evaluate import Request, Workplace, evaluate, evaluate_runs
from rerank_cli.evaluation.figures.measures import Measure, context_recall_at, relevant_documents
from rerank_cli.evaluation.figures.several_runs import compare_runs
from rerank_cli.evaluation.inputs.collection import Collection, JudgedQuery
from rerank_cli.evaluation.inputs.runs import Ranked
from rerank_cli.library import open_library
from rerank_cli.models.tokenizer import open_tokenizer
from rerank_cli.ports import PairScores
from rerank_cli.records import Fusion, Progress
from rerank_cli.reranking import best_of_each_document
from rerank_cli.search import Searcher, SearchSettings
from rerank_cli.store.reader import IndexReader
from tests.fakes import FakeEncoder, FakeReranker
from tests.unit.evaluation.conftest import BASE

Requests = Callable[..., Request]


UNTIL_ENOUGH = replace(BASE, top_k=80, fusion="linear", enough_for=1)


@pytest.mark.parametrize("variant", [BASE, UNTIL_ENOUGH], ids=["all", "until enough"])
def test_both_stages_rank_as_a_query_does(
    collection: Collection, workplace: Workplace, request_of: Requests, index: IndexReader, variant: SearchSettings
) -> None:
    stages = evaluate(collection, request_of(variant), workplace).stages
    assert stages is not None
    searcher = Searcher(index, encoder=FakeEncoder(), reranker=FakeReranker(), settings=variant)
    for query in collection.queries:
        hits = searcher.search(query.text).hits
        expected = tuple(hit.candidate.stored.document_id for hit in best_of_each_document(hits, per_document=1))
        assert stages.final_run[query.id].documents == expected


def test_a_depth_that_is_found_out_is_cheaper_and_takes_nothing_from_a_context(
    collection: Collection, workplace: Workplace, request_of: Requests
) -> None:
    swept = evaluate(collection, request_of(UNTIL_ENOUGH, sweeps=("top-k=80,auto",)), workplace).sweeps[0]
    whole, stopped = (row.stages for row in swept.rows)
    assert [row.value for row in swept.rows] == ["80", "auto"]
    assert stopped.price.passages_per_s is not None and whole.price.passages_per_s is not None
    assert stopped.price.rerank_p50_s < whole.price.rerank_p50_s
    contexts = [name for name in whole.final.overall if name.startswith("ContextRecall@")]
    assert contexts
    assert [stopped.final.overall[name] for name in contexts] == [whole.final.overall[name] for name in contexts]


def test_depths_that_nobody_asked_for_cost_no_contexts(
    collection: Collection, workplace: Workplace, request_of: Requests
) -> None:
    found = evaluate(collection, request_of(replace(BASE, top_k=30)), workplace)
    assert found.depths is not None and found.stages is not None
    recall = [name for name in found.stages.final.overall if name.startswith("ContextRecall@")]
    measured = {row.value: [name for name in recall if name in row.stages.final.overall] for row in found.depths.rows}
    assert measured.pop("30") == recall != []
    assert measured and not any(measured.values())


@pytest.mark.parametrize("fusion", get_args(Fusion))
def test_each_row_of_a_depth_sweep_equals_a_run_of_its_own(
    collection: Collection, workplace: Workplace, request_of: Requests, fusion: Fusion
) -> None:
    base = replace(BASE, top_k=30, fusion=fusion)
    swept = evaluate(collection, request_of(base, sweeps=("top-k=3,11,30",)), workplace).sweeps[0]
    assert [row.value for row in swept.rows] == ["3", "11", "30"]
    for row, depth in zip(swept.rows, (3, 11, 30), strict=True):
        alone = evaluate(collection, request_of(replace(base, top_k=depth)), workplace).stages
        assert alone is not None
        assert row.stages.final == alone.final
        assert row.stages.first == alone.first
        assert row.stages.final_run == alone.final_run
        assert f"R@{depth}" in row.stages.final.overall
    assert len({row.stages.final.overall["nDCG@10"] for row in swept.rows}) > 1


def test_each_row_of_a_retriever_sweep_equals_a_run_of_its_own(
    collection: Collection, workplace: Workplace, request_of: Requests
) -> None:
    swept = evaluate(
        collection, request_of(sweeps=("retriever=dense,lexical,hybrid", "fusion=none,rrf")), workplace
    ).sweeps
    for row, retriever in zip(swept[0].rows, ("dense", "lexical", "hybrid"), strict=True):
        alone = evaluate(collection, request_of(replace(BASE, retriever=retriever)), workplace).stages
        assert alone is not None and row.stages.final == alone.final and row.stages.first == alone.first
    for row, fusion in zip(swept[1].rows, ("none", "rrf"), strict=True):
        alone = evaluate(collection, request_of(replace(BASE, fusion=fusion)), workplace).stages
        assert alone is not None and row.stages.final_run == alone.final_run
    assert len({str(row.stages.first) for row in swept[0].rows}) == 3


def test_each_row_of_a_weight_sweep_equals_a_run_of_its_own(
    collection: Collection, workplace: Workplace, request_of: Requests
) -> None:
    base = replace(BASE, retriever="dense", fusion="linear")
    (swept,) = evaluate(collection, request_of(base, sweeps=("fusion-weight=0,0.3,1",)), workplace).sweeps
    for row, weight in zip(swept.rows, (0.0, 0.3, 1.0), strict=True):
        alone = evaluate(collection, request_of(replace(base, fusion_weight=weight)), workplace).stages
        assert alone is not None and row.stages.final_run == alone.final_run
    assert swept.rows[0].stages.final_run != swept.rows[2].stages.final_run


def test_a_sweep_scores_each_pair_once(
    collection: Collection, workplace: Workplace, request_of: Requests, reranker: FakeReranker
) -> None:
    evaluate(collection, request_of(sweeps=("top-k=5,40", "retriever=dense,lexical,hybrid", "fusion=none")), workplace)
    assert len(reranker.pairs) == len(set(reranker.pairs)) > 0


def test_recall_at_the_depth_is_the_same_before_and_after_reranking(
    collection: Collection, workplace: Workplace, request_of: Requests
) -> None:
    stages = evaluate(collection, request_of(), workplace).stages
    assert stages is not None
    assert stages.first.by_query["R@20"] == stages.final.by_query["R@20"]
    for query in collection.queries:
        assert set(stages.first_run[query.id].documents) == set(stages.final_run[query.id].documents)


@pytest.mark.parametrize("tokenizer", ["encoder", "chars/4"])
def test_context_recall_is_of_what_the_library_hands_over(
    collection: Collection, workplace: Workplace, request_of: Requests, index: IndexReader, tokenizer: str
) -> None:
    options = {"max_tokens": 140, "min_score": 0.2, "fusion": "rrf", "fusion_weight": 0.5, "top_k": 20}
    library = open_library(index=index, encoder=FakeEncoder(), reranker=FakeReranker(), **options, tokenizer=tokenizer)  # type: ignore[arg-type]
    place = replace(workplace, count_tokens=None if tokenizer == "encoder" else open_tokenizer(tokenizer))
    request = request_of(replace(BASE, fusion="rrf"), window=Window(140, min_score=0.2))
    stages = evaluate(collection, request, place).stages
    assert stages is not None
    handed = [library.context(query.text).documents for query in collection.queries]
    assert [stages.final_run[query.id].contexts[140] for query in collection.queries] == handed
    shares = [
        len(documents & relevant_documents(collection.qrels[query.id])) / 2
        for query, documents in zip(collection.queries, handed, strict=True)
    ]
    assert list(stages.final.by_query["ContextRecall@140"]) == shares and 0 < sum(shares) < len(shares)


def test_a_least_score_says_nothing_of_the_first_stage(
    collection: Collection, workplace: Workplace, request_of: Requests
) -> None:
    stages = evaluate(collection, request_of(window=Window(300, min_score=2.0)), workplace).stages
    assert stages is not None
    assert stages.final.overall["ContextRecall@300"] == 0.0 < stages.first.overall["ContextRecall@300"]


def test_each_row_of_a_sweep_of_windows_equals_a_run_of_its_own(
    collection: Collection, workplace: Workplace, request_of: Requests
) -> None:
    (swept,) = evaluate(collection, request_of(sweeps=("max-tokens=400,60,100,60",)), workplace).sweeps
    assert [row.value for row in swept.rows] == ["60", "100", "400"]
    for row in swept.rows:
        alone = evaluate(collection, request_of(window=Window(int(row.value))), workplace).stages
        assert alone is not None and row.measure == f"ContextRecall@{row.value}"
        assert row.stages.final.by_query[row.measure] == alone.final.by_query[row.measure]
        assert row.stages.first.by_query[row.measure] == alone.first.by_query[row.measure]
    recall = [row.stages.final.overall[row.measure] for row in swept.rows]
    assert recall[0] < recall[1] < recall[2] and swept.choice.value == "400"


def test_a_window_that_no_sentence_fits_counts_as_0(
    collection: Collection, workplace: Workplace, request_of: Requests
) -> None:
    stages = evaluate(collection, request_of(measures=(context_recall_at(3),)), workplace).stages
    assert stages is not None and stages.final.overall == {"ContextRecall@3": 0.0}


def test_without_a_second_stage_both_columns_are_the_first(
    collection: Collection, workplace: Workplace, request_of: Requests
) -> None:
    request = request_of(replace(BASE, reranks=False))
    evaluation = evaluate(collection, request, replace(workplace, reranker=None))
    assert evaluation.stages is not None and evaluation.depths is None
    assert evaluation.stages.first == evaluation.stages.final
    with pytest.raises(UsageError, match="nothing is fused"):
        evaluate(collection, replace(request, sweeps=("fusion=rrf",)), replace(workplace, reranker=None))


def test_a_judged_document_that_is_not_in_the_index_is_reported(
    collection: Collection, workplace: Workplace, request_of: Requests
) -> None:
    qrels = {**collection.qrels, "q0": {"00.md": 1, "gone.md": 1, "lost.md": 0}}
    evaluation = evaluate(Collection(collection.queries, qrels), request_of(), workplace)
    assert evaluation.missing == ("gone.md", "lost.md")
    assert any(
        note.startswith("2 of 22 judged documents (gone.md, lost.md) not in the index") for note in evaluation.notes
    )


def test_a_query_that_cannot_be_asked_counts_as_0_and_is_reported(
    collection: Collection, workplace: Workplace, request_of: Requests
) -> None:
    pasted = JudgedQuery("long", "word " * 2001)
    whole = Collection((pasted, *collection.queries), {"long": {"00.md": 1}, **collection.qrels})
    evaluation = evaluate(whole, request_of(), workplace)
    assert evaluation.is_complete and evaluation.stages is not None
    assert evaluation.stages.final.queries[0] == "long"
    assert evaluation.stages.final.by_query["AP"][0] == 0.0
    assert any("query long was not asked, counted as 0: the query has 2001 words" in note for note in evaluation.notes)


def test_a_query_of_2000_words_is_asked(collection: Collection, workplace: Workplace, request_of: Requests) -> None:
    first, *others = collection.queries
    padded = JudgedQuery(first.id, " ".join([first.text, *["word"] * (2000 - len(first.text.split()))]))
    evaluation = evaluate(Collection((padded, *others), collection.qrels), request_of(), workplace)
    assert not any("was not asked" in note for note in evaluation.notes)


def test_an_index_of_other_documents_is_an_error_and_no_table_of_zeros(
    collection: Collection, workplace: Workplace, request_of: Requests
) -> None:
    qrels = {query.id: {"elsewhere.md": 1, "gone.md": 0} for query in collection.queries}
    with pytest.raises(InputError, match=r"none of the 2 judged documents \(elsewhere.md, gone.md\) is in the index"):
        evaluate(Collection(collection.queries, qrels), request_of(), workplace)


def test_queries_none_of_which_can_be_asked_are_an_error_and_no_table_of_zeros(
    workplace: Workplace, request_of: Requests
) -> None:
    pasted = Collection((JudgedQuery("long", "word " * 2001),), {"long": {"00.md": 1}})
    with pytest.raises(UsageError, match="long: the query has 2001 words"):
        evaluate(pasted, request_of(), workplace)


class InterruptedReranker(FakeReranker):
    """Stands for a person who presses Ctrl-C at the fourth query."""

    def score_pairs(self, query: str, passages: list[str]) -> PairScores:  # type: ignore[override]
        if len({asked for asked, _ in self.pairs}) == 3:
            raise KeyboardInterrupt
        return super().score_pairs(query, passages)


def test_an_interrupt_keeps_what_was_measured_and_says_that_it_is_partial(
    collection: Collection, workplace: Workplace, request_of: Requests
) -> None:
    evaluation = evaluate(collection, request_of(), replace(workplace, reranker=InterruptedReranker()))
    assert (evaluation.asked, evaluation.total, evaluation.is_complete) == (3, 9, False)
    whole = evaluate(collection, request_of(), workplace).stages
    assert whole is not None and evaluation.stages is not None
    assert evaluation.stages.final.queries == ("q0", "q1", "q2")
    assert evaluation.stages.final.by_query["AP"] == whole.final.by_query["AP"][:3]


def test_a_failing_model_is_an_error_and_no_row_of_zeros(
    collection: Collection, workplace: Workplace, request_of: Requests
) -> None:
    with pytest.raises(IndexMismatch):
        evaluate(collection, request_of(), replace(workplace, encoder=FakeEncoder(fingerprint="another")))


def test_progress_counts_queries(collection: Collection, workplace: Workplace, request_of: Requests) -> None:
    seen: list[Progress] = []
    evaluate(collection, request_of(), workplace, listener=seen.append)
    assert [progress.done for progress in seen] == list(range(10))
    assert {(progress.stage, progress.total) for progress in seen} == {("evaluate", 9)}


def test_recall_curves_are_the_recall_of_each_retriever_alone(
    collection: Collection, workplace: Workplace, request_of: Requests
) -> None:
    curves = evaluate(collection, request_of(draws=True), workplace).recall_curves
    assert curves is not None and set(curves) == {"dense", "lexical", "hybrid"}
    for retriever, points in curves.items():
        values = [recall for _, recall in points]
        assert values == sorted(values) and points[-1][0] == 20
        alone = evaluate(collection, request_of(replace(BASE, retriever=retriever)), workplace).stages
        assert alone is not None and points[-1][1] == alone.first.overall["R@20"]


def test_runs_are_compared_with_the_first_and_corrected_for_their_number() -> None:
    qrels = {f"q{number}": {"a": 1} for number in range(6)}
    bad, good = Ranked(("b", "c", "a")), Ranked(("a", "b"))
    runs = {"bad": dict.fromkeys(qrels, bad), "good": dict.fromkeys(qrels, good), "same": dict.fromkeys(qrels, bad)}
    first, second, third = compare_runs(runs, qrels, [Measure("RR@10")])
    assert (first.name, first.comparisons) == ("bad", {})
    better, same = second.comparisons["RR@10"], third.comparisons["RR@10"]
    assert (better.won, better.p_value, better.p_holm) == (6, 2 / 2**6, 4 / 2**6)
    assert (same.tied, same.p_value, same.p_holm) == (6, 1.0, 1.0)


def test_queries_that_a_foreign_run_lacks_are_reported() -> None:
    qrels = {"q1": {"my notes.txt": 1}, "q2": {"a": 1}}
    evaluation = evaluate_runs({"x.run": {"q1": Ranked(("my%20notes.txt",))}}, qrels, {}, [Measure("P@5")])
    assert evaluation.final.overall["P@5"] == 0.1
    assert evaluation.notes == ("x.run: 1 judged query (q2) not in the run, counted as 0",)


def test_notes_tell_of_queries_that_cannot_count() -> None:
    collection = Collection((JudgedQuery("a", "x"),), {"a": {"d": 0}}, unjudged=("b", "c"), textless=("z",))
    assert collection_notes(collection) == (
        "1 query (a) without a relevant document, counted as 0 as trec_eval does",
        "2 queries (b, c) without judgements, not asked",
        "1 query (z) judged but without a text, not asked",
    )


def test_queries_that_are_documents_of_the_index_are_warned_of(index: IndexReader, docs: Path, tmp_path: Path) -> None:
    assert indexed_collection_note(index, [docs / "queries.jsonl", tmp_path / "00.md"]) == ()
    (note,) = indexed_collection_note(index, [docs / "00.md"])
    assert note.startswith("00.md is itself in the index")
