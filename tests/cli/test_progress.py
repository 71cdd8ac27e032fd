"""Progress where stderr is no terminal."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rerank_cli.cli.progress import drawn_progress
from rerank_cli.records import Progress

Work = Callable[..., str]


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Work:
    """What is written to stderr during work that gets to each (second, stage, done, total) in turn."""

    def run(*course: tuple[float, str, int, int], quiet: bool = False, silent_s: float = 0.0) -> str:
        now_s = 100.0
        monkeypatch.setattr("rerank_cli.cli.progress.monotonic", lambda: now_s)
        with drawn_progress(quiet=quiet, silent_s=silent_s) as listener:
            for at_s, stage, done, total in course:
                now_s = 100.0 + at_s
                listener(Progress(stage, done, total))
        streams = capsys.readouterr()
        assert streams.out == ""
        return streams.err

    return run


def test_a_line_tells_each_stage_s_begin_and_end_and_every_half_minute_how_long_it_will_take(work: Work) -> None:
    encode = [(2.0 + second, "encode", 10 * second, 800) for second in range(81)]
    assert work(*encode, (82.5, "mine", 0, 9), (7282.5, "mine", 6, 9), (7290.0, "write", 0, 0)).splitlines() == [
        "rerank-cli: encode 0/800, 0:00:02 so far",
        "rerank-cli: encode 300/800, 0:00:32 so far, about 0:00:50 left",
        "rerank-cli: encode 600/800, 0:01:02 so far, about 0:00:20 left",
        "rerank-cli: encode 800/800, 0:01:22 so far",
        "rerank-cli: mine 0/9, 0:01:22 so far",
        "rerank-cli: mine 6/9, 2:01:22 so far, about 1:00:00 left",
        "rerank-cli: write, 2:01:30 so far",
    ]


def test_what_was_done_before_a_stage_began_does_not_make_it_look_quick(work: Work) -> None:
    course = [(0.0, "train", 500, 1000), (40.0, "train", 510, 1000)]
    assert work(*course).splitlines()[-1] == "rerank-cli: train 510/1000, 0:00:40 so far, about 0:32:40 left"


def test_the_time_left_follows_the_pace_since_the_last_line(work: Work) -> None:
    found_done = [(0.0, "encode", 0, 1000), (30.0, "encode", 910, 1000), (60.0, "encode", 920, 1000)]
    assert work(*found_done).splitlines()[-1] == "rerank-cli: encode 920/1000, 0:01:00 so far, about 0:04:00 left"


def test_a_stage_that_begins_again_says_so(work: Work) -> None:
    course = [(0.0, "evaluate", 0, 2), (1.0, "evaluate", 2, 2), (2.0, "evaluate", 0, 2), (3.0, "evaluate", 1, 2)]
    assert [line.split(",")[0] for line in work(*course).splitlines()] == [
        "rerank-cli: evaluate 0/2",
        "rerank-cli: evaluate 2/2",
        "rerank-cli: evaluate 0/2",
    ]


def test_short_work_says_nothing_so_that_cron_sends_no_mail(work: Work) -> None:
    short = [(0.0, "read", 0, 4), (9.0, "encode", 0, 4), (20.0, "encode", 4, 4), (29.9, "write", 0, 0)]
    assert work(*short, silent_s=30.0) == ""
    assert work(*short[:2], (39.0, "encode", 1, 4), silent_s=30.0) == (
        "rerank-cli: encode 1/4, 0:00:39 so far, about 0:01:30 left\n"
    )


def test_nothing_is_written_where_quiet_was_asked_for(work: Work) -> None:
    assert work((0.0, "train", 0, 4), (99.0, "train", 4, 4), quiet=True) == ""


def test_a_stage_s_name_steers_no_terminal(work: Work) -> None:
    assert work((0.0, "compile a\x1b[2J\n", 0, 1)) == "rerank-cli: compile a\\x1b[2J\\n 0/1, 0:00:00 so far\n"
