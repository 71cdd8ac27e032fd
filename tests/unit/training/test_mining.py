from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rerank_cli.errors import InputError
from rerank_cli.evaluation.inputs.collection import Collection, JudgedQuery
from rerank_cli.store import open_reader
from rerank_cli.training.mining import Mined, Mining, mine_groups, mine_index, mine_pairs, passages_of, spread_bands
from rerank_cli.training.pairs import Pair
from rerank_cli.training.slices import query_key
from tests.conftest import Plant, Update
from tests.fakes import FakeEncoder

SMALL_BANDS = Mining(bands=((1, 3, 2), (4, 9, 1)), teacher_share=0.5)
TOPICS = ("boiler", "garden", "kettle", "ferry", "chisel", "wasp", "piano", "radio", "violin", "tram", "bread", "lamp")
MANY = [f"{topic} {part}" for topic in TOPICS for part in ("lid", "box")]


def topic_pairs() -> list[Pair]:
    return [Pair(f"how is the {topic}", f"the {topic} is fine and number {n}") for n, topic in enumerate(TOPICS)]


def many_pairs() -> list[Pair]:
    return [Pair(f"where is the {each}", f"the {each} is on shelf {n}") for n, each in enumerate(MANY)]


def test_a_group_begins_with_its_positive_and_has_distinct_negatives_and_a_distribution_as_target() -> None:
    pairs = topic_pairs()
    groups = mine_groups(pairs, encoder=FakeEncoder(), mining=SMALL_BANDS)
    assert [group.query for group in groups] == [pair.query for pair in pairs]
    for pair, group in zip(pairs, groups, strict=True):
        assert group.passages[0] == pair.positive
        assert len(set(group.passages)) == 4
        assert sum(group.target) == pytest.approx(1.0)
        assert 0.5 <= group.target[0] < 1.0


def test_another_answer_of_the_same_query_is_never_its_negative() -> None:
    pairs = [*topic_pairs(), Pair("How is the boiler?", "the boiler is how it is")]
    for group in mine_groups(pairs, encoder=FakeEncoder(), mining=SMALL_BANDS):
        if query_key(group.query) == "how is the boiler":
            assert not {"the boiler is how it is", "the boiler is fine and number 0"} & set(group.passages[1:])


def test_a_passage_nearer_than_the_positive_by_more_than_the_ceiling_is_no_negative() -> None:
    pairs = [*topic_pairs(), Pair("unrelated", "how is the boiler")]
    strict = Mining(bands=((1, 20, 8),), ceiling=1.0, slack=0.0)
    group = next(g for g in mine_groups(pairs, encoder=FakeEncoder(), mining=strict) if g.query == "how is the boiler")
    assert "how is the boiler" not in group.passages
    loose = replace(strict, bands=((1, 1, 1),), ceiling=100.0)
    group = next(g for g in mine_groups(pairs, encoder=FakeEncoder(), mining=loose) if g.query == "how is the boiler")
    assert "how is the boiler" in group.passages


def test_a_query_with_too_few_negatives_is_dropped() -> None:
    assert mine_groups(topic_pairs()[:3], encoder=FakeEncoder(), mining=SMALL_BANDS) == []


def test_a_band_that_is_empty_gives_way_to_the_whole_ranking() -> None:
    mining = Mining(bands=((1, 3, 2), (90, 99, 1)))
    groups = mine_groups(topic_pairs(), encoder=FakeEncoder(), mining=mining)
    assert [len(group.passages) for group in groups] == [4] * len(TOPICS)


def test_negatives_that_were_given_come_before_any_that_are_mined() -> None:
    pairs = [replace(pair, negatives=("the moon", "the sun")) for pair in topic_pairs()]
    for group in mine_groups(pairs, encoder=FakeEncoder(), mining=SMALL_BANDS):
        assert group.passages[1:3] == ("the moon", "the sun")
        assert len(set(group.passages)) == 4
    pairs = [replace(pair, negatives=("n1", "n2", "n3", "n4")) for pair in topic_pairs()]
    for group in mine_groups(pairs, encoder=FakeEncoder(), mining=SMALL_BANDS):
        assert group.passages[1:] == ("n1", "n2", "n3")


def test_an_answer_that_is_given_as_a_negative_elsewhere_stays_an_answer() -> None:
    pairs = [*topic_pairs(), Pair("how is the boiler", "warm", negatives=("the boiler is fine and number 0",))]
    groups = mine_groups(pairs, encoder=FakeEncoder(), mining=SMALL_BANDS)
    assert "the boiler is fine and number 0" not in groups[-1].passages


