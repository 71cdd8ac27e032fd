from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from rerank_cli.corpus import limits
from rerank_cli.corpus import reading as reading_module
from rerank_cli.corpus.limits import PATIENCE, deserves_another_try
from rerank_cli.corpus.passages import passages_of, reading_of
from rerank_cli.corpus.read import Unreadable, html
from rerank_cli.corpus.reading import SMALL_BYTES, FileReading, _is_harmless
from rerank_cli.errors import InputError, ModelError
from rerank_cli.records import FoundFile
from rerank_cli.stamps import Stamp
from tests.fakes import FakeEncoder

REPOSITORY = Path(__file__).parents[3]
PROSE = b"The quick brown fox jumps over the lazy dog. It does so again.\n\n"

Open = Callable[..., FileReading]


@pytest.fixture
def open_reading() -> Iterator[Open]:
    """Make a FileReading that is closed when the test ends."""
    opened: list[FileReading] = []

    def make(*, file_timeout_s: float = 60.0, **options) -> FileReading:
        options.setdefault("count_tokens", FakeEncoder().count_tokens)
        opened.append(FileReading(max_tokens=40, file_timeout_s=file_timeout_s, **options))
        return opened[-1]

    yield make
    for reading in opened:
        reading.__exit__(None, None, None)


@pytest.fixture(scope="module")
def lasting() -> Iterator[FileReading]:
    """One for many tests, which need not start a process each."""
    with FileReading(max_tokens=40, count_tokens=FakeEncoder().count_tokens, file_timeout_s=60.0) as reading:
        yield reading


def read(reading: FileReading, path: str, content: bytes, *, lone: bool = False):
    return reading.read(found(path, content), content, lone=lone)


def found(path: str, content: bytes) -> FoundFile:
    return FoundFile(path, path, Stamp(len(content), 0, 0, 0))


def worker_of(reading: FileReading) -> int | None:
    return reading._worker._process.pid if reading._worker else None


# What is read apart is read the same


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("a.md", b"# Fox\n\n" + PROSE * 520),
        ("a.txt", PROSE * 520),
        ("a.rst", b"Fox\n===\n\n" + PROSE * 520),
        ("a.html", b"<h1>Fox</h1>" + b"<p>" + PROSE * 520),
        ("a.py", b"def fox():\n    pass\n\n" * 2000),
        ("a.csv", b"id,text\n" + b"".join(b"%d,The quick fox\n" % n for n in range(2000))),
        ("a.jsonl", b"".join(b'{"id": %d, "text": "The quick fox"}\n' % n for n in range(1000))),
    ],
)
@pytest.mark.parametrize("lone", [False, True])
def test_a_process_of_its_own_reads_what_this_one_would(
    lasting: FileReading, path: str, content: bytes, lone: bool
) -> None:
    documents = reading_of(found(path, content), content, lone=lone).documents
    here = tuple(passages_of(documents, max_tokens=40, count_tokens=FakeEncoder().count_tokens))
    assert not _is_harmless(content)
    assert read(lasting, path, content, lone=lone).documents == here


def test_a_small_file_starts_no_process(open_reading: Open) -> None:
    reading = open_reading()
    assert read(reading, "a.md", PROSE[:SMALL_BYTES])
    assert worker_of(reading) is None


def test_one_process_reads_one_file_after_another(open_reading: Open) -> None:
    reading = open_reading()
    read(reading, "a.txt", PROSE * 800)
    first = worker_of(reading)
    with pytest.raises(Unreadable, match="not valid JSON"):
        read(reading, "b.jsonl", b"fox\n" * 9000)
    assert read(reading, "c.txt", PROSE * 800)
    assert worker_of(reading) == first


