"""Where the program starts: what must be so before anything else is loaded."""

from __future__ import annotations

import gc
import os
import sys

ALLOCATIONS = 100_000
"""Objects after which Python looks for circles to clear up. Its own 700 cost a command of half a second 40 ms, which
loads modules and reads rows that all stay. A query makes some 60,000 of them, and looking through these took 10 ms."""

TYPE_CHECKING = False  # typing has one too, and is slow to load
if TYPE_CHECKING:
    from typing import NoReturn


def program() -> NoReturn:
    """Run the command line in a process of its own, or have a warm server do so."""
    gc.set_threshold(ALLOCATIONS, 20, 50)
    if sys.argv[1:2] == ["query"]:
        from rerank_cli.cli.warm_client import answered_warm

        code = answered_warm(sys.argv[1:])
        if code is not None:
            os._exit(code)
    from rerank_cli.cli import app

    app.program()
