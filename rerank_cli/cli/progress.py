"""Draws progress on a terminal; says nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rerank_cli.cli.terminal import console

if TYPE_CHECKING:
    from rerank_cli.records import Listener, Progress


@contextmanager
def drawn_progress(*, quiet: bool) -> Iterator[Listener]:
    """A listener that draws a bar on stderr, if that is a terminal, from a stage's first word to its last."""
    if quiet or not sys.stderr.isatty():
        from rerank_cli.records import ignore_progress

        yield ignore_progress
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
