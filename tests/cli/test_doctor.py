"""`doctor`: a line for whatever it looks at, whatever state that is in, and nothing changed by looking."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rerank_cli.models.catalogue import BUILTIN_ENCODER, PUBLISHED, compiled_folder, find_model, shipped_folder
from tests.cli.conftest import LIBRARY, Cli, Outcome, write_files
from tests.conftest import leave_without_home
from tests.unprivileged import unprivileged

CHECKS = {"versions", "config", "models", "offline", "index", "lock", "clock", "disk", "permissions"}


def findings(outcome: Outcome, check: str = "") -> list[dict[str, str]]:
    """What was found, under *check* if one is named. Each has its remedy, and nothing is a traceback."""
    assert outcome.err == ""
    found: list[dict[str, str]] = outcome.json
    for each in found:
        assert set(each) == {"check", "subject", "status", "message", "remedy"}
        assert each["status"] in ("ok", "warn", "FAIL")
        assert each["message"] and "Traceback" not in each["message"]
        assert bool(each["remedy"]) == (each["status"] != "ok"), each
    failed = [each for each in found if each["status"] == "FAIL"]
    assert bool(failed) == bool(outcome.code), failed
    return [each for each in found if not check or each["check"] == check]


def states(path: Path) -> dict[Path, tuple[Any, ...]]:
    """By path, what tells that something was written; folders by their mode, as SQLite's own files come and go."""
    return {
        place: (status.st_mode, *(() if place.is_dir() else (status.st_size, status.st_mtime_ns, status.st_ctime_ns)))
        for place in sorted((path, *path.rglob("*")))
        for status in [place.lstat()]
    }


def copy_or_link(source: str, target: str) -> None:
    """A graph is large, takes long to be loaded, and is the same for all tests."""
    (os.symlink if source.endswith(".onnx") else shutil.copy2)(source, target)


@pytest.fixture
def sound(tmp_path: Path, session_cache: Path, session_data: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli) -> Path:
    """A home folder of this test's own with an indexed folder in it, in which we stand, and both models compiled."""
    home = tmp_path / "home"
    write_files(home / "notes", LIBRARY)
    shutil.copytree(session_cache / "rerank-cli", home / ".cache" / "rerank-cli", copy_function=copy_or_link)
    monkeypatch.setenv("HOME", str(home))
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable)
    monkeypatch.chdir(home / "notes")
    assert cli("index", ".", "--quiet").code == 0
    return home


def indexes(home: Path) -> Path:
    return home / ".local" / "share" / "rerank-cli" / "indexes"


def index_of(home: Path) -> Path:
    (folder,) = indexes(home).iterdir()
    return folder


def test_all_is_well_after_an_index(sound: Path, cli: Cli) -> None:
    outcome = cli("doctor")
    assert (outcome.code, outcome.err) == (0, "")
    assert {line.split()[0] for line in outcome.lines} == {"ok"}, outcome.out
    assert {line.split()[1] for line in outcome.lines} == CHECKS
    assert "ok   models       rerank-minilm-l6: compiled, verified (int8)" in outcome.lines
    (index,) = (line for line in outcome.lines if line.split()[1] == "index")
    assert f"passages of {sound / 'notes'}, updated " in index


def test_json_tells_programs_the_same(sound: Path, cli: Cli) -> None:
    found = findings(cli("doctor", "--json"))
    assert {each["check"] for each in found} == CHECKS
    assert [each["status"] for each in found] == ["ok"] * len(found)


def test_looking_changes_nothing(sound: Path, process: Cli) -> None:
    for remembered in (sound / ".cache" / "rerank-cli" / "hashes", sound / ".cache" / "rerank-cli" / "fingerprints"):
        shutil.rmtree(remembered, ignore_errors=True)
    (sound / ".cache" / "rerank-cli").chmod(0o755)
    before = states(sound)
    assert process("doctor").code == 0
    assert states(sound) == before


def test_looking_leaves_nothing_in_an_empty_home(process: Cli) -> None:
    outcome = process("doctor", "--json")
    found = findings(outcome)
    assert outcome.code == 0
    assert {each["check"] for each in found} == CHECKS
    assert {each["status"] for each in found if each["check"] == "models"} == {"ok"}
    assert {each["status"] for each in found if each["check"] == "index"} == {"warn"}
    assert list(Path(os.environ["HOME"]).iterdir()) == []


