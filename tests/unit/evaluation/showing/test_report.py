"""The page tells what was found, and escapes what it quotes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import pytest

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
        assert f"<td>{name}</td>" in page and f">{value:.4f}</td>" in page
    assert "rerank-cli eval --top-k 20 &#39;a &lt;b&gt;&#39;" in page
    assert page.count("<svg") == 3 and "Where the next gain lies" in page
    assert "knee" in page or "use this" in page


def test_a_partial_evaluation_says_so_on_the_page(
    collection: Collection, workplace: Workplace, request_of: Requests
) -> None:
    evaluation = replace(evaluate(collection, request_of(), workplace), asked=4)
    assert "Partial: 4 of 9 queries were measured." in report_page(evaluation)


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script> brake",
        "brake </title></style></svg><script>alert(1)</script>",
        'brake " onload="alert(1)" \'><img src=x>',
        "brake {{ 7 * 7 }} {% include 'report.css' %} {{ ''.__class__ }}",
        "brake \x1b[2J \u202e \x00 \x9b",
    ],
)
def test_whatever_a_query_a_document_or_a_command_holds_is_text(
    collection: Collection, workplace: Workplace, request_of: Requests, evil: str
) -> None:
    whole = Collection((JudgedQuery(evil, evil),), {evil: {evil: 1, "00.md": 1}})
    evaluation = evaluate(whole, request_of(draws=True, diagnoses=True, top=1), workplace)
    page = report_page(replace(evaluation, context={"command": evil, evil: evil}, notes=(evil,)))
    read = _Read(page)
    assert read.tags <= TAGS and read.attributes <= ATTRIBUTES
    shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in evil)
    assert read.text.count(shown) >= 5, "the note, the query twice, its change in the chart, the command"
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", page)


TAGS = set(
    "html head meta title style body h1 h2 p ul li div table tr th td figure figcaption svg line text polyline circle "
    "rect pre".split()
)
ATTRIBUTES = set(
    "lang charset name content class data-label viewbox role aria-label x x1 x2 y y1 y2 cx cy r width height points "
    "fill stroke stroke-width text-anchor transform".split()
)


def test_on_a_narrow_screen_every_figure_stands_below_its_name_and_nothing_is_scrolled_out_of_sight(
    collection: Collection, workplace: Workplace, request_of: Requests
) -> None:
    page = report_page(evaluate(collection, request_of(draws=True, diagnoses=True, top=1), workplace))
    assert page.count("<table") == page.count('<table class="stacks">') == 4
    assert not re.search(r"overflow-[xy]|overflow:|nowrap;[^}]*hidden", page)
    named = re.findall(r"<tr><td[^>]*>.*?</td>(.*?)</tr>", page, re.DOTALL)
    unnamed = [cell for row in named for cell in re.findall(r"<td[^>]*>", row) if "data-label" not in cell]
    assert set(unnamed) == {'<td class="text">'}, "the text of a query, which needs no name"


class _Read(HTMLParser):
    """What a browser makes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


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
