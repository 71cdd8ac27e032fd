"""`status`, `config` and `models`: what they tell, and that telling costs nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, assert_one_line, write_files


def test_status_tells_what_is_indexed_and_that_nothing_has_changed(indexed: Path, cli: Cli) -> None:
    record = cli("status", "--json").json
    assert record["root"] == str(indexed)
    assert (record["files"], record["documents"], record["failed_files"]) == (6, 6, 0)
    assert record["encoder"] == "all-MiniLM-L6-v2"
    assert record["size_bytes"] > 0
    assert record["since"] == {"added": [], "changed": [], "removed": []}
    shown = " ".join(cli("status").out.split())
    assert "holds 6 files, 6 documents, " in shown
    assert "nothing has changed since" in shown


def test_status_in_a_pipe_has_one_line_for_each_thing_however_long(tmp_path: Path, model_cache: Path, cli: Cli) -> None:
    folder = tmp_path / ("long " * 30)
    write_files(folder, {"a.md": "one\n"})
    cli("index", folder, "--index", tmp_path / "idx", "--quiet")
    lines = cli("status", "--index", tmp_path / "idx").out.splitlines()
    assert f"folder    {folder.resolve()}" in lines
    assert [line.split()[0] for line in lines[-3:]] == ["passages", "search", "on"]
    assert all(line == line.rstrip() for line in lines if not line.startswith("folder"))


def test_status_names_what_changed_since_and_what_could_not_be_read(
    tmp_path: Path, model_cache: Path, cli: Cli
) -> None:
    write_files(tmp_path, {"a.md": "one\n", "b.md": "two\n", "bad.jsonl": '{"_id":\n'})
    cli("index", tmp_path, "--quiet")
    write_files(tmp_path, {"a.md": "one more\n", "c.md": "three\n"})
    (tmp_path / "b.md").unlink()
    record = cli("status", "--json").json
    assert record["since"] == {"added": ["c.md"], "changed": ["a.md"], "removed": ["b.md"]}
    assert list(record["unreadable"]) == ["bad.jsonl"]
    shown = " ".join(cli("status").out.split())
    assert "1 added, 1 changed, 1 removed since" in shown
    assert "unreadable 1 file; --json names them" in shown


def test_status_of_a_folder_that_is_gone_says_so(tmp_path: Path, model_cache: Path, cli: Cli) -> None:
    write_files(tmp_path / "docs", {"a.md": "one\n"})
    cli("index", tmp_path / "docs", "--quiet")
    (tmp_path / "docs").rename(tmp_path / "moved")
    outcome = cli("status", "--json")
    assert outcome.code == 0
    assert str(tmp_path / "docs") in outcome.json["since"]["unknown"]


def test_status_of_an_index_whose_vectors_are_cut_says_that_it_is_damaged(
    tmp_path: Path, model_cache: Path, cli: Cli
) -> None:
    write_files(tmp_path / "docs", {"a.md": "one\n"})
    cli("index", tmp_path / "docs", "--index", tmp_path / "idx", "--quiet")
    (vectors,) = (tmp_path / "idx").glob("*.vectors")
    vectors.write_bytes(vectors.read_bytes()[:-1])
    outcome = cli("status", "--index", tmp_path / "idx")
    assert outcome.code == 3
    assert_one_line(outcome, vectors.name, f"mend it: rerank-cli index {tmp_path / 'docs'} --index {tmp_path / 'idx'}")


# config


def origin(cli: Cli, key: str, *arguments: str | Path) -> tuple[object, str]:
    entry = cli("config", "--json", *arguments).json[key]
    return entry["value"], entry["origin"]


def test_file_environment_and_flag_win_in_this_order(
    indexed: Path, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def candidates(*flags: str) -> int:
        return int(cli("query", "radiator", "-f", "json", "--no-rerank", *flags).json["results"][0]["candidates"])

    assert candidates() == 8
    user = Path(os.environ["XDG_CONFIG_HOME"]) / "rerank-cli" / "config.yaml"
    write_files(user.parent, {user.name: "top_k: 5\n"})
    assert (candidates(), origin(cli, "top_k")) == (5, (5, str(user)))
    write_files(tmp_path, {"mine.yaml": "top_k: 4\n"})
    assert candidates("--config", str(tmp_path / "mine.yaml")) == 4
    monkeypatch.setenv("RERANK_CLI_CONFIG", str(tmp_path / "mine.yaml"))
    assert (candidates(), origin(cli, "top_k")) == (4, (4, str(tmp_path / "mine.yaml")))
    monkeypatch.setenv("RERANK_CLI_TOP_K", "3")
    assert (candidates(), origin(cli, "top_k")) == (3, (3, "RERANK_CLI_TOP_K"))
    assert candidates("--top-k", "2") == 2


def test_a_project_file_beside_the_documents_is_read_from_below(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(tmp_path, {"rerank.yaml": "top_n: 3\n", "deep/er/a.md": "x\n"})
    monkeypatch.chdir(tmp_path / "deep" / "er")
    assert origin(cli, "top_n") == (3, str(tmp_path / "rerank.yaml"))


def test_the_output_of_config_reads_back_as_the_same_settings(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RERANK_CLI_EXCLUDE", "drafts/, # odd: name,\ttab")
    monkeypatch.setenv("RERANK_CLI_MIN_SCORE", "0.25")
    printed = cli("config").out
    before = cli("config", "--json").json
    monkeypatch.delenv("RERANK_CLI_EXCLUDE")
    monkeypatch.delenv("RERANK_CLI_MIN_SCORE")
    (tmp_path / "copy.yaml").write_text(printed, encoding="utf-8")
    after = cli("config", "--json", "--config", tmp_path / "copy.yaml").json
    assert {key: entry["value"] for key, entry in after.items()} == {key: e["value"] for key, e in before.items()}
    assert after["exclude"]["value"] == ["drafts/", "# odd: name", "tab"]


def test_an_unknown_key_is_named_with_its_line_and_a_guess(tmp_path: Path, cli: Cli) -> None:
    write_files(tmp_path, {"mine.yaml": "top_n: 3\ntopk: 5\n"})
    outcome = cli("config", "--config", tmp_path / "mine.yaml")
    assert outcome.code == 2
    assert_one_line(outcome, f"{tmp_path}/mine.yaml:2: unknown key 'topk'", "did you mean top_k?")


# models


def test_models_are_listed_with_what_they_are_compiled_to(indexed: Path, cli: Cli) -> None:
    records = {record["kind"]: record for record in cli("models", "--json").json["models"]}
    assert set(records) == {"encoder", "reranker"}
    for record in records.values():
        assert record["origin"] == "built in"
        assert record["compiled"] in ("int8", "float32") and record["agreement"] > 0.9
        assert len(record["fingerprint"]) == 32 and record["size_bytes"] > 10_000_000
    assert "all-MiniLM-L6-v2" in cli("models").out


def test_a_model_before_its_first_use_is_listed_as_not_compiled_unless_it_ships_so(
    cli: Cli, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RERANK_CLI_ENCODER", str(tiny_encoder))
    compiled = {record["name"]: record["compiled"] for record in cli("models", "--json").json["models"]}
    assert compiled == {"all-MiniLM-L6-v2": "int8", "rerank-minilm-l6": "int8", str(tiny_encoder): None}
    assert cli("models").out.count("not yet") == 1


def test_preparing_again_compiles_nothing(indexed: Path, cli: Cli, model_cache: Path) -> None:
    def graphs() -> list[tuple[Path, int]]:
        found = sorted((model_cache / "rerank-cli" / "models").glob("*/model.onnx"))
        return [(graph, graph.stat().st_mtime_ns) for graph in found]

    before = graphs()
    outcome = cli("models", "prepare")
    assert [line.split("\t")[:2] for line in outcome.lines] == [
        ["encoder", "all-MiniLM-L6-v2"],
        ["reranker", "rerank-minilm-l6"],
    ]
    assert graphs() == before
    assert cli("models", "prepare", "--quiet", "reranker:rerank-minilm-l6").out == ""


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["models", "prepare", "encoder:owner/none"], ["owner/none: no such encoder here", "HF_HUB_OFFLINE"]),
        (["models", "prepare", "reranker:/nowhere"], ["/nowhere: no such reranker", "rerank-minilm-l6"]),
        (["query", "x", "--reranker", "all-MiniLM-L6-v2"], ["all-MiniLM-L6-v2: no such reranker"]),
        (["query", "x", "--device", "cuda"], ["no cuda device", "--device"]),
    ],
)
def test_a_model_that_is_not_there_ends_with_4(indexed: Path, cli: Cli, arguments: list[str], parts: list[str]) -> None:
    outcome = cli(*arguments)
    assert outcome.code == 4
    assert_one_line(outcome, *parts)


def test_listing_models_asks_no_hub(cli: Cli, process: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RERANK_CLI_ENCODER", "owner/none")
    monkeypatch.setenv("HF_HOME", str(Path(os.environ["HOME"]) / "hf"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.delenv("HF_HUB_OFFLINE")
    listed = process("models", "--json").json["models"]
    missing = next(record for record in listed if record["name"] == "owner/none")
    assert (missing["origin"], missing["fingerprint"]) == ("not here", None)
    assert missing["reason"] == "owner/none: no such encoder here"
    assert len(listed) == 3 and "not here" in process("models").out


def test_a_variable_of_a_flag_counts_as_the_flag(indexed: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RERANK_CLI_PATH", "kitchen/**")
    monkeypatch.setenv("RERANK_CLI_JSON", "1")
    assert cli("query", "cold radiator", "-f", "paths").lines == ["kitchen/bread.md"]
    assert cli("status").json["documents"] > 0


def test_config_as_json_is_one_object(cli: Cli) -> None:
    assert json.loads(cli("config", "--json").out)["top_k"] == {"value": 100, "origin": "default"}
