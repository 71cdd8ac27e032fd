"""`rerank`: the records that are piped in come out as they came, best first."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rerank_cli.cli.app import main
from rerank_cli.cli.piped import read_records
from rerank_cli.cli.reranking import LONGEST_LINE
from tests.fakes import FakeEncoder, FakeReranker

ROOT = Path(__file__).parents[2]

Rerank = Callable[..., tuple[int, bytes, str]]


@pytest.fixture
def reranker(monkeypatch: pytest.MonkeyPatch) -> FakeReranker:
    fake = FakeReranker()
    monkeypatch.setattr("rerank_cli.models.loading.open_reranker", lambda *_, **__: fake)
    return fake


@pytest.fixture
def counts_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passages are measured in words."""
    monkeypatch.setattr("rerank_cli.models.loading.open_encoder", lambda *_, **__: FakeEncoder())


@pytest.fixture
def rerank(
    reranker: FakeReranker, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> Rerank:
    """Run the command on bytes: its exit code, the bytes that it prints, and its stderr."""

    def run(stdin: bytes, *arguments: str) -> tuple[int, bytes, str]:
        monkeypatch.setattr(sys, "argv", ["rerank-cli", "rerank", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        with pytest.raises(SystemExit) as left:
            main()
        streams = capsysbinary.readouterr()
        assert isinstance(left.value.code, int)
        return left.value.code, streams.out, streams.err.decode()

    return run


def texts_of(content: bytes, **options: object) -> list[str]:
    given = {"kind": "auto", "null": False, **options}
    return [record.text for record in read_records(content, **given).records]  # type: ignore[arg-type]


# What comes out


def test_lines_come_out_as_they_came_best_first_and_ties_in_their_order(rerank: Rerank) -> None:
    lines = b"a chain\r\n\n  wet brake \x1b[31mlever\x1b[0m\r\n\xff brake\nthe brake\nwet weather brake"
    code, out, err = rerank(lines, "wet", "brake")
    assert (code, err) == (0, "")
    assert out == (b"  wet brake \x1b[31mlever\x1b[0m\r\nwet weather brake\n\xff brake\nthe brake\na chain\r\n")


def test_only_the_best_and_the_good_are_printed_where_that_is_asked(rerank: Rerank) -> None:
    lines = b"chain\nbrake\nwet brake\n"
    assert rerank(lines, "wet brake", "--top-n", "1") == (0, b"wet brake\n", "")
    assert rerank(lines, "wet brake", "--min-score", "0.5") == (0, b"wet brake\nbrake\n", "")
    assert rerank(lines, "wet brake", "--min-score", "0.99") == (1, b"", "")
    assert rerank(b"\n \n", "wet brake") == (1, b"", "")


def test_a_setting_of_a_file_limits_what_a_query_shows_and_no_pipe(rerank: Rerank, tmp_path: Path) -> None:
    (tmp_path / "few.yaml").write_text("top_n: 1\n")
    assert rerank(b"a\nb\n", "c", "--config", str(tmp_path / "few.yaml"))[1] == b"a\nb\n"


def test_a_score_and_a_tab_stand_before_a_line(rerank: Rerank) -> None:
    assert rerank(b"chain\nbrake\n", "brake", "--scores")[1] == b"0.9820\tbrake\n0.0180\tchain\n"


def test_equal_texts_are_scored_once(rerank: Rerank, reranker: FakeReranker) -> None:
    lines = b"".join(b"f%d.py:1:wet brake\n" % (number % 7) for number in range(2000))
    assert len(rerank(lines, "brake")[1].splitlines()) == 2000
    assert reranker.pairs == [("brake", "wet brake")]


# Kinds of records


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("src/a.py:12:wet brake", "wet brake"),
        ("src/a.py:12:5:wet brake", "wet brake"),
        ("2024-01-02 notes.md:12:wet brake", "wet brake"),
        (
            "\x1b[35m\x1b[Ksrc/a.py\x1b[m\x1b[K\x1b[36m\x1b[K:\x1b[m\x1b[K\x1b[32m12\x1b[m:wet \x1b[1;31mbrake\x1b[m",
            "wet brake",
        ),
        ("\x1b]8;;file:///src/a.py\x1b\\src/a.py\x1b]8;;\x1b\\:12:wet brake", "wet brake"),
        ("src/a.py\0" + "12:wet brake", "wet brake"),
        ("a brake: wet", "a brake: wet"),
        ("12:30:45 wet brake", "12:30:45 wet brake"),
        ("2024-01-02T12:30:45 wet brake", "2024-01-02T12:30:45 wet brake"),
        ("12:wet brake", "wet brake"),
        ("a.log:12:2024-01-02 12:30:45 wet brake", "2024-01-02 12:30:45 wet brake"),
        ("src/foo-12-bar.py:3:wet brake", "wet brake"),
        ("12:30 wet brake", "12:30 wet brake"),
        ("Nov 28 01:11:08 host wet", "Nov 28 01:11:08 host wet"),
        ("http://a.b:80/brake", "http://a.b:80/brake"),
        ("- brake", "- brake"),
        ("--", "--"),
    ],
)
def test_a_place_before_a_line_is_not_read(line: str, text: str) -> None:
    assert texts_of(f"{line}\n".encode()) == [text]


def test_a_word_of_greps_own_among_its_lines_is_a_record_too() -> None:
    lines = b"".join(b"a.py:%d:wet\n" % number for number in range(20)) + b"grep: b.bin: binary file matches\n"
    assert texts_of(lines)[-2:] == ["wet", "grep: b.bin: binary file matches"]


def test_what_it_is_can_be_said() -> None:
    assert texts_of(b"a.py:1:wet\n", kind="lines") == ["a.py:1:wet"]
    assert texts_of(b"wet\na.py:1:wet\n", kind="grep") == ["wet", "wet"]
    assert texts_of(b'{"text": "wet"}\n', kind="lines") == ['{"text": "wet"}']


def test_lines_around_what_grep_found_stay_with_it(rerank: Rerank) -> None:
    first, second = b"a.md-1-chain\na.md:2:oil\n", b"a.md-8-wet\na.md:9:brake\na.md-10-pads\n"
    assert texts_of(first + b"--\n" + second) == ["chain\noil", "wet\nbrake\npads"]
    assert rerank(first + b"--\n" + second, "wet brake")[1] == second + b"--\n" + first
    assert rerank(first + b"--\n" + second, "wet brake", "--top-n", "1")[1] == second
    nulled = rerank((first + b"--\n" + second).replace(b"\n", b"\0"), "wet brake", "-0", "--scores")[1]
    scored = rerank(first + b"--\n" + second, "wet brake", "--scores")[1]
    assert nulled == scored.replace(b"\n", b"\0")
    assert scored.startswith(b"0.9820\ta.md-8-wet\n0.9820\ta.md:9:brake\n")


def test_a_record_that_ends_with_nul_may_have_many_lines(rerank: Rerank) -> None:
    assert rerank(b"a\nchain\0wet\nbrake\0", "brake", "-0")[1] == b"wet\nbrake\0a\nchain\0"


def test_a_byte_order_mark_belongs_to_no_record(rerank: Rerank) -> None:
    assert rerank(b'\xef\xbb\xbf{"text": "chain"}\n{"text": "brake"}\n', "brake")[1] == (
        b'{"text": "brake"}\n{"text": "chain"}\n'
    )


def test_objects_keep_their_fields_in_place(rerank: Rerank) -> None:
    lines = b'{"n":1.50,  "text":"chain"}\r\n\n{"text": "wet brake", "id": "\\ud83d\xe2\x82\xac", "n": {"score": 1}}\n'
    assert rerank(lines, "brake")[1] == b"".join(reversed(lines.replace(b"\n\n", b"\n").splitlines(keepends=True)))
    code, out, _ = rerank(lines, "brake", "--scores")
    best, last = out.splitlines(keepends=True)
    assert code == 0 and best.startswith(lines.splitlines()[2][:-1] + b", ")
    assert list(json.loads(best)) == ["text", "id", "n", "score", "logit"]
    assert json.loads(last) == {"n": 1.5, "text": "chain", "score": pytest.approx(0.01799, abs=1e-4), "logit": -4.0}
    assert last.endswith(b"}\r\n")


def test_a_score_that_an_object_has_already_is_replaced_where_it_stands(rerank: Rerank) -> None:
    out = rerank('{"score": 9, "text": "brake", "é": 1}\n'.encode(), "brake", "--scores")[1].decode()
    assert (list(json.loads(out)), out.count("score"), out.count("é")) == (["score", "text", "é", "logit"], 1, 1)
    assert json.loads(out)["score"] == pytest.approx(0.982, abs=1e-3)


@pytest.mark.parametrize(
    ("line", "fault"),
    [(b'{"title": "x"}', 'has no "text"'), (b"{", "not valid JSON"), (b'{"text": 3}', 'has no "text"')],
)
def test_a_line_that_is_no_object_with_a_text_is_told(rerank: Rerank, line: bytes, fault: str) -> None:
    code, out, err = rerank(b'{"text": "brake"}\n\n' + line + b"\n", "brake")
    assert (code, out, err.count("\n")) == (4, b"", 1)
    assert err.startswith(f"rerank-cli: stdin:3: {fault}") and "--input lines" in err


def test_objects_of_which_none_has_a_text_are_lines(rerank: Rerank) -> None:
    lines = b'{"message": "chain"}\n{"message": "brake"}\n'
    assert rerank(lines, "brake")[1].splitlines() == lines.splitlines()[::-1]


# Much of it


def test_of_a_line_of_a_megabyte_the_beginning_is_read_and_that_is_told(
    rerank: Rerank, reranker: FakeReranker, counts_words: None
) -> None:
    long = b"wet brake " + b"x" * 500_000
    code, out, err = rerank(long + b"\nchain\n", "brake", "--quiet")
    assert (code, out, err) == (0, long + b"\nchain\n", "")
    assert sum(len(text) for _, text in reranker.pairs) < LONGEST_LINE + 1000
    assert "1 record with a long line" in rerank(long, "brake")[2]


def test_of_a_long_line_the_best_passage_counts_wherever_it_stands(rerank: Rerank, counts_words: None) -> None:
    long = b"The chain is dry. " * 1000 + b"The brake is wet."
    assert rerank(b"a brake\n" + long + b"\n", "wet brake", "--top-n", "1") == (0, long + b"\n", "")


def test_of_a_long_text_in_json_the_best_passage_counts_wherever_it_stands(rerank: Rerank, counts_words: None) -> None:
    long = json.dumps({"text": "The chain is dry. " * 2000 + "The brake is wet."}).encode()
    assert rerank(b'{"text": "a brake"}\n' + long, "wet brake", "--top-n", "1")[1] == long + b"\n"


def test_many_lines_come_out_in_order(rerank: Rerank) -> None:
    lines = [b"a.py:%d:line %d\n" % (number, number % 10) for number in range(20_000)]
    code, out, _ = rerank(b"".join(lines), "7", "--quiet")
    assert code == 0
    best = [line for line in lines if line.endswith(b" 7\n")]
    assert out.splitlines(keepends=True) == best + [line for line in lines if not line.endswith(b" 7\n")]


# Files


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "bike.md").write_text(
        "# Bike\n\n" + "Oil the chain. " * 60 + "\n\n# Stopping\n\nThe wet brake squeals.\n"
    )
    (tmp_path / "~odd\nname.txt").write_text("The brake.\n")
    (tmp_path / "tram.txt").write_text("A tram.\n")
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\0\0")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_file_is_as_good_as_its_best_passage(rerank: Rerank, folder: Path, counts_words: None) -> None:
    names = b"./tram.txt\0./~odd\nname.txt\0~odd\nname.txt\0./bike.md\0"
    code, out, err = rerank(names, "-0", "--files", "wet brake")
    assert (code, err) == (0, "")
    assert out == b"./bike.md\0./~odd\nname.txt\0~odd\nname.txt\0./tram.txt\0"
    assert rerank(b"tram.txt\nbike.md\ntram.txt\n", "--files", "brake")[1] == b"bike.md\ntram.txt\ntram.txt\n"
    assert rerank(b"\x1b[35mtram.txt\x1b[m\n", "--files", "tram") == (0, b"\x1b[35mtram.txt\x1b[m\n", "")
    scored = rerank(b"bike.md\r\ntram.txt\n", "--files", "--scores", "wet brake")[1]
    assert scored == b"0.9820\tbike.md\r\tline 7\n0.0180\ttram.txt\tline 1\n"


