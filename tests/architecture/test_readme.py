"""The READMEs tell of every command and of every option, and what they say can be followed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from rerank_cli.cli.app import app
from rerank_cli.cli.options import own_variables
from rerank_cli.config import HELP, variable_of
from rerank_cli.corpus.read.formats import FORMATS, PACKED

ROOT = Path(__file__).parents[2]
FOLDERS = (
    *(".", "rerank_cli", "rerank_cli/cli", "rerank_cli/corpus/read", "rerank_cli/evaluation", "rerank_cli/training"),
    *("rerank_cli/store/milvus", "tests/benchmarks"),
)
READMES = {f"{folder}/README.md": (ROOT / folder / "README.md").read_text(encoding="utf-8") for folder in FOLDERS}
ALL_TEXT = "\n".join(READMES.values())
BESIDE = "rerank_cli/store/SCALE.md"
"""No README, but as long as one."""


def commands(command: Any, trail: tuple[str, ...] = ("rerank-cli",)) -> Iterator[tuple[str, Any]]:
    """Every command with its full name, groups included."""
    yield " ".join(trail), command
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, (*trail, name))


ALL = dict(commands(typer.main.get_command(app)))
LONG_OPTIONS = sorted(
    {
        (name, option)
        for name, command in ALL.items()
        for parameter in command.params
        for option in [*parameter.opts, *parameter.secondary_opts]
        if option.startswith("--")
    }
)


def test_the_program_is_read_whole() -> None:
    assert {"rerank-cli query", "rerank-cli models prepare"} <= set(ALL)
    assert ("rerank-cli query", "--top-k") in LONG_OPTIONS
    assert ("rerank-cli models prepare", "--force") in LONG_OPTIONS


@pytest.mark.parametrize("name", ALL)
def test_a_readme_tells_of_every_command(name: str) -> None:
    assert re.search(rf"{re.escape(name)}(?![\w-])", ALL_TEXT)


@pytest.mark.parametrize(("name", "option"), LONG_OPTIONS)
def test_a_readme_tells_of_every_option(name: str, option: str) -> None:
    assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", ALL_TEXT), name


@pytest.mark.parametrize("name", ALL)
def test_a_readme_shows_the_help_as_it_is(name: str) -> None:
    environment = {**os.environ, "COLUMNS": "100"}
    command = [sys.executable, "-m", "rerank_cli", *name.split()[1:], "--help"]
    printed = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    shown = "\n".join(line.rstrip() for line in printed.replace("python -m rerank_cli", "rerank-cli").splitlines())
    assert f"$ {name} --help\n{shown.rstrip()}\n```" in ALL_TEXT


def blocks(text: str) -> list[str]:
    return re.findall(r"^```bash\n(.*?)^```$", text, re.M | re.S)


def test_every_readme_is_read_here_and_run_in_ci() -> None:
    for readme in (*ROOT.glob("rerank_cli/**/README.md"), *ROOT.glob("tests/**/README.md")):
        folder = str(readme.parent.relative_to(ROOT))
        if "/builtin/" not in folder:
            assert folder in FOLDERS
    order = re.search(r"^for room in (.*); do$", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.M)
    assert order is not None and tuple(order[1].split()) == FOLDERS[1:]


def test_only_the_first_readme_installs() -> None:
    first, *others = READMES.values()
    assert "pip install" in blocks(first)[0]
    assert not any("pip install" in block for text in others for block in blocks(text))


@pytest.mark.parametrize("name", [*READMES, BESIDE])
def test_every_link_of_a_readme_leads_somewhere(name: str) -> None:
    prose = re.sub(r"^```.*?^```$", "", (ROOT / name).read_text(encoding="utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\((?!https:)([^)\s]+)\)", prose):
        path, _, heading = target.partition("#")
        place = (ROOT / name).parent / path if path else ROOT / name
        assert place.is_file(), target
        if heading:
            assert heading in anchors(place.read_text(encoding="utf-8")), target


def anchors(text: str) -> set[str]:
    """The headings of *text* as GitHub names them in links."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    headings = re.findall(r"^#+ (.*)$", prose, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_lines_of_python_run_as_they_stand(model_cache: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", READMES["./README.md"], re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1
    queries = Path(shutil.copytree(ROOT / "sample_docs", tmp_path / "sample_docs")) / "queries.jsonl"
    queries.write_text("".join(queries.read_text().splitlines(keepends=True)[:8]))  # all of them take long
    command = [sys.executable, "-c", *blocks]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    *hits, reranked, measured = done.stdout.splitlines()
    assert len(hits) == 3 and hits[0].split()[1].startswith("safety/")
    assert reranked.startswith("(1, 0) ")
    assert 0.5 < float(measured) < 1


def test_every_flag_has_a_variable() -> None:
    flags = {
        (parameter.name, parameter.envvar)
        for command in ALL.values()
        for parameter in command.params
        if parameter.opts[0].startswith("-") and parameter.name not in ("version", "help")
    }
    assert {name for name, variable in flags if not variable} <= set(HELP)
    assert {variable for _, variable in flags if variable} == own_variables()
    assert not own_variables() & set(map(variable_of, HELP))


def test_the_readme_of_formats_names_every_ending_but_those_of_code_and_manuals() -> None:
    told = set(re.findall(r"`(\.[\w.]+)`", READMES["rerank_cli/corpus/read/README.md"]))
    endings = {ending for ending, format in FORMATS.items() if format.reader not in ("code", "man")} | PACKED.keys()
    archives = {ending for ending in PACKED if ending.startswith(".t")}
    assert endings - archives <= told
