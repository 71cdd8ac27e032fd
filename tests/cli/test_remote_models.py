"""The commands with models behind an endpoint."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from rerank_cli.errors import ModelError
from rerank_cli.library import open_library
from tests.cli.conftest import Cli
from tests.endpoints import FakeEndpoint, ModelServer, cohere, embeddings


@pytest.fixture
def endpoint() -> Iterator[FakeEndpoint]:
    with ModelServer() as served:
        yield served


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "gas.md").write_text("Open the windows and shut the gas valve.\n", encoding="utf-8")
    (folder / "hens.md").write_text("Feed the hens in the morning.\n", encoding="utf-8")
    return folder


def test_an_index_and_a_query_with_remote_models(
    endpoint: FakeEndpoint, notes: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint.replies = [lambda body: embeddings(body) if "input" in body else cohere(body)]
    encoder, reranker = f"{endpoint.url}/v1/embeddings#small", f"{endpoint.url}/v1/rerank#big"
    assert cli("index", notes, "--encoder", encoder).code == 0
    monkeypatch.chdir(notes)
    shown = cli("query", "gas valve", "--reranker", reranker, "--format", "jsonl").out
    assert [hit["path"] for hit in json.loads(shown)["hits"]] == ["gas.md", "hens.md"]
    assert {body["model"] for body in endpoint.asked} == {"small", "big"}


def test_a_project_file_names_no_address(notes: Path, cli: Cli) -> None:
    (notes / "rerank.yaml").write_text("encoder: https://host/v1/embeddings#small\n", encoding="utf-8")
    refused = cli("index", notes)
    assert refused.code == 2
    assert "a project file may name only" in refused.err


def test_an_index_from_anybody_sends_no_query_away(
    endpoint: FakeEndpoint, notes: Path, tmp_path: Path, cli: Cli
) -> None:
    endpoint.replies = [embeddings]
    encoder = f"{endpoint.url}/v1/embeddings#small"
    place = tmp_path / "from anybody"
    assert cli("index", notes, "--index", place, "--encoder", encoder).code == 0
    endpoint.asked.clear()
    refused = cli("query", "gas", "--index", place, "--no-rerank")
    assert refused.code == 4
    assert "a query would be sent there" in refused.err
    with open_library(index=place) as library, pytest.raises(ModelError, match="a query would be sent there"):
        library.update()
    assert endpoint.asked == []
    assert cli("query", "gas", "--index", place, "--no-rerank", "--encoder", encoder).code == 0


def test_a_key_is_known_to_the_settings_and_not_shown(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RERANK_CLI_ENCODER_KEY", "sesame")
    shown = cli("config")
    assert shown.code == 0
    assert "sesame" not in shown.out + shown.err


def test_models_and_doctor_tell_what_is_remote(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RERANK_CLI_RERANKER", "https://host.invalid/v1/rerank#big")
    models = json.loads(cli("models", "--json").out)["models"]
    assert [each["name"] for each in models if each["origin"] == "remote"] == ["https://host.invalid/v1/rerank#big"]
    assert "is remote: texts are sent there, without a key" in cli("doctor").out
