"""`doctor` on whatever may have happened to what it looks at."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from rerank_cli.doctor.examine import examine
from rerank_cli.doctor.findings import Finding
from rerank_cli.errors import RerankError
from rerank_cli.store import open_reader
from tests.conftest import Plant, Update
from tests.fakes import FakeEncoder
from tests.faults.conftest import LONG

INDEXES = [f".local/share/rerank-cli/indexes/{name}" for name in ("one", "two")]

ROUNDS = 600 if LONG else 40


def cut(path: Path, chance: random.Random) -> None:
    os.truncate(path, chance.randrange(path.stat().st_size + 1))


def garble(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(chance.choice((1, 20, 2000))):
        if content:
            content[chance.randrange(len(content))] = chance.randrange(256)
    path.write_bytes(content)


def lose(path: Path, chance: random.Random) -> None:
    path.unlink()


def become_a_folder(path: Path, chance: random.Random) -> None:
    path.unlink()
    path.mkdir()


def become_a_link_to_itself(path: Path, chance: random.Random) -> None:
    path.unlink()
    path.symlink_to(path)


def become_another(path: Path, chance: random.Random) -> None:
    path.write_bytes(chance.randbytes(chance.choice((0, 10, 5000))))


DAMAGES = (cut, garble, lose, become_a_folder, become_a_link_to_itself, become_another)


@pytest.fixture
def home(tmp_path: Path, plant: Plant, update: Update, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with two indexes, the record of a compiled model, a memory of hashes and settings in it."""
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable)
    plant({f"{n}.md": f"brake number {n}\n" for n in range(40)})
    for index in INDEXES:
        update(index_folder=home / index)
    for path, content in {
        ".cache/rerank-cli/models/0123/compiled.json": '{"compiler_version": 9, "parts": {"model.onnx": "12"}}',
        ".cache/rerank-cli/models/0123/model.onnx": "a graph",
        ".cache/rerank-cli/hashes/0123.json": '{"model.safetensors": [[1, 2, 3, 4], "12"]}',
        ".config/rerank-cli/config.yaml": "top_n: 3\n",
    }.items():
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_text(content)
    return home


def test_doctor_tells_of_any_damage_that_a_search_meets_and_breaks_at_none(
    home: Path, docs: Path, tmp_path: Path, survived: Callable[[str, int], None]
) -> None:
    """Damage that no search ends with is not seen: bits that are flipped in a vector, or in the words of a text, only
    change what is found. Nor are words of FTS5's that another query than this one meets.
    """
    shutil.copytree(home, tmp_path / "sound")
    met = 0
    for seed in range(ROUNDS):
        chance = random.Random(seed)
        files = [path for path in sorted(home.rglob("*")) if path.is_file()]
        for path in chance.sample(files, k=chance.choice((1, 1, 2, len(files)))):
            chance.choice(DAMAGES)(path, chance)
        found = list(
            examine(start=docs, index=None, config_file=None, environment=os.environ, other_variables=frozenset())
        )
        for finding in found:
            check(finding, seed)
        for index in INDEXES:
            error = error_of_a_search(home / index)
            verdicts = {each.status: each.exit_code for each in found if each.check == "index"
                        and each.subject == str(home / index)}  # fmt: skip
            if error is not None:
                met += 1
                assert verdicts.get("FAIL") == error.exit_code, (seed, error, found)
        assert {finding.check for finding in found} >= {"versions", "config", "models", "index", "disk", "permissions"}
        shutil.rmtree(home)
        shutil.copytree(tmp_path / "sound", home)
    assert met > ROUNDS / 10
    survived("damages that doctor looked at", ROUNDS)
    survived("damages that a search meets, told by doctor", met)


def error_of_a_search(index: Path) -> RerankError | None:
    """What a search by words ends with, or one by vectors, or reading what they find."""
    vector = FakeEncoder().encode_queries(["brake number 7"])[0]
    try:
        with open_reader(index) as reader:
            for ranking in (reader.search_lexical(["brake", "7"], 100), reader.search_dense(vector, 100)):
                found = [passage for passage, _ in ranking]
                reader.opening_cosines(vector, found)
                stored = reader.read(found)
                reader.file_states({each.path for each in stored.values()})
    except RerankError as error:
        return error
    return None


def check(finding: Finding, seed: int) -> None:
    assert "\n" not in finding.message + finding.remedy, (seed, finding)
    assert bool(finding.remedy) == (finding.status != "ok"), (seed, finding)
    assert (finding.exit_code in (2, 3, 4)) == (finding.status == "FAIL"), (seed, finding)
