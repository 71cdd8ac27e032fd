"""The page tells what was found, and escapes what it quotes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rerank_cli.evaluation.evaluate import Request, Workplace, evaluate
from rerank_cli.evaluation.inputs.collection import Collection, JudgedQuery
from rerank_cli.evaluation.showing.report import report_page
from tests.unit.evaluation.conftest import BASE

Requests = Callable[..., Request]


def test_the_page_has_the_figures_the_worst_queries_and_the_command(
    collection: Collection, workplace: Workplace, request_of: Requests
) -> None:
    evaluation = evaluate(collection, request_of(draws=True, diagnoses=True, top=1), workplace)
    page = report_page(replace(evaluation, context={"command": "rerank-cli eval --top-k 20 'a <b>'"}))
    assert evaluation.stages is not None
    for name, value in evaluation.stages.final.overall.items():
        assert f"<td>{name}</td>" in page and f"<td>{value:.4f}</td>" in page
    assert "rerank-cli eval --top-k 20 &#x27;a &lt;b&gt;&#x27;" in page
    assert page.count("<svg") == 3 and "Where the next gain lies" in page
    assert "knee" in page or "use this" in page


def test_a_partial_evaluation_says_so_on_the_page(
    collection: Collection, workplace: Workplace, request_of: Requests
) -> None:
    evaluation = replace(evaluate(collection, request_of(), workplace), asked=4)
    assert "Partial: 4 of 9 queries were measured." in report_page(evaluation)


def test_queries_and_ids_are_text_whatever_they_hold(
    collection: Collection, workplace: Workplace, request_of: Requests
) -> None:
    evil = "<script>alert(1)</script> \x1b[2J \u202e brake"
    whole = Collection((JudgedQuery(evil, evil),), {evil: {"<img src=x>": 1, "00.md": 1}})
    page = report_page(evaluate(whole, request_of(draws=True, diagnoses=True, top=1), workplace))
    assert "<script" not in page and "<img" not in page
    assert "\x1b" not in page and "\u202e" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_without_a_second_stage_there_is_nothing_to_compare(
    collection: Collection, workplace: Workplace, request_of: Requests
) -> None:
    request = request_of(replace(BASE, reranks=False), draws=True)
    page = report_page(evaluate(collection, request, replace(workplace, reranker=None)))
    assert page.count("<svg") == 1 and "Each depth" not in page


def test_every_bad_query_is_given_a_reason(
    collection: Collection, workplace: Workplace, request_of: Callable[..., Request]
) -> None:
    fruitless = Collection(collection.queries, {**collection.qrels, "q0": {"00.md": 0}})
    page = report_page(evaluate(fruitless, request_of(diagnoses=True, draws=True, top=40), workplace))
    worst = page[page.index("The worst queries") :]
    assert "no document was judged relevant" in worst
    assert "all its relevant documents are among the first 40" in worst
    assert '<td class="text" data-label="why"></td>' not in worst
