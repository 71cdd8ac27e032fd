"""The door for programs: what `import rerank_cli` gives, and what it does without being asked."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

import pytest

import rerank_cli
from rerank_cli import (
    Filter,
    IndexMismatch,
    IndexMissing,
    InputError,
    Library,
    ModelError,
    RerankError,
    Settings,
    UsageError,
    open_library,
    read_settings,
)
from rerank_cli.library import LibraryOptions
from rerank_cli.records import at_lines
from rerank_cli.store.layout import default_folder
from tests.conftest import Plant
from tests.fakes import FakeEncoder, FakeReranker

FILES = {
    "bikes/brakes.md": "# Brakes\n\nThe brake squeals when it is wet.\n\n# Pads\n\nNew pads quieten a brake.\n",
    "bikes/chain.md": "# Chain\n\nOil the chain, then wipe it.\n",
    "garden/slugs.txt": "Slugs eat the lettuce at night.\n",
}


@pytest.fixture
def library(docs: Path, plant: Plant, encoder: FakeEncoder, reranker: FakeReranker) -> Iterator[Library]:
    """Three documents, indexed."""
    plant(FILES)
    with open_library(docs, encoder=encoder, reranker=reranker, passage_tokens=40) as opened:
        opened.update()
        yield opened


# What is loaded


def loaded_after(statement: str) -> set[str]:
    program = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


def test_importing_the_package_loads_nothing_of_it() -> None:
    assert loaded_after("import rerank_cli") - loaded_after("pass") == {"rerank_cli"}


def test_an_error_can_be_imported_without_numpy() -> None:
    assert "numpy" not in loaded_after("from rerank_cli import RerankError, Settings")


def test_opening_a_library_loads_no_model_and_no_engine(tmp_path: Path) -> None:
    loaded = loaded_after(f"from rerank_cli import open_library; open_library({str(tmp_path)!r})")
    assert not loaded & {"torch", "onnxruntime", "tokenizers", "hnswlib", "ir_measures", "yaml", "typer", "rich"}


def test_every_public_name_is_there_and_typed() -> None:
    for name in rerank_cli.__all__:
        assert getattr(rerank_cli, name) is not None
    homes = {name for names in rerank_cli._HOMES.values() for name in names}
    assert set(rerank_cli.__all__) == homes | {"__version__"}
    assert set(dir(rerank_cli)) == set(rerank_cli.__all__)
    assert (Path(rerank_cli.__file__).parent / "py.typed").is_file()
    with pytest.raises(AttributeError, match="no attribute 'open_libary'"):
        rerank_cli.open_libary  # noqa: B018


def test_the_options_of_a_library_are_settings() -> None:
    assert set(get_type_hints(LibraryOptions)) < set(Settings.__dataclass_fields__)


# Documents and their index


def test_a_folder_is_indexed_and_searched_in_both_stages(library: Library, docs: Path) -> None:
    result = library.search("squealing brake when wet", top_n=2)
    best = result.hits[0]
    assert (best.path, best.place, best.headings) == ("bikes/brakes.md", at_lines(3, 3), ("Brakes",))
    assert best.text == "The brake squeals when it is wet."
    assert best.score is not None and 0 < best.score < 1
    assert library.location_of(best) == docs / "bikes/brakes.md"
    assert len(result.hits) == len(result.gained) == 2


def test_an_update_reads_what_changed_and_the_next_search_finds_it(library: Library, plant: Plant) -> None:
    assert library.update().up_to_date
    assert library.search("zeppelin", retriever="lexical").hits == ()
    plant({"zeppelin.txt": "A zeppelin is filled with helium.\n"})
    assert library.update().added == 1
    assert [hit.path for hit in library.search("zeppelin", retriever="lexical").hits] == ["zeppelin.txt"]


def test_a_library_moves_on_to_what_another_process_wrote_when_it_is_told_to(
    library: Library, docs: Path, plant: Plant, encoder: FakeEncoder
) -> None:
    asked = library.search("lettuce").candidates
    plant({"lettuce.txt": "Sow the lettuce in March.\n"})
    with open_library(docs, encoder=encoder) as other:
        other.update()
    assert library.search("lettuce").candidates == asked
    library.refresh()
    assert len(library.search("lettuce").candidates) == len(asked) + 1


def test_paths_narrow_a_search(library: Library) -> None:
    assert {hit.path for hit in library.search("lettuce", paths="bikes/").hits} == {"bikes/brakes.md", "bikes/chain.md"}
    assert {hit.path for hit in library.search("brake", paths=["*.txt"]).hits} == {"garden/slugs.txt"}
    assert Filter(("*.txt",)) == Filter(paths=("*.txt",))


def test_options_of_a_search_hold_for_that_search(library: Library) -> None:
    assert len(library.search("brake", top_n=1, rerank=False).hits) == 1
    assert library.search("brake", rerank=False).hits[0].score is None
    assert len(library.search("brake").hits) == 3
    least = library.search("brake").hits[0].score
    assert [hit.score for hit in library.search("brake", min_score=least).hits] == [least]


def test_a_context_has_of_every_passage_found_what_fits(library: Library, plant: Plant) -> None:
    sections = (f"# Part {n}\n\nThe brake of bicycle {n} is number {n * n}.\n\n" for n in range(30))
    plant({"bikes/long.md": "".join(sections)})
    library.update()
    context = library.context("brake of a bicycle", max_tokens=150, top_n=1, per_document=1)
    assert context.tokens == FakeEncoder().count_tokens([context.text])[0] <= 150
    assert len([part for excerpt in context.excerpts for part in excerpt.parts]) > 2
    assert context.text.startswith(f"{context.excerpts[0].citation(1)}\n```\n")
    quarters = library.context("brake of a bicycle", max_tokens=150, tokenizer="chars/4", context_style="json")
    assert quarters.tokens == -(-len(quarters.text) // 4) <= 150
    assert json.loads(quarters.text)["passages"][0]["text"] == quarters.excerpts[0].text


def test_a_context_names_no_document_outside_its_paths_or_below_its_least_score(library: Library) -> None:
    assert library.context("brake", paths="*.txt").documents == {"garden/slugs.txt"}
    nothing = library.context("brake", min_score=1.0)
    assert (nothing.excerpts, nothing.text) == ((), "Nothing in the indexed documents answers this.\n")


def test_an_unknown_tokenizer_is_told_before_a_search(library: Library, reranker: FakeReranker) -> None:
    asked = len(reranker.pairs)
    with pytest.raises(ModelError, match="nowhere: no such tokenizer"):
        library.context("brake", tokenizer="nowhere")
    assert len(reranker.pairs) == asked


def test_an_index_is_opened_by_name_by_path_and_by_its_folder(
    library: Library, docs: Path, encoder: FakeEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = default_folder(docs)
    monkeypatch.chdir(tmp_path)
    for opened in (
        open_library(folder.name, encoder=encoder),
        open_library(folder, encoder=encoder),
        open_library(index=folder, encoder=encoder),
        open_library(docs, index=folder.name, encoder=encoder),
    ):
        with opened:
            assert opened.search("brake", rerank=False).hits
            assert opened.update().up_to_date


def test_a_folder_of_documents_is_never_taken_for_an_index(
    library: Library, docs: Path, tmp_path: Path, encoder: FakeEncoder
) -> None:
    planted = tmp_path / "planted"
    planted.mkdir()
    for file in default_folder(docs).iterdir():
        if file.is_file():
            (planted / file.name).write_bytes(file.read_bytes())
    with open_library(planted, encoder=encoder) as opened, pytest.raises(IndexMissing):
        opened.search("brake")
    with open_library(index=planted, encoder=encoder) as opened:
        assert opened.search("brake", rerank=False).hits, "the caller's own word"


def test_an_index_of_other_documents_is_not_searched_for_these(
    library: Library, docs: Path, tmp_path: Path, encoder: FakeEncoder
) -> None:
    (tmp_path / "other").mkdir()
    with (
        open_library(tmp_path / "other", index=default_folder(docs), encoder=encoder) as opened,
        pytest.raises(IndexMismatch, match="was made from"),
    ):
        opened.search("brake")


@pytest.mark.parametrize("place", ["nowhere", "./nowhere", "/nowhere/at/all"])
def test_what_is_not_there_is_told_at_once(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        open_library(place)


def test_an_index_remembers_how_it_was_made(docs: Path, plant: Plant, encoder: FakeEncoder) -> None:
    plant(FILES)
    with open_library(docs, encoder=encoder, passage_tokens=40, exclude=["garden/"]) as made:
        assert made.update().files == 2
    with open_library(docs, encoder=encoder) as opened:
        assert [file.path for file in opened.find_files().files] == ["bikes/brakes.md", "bikes/chain.md"]
        assert opened.update().up_to_date
        assert opened.index.manifest.recipe.passage_tokens == 40
    with open_library(docs, encoder=encoder, exclude=[]) as opened:
        assert opened.update().added == 1
    with open_library(docs, encoder=encoder, settings=Settings(passage_tokens=50)) as opened:
        opened.update()
        assert opened.index.manifest.recipe.passage_tokens == 50, "settings that were passed are all meant"


def test_status_tells_what_is_held_and_what_changed(library: Library, docs: Path, plant: Plant) -> None:
    plant({"new.txt": "A new text.\n"})
    (docs / "garden/slugs.txt").unlink()
    status = library.status()
    assert (status.counts.files, status.unreadable, status.unknown) == (3, {}, "")
    assert status.changes is not None
    assert (status.changes.added, status.changes.removed) == (("new.txt",), ("garden/slugs.txt",))
    assert library.stale_files(library.search("lettuce at night", top_n=1).hits) == {"garden/slugs.txt": "gone"}


# Models


def test_the_encoder_is_the_one_that_the_index_names(docs: Path, plant: Plant, model_cache: Path) -> None:
    plant(FILES)
    with open_library(docs) as library:
        library.update()
        assert library.encoder.fingerprint == library.index.manifest.recipe.encoder_fingerprint
        assert library.encoder is library.encoder, "it is loaded once"
        assert library.search("lettuce", rerank=False).hits[0].path == "garden/slugs.txt"


def test_another_encoder_than_that_of_the_index_is_refused(library: Library, docs: Path) -> None:
    with (
        open_library(docs, encoder=FakeEncoder(fingerprint="another")) as other,
        pytest.raises(IndexMismatch, match="made with the encoder fake-encoder"),
    ):
        other.search("brake")


def test_texts_are_reranked_without_an_index(reranker: FakeReranker) -> None:
    with open_library(reranker=reranker) as library:
        reranked = library.rerank("wet brake", ["a dry chain", "the wet brake", "a wet brake"])
        assert reranked.order == (1, 2, 0)
        assert reranked.scores[1] == reranked.scores[2] > reranked.scores[0]
        assert reranked.logits == (-4.0, 4.0, 4.0)
        assert library.rerank("wet brake", []).order == ()
        library.rerank("brake", ["b" * 150])
        assert max(map(len, reranker.pairs[-1][1].split())) < 150, "no tokenizer reads a word so long"
        with pytest.raises(UsageError, match="the query is empty"):
            library.rerank(" ", ["text"])
        with pytest.raises(UsageError, match="the library has no index"):
            library.search("brake")


def test_of_a_long_text_the_best_passage_counts_and_equal_ones_are_scored_once(
    encoder: FakeEncoder, reranker: FakeReranker
) -> None:
    with open_library(encoder=encoder, reranker=reranker, passage_tokens=40) as library:
        long = "The chain is dry. " * 40 + "The brake is wet."
        assert library.rerank("wet brake", ["brake", long, "brake"]).logits == (0.0, 4.0, 0.0)
        passages = [passage for _, passage in reranker.pairs]
        assert max(encoder.count_tokens(passages)) <= 40
        assert len({*passages}) == len(passages) == 3


def test_files_are_reranked_without_an_index_by_their_best_passages(
    docs: Path, plant: Plant, encoder: FakeEncoder, reranker: FakeReranker
) -> None:
    plant({**FILES, "huge.txt": "brake wet " * 2000, "empty.txt": ""})
    paths = [docs / path for path in (*FILES, "gone.txt", "huge.txt", "empty.txt")]
    with open_library(encoder=encoder, reranker=reranker, passage_tokens=40, max_file_size=10_000) as library:
        result = library.rerank_files("wet brake", paths)
    assert [(file.number, file.path.name, file.logit) for file in result.files] == [
        (0, "brakes.md", 4.0),
        (1, "chain.md", -4.0),
        (2, "slugs.txt", -4.0),
    ]
    best = result.files[0]
    assert (best.passage.place, best.passage.headings) == (at_lines(3, 3), ("Brakes",))
    assert best.score > 0.9
    assert [(Path(file.path).name, file.cause) for file in result.skipped] == [
        ("gone.txt", "failed"),
        ("huge.txt", "too large"),
        ("empty.txt", "empty"),
    ]


# What is like a passage


def test_what_is_like_a_passage_is_found_but_its_own_document_is_not(library: Library, reranker: FakeReranker) -> None:
    result = library.similar("bikes/brakes.md", 7)
    assert result.query == "Brakes > Pads. New pads quieten a brake."
    assert {hit.path for hit in result.hits} == {"bikes/chain.md", "garden/slugs.txt"}
    assert [candidate.rank for candidate in result.candidates] == [1, 2]
    assert {query for query, _ in reranker.pairs} == {result.query}


def test_a_line_of_a_heading_or_between_two_texts_is_that_of_the_next(library: Library) -> None:
    asked = {line: library.similar("bikes/brakes.md", line, rerank=False).query for line in (1, 3, 4, 7)}
    opening, pads = "Brakes. The brake squeals when it is wet.", "Brakes > Pads. New pads quieten a brake."
    assert asked == {1: opening, 3: opening, 4: pads, 7: pads}
    assert library.similar("bikes/brakes.md", rerank=False).query == f"{opening} {pads}"
    assert library.similar("bikes/brakes.md", 1, 9, rerank=False).query == f"{opening} {pads}"


def test_passages_under_the_same_headings_are_asked_with_under_them_once(library: Library, plant: Plant) -> None:
    plant({"mud.md": "# Mud\n\n" + "Hose the frame down before it dries. " * 8})
    library.update()
    assert len([*library.index.read_file("mud.md")]) > 1
    assert library.similar("mud.md", rerank=False).query.count("Mud.") == 1


def test_of_a_long_file_the_beginning_is_asked_with(library: Library, plant: Plant) -> None:
    plant({"long.txt": "Wet brake. " + "word " * 3000 + "lettuce"})
    library.update()
    query = library.similar("long.txt", rerank=False).query
    assert query.startswith("Wet brake. word") and len(query.split()) == 400


def test_a_record_is_like_others_of_its_file(library: Library, plant: Plant) -> None:
    plant({"tips.jsonl": '{"_id": "a", "text": "Wet brake pads."}\n{"_id": "b", "text": "Dry brake pads."}\n'})
    library.update()
    hits = library.similar("tips.jsonl", 2, rerank=False).hits
    assert hits[0].document_id == "tips.jsonl#a"
    assert "tips.jsonl#b" not in {hit.document_id for hit in hits}


def test_what_nobody_can_ask_with_is_told(library: Library, plant: Plant) -> None:
    plant({"empty.txt": ""})
    library.update()
    for path, lines, told, remedy in (
        ("gone.md", (), "gone.md: not in the index", "rerank-cli index"),
        ("empty.txt", (), "the index has no text of it", "another"),
        ("bikes/chain.md", (90,), "nothing stands at line 90", "the nearest text stands at line 3"),
        ("bikes/chain.md", (3, 1), "from 3 to 1", "smaller one first"),
    ):
        with pytest.raises(UsageError, match=told) as raised:
            library.similar(path, *lines)
        assert remedy in raised.value.remedy


def test_only_files_that_are_asked_for_are_like_it(library: Library) -> None:
    hits = library.similar("bikes/brakes.md", paths="garden/", rerank=False).hits
    assert [hit.path for hit in hits] == ["garden/slugs.txt"]


# Evaluation


def test_both_stages_are_evaluated_on_judged_queries(library: Library, docs: Path) -> None:
    queries = {"1": "wet brake squeals", "2": "what eats lettuce", "3": "not judged"}
    qrels = {"1": {"bikes/brakes.md": 1}, "2": {"garden/slugs.txt": 1}}
    evaluation = library.evaluate(queries=queries, qrels=qrels, measures=["nDCG@10"])
    assert evaluation.is_complete and evaluation.total == 2
    assert evaluation.final.overall["nDCG@10"] == 1.0
    assert library.evaluate(queries=queries, qrels=qrels, rerank=False).stages is not None
    (docs.parent / "judged").mkdir()
    (docs.parent / "judged" / "queries.tsv").write_text("1\twet brake squeals\n")
    (docs.parent / "judged" / "qrels.tsv").write_text("1\tbikes/brakes.md\t1\n")
    assert library.evaluate(docs.parent / "judged", measures=["nDCG@10"]).final.overall["nDCG@10"] == 1.0
    with pytest.raises(UsageError, match="of two kinds"):
        library.evaluate(queries=queries, qrels=docs.parent / "judged" / "qrels.tsv")
    with pytest.raises(UsageError, match="none of the queries is judged"):
        library.evaluate(queries={"9": "brake"}, qrels=qrels)


# Settings


def test_no_settings_file_and_no_variable_counts_unless_asked_for(
    library: Library, docs: Path, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    (docs / "rerank.yaml").write_text("top_n: 1\n")
    monkeypatch.setenv("RERANK_CLI_TOP_K", "2")
    monkeypatch.chdir(docs)
    with open_library(docs, encoder=encoder) as opened:
        assert (opened.settings.top_n, opened.settings.top_k) == (10, 100)
    with open_library(docs, encoder=encoder, settings=read_settings(docs), per_document=3) as opened:
        assert (opened.settings.top_n, opened.settings.top_k, opened.settings.per_document) == (1, 2, 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"top_k": 0}, "top_k is 0"),
        ({"topk": 5}, "topk is no setting"),
        ({"retriever": "sparse"}, "retriever is 'sparse'"),
        ({"encoder": ""}, "encoder is ''"),
    ],
)
def test_a_wrong_option_is_one_of_our_errors(docs: Path, options: dict[str, object], message: str) -> None:
    with pytest.raises(RerankError, match=message):
        open_library(docs, **options)  # type: ignore[arg-type]


def test_min_score_without_a_reranker_is_refused(library: Library) -> None:
    with pytest.raises(UsageError, match="min_score"):
        library.search("brake", rerank=False, min_score=0.5)


def test_the_core_is_silent(library: Library, capfd: pytest.CaptureFixture[str]) -> None:
    library.update(verify=True)
    library.search("brake")
    assert capfd.readouterr() == ("", "")
