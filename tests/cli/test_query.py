"""`query`: where queries come from, what narrows a search, and what happens to a bad query among good ones."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, assert_one_line, write_files


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_the_passage_that_answers_comes_first(indexed: Path, cli: Cli) -> None:
    for query, path in (
        ("why is my radiator cold at the top", "heating/radiators.md"),
        ("how long do I knead dough", "kitchen/bread.md"),
        ("what eats my lettuce", "garden/slugs.txt"),
    ):
        assert cli("query", query, "-f", "paths", "-n", "1").lines == [path]


def test_words_need_no_quotes(indexed: Path, cli: Cli) -> None:
    asked = cli("query", "what", "eats", "my", "lettuce", "-f", "json", "-n", "1").json["results"][0]
    assert asked["query"] == "what eats my lettuce"
    assert asked["hits"][0]["path"] == "garden/slugs.txt"


def test_dash_reads_one_query_a_line_from_stdin(indexed: Path, cli: Cli) -> None:
    outcome = cli("query", "-", "-f", "jsonl", "-n", "1", stdin="cold radiator\n\nlettuce\r\n")
    results = [json.loads(line) for line in outcome.lines]
    assert [(result["query_id"], result["query"]) for result in results] == [
        ("1", "cold radiator"),
        ("3", "lettuce"),
    ]


def test_each_answer_is_written_before_the_next_query_is_read(indexed: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "rerank_cli", "query", "-", "-f", "jsonl"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as running:
        assert running.stdin and running.stdout
        for query in ("radiator", "lettuce"):
            running.stdin.write(f"{query}\n".encode())
            running.stdin.flush()
            assert json.loads(running.stdout.readline())["query"] == query
        running.stdin.close()
        assert running.wait(30) == 0


@pytest.mark.parametrize("format", ["jsonl", "json"])
def test_an_overlong_query_among_many_is_told_and_passed_over(indexed: Path, cli: Cli, format: str) -> None:
    outcome = cli("query", "-", "-f", format, stdin=f"radiator\n{'word ' * 2001}\nlettuce\n")
    assert outcome.code == 2
    assert outcome.err.startswith("rerank-cli: stdin:2: the query has 2001 words")
    assert outcome.err.count("\n") == 1
    results = outcome.json["results"] if format == "json" else [json.loads(line) for line in outcome.lines]
    assert [result["query_id"] for result in results] == ["1", "3"]


def test_a_query_in_no_valid_utf_8_is_asked_all_the_same(indexed: Path, cli: Cli) -> None:
    outcome = cli("query", "-", "-f", "paths", "-n", "1", stdin=b"cold radiator \xff\n")
    assert (outcome.code, outcome.lines) == (0, ["heating/radiators.md"])


def test_a_byte_order_mark_on_stdin_is_no_part_of_the_first_query(indexed: Path, cli: Cli) -> None:
    outcome = cli("query", "-", "-f", "jsonl", "-n", "1", stdin=b"\xef\xbb\xbfcold radiator\nlettuce\n")
    assert [json.loads(line)["query"] for line in outcome.lines] == ["cold radiator", "lettuce"]


def test_queries_come_from_jsonl_and_from_tab_separated_lines(indexed: Path, cli: Cli, tmp_path: Path) -> None:
    lines = '\ufeff{"_id": "a", "text": "cold\u2028radiator"}\r\n\r\n{"_id": 7, "text": "lettuce", "more": 1}\r\n'
    tabs = "a\tcold radiator\r\n7\tlettuce\r\n"
    for name, text in (("q.jsonl", lines), ("q.tsv", tabs)):
        outcome = cli("query", "--queries", write(tmp_path / name, text), "-f", "jsonl", "-n", "1")
        results = [json.loads(line) for line in outcome.lines]
        asked = [(result["query_id"], result["query"]) for result in results]
        assert asked == [("a", "cold radiator"), ("7", "lettuce")]


@pytest.mark.parametrize(
    "text",
    [
        '{"query_id": "1", "query": "cold radiator"}\n',
        '{"id": 1, "text": "cold radiator"}\n',
        "<top>\n<num> Number: 1\n<title> cold radiator\n</top>\n",
    ],
)
def test_query_and_eval_read_the_same_forms_of_queries(indexed: Path, cli: Cli, tmp_path: Path, text: str) -> None:
    queries, qrels = write(tmp_path / "queries", text), write(tmp_path / "qrels.tsv", "1\theating/radiators.md\t1\n")
    answered = cli("query", "--queries", queries, "-f", "jsonl", "-n", "1")
    assert (answered.code, answered.err) == (0, "")
    assert [json.loads(line)["query_id"] for line in answered.lines] == ["1"]
    evaluated = cli("eval", "--queries", queries, "--qrels", qrels, "--json", "--quiet", "--no-rerank")
    assert [row["query"] for row in evaluated.json["by_query"]] == ["cold radiator"]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("a\tradiator\nno tab here\n", ":2: not id<TAB>text"),
        ("a\tradiator\nb\t \n", ":2: not id<TAB>text"),
        ("\tradiator\n", ":1: not id<TAB>text"),
        ('{"_id": "a", "text": "x"}\n{"_id": "b", "text"\n', ":2: not valid JSON"),
        ('{"text": "x"}\n', ":1: not a query with _id and text"),
        ('{"_id": "a", "text": ["x"]}\n', ":1: not a query with _id and text"),
        ('{"_id": null, "text": "x"}\n', ":1: not a query with _id and text"),
        ('{"_id": true, "text": "x"}\n', ":1: not a query with _id and text"),
        ('{"_id": "a", "text": " "}\n', ":1: not a query with _id and text"),
        ('{"_id": "a", "text": ' + "[" * 100_000 + "\n", ":1: not valid JSON"),
        ("a\tone\nb\ttwo\na\tthree\n", ":3: the query 'a' stands twice"),
        ("\n\n", ": holds no query"),
    ],
)
def test_a_bad_line_of_a_query_file_is_named_before_any_answer(
    indexed: Path, cli: Cli, tmp_path: Path, text: str, wrong: str
) -> None:
    outcome = cli("query", "--queries", write(tmp_path / "q.txt", text), "-f", "tsv")
    assert outcome.code == 4
    assert_one_line(outcome, f"{tmp_path}/q.txt{wrong}", "; ")


def test_a_query_file_that_cannot_be_read_is_named(indexed: Path, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "latin.tsv").write_bytes(b"a\tcaf\xe9\n")
    assert_one_line(cli("query", "--queries", tmp_path / "latin.tsv"), "latin.tsv: not UTF-8 at byte 5")
    missing = cli("query", "--queries", tmp_path / "none.tsv")
    assert missing.code == 4
    assert_one_line(missing, "none.tsv: cannot be read (No such file or directory)")


def test_path_narrows_the_search_before_top_k_counts(indexed: Path, cli: Cli) -> None:
    outcome = cli("query", "radiator", "--path", "kitchen/", "--path", "*.txt", "--top-k", "3", "-f", "paths")
    assert sorted(outcome.lines) == ["garden/slugs.txt", "kitchen/bread.md", "my notes.txt"]


def test_per_document_lets_a_document_show_more_than_its_best_passage(indexed: Path, cli: Cli) -> None:
    arguments = ("query", "dough and starter", "--path", "kitchen/", "-f", "tsv")
    assert len(cli(*arguments).lines) == 1 + 1
    assert len(cli(*arguments, "--per-document", "2").lines) == 1 + 2


def test_min_score_drops_what_scores_below_it_and_nothing_else(indexed: Path, cli: Cli) -> None:
    def scores(*more: str) -> list[float]:
        record = cli("query", "cold radiator", "-f", "json", *more).json
        return [hit["score"] for hit in record["results"][0]["hits"]]

    every = scores()
    least = sorted(every)[len(every) // 2]
    assert scores("--min-score", repr(least)) == [score for score in every if score >= least]


def test_explain_says_where_a_hit_stood_in_each_list(indexed: Path, cli: Cli) -> None:
    hit = cli("query", "cold radiator", "-f", "json", "-n", "1").json["results"][0]["hits"][0]
    dense, lexical = hit["first_stage"]["lists"]["dense"], hit["first_stage"]["lists"]["lexical"]
    wanted = (
        f"dense #{dense['rank']} {dense['score']:.3f} · lexical #{lexical['rank']} {lexical['score']:.3f} · "
        f"opening {hit['first_stage']['opening_score']:.3f} · "
        f"first stage #{hit['first_stage']['rank']} {hit['first_stage']['score']:.2f} · "
        f"reranker #{hit['reranker_rank']} {hit['logit']:+.2f} scores {hit['score']:.3f}"
    )
    assert cli("query", "cold radiator", "-n", "1", "--explain").lines[0].split("\t")[-1] == wanted
    assert wanted not in cli("query", "cold radiator", "-n", "1").out


def test_explain_says_what_the_further_passages_of_a_document_add(indexed: Path, cli: Cli) -> None:
    asked = ("query", "knead the dough and let it rise", "-n", "1")
    hit = cli(*asked, "-f", "json").json["results"][0]["hits"][0]
    assert (hit["path"], hit["support"] > 0) == ("kitchen/bread.md", True)
    assert cli(*asked, "--explain").lines[0].endswith(f" · further passages {hit['support']:+.2f}")
    assert "further passages" not in cli("query", "lettuce", "-n", "1", "--explain").out


LONG = "I moved in last week and know little of heating. The radiator in the hall is cold at the top. " * 12


def test_explain_says_in_how_many_pieces_a_long_question_was_asked(
    indexed: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    few = ("--top-k", "1")
    (result,) = cli("query", LONG, "-f", "json", *few).json["results"]
    assert result["pieces"] > 1
    told = f"asked in {result['pieces']} pieces"
    for format in ("plain", "table"):
        assert told in cli("query", LONG, "-f", format, "--explain", *few).out
        assert "pieces" not in cli("query", "cold radiator", "-f", format, "--explain", *few).out
    records = cli("query", "-", "-f", "jsonl", *few, stdin=f"cold radiator\n{LONG}\n").lines
    assert [json.loads(line)["pieces"] for line in records] == [1, result["pieces"]]


def test_a_long_question_finds_what_answers_it(indexed: Path, cli: Cli, tmp_path: Path) -> None:
    file = write(tmp_path / "queries.tsv", f"q1\t{LONG}\n")
    for asked in ([LONG], ["--queries", file]):
        assert cli("query", *asked, "-f", "paths", "-n", "1").lines == ["heating/radiators.md"]


def test_fusion_none_orders_by_the_reranker_alone(indexed: Path, cli: Cli) -> None:
    asked = ("query", "key of the shed", "-f", "json", "--fusion", "none")
    passages = [hit["logit"] for hit in cli(*asked, "--per-document", "99").json["results"][0]["hits"]]
    assert passages == sorted(passages, reverse=True)
    documents = cli(*asked).json["results"][0]["hits"]
    assert [hit["order_score"] for hit in documents] == [hit["logit"] + hit["support"] for hit in documents]
    evidence = [hit["order_score"] for hit in documents]
    assert evidence == sorted(evidence, reverse=True)


def test_the_lexical_retriever_loads_no_encoder(indexed: Path, cli: Cli) -> None:
    outcome = cli("query", "lettuce", "--retriever", "lexical", "--no-rerank", "--encoder", "/nowhere", "-f", "paths")
    assert (outcome.code, outcome.lines) == (0, ["garden/slugs.txt"])


def test_a_hit_whose_file_is_gone_or_changed_since_is_marked(
    tmp_path: Path, model_cache: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("gone", "changed", "touched", "same")
    folder = write_files(tmp_path / "house", {f"{name}.md": f"The {name} radiator.\n" for name in names})
    monkeypatch.chdir(folder)
    assert cli("index", ".", "--quiet").code == 0
    (folder / "gone.md").unlink()
    write_files(folder, {"changed.md": "The altered radiator.\n"})
    os.utime(folder / "touched.md")
    ask = ("query", "radiator", "--no-rerank", "--retriever", "lexical", "--format")
    hits = cli(*ask, "json").json["results"][0]["hits"]
    marks = {hit["path"]: hit["stale"] for hit in hits}
    assert marks == {"gone.md": "gone", "changed.md": "changed", "touched.md": None, "same.md": None}
    table = cli(*ask, "table").out
    assert "gone.md:1 (gone)" in table and "changed.md:1 (changed since)" in table
    assert "same.md:1\n" in "\n".join(line.rstrip() for line in table.splitlines()) + "\n"
    assert f"rerank-cli index {folder}" in " ".join(table.split())
    shutil.move(folder, tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path)
    assert {hit["stale"] for hit in cli(*ask, "json").json["results"][0]["hits"]} == {"gone"}


def test_a_line_without_an_end_is_refused_and_the_next_one_answered(indexed: Path, cli: Cli) -> None:
    outcome = cli("query", "-", "--no-rerank", "-f", "jsonl", stdin=b"radiator " * 500_000 + b"\ndough\n")
    assert outcome.code == 2
    assert "stdin:1:" in outcome.err and outcome.err.count("\n") == 1
    assert [json.loads(line)["query_id"] for line in outcome.lines] == ["2"]


def test_a_closed_stdin_holds_no_query(indexed: Path) -> None:
    command = [sys.executable, "-m", "rerank_cli", "query", "-", "--no-rerank"]
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" <&-', "sh", *command], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


def test_a_query_may_bring_its_index_up_to_date_first(
    session_data: Path, model_cache: Path, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(tmp_path / "notes", {"old.md": "Oil the chain.\n"})
    assert cli("index", tmp_path / "notes", "--index", tmp_path / "ix").code == 0
    write_files(tmp_path / "notes", {"new.md": "A walrus sings in the harbour.\n"})
    asked = ("query", "walrus", "--index", tmp_path / "ix", "-f", "paths", "-n", "1", "--no-rerank")
    late = cli(*asked, "--fresh", "--fresh-budget", "0")
    assert late.err == "rerank-cli: not up to date after 0 s, so the answer is from before\n"
    assert late.lines == [str(tmp_path / "notes/old.md")]
    assert cli(*asked, "--fresh", "--fresh-budget", "600").lines == [str(tmp_path / "notes/new.md")]
