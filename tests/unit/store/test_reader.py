from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rerank_cli.ports import Changes, FileState, Filter, NewFile, Origin, Ranking, Rarity
from rerank_cli.records import Passage, SplitDocument, at_lines
from rerank_cli.stamps import Stamp
from rerank_cli.store import open_reader, open_writer, origins, writer
from rerank_cli.store import reader as reader_module
from rerank_cli.store.manifest import Generation
from rerank_cli.store.reader import IndexReader
from tests.unit.store.texts import RECIPE, commit, found, keep, new_file, vector_of


def paths(reader: IndexReader, ranking: Ranking) -> list[str]:
    stored = reader.read([passage for passage, _ in ranking])
    return [stored[passage].path for passage, _ in ranking]


# Words


def test_a_word_is_as_rare_as_the_index_says_unless_another_rarity_is_given(folder: Path) -> None:
    with open_writer(folder, wait_s=0) as writing:
        commit(writing, {"c.md": ["sour plums", "sour pears", "limes"]})
    words = ["plums", "pears", 'no "word']
    with open_reader(folder) as reader:
        own = reader.rarity(words)
        assert own == Rarity(6, {"plums": 2, "pears": 2, 'no "word': 0})
        assert reader.search_lexical(words, 9, rarity=own) == reader.search_lexical(words, 9)
        only = Filter(("c.md",))
        assert reader.search_lexical(words, 9, within=only, rarity=own) == reader.search_lexical(words, 9, within=only)
        among_many = reader.search_lexical(words, 9, rarity=Rarity(1000, {"plums": 2, "pears": 900, 'no "word': 0}))
        plums = [passage for passage, _ in reader.search_lexical(["plums"], 9)]
        assert [passage for passage, _ in among_many[:2]] == plums


# A generation


def test_a_reader_sees_its_generation_until_it_closes(folder: Path) -> None:
    with open_reader(folder) as reader:
        before = found(reader, "plums")
        with open_writer(folder, wait_s=0) as writing:
            commit(writing, {"c.md": ["cherries"]}, removed=("b.md",))
        assert found(reader, "plums") == before
        assert reader.counts().documents == 2
        assert len(reader.search_lexical(["plums"], 5)) == 1
    with open_reader(folder) as reader:
        assert set(found(reader, "plums")) == {"apples", "pears", "cherries"}
        assert reader.search_lexical(["plums"], 5) == []


@pytest.mark.parametrize("prunes", [False, True])
def test_a_reader_that_first_searches_after_a_commit_still_sees_its_generation(folder: Path, prunes: bool) -> None:
    with open_writer(folder, wait_s=0) as writing:  # of a run that was killed
        keep(writing, ["stray"])
    queries = [vector_of("plums"), vector_of("stray")]
    with open_reader(folder) as sooner:
        expected = [sooner.search_dense(query, 1) for query in queries]
    with open_reader(folder) as reader:
        with open_writer(folder, wait_s=0) as writing:
            commit(writing, {"c.md": ["cherries"]}, removed=("b.md",))
            writing.commit(Changes(), RECIPE, prune=prunes)
        assert [reader.search_dense(query, 1) for query in queries] == expected


def test_a_reader_is_not_held_up_by_an_unfinished_commit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def look_in_between(connection: object, generation: Generation) -> None:
        with open_reader(folder) as reader:
            seen.append((reader.manifest.generation, sorted(found(reader, "plums"))))
        raise KeyboardInterrupt

    monkeypatch.setattr(writer, "write_generation", look_in_between)
    with pytest.raises(KeyboardInterrupt), open_writer(folder, wait_s=0) as writing:
        commit(writing, {"c.md": ["cherries"]})
    assert seen == [(1, ["apples", "pears", "plums"])]


def test_a_reader_that_rested_goes_on_with_the_newest_generation(folder: Path) -> None:
    with open_reader(folder) as reader:
        fruit = Filter(("b.md",))
        assert len(reader.search_dense(vector_of("plums"), 9, within=fruit)) == 1
        reader.rest()
        with open_writer(folder, wait_s=0) as writing:
            commit(writing, {"b.md": ["cherries", "grapes"]})
        reader.wake()
        assert reader.manifest.generation == 2
        assert set(found(reader, "plums")) == {"apples", "pears", "cherries", "grapes"}
        assert paths(reader, reader.search_dense(vector_of("plums"), 9, within=fruit)) == ["b.md", "b.md"]
        assert reader.search_lexical(["plums"], 9, within=fruit) == []


# Lists


