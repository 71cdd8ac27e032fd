"""Draws progress on a terminal; says nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rerank_cli.records import Listener, Progress, ignore_progress


@contextmanager
def drawn_progress(*, quiet: bool) -> Iterator[Listener]:
    """A listener that draws a bar on stderr while it is a terminal."""
    if quiet or not sys.stderr.isatty():
        yield ignore_progress
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def draw(progress: Progress) -> None:
            bar.update(task, description=progress.stage, completed=progress.done, total=progress.total or None)

        yield draw
