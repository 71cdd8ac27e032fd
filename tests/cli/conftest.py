from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rerank_cli.cli.app import main

LIBRARY = {
    "heating/radiators.md": "# Radiators\n\n## Cold at the top\n\nA radiator that is cold at the top holds air. "
    "Bleed it with the square key until water comes.\n",
    "heating/boiler.md": "# Boiler\n\nThe boiler loses pressure when the expansion vessel is flat. Pump it up.\n",
    "kitchen/bread.md": "# Bread\n\n" + "Knead the dough for ten minutes and let it rise overnight.\n" * 16 + "\n"
    "# Starter\n\nFeed the sourdough starter with rye flour every morning.\n",
    "garden/slugs.txt": "Slugs eat the lettuce at night. Collect them after rain.\n",
    "my notes.txt": "The spare key of the shed hangs behind the radiator in the hall.\n",
    "[b]odd\n\x1b[31m\u202e.md": "# [red]Markup[/red]\n\n"
    "A gauge \x1b[2J reads \u202ebar and shows [bold]pressure[/bold].\n",
}


HEAR_SIGINT = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from rerank_cli.cli.app import main"
)
"""What a shell runs in the background, this test among it, is deaf to SIGINT."""


@dataclass(frozen=True)
class Outcome:
    """What a command left: its exit code and both streams."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


Cli = Callable[..., Outcome]


def write_files(folder: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
        os.utime(folder / path, (1_600_000_000, 1_600_000_000))
    return folder


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of documents that no test changes."""
    return write_files(tmp_path_factory.mktemp("library"), LIBRARY)


@pytest.fixture(scope="session")
def session_data(tmp_path_factory: pytest.TempPathFactory, builtin_compiled: Path, library: Path) -> Path:
    """A data folder with the index of `library`, made once by the real command."""
    folder = tmp_path_factory.mktemp("data")
    environment = {**os.environ, "XDG_DATA_HOME": str(folder), "XDG_CACHE_HOME": str(builtin_compiled)}
    command = [sys.executable, "-m", "rerank_cli", "index", str(library)]
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=300)
    return folder


@pytest.fixture
def indexed(session_data: Path, library: Path, model_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in `library`, whose index is there."""
    monkeypatch.setenv("XDG_DATA_HOME", str(session_data))
    monkeypatch.chdir(library)
    return library


_sessions: dict[tuple[object, ...], Any] = {}


def once_a_graph(load: Callable[..., Any]) -> Callable[..., Any]:
    """Load each graph once for all commands of this process, as long as its file is as it was."""

    def load_once(graph: str, *, unwanted: Sequence[str]) -> Any:
        status = Path(graph).stat()
        key = (graph, status.st_ino, status.st_size, status.st_ctime_ns, *unwanted)
        if key not in _sessions:
            _sessions[key] = load(graph, unwanted=unwanted)
        return _sessions[key]

    return load_once


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run a command in this process: cli("query", "text", stdin="…")."""
    from rerank_cli.models import onnx

    monkeypatch.setattr(onnx, "_session", once_a_graph(onnx._session))

    def run(*arguments: str | Path, stdin: str | bytes = "") -> Outcome:
        given = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "argv", ["rerank-cli", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given), encoding="utf-8"))
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        streams = capsys.readouterr()
        assert isinstance(left.value.code, int)
        return Outcome(left.value.code, streams.out, streams.err)

    return run


@pytest.fixture
def process() -> Cli:
    """Run a command as a process of its own."""

    def run(*arguments: str | Path, stdin: str = "", columns: int = 100) -> Outcome:
        done = subprocess.run(
            [sys.executable, "-m", "rerank_cli", *map(str, arguments)],
            env={**os.environ, "COLUMNS": str(columns)},
            input=stdin.encode(),
            capture_output=True,
            timeout=300,
            check=False,
        )
        return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


def read_to_the_end(leader: int) -> bytes:
    """All that a terminal is sent until nobody writes to it any more. *leader* is its other end."""
    shown = b""
    with suppress(OSError):  # Linux says EIO when the last writer is gone
        while piece := os.read(leader, 4096):
            shown += piece
    return shown


def on_a_terminal(*arguments: str | Path, code: int = 0) -> str:
    """What a terminal of 80 columns is sent when the command line gets *arguments*, and ends with *code*."""
    leader, follower = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    with subprocess.Popen(
        [sys.executable, "-m", "rerank_cli", *map(str, arguments)],
        stdout=follower,
        stderr=follower,
        stdin=subprocess.DEVNULL,
        env={**environment, "TERM": "xterm-256color", "COLUMNS": "80"},
    ) as running:
        os.close(follower)
        shown = read_to_the_end(leader)
        assert running.wait(60) == code
    os.close(leader)
    return shown.decode()


def assert_one_line(outcome: Outcome, *parts: str) -> None:
    """The error is one line on stderr that says *parts*; stdout is empty."""
    assert outcome.out == ""
    assert outcome.err.count("\n") == 1 and outcome.err.endswith("\n"), outcome.err
    assert outcome.err.startswith("rerank-cli: ")
    for part in parts:
        assert part in outcome.err