def test_the_nearest_are_those_of_numpy_in_its_order(tmp_path: Path) -> None:
    texts = [f"text {n}" for n in range(300)]
    with open_writer(tmp_path / "index", wait_s=0) as writing:
        commit(writing, {f"{n:03}.md": [text] for n, text in enumerate(texts)})
    matrix = np.stack([vector_of(text) for text in texts])
    with open_reader(tmp_path / "index") as reader:
        for query in ("whatever", "text 7"):
            scores = matrix @ vector_of(query)
            ranking = reader.search_dense(vector_of(query), 50)
            best = np.argsort(-scores, kind="stable")[:50]
            assert paths(reader, ranking) == [f"{n:03}.md" for n in best]
            assert [score for _, score in ranking] == pytest.approx(scores[best].tolist(), abs=1e-6)


def test_asking_for_more_than_there_is_gives_all_there_is(folder: Path, tmp_path: Path) -> None:
    with open_reader(folder) as reader:
        assert len(reader.search_dense(vector_of("plums"), 1000)) == 3
    with open_writer(tmp_path / "empty", wait_s=0) as writing:
        commit(writing, {})
    with open_reader(tmp_path / "empty") as reader:
        assert reader.search_dense(vector_of("plums"), 5) == []
        assert reader.search_dense(vector_of("plums"), 5, within=Filter(("*.md",))) == []
        assert reader.search_lexical(["plums"], 5) == []


def test_two_documents_may_have_one_id_in_two_files(folder: Path) -> None:
    with open_writer(folder, wait_s=0) as writing:
        writing.stage(new_file("z.jsonl", ["apples"], document_id="a.md"), key="")
        writing.commit(Changes(("z.jsonl",)), RECIPE)
    with open_reader(folder) as reader:
        assert paths(reader, reader.search_dense(vector_of("apples"), 2)) == ["a.md", "z.jsonl"]


def test_among_many_equal_scores_the_first_documents_are_taken(tmp_path: Path) -> None:
    """More of them than the list is deep, and those that come first in order written last."""
    with open_writer(tmp_path / "index", wait_s=0) as writing:
        commit(writing, {f"{n:02}.md": ["plums"] for n in reversed(range(60))})
    with open_reader(tmp_path / "index") as reader:
        for ranking in (reader.search_lexical(["plums"], 3), reader.search_dense(vector_of("plums"), 3)):
            assert paths(reader, ranking) == ["00.md", "01.md", "02.md"]


def test_a_text_that_many_passages_have_does_not_hide_the_next(tmp_path: Path) -> None:
    with open_writer(tmp_path / "index", wait_s=0) as writing:
        commit(writing, {f"{n:02}.md": ["plums"] for n in range(60)} | {"pears.md": ["pears"]})
    with open_reader(tmp_path / "index") as reader:
        assert found(reader, "plums", 61)[-1] == "pears"
        assert len(found(reader, "pears", 40)) == 40


def test_texts_that_are_gone_do_not_shorten_a_list(tmp_path: Path) -> None:
    """Their vectors stay, and each of them is nearer to the query than what is left."""
    near = vector_of("plums")
    with open_writer(tmp_path / "index", wait_s=0) as writing:
        for n in range(100):
            nudged = near + np.float32(0.001 * n) * vector_of("nudge")
            files = new_file(f"{n:03}.md", [f"near {n}"])
            passage = files.documents[0].passages[0]
            writing.keep_vectors("fake", [passage.text_hash], nudged[None] / np.linalg.norm(nudged))
            writing.stage(files, key="")
        writing.commit(Changes(tuple(f"{n:03}.md" for n in range(100))), RECIPE)
        commit(writing, {"far.md": ["pears", "apples"]}, removed=tuple(f"{n:03}.md" for n in range(99)))
    with open_reader(tmp_path / "index") as reader:
        assert found(reader, "plums", 3)[0] == "near 99"
        assert set(found(reader, "plums", 3)) == {"near 99", "pears", "apples"}


# What is read


def test_headings_come_back_on_one_line_each(folder: Path) -> None:
    state = FileState("h.md", stamp=Stamp(1, 1, 1, 1), content_hash=b"x", reader="text", failure=None)
    passage = Passage(0, at_lines(1, 1), ("Fruit and more", "Apples"), "apples")
    with open_writer(folder, wait_s=0) as writing:
        writing.keep_vectors("fake", [passage.text_hash], vector_of("h")[None])
        writing.stage(NewFile(state, (SplitDocument("h.md", "h", (passage,)),)), key="")
        writing.commit(Changes(("h.md",)), RECIPE)
    with open_reader(folder) as reader:
        (stored,) = (each for each in reader.scan() if each.path == "h.md")
        assert (stored.passage, stored.title) == (passage, "h")


