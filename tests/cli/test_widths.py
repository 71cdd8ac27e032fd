"""What a terminal of 60 to 200 columns shows of long paths, long names and wide letters: all of it, no word broken."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rerank_cli.cells import cells
from rerank_cli.cli.config import setting_lines
from rerank_cli.cli.doctor import finding_lines
from rerank_cli.cli.records_table import Row, table_lines
from rerank_cli.cli.status_text import status_lines
from rerank_cli.cli.terminal import told
from rerank_cli.config.load import Line
from rerank_cli.doctor.findings import Finding
from rerank_cli.evaluation.showing.text import fitted
from tests.cli.conftest import Cli, write_files

WIDTHS = st.integers(60, 200)
NAMES = st.text(alphabet="abc-_. 漢字é🔥", min_size=1, max_size=40).map(str.strip).filter(bool)
PATHS = st.lists(NAMES, min_size=1, max_size=8).map(lambda names: "/" + "/".join(names))
PROSE = st.lists(st.sampled_from(["bring", "it", "over,", "漢字の", "encodes", "x" * 70, "(int8)"]), max_size=40)
WORDS = PROSE.map(" ".join)


def assert_fits(lines: Iterable[str], width: int, *texts: str) -> None:
    """No line is wider than the terminal, and every word is one of *texts*, whole or with its middle left out."""
    known = {word for text in texts for word in text.split()}
    broken_anywhere = " ".join(word for word in known if any(cells(letter) == 2 for letter in word))
    for line in lines:
        assert cells(line) <= width
        for word in line.split():
            assert word in known or "…" in word or word in broken_anywhere or set(word) == {"─"}, (word, known)


@given(NAMES, PATHS, WORDS, WIDTHS)
def test_the_table_of_models_or_indexes_fits(name: str, path: str, told: str, width: int) -> None:
    row = Row((name, "encoder", "built in", "92 MB"), path, (told,))
    lines = [line for line, _ in table_lines(("model", "kind", "origin", "size"), [row], width=width)]
    assert_fits(lines, width, "model kind origin size encoder built in 92 MB", name, path, told)
    whole = [line for line, _ in table_lines(("model", "kind", "origin", "size"), [row], width=None)]
    assert f"  {path}" in whole and whole[2].startswith(name)


@given(PATHS, WORDS, WIDTHS)
def test_status_fits(path: str, words: str, width: int) -> None:
    rows = {"index": path, "folder": path, "search": words}
    assert_fits(status_lines(rows, width=width), width, "index folder search", path, words)
    assert next(iter(status_lines(rows, width=None))) == f"index   {path}"


@given(PATHS, WORDS, WIDTHS)
def test_doctor_fits_and_leaves_a_command_whole(path: str, words: str, width: int) -> None:
    finding = Finding("permissions", path, "FAIL", words, f"mend it: rerank-cli index {path}", 3)
    *lines, command = finding_lines(finding, 11, width=width)
    assert command.strip() == f"rerank-cli index {path}".strip()
    assert_fits(lines, width, "FAIL permissions mend it:", f"{path}:", words)
    (piped,) = finding_lines(finding, 11, width=None)
    assert piped == f"FAIL permissions  {path}: {words}; mend it: rerank-cli index {path}"


@given(st.lists(NAMES, min_size=1, max_size=8), PATHS, WIDTHS)
def test_config_fits_as_far_as_its_values_do_and_stays_yaml(patterns: list[str], path: str, width: int) -> None:
    listed = "[" + ", ".join(f'"{pattern}"' for pattern in patterns) + "]"
    lines = list(setting_lines([Line("exclude", listed, path), Line("top_k", "100", "default")], width=width))
    assert yaml.safe_load("\n".join(lines)) == {"exclude": patterns, "top_k": 100}
    assert all(cells(line) <= width or len(re.findall('"', line)) <= 2 for line in lines)


@given(PATHS, WORDS, WIDTHS)
def test_what_is_told_on_a_terminal_is_broken_between_words_and_nothing_is_left_out(
    path: str, words: str, width: int
) -> None:
    message = f"rerank-cli: {path}: {words}; mend it: rerank-cli index {path}"
    *lines, command = told(message, width)
    assert command == f"  rerank-cli index {path}"
    assert all(cells(line) <= width or len(line.split()) == 1 for line in lines)
    assert "".join("".join([*lines, command]).split()) == "".join(message.split())
    assert told(message, None) == [message]


@given(NAMES, PATHS, WORDS, WIDTHS)
def test_eval_fits(name: str, path: str, words: str, width: int) -> None:
    rows = [("", path, "reranked", "change", "95 % interval"), (name, "0.7933", "0.8068", "+0.0135", "-0.028 … +0.057")]
    lines = list(fitted([rows, f"    {path}: {words}", f"    {name}      5  {words}", words], width=width))
    shown = "reranked change 95 % interval 0.7933 0.8068 +0.0135 -0.028 … +0.057 5"
    assert_fits(lines, width, shown, name, path, f"{path}:", words)


HOSTILE = {
    "/".join(["a-folder-with-a-very-long-name"] * 6) + "/gas.md": "# Gas\n\nThe gas is here.\n",
    "単一の長い日本語の名/ガス漏れの臭いがする場合の対処方法.md": "# ガス\n\n" + "gas の臭い、窓を開けて。\n" * 9,
    "[b]gas\n.md": "# [red]Gas[/red]\n\n- gas\n- [bold]more[/bold] gas\n",
    "emoji 🔥🧑\u200d🚒.md": "# 🔥 Gas 🧑\u200d🚒\n\n- 🔥 gas here\n- 🧑\u200d🚒 gas there\n",
    "עברית.md": "# ריח גז\n\nA smell of gas. ריח של גז.\n",
    "line.txt": "gas " + "word " * 900,
    "blob.txt": "gas " + "x" * 400,
    "table.md": "# Prices\n\n| gas | price |\n|---|---|\n" + "".join(f"| gas {n} | {n} |\n" for n in range(9)),
}


@pytest.fixture
def hostile(tmp_path: Path, model_cache: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    write_files(tmp_path / "docs", HOSTILE)
    monkeypatch.chdir(tmp_path / "docs")
    assert cli("index", ".", "--quiet").code == 0
    yield


def test_the_table_of_a_query_fits_whatever_is_found(hostile: None, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = ("query", "smell of gas", "-f", "table", "--no-rerank", "--retriever", "lexical", "--explain")
    for width in (*range(60, 81, 4), 99, 120, 200):
        monkeypatch.setenv("COLUMNS", str(width))
        lines = cli(*ask).lines
        assert lines[1] == "─" * width and max(map(cells, lines)) == width
        assert sum(line[:2].strip().isdigit() for line in lines if " candidates in " not in line) == len(HOSTILE)
        paths = [line for line in lines if "/gas.md:3" in line]
        assert len(paths) == 1 and "…" in paths[0]
        rows = [line.strip() for line in lines if "gas 1" in line]
        assert rows == ["gas 1 | 1"], "rows of a table stand apart"
