"""What `query` prints: each format says the same hits, and no document can steer a terminal."""

from __future__ import annotations

import itertools
import json
import re
import unicodedata
from pathlib import Path

import ir_measures
import numpy as np
import pytest

from rerank_cli.cli.results_for_machines import TSV_COLUMNS
from rerank_cli.models.calibration import read_calibration
from rerank_cli.models.catalogue import BUILTIN_RERANKER, find_model
from tests.cli.conftest import Cli, Outcome, on_a_terminal

MACHINE = ("json", "jsonl", "tsv", "paths", "trec")
ODD_QUERY = "gauge reads bar pressure"
ODD_PATH = "[b]odd\n\x1b[31m\u202e.md"
ODD_SHOWN = r"[b]odd\n\x1b[31m\u202e.md"


@pytest.fixture
def two_queries(tmp_path: Path) -> Path:
    path = tmp_path / "queries.jsonl"
    path.write_text('{"_id": "q 1", "text": "cold radiator"}\n{"_id": "q/2", "text": "boiler pressure"}\n')
    return path


def rows(outcome: Outcome) -> list[dict[str, str]]:
    header, *lines = outcome.lines
    assert tuple(header.split("\t")) == TSV_COLUMNS
    return [dict(zip(TSV_COLUMNS, line.split("\t"), strict=True)) for line in lines]


def test_json_carries_index_models_parameters_timings_and_every_score(indexed: Path, cli: Cli) -> None:
    record = cli("query", "cold radiator", "-f", "json", "--top-k", "3", "-n", "2", "--path", "*.md").json
    assert record["index"]["root"] == str(indexed)
    assert record["index"]["generation"] == 1
    assert {"encoder", "encoder_fingerprint", "reranker", "reranker_fingerprint", "calibrated"} == set(record["models"])
    assert all(record["models"].values())
    assert record["parameters"] == {
        "retriever": "hybrid",
        "top_k": 3,
        "rerank": True,
        "fusion": "linear",
        "fusion_weight": 0.65,
        "top_n": 2,
        "budget": None,
        "per_document": 1,
        "min_score": None,
        "path": ["*.md"],
        "not_path": [],
        "ext": [],
        "since": None,
        "until": None,
        "where": [],
    }
    (result,) = record["results"]
    assert result["query"] == "cold radiator"
    assert result["candidates"] == 3
    assert set(result["timings"]) == {"load_s", "retrieve_s", "rerank_s"}
    assert all(seconds > 0 for seconds in result["timings"].values())
    assert [hit["rank"] for hit in result["hits"]] == [1, 2]
    best = result["hits"][0]
    assert best["path"] == "heating/radiators.md"
    assert (best["first_line"], best["last_line"]) == (5, 5)
    assert best["place"] == {"unit": "line", "first": 5, "last": 5, "label": "", "shown": "line 5"}
    assert best["headings"] == ["Radiators", "Cold at the top"]
    assert best["text"].startswith("A radiator that is cold at the top holds air.")
    calibration = read_calibration(find_model(BUILTIN_RERANKER, "reranker").folder)
    assert calibration is not None
    assert best["score"] == pytest.approx(calibration.probability(best["logit"]))
    assert best["location"] == str(indexed / "heating/radiators.md")
    lists = best["first_stage"]["lists"]
    assert lists["dense"]["rank"] and lists["lexical"]["score"]


def test_json_without_the_second_stage_names_no_reranker_and_gives_no_score_of_it(indexed: Path, cli: Cli) -> None:
    record = cli("query", "cold radiator", "-f", "json", "--no-rerank").json
    assert (record["models"]["reranker"], record["models"]["reranker_fingerprint"]) == (None, None)
    assert {hit["score"] for hit in record["results"][0]["hits"]} == {None}
    hits = record["results"][0]["hits"]
    assert [hit["order_score"] for hit in hits] == [hit["first_stage"]["score"] + hit["support"] for hit in hits]


def test_jsonl_is_one_object_a_query(indexed: Path, cli: Cli, two_queries: Path) -> None:
    outcome = cli("query", "--queries", two_queries, "-f", "jsonl")
    assert [Outcome(0, line, "").json["query_id"] for line in outcome.lines] == ["q 1", "q/2"]


def test_tsv_has_a_header_and_a_value_for_each_column(indexed: Path, cli: Cli, two_queries: Path) -> None:
    table = rows(cli("query", "--queries", two_queries, "-f", "tsv"))
    assert {row["query_id"] for row in table} == {"q 1", "q/2"}
    best = table[0]
    assert (best["rank"], best["path"], best["first_line"]) == ("1", "heating/radiators.md", "5")
    assert best["heading"] == "Radiators > Cold at the top"
    hit = cli("query", "cold radiator", "-f", "json").json["results"][0]["hits"][0]
    assert float(best["score"]) == hit["score"], "at full precision"


