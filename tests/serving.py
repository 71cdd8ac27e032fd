"""`serve` in a process of its own, with models that are functions of the text.

python -m tests.serving INDEX_FOLDER SECONDS_A_PAIR MOST_WAITING MOST_SECONDS HOST
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from rerank_cli.ports import PairScores
from tests.fakes import FakeEncoder, FakeReranker

ROOT = Path(__file__).parents[1]


class SlowReranker(FakeReranker):
    """Takes so long for each pair, and fails where it is asked to."""

    def __init__(self, pair_s: float) -> None:
        super().__init__()
        self._pair_s = pair_s

    def score_pairs(self, query: str, passages: Sequence[str]) -> PairScores:
        if query == "break down":
            raise RuntimeError("the reranker broke down")
        time.sleep(self._pair_s * len(passages))
        scores = super().score_pairs(query, passages)
        self.pairs.clear()
        return scores


@dataclass(frozen=True)
class Served:
    """A running server."""

    process: subprocess.Popen[str]
    url: str

    def post(self, path: str, record: Any, **more: Any) -> httpx2.Response:
        return httpx2.post(self.url + path, json=record, timeout=60, **more)

    def get(self, path: str, **more: Any) -> httpx2.Response:
        return httpx2.get(self.url + path, timeout=60, **more)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def figure(self, name: str) -> int:
        found = re.search(rf"^rerank_cli_{re.escape(name)} (\d+)$", self.get("/metrics").text, re.MULTILINE)
        assert found, name
        return int(found[1])

    def stop(self, sent: int = signal.SIGTERM) -> int:
        self.process.send_signal(sent)
        return self.process.wait(60)


@contextmanager
def started(
    command: Sequence[str | Path], *, stand: Path = ROOT, more_path: Path = ROOT, **environment: str
) -> Iterator[Served]:
    """A server that the module and the arguments of *command* start, by one who will *stand* there; when it listens."""
    with subprocess.Popen(
        [sys.executable, "-c", HEAR_SIGINT, *map(str, command)],
        cwd=stand,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{more_path}", **environment},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        try:
            line = process.stderr.readline()
            found = re.search(r"serving at (http://\S+)", line)
            assert found, line + process.stderr.read()
            yield Served(process, found[1].replace("0.0.0.0", "127.0.0.1"))
        finally:
            process.kill()


HEAR_SIGINT = (
    "import runpy, signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
    " sys.argv = sys.argv[1:]; runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"
)
"""What a shell runs in the background, this test among it, is deaf to SIGINT."""


def fakes_served(
    index: Path,
    *,
    pair_s: float = 0.0,
    queue: int = 8,
    most_s: float = 30.0,
    host: str = "127.0.0.1",
    **environment: str,
) -> Any:
    """The index in a folder, which was made with the fake encoder, served with the fake reranker."""
    return started(["tests.serving", index, str(pair_s), str(queue), str(most_s), host], **environment)


def main(folder: str, pair_s: str, most_waiting: str, most_s: str, host: str) -> None:
    """Serve until a signal."""
    from rerank_cli.cli.http_server import Place, serve_indexes
    from rerank_cli.config import Settings

    token = os.environ.get("RERANK_CLI_SERVE_TOKEN", "")
    place = Place(host, 0, token, float(most_s), int(most_waiting))
    serve_indexes((Path(folder),), Settings(), place, encoder=FakeEncoder(), reranker=SlowReranker(float(pair_s)))


if __name__ == "__main__":
    main(*sys.argv[1:])
