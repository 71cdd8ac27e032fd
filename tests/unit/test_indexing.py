from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rerank_cli import stamps
from rerank_cli.encoding import ENCODE_BATCH
from rerank_cli.errors import IndexMismatch, InputError, UsageError
from rerank_cli.indexing import IndexSettings, IndexSummary, update_index
from rerank_cli.ports import Filter
from rerank_cli.records import Progress, Rules, StoredPassage
from rerank_cli.stamps import stamp_of
from rerank_cli.store import open_reader, open_writer
from rerank_cli.store.layout import Layout
from rerank_cli.store.reader import IndexReader
from tests.clocks import WatchedClock
from tests.conftest import Plant, Update
from tests.fakes import FakeEncoder

FILES = {
    "brakes.md": "# Brakes\n\nThe brake squeals when it is wet.\n",
    "notes/chain.txt": "Oil the chain, then wipe it.\n",
    "log.jsonl": '{"id": 1, "text": "pumped the tyres"}\n{"id": 2, "text": "trued the wheel"}\n',
}


@pytest.fixture
def indexed(plant: Plant, update: Update, encoder: FakeEncoder) -> IndexSummary:
    plant(FILES)
    summary = update()
    encoder.encoded.clear()
    return summary


def passages(index_folder: Path) -> list[StoredPassage]:
    with open_reader(index_folder) as index:
        return sorted(
            index.scan(),
            key=lambda stored: (stored.document_id, stored.passage.ordinal),
        )


def documents(index_folder: Path) -> set[str]:
    with open_reader(index_folder) as index:
        return set({stored.document_id for stored in index.scan()})


def written(index_folder: Path) -> dict[str, tuple[int, bytes]]:
    """When each file of the index was written, and what it holds, but for the lock, which says who took it last."""
    files = (path for path in index_folder.iterdir() if path != Layout(index_folder).lock)
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def counted(summary: IndexSummary) -> tuple[int, int, int, int]:
    return summary.added, summary.changed, summary.removed, summary.unchanged


def test_a_first_run_indexes_every_file(indexed: IndexSummary, index_folder: Path) -> None:
    assert counted(indexed) == (3, 0, 0, 0)
    assert (indexed.generation, indexed.documents, indexed.passages, indexed.encoded) == (1, 4, 4, 4)
    assert documents(index_folder) == {"brakes.md", "notes/chain.txt", "log.jsonl#1", "log.jsonl#2"}
    brakes = passages(index_folder)[0]
    assert (brakes.path, brakes.title, brakes.passage.headings) == ("brakes.md", "Brakes", ("Brakes",))
    assert (brakes.passage.place.first, brakes.passage.place.last) == (3, 3)


def test_nothing_to_do_neither_encodes_nor_makes_a_generation(
    indexed: IndexSummary, update: Update, encoder: FakeEncoder, index_folder: Path
) -> None:
    before = written(index_folder)
    again = update()
    assert again.up_to_date
    assert counted(again) == (0, 0, 0, 3)
    assert (again.generation, again.encoded, encoder.encoded) == (1, 0, [])
    assert written(index_folder) == before


def test_only_what_changed_is_encoded(
    indexed: IndexSummary, plant: Plant, update: Update, encoder: FakeEncoder
) -> None:
    plant({"log.jsonl": FILES["log.jsonl"] + '{"id": 3, "text": "new saddle"}\n'})
    summary = update()
    assert counted(summary) == (0, 1, 0, 2)
    assert encoder.encoded == ["new saddle"]
    assert (summary.encoded, summary.reused) == (1, 2)


def test_renaming_moving_and_copying_encode_nothing(
    indexed: IndexSummary, docs: Path, update: Update, encoder: FakeEncoder, index_folder: Path
) -> None:
    (docs / "brakes.md").rename(docs / "stops.md")
    (docs / "elsewhere").mkdir()
    (docs / "notes" / "chain.txt").rename(docs / "elsewhere" / "chain.txt")
    (docs / "copy.jsonl").write_bytes((docs / "log.jsonl").read_bytes())
    summary = update()
    assert counted(summary) == (3, 0, 2, 1)
    assert (summary.encoded, encoder.encoded) == (0, [])
    assert documents(index_folder) == {
        "stops.md",
        "elsewhere/chain.txt",
        *(f"{name}.jsonl#{number}" for name in ("log", "copy") for number in (1, 2)),
    }


def test_a_touched_file_is_unchanged_and_makes_no_generation(
    indexed: IndexSummary, docs: Path, update: Update, encoder: FakeEncoder
) -> None:
    os.utime(docs / "brakes.md", (1_700_000_000, 1_700_000_000))
    summary = update()
    assert summary.up_to_date
    assert (summary.generation, encoder.encoded) == (1, [])


