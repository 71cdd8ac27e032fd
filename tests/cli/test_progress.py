"""Progress: lines where stderr is no terminal, and a bar where it is one."""

from __future__ import annotations

import io
import re
import sys
import time
from collections.abc import Callable

import pytest

from rerank_cli.cli.progress import _Bar, drawn_progress, spinning
from rerank_cli.records import Progress

Work = Callable[..., str]

Step = tuple[float, str, int, int] | tuple[float, str, int, int, float]


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Work:
    """What is written to stderr during work that gets to each (second, stage, done, total, perhaps share) in turn."""

    def run(
        *course: tuple[float, str, int, int] | tuple[float, str, int, int, float],
        quiet: bool = False,
        silent_s: float = 0.0,
    ) -> str:
        now_s = 100.0
        monkeypatch.setattr("rerank_cli.cli.progress.monotonic", lambda: now_s)
        with drawn_progress(quiet=quiet, silent_s=silent_s) as listener:
            for at_s, stage, done, total, *share in course:
                now_s = 100.0 + at_s
                listener(Progress(stage, done, total, share=share[0] if share else None))
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


def test_stages_that_take_turns_tell_how_long_all_of_them_will_take(work: Work) -> None:
    turns = [
        (0.0, "read", 0, 900, 0.0),
        (10.0, "encode", 0, 50, 0.01),
        (20.0, "read", 7, 900, 0.03),
        (31.0, "encode", 40, 50, 0.05),
        (40.0, "read", 9, 900, 0.06),
        (61.0, "read", 20, 900, 0.15),
        (70.0, "write", 0, 0),
    ]
    assert work(*turns).splitlines() == [
        "rerank-cli: read 0/900, 0:00:00 so far",
        "rerank-cli: encode 40/50, 0:00:31 so far, about 0:09:49 left",
        "rerank-cli: read 20/900, 0:01:01 so far, about 0:04:15 left",
        "rerank-cli: write, 0:01:10 so far",
    ]


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


def test_a_note_is_told_with_a_stage_s_first_word(capsys: pytest.CaptureFixture[str]) -> None:
    with drawn_progress(quiet=False, silent_s=0.0) as listener:
        for done in range(3):
            listener(Progress("compile", done, 2, "once"))
    first, last = capsys.readouterr().err.splitlines()
    assert first == "rerank-cli: compile 0/2, 0:00:00 so far, once"
    assert "once" not in last


class Terminal(io.StringIO):
    """What is written to it, and that it is one."""

    def isatty(self) -> bool:
        return True

    @property
    def left(self) -> str:
        """What of it stands at the end: a line that was erased does not."""
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.getvalue().rpartition("\x1b[2K")[2]).strip()


def terminal_for_stderr(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    shown = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stderr", shown)
    return shown


def wait_for(words: str, shown: Terminal) -> None:
    """Until *words* are shown, and no longer than a minute."""
    end_s = time.monotonic() + 60
    while words not in shown.getvalue() and time.monotonic() < end_s:
        time.sleep(0.01)
    assert words in shown.getvalue()


def test_what_takes_more_than_a_second_spins_on_a_terminal_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = terminal_for_stderr(monkeypatch)
    monkeypatch.setattr("rerank_cli.cli.progress.UNSEEN_S", 0.0)
    with drawn_progress(quiet=False) as listener, spinning(listener, "search"):
        wait_for("search", terminal)
    assert terminal.left == ""


def test_what_is_done_within_a_second_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_for_stderr(monkeypatch)
    monkeypatch.setattr("rerank_cli.cli.progress.UNSEEN_S", 600.0)
    with drawn_progress(quiet=False) as listener, spinning(listener, "search"):
        pass
    assert terminal.getvalue() == ""


def test_stages_that_take_turns_have_one_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_for_stderr(monkeypatch)
    monkeypatch.setenv("COLUMNS", "80")
    drawn = []
    with drawn_progress(quiet=False) as listener:
        assert isinstance(listener, _Bar)
        for stage, done, share in (("read", 3, 0.2), ("encode", 40, 0.4), ("read", 9, 0.5)):
            listener(Progress(stage, done, 50, share=share))
            drawn += [(task.id, task.description, task.percentage) for task in listener._bar.tasks]
    assert [(stage, round(percentage)) for _, stage, percentage in drawn] == [
        ("read", 20),
        ("encode", 40),
        ("read", 50),
    ]
    assert len({number for number, _, _ in drawn}) == 1
    assert "9/50" in terminal.getvalue()


@pytest.mark.parametrize("quiet", [True, False])
def test_nothing_spins_where_quiet_was_asked_for_or_there_is_no_terminal(
    quiet: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("rerank_cli.cli.progress.UNSEEN_S", 0.0)
    if quiet:
        terminal_for_stderr(monkeypatch)
    with drawn_progress(quiet=quiet) as listener, spinning(listener, "search"):
        time.sleep(0.05)
    assert (sys.stderr.getvalue() if isinstance(sys.stderr, Terminal) else capsys.readouterr().err) == ""


def test_a_stage_within_a_search_is_shown_in_the_place_of_the_spinner_and_told_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = terminal_for_stderr(monkeypatch)
    monkeypatch.setattr("rerank_cli.cli.progress.UNSEEN_S", 600.0)
    with drawn_progress(quiet=False) as listener, spinning(listener, "search"):
        listener(Progress("compile [b]one", 0, 2, "only once"))
        wait_for("compile [b]one", terminal)
        monkeypatch.setattr("rerank_cli.cli.progress.UNSEEN_S", 0.0)
        listener(Progress("compile [b]one", 2, 2, "only once"))
        wait_for("search", terminal)
    assert terminal.getvalue().count("only once") == 1 and "?" not in terminal.getvalue().replace("\x1b[?25", "")
    assert terminal.left == ""
