"""No command opens a connection: strace sees every socket that a process and its children make."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rerank_cli.models.catalogue import find_model
from rerank_cli.models.loading import prepare
from rerank_cli.models.telemetry import SWITCHES
from tests.tiny_pairs import FAST, NOUNS, rows

SLOW_S = 20
"""onnxruntime looks up where to send its events some 8 seconds after it is loaded."""

COMMANDS = (
    ["index", "docs"],
    ["status"],
    ["models"],
    ["config"],
    ["doctor"],
    ["eval", "--collection", "judged"],
)
"""Run in this order, beside a query that takes long; each must find nobody to talk to."""

TRAIN = ["train", "--pairs", "pairs.jsonl", "--out", "trained", "--max-steps", "1", *FAST]


class Tracer:
    """Starts commands under strace, each with a log of its own."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        log = self._logs / f"{len(list(self._logs.iterdir()))}-{arguments[0]}"
        tracing = ["strace", "-f", "--seccomp-bpf", "-e", "trace=network", "-o", str(log)]
        environment = {name: value for name, value in os.environ.items() if name not in (*SWITCHES, "HF_HUB_OFFLINE")}
        return subprocess.Popen(
            [*tracing, sys.executable, "-m", "rerank_cli", *arguments],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> None:
        running = self.start(*arguments)
        _, err = running.communicate(timeout=300)
        assert running.returncode in codes, (arguments, err)

    def sockets(self) -> dict[str, list[str]]:
        """By log, each call that makes a socket of another family than the local one."""
        found: dict[str, list[str]] = {}
        for log in self._logs.iterdir():
            text = log.read_text(errors="replace")
            assert re.search(r"\+\+\+ exited with \d+ \+\+\+", text), f"{log.name}: nothing was traced"
            made = [line for line in text.splitlines() if re.search(r"\bsocket(pair)?\((?!AF_UNIX\b)", line)]
            if made:
                found[log.name] = made
        return found


@pytest.fixture
def tracer(tmp_path: Path) -> Tracer:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    tried = subprocess.run(
        ["strace", "-f", "--seccomp-bpf", "-e", "trace=network", "-o", os.devnull, sys.executable, "-c", ""],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if tried.returncode:
        pytest.skip(f"strace may not trace here: {tried.stderr.strip()[:200]}")
    (tmp_path / "logs").mkdir()
    return Tracer(tmp_path / "logs")


@pytest.fixture
def folder(tmp_path: Path, tiny_encoder: Path, tiny_reranker: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in with documents, judged queries and pairs; tiny models, the encoder not compiled yet.

    To compile the reranker as well would take as long again, and show nothing else.
    """
    (tmp_path / "docs").mkdir()
    (tmp_path / "judged").mkdir()
    for noun in NOUNS:
        (tmp_path / "docs" / f"{noun}.md").write_text(f"# {noun}\n\nThe {noun} is cold on sunday.\n")
    queries = [json.dumps({"_id": noun, "text": f"how is the {noun}"}) for noun in NOUNS]
    (tmp_path / "judged" / "queries.jsonl").write_text("\n".join(queries))
    (tmp_path / "judged" / "qrels.tsv").write_text("".join(f"{noun}\t{noun}.md\t1\n" for noun in NOUNS))
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows()))
    monkeypatch.setenv("RERANK_CLI_ENCODER", str(tiny_encoder))
    monkeypatch.setenv("RERANK_CLI_PASSAGE_TOKENS", "50")
    monkeypatch.setenv("RERANK_CLI_RERANKER", str(tiny_reranker))
    prepare(find_model(str(tiny_reranker), "reranker"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_no_command_makes_a_socket_that_leaves_the_machine_or_leaves_a_device_id(folder: Path, tracer: Tracer) -> None:
    first, *others = COMMANDS
    tracer.finish(*first)
    slow = tracer.start("query", "-", "--format", "jsonl")
    assert slow.stdin is not None
    assert slow.stdout is not None
    slow.stdin.write("how cold is the pan\n")
    slow.stdin.flush()
    answered = slow.stdout.readline(), time.monotonic()
    for arguments in others:
        tracer.finish(*arguments)
    if importlib.util.find_spec("accelerate") and importlib.util.find_spec("datasets"):
        tracer.finish(*TRAIN, codes=(0, 1))
    time.sleep(max(0.0, SLOW_S - (time.monotonic() - answered[1])))
    rest, _ = slow.communicate("how cold is the oil\n", timeout=300)
    assert len([answered[0], *rest.splitlines()]) == 2, "both queries were answered"
    assert slow.returncode == 0
    assert tracer.sockets() == {}
    kept = {path.name for base in ("HOME", "XDG_CACHE_HOME") for path in Path(os.environ[base]).rglob("*")}
    assert "rerank-cli" in kept
    assert not {name for name in kept if "onnxruntime" in name or name == "deviceid" or name.endswith(".db")}
    if not importlib.util.find_spec("datasets"):
        pytest.skip("all but train, which needs the extra `train`")


def test_a_socket_would_be_seen(tracer: Tracer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a child of a thread's, too: else the test above could pass for the wrong reason."""
    monkeypatch.chdir(tmp_path)
    code = "import socket; socket.socketpair(); socket.socket(socket.AF_INET, socket.SOCK_DGRAM)"
    monkeypatch.setattr(sys, "executable", write_python(tmp_path, code))
    tracer.start("any").communicate(timeout=300)
    ((name, made),) = tracer.sockets().items()
    assert name == "0-any" and len(made) == 1 and "AF_INET" in made[0]


def write_python(folder: Path, code: str) -> str:
    """A program that runs *code* in a Python started by a thread."""
    started = f"import subprocess, sys; subprocess.run([{sys.executable!r}, '-c', {code!r}], check=True)"
    threaded = f"import threading; t = threading.Thread(target=lambda: exec({started!r})); t.start(); t.join()"
    program = folder / "program"
    program.write_text(f"#!{sys.executable}\n{threaded}\n")
    program.chmod(0o755)
    return str(program)


# Switches that were read before ours were set


def test_telemetry_is_off_in_a_library_that_was_loaded_before(tmp_path: Path) -> None:
    """Of huggingface_hub's client; onnxruntime is told to send nothing more."""
    program = (
        "import huggingface_hub.constants as hub, onnxruntime\n"
        "told = []\n"
        "onnxruntime.disable_telemetry_events = lambda: told.append('off')\n"
        "assert not hub.HF_HUB_DISABLE_TELEMETRY\n"
        "import rerank_cli.models.loading\n"
        "assert hub.HF_HUB_DISABLE_TELEMETRY and told == ['off'], (hub.HF_HUB_DISABLE_TELEMETRY, told)\n"
    )
    environment = {name: value for name, value in os.environ.items() if name not in SWITCHES}
    environment["ORT_DISABLE_TELEMETRY"] = "1"
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("value", ["0", ""])
def test_a_switch_that_was_set_otherwise_is_set_too(value: str) -> None:
    program = f"import os, rerank_cli.models.compiled; print([os.environ[name] for name in {list(SWITCHES)!r}])"
    environment = {**os.environ, **dict.fromkeys(SWITCHES, value)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=300, check=True
    )
    assert done.stdout.strip() == str(list(SWITCHES.values()))