def test_a_touched_file_is_not_read_at_every_run_from_then_on(
    indexed: IndexSummary, docs: Path, update: Update, index_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stamps, "SETTLED_NS", 0)
    os.utime(docs / "brakes.md", (1_700_000_000, 1_700_000_000))
    update()
    with open_reader(index_folder) as index:
        assert index.files()["brakes.md"].stamp == stamp_of((docs / "brakes.md").stat())


def test_a_change_of_the_same_size_at_the_same_time_stamp_is_seen(docs: Path, update: Update) -> None:
    """The stamp of a file changed a moment ago proves nothing: the clock may not have ticked since."""
    (docs / "a.md").write_text("old words\n")
    stamp = (docs / "a.md").stat().st_mtime_ns
    update()
    (docs / "a.md").write_text("new words\n")
    os.utime(docs / "a.md", ns=(stamp, stamp))
    assert counted(update()) == (0, 1, 0, 0)


def test_a_file_from_the_future_is_compared_by_content(docs: Path, update: Update) -> None:
    soon = time.time_ns() + 10**12
    for text in ("old words\n", "new words\n"):
        (docs / "a.md").write_text(text)
        os.utime(docs / "a.md", ns=(soon, soon))
        assert not update().up_to_date
    assert update().up_to_date


def test_another_passage_size_splits_every_file_again(
    plant: Plant, update: Update, encoder: FakeEncoder, index_folder: Path
) -> None:
    plant({"a.md": "One short sentence here. Another short sentence there. " * 5, "b.md": "Few words.\n"})
    update(passage_tokens=40)
    whole = len(passages(index_folder))
    encoder.encoded.clear()
    summary = update(passage_tokens=16)
    assert counted(summary) == (0, 2, 0, 0)
    assert len(passages(index_folder)) > whole
    assert "Few words." not in encoder.encoded
    assert update(passage_tokens=16).up_to_date


def test_rebuilding_reads_every_file_again_but_keeps_the_vectors(
    indexed: IndexSummary, update: Update, encoder: FakeEncoder
) -> None:
    summary = update(rebuild=True)
    assert (summary.changed, summary.generation, summary.reused, encoder.encoded) == (3, 2, 4, [])


def test_a_file_left_out_by_a_new_rule_leaves_the_index(
    indexed: IndexSummary, update: Update, index_folder: Path
) -> None:
    assert update(rules=Rules(exclude=("*.jsonl",))).removed == 1
    assert documents(index_folder) == {"brakes.md", "notes/chain.txt"}


def test_a_new_rule_is_remembered_even_where_it_changes_no_file(
    indexed: IndexSummary, update: Update, index_folder: Path
) -> None:
    rules = Rules(exclude=("*.log",))
    update(rules=rules)
    with open_reader(index_folder) as index:
        assert index.manifest.recipe.rules["exclude"] == ["*.log"]
        generation = index.manifest.generation
    assert update(rules=rules).generation == generation


def test_passages_that_do_not_fit_the_encoder_are_refused(plant: Plant, update: Update) -> None:
    plant({"a.md": "words\n"})
    with pytest.raises(UsageError, match="reads 32") as caught:
        update(encoder=FakeEncoder(max_tokens=32), passage_tokens=33)
    assert "32 or less" in caught.value.remedy


