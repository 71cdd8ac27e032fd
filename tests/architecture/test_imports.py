"""What each command loads, who may import whom, and whether the map names every room."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rerank_cli.stamps import is_settled, stamp_of

ROOT = Path(__file__).parents[2]

HEAVY = ("torch", "transformers", "sentence_transformers", "onnxruntime", "tokenizers", "onnx", "huggingface_hub")
READING = {"rerank_cli.corpus.read.decode", "rerank_cli.corpus.read.text", "rerank_cli.corpus.read.outline"}
TORCH = ("torch", "transformers", "sentence_transformers", "onnx", "huggingface_hub", "scipy", "sklearn")


def loaded_by(*arguments: str) -> set[str]:
    """Top-level packages that a command imports."""
    return {name.split(".")[0] for name in modules_loaded_by(*arguments)}


def modules_loaded_by(*arguments: str) -> set[str]:
    """Modules that a command imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "rerank_cli", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return {line.rsplit("|", 1)[1].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


def modules_after(statement: str) -> set[str]:
    program = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


@pytest.fixture
def docs(tmp_path: Path, builtin_compiled: Path, model_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An indexed folder to stand in, with both models compiled."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("# Radiators\n\nBleed the radiator with the square key.\n")
    os.utime(tmp_path / "docs" / "a.md", (1_600_000_000, 1_600_000_000))
    monkeypatch.chdir(tmp_path / "docs")
    subprocess.run([sys.executable, "-m", "rerank_cli", "index", "."], check=True, capture_output=True, timeout=300)
    return tmp_path / "docs"


def test_imports_only_go_down() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout
    assert " 0 broken" in done.stdout


def test_the_package_imports_nothing() -> None:
    assert modules_after("import rerank_cli") - modules_after("pass") == {"rerank_cli"}


def test_what_asks_a_warm_server_loads_next_to_nothing() -> None:
    loaded = modules_after("import rerank_cli.cli.warm_client, rerank_cli.cli.entry")
    asked = modules_after("import __future__, gc, signal, zlib, _socket")
    assert loaded - asked == {"rerank_cli"}


def test_the_command_line_loads_no_model_no_numpy_and_no_rich() -> None:
    loaded = modules_after("import rerank_cli.cli.app")
    assert not loaded & {*HEAVY, "numpy", "hnswlib", "sqlite3", "rich", "yaml", "charset_normalizer"}


def test_the_list_of_commands_loads_none_of_them() -> None:
    for arguments in (["--help"], ["--version"]):
        loaded = modules_loaded_by(*arguments)
        assert "rerank_cli.cli.commands" in loaded
        assert not loaded & {
            "rerank_cli.cli.options",
            "rerank_cli.cli.index",
            "rerank_cli.config",
            "rerank_cli.records",
        }


def test_help_config_and_completion_load_no_model_and_no_numpy() -> None:
    line = "rerank-cli query --format "
    for arguments in (
        *(["--help"], ["query", "--help"], ["eval", "judge", "--help"], ["train", "--help"], ["config"]),
        *(["completion", "zsh"], ["completion", "zsh", line]),
    ):
        assert not loaded_by(*arguments) & {*HEAVY, "numpy", "hnswlib", "sqlite3", "rich", "jinja2"}, arguments


def test_a_query_loads_neither_torch_nor_what_only_people_see(docs: Path) -> None:
    loaded = loaded_by("query", "radiator", "--format", "json")
    assert {"onnxruntime", "tokenizers"} <= loaded
    assert not loaded & {*TORCH, "rich", "yaml", "ir_measures", "charset_normalizer", "asyncio"}


def test_a_query_without_the_second_stage_loads_no_masked_arrays(docs: Path) -> None:
    loaded = modules_loaded_by("query", "radiator", "--no-rerank")
    assert {"onnxruntime", "numpy.linalg"} <= loaded
    assert not loaded & {"numpy.ma", "hnswlib", "rich", "asyncio", "email"}


def test_status_loads_no_model_no_numpy_and_what_only_a_terminal_needs(docs: Path) -> None:
    for arguments in (["status"], ["status", "--json"]):
        loaded = modules_loaded_by(*arguments)
        assert "sqlite3" in loaded
        assert not loaded & {*HEAVY, "numpy", "hnswlib", "rich", "yaml", "markdown_it", "multiprocessing", "asyncio"}
        assert not loaded & {*READING, "rerank_cli.indexing", "rerank_cli.store.health"}


def test_doctor_loads_no_model(docs: Path) -> None:
    assert not loaded_by("doctor") & {*HEAVY, "rich"}


def test_an_index_with_nothing_to_do_loads_no_model_no_numpy_and_no_reader(docs: Path) -> None:
    while not is_settled(stamp_of((docs / "a.md").stat())):
        time.sleep(0.1)
    loaded_by("index", ".")  # which remembers the stamp that it can trust now
    loaded = modules_loaded_by("index", ".")
    assert "sqlite3" in loaded
    assert not loaded & {*HEAVY, *READING, "numpy", "hnswlib", "rich", "yaml", "markdown_it", "multiprocessing", "xml"}


def test_the_package_map_names_every_module_and_room() -> None:
    rooms: dict[str, str] = {}
    readme = (ROOT / "rerank_cli" / "README.md").read_text(encoding="utf-8")
    for line in readme.partition("## The rooms\n")[2].partition("```text\n")[2].partition("```\n")[0].splitlines():
        if match := re.match(r"(\w+)  +(\S.*)", line):
            room, rooms[match[1]] = match[1], match[2]
        else:
            rooms[room] += line
    package = ROOT / "rerank_cli"
    modules = {path.stem for path in package.glob("*.py") if not path.stem.startswith("__")}
    folders = {path.parent.name for path in package.glob("*/__init__.py")}
    assert modules | folders <= set(rooms)
    assert set(rooms) <= modules | folders, "a room that is gone"
    for folder in ("models", "store", "doctor", "evaluation", "training"):
        for path in (package / folder).rglob("*.py"):
            if path.stem != "__init__":
                assert re.search(rf"\b{path.stem}\b", rooms[folder]), path


@pytest.mark.parametrize("path", sorted((ROOT / "rerank_cli").rglob("*.py")), ids=lambda path: path.stem)
def test_every_module_says_its_job_in_its_first_line(path: Path) -> None:
    if path.name != "__init__.py" or path.stat().st_size:
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert first.startswith(('"""', 'r"""')) and len(first) > 12