def test_one_index_is_looked_at_by_name_by_a_beginning_or_by_path(sound: Path, cli: Cli) -> None:
    assert cli("index", ".", "--index", "other", "--quiet").code == 0
    assert len(findings(cli("doctor", "--json"), "index")) == 2
    for asked in ("other", "oth", indexes(sound) / "other"):
        (finding,) = findings(cli("doctor", "--json", "--index", asked), "index")
        assert finding["subject"] == str(indexes(sound) / "other")


@pytest.mark.parametrize("asked", ["nowhere", "./nowhere", "/proc/nowhere/index", "a" * 300])
def test_an_index_that_is_not_there_ends_with_its_code(sound: Path, cli: Cli, asked: str) -> None:
    outcome = cli("doctor", "--json", "--index", asked)
    assert outcome.code in (3, 4)
    assert findings(outcome, "index")[0]["status"] == "FAIL"


def test_a_damaged_index_ends_with_3_and_everything_else_is_told(sound: Path, cli: Cli) -> None:
    (index_of(sound) / "catalog.sqlite").write_bytes(b"this is no database" * 100)
    outcome = cli("doctor", "--json")
    assert outcome.code == 3
    assert {each["check"] for each in findings(outcome)} == CHECKS
    assert [each["check"] for each in findings(outcome) if each["status"] == "FAIL"] == ["index"]


def test_the_code_of_a_disk_or_model_goes_before_that_of_an_index(sound: Path, cli: Cli) -> None:
    (index_of(sound) / "catalog.sqlite").write_bytes(b"this is no database" * 100)
    write_files(sound, {"mine.yaml": "reranker: ./nowhere\n"})
    assert cli("doctor", "--config", sound / "mine.yaml").code == 4


