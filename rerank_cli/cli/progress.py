"""Tells how far long work is: a bar on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Timer
from time import monotonic
from typing import TYPE_CHECKING

from rerank_cli.cli.terminal import console, printable, say

if TYPE_CHECKING:
    from rich.progress import TaskID

    from rerank_cli.records import Listener, Progress

BETWEEN_LINES_S = 30.0

UNSEEN_S = 1.0
"""What takes no longer shows nothing: it would only flicker."""


@contextmanager
def drawn_progress(*, quiet: bool, silent_s: float = BETWEEN_LINES_S) -> Iterator[Listener]:
    """A listener that draws a bar on stderr, if that is a terminal, from a stage's first word to its last.

    Elsewhere it writes lines there, and none in the first *silent_s* seconds: cron sends mail of whatever it hears.
    """
    if quiet:
        from rerank_cli.records import ignore_progress

        yield ignore_progress
        return
    if not sys.stderr.isatty():
        yield _Lines(silent_s=silent_s)
        return
    bar = _Bar()
    try:
        yield bar
    finally:
        bar.stop()


@contextmanager
def spinning(listener: Listener, stage: str) -> Iterator[None]:
    """Show on a terminal that *stage* is at work if it takes more than a second, and nothing of it at its end."""
    if not isinstance(listener, _Bar):
        yield
        return
    listener.show_later(stage)
    try:
        yield
    finally:
        listener.stop()


class _Bar:
    """A listener that draws a bar on stderr, which nothing is left of when a stage ends."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        stage, done_of = TextColumn("{task.description}", markup=False), TextColumn("{task.fields[done_of]}")
        columns = (SpinnerColumn(), stage, BarColumn(), done_of, TimeRemainingColumn())
        self._bar = Bar(*columns, console=console(sys.stderr), transient=True)
        self._drawn: TaskID | None = None
        self._last: Progress | None = None
        self._told: set[str] = set()
        self._waiting = ""
        self._timer: Timer | None = None

    def __call__(self, progress: Progress) -> None:
        if progress.note not in self._told | {""}:
            self._told.add(progress.note)
            self._bar.console.print(f"rerank-cli: {printable(progress.note)}", markup=False)
        self._hold()
        self._draw(progress)
        if 0 < progress.total <= progress.done:
            self._bar.stop()  # results may be printed from here on
            if self._waiting:
                self.show_later(self._waiting)

    def show_later(self, stage: str) -> None:
        """Show *stage* in a second, and again after whatever else is told by then, until `stop`."""
        from rerank_cli.records import Progress

        self._waiting = stage
        self._timer = Timer(UNSEEN_S, self._draw, (Progress(stage, 0, 0),))
        self._timer.daemon = True
        self._timer.start()

    def stop(self) -> None:
        self._hold()
        self._waiting = ""
        self._bar.stop()

    def _hold(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()

    def _draw(self, progress: Progress) -> None:
        """What a bar has of an earlier stage, such as its pace, is none of a new one's."""
        done, total = _extent(progress)
        done_of = f"{progress.done}/{progress.total}" if progress.total else ""
        if self._drawn is None or _begins(progress, after=self._last):
            if self._drawn is not None:
                self._bar.remove_task(self._drawn)
            self._drawn = self._bar.add_task("", done_of="")
        self._last = progress
        self._bar.update(
            self._drawn, description=printable(progress.stage), total=total or None, completed=done, done_of=done_of
        )
        self._bar.start()


class _Lines:
    """A listener that writes a line at a stage's first word and at its last, and between them every 30 s.

    Stages that take turns are one to it.
    """

    def __init__(self, *, silent_s: float) -> None:
        self._begun_s = self._mark_s = monotonic()
        self._speaks_at_s = self._begun_s + silent_s
        self._mark: Progress | None = None
        """Where the last line was written, or the stage began; what came since tells the pace."""

    def __call__(self, progress: Progress) -> None:
        now_s = monotonic()
        begins = _begins(progress, after=self._mark)
        if begins:
            self._mark, self._mark_s = progress, now_s
        ends = 0 < progress.total <= progress.done
        is_due = now_s >= self._mark_s + BETWEEN_LINES_S
        if now_s >= self._speaks_at_s and (begins or ends or is_due):
            say(f"rerank-cli: {', '.join(self._told(progress, now_s))}")
            self._mark, self._mark_s = progress, now_s

    def _told(self, progress: Progress, now_s: float) -> Iterator[str]:
        """How much of the stage is done, the time since the command began, and what the rest of the work will take."""
        yield f"{progress.stage} {progress.done}/{progress.total}" if progress.total else progress.stage
        yield f"{_clock(now_s - self._begun_s)} so far"
        if progress.note and progress.done == 0:
            yield progress.note
        done, total = _extent(progress)
        gained = done - _extent(self._mark)[0] if self._mark else done
        if gained > 0 and done < total:
            yield f"about {_clock((now_s - self._mark_s) / gained * (total - done))} left"


def _begins(progress: Progress, *, after: Progress | None) -> bool:
    """Whether this is the first word of a stage, or of stages that take turns."""
    if after is None or (progress.share is None) != (after.share is None):
        return True
    return progress.share is None and (progress.stage != after.stage or progress.done < after.done)


def _extent(progress: Progress) -> tuple[float, float]:
    """How much is done, and of what: of the whole work, where stages take turns."""
    return (progress.done, progress.total) if progress.share is None else (progress.share, 1.0)


def _clock(seconds: float) -> str:
    """As 1:02:03."""
    return str(timedelta(seconds=round(seconds)))
