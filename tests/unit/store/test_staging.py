from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rerank_cli.ports import FileState, NewFile
from rerank_cli.records import Passage, Place, SplitDocument
from rerank_cli.stamps import Stamp
from rerank_cli.store.staging import HEAD, Staging
from tests.unit.store.texts import new_file

A = new_file("a.md", ["apples", "pears"], fields=(("tag", "fruit"),), modified_at=7)
B, OTHER_A = new_file("b.md", ["plums"]), new_file("a.md", ["grapes"])


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "staging"


@pytest.fixture
def staging(place: Path) -> Iterator[Staging]:
    staging = Staging(place)
    yield staging
    staging.close()


def found(staging: Staging, *files: NewFile, key: str = "key") -> list[NewFile | None]:
    return [staging.find(file.state.path, file.state.content_hash, key=key) for file in files]


def after_a_kill(place: Path, *files: NewFile) -> list[NewFile | None]:
    """What the next run finds of *files*."""
    staging = Staging(place)
    try:
        return found(staging, *files)
    finally:
        staging.close()


def stage(place: Path, *files: NewFile) -> None:
    staging = Staging(place)
    for file in files:
        staging.stage(file, key="key")
    staging.close()


def test_nothing_is_made_before_the_first_file(staging: Staging, place: Path) -> None:
    assert found(staging, A) == [None]
    assert not place.exists()


def test_what_is_staged_is_found_at_once_and_by_the_next_run(staging: Staging, place: Path) -> None:
    staging.stage(A, key="key")
    staging.stage(B, key="key")
    assert found(staging, A, B) == [A, B]
    staging.close()
    assert after_a_kill(place, A, B) == [A, B]


def test_nobody_else_may_read_it(staging: Staging, place: Path) -> None:
    staging.stage(A, key="key")
    assert place.stat().st_mode & 0o777 == 0o600


def test_other_content_and_another_key_find_nothing(staging: Staging) -> None:
    staging.stage(A, key="key")
    assert staging.find("a.md", b"another content", key="key") is None
    assert staging.find("a.md", A.state.content_hash, key="another key") is None
    assert staging.find("c.md", A.state.content_hash, key="key") is None


def test_the_last_of_several_under_one_path_counts(staging: Staging, place: Path) -> None:
    for file in (A, B, OTHER_A):
        staging.stage(file, key="key")
    assert found(staging, A, B) == [OTHER_A, B]
    staging.close()
    assert after_a_kill(place, A, B) == [OTHER_A, B]


def test_a_run_goes_on_behind_what_an_earlier_one_left(place: Path) -> None:
    stage(place, A)
    stage(place, B)
    assert after_a_kill(place, A, B) == [A, B]


@pytest.mark.parametrize("cut_bytes", [1, HEAD.size, HEAD.size + 10])
def test_a_torn_record_is_ignored_and_written_over(place: Path, cut_bytes: int) -> None:
    stage(place, A, B)
    place.write_bytes(place.read_bytes()[:-cut_bytes])
    assert after_a_kill(place, A, B) == [A, None]
    stage(place, B)
    assert after_a_kill(place, A, B) == [A, B]


def test_from_a_garbled_record_on_nothing_is_believed(place: Path) -> None:
    stage(place, A)
    size_bytes = place.stat().st_size
    stage(place, B, OTHER_A)
    content = bytearray(place.read_bytes())
    content[size_bytes + HEAD.size + 3] ^= 1
    place.write_bytes(content)
    assert after_a_kill(place, A, B) == [A, None]


@pytest.mark.parametrize("noise", [b"\0" * 100, b"\xff" * 100, HEAD.pack(0, 0), HEAD.pack(2, 0xBF8AC39A) + b"[]"])
def test_noise_is_no_record(place: Path, noise: bytes) -> None:
    place.write_bytes(noise)
    assert after_a_kill(place, A) == [None]
    stage(place, A)
    assert after_a_kill(place, A) == [A]


def test_what_is_dropped_is_gone(staging: Staging, place: Path) -> None:
    staging.stage(A, key="key")
    staging.drop()
    assert not place.exists()
    assert found(staging, A) == [None]
    staging.stage(B, key="key")
    assert found(staging, B) == [B]


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PLACES = st.builds(Place, st.sampled_from(["line", "page"]), st.integers(1), st.integers(1), TEXT)
PASSAGES = st.builds(Passage, st.integers(0, 9), PLACES, st.tuples(TEXT, TEXT), TEXT)
STATES = st.builds(
    FileState,
    TEXT,
    st.builds(Stamp, *[st.integers(-(2**63), 2**63)] * 4),
    st.binary(max_size=32),
    TEXT,
    st.none() | TEXT,
)
FILES = st.builds(
    NewFile, STATES, st.lists(st.builds(SplitDocument, TEXT, TEXT, st.lists(PASSAGES).map(tuple))).map(tuple)
)


@settings(max_examples=40)
@given(file=FILES, key=TEXT)
def test_any_file_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, file: NewFile, key: str) -> None:
    place = tmp_path_factory.mktemp("staged") / "staging"
    staging = Staging(place)
    staging.stage(file, key=key)
    staging.close()
    again = Staging(place)
    assert again.find(file.state.path, file.state.content_hash, key=key) == file
    again.close()
