"""Encoders that break in a worker, each so often as the files that it leaves say."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path

from rerank_cli.arrays import Vectors
from rerank_cli.errors import ModelError
from rerank_cli.ports import Encoder
from tests.fakes import FakeEncoder


class Gives:
    """Opens an encoder by handing it over."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def __call__(self) -> Encoder:
        return self._encoder


def happens_first(marks: Path, name: str) -> bool:
    """Whether nothing of that *name* has happened yet, in any process."""
    try:
        (marks / name).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


class KilledOnce(FakeEncoder):
    """Kills the process that reads, and the one that encodes, the first time that it is asked for the word `killer`."""

    def __init__(self, marks: Path) -> None:
        super().__init__()
        self._marks = marks
        self._run = os.getpid()

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        self._kill("reader", texts)
        return super().count_tokens(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        self._kill("encoder", texts)
        return super().encode_passages(texts)

    def _kill(self, name: str, texts: Sequence[str]) -> None:
        if os.getpid() != self._run and any("killer" in text for text in texts) and happens_first(self._marks, name):
            os.kill(os.getpid(), signal.SIGKILL)


class BreaksOnce(FakeEncoder):
    """Has no answer, the first time that it is asked for the word `breaker`."""

    def __init__(self, marks: Path) -> None:
        super().__init__()
        self._marks = marks

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        if any("breaker" in text for text in texts) and happens_first(self._marks, "broken"):
            raise ModelError("the model broke", remedy="mend it")
        return super().encode_passages(texts)