def test_documents_of_a_long_file_are_heard_of_while_others_are_read(open_reading: Open) -> None:
    came: list[str] = []

    def count_tokens(texts: Sequence[str]) -> list[int]:
        came.append("asked")
        return FakeEncoder().count_tokens(texts)

    content = b"".join(b'{"id": %d, "text": "The quick fox number %d"}\n' % (n, n) for n in range(1000))
    open_reading(count_tokens=count_tokens).read(
        found("a.jsonl", content), content, lone=True, listener=lambda _: came.append("heard")
    )
    assert came.index("heard") < len(came) / 5


def test_a_word_is_asked_for_once_where_texts_are_cut_between_words(open_reading: Open) -> None:
    asked: list[str] = []

    def count_tokens(texts: Sequence[str]) -> list[int]:
        asked.extend(texts)
        return FakeEncoder().count_tokens(texts)

    text = b"the quick brown fox " * 40
    content = b"".join(b'{"id": %d, "text": "%s"}\n' % (n, text) for n in range(50))
    read(open_reading(count_tokens=count_tokens), "a.jsonl", content, lone=True)
    assert asked.count("quick") == 1


# Limits


def test_a_file_that_takes_too_long_costs_itself_alone(open_reading: Open) -> None:
    reading = open_reading(file_timeout_s=0.1)
    with pytest.raises(Unreadable, match=r"^took longer than 0\.1 s \(--file-timeout\)$"):
        read(reading, "a.md", b"[a" * 1_000_000)  # minutes of it
    assert read(reading, "b.txt", PROSE * 200)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits memory")
