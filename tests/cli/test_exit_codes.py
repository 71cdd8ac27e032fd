"""What a command's end tells the shell, and the one line that tells the user."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rerank_cli.locks import GLANCE_S
from tests.cli.conftest import HEAR_SIGINT, Cli, Outcome, assert_one_line, write_files
from tests.clocks import IdleClock
from tests.conftest import leave_without_home


def test_hits_end_with_0_and_nothing_on_stderr(indexed: Path, process: Cli) -> None:
    outcome = process("query", "cold radiator")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out


def test_no_hit_ends_with_1(indexed: Path, cli: Cli) -> None:
    outcome = cli("query", "zebra", "--retriever", "lexical")
    assert (outcome.code, outcome.out, outcome.err) == (1, "", "")


def test_hits_below_min_score_are_none_and_end_with_1(indexed: Path, cli: Cli) -> None:
    outcome = cli("query", "radiator", "--min-score", "2")
    assert (outcome.code, outcome.out) == (1, "")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["query", "x", "--format", "xml"], ["--format is 'xml'", "jsonl"]),
        (["query", "x", "--top-n", "0"], ["--top-n is '0'", "1 or more"]),
        (["query", "x", "--top-k", "1001"], ["--top-k is '1001'", "1000"]),
        (["query", "x", "--top-n", "many"], ["--top-n is 'many'", "a whole number of 1 or more"]),
        (["query", "x", "--min-score", "0.2", "--no-rerank"], ["--min-score", "--no-rerank", "drop one"]),
        (["query", "x", "--path", "!"], ["--path", ".gitignore"]),
        (["query", "x", "--path", ""], ["--path: '' matches nothing"]),
        (["query", "x", "--not-path", ""], ["--not-path: '' matches nothing"]),
        (["query", "x", "--ext", "md,"], ["--ext: 'md,' is no extension"]),
        (["query", "x", "--since", "soon"], ["--since: 'soon' is no date", "2026-01-31"]),
        (["eval", "--where", "=x"], ["--where: '=x' says nothing", "key=value"]),
        (["eval", "--run-in", "x", "--where", "tag"], ["--where says how to search"]),
        (["query"], ["no query", "--queries FILE"]),
        (["query", "x", "--queries", "y"], ["both TEXT and --queries", "drop one"]),
        (["query", "x", "--index", ""], ["a list of names"]),
        (["query", "x", "--frobnicate"], ["--frobnicate", "see rerank-cli --help"]),
        (["frobnicate"], ["'frobnicate'; see rerank-cli --help"]),
        (["models", "frobnicate"], ["'frobnicate'; see"]),
        (["models", "prepare", "all-MiniLM-L6-v2"], ["says no kind", "encoder:all-MiniLM-L6-v2"]),
        (["index"], ["folder"]),
    ],
)
def test_wrong_usage_ends_with_2_and_one_line(cli: Cli, arguments: list[str], parts: list[str]) -> None:
    outcome = cli(*arguments)
    assert outcome.code == 2
    assert_one_line(outcome, *parts)


@pytest.mark.parametrize("query", ["", "  \t "])
def test_an_empty_query_ends_with_2(indexed: Path, cli: Cli, query: str) -> None:
    outcome = cli("query", query, "--format", "tsv")
    assert outcome.code == 2
    assert_one_line(outcome, "the query is empty")


def test_a_query_of_10000_words_ends_with_2(indexed: Path, cli: Cli) -> None:
    outcome = cli("query", "word " * 10_000, "--format", "json")
    assert outcome.code == 2
    assert_one_line(outcome, "10000 words", "at most 2000")


@pytest.mark.parametrize(
    "query",
    ["radiator " * 2000, "radiator " + "counterrevolutionarily " * 120, "radiator " + "-é" * 300, "radiator" * 300],
    ids=["2000 words", "more tokens than the window", "one giant word", "one giant word of letters"],
)
def test_a_long_query_is_answered(indexed: Path, cli: Cli, query: str) -> None:
    outcome = cli("query", query, "--top-k", "1", "-f", "paths")
    assert (outcome.code, outcome.err) == (0, "") and outcome.lines


def test_no_command_prints_the_help_on_stderr_and_ends_with_2(cli: Cli) -> None:
    outcome = cli()
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("Usage:") and "  query " in outcome.err


@pytest.mark.parametrize("command", [["query", "x"], ["status"]])
def test_without_an_index_it_ends_with_3_and_says_how_to_make_one(cli: Cli, command: list[str]) -> None:
    outcome = cli(*command)
    assert outcome.code == 3
    assert_one_line(outcome, "no folder is indexed yet", "rerank-cli index FOLDER")


def test_an_index_that_is_not_there_ends_with_3_and_is_named(indexed: Path, cli: Cli) -> None:
    outcome = cli("query", "x", "--index", "nowhere")
    assert outcome.code == 3
    assert_one_line(outcome, "indexes/nowhere: no index here")


def test_a_damaged_index_that_is_the_only_one_is_told_as_damaged(tmp_path: Path, cli: Cli) -> None:
    catalog = Path(os.environ["XDG_DATA_HOME"]) / "rerank-cli" / "indexes" / "docs-1" / "catalog.sqlite"
    catalog.parent.mkdir(parents=True)
    catalog.write_bytes(b"this is no database" * 100)
    outcome = cli("status")
    assert outcome.code == 3
    assert_one_line(outcome, str(catalog))


def test_an_index_of_another_encoder_ends_with_3_and_the_command_that_mends_it(
    indexed: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rerank_cli.models.catalogue._published_fingerprint", lambda folder, name, **more: "another")
    outcome = cli("query", "radiator", "--no-rerank")
    assert outcome.code == 3
    assert_one_line(outcome, "made with the encoder all-MiniLM-L6-v2", f"rerank-cli index --rebuild {indexed}")


@pytest.mark.parametrize(
    ("folder", "part"),
    [("/nowhere", "no such folder"), ("a" * 300, "File name too long"), ("~nobody-of-this-name/x", "home folder")],
)
def test_a_folder_that_cannot_be_found_ends_with_4(cli: Cli, folder: str, part: str) -> None:
    outcome = cli("index", folder)
    assert outcome.code == 4
    assert_one_line(outcome, folder, part, "check the path")


def test_a_folder_without_documents_ends_with_4(tmp_path: Path, model_cache: Path, cli: Cli) -> None:
    outcome = cli("index", tmp_path)
    assert outcome.code == 4
    assert_one_line(outcome, str(tmp_path), "no file to index", "--dry-run")


def test_a_lost_working_directory_ends_with_4(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    outcome = cli("status")
    assert outcome.code == 4
    assert_one_line(outcome, "current directory")


@pytest.mark.parametrize(
    "arguments",
    [["status"], ["query", "radiator"], ["index", "."], ["models"], ["models", "prepare"], ["eval"], ["eval", "judge"]],
    ids=" ".join,
)
def test_a_user_without_a_home_folder_ends_with_4_and_is_told_which_variable_to_set(
    library: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(library)
    leave_without_home(monkeypatch)
    outcome = cli(*arguments)
    assert outcome.code == 4
    assert_one_line(outcome, "this user has no home folder", "set HOME or XDG_")


@pytest.mark.parametrize(
    "arguments",
    [
        ["status", "--index", "~nobody-of-this-name/index"],
        ["query", "radiator", "--index", "~nobody-of-this-name/index"],
        ["models", "prepare", "encoder:~nobody-of-this-name/model"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_the_home_folder_of_nobody_ends_with_4(cli: Cli, arguments: list[str]) -> None:
    outcome = cli(*arguments)
    assert outcome.code == 4
    assert_one_line(outcome, "~nobody-of-this-name/", "no such home folder", "check the path")


def test_strict_ends_with_5_where_a_file_cannot_be_read_and_0_without(
    tmp_path: Path, model_cache: Path, cli: Cli
) -> None:
    write_files(tmp_path, {"good.md": "Bleed the radiator.\n", "bad.jsonl": '{"_id":\n'})
    outcome = cli("index", tmp_path, "--strict", "--quiet")
    assert (outcome.code, outcome.out) == (5, "")
    reason, verdict = outcome.err.splitlines()  # cron's --quiet keeps no failure to itself
    assert reason.startswith("rerank-cli: bad.jsonl") and "1 file could not be read" in verdict
    lenient = cli("index", tmp_path)
    assert lenient.code == 0
    assert "1 file could not be read" in lenient.out
    assert [line[: line.index(".jsonl")] for line in lenient.err.splitlines()] == ["rerank-cli: bad"]


def test_a_locked_index_ends_with_75_at_once(
    tmp_path: Path, model_cache: Path, cli: Cli, idle_clock: IdleClock
) -> None:
    write_files(tmp_path / "docs", {"a.md": "Bleed the radiator.\n"})
    (tmp_path / "index").mkdir()
    with (tmp_path / "index" / "write.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        outcome = cli("index", tmp_path / "docs", "--index", tmp_path / "index", "--wait-s", "0")
    assert outcome.code == 75
    assert idle_clock.now_s < 2 * GLANCE_S
    assert_one_line(outcome, str(tmp_path / "index"), "another process is writing", "--wait-s")


def test_an_interrupt_ends_with_130_and_one_line(indexed: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", f"{HEAR_SIGINT}; main()", "query", "-", "--format", "jsonl"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        assert running.stdin and running.stdout and running.stderr
        running.stdin.write(b"radiator\n")
        running.stdin.flush()
        assert running.stdout.readline().startswith(b'{"query_id": "1"')
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 130
        assert running.stderr.read() == b"rerank-cli: interrupted\n"


@pytest.mark.parametrize(
    "arguments",
    [["query", "radiator", "--format", "table"], ["query", "radiator"], ["status"], ["config"], ["doctor"]],
)
def test_a_reader_that_went_away_ends_with_141_quietly(indexed: Path, arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "rerank_cli", *arguments],
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=300,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize(
    "arguments",
    [
        *(["query", "radiator", "--no-rerank", "-f", name] for name in ("plain", "json", "tsv", "table")),
        ["status"],
        ["config"],
        ["models"],
    ],
)
def test_what_is_printed_is_one_write_also_where_python_holds_nothing_back(indexed: Path, arguments: list[str]) -> None:
    """A reader that goes once it has some lines, as `head` does, breaks no other."""
    reading, writing = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)  # which keeps writes apart
    with reading, writing:
        command = [sys.executable, "-m", "rerank_cli", *arguments]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        subprocess.run(command, env=environment, stdout=writing, timeout=300, check=True)
        writing.close()
        written = iter(lambda: reading.recv(1_000_000), b"")
        assert next(written).count(b"\n") > 1
        assert list(written) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["query", "radiator"],
        ["query", "radiator", "--format", "json"],
        ["query", "radiator", "--format", "table"],
        ["status"],
        ["doctor"],
        ["doctor", "--json"],
        ["index", "."],
    ],
)
def test_an_output_that_cannot_be_written_ends_with_4_and_one_line(indexed: Path, arguments: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "rerank_cli", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=300,
            check=False,
        )
    assert done.returncode == 4
    assert done.stderr == b"rerank-cli: the output cannot be written (No space left on device); check where it goes\n"


@pytest.mark.parametrize(
    ("arguments", "closed"),
    [("status", ">&-"), ("status", "2>&-"), *((each, ">&- 2>&-") for each in ("query radiator", "index .", "doctor"))],
)
def test_a_closed_stream_takes_nothing_and_breaks_nothing(indexed: Path, arguments: str, closed: str) -> None:
    command = f"'{sys.executable}' -m rerank_cli {arguments} {closed}"
    assert subprocess.run(command, shell=True, capture_output=True, timeout=300, check=False).returncode == 0


def test_a_command_that_ends_at_once_leaves_all_written_and_nothing_open(indexed: Path, tmp_path: Path) -> None:
    index = tmp_path / "idx"
    query = ["query", "radiator", "--no-rerank"]
    for arguments in (["index", "."], ["index", ".", "--dry-run"], query, ["status"], ["doctor"]):
        command = [sys.executable, "-m", "rerank_cli", *arguments, "--index", str(index)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert (done.returncode, done.stdout[-1:]) == (0, "\n"), done.stderr
        assert sorted(path.suffix for path in index.iterdir()) == [".keys", ".lock", ".seal", ".sqlite", ".vectors"]


def test_what_may_not_be_read_ends_with_4(indexed: Path, tmp_path: Path) -> None:
    drop = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    if drop and shutil.which("setpriv") is None:
        pytest.skip("root reads everything, and there is no setpriv to hold it back")
    (tmp_path / "secret.tsv").write_text("1\tradiator\n")
    (tmp_path / "secret.tsv").chmod(0)
    for arguments in (["query", "--queries", tmp_path / "secret.tsv"], ["index", tmp_path / "secret.tsv"]):
        command = [*drop, sys.executable, "-m", "rerank_cli", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 4, done.stderr
        assert_one_line(Outcome(done.returncode, done.stdout, done.stderr), "secret.tsv")


# What no command foresaw


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    """Let this be raised below the command `config`."""

    def fail(error: Exception) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr("rerank_cli.config.load.home_folder", refuse)

    return fail


def test_a_bug_ends_with_70_its_traceback_and_a_line_that_says_so(cli: Cli, failing) -> None:
    failing(KeyError("of ours"))
    outcome = cli("config")
    assert (outcome.code, outcome.out) == (70, "")
    *trace, last = outcome.err.splitlines()
    assert trace[0] == "Traceback (most recent call last):" and "KeyError: 'of ours'" in trace
    assert last.startswith("rerank-cli: this is a bug of rerank-cli") and "report it" in last


AS_MODULE = "import runpy; runpy.run_module('rerank_cli', run_name='__main__')"
AS_SCRIPT = (
    "from importlib.metadata import entry_points\n"
    "(script,) = entry_points(group='console_scripts', name='rerank-cli')\n"
    "sys.exit(script.load()())"
)


@pytest.mark.parametrize("started", [AS_MODULE, AS_SCRIPT], ids=["module", "script"])
def test_a_bug_ends_with_70_however_the_program_is_started(started: str) -> None:
    broken = (
        "import sys; from rerank_cli.config import load; load.home_folder = None; sys.argv = ['rerank-cli', 'config']"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"{broken}\n{started}"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (70, "")
    assert "is not callable" in done.stderr and "this is a bug of rerank-cli" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("error", "parts"),
    [
        (
            PermissionError(errno.EACCES, "Permission denied", "/a/file"),
            ["/a/file: cannot be used (Permission denied)"],
        ),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", b"/a/\xff"), ["/a/", "No such file"]),
        (OSError(errno.EIO, "Input/output error"), ["Input/output error"]),
        (OSError("[Errno 5] Input/output error"), ["(Input/output error)"]),
        (MemoryError(), ["too little memory"]),
        (sqlite3.OperationalError("disk I/O error"), ["disk I/O error"]),
    ],
)
def test_an_error_of_the_system_that_nobody_told_ends_with_4_and_one_line(
    cli: Cli, failing, error: Exception, parts: list[str]
) -> None:
    failing(error)
    outcome = cli("config")
    assert outcome.code == 4
    assert_one_line(outcome, *parts)
    assert "[Errno" not in outcome.err


# Files that were made to break a program


DEEP = '{"_id": "1", "text": ' + "[" * 200_000


def test_no_file_of_queries_judgements_or_pairs_ends_in_a_traceback(indexed: Path, tmp_path: Path, cli: Cli) -> None:
    deep, odd, good = tmp_path / "deep.jsonl", tmp_path / "odd.jsonl", tmp_path / "qrels.tsv"
    deep.write_text(DEEP)
    odd.write_text('{"_id": "\\ud800x", "text": "radiator \\udfff"}\n')
    good.write_text("1\tmy notes.txt\t1\n")
    judged = tmp_path / "odd-qrels.jsonl"
    judged.write_text('{"query_id": "\\ud800x", "doc_id": "my notes.txt", "relevance": 1}\n')
    packed = tmp_path / "pairs.jsonl.gz"
    packed.write_bytes(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03" + b"\xff" * 100)
    for arguments in (
        ("eval", "--queries", deep, "--qrels", good),
        ("eval", "--queries", odd, "--qrels", deep),
        ("eval", "--queries", odd, "--qrels", judged, "--baseline", deep, "--quiet"),
        ("query", "--queries", deep, "--no-rerank"),
        ("train", "--out", tmp_path / "model", "--pairs", packed),
        ("train", "--out", tmp_path / "model", "--pairs", deep),
    ):
        assert cli(*arguments).code == 4, arguments
    assert cli("query", "--queries", odd, "-f", "trec", "--no-rerank").out.startswith("\ufffdx Q0 ")
    assert cli("eval", "--queries", odd, "--qrels", judged, "--json", "--top-k", "5").code == 0


# A stderr that takes nothing changes no exit code

ENDS = {
    "usage": (2, "raise UsageError('x')"),
    "no such option": (2, "raise typer.BadParameter('x')"),
    "an index": (3, "raise IndexMissing('x')"),
    "a folder": (4, "raise InputError('x', remedy='y')"),
    "the system": (4, "raise PermissionError(13, 'Permission denied', '/a')"),
    "skipped": (5, "raise FilesSkipped('x')"),
    "a bug": (70, "raise KeyError('x')"),
    "busy": (75, "raise Busy('x')"),
    "interrupted": (130, "raise KeyboardInterrupt"),
    "output closed": (141, "raise BrokenPipeError"),
    "told and well": (0, "say('x' * 100_000)"),
}


@pytest.mark.parametrize("broken", ["full", "nobody reads"])
@pytest.mark.parametrize(("code", "ending"), ENDS.values(), ids=ENDS)
def test_a_stderr_that_takes_nothing_changes_no_exit_code(code: int, ending: str, broken: str) -> None:
    script = f"""
import sys, typer
from rerank_cli.cli import app
from rerank_cli.cli.terminal import say
from rerank_cli.errors import *
def run(_):
    {ending}
app._run = run
app.main()
"""
    reader, writer = os.pipe()
    os.close(reader)
    if broken == "full":
        os.close(writer)
        writer = os.open("/dev/full", os.O_WRONLY)
    try:
        done = subprocess.run([sys.executable, "-c", script], stderr=writer, timeout=300, check=False)
    finally:
        os.close(writer)
    assert done.returncode == code


def test_an_error_ends_with_its_code_where_the_output_takes_nothing_either(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "rerank_cli", "index", str(tmp_path / "nowhere")]
        assert subprocess.run(command, stdout=full, stderr=full, timeout=300, check=False).returncode == 4
        help_asked = subprocess.run([sys.executable, "-m", "rerank_cli"], stderr=full, timeout=300, check=False)
        assert help_asked.returncode == 2
