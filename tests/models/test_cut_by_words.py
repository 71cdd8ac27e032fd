"""Texts whose words were counted are cut without the tokenizer, to the same tokens."""

from __future__ import annotations

from pathlib import Path

import pytest

from rerank_cli.models.catalogue import find_model
from rerank_cli.models.loading import prepare
from rerank_cli.models.onnx import _Runtime

TEXTS = ["", "a pump", "Héron (ardea)\n[CLS] 中文 x" + "yz-" * 60, "the pump in the cellar hums at night " * 100]


@pytest.mark.parametrize("counted", [0, 2, 4])
def test_a_text_has_the_tokens_that_the_tokenizer_gives(
    counted: int, builtin_compiled: Path, model_cache: Path
) -> None:
    runtime = _Runtime(prepare(find_model("all-MiniLM-L6-v2", "encoder")))
    runtime.count_tokens(TEXTS[:counted])
    cut, wanted = runtime.cut_by_words(TEXTS), runtime.cut(TEXTS)
    assert [(each.ids, each.attention_mask, each.type_ids) for each in cut] == [
        (each.ids, each.attention_mask, each.type_ids) for each in wanted
    ]
    assert len(cut[3].ids) == runtime.model.max_tokens


def test_a_text_whose_words_were_counted_needs_no_tokenizer(
    builtin_compiled: Path, model_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = _Runtime(prepare(find_model("all-MiniLM-L6-v2", "encoder")))
    runtime.count_tokens(["the pump hums at night"])
    asked: list[str] = []
    monkeypatch.setattr(runtime, "cut", lambda texts: asked.extend(texts) or [])
    runtime.cut_by_words(["night hums the pump", "at the night"])
    assert asked == []