def test_a_file_that_takes_too_much_memory_costs_itself_alone(
    open_reading: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MEMORY_BYTES", 50_000_000)
    reading = open_reading()
    with pytest.raises(Unreadable, match=r"^needs more than 0.05 GB of memory$"):
        read(reading, "a.txt", b"a\n\n" * 300_000)
    assert read(reading, "b.txt", PROSE * 800)


def test_a_file_larger_than_usual_has_the_limits_of_as_many_usual_ones() -> None:
    assert not deserves_another_try("took longer than 30 s (--file-timeout)", 10_000_000, 30.0)
    assert deserves_another_try("took longer than 30 s (--file-timeout)", 10_000_001, 30.0)


@pytest.mark.parametrize("failure", [None, "line 1: not a JSON object", "needs more than 1 GB of memory"])
def test_only_what_took_too_long_deserves_another_try(failure: str | None) -> None:
    assert not deserves_another_try(failure, 1000, 1e6)


@pytest.mark.parametrize(("now", "again"), [(29.0, False), (30.0, False), (30.5, True), (1e6, True)])
def test_it_deserves_one_where_the_limit_was_raised(now: float, again: bool) -> None:
    assert deserves_another_try("took longer than 30 s (--file-timeout)", 1000, now) is again


# Failures


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("a\nb"), "cannot be understood (ValueError: a b)"),
        (RecursionError("maximum recursion depth exceeded"), "nested too deeply"),
        (MemoryError(), "needs more memory than there is"),
        (AssertionError(), "cannot be understood (AssertionError:)"),
    ],
)
def test_whatever_a_reader_raises_is_its_files_failure(
    open_reading: Open, monkeypatch: pytest.MonkeyPatch, error: Exception, told: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(html, "_read", fail)
    with pytest.raises(Unreadable) as caught:
        read(open_reading(), "a.html", b"<p>fox")
    assert str(caught.value) == told


@pytest.mark.parametrize("content", [PROSE, PROSE * 800], ids=["here", "apart"])
def test_what_the_splitter_stumbles_over_is_the_files_failure(open_reading: Open, content: bytes) -> None:
    def fail(texts: Sequence[str]) -> list[int]:
        raise TypeError("TextInputSequence must be str")

    with pytest.raises(Unreadable, match=r"cannot be understood \(TypeError: TextInputSequence must be str\)"):
        read(open_reading(count_tokens=fail), "a.txt", content)


@pytest.mark.parametrize("content", [PROSE, PROSE * 800], ids=["here", "apart"])
def test_a_model_that_cannot_be_loaded_is_no_files_failure(open_reading: Open, content: bytes) -> None:
    def fail(texts: Sequence[str]) -> list[int]:
        raise ModelError("no model")

    reading = open_reading(count_tokens=fail)
    with pytest.raises(ModelError):
        read(reading, "a.txt", content)
    assert worker_of(reading) is None


def test_a_lost_connection_of_whoever_listens_is_no_files_failure(open_reading: Open) -> None:
    def hang_up(_: object) -> None:
        raise ConnectionResetError("the encoder's server went")

    reading, content = open_reading(), PROSE * 800
    with pytest.raises(ConnectionResetError, match="the encoder's server went"):
        reading.read(found("a.txt", content), content, lone=False, listener=hang_up)
    assert worker_of(reading) is None


@pytest.mark.parametrize("content", [PROSE, PROSE * 800], ids=["here", "apart"])
def test_an_interruption_is_no_files_failure(open_reading: Open, content: bytes) -> None:
    def interrupt(texts: Sequence[str]) -> list[int]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read(open_reading(count_tokens=interrupt), "a.txt", content)


def test_the_model_is_made_ready_before_the_time_of_a_file_begins(
    open_reading: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock that only loading the model moves, and counting a token after that."""
    now_s = [0.0]

    def pass_time() -> None:
        now_s[0] += 100.0

    def count_late(texts: Sequence[str]) -> list[int]:
        now_s[0] += PATIENCE * 60.0
        return [1] * len(texts)

    monkeypatch.setattr(reading_module, "time", SimpleNamespace(monotonic=lambda: now_s[0]))
    assert read(open_reading(file_timeout_s=60.0, get_ready=pass_time), "a.txt", PROSE * 800)
    with pytest.raises(Unreadable, match=r"^took longer than 60 s"):
        read(open_reading(file_timeout_s=60.0, count_tokens=count_late), "a.txt", PROSE * 800)


def test_a_file_has_its_time_of_the_processor_where_others_are_at_work_too(
    open_reading: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock that goes on while the process waits."""
    now_s = [0.0]

    def count_late(texts: Sequence[str]) -> list[int]:
        now_s[0] += 100.0 if not now_s[0] else 0.0
        return [1] * len(texts)

    monkeypatch.setattr(reading_module, "time", SimpleNamespace(monotonic=lambda: now_s[0]))
    assert read(open_reading(file_timeout_s=60.0, count_tokens=count_late), "a.txt", PROSE * 800)
    assert now_s == [100.0]


def test_the_limit_holds_whatever_signals_are_ignored(open_reading: Open) -> None:
    before = signal.signal(signal.SIGPROF, signal.SIG_IGN)
    try:
        with pytest.raises(Unreadable, match=r"^took longer than 0\.1 s"):
            read(open_reading(file_timeout_s=0.1), "a.md", b"[a" * 1_000_000)  # minutes of it
    finally:
        signal.signal(signal.SIGPROF, before)


def test_a_process_that_dies_over_a_file_costs_that_file_alone(open_reading: Open) -> None:
    def kill(texts: Sequence[str]) -> list[int]:
        os.kill(worker_of(reading) or 0, signal.SIGKILL)
        return [1] * len(texts)

    reading = open_reading(count_tokens=kill)
    with pytest.raises(Unreadable, match=r"^broke its reader \(signal 9\)$"):
        read(reading, "a.txt", PROSE * 800)
    with pytest.raises(Unreadable):
        read(reading, "a.txt", PROSE * 800)


def test_where_no_process_can_be_started_the_run_ends_with_the_reason(
    open_reading: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(InputError, match="cannot start a process to read files in: No such file"):
        read(open_reading(), "a.txt", PROSE * 800)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(InputError, match="cannot start a process to read files in: exit status 1"):
        read(open_reading(), "a.txt", PROSE * 800)


# The process and its parent

PARENT = """
import signal
import sys
from pathlib import Path
from rerank_cli.corpus.reading import FileReading
from rerank_cli.records import FoundFile
from rerank_cli.stamps import Stamp

signal.signal(signal.SIGINT, signal.default_int_handler)  # which a job in the background has ignored
content = b"[a" * 1_000_000
with FileReading(max_tokens=40, count_tokens=lambda texts: [1] * len(texts), file_timeout_s=300) as reading:
    reading.read(FoundFile("a.txt", "a.txt", Stamp(9000, 0, 0, 0)), b"fox " * 9000, lone=False)
    print(reading._worker._process.pid, flush=True)
    reading.read(FoundFile("a.md", "a.md", Stamp(len(content), 0, 0, 0)), content, lone=False)
"""


@pytest.fixture
def start_parent(tmp_path: Path) -> Iterator[Callable[[], tuple[subprocess.Popen[str], int]]]:
    """Start a process that reads a file without end, in a folder of planted modules; it and its worker's id."""
    started = []
    for name in ("markdown_it", "multiprocessing", "rerank_cli", "signal", "pickle"):
        (tmp_path / f"{name}.py").write_text("from pathlib import Path\nPath('ran').touch()\n")

    def start() -> tuple[subprocess.Popen[str], int]:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", PARENT],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        )
        started.append(process)
        assert process.stdout is not None
        return process, int(process.stdout.readline())

    yield start
    for process in started:
        process.kill()
        process.communicate()


def ended_within(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        status = Path(f"/proc/{pid}/stat")
        if status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_process_ends_with_its_parent(start_parent, sent: signal.Signals) -> None:
    parent, worker = start_parent()
    time.sleep(0.3)
    os.killpg(parent.pid, sent)
    parent.wait(timeout=60)
    assert ended_within(worker, 60)


def test_no_module_of_the_current_folder_runs(start_parent, tmp_path: Path) -> None:
    start_parent()
    assert not (tmp_path / "ran").exists()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_the_process_holds_no_file_of_its_parents(open_reading: Open, tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w"):
        reading = open_reading()
        read(reading, "a.txt", PROSE * 800)
        kinds = {str(link.readlink()).split(":")[0] for link in Path(f"/proc/{worker_of(reading)}/fd").iterdir()}
    assert kinds == {"pipe", "/dev/null", "socket"}


def test_the_process_loads_no_model_library() -> None:
    code = (
        "import sys, rerank_cli.corpus.worker; "
        "print({'onnxruntime', 'tokenizers', 'torch', 'hnswlib', 'sqlite3'} & {*sys.modules})"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert printed.stdout.strip() == "set()"


def test_a_closed_reading_leaves_no_process(open_reading: Open) -> None:
    with open_reading() as reading:
        read(reading, "a.txt", PROSE * 800)
        worker = worker_of(reading)
    assert worker_of(reading) is None
    assert ended_within(worker or 0, 10)


@pytest.mark.parametrize("file_timeout_s", [2_147_484.0, 86_400.0 * 100_000])
def test_a_limit_longer_than_the_system_can_wait_at_once_is_waited_for_in_steps(
    open_reading: Open, file_timeout_s: float
) -> None:
    assert read(open_reading(file_timeout_s=file_timeout_s), "a.md", PROSE * 800)


def test_a_step_of_waiting_that_ends_is_not_the_limit(open_reading: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_module, "_STEP_S", 0.001, raising=False)
    assert read(open_reading(), "a.md", PROSE * 1600)


def test_a_mail_that_takes_too_long_with_its_attachments_is_read_without_them(open_reading: Open) -> None:
    boundary = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nSee below.\n--b\n"
    attachment = b"Content-Disposition: attachment; filename=slow.md\n\n" + b"[a" * 1_000_000  # minutes of it
    found = read(open_reading(file_timeout_s=2), "a.eml", boundary + attachment)
    assert found.notes == ("read without its attachments: with them it took longer than 2 s (--file-timeout)",)
    assert [passage.text for passage in found.documents[0].passages] == ["See below.\n\nAttachment: slow.md"]