def test_an_index_of_another_folder_is_left_alone(
    indexed: IndexSummary, update: Update, tmp_path: Path, index_folder: Path
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x.md").write_text("x\n")
    with pytest.raises(IndexMismatch, match="was made from") as caught:
        update(tmp_path / "other")
    assert "--index" in caught.value.remedy
    assert "brakes.md" in documents(index_folder)
    update(tmp_path / "other", rebuild=True)
    assert documents(index_folder) == {"x.md"}


def test_another_encoder_is_refused_until_a_rebuild(indexed: IndexSummary, update: Update, index_folder: Path) -> None:
    another = FakeEncoder(fingerprint="another", dimensions=16)
    with pytest.raises(IndexMismatch, match="made with the encoder") as caught:
        update(encoder=another)
    assert "--rebuild" in caught.value.remedy
    assert update(encoder=another, rebuild=True).encoded == 4
    with open_reader(index_folder) as index:
        assert index.manifest.recipe.encoder_fingerprint == "another"
        assert len(index.search_dense(another.encode_queries(["brake"])[0], 10)) == 4


def test_one_text_is_encoded_once_however_often_it_stands(plant: Plant, update: Update, encoder: FakeEncoder) -> None:
    plant({f"{n}.md": "The same words.\n" for n in range(5)})
    summary = update()
    assert encoder.encoded == ["The same words."]
    assert (summary.passages, summary.encoded, summary.reused) == (5, 1, 4)


def test_progress_tells_of_reading_encoding_and_writing(plant: Plant, update: Update) -> None:
    numbers = "".join(f'{{"text": "number {n}"}}\n' for n in range(ENCODE_BATCH + 1))
    plant({"a.jsonl": numbers, "b.md": "b\n"})
    seen: list[Progress] = []
    update(listener=seen.append)
    total = ENCODE_BATCH + 2
    assert [each._replace(share=None) for each in seen] == [
        Progress("read", 0, 2),
        Progress("read", 1, 2),
        Progress("encode", 0, total),
        Progress("encode", ENCODE_BATCH, total),
        Progress("write", 0, 0),
    ]
    assert [each.share for each in seen] == [0, 0, 0, pytest.approx(ENCODE_BATCH / total), None]


def test_progress_tells_how_much_of_the_work_is_done_by_the_bytes_of_files_that_are_read_and_encoded(
    plant: Plant, update: Update
) -> None:
    plant({f"{n}.jsonl": '{"text": "the same words"}\n' * 10 for n in range(4)})
    seen: list[Progress] = []
    update(listener=seen.append)
    shares = [(each.stage, each.share) for each in seen if each.share is not None]
    assert shares == [  # one text waits, of so many passages
        ("read", 0),
        ("read", pytest.approx(1 / 4 * 9 / 10)),
        ("read", pytest.approx(2 / 4 * 19 / 20)),
        ("read", pytest.approx(3 / 4 * 29 / 30)),
        ("encode", pytest.approx(39 / 40)),
    ]


def test_a_single_file_is_a_corpus_whose_records_keep_their_bare_ids(
    docs: Path, plant: Plant, update: Update, index_folder: Path
) -> None:
    plant(FILES)
    update(docs / "log.jsonl")
    assert documents(index_folder) == {"1", "2"}


@pytest.mark.parametrize(
    "name", ["[b]x\n.md", "with spaces.md", "über/ähnlich.md", "\x1b[31m.md", "'\"%_?.md", "a#b.md", "-rf.md"]
)
def test_any_file_name_is_indexed_found_and_removed(
    docs: Path, plant: Plant, update: Update, index_folder: Path, name: str
) -> None:
    plant({name: "# Odd\nname\n\nwords\n", "other.md": "other\n"})
    assert update().failed == ()
    assert documents(index_folder) == {name, "other.md"}
    assert update().up_to_date
    (docs / name).unlink()
    assert update().removed == 1
    assert documents(index_folder) == {"other.md"}


def test_files_added_while_waiting_for_another_writer_are_not_taken_for_removed(
    indexed: IndexSummary,
    docs: Path,
    update: Update,
    encoder: FakeEncoder,
    index_folder: Path,
    watched_clock: WatchedClock,
) -> None:
    """What the folder holds is looked up after the wait, not before."""
    settings = IndexSettings(encoder="fake", passage_tokens=40, rules=Rules())
    with ThreadPoolExecutor(1) as pool:
        with open_writer(index_folder, wait_s=0) as quicker:
            waiting = pool.submit(update, wait_s=300.0)
            watched_clock.until_others_wait(1)
            (docs / "late.md").write_text("late\n")
            update_index(docs, writer=quicker, encoder=encoder, settings=settings)
        assert waiting.result().up_to_date
    assert "late.md" in documents(index_folder)


def test_a_missing_root_is_an_error_of_the_input(indexed: IndexSummary, docs: Path, update: Update) -> None:
    with pytest.raises(InputError, match="no such folder"):
        update(docs / "gone")


def test_a_removed_document_is_never_found_though_its_vector_stays(
    indexed: IndexSummary, docs: Path, update: Update, encoder: FakeEncoder, index_folder: Path
) -> None:
    (docs / "brakes.md").unlink()
    update()
    with open_reader(index_folder) as index:
        ranking = index.search_dense(encoder.encode_queries(["The brake squeals when it is wet."])[0], 10)
        assert len(ranking) == 3
        assert "brakes.md" not in {stored.path for stored in index.read([each for each, _ in ranking]).values()}
    (docs / "brakes.md").write_text(FILES["brakes.md"])
    update()
    assert encoder.encoded == []


def test_a_reader_leaves_nothing_behind(indexed: IndexSummary, index_folder: Path) -> None:
    with open_reader(index_folder) as index:
        assert isinstance(index, IndexReader)
    vectors = [path.name for path in Layout(index_folder).vectors()]
    assert len(vectors) == 2
    files = ["catalog.seal", "catalog.sqlite", "write.lock"]
    assert sorted(path.name for path in index_folder.iterdir()) == sorted([*vectors, *files])


def site(count: int, *, own: str = "wheel") -> dict[str, str]:
    """Pages under one header."""
    body = "All that there is to be said of it, and of the {}, in some forty or fifty words. "
    pages = {f"{n}.html": body.format(f"{own} {n}") * 3 for n in range(count)}
    return {path: f"<div>Acme Pottery</div><h1>Page</h1><p>{text}</p>" for path, text in pages.items()}


def with_header(index_folder: Path) -> list[str]:
    with open_reader(index_folder) as index:
        return sorted(stored.path for stored in index.scan() if "Acme" in stored.passage.model_text)


def test_what_most_pages_of_a_folder_repeat_is_indexed_once_and_the_summary_says_so(
    plant: Plant, update: Update, encoder: FakeEncoder, index_folder: Path, docs: Path
) -> None:
    plant(site(4))
    assert update().repeating == 0
    assert len(with_header(index_folder)) == 4
    plant({"4.html": site(5)["4.html"]})
    grown = update()
    assert (grown.repeating, grown.added, grown.changed) == (4, 1, 3)
    assert with_header(index_folder) == ["0.html"]
    assert update().up_to_date
    (docs / "0.html").unlink()
    encoder.encoded.clear()
    assert counted(update()) == (0, 4, 1, 0)
    assert len(with_header(index_folder)) == 4
    assert len(encoder.encoded) == 1


def test_pages_that_are_read_in_a_process_of_their_own_are_no_exception(
    plant: Plant, update: Update, index_folder: Path
) -> None:
    plant({path: text + "<p><b>!</b></p>" * 1000 for path, text in site(6).items()})
    assert update().repeating == 5
    assert with_header(index_folder) == ["0.html"]


def test_a_page_that_is_no_page_any_more_counts_no_longer(
    plant: Plant, update: Update, docs: Path, index_folder: Path
) -> None:
    plant(site(5))
    update()
    (docs / "2.html").rename(docs / "2.txt")
    update()
    assert {"0.html", "1.html", "3.html", "4.html"} <= {*with_header(index_folder)}


def test_a_page_that_changes_while_others_are_compared_with_it_is_looked_at_again(
    plant: Plant, update: Update, docs: Path, index_folder: Path
) -> None:
    plant(site(5))

    def change(progress: Progress) -> None:
        if (progress.stage, progress.done) == ("read", 0):
            (docs / "3.html").write_text("<p>All new.</p>")
            (docs / "4.html").write_text("<p>And this.</p>")

    update(listener=change)
    assert with_header(index_folder) == ["0.html"]
    update()
    assert with_header(index_folder) == ["0.html", "1.html", "2.html"]
    assert update().up_to_date


def test_a_page_that_is_indexed_by_itself_is_whole(
    plant: Plant, update: Update, docs: Path, index_folder: Path, tmp_path: Path
) -> None:
    plant(site(6))
    assert update(docs / "3.html", index_folder=tmp_path / "lone").repeating == 0


def within(index_folder: Path, **times: int) -> list[str]:
    with open_reader(index_folder) as index:
        ranking = index.search_lexical(["brake"], 10, within=Filter(**times))
        return sorted(stored.path for stored in index.read([passage for passage, _ in ranking]).values())


def test_a_file_that_was_changed_a_moment_ago_has_its_time(
    plant: Plant, update: Update, docs: Path, index_folder: Path
) -> None:
    """Its stamp is not trusted yet, and is none."""
    plant({"old.md": "An old brake.\n"})
    (docs / "new.md").write_text("A new brake.\n")
    before = int(time.time()) - 60
    update()
    assert within(index_folder, since=before) == ["new.md"]
    assert within(index_folder, until=before) == ["old.md"]


def test_a_file_that_is_touched_has_its_new_time_and_nothing_else_changes(
    plant: Plant, update: Update, docs: Path, index_folder: Path
) -> None:
    plant({"a.md": "A brake.\n", "b.md": "Another brake.\n"})
    update()
    os.utime(docs / "a.md", (2_000_000_000, 2_000_000_000))
    summary = update()
    assert (summary.up_to_date, summary.generation) == (True, 1)
    assert within(index_folder, since=2_000_000_000) == ["a.md"]
    now = time.time()
    os.utime(docs / "b.md", (now, now))
    update()
    assert within(index_folder, since=int(now)) == ["a.md", "b.md"]


def test_a_date_of_its_own_goes_before_the_time_of_its_file(
    plant: Plant, update: Update, docs: Path, index_folder: Path
) -> None:
    plant({"a.md": "---\ndate: 2001-02-03\n---\n\nA brake.\n", "b.md": "Another brake.\n"})
    (docs / "a.md").touch()
    update()
    second = 981_158_400  # 2001-02-03
    assert within(index_folder, since=second, until=second + 1) == ["a.md"]