def test_passages_without_a_word_can_be_a_pool() -> None:
    pairs = [Pair(f"q{n}", "!" * n) for n in range(1, 9)]
    assert len(mine_groups(pairs, encoder=FakeEncoder(), mining=SMALL_BANDS)) == 8


def test_the_lexical_half_of_a_target_is_bm25_with_each_word_of_the_query_counted_once() -> None:
    pairs = [Pair("wasp wasp ferry", "wasp ferry wasp"), Pair("tram", "wasp tram lamp bread"), Pair("lamp", "ferry")]
    lexical = Mining(bands=((1, 3, 2),), teacher_share=1.0, cosine_temperature=np.inf, bm25_weight=1.0, ceiling=9.0)
    group = next(g for g in mine_groups(pairs, encoder=FakeEncoder(), mining=lexical) if "wasp" in g.query)
    mean_length = (3 + 4 + 1) / 3

    def bm25(passage: str) -> float:
        words = passage.split()
        norm = 0.9 * (1 - 0.4 + 0.4 * len(words) / mean_length)
        counts = [words.count("wasp"), words.count("ferry")]  # two of the three passages hold each
        return sum(np.log(1 + 1.5 / 2.5) * count * 1.9 / (count + norm) for count in counts)

    wanted = np.exp([bm25(passage) for passage in group.passages])
    assert len(group.passages) == 3
    assert group.target == pytest.approx(wanted / wanted.sum())


@pytest.mark.parametrize("negatives", range(1, 31))
def test_bands_add_up_to_the_negatives_that_are_asked_for(negatives: int) -> None:
    assert Mining(bands=spread_bands(negatives)).negatives == negatives
    assert all(wanted > 0 for _, _, wanted in spread_bands(negatives))


# Pairs in two slices


def mined(
    pairs: Sequence[Pair], *, share: float = 0.25, seed: int = 3, negatives: int = 3, teacher_share: float = 0.0
) -> Mined:
    return mine_pairs(
        pairs, encoder=FakeEncoder(), negatives=negatives, teacher_share=teacher_share, share=share, seed=seed
    )


def test_no_query_is_in_both_slices_however_it_is_spelt() -> None:
    pairs = [each for pair in many_pairs() for each in (pair, replace(pair, query=pair.query.upper() + "?"))]
    both = mined(pairs)
    trained = {query_key(group.query) for group in both.groups}
    held_out = {query_key(question.text) for question in both.questions}
    assert len(held_out) == 6 and len(trained) == 18
    assert not trained & held_out


def test_no_passage_of_a_held_out_pair_is_trained_on() -> None:
    both = mined(many_pairs())
    seen = {passage for group in both.groups for passage in group.passages}
    assert not seen & {document for question in both.questions for document in question.grades}


def test_what_answers_a_question_comes_last_so_that_equal_scores_do_it_no_favour() -> None:
    extra = [Pair(pair.query, f"again {pair.positive}") for pair in many_pairs()]
    for question in mined([*many_pairs(), *extra]).questions:
        answers = [document for document, _ in question.candidates][-2:]
        assert set(answers) == set(question.grades)


def test_the_same_seed_mines_the_same_groups_and_another_one_others() -> None:
    assert mined(many_pairs()) == mined(many_pairs())
    assert mined(many_pairs()) != mined(many_pairs(), seed=4)


def test_the_target_of_pairs_is_their_label() -> None:
    assert {group.target for group in mined(many_pairs()).groups} == {(1.0, 0.0, 0.0, 0.0)}


def test_a_teacher_s_share_of_the_target_is_the_first_stage_s(judged: Collection, index_folder: Path) -> None:
    for label, taught in (
        (mined(many_pairs()), mined(many_pairs(), teacher_share=0.4)),
        (mined_index(judged, index_folder), mined_index(judged, index_folder, teacher_share=0.4)),
    ):
        assert [group.passages for group in taught.groups] == [group.passages for group in label.groups]
        assert {group.target for group in label.groups} == {(1.0, 0.0, 0.0, 0.0)}
        for group in taught.groups:
            assert sum(group.target) == pytest.approx(1.0)
            assert 0.6 < group.target[0] < 1.0 and min(group.target[1:]) > 0.0


