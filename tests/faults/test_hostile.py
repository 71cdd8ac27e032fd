from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rerank_cli.corpus.reading import SMALL_BYTES
from rerank_cli.records import Progress
from tests.conftest import Plant, Update
from tests.faults.conftest import LONG, REPOSITORY
from tests.faults.hostile import GOOD, HOSTILE

SIZES = (100_000, 9_900_000) if LONG else (3_000, 33_000)  # the smaller ones are read in the process that indexes
FILE_TIMEOUT_S = 30.0 if LONG else 0.1

ENDLESS = "[a" * 1_000_000
"""Markdown in which each bracket may begin a link: no machine looks through so much of it within some seconds."""

# What a machine that does other things at the same time may add to a limit.
SLACK_S = 5.0 if LONG else 30.0

# Only the long form has files that come near to it.
PEAK_MB = 1_500

GROUPS = [[kind] for kind in HOSTILE] if LONG else [[*HOSTILE]]


def index_apart(folder: Path, index: Path, file_timeout_s: float) -> dict[str, object]:
    ended = subprocess.run(
        [sys.executable, Path(__file__).with_name("hostile.py"), folder, index, str(file_timeout_s)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    told: dict[str, object] = json.loads(ended.stdout)
    return told


@pytest.mark.parametrize("kinds", GROUPS, ids=lambda kinds: kinds[0] if len(kinds) == 1 else "all kinds")
def test_a_hostile_file_is_read_or_refused_within_its_limits_and_costs_no_other_file(
    docs: Path, index_folder: Path, find: Callable[..., list[str]], plant: Plant, survived, kinds: list[str]
) -> None:
    plant(GOOD)
    for kind in kinds:
        for size in SIZES:
            (docs / f"{size}-{kind}").write_bytes(HOSTILE[kind](size))
    told = index_apart(docs, index_folder, FILE_TIMEOUT_S)
    if LONG:
        print(kinds[0], told)
    for path, reason in told["failed"].items():
        assert path not in GOOD
        assert reason, path
        assert "\n" not in reason, path
    assert told["longest_s"] < FILE_TIMEOUT_S + SLACK_S
    assert max(told["peak_mb"]) < PEAK_MB
    for query, path in (
        ("caliper bicycle", "good/brakes.md"),
        ("hens fed seven", "good/hens.txt"),
        ("rinse outboard", "good/boat.html"),
        ("shut valve windows", "good/notes.jsonl#gas"),
        ("zebra stripes", "zebra.rst"),
    ):
        assert path in find(query)[:3]
    survived("hostile files", len(kinds) * len(SIZES))


def test_a_file_that_took_too_long_is_told_again_but_read_again_only_with_more_time(
    docs: Path, plant: Plant, update: Update
) -> None:
    plant({"a.md": "brake\n", "b.md": ENDLESS, "c.txt": "chain\n" * 2000})
    told = [(file.path, file.reason) for file in update(file_timeout_s=0.1).failed]
    assert told == [("b.md", "took longer than 0.1 s (--file-timeout)")]
    again = update(file_timeout_s=0.05)
    assert (again.up_to_date, again.unchanged, again.generation) == (True, 3, 1)
    assert [(file.path, file.reason) for file in again.failed] == told
    more = update(file_timeout_s=0.2)
    assert (more.changed, more.unchanged) == (1, 2)
    assert [file.reason for file in more.failed] == ["took longer than 0.2 s (--file-timeout)"]
    plant({"b.md": "saddle\n"})
    assert update(file_timeout_s=0.1).failed == ()


def test_a_file_that_takes_too_long_now_keeps_what_was_read_before(
    docs: Path, plant: Plant, update: Update, find
) -> None:
    plant({"a.md": "brake\n", "b.md": "chain\n"})
    update()
    plant({"b.md": ENDLESS})
    reads = []

    def listen(progress: Progress) -> None:
        reads.extend([progress] * (progress.stage == "read"))

    for limit_s, read in ((0.1, True), (0.1, False), (0.2, True), (0.2, False)):
        reads.clear()
        summary = update(file_timeout_s=limit_s, listener=listen)
        assert [file.path for file in summary.failed] == ["b.md"]
        assert (summary.changed, summary.documents, bool(reads)) == (0, 2, read)
        assert find("chain")[0] == "b.md"
    reads.clear()
    update(file_timeout_s=0.1, verify=True, listener=listen)
    assert reads
    plant({"b.md": "saddle\n"})
    assert (update(file_timeout_s=0.1).failed, find("saddle")[0]) == ((), "b.md")


def test_the_command_tells_what_took_too_long_and_indexes_the_rest(
    docs: Path, plant: Plant, builtin_compiled: Path, model_cache: Path
) -> None:
    plant(GOOD)
    (docs / "brackets.md").write_text(ENDLESS)
    (docs / "nested.jsonl").write_bytes(HOSTILE["nested.jsonl"](SMALL_BYTES))  # which no limit of time concerns
    options = ["--index", f"{docs}-index", "--file-timeout", "0.1", "--json"]
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "rerank_cli", "index", docs, *options],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    told = json.loads(ended.stdout)
    assert {file["path"]: file["reason"] for file in told["failed"]} == {
        "brackets.md": "took longer than 0.1 s (--file-timeout)",
        "nested.jsonl": "line 1: left out: not valid JSON (nested too deeply)",
    }
    assert told["documents"] == len(GOOD)
