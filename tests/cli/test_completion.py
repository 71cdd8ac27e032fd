"""What the shells complete: asked as their scripts ask, and in the shells themselves."""

from __future__ import annotations

import fcntl
import os
import pty
import shutil
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from rerank_cli.config import KINDS, flag_of
from rerank_cli.models.catalogue import builtin_names
from rerank_cli.places import data_folder
from tests.cli.conftest import Cli, read_to_the_end

CHOICES = [key for key, kind in KINDS.items() if kind.form == "choice"]


def words(cli: Cli, line: str, *, shell: str = "bash") -> list[str]:
    """What may end *line*; `files` in place of words where these may."""
    done = cli("completion", shell, line)
    assert (done.code, done.err) == (0, "")
    kind, *found = done.lines
    assert kind == "words" or not found
    return found if kind == "words" else ["files"]


@pytest.fixture
def indexes() -> None:
    """Three indexes by name alone: to complete one, none is opened."""
    for name in ("notes", "news", "my boat"):
        (data_folder() / "indexes" / name).mkdir(parents=True)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("rerank-cli qu", ["query"]),
        ("rerank-cli --ver", ["--version"]),
        ("rerank-cli indexes re", ["rename", "remove"]),
        ("rerank-cli query --per", ["--per-document"]),
        ("rerank-cli query smell of gas --expl", ["--explain"]),
        ("rerank-cli query --rerank --no-rer", []),
        ("rerank-cli query --path a --pat", ["--path"]),
        ("rerank-cli query sm", []),
        ("rerank-cli query --open --expl", ["--explain"]),
        ("rerank-cli query -- --expl", []),
        ("rerank-cli query --top-k 10 --format tr", ["trec"]),
        ("rerank-cli query --format=js", ["json", "jsonl"]),
        ("rerank-cli rerank --input g", ["grep"]),
        ("rerank-cli completion z", ["zsh"]),
        ("rerank-cli completion zsh ", []),
        ("rerank-cli query --tokenizer enc", ["encoder"]),
        ("rerank-cli query --config ", ["files"]),
        ("rerank-cli query --queries=que", ["files"]),
        ("rerank-cli query --tokenizer ./", ["files"]),
        ("rerank-cli index ", ["files"]),
        ("rerank-cli index --quiet no", ["files"]),
        ("rerank-cli similar no", ["files"]),
        ("rerank-cli similar notes.md no", []),
        ("rerank-cli eval ju", ["judge"]),
        ("rerank-cli eval no", ["files"]),
        ("rerank-cli eval judge --po", ["--pool"]),
        ("rerank-cli train --base ./", ["files"]),
        ("rerank-cli nonsense --fo", []),
        ("rerank-cli query --nonsense", []),
    ],
)
def test_a_line_may_end_in_what_the_command_line_takes_there(cli: Cli, line: str, found: list[str]) -> None:
    assert words(cli, line) == found


@pytest.mark.parametrize("key", CHOICES)
def test_each_setting_of_fixed_words_completes_them(cli: Cli, key: str) -> None:
    command = "index" if key in ("vectors", "workers") else "query"
    assert words(cli, f"rerank-cli {command} {flag_of(key)} ") == list(KINDS[key].words)


@pytest.mark.usefixtures("indexes")
@pytest.mark.parametrize(
    "line",
    [
        "rerank-cli query --index n",
        "rerank-cli query --index notes --index n",
        "rerank-cli status --index n",
        "rerank-cli indexes rename n",
        "rerank-cli indexes remove notes n",
    ],
)
def test_indexes_are_completed_by_name(cli: Cli, line: str) -> None:
    assert words(cli, line) == ["news", "notes"]


def test_models_are_completed_by_name(cli: Cli) -> None:
    for name, kind in builtin_names():
        assert words(cli, f"rerank-cli query --{kind} ") == [name]
        assert words(cli, f"rerank-cli models prepare {kind}:", shell="fish") == [f"{kind}:{name}"]