def flip_a_bit(graph: Path) -> None:
    content = bytearray(graph.read_bytes())
    content[len(content) // 2] ^= 1
    graph.unlink()
    graph.write_bytes(content)


def test_a_flipped_bit_in_a_compiled_model_is_told(
    sound: Path, cli: Cli, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RERANK_CLI_ENCODER", str(tiny_encoder))
    source = find_model(str(tiny_encoder), "encoder")
    assert cli("models", "prepare", f"encoder:{tiny_encoder}", "--quiet").code == 0
    flip_a_bit(compiled_folder(source.fingerprint) / "model.onnx")
    (warned,) = [each for each in findings(cli("doctor", "--json"), "models") if each["status"] == "warn"]
    assert "is not what was written" in warned["message"]
    assert warned["remedy"] == f"compile it now: rerank-cli models prepare encoder:{tiny_encoder}"
    assert cli("models", "prepare", f"encoder:{tiny_encoder}", "--quiet").code == 0
    assert not [each for each in findings(cli("doctor", "--json"), "models") if each["status"] == "warn"]


def test_a_damaged_form_in_the_cache_of_a_model_that_ships_does_no_harm(sound: Path, cli: Cli) -> None:
    cached = compiled_folder(PUBLISHED[BUILTIN_ENCODER])
    shutil.copytree(shipped_folder(BUILTIN_ENCODER), cached, dirs_exist_ok=True)
    flip_a_bit(cached / "model.onnx")
    assert {each["status"] for each in findings(cli("doctor", "--json"), "models")} == {"ok"}


def test_a_model_that_is_not_there_ends_with_4(sound: Path, cli: Cli) -> None:
    write_files(sound, {"mine.yaml": "encoder: ./nowhere\n"})
    outcome = cli("doctor", "--json", "--config", sound / "mine.yaml")
    assert outcome.code == 4
    encoder, reranker = findings(outcome, "models")
    assert (encoder["status"], reranker["status"]) == ("FAIL", "ok")
    assert "no such encoder" in encoder["message"]


@pytest.mark.parametrize(("offline", "status", "code"), [(True, "FAIL", 4), (False, "warn", 0)])
def test_a_hub_model_that_was_never_fetched_fails_only_where_it_may_not_be_fetched(
    sound: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch, offline: bool, status: str, code: int
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", offline)
    write_files(sound, {"mine.yaml": "reranker: owner/never-fetched\n"})
    outcome = cli("doctor", "--json", "--config", sound / "mine.yaml")
    assert outcome.code == code
    assert findings(outcome, "models")[1]["status"] == status
    (finding,) = findings(outcome, "offline")
    assert finding["status"] == "warn"
    if not offline:
        assert finding["remedy"] == "fetch it: rerank-cli models prepare reranker:owner/never-fetched"


@pytest.mark.parametrize("content", ["topn: 3\n", "top_n: [\n", "top_n: many\n", "\0"])
def test_a_configuration_that_cannot_be_read_ends_with_2_and_the_rest_is_told(
    sound: Path, cli: Cli, content: str
) -> None:
    write_files(sound / "notes", {"rerank.yaml": content})
    outcome = cli("doctor", "--json")
    assert outcome.code == 2
    assert {each["check"] for each in findings(outcome)} == CHECKS


def test_the_encoder_that_counts_is_the_one_configured_beside_the_documents(
    sound: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    (builtin, _) = findings(cli("doctor", "--json"), "models")
    source = find_model(builtin["subject"], "encoder").folder
    shutil.copytree(source, sound / "notes" / "mine")
    (sound / "notes" / "mine" / "config_sentence_transformers.json").unlink()
    write_files(sound / "notes", {"rerank.yaml": "encoder: ./mine\n"})
    monkeypatch.chdir(sound)
    outcome = cli("doctor", "--json")
    assert outcome.code == 3
    _, finding = findings(outcome, "index")
    assert finding["message"] == f"made with the encoder {builtin['subject']}, while {sound}/notes/mine is configured"
    assert findings(outcome, "models")[0]["subject"] == builtin["subject"]


def test_settings_beside_the_documents_that_cannot_be_read_are_told_from_elsewhere(
    sound: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(sound / "notes", {"rerank.yaml": "encoder: /elsewhere/model\n"})
    monkeypatch.chdir(sound)
    outcome = cli("doctor", "--json")
    assert outcome.code == 2
    (finding,) = (each for each in findings(outcome) if each["status"] == "FAIL")
    assert finding["check"] == "index" and "rerank.yaml:1: encoder is '/elsewhere/model'" in finding["message"]


def test_a_user_without_a_home_folder_is_told_so(library: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(library)
    leave_without_home(monkeypatch)
    outcome = cli("doctor", "--json")
    assert outcome.code == 4
    told = findings(outcome)
    assert {each["check"] for each in told if "no home folder" in each["message"]} >= {"index", "models"}


@pytest.mark.parametrize(
    "closed",
    [
        ".local/share/rerank-cli/indexes",
        ".local/share/rerank-cli/indexes/*",
        ".local/share/rerank-cli/indexes/*/catalog.sqlite",
        ".local/share/rerank-cli/indexes/*/write.lock",
        ".local/share",
        ".cache/rerank-cli",
        ".cache/rerank-cli/models",
        ".cache/rerank-cli/models/*/compiled.json",
        ".cache/rerank-cli/models/*/model.onnx",
        ".cache",
        "notes/rerank.yaml",
        "../home",
    ],
)
def test_what_may_not_be_read_is_told_and_breaks_nothing(
    sound: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch, closed: str
) -> None:
    write_files(sound / "notes", {"rerank.yaml": "top_n: 3\n"})
    places = list(sound.glob(closed)) or [sound]
    modes = {place: place.stat().st_mode for place in places}
    for place in places:
        place.chmod(0)
    monkeypatch.chdir("/")
    try:
        with unprivileged():
            outcome = cli("doctor", "--json")
    finally:
        for place, mode in modes.items():
            place.chmod(mode)
    assert {each["check"] for each in findings(outcome)} >= CHECKS - {"lock", "clock", "disk", "permissions"}
    assert any(each["status"] != "ok" for each in findings(outcome)) or closed == "notes/rerank.yaml"


def test_without_hnswlib_it_says_what_to_install() -> None:
    program = "import sys; sys.modules['hnswlib'] = None; from rerank_cli.cli.app import main; main()"
    command = [sys.executable, "-c", program, "doctor", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    outcome = Outcome(done.returncode, done.stdout, done.stderr)
    assert outcome.code == 4
    assert [each["subject"] for each in findings(outcome) if each["status"] == "FAIL"] == ["hnswlib"]


def test_a_name_cannot_steer_the_terminal(sound: Path, cli: Cli) -> None:
    (indexes(sound) / "\x1b[31mred\nnotes").mkdir(mode=0o700)
    outcome = cli("doctor")
    assert outcome.code == 3
    assert "\x1b" not in outcome.out
    assert all(line.split()[0] in ("ok", "warn", "FAIL") for line in outcome.lines)


def test_a_name_that_is_no_utf_8_is_told(sound: Path, process: Cli) -> None:
    (indexes(sound) / os.fsdecode(b"\xff\xfe")).mkdir(mode=0o700)
    for arguments in (["doctor"], ["doctor", "--json"]):
        outcome = process(*arguments)
        assert (outcome.code, outcome.err) == (3, "")
    assert json.loads(outcome.out)