def test_what_cannot_be_read_is_told_and_the_rest_is_ordered(rerank: Rerank, folder: Path, counts_words: None) -> None:
    names = b"gone.txt\nempty.txt\npicture.png\ntram.txt\n.\n"
    code, out, err = rerank(names, "--files", "tram")
    assert (code, out) == (0, b"tram.txt\n")
    told, others = err.splitlines()
    assert told == "rerank-cli: gone.txt: no such file or directory; it is left out"
    assert others.startswith("rerank-cli: left out 3 files: ")
    assert "1 no text (empty.txt), 1 binary (picture.png), 1 not a regular file (.)" in others
    assert "2 no text (empty.txt, …)" in rerank(b"empty.txt\nempty.txt\ntram.txt\n", "--files", "tram")[2]
    code, out, err = rerank(b"gone.txt\n", "--files", "tram")
    assert (code, out) == (4, b"") and "none of the files could be read" in err


def test_names_of_files_are_of_no_other_kind(rerank: Rerank) -> None:
    code, _, err = rerank(b"", "--files", "--input", "grep", "tram")
    assert code == 2 and "--files" in err


# Streams


@pytest.mark.parametrize("query", ["", "  "])
def test_an_empty_query_is_refused(rerank: Rerank, query: str) -> None:
    code, _, err = rerank(b"{", query, "--input", "jsonl")
    assert code == 2 and "the query is empty" in err, "what is piped in is not waited for"


