from __future__ import annotations

from pathlib import Path

import pytest

from rerank_cli.errors import InputError
from rerank_cli.indexing import IndexSummary
from rerank_cli.records import Progress
from tests.conftest import Plant, Update


def failures(summary: IndexSummary) -> dict[str, str]:
    return {file.path: file.reason for file in summary.failed}


def test_a_line_that_is_no_json_fails_its_file_alone(plant: Plant, update: Update, find) -> None:
    plant({"a.md": "brake\n", "bad.jsonl": '{"text": "brake"}\nbrake\n', "good.jsonl": '{"text": "brake"}\n'})
    summary = update()
    assert failures(summary).keys() == {"bad.jsonl"}
    assert "line 2" in failures(summary)["bad.jsonl"]
    assert find("brake") == ["a.md", "good.jsonl#line-1"]


def test_what_failed_is_told_again_but_not_read_again(plant: Plant, update: Update) -> None:
    plant({"a.md": "brake\n", "bad.jsonl": "brake\n"})
    first, second = update(), update()
    assert failures(second) == failures(first)
    assert second.up_to_date
    assert second.generation == 1


def test_a_mended_file_is_indexed(plant: Plant, update: Update, find) -> None:
    plant({"a.md": "chain\n", "bad.jsonl": "brake\n"})
    update()
    plant({"bad.jsonl": '{"text": "brake"}\n'})
    assert update().failed == ()
    assert find("brake")[0] == "bad.jsonl#line-1"


def test_a_file_that_breaks_leaves_the_index(plant: Plant, update: Update, find) -> None:
    plant({"a.md": "chain\n", "log.jsonl": '{"text": "brake"}\n'})
    update()
    plant({"log.jsonl": "broken\n"})
    assert failures(update()).keys() == {"log.jsonl"}
    assert find("brake") == ["a.md"]


def test_one_id_twice_in_a_file_fails_it(plant: Plant, update: Update) -> None:
    plant({"a.md": "chain\n", "twice.jsonl": '{"id": 1, "text": "x"}\n{"id": 1, "text": "y"}\n'})
    assert "line 1 and again on line 2" in failures(update())["twice.jsonl"]


def test_a_file_that_goes_while_it_is_read_is_reported_and_the_rest_indexed(
    docs: Path, plant: Plant, update: Update, find
) -> None:
    plant({"a.md": "brake\n", "b.md": "brake brake\n", "c.md": "brake chain\n"})

    def take_away(progress: Progress) -> None:
        if progress.stage == "read":
            (docs / "b.md").unlink(missing_ok=True)

    summary = update(listener=take_away)
    assert failures(summary) == {"b.md": "cannot be read: No such file or directory"}
    assert sorted(find("brake")) == ["a.md", "c.md"]
    assert update().failed == ()


def test_a_file_that_could_not_be_read_is_tried_again_though_its_stamp_is_the_same(
    docs: Path, plant: Plant, update: Update, find
) -> None:
    plant({"a.md": "brake\n", "b.md": "chain\n"})

    def hide(progress: Progress) -> None:
        if progress.stage == "read" and (docs / "b.md").exists():
            (docs / "b.md").rename(docs.parent / "hidden")

    assert failures(update(listener=hide)).keys() == {"b.md"}
    (docs.parent / "hidden").rename(docs / "b.md")
    assert update().failed == ()
    assert find("chain")[0] == "b.md"


def test_an_emptied_folder_is_taken_for_an_unmounted_disk(docs: Path, plant: Plant, update: Update, find) -> None:
    plant({"a.md": "brake\n", "b.md": "chain\n"})
    update()
    for path in docs.iterdir():
        path.unlink()
    with pytest.raises(InputError, match="is the disk mounted") as caught:
        update()
    assert "--allow-empty" in caught.value.remedy
    assert find("brake") == ["a.md", "b.md"]
    with pytest.raises(InputError, match="is the disk mounted"):
        update(rebuild=True)
    assert update(allow_empty=True).removed == 2
    assert find("brake") == []


def test_a_vanished_folder_removes_nothing(docs: Path, plant: Plant, update: Update, find) -> None:
    plant({"a.md": "brake\n"})
    update()
    docs.rename(docs.parent / "elsewhere")
    with pytest.raises(InputError, match="no such folder"):
        update(allow_empty=True)
    assert find("brake") == ["a.md"]


def test_a_folder_that_never_held_a_file_is_no_corpus(update: Update) -> None:
    with pytest.raises(InputError, match="no file to index") as caught:
        update()
    assert "--dry-run" in caught.value.remedy