def test_every_format_shows_the_same_documents_in_the_same_order(indexed: Path, cli: Cli) -> None:
    paths = cli("query", "cold radiator", "-f", "paths").lines
    assert len(paths) == len(set(paths)) == 6
    assert [row["path"] for row in rows(cli("query", "cold radiator", "-f", "tsv"))] == paths
    plain = [line.split("\t") for line in cli("query", "cold radiator", "-f", "plain").lines]
    assert [columns[0] for columns in plain] == ["1", "2", "3", "4", "5", "6"]
    assert [columns[2].rpartition(":")[0] for columns in plain] == paths


@pytest.mark.parametrize("format", MACHINE)
def test_a_machine_format_is_valid_without_a_hit(indexed: Path, cli: Cli, format: str) -> None:
    outcome = cli("query", "zebra", "--retriever", "lexical", "-f", format)
    assert outcome.code == 1
    if format == "json":
        assert outcome.json["results"][0]["hits"] == []
    elif format == "jsonl":
        assert outcome.json["hits"] == []
    elif format == "tsv":
        assert rows(outcome) == []
    else:
        assert outcome.out == ""


@pytest.mark.parametrize("format", MACHINE)
def test_a_machine_format_neither_wraps_nor_colours(
    indexed: Path, cli: Cli, format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR")
    outcome = cli("query", "cold radiator", "-n", "1", "-f", format)
    assert "\x1b" not in outcome.out
    if format not in ("json", "tsv"):
        assert len(outcome.lines) == 1


# TREC


def test_a_context_is_printed_within_its_budget_and_nothing_else(indexed: Path, cli: Cli) -> None:
    command = ("query", "boiler pressure", "-f", "context", "--max-tokens", "100", "--tokenizer", "chars/4", "-n", "1")
    done = cli(*command)
    assert done.code == 0 and -(-len(done.out) // 4) <= 100
    assert done.lines[0] == "[1] heating/boiler.md line 3 › Boiler"
    assert cli(*command, "--explain").out == done.out
    styled = cli(*command, "--context-style", "json", "--order", "edges").json
    assert styled["passages"][0]["citation"] == done.lines[0]


@pytest.mark.parametrize("style", ["markdown", "xml", "json"])
def test_a_context_says_on_stdout_that_nothing_answers(indexed: Path, cli: Cli, style: str) -> None:
    done = cli("query", "zeppelin", "-f", "context", "--context-style", style, "--min-score", "0.99")
    assert (done.code, done.err, len(done.lines)) == (1, "", 1)
    assert "Nothing in the indexed documents answers this." in done.out


def test_each_of_several_queries_has_its_context_under_it(indexed: Path, cli: Cli, two_queries: Path) -> None:
    done = cli("query", "--queries", two_queries, "-f", "context", "--max-tokens", "200")
    assert [line for line in done.lines if line.startswith("#")] == ["# q 1: cold radiator", "# q/2: boiler pressure"]
    lines = cli("query", "--queries", two_queries, "-f", "context", "--context-style", "json").lines
    assert [json.loads(line)["id"] for line in lines] == ["q 1", "q/2"]


def test_a_trec_run_is_ranked_by_trec_eval_as_we_rank(indexed: Path, cli: Cli, two_queries: Path) -> None:
    outcome = cli("query", "--queries", two_queries, "-f", "trec", "--per-document", "5")
    run = list(ir_measures.read_trec_run(outcome.out))
    assert {doc.query_id for doc in run} == {"q%201", "q/2"}
    for query_id in ("q%201", "q/2"):
        ranked = [doc for doc in run if doc.query_id == query_id]
        documents = [doc.doc_id for doc in ranked]
        assert len(set(documents)) == len(documents) == 6
        scores = [np.float32(doc.score) for doc in ranked]
        assert all(above > below for above, below in itertools.pairwise(scores))
        for place, document in enumerate(documents, start=1):
            judged = [ir_measures.Qrel(query_id, document, 1)]
            assert ir_measures.calc_aggregate([ir_measures.RR], judged, ranked)[ir_measures.RR] == 1 / place


def test_ids_of_a_trec_run_keep_all_but_blanks_and_controls(tmp_path: Path, model_cache: Path, cli: Cli) -> None:
    (tmp_path / "c.jsonl").write_text(
        '{"_id": "a b%\\u2028c", "text": "cold radiator"}\n{"_id": "é/#:ü", "text": "warm radiator"}\n'
    )
    cli("index", tmp_path / "c.jsonl", "--index", tmp_path / "index")
    outcome = cli("query", "radiator", "--index", tmp_path / "index", "--no-rerank", "-f", "trec")
    assert {line.split(" ")[2] for line in outcome.lines} == {"a%20b%%E2%80%A8c", "é/#:ü"}
    assert {len(line.split(" ")) for line in outcome.lines} == {6}


# Documents that try to steer the terminal


@pytest.mark.parametrize("format", ["table", "plain", "tsv", "paths"])
def test_a_name_or_text_with_control_characters_is_shown_escaped(indexed: Path, cli: Cli, format: str) -> None:
    outcome = cli("query", ODD_QUERY, "-n", "1", "-f", format)
    assert ODD_SHOWN in outcome.out
    categories = {unicodedata.category(letter) for letter in outcome.out if letter not in "\n\t"}
    assert not categories & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    if format in ("table", "plain"):
        assert "[red]Markup[/red]" in outcome.out and "[bold]pressure[/bold]" in outcome.out


def test_json_gives_odd_names_as_they_are(indexed: Path, cli: Cli) -> None:
    outcome = cli("query", ODD_QUERY, "-n", "1", "-f", "json")
    assert outcome.json["results"][0]["hits"][0]["path"] == ODD_PATH
    assert "\x1b" not in outcome.out


def test_an_error_shows_an_odd_name_escaped_on_one_line(cli: Cli) -> None:
    outcome = cli("index", "/nowhere/a\nb\x1b[2J\u202e")
    assert outcome.err == (r"rerank-cli: /nowhere/a\nb\x1b[2J\u202e: no such folder or file; check the path" + "\n")


def test_a_joiner_within_a_word_or_an_emoji_is_shown_as_it_is(
    tmp_path: Path, model_cache: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["خانه\u200cها.md", "\U0001f468\u200d\U0001f469.md"]
    for name in names:
        (tmp_path / name).write_text("Bleed the radiator.\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    cli("index", ".", "--quiet")
    assert sorted(cli("query", "radiator", "-f", "paths").lines) == sorted(names)
    assert {line.split(" ")[2] for line in cli("query", "radiator", "-f", "trec").lines} == set(names)


# The table


def test_the_table_shows_movement_score_place__heading_and_snippet(indexed: Path, cli: Cli) -> None:
    outcome = cli("query", "cold radiator", "-f", "table", "-n", "2", "--path", "heating/*")
    header, rule, first = outcome.lines[:3]
    assert header.split() == ["#", "score", "move", "passage"]
    assert set(rule) == {"─"} and len(rule) == 100
    assert first.split()[0] == "1"
    assert first.rstrip().endswith("heating/radiators.md:5  Radiators > Cold at the top")
    assert outcome.lines[3].strip().startswith("A radiator that is cold at the top holds air.")
    assert "\n\n2  " in outcome.out, "a blank line between hits"
    assert outcome.lines[-3].startswith("2 of 2 candidates in ")
    caption = " ".join(outcome.lines[-2:])
    assert caption == (
        "score: both stages together, which orders the hits (--explain: each by itself); "
        "move: places won (▲) or lost (▼) by reranking"
    )


def shown_scores(lines: list[str]) -> list[str]:
    """The column of scores of a table."""
    return [line.split()[1] for line in lines if line[:2].strip().isdigit() and " candidates in " not in line]


@pytest.mark.parametrize("fusion", ["linear", "rrf", "none"])
@pytest.mark.parametrize("more", [(), ("--per-document", "9"), ("--retriever", "dense"), ("--retriever", "lexical")])
def test_the_scores_fall_from_the_first_hit_to_the_last(
    indexed: Path, cli: Cli, fusion: str, more: tuple[str, ...]
) -> None:
    asked = ("query", "key of the radiator and of the shed", "--fusion", fusion, *more)
    scores = shown_scores(cli(*asked, "-f", "table").lines)
    assert len(scores) > 1
    assert scores == sorted(scores, reverse=True) and all(0 <= float(score) <= 1 for score in scores)
    hits = cli(*asked, "-f", "json").json["results"][0]["hits"]
    assert [f"{hit['shown_score']:.3f}" for hit in hits] == scores


def test_the_score_of_a_passage_ordered_by_the_reranker_alone_is_the_reranker_s(indexed: Path, cli: Cli) -> None:
    asked = ("query", "cold radiator", "--fusion", "none", "--per-document", "9", "-f", "json")
    hits = cli(*asked).json["results"][0]["hits"]
    assert [hit["shown_score"] for hit in hits] == [hit["score"] for hit in hits]


def test_without_the_second_stage_the_score_is_the_first_stage_s_and_nothing_moves(indexed: Path, cli: Cli) -> None:
    lines = cli("query", "cold radiator", "--no-rerank", "-f", "table").lines
    hits = cli("query", "cold radiator", "--no-rerank", "-f", "json").json["results"][0]["hits"]
    scores = shown_scores(lines)
    assert scores == [f"{hit['order_score']:.2f}" for hit in hits] == sorted(scores, key=float, reverse=True)
    assert lines[0].split() == ["#", "score", "passage"] and "move" not in lines[-1]


def test_the_scores_of_several_indexes_fall_in_one_table(
    indexed: Path, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = [word for name in ("heating", "kitchen") for word in ("--index", str(tmp_path / name))]
    for name in ("heating", "kitchen"):
        assert cli("index", indexed / name, "--index", tmp_path / name, "--quiet").code == 0
    scores = shown_scores(cli("query", "cold radiator", *both, "-f", "table").lines)
    assert len(scores) == 3 and scores == sorted(scores, reverse=True)


def test_a_least_score_is_told_to_be_one_of_the_reranker_itself(indexed: Path, cli: Cli) -> None:
    shown = " ".join(cli("query", "cold radiator", "--min-score", "0.01", "-f", "table").out.split())
    assert "what the reranker itself scores below 0.01 is left out" in shown


def test_of_several_queries_the_columns_are_explained_once(indexed: Path, cli: Cli, two_queries: Path) -> None:
    assert cli("query", "--queries", two_queries, "-f", "table").out.count("places won") == 1


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_the_table_fits_the_terminal(indexed: Path, cli: Cli, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = cli("query", "cold radiator", "-f", "table", "--explain").lines
    assert max(map(len, lines)) == columns == len(lines[1])
    shown = " ".join(" ".join(lines).split())
    assert "heating/radiators.md:5" in shown


@pytest.mark.parametrize("per_document", ["1", "9"])
def test_movement_counts_places_in_the_list_without_the_second_stage(
    indexed: Path, cli: Cli, per_document: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RERANK_CLI_PER_DOCUMENT", per_document)
    hits = cli("query", "key of the shed", "-f", "json", "--fusion", "none").json["results"][0]["hits"]
    before = cli("query", "key of the shed", "-f", "json", "--no-rerank").json["results"][0]["hits"]
    places: dict[str, list[int]] = {}
    for place, hit in enumerate(before, start=1):
        places.setdefault(hit["document"], []).append(place)
    gained = [places[hit["document"]].pop(0) - place for place, hit in enumerate(hits, start=1)]
    assert any(gained)
    wanted = [f"▲{places}" if places > 0 else f"▼{-places}" if places else "=" for places in gained]
    table = cli("query", "key of the shed", "-f", "table", "--fusion", "none").lines
    shown = [line.split()[2] for line in table if line[:2].strip().isdigit() and " candidates in " not in line]
    assert shown == wanted


def test_a_terminal_gets_a_table_with_the_matched_words_marked_and_no_bar_left_in_it(indexed: Path) -> None:
    text = on_a_terminal("query", "cold radiator", "-n", "1").rpartition("\x1b[2K")[2]  # what spun before is erased
    assert "\x1b[1;31mradiator\x1b[0m" in text and "\x1b[1;31mcold\x1b[0m" in text
    assert "\x1b[1mRadiators > Cold at the top\x1b[0m" in text, "in the terminal's own colour"
    assert not re.search(r"\x1b\[(\d+;)*(2|33|36|37|93|96|97)m", text), "dim, yellow, cyan or white"
    assert "━" not in text and "?" not in text
    assert text.split("\r\n")[0].rstrip().endswith("passage\x1b[0m") or "passage" in text.split("\r\n")[0]


def test_help_is_this(process: Cli) -> None:
    outcome = process("--help", columns=80)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == HELP


HELP = """\
Usage: rerank-cli [OPTIONS] COMMAND [ARGS]...

  Search a folder of documents in two stages: retrieve many, rerank them all,
  show the best few.

  Examples:
    rerank-cli index .
    rerank-cli query there is a smell of gas

Options:
  --version   Print the version and exit.
  -h, --help  Show this message and exit.

Commands:
  index       Make an index of FOLDER, or bring it up to date.
  query       Search an index in both stages.
  similar     Find what is like a file or a passage.
  rerank      Order what is piped in by how well it answers.
  status      Show what is indexed and what has changed since.
  indexes     List the indexes; add, rename or remove them.
  doctor      Check what index and query rest on.
  config      Print every setting and where it comes from.
  train       Fit a reranker or an encoder to your documents.
  models      List the models that are here; compile them ahead.
  eval        Measure whether reranking helps here, and its cost.
  mcp         Answer the language models of MCP clients.
  serve       Answer searches over HTTP.
  warm        Keep models loaded for queries.
  completion  Print the script that completes in your shell.
  man         Print the manual page.
"""
