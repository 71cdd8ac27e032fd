from __future__ import annotations

from dataclasses import replace

import pytest
import yaml
from markdown_it import MarkdownIt

from rerank_cli.training.card import DataFile, Facts, as_code, as_line, model_card

FACTS = Facts(
    kind="reranker",
    base="rerank-minilm-l6",
    carries_code=False,
    licence="CC BY-SA 4.0",
    files=(DataFile("pairs.jsonl", 240, "pairs"),),
    source="from the pool",
    trained_queries=180,
    groups=200,
    negatives=7,
    held_out=20,
    validated_on="each query's mined passages",
    left_out={"too long": 3},
    steps=75,
    epochs=3.0,
    best_step=50,
    options={"seed": 17},
    precision="float32",
    machine={"machine": "A Processor, 2 cores"},
    elapsed_s=61.4,
    resumed=False,
    command="rerank-cli train --out x",
    before=0.5,
    after=0.75,
    measured=((25, 0.6), (50, 0.75), (75, 0.7)),
)

ODD = [
    "`code` ``more``",
    "a\n\n# Heading",
    "<script>alert(1)</script>",
    "[link](http://x)",
    "**bold**|cell",
    "---\nlicense: mit",
    "\x1b[31m\u202ered",
    "`",
    "",
    '"quoted": yes # no',
]


def front_of(card: str) -> dict[str, object]:
    loaded = yaml.safe_load(card.split("---\n")[1])
    assert isinstance(loaded, dict)
    return loaded


def test_the_card_tells_what_was_run() -> None:
    card = model_card(FACTS)
    for told in (
        "`pairs.jsonl`: 240 pairs",
        "licence of the data: `CC BY-SA 4.0`",
        "7 a query",
        "200 groups of 180 queries",
        "20 queries",
        "left out: 3 too long",
        "75 steps, 3.00 epochs; the weights are those of step 50",
        "A Processor, 2 cores",
        "61 s",
        "command: `rerank-cli train --out x`",
        "| 0 (before) | 0.5000 |",
        "| 50 (written) | 0.7500 |",
        "| 75 | 0.7000 |",
    ):
        assert told in card
    assert front_of(card) == {
        "license": "CC BY-SA 4.0",
        "library_name": "sentence-transformers",
        "pipeline_tag": "text-ranking",
        "base_model": "rerank-minilm-l6",
    }


def test_the_card_says_where_a_folder_needs_its_own_code() -> None:
    assert "trust_remote_code" not in model_card(FACTS) and "OPTION" not in model_card(FACTS)
    card = model_card(replace(FACTS, carries_code=True))
    assert 'model_kwargs={"dtype": "float32"}, trust_remote_code=True)' in card
    assert "`interaction.py`" in card


@pytest.mark.parametrize("odd", ODD)
def test_no_name_becomes_markup(odd: str) -> None:
    files = (DataFile(odd, 1, "pairs"),)
    card = model_card(Facts(**{**plain(), "files": files, "licence": odd, "base": odd, "command": odd}))
    front = front_of(card)
    assert front.get("license", "") == odd and front["base_model"] == odd
    body = card.split("---\n", 2)[2]
    page, usual = map(MarkdownIt("commonmark").enable("table").parse, (body, model_card(FACTS).split("---\n", 2)[2]))
    assert [token.type for token in page] == [token.type for token in usual]
    assert not {"html_block", "html_inline", "link_open", "strong_open"} & {
        each.type for token in page for each in (token, *(token.children or ()))
    }
    assert not any(letter != "\n" and not letter.isprintable() for letter in body)


@pytest.mark.parametrize("odd", ODD)
def test_a_code_span_shows_the_whole_text(odd: str) -> None:
    inline = MarkdownIt("commonmark").parse(as_code(odd))[1].children or []
    assert [token.type for token in inline] == ["code_inline"]
    assert inline[0].content.strip() == as_line(odd).strip()


def plain() -> dict[str, object]:
    return {name: getattr(FACTS, name) for name in Facts.__slots__}
