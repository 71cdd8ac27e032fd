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
from tests.conftest import Plant, Update
from tests.faults.conftest import LONG

ROUNDS = 600 if LONG else 60


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
    for name in ("one", "two"):
        update(index_folder=home / ".local" / "share" / "rerank-cli" / "indexes" / name)
    for path, content in {
        ".cache/rerank-cli/models/0123/compiled.json": '{"compiler_version": 9, "parts": {"model.onnx": "12"}}',
        ".cache/rerank-cli/models/0123/model.onnx": "a graph",
        ".cache/rerank-cli/hashes/0123.json": '{"model.safetensors": [[1, 2, 3, 4], "12"]}',
        ".config/rerank-cli/config.yaml": "top_n: 3\n",
    }.items():
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_text(content)
    return home


def test_doctor_tells_of_any_damage_and_breaks_at_none(
    home: Path, docs: Path, tmp_path: Path, survived: Callable[[str, int], None]
) -> None:
    shutil.copytree(home, tmp_path / "sound")
    for seed in range(ROUNDS):
        chance = random.Random(seed)
        files = [path for path in sorted(home.rglob("*")) if path.is_file()]
        for path in chance.sample(files, k=chance.choice((1, 1, 2, len(files)))):
            chance.choice(DAMAGES)(path, chance)
        found = list(examine(start=docs, index=None, config_file=None, environment=os.environ))
        for finding in found:
            check(finding, seed)
        assert {finding.check for finding in found} >= {"versions", "config", "models", "index", "disk", "permissions"}
        shutil.rmtree(home)
        shutil.copytree(tmp_path / "sound", home)
    survived("damages that doctor looked at", ROUNDS)


def check(finding: Finding, seed: int) -> None:
    assert "\n" not in finding.message + finding.remedy, (seed, finding)
    assert bool(finding.remedy) == (finding.status != "ok"), (seed, finding)
    assert (finding.exit_code in (2, 3, 4)) == (finding.status == "FAIL"), (seed, finding)