def test_a_file_is_read_in_its_own_order_or_between_two_lines(folder: Path) -> None:
    records = tuple(
        SplitDocument(
            f"r#{name}", name, tuple(Passage(at, at_lines(line + at, line + at), (), f"{name} {at}") for at in (0, 1))
        )
        for name, line in (("z", 1), ("a", 11))
    )
    state = FileState("r.jsonl", stamp=Stamp(1, 1, 1, 1), content_hash=b"x", reader="jsonl", failure=None)
    with open_writer(folder, wait_s=0) as writing:
        keep(writing, ["z 0", "z 1", "a 0", "a 1"])
        writing.stage(NewFile(state, records), key="")
        writing.commit(Changes(("r.jsonl",)), RECIPE)
    with open_reader(folder) as reader:

        def texts(**lines: int) -> list[str]:
            return [stored.passage.text for stored in reader.read_file("r.jsonl", **lines)]

        assert texts() == ["z 0", "z 1", "a 0", "a 1"]
        assert texts(first=2, last=11) == ["z 1", "a 0"]
        assert (texts(first=11), texts(last=1), texts(first=3, last=10)) == (["a 0", "a 1"], ["z 0"], [])
        assert list(reader.read_file("gone.md")) == []


def test_few_statements_are_kept_whatever_number_of_passages_is_read(folder: Path) -> None:
    """A connection keeps those that it ran last, and each has room for every value that it names."""
    ran: list[str] = []
    with open_reader(folder) as reader:
        reader._snapshot.connection.set_trace_callback(ran.append)
        for count in range(1, 200):
            assert len(reader.read(range(count))) == min(count - 1, 3)
    assert len({statement.count(",") for statement in ran}) < 10


def test_more_ids_than_one_statement_takes_are_read(folder: Path) -> None:
    with open_reader(folder) as reader:
        assert len(reader.read(range(25_000))) == 3


def test_origins_files_and_documents_are_told(folder: Path) -> None:
    with open_reader(folder) as reader:
        ids = {stored.passage.text: stored.id for stored in reader.scan()}
        assert reader.origins([ids["pears"]]) == {ids["pears"]: Origin("a.md", 1, "a.md")}
        assert reader.files().keys() == {"a.md", "b.md"}
        assert reader.file_states(["b.md", "gone.md"]).keys() == {"b.md"}
        assert reader.has_documents(["a.md", "gone.md"]) == {"a.md"}


def test_an_opening_cosine_is_that_of_the_first_passage_of_the_document(folder: Path) -> None:
    with open_reader(folder) as reader:
        ids = {stored.passage.text: stored.id for stored in reader.scan()}
        cosines = reader.opening_cosines(vector_of("plums"), [ids["pears"], ids["plums"]])
        expected = [float(vector_of("plums") @ vector_of(text)) for text in ("apples", "plums")]
        assert [cosines[ids["pears"]], cosines[ids["plums"]]] == pytest.approx(expected, abs=1e-6)


def asked(reader: IndexReader, word: str) -> tuple[object, ...]:
    """All that the first stage looks up for one query."""
    nearest = reader.search_dense(vector_of(word), 5)
    ids = [passage for passage, _ in nearest]
    return nearest, reader.search_lexical([word], 5), reader.origins(ids), reader.opening_cosines(vector_of(word), ids)


@pytest.mark.parametrize("known", [0, 2, 1 << 16])
def test_what_a_reader_remembers_changes_no_answer(folder: Path, monkeypatch: pytest.MonkeyPatch, known: int) -> None:
    words = ["plums", "apples", "pears", "plums", "limes", "apples"]
    answers = []
    for word in words:
        with open_reader(folder) as fresh:
            answers.append(asked(fresh, word))
    monkeypatch.setattr(origins, "MOST_KNOWN", known)
    monkeypatch.setattr(reader_module, "MOST_KNOWN", known)
    with open_reader(folder) as reader:
        assert [asked(reader, word) for word in words] == answers


def test_where_a_passage_comes_from_is_looked_up_once(folder: Path) -> None:
    ran: list[str] = []
    with open_reader(folder) as reader:
        reader._snapshot.connection.set_trace_callback(ran.append)
        for _ in range(3):
            asked(reader, "plums")
    assert len([statement for statement in ran if "FROM passages" in statement]) == 2  # by texts, then by ids
    assert len([statement for statement in ran if "words MATCH" in statement]) == 3