def scored_pairs() -> list[Pair]:
    return [
        replace(pair, negatives=tuple(f"{pair.query} no {n}" for n in range(4)), scores=(2.0, 1.0, 0.0, -1.0, 9.0))
        for pair in many_pairs()
    ]


def test_pairs_that_bring_a_teacher_s_scores_are_learnt_from_as_they_stand() -> None:
    both = mined(scored_pairs(), teacher_share=0.5)
    given = {pair.query: pair for pair in scored_pairs()}
    wanted = np.exp([2.0, 1.0, 0.0, -1.0])
    wanted = 0.5 * wanted / wanted.sum() + [0.5, 0.0, 0.0, 0.0]
    assert len(both.groups) == 18 and len(both.questions) == 6
    for group in both.groups:
        pair = given[group.query]
        assert group.passages == (pair.positive, *pair.negatives[:3])
        assert group.target == pytest.approx(wanted)
    for question in both.questions:
        pair = given[question.text]
        assert [text for text, _ in question.candidates] == [*pair.negatives[:3], pair.positive]
        assert question.grades == {pair.positive: 1}


def test_scored_pairs_ask_nothing_of_the_encoder_and_mix_with_others() -> None:
    encoder = FakeEncoder()
    mine_pairs(scored_pairs(), encoder=encoder, negatives=3, teacher_share=0.5, share=0.25, seed=3)
    assert not encoder.encoded and not encoder.queries
    half = [*scored_pairs()[::2], *many_pairs()[1::2]]
    assert {len(group.passages) for group in mined(half).groups} == {4}
    assert len(mined(half).groups) == 18


def test_a_scored_pair_with_too_few_negatives_is_left_out() -> None:
    short = replace(scored_pairs()[0], negatives=("n",), scores=(1.0, 0.0))
    both = mined([short, *scored_pairs()[1:]])
    assert len(both.groups) + len(both.questions) == 23
    assert sum(both.left_out.values()) == 1


def test_too_few_passages_to_draw_from_are_told() -> None:
    pairs = [replace(pair, positive="the same") for pair in many_pairs()]
    with pytest.raises(InputError, match=r"0 queries are too few.* 18 left out with fewer than 3 passages"):
        mined(pairs)
    few = mined([*many_pairs(), Pair("how", "to")], negatives=4)
    assert sum(few.left_out.values()) == 0


def test_a_mined_set_with_less_says_what_is_gone() -> None:
    both = mined(many_pairs())
    less = both.less(both.groups[2:], both.questions[1:], reason="too odd")
    assert less.left_out["too odd"] == 3
    assert both.less(both.groups, both.questions, reason="too odd").left_out == both.left_out
    with pytest.raises(InputError, match="too odd"):
        both.less(both.groups[:3], both.questions, reason="too odd")
    with pytest.raises(InputError, match="no held-out query"):
        both.less(both.groups, (), reason="too odd")


# An index with judgements


@pytest.fixture
def judged(plant: Plant, update: Update, index_folder: Path) -> Collection:
    """One document of two passages for each of 24 queries, each of whose second passages has the query's words."""
    filler = "nothing of note stands here at all " * 5
    records = [
        {"_id": f"d{n}", "text": f"{filler}{n}.\n\nThe {each} of the house is on the shelf of the attic."}
        for n, each in enumerate(MANY)
    ]
    plant({"corpus.jsonl": "".join(json.dumps(record) + "\n" for record in records)})
    update()
    queries = tuple(JudgedQuery(f"q{n}", f"where is the {each}") for n, each in enumerate(MANY))
    return Collection(queries, {f"q{n}": {f"corpus.jsonl#d{n}": 1} for n in range(len(MANY))})


def mined_index(
    collection: Collection,
    folder: Path,
    *,
    negatives: int = 3,
    top_k: int = 20,
    seed: int = 3,
    teacher_share: float = 0.0,
) -> Mined:
    with open_reader(folder) as index:
        return mine_index(
            collection,
            index,
            encoder=FakeEncoder(),
            top_k=top_k,
            negatives=negatives,
            teacher_share=teacher_share,
            share=0.25,
            seed=seed,
        )


def with_qrels(collection: Collection, changes: Mapping[str, Mapping[str, int]]) -> Collection:
    return replace(collection, qrels={**collection.qrels, **changes})


