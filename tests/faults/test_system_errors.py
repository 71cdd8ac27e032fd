"""Every command, with each call that touches the disk failing in its turn."""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rerank_cli.errors import RerankError, UsageError
from rerank_cli.models.catalogue import BUILTIN_ENCODER, ModelSource, builtin_names, find_model
from rerank_cli.models.compiled import CompiledModel
from rerank_cli.store.location import default_folder
from rerank_cli.training.destination import claim, telling_disk_errors
from tests.fakes import FakeEncoder, FakeReranker
from tests.faults.conftest import LONG
from tests.faults.failing_system import ERRORS, failing_system

DOCUMENTED = {0, 1, 2, 3, 4, 5, 75}

AT_MOST = 1000 if LONG else 20
"""How many calls of one command fail in turn, evenly drawn from all that it makes."""

TEXTS = {"a.md": "# Brakes\n\nThe brake squeals.\n", "b.md": "# Dry chains\n\nOil the chain.\n",
         "c.jsonl": '{"text": "a saddle"}\n'}  # fmt: skip
COLLECTION = {
    "queries.jsonl": '{"_id": "1", "text": "brake"}\n{"_id": "2", "text": "chain"}\n',
    "qrels.tsv": "query-id\tcorpus-id\tscore\n1\ta.md\t1\n2\tb.md\t1\n",
}

COMMANDS = {
    "index of nothing new": ["index", "docs"],
    "index of changes": ["index", "changed"],
    "index anew": ["index", "docs", "--rebuild"],
    "first index": ["index", "other"],
    "index of one file": ["index", "docs/b.md"],
    "dry run": ["index", "docs", "--dry-run"],
    "query": ["query", "brake", "-f", "paths", "--index", "main"],
    "query of words": ["query", "brake", "-f", "plain", "--retriever", "lexical", "--index", "main"],
    "query from stdin": ["query", "-", "-f", "paths", "--index", "main"],
    "queries of a file": ["query", "--queries", "judged/queries.jsonl", "-f", "paths", "--index", "main"],
    "query where one stands": ["query", "brake", "-f", "paths"],
    "status": ["status", "--index", "main"],
    "status where one stands": ["status", "--json"],
    "config": ["config"],
    "models": ["models"],
    "models prepare": ["models", "prepare"],
    "models prepare again": ["models", "prepare", "--force"],
    "doctor": ["doctor"],
    "doctor of one index": ["doctor", "--index", "main", "--json"],
    "eval": ["eval", "--collection", "judged", "--index", "main", "--quiet"],
    "eval with files": ["eval", "--collection", "judged", "--index", "main", "--quiet", "--run-out", "out/run",
                        "--report", "out/report.html", "--json"],
    "eval of runs": ["eval", "--collection", "judged", "--run-in", "judged/run", "--quiet"],
    "eval init": ["eval", "init", "--out", "out/drawn", "--count", "2", "--index", "main"],
    "eval judge": ["eval", "judge", "--collection", "judged", "--qrels", "out/qrels.tsv", "--index", "main"],
}  # fmt: skip

ANSWERS_ALONE = {"query", "query of words", "query from stdin", "queries of a file", "query where one stands"}
"""These end with 0 only with the answer of a system where nothing fails."""


FORGETFUL = {"models prepare"}
"""These find no hash of a model remembered, and read all of both models. The others are told of it quickly."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with documents, their index, a collection, settings and caches, to be copied for each run."""
    return tmp_path_factory.mktemp("made")


