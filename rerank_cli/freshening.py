"""Brings indexes up to date beside a search, in a process of its own, and waits for it no longer than one wants to."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import rerank_cli
from rerank_cli.errors import RerankError

_HOME = Path(rerank_cli.__file__).absolute().parents[1]


class Freshening:
    """Brings the indexes in some folders up to date, in one process after another, as they were made."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self._running: subprocess.Popen[bytes] | None = None

    def wait(self, budget_s: float) -> bool:
        """Whether all are up to date within *budget_s*. What takes longer goes on, and the next call waits for it."""
        if self._running is None:
            self._running = self._begun()
        try:
            code = self._running.wait(budget_s)
        except subprocess.TimeoutExpired:
            return False
        self._running = None
        return code == 0

    def end(self) -> None:
        """End what still goes on; the next run takes it up where it was."""
        if self._running is not None:
            self._running.terminate()
            self._running.wait()
            self._running = None

    def _begun(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - this program
            [sys.executable, "-P", "-m", "rerank_cli.freshening", *map(os.fspath, self._folders)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join((str(_HOME), os.environ.get("PYTHONPATH", "")))},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # an interrupt at the terminal is for the search
        )


def main(folders: Sequence[str]) -> int:
    """Bring the indexes in *folders* up to date; 0 if all of them are."""
    from rerank_cli.library import open_library

    code = 0
    for folder in folders:
        try:
            with open_library(index=Path(folder), wait_s=0) as library:
                library.update()
        except RerankError as error:
            code = error.exit_code
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