@pytest.mark.usefixtures("indexes")
@pytest.mark.parametrize(
    ("shell", "line", "shown"),
    [
        ("bash", "rerank-cli query --index my", "my\\ boat"),
        ("bash", 'rerank-cli query --index "my ', "my boat"),
        ("zsh", "rerank-cli query --index my", "my boat"),
        ("bash", "rerank-cli models prepare encoder:", "all-MiniLM-L6-v2"),
        ("bash", "rerank-cli models prepare e", "encoder:all-MiniLM-L6-v2"),
        ("bash", "rerank-cli query --fusion=r", "rrf"),
        ("zsh", "rerank-cli models prepare encoder:", "encoder\\:all-MiniLM-L6-v2"),
        ("bash", "rerank-cli query --top", ["--top-k", "--top-n"]),
        ("zsh", "rerank-cli qu", "query:Search an index in both stages."),
        ("fish", "rerank-cli qu", "query\tSearch an index in both stages."),
    ],
)
def test_a_word_is_written_as_its_shell_takes_it(cli: Cli, shell: str, line: str, shown: str | list[str]) -> None:
    assert words(cli, line, shell=shell) == ([shown] if isinstance(shown, str) else shown)


def test_what_goes_wrong_leaves_stdout_empty(cli: Cli) -> None:
    data_folder().mkdir(parents=True)
    (data_folder() / "indexes").write_text("no folder")
    assert cli("completion", "bash", "rerank-cli query --index ").out == ""


LINES = {
    "rerank-cli que\t": "query",
    "rerank-cli query --per-doc\t": "query --per-document",
    "rerank-cli query --format js\tl --fusion=r\t": "query --format jsonl --fusion=rrf",
    "rerank-cli query --index my\t": "query --index my boat",
    "rerank-cli models prepare encoder:all\t": "models prepare encoder:all-MiniLM-L6-v2",
    "rerank-cli index a-fi\t": "index a-file.md",
    "rerank-cli query --config=a-fi\t": "query --config=a-file.md",
}
SETUP = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "source <(rerank-cli completion bash)"),
    "zsh": (["zsh", "-f", "-i"], "autoload -U compinit && compinit -D && source <(rerank-cli completion zsh)"),
    "fish": (["fish", "--no-config", "-i"], "rerank-cli completion fish | source"),
}


@pytest.mark.usefixtures("indexes")
@pytest.mark.parametrize("shell", SETUP)
def test_the_tab_key_completes_in_the_shell_itself(shell: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    program = tmp_path / "bin" / "rerank-cli"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m rerank_cli "$@"\n')
    program.chmod(0o755)
    (tmp_path / "a-file.md").touch()
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.chdir(tmp_path)
    command, setup = SETUP[shell]
    # Control and A puts the cursor in front of the line, whose words are printed then, and not run.
    typed = "".join(f"{line}\x01printf '%s ' done \x05; echo\n" for line in LINES)
    shown = typed_into(command, f"{setup}\n{typed}exit\n")
    done = [line.partition("done ")[2].strip() for line in shown.splitlines() if line.startswith("done ")]
    assert done == [f"rerank-cli {line}" for line in LINES.values()]


def typed_into(command: list[str], keys: str) -> str:
    """What a terminal shows when *keys* are typed into the shell that *command* begins."""
    leader, follower = pty.openpty()

    def take_the_terminal() -> None:  # which fish reads from, whatever its stdin is
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    streams = {"stdin": follower, "stdout": follower, "stderr": follower}
    with subprocess.Popen(command, **streams, start_new_session=True, preexec_fn=take_the_terminal) as running:  # noqa: PLW1509
        os.close(follower)
        os.write(leader, keys.encode())
        shown = read_to_the_end(leader)
        running.wait(60)
    os.close(leader)
    return shown.decode(errors="replace")