def test_the_positive_is_the_passage_of_the_document_that_the_first_stage_ranks_best(
    judged: Collection, index_folder: Path
) -> None:
    both = mined_index(judged, index_folder)
    assert len(both.groups) == 18 and len(both.questions) == 6
    for group in both.groups:
        words = group.query.removeprefix("where is ")
        assert f"{words} of the house" in group.passages[0].lower()
        assert not any(f"{words} of the house" in passage.lower() for passage in group.passages[1:])
        assert len(set(group.passages)) == 4


def test_a_question_has_the_first_stage_s_own_candidates_and_graded_judgements(
    judged: Collection, index_folder: Path
) -> None:
    judged = with_qrels(judged, {query: {**grades, "d999": 2} for query, grades in judged.qrels.items()})
    both = mined_index(judged, index_folder, top_k=7)
    assert {len(question.candidates) for question in both.questions} == {7}
    asked = {query.text: judged.qrels[query.id] for query in judged.queries}
    assert all(question.grades == asked[question.text] for question in both.questions)
    assert not {question.text for question in both.questions} & {group.query for group in both.groups}


def test_a_passage_of_another_relevant_document_is_no_negative(judged: Collection, index_folder: Path) -> None:
    every = {f"corpus.jsonl#d{n}": 1 for n in range(1, len(MANY), 2)}
    query = next(group.query for group in mined_index(judged, index_folder).groups if "box" in group.query)
    name = next(each.id for each in judged.queries if each.text == query)
    both = mined_index(with_qrels(judged, {name: every}), index_folder, negatives=5)
    groups = [group for group in both.groups if group.query == query]
    assert len(groups) == 12
    relevant = {MANY[int(document.split("#d")[1])] for document in every}
    for group in groups:
        assert not any(f"the {each} of" in passage.lower() for each in relevant for passage in group.passages[1:])


def test_another_passage_of_a_relevant_document_is_no_negative(
    judged: Collection, index_folder: Path, plant: Plant, update: Update
) -> None:
    query = judged.queries[0].text
    rest = "and some more of it " * 5
    plant({"two.md": f"# One\n\nHere is the boiler lid {rest}.\n\n# Two\n\nThere was the boiler lid once {rest}.\n"})
    update()
    judged = with_qrels(judged, {"q0": {"two.md": 1}})
    mined_often = [mined_index(judged, index_folder, seed=seed).groups for seed in range(12)]
    groups = [group for groups in mined_often for group in groups if group.query == query]
    assert groups and all("Here is the" in group.passages[0] for group in groups)
    assert not any("boiler lid once" in passage for group in groups for passage in group.passages)


def test_a_likely_false_negative_is_skipped_unless_it_was_judged(
    judged: Collection, index_folder: Path, plant: Plant, update: Update
) -> None:
    query = judged.queries[0].text
    plant({"twin.md": f"{query}\n"})
    update()

    def draws_twin(collection: Collection) -> set[bool]:
        drawn = [mined_index(collection, index_folder, seed=seed).groups for seed in range(12)]
        return {query in group.passages for groups in drawn for group in groups if group.query == query}

    assert draws_twin(judged) == {False}
    assert True in draws_twin(with_qrels(judged, {"q0": {**judged.qrels["q0"], "twin.md": 0}}))


def test_queries_that_cannot_be_learnt_from_are_counted_by_the_reason(judged: Collection, index_folder: Path) -> None:
    kept = {group.query for group in mined_index(judged, index_folder).groups}
    trained = [query for query in judged.queries if query.text in kept]
    judged = with_qrels(judged, {trained[0].id: {"corpus.jsonl#d0": 0}, trained[1].id: {"absent": 1}})
    both = mined_index(judged, index_folder)
    assert both.left_out["without a relevant document"] == 1
    with pytest.raises(InputError, match="fewer than 60 passages to take for negatives"):
        mined_index(judged, index_folder, negatives=60)


def test_a_query_of_2000_words_is_learnt_from_and_a_longer_one_is_counted(
    judged: Collection, index_folder: Path
) -> None:
    def asked_in(words: int) -> Mined:
        long = replace(judged.queries[0], text=" ".join([judged.queries[0].text, *["on"] * (words - 5)]))
        return mined_index(replace(judged, queries=(long, *judged.queries[1:])), index_folder)

    assert asked_in(2000).left_out == {}
    assert asked_in(2001).left_out == {"empty or too long": 1}


def test_passages_are_pooled_once() -> None:
    assert passages_of([Pair("q", "b", ("a",)), Pair("r", "a")]) == ["a", "b"]
