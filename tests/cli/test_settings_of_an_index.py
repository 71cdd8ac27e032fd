"""`query` asks an index with the settings of the folder that it was made of, and with the encoder that made it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rerank_cli.models.catalogue import BUILTIN_ENCODER
from tests.cli.conftest import Cli, assert_one_line, write_files

ASK = ("query", "radiator", "--no-rerank", "-f", "json")


@pytest.fixture
def notes(tmp_path: Path, model_cache: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Indexed notes with settings of their own. One stands in another folder, which has others."""
    root = write_files(tmp_path / "notes", {"a.md": "A radiator.\n", "b.md": "One more radiator.\n"})
    write_files(tmp_path / "other", {"rerank.yaml": "top_n: 7\nfusion: rrf\n"})
    assert cli("index", root, "--index", tmp_path / "index", "--quiet").code == 0
    write_files(root, {"rerank.yaml": "top_n: 1\nretriever: lexical\n"})
    monkeypatch.chdir(tmp_path / "other")
    return root


def parameters(cli: Cli, notes: Path, *more: str) -> tuple[int, str]:
    given = cli(*ASK, "--index", str(notes.parent / "index"), *more).json["parameters"]
    return given["top_n"], given["retriever"]


def test_settings_beside_the_documents_hold_from_anywhere(
    notes: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert parameters(cli, notes) == (1, "lexical")
    monkeypatch.setenv("RERANK_CLI_TOP_N", "2")
    assert parameters(cli, notes) == (2, "lexical"), "the environment is stronger"
    assert parameters(cli, notes, "--top-n", "3", "--retriever", "dense") == (3, "dense"), "and so are flags"
    write_files(notes.parent, {"mine.yaml": "top_n: 4\n"})
    monkeypatch.delenv("RERANK_CLI_TOP_N")
    assert parameters(cli, notes, "--config", str(notes.parent / "mine.yaml")) == (4, "hybrid")


def test_settings_beside_the_documents_are_no_more_trusted_from_afar(notes: Path, cli: Cli) -> None:
    write_files(notes, {"rerank.yaml": "reranker: owner/model-of-the-hub\n"})
    outcome = cli(*ASK, "--index", notes.parent / "index")
    assert outcome.code == 2
    assert_one_line(outcome, f"{notes}/rerank.yaml:1: reranker is 'owner/model-of-the-hub'")


def test_an_index_whose_folder_is_gone_is_asked_all_the_same(notes: Path, cli: Cli) -> None:
    shutil.rmtree(notes)
    assert parameters(cli, notes) == (10, "hybrid")


def test_the_encoder_of_an_index_need_not_be_named_again(
    notes: Path, tiny_encoder: Path, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (notes / "rerank.yaml").unlink()
    index = notes.parent / "mine"
    assert (
        cli("index", notes, "--index", index, "--encoder", tiny_encoder, "--passage-tokens", "32", "--quiet").code == 0
    )
    assert cli(*ASK, "--index", index).json["models"]["encoder"] == str(tiny_encoder)
    write_files(notes, {"rerank.yaml": f"encoder: {BUILTIN_ENCODER}\n"})
    assert cli(*ASK, "--index", index).code == 0, "a project file cannot know every index of its folder"
    for named in (("--encoder", BUILTIN_ENCODER), ("--config", str(notes / "rerank.yaml"))):
        outcome = cli(*ASK, "--index", index, *named)
        assert outcome.code == 3
        assert_one_line(outcome, f"made with the encoder {tiny_encoder}")
    monkeypatch.setenv("RERANK_CLI_ENCODER", BUILTIN_ENCODER)
    assert cli(*ASK, "--index", index).code == 3
    assert cli(*ASK, "--index", index, "--encoder", str(tiny_encoder)).code == 0
