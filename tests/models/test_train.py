from __future__ import annotations

import gzip
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from rerank_cli.errors import InputError
from rerank_cli.models.catalogue import BUILTIN_ENCODER, find_model
from rerank_cli.models.train import (
    Fit,
    Group,
    Mining,
    Pair,
    load_pairs,
    mine_groups,
    new_cross_encoder,
    save_half_precision,
    train_reranker,
)
from tests.fakes import FakeEncoder

SMALL_BANDS = Mining(bands=((1, 3, 2), (4, 9, 1)))
TOPICS = ("boiler", "garden", "kettle", "ferry", "chisel", "wasp", "piano", "radio", "violin", "tram", "bread", "lamp")


def write_pairs(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def topic_pairs() -> list[Pair]:
    return [Pair(f"how is the {topic}", f"the {topic} is fine and number {n}", "t") for n, topic in enumerate(TOPICS)]


def test_pairs_are_drawn_by_source_with_titles_in_front_and_long_positives_left_out(tmp_path: Path) -> None:
    write_pairs(tmp_path / "a.jsonl.gz", [{"query": f"q{n}", "positive": f"p{n}"} for n in range(9)])
    rows = [{"query": "long", "positive": "word " * 9}, {"query": "short", "positive": "p", "title": "T"}]
    write_pairs(tmp_path / "b.jsonl.gz", rows)
    pairs = load_pairs(tmp_path, sizes={"a": 4, "b": 4}, max_words=5, seed=1)
    assert [pair.positive for pair in pairs if pair.source == "b"] == ["T. p"]
    assert len({pair.query for pair in pairs if pair.source == "a"}) == 4
    assert pairs == load_pairs(tmp_path, sizes={"b": 4, "a": 4}, max_words=5, seed=1)
    assert pairs != load_pairs(tmp_path, sizes={"a": 4, "b": 4}, max_words=5, seed=2)


def test_a_line_that_is_no_pair_is_named_by_file_and_number(tmp_path: Path) -> None:
    write_pairs(tmp_path / "a.jsonl.gz", [{"query": "q", "positive": "p"}, {"query": "q"}])
    with pytest.raises(InputError, match=r"a\.jsonl\.gz:2: not a training pair"):
        load_pairs(tmp_path, sizes={"a": 4}, max_words=5, seed=1)


def test_a_group_begins_with_its_positive_and_has_distinct_negatives_and_a_distribution_as_target() -> None:
    pairs = topic_pairs()
    groups = mine_groups(pairs, encoder=FakeEncoder(), mining=SMALL_BANDS)
    assert [group.query for group in groups] == [pair.query for pair in pairs]
    for pair, group in zip(pairs, groups, strict=True):
        assert group.passages[0] == pair.positive
        assert len(set(group.passages)) == 4
        assert sum(group.target) == pytest.approx(1.0)
        assert group.target[0] >= 0.5


def test_another_answer_of_the_same_query_is_never_its_negative() -> None:
    pairs = [*topic_pairs(), Pair("how is the boiler", "the boiler is how it is", "t")]
    for group in mine_groups(pairs, encoder=FakeEncoder(), mining=SMALL_BANDS):
        if group.query == "how is the boiler":
            assert not {"the boiler is how it is", "the boiler is fine and number 0"} & set(group.passages[1:])


def test_a_passage_nearer_than_the_positive_by_more_than_the_ceiling_is_no_negative() -> None:
    pairs = [*topic_pairs(), Pair("unrelated", "how is the boiler", "t")]
    strict = Mining(bands=((1, 20, 8),), ceiling=1.0, slack=0.0)
    group = next(g for g in mine_groups(pairs, encoder=FakeEncoder(), mining=strict) if g.query == "how is the boiler")
    assert "how is the boiler" not in group.passages


def test_a_query_with_too_few_negatives_is_dropped() -> None:
    assert mine_groups(topic_pairs()[:3], encoder=FakeEncoder(), mining=SMALL_BANDS) == []


def test_a_few_steps_teach_the_order_and_the_folder_loads_as_a_plain_cross_encoder(tmp_path: Path) -> None:
    pytest.importorskip("datasets", reason="training needs the extra `train`")
    from sentence_transformers import CrossEncoder

    base = find_model(BUILTIN_ENCODER, "encoder").folder
    rng = random.Random(3)
    groups = [
        Group(f"where is the {topic}", (f"the {topic} is here", *rng.sample(others, 2)), (0.9, 0.05, 0.05))
        for topic in TOPICS
        for others in [[f"the {other} is here" for other in TOPICS if other != topic]]
    ]
    fit = Fit(max_tokens=32, batch_queries=4, learning_rate=3e-4, checkpoint_steps=1000, bf16=False)
    model = new_cross_encoder(base, max_tokens=32)
    model = train_reranker(groups * 4, model=model, checkpoints=tmp_path / "work", fit=fit, resume=False)
    save_half_precision(model, tmp_path / "model", window=512)
    assert not (tmp_path / "model" / "README.md").exists()
    loaded = CrossEncoder(str(tmp_path / "model"), device="cpu", model_kwargs={"dtype": "float32"})
    loaded.float()
    assert loaded.max_seq_length == 512
    first = [int(np.argmax(loaded.predict([(g.query, passage) for passage in g.passages]))) for g in groups]
    assert sum(place == 0 for place in first) >= 10
