"""Tells how far long work is: a bar on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

from rerank_cli.cli.terminal import console, say

if TYPE_CHECKING:
    from rerank_cli.records import Listener, Progress

BETWEEN_LINES_S = 30.0


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
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Bar(*columns, console=console(sys.stderr), transient=True)
    task = bar.add_task("", total=None)

    def draw(progress: Progress) -> None:
        bar.update(task, description=progress.stage, completed=progress.done, total=progress.total or None)
        if 0 < progress.total <= progress.done:
            bar.stop()  # results may be printed from here on
        else:
            bar.start()

    try:
        yield draw
    finally:
        bar.stop()


class _Lines:
    """A listener that writes a line at a stage's first word and at its last, and between them every 30 s."""

    def __init__(self, *, silent_s: float) -> None:
        self._begun_s = self._mark_s = monotonic()
        self._speaks_at_s = self._begun_s + silent_s
        self._mark: Progress | None = None
        """Where the last line was written, or the stage began; what came since tells the pace."""

    def __call__(self, progress: Progress) -> None:
        now_s = monotonic()
        begins = self._mark is None or progress.stage != self._mark.stage or progress.done < self._mark.done
        if begins:
            self._mark, self._mark_s = progress, now_s
        ends = 0 < progress.total <= progress.done
        is_due = now_s >= self._mark_s + BETWEEN_LINES_S
        if now_s >= self._speaks_at_s and (begins or ends or is_due):
            say(f"rerank-cli: {', '.join(self._told(progress, now_s))}")
            self._mark, self._mark_s = progress, now_s

    def _told(self, progress: Progress, now_s: float) -> Iterator[str]:
        """How much of the stage is done, the time since the command began, and what the rest of the stage will take."""
        yield f"{progress.stage} {progress.done}/{progress.total}" if progress.total else progress.stage
        yield f"{_clock(now_s - self._begun_s)} so far"
        gained = progress.done - (self._mark.done if self._mark else 0)
        if gained and progress.done < progress.total:
            yield f"about {_clock((now_s - self._mark_s) / gained * (progress.total - progress.done))} left"


def _clock(seconds: float) -> str:
    """As 1:02:03."""
    return str(timedelta(seconds=round(seconds)))