def test_nothing_is_waited_for_on_a_terminal() -> None:
    leader, follower = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "rerank_cli", "rerank", "brake"],
        stdin=follower,
        capture_output=True,
        timeout=60,
        check=False,
    )
    os.close(leader)
    os.close(follower)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"rerank-cli: nothing is piped in; as in")


PROGRAM = (
    "from rerank_cli.models import loading; from tests.fakes import FakeReranker; import sys;"
    "loading.open_reranker = lambda *_, **__: FakeReranker();"
    "from rerank_cli.cli.app import main; main()"
)


def test_a_reader_that_leaves_ends_it_quietly() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "rerank", "brake"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        assert running.stdin and running.stdout and running.stderr
        running.stdout.close()
        running.stdin.write(b"wet brake\n" * 50_000)
        running.stdin.close()
        assert running.stderr.read() == b""
        assert running.wait(60) == 141


def test_on_a_terminal_records_that_end_with_nul_are_lines() -> None:
    leader, follower = pty.openpty()
    command = [sys.executable, "-c", PROGRAM, "rerank", "-0", "brake"]
    done = subprocess.run(
        command, cwd=ROOT, input=b"chain\0brake\0", stdout=follower, stderr=subprocess.PIPE, check=False
    )
    os.close(follower)
    assert (done.returncode, done.stderr, os.read(leader, 100)) == (0, b"", b"brake\r\nchain\r\n")
    os.close(leader)


def test_nothing_found_is_told_on_a_terminal() -> None:
    leader, follower = pty.openpty()
    command = [sys.executable, "-c", PROGRAM, "rerank", "brake"]
    done = subprocess.run(command, cwd=ROOT, input=b"\n", stdout=subprocess.PIPE, stderr=follower, check=False)
    os.close(follower)
    assert (done.returncode, done.stdout) == (1, b"")
    assert os.read(leader, 1000).endswith(b"rerank-cli: nothing found\r\n")
    os.close(leader)