@pytest.fixture
def place(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a command runs: what it reads and writes all lies below."""
    place = made / "place"
    for variable, name in (("DATA", "data"), ("CACHE", "cache"), ("CONFIG", "config")):
        monkeypatch.setenv(f"XDG_{variable}_HOME", str(place / name))
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.setattr("rerank_cli.models.loading.open_encoder", lambda *_, **__: FakeEncoder())
    monkeypatch.setattr("rerank_cli.models.loading.open_reranker", lambda *_, **__: FakeReranker())
    monkeypatch.setattr("rerank_cli.models.compile.load_sentence_transformer", lambda source: None)
    monkeypatch.setattr("rerank_cli.models.compile.load_cross_encoder", lambda source: None)
    monkeypatch.setattr("rerank_cli.models.compile._compile_into", compile_at_once)
    return place


def compile_at_once(folder: Path, source: ModelSource, loaded: object, step: object, *, exact: Path) -> CompiledModel:
    """What torch takes many seconds for; what is done with it is the program's own."""
    for name in ("tokenizer.json", "model.onnx"):
        (folder / name).write_text(f"{name} of {source.name}")
    return CompiledModel(
        folder=folder, name=source.name, kind=source.kind, origin=source.origin, original=str(source.folder),
        fingerprint=source.fingerprint, precision="int8", reason="", agreement=0.99, width=1, max_tokens=512,
        activation="identity", calibration=None, query_prompt="", passage_prompt="", parts={},
    )  # fmt: skip


@pytest.fixture
def restore(made: Path, place: Path, run, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Put everything below `place` back as it was at first."""

    def restore() -> None:
        os.chdir(place.parent)
        shutil.rmtree(place, ignore_errors=True)
        if (made / "kept").exists():
            shutil.copytree(made / "kept", place, symlinks=True)
        else:
            begin()
            shutil.copytree(place, made / "kept", symlinks=True)
        os.chdir(place / "docs")

    def begin() -> None:
        for folder, files in (("docs", TEXTS), ("changed", TEXTS), ("other", TEXTS), ("judged", COLLECTION)):
            for name, text in files.items():
                (place / folder).mkdir(parents=True, exist_ok=True)
                (place / folder / name).write_text(text)
                os.utime(place / folder / name, (1_600_000_000, 1_600_000_000))
        (place / "out").mkdir()
        (place / "config" / "rerank-cli").mkdir(parents=True)
        (place / "config" / "rerank-cli" / "config.yaml").write_text("top_n: 5\n")
        (place / "docs" / "rerank.yaml").write_text("top_n: 4\n")
        (place / "docs" / ".gitignore").write_text("*.log\n")
        (place / "judged" / "run").write_text("1 Q0 a.md 1 2.0 x\n2 Q0 b.md 1 1.0 x\n")
        os.chdir(place)
        for name, kind in builtin_names():
            find_model(name, kind)
        for arguments in (["index", "docs"], ["index", "docs", "--index", "main"], ["index", "changed"]):
            assert run(arguments)[0] == 0
        (place / "changed" / "a.md").write_text("The brake is new.\n")
        (place / "changed" / "b.md").unlink()

    monkeypatch.setattr(sys, "argv", sys.argv)
    yield restore
    os.chdir(place.parent)


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, run_main: Callable[..., tuple[int, str, str]]
) -> Callable[[list[str]], tuple[int, str, str]]:
    def run(arguments: list[str]) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"brake\n\nchain\n"), encoding="utf-8"))
        return run_main(*arguments)

    return run


def spread_evenly(count: int) -> Iterator[int]:
    step = max(1.0, count / AT_MOST)
    numbers = (int(1 + step * turn) for turn in range(AT_MOST))
    return (number for number in dict.fromkeys(numbers) if number <= count)


def index_of(place: Path, name: str) -> Path:
    return place / "data" / "rerank-cli" / "indexes" / "main" if name == "main" else default_folder(place / name)


def answers(place: Path, name: str, find) -> list[str]:
    return find("brake", index_of(place, name))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("command", COMMANDS)
def test_an_error_of_the_system_is_told_in_words_and_harms_no_index(
    command: str, place: Path, made: Path, restore, run, find, survived
) -> None:
    arguments = [f"../{word}" if "/" in word or word in ("docs", "changed", "other", "judged") else word
                 for word in COMMANDS[command]]  # fmt: skip
    is_doctor = command.startswith("doctor")

    def begin() -> None:
        restore()
        if command in FORGETFUL:
            shutil.rmtree(place / "cache" / "rerank-cli" / "hashes")

    begin()
    old = {name: answers(place, name, find) for name in ("main", "docs", "changed")}
    places = [place, find_model(BUILTIN_ENCODER, "encoder").folder]
    with failing_system(places) as system:
        expected = run(arguments)
    assert expected[0] in (0, 1) or is_doctor, expected  # to which the fake encoder is not the one that is configured
    total = len(system.calls)
    new = {name: answers(place, name, find) for name in old}
    for turn, number in enumerate(spread_evenly(total)):
        begin()
        code = ERRORS[turn % len(ERRORS)]
        with failing_system(places, fails_at=number, code=code) as system:
            outcome = run(arguments)
        call = f"{system.calls[number - 1] if len(system.calls) >= number else 'no call'}: {os.strerror(code)}"
        if is_doctor and outcome[0] in (2, 3, 4) and outcome[1]:
            check_found(outcome, call)
        else:
            check_told(outcome, call, talks=command == "eval judge")
        if command in ANSWERS_ALONE:
            assert outcome[0] != 0 or outcome[1] == expected[1], (call, outcome)
            assert outcome[0] != 1, (call, outcome)
        for name, answer in old.items():
            if not is_as_made(place, made, name):  # else it answers as it did
                assert answers(place, name, find) in (answer, new[name]), (call, name, outcome)
        survived("errors of the system", 1)


def is_as_made(place: Path, made: Path, name: str) -> bool:
    """Whether the index *name* is byte for byte the one that `restore` put there."""
    folder = index_of(place, name)
    return contents(folder) == contents(made / "kept" / folder.relative_to(place))


def check_found(outcome: tuple[int, str, str], call: str) -> None:
    """What keeps doctor from looking is a finding like any other."""
    _, out, err = outcome
    assert "FAIL" in out and not err, (call, outcome)
    assert "[Errno" not in out and "Traceback" not in out, (call, outcome)


def check_told(outcome: tuple[int, str, str], call: str, *, talks: bool) -> None:
    """An error is one line; a command that *talks* has said other things before it."""
    code, _, err = outcome
    assert code in DOCUMENTED, (call, outcome)
    assert "[Errno" not in err and "Traceback" not in err, (call, outcome)
    lines = err.splitlines()
    if talks:
        lines = lines[-1:] if code else []
    assert all(line.startswith("rerank-cli: ") for line in lines), (call, outcome)
    if code in (2, 3, 4, 75):
        lines = [line for line in lines if "is the nearest of several indexes here" not in line]
        assert len(lines) == 1, (call, outcome)
        assert ";" in lines[0] or code == 2, (call, outcome)  # what to do


def test_the_index_is_brought_up_to_date_by_the_run_after_the_one_that_failed(
    place: Path, restore, run, find, survived
) -> None:
    restore()
    with failing_system([place]) as system:
        assert run(["index", "../changed"])[0] == 0
    new = answers(place, "changed", find)
    for turn, number in enumerate(spread_evenly(len(system.calls))):
        restore()
        with failing_system([place], fails_at=number, code=ERRORS[turn % len(ERRORS)]) as system:
            failed = run(["index", "../changed"])
        after = run(["index", "../changed"])
        call = system.calls[number - 1]
        assert after[0] == 0, (call, failed, after)
        assert answers(place, "changed", find) == new, (call, failed, after)
        folder = default_folder(place / "changed")
        assert sorted(path.suffix for path in folder.glob("*-*")) == [".keys", ".vectors"], (call, failed)
        survived("errors of the system", 1)


def test_a_training_publishes_its_model_whole_or_says_why_it_cannot(tmp_path: Path, survived) -> None:
    def publish(folder: Path, *, resume: bool = False) -> None:
        with claim(folder, resume=resume, settings={"seed": 1}) as output, telling_disk_errors(output):
            output.keep("mined.json", b"{}")
            output.partial.mkdir()
            for name in ("config.json", "model.safetensors"):
                (output.partial / name).write_text(name)
            output.publish()

    with failing_system([tmp_path]) as system:
        publish(tmp_path / "whole")
    for number in range(1, len(system.calls) + 1):
        folder = tmp_path / str(number)
        told = []
        with failing_system([tmp_path], fails_at=number, code=ERRORS[number % len(ERRORS)]) as system:
            try:
                publish(folder)
            except RerankError as error:
                told.append(f"{error}; {error.remedy}")
        assert not any("[Errno" in line for line in told), told
        if not folder.exists():
            assert told, system.calls[-1]
            try:
                publish(folder, resume=folder.with_name(f"{folder.name}.checkpoints").exists())
            except UsageError as error:  # nothing says what was trained: the remedy is to delete the checkpoints
                assert "delete" in error.remedy
                shutil.rmtree(folder.with_name(f"{folder.name}.checkpoints"))
                publish(folder)
        assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors"]
        survived("errors of the system", 1)
