"""Files that a command of the user's makes text of."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from rerank_cli.corpus.convert import converted
from rerank_cli.corpus.read import NotReadToTheEnd, Unreadable
from rerank_cli.corpus.read.formats import format_of
from rerank_cli.records import Place, Rules
from rerank_cli.store import open_reader
from tests.conftest import Plant, Update

MEMORY_BYTES = 1_000_000_000
SHOUT = f'{sys.executable} -c "import sys; print(open(sys.argv[1]).read().upper())" {{}}'


def run(command: str, location: Path, *, limit_s: float = 30.0) -> bytes:
    return converted(command, location, limit_s=limit_s, memory_bytes=MEMORY_BYTES)


@pytest.mark.parametrize("name", ["a b.x", "-rf.x", "$(touch planted).x", "'; exit 3; '.x", "[b]x\n.x"])
def test_the_name_of_the_file_is_no_part_of_the_command(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("brake lever")
    assert run("cat {}", tmp_path / name) == b"brake lever"
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_command_that_fails_is_told_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"^ls ended with exit status 2: .*no-such-file.*$"):
        run("ls {}", tmp_path / "no-such-file")
    with pytest.raises(Unreadable, match="no-such-command ended with exit status 127"):
        run("no-such-command {}", tmp_path)


def test_a_command_that_takes_too_long_ends_with_all_that_it_started(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(NotReadToTheEnd, match=r"took longer than 0\.5 s"):
        run("sh -c 'sleep 100 & sleep 100' {}", tmp_path, limit_s=0.5)
    assert time.monotonic() - started < 50


def test_a_command_that_prints_without_end_or_takes_all_memory_is_ended(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="ended with"):
        run("yes {}", tmp_path)
    with pytest.raises(Unreadable, match="ended with"):
        run(f'{sys.executable} -c "bytearray(3 * 10**9)" {{}}', tmp_path)


def test_a_file_that_is_converted_is_found_by_its_text(plant: Plant, update: Update, index_folder: Path) -> None:
    plant({"a.shout": "brake lever\n\nchain\0\n", "b.txt": "gears\n"})
    update(rules=Rules(converters=(f".shout={SHOUT}",)))
    with open_reader(index_folder) as index:
        found = {stored.passage.text: stored for stored in index.scan()}
        assert index.files()["a.shout"].reader == format_of("a.shout", (f".shout={SHOUT}",)).reading
    (text,) = found.keys() - {"gears"}
    assert text.startswith("BRAKE LEVER\n\nCHAIN")
    assert found[text].passage.place == Place("paragraph", 1, 2)


def test_another_command_reads_its_files_again_and_no_others(plant: Plant, update: Update, index_folder: Path) -> None:
    plant({"a.shout": "brake lever\n", "b.txt": "gears\n"})
    update(rules=Rules(converters=(f".shout={SHOUT}",)))
    summary = update(rules=Rules(converters=(".shout=cat {}",)))
    assert (summary.changed, summary.unchanged) == (1, 1)
    with open_reader(index_folder) as index:
        assert "brake lever" in {stored.passage.text for stored in index.scan()}


def test_what_a_command_prints_as_html_has_its_headings(plant: Plant, update: Update, index_folder: Path) -> None:
    plant({"a.page": "<!DOCTYPE html><h1>Brakes</h1><p>They squeal."})
    update(rules=Rules(converters=(".page=cat {}",)))
    with open_reader(index_folder) as index:
        (stored,) = index.scan()
    assert (stored.passage.headings, stored.passage.text) == (("Brakes",), "They squeal.")
