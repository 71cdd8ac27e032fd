"""What the tools for language models answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from rerank_cli import UsageError, open_library
from rerank_cli.mcp.answers import Answers
from tests.conftest import Plant
from tests.fakes import FakeEncoder, FakeReranker

FILES = {
    "pump.md": "\n\n".join(f"# Step {n}\n\nTurn valve number {n} of the pump." for n in range(1, 8)) + "\n",
    "gas.md": "# Gas\n\nShut the gas valve when you smell gas.\n",
    "empty.md": "\n",
}


@pytest.fixture
def answers(docs: Path, index_folder: Path, plant: Plant) -> Iterator[Answers]:
    plant(FILES)
    with ExitStack() as stack:
        library = stack.enter_context(
            open_library(docs, index=index_folder, encoder=FakeEncoder(), reranker=FakeReranker(), passage_tokens=32)
        )
        library.update()
        yield Answers(library, [library])


def test_search_says_in_text_and_in_data_what_answers_and_where(answers: Answers, docs: Path) -> None:
    text, found = answers.search("smell gas valve", max_tokens=100, seconds=None)
    best = found.passages[0]
    assert (best.path, best.unit, best.first, best.headings) == ("gas.md", "line", 3, ["Gas"])
    assert best.text in (docs / "gas.md").read_text(encoding="utf-8")
    assert best.citation in text and best.text in text
    assert found.tokens <= 100
    assert not found.partial


def test_search_keeps_to_the_files_that_are_asked_for(answers: Answers) -> None:
    _, found = answers.search("valve", max_tokens=500, seconds=None, paths=["pump.*"])
    assert {passage.path for passage in found.passages} == {"pump.md"}


def test_a_passage_is_read_with_its_neighbours(answers: Answers) -> None:
    text, read = answers.read("pump.md", first=11, last=None, around=1)
    assert [passage.first for passage in read.passages] == sorted(passage.first for passage in read.passages)
    assert "valve number 3" in text
    assert read.more_before != (read.passages[0].first <= 3)
    whole = answers.read("pump.md", first=None, last=None, around=0)[1]
    assert not whole.more_before and not whole.more_after
    assert "number 1" in whole.passages[0].text and "number 7" in whole.passages[-1].text


@pytest.mark.parametrize("path", ["../secret.md", "/etc/passwd", "gone.md", "empty.md", ""])
def test_nothing_but_files_of_the_index_is_read(answers: Answers, docs: Path, path: str) -> None:
    (docs.parent / "secret.md").write_text("A secret.\n", encoding="utf-8")
    with pytest.raises(UsageError, match="is no file with text in the index"):
        answers.read(path, first=None, last=None, around=0)


def test_a_place_beyond_the_end_is_told(answers: Answers) -> None:
    with pytest.raises(UsageError, match=r"pump\.md: has nothing there") as raised:
        answers.read("pump.md", first=900, last=901, around=1)
    assert "its lines go up to 27" in raised.value.remedy


def test_a_file_that_changed_since_is_told(answers: Answers, docs: Path) -> None:
    (docs / "gas.md").write_text("Other.\n", encoding="utf-8")
    text, read = answers.read("gas.md", first=None, last=None, around=0)
    assert read.stale == "changed"
    assert text.startswith("The file is changed since it was indexed.\n")
    (docs / "gas.md").unlink()
    assert answers.read("gas.md", first=None, last=None, around=0)[1].stale == "gone"


def test_what_is_like_a_passage_is_of_other_documents(answers: Answers) -> None:
    _, found = answers.similar("gas.md", at=3, top_n=3)
    assert {passage.path for passage in found.passages} == {"pump.md"}


def test_status_tells_what_is_searched_and_what_changed(answers: Answers, docs: Path) -> None:
    (docs / "new.md").write_text("New.\n", encoding="utf-8")
    text, searched = answers.status()
    assert [(each.root, each.files, each.changed_files) for each in searched.indexes] == [(str(docs), 3, 1)]
    assert "1 files changed since" in text


def test_each_answer_is_of_the_newest_generation(answers: Answers, docs: Path, index_folder: Path) -> None:
    (docs / "new.md").write_text("The walrus sings.\n", encoding="utf-8")
    with open_library(docs, index=index_folder, encoder=FakeEncoder(), passage_tokens=32) as writer:
        writer.update()
    assert answers.search("walrus", max_tokens=500, seconds=None)[1].passages[0].path == "new.md"
