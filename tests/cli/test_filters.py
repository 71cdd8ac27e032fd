"""The filters of `query` and `eval`: by name, by date and by what documents say of themselves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, assert_one_line, write_files

QUERY = ("query", "honey", "--retriever", "lexical", "--no-rerank")
YEAR_2001 = 980_000_000


@pytest.fixture
def bees(tmp_path: Path, model_cache: Path, cli: Cli) -> Path:
    """Three pages about honey, an index of them, and a working folder beside them."""
    folder = write_files(
        tmp_path / "bees",
        {
            "hive.md": "---\ntags: [Hive, spring]\nauthor: Ann Smith\ndate: 2026-01-31\n---\n\nHoney of the hive.\n",
            "old/shop.md": "---\ntag: shop\n---\n\nHoney of the shop.\n",
            "log.jsonl": '{"_id": "1", "text": "Honey once.", "tag": "hive"}\n{"_id": "2", "text": "Honey twice."}\n',
        },
    )
    for path in folder.rglob("*.*"):
        os.utime(path, (YEAR_2001, YEAR_2001))
    cli("index", folder, "--quiet")
    return folder


def found(cli: Cli, *filters: str) -> list[str]:
    """The documents that a query brings within *filters*."""
    outcome = cli(*QUERY, *filters, "-f", "json")
    assert outcome.code in (0, 1), outcome.err
    return sorted(hit["document"] for hit in outcome.json["results"][0]["hits"])


@pytest.mark.parametrize(
    ("filters", "documents"),
    [
        (["--ext", "md"], ["hive.md", "old/shop.md"]),
        (["--ext", ".MD,jsonl", "--not-path", "old/"], ["hive.md", "log.jsonl#1", "log.jsonl#2"]),
        (["--where", "tag=hive"], ["hive.md", "log.jsonl#1"]),
        (["--where", "tags=s*"], ["hive.md", "old/shop.md"]),
        (["--where", "tag=hive", "--where", "author"], ["hive.md"]),
        (["--where", "tag!=hive"], ["log.jsonl#2", "old/shop.md"]),
        (["--where", "tag=wax"], []),
        (["--since", "2026-01-31"], ["hive.md"]),
        (["--since", "2026-02"], []),
        (["--until", "2001", "--where", "tag"], ["log.jsonl#1", "old/shop.md"]),
        (["--since", "100y"], ["hive.md", "log.jsonl#1", "log.jsonl#2", "old/shop.md"]),
    ],
)
def test_all_that_is_asked_for_holds(bees: Path, cli: Cli, filters: list[str], documents: list[str]) -> None:
    assert found(cli, *filters) == documents


def test_what_matches_nothing_in_the_index_is_told_with_what_there_is(bees: Path, cli: Cli) -> None:
    for filters, parts in (
        (["--ext", "md,pdf"], ["--ext: no file of the index ends in .pdf"]),
        (["--where", "tagg=hive"], ["--where: no document has the field 'tagg'; there are tag, author, date, tags"]),
        (["--where", "colour!=red"], ["'colour'"]),
    ):
        outcome = cli(*QUERY, *filters)
        assert (outcome.code, outcome.out) == (2, "")
        assert_one_line(outcome, *parts)


def test_json_tells_the_filter_with_its_times(bees: Path, cli: Cli) -> None:
    told = cli(
        *(*QUERY, "-f", "json", "--path", "*.md", "--not-path", "old/", "--ext", ".MD", "--since", "2026-01"),
        *("--until", "2026-12-31", "--where", "tag=hive"),
    ).json["parameters"]
    assert {key: told[key] for key in ("path", "not_path", "ext", "since", "until", "where")} == {
        "path": ["*.md"],
        "not_path": ["old/"],
        "ext": ["md"],
        "since": "2026-01-01T00:00:00Z",
        "until": "2027-01-01T00:00:00Z",
        "where": ["tag=hive"],
    }


def test_status_names_the_fields_that_documents_have(bees: Path, cli: Cli) -> None:
    assert cli("status", "--json").json["fields"] == {"author": 1, "date": 1, "tag": 2, "tags": 1}
    assert "fields tag (2), author (1), date (1), tags (1)" in " ".join(cli("status").out.split())


def test_eval_judges_what_lies_within_its_filters(bees: Path, cli: Cli, tmp_path: Path) -> None:
    judged = write_files(
        tmp_path / "judged",
        {
            "queries.tsv": "a\thoney of the hive\nb\thoney of the shop\n",
            "qrels.tsv": "query-id\tcorpus-id\tscore\na\thive.md\t1\na\told/shop.md\t0\nb\told/shop.md\t1\n",
        },
    )
    ask = ("eval", "--collection", judged, "--retriever", "lexical", "--no-rerank", "--json")
    whole = cli(*ask).json
    assert [row["query_id"] for row in whole["by_query"]] == ["a", "b"]
    record = cli(*ask, "--where", "tag=hive").json
    assert [row["query_id"] for row in record["by_query"]] == ["a"]
    assert record["measures"]["Success@1"]["first_stage"] == 1.0
    assert record["parameters"]["where"] == ["tag=hive"]
    assert any("1 judged document (old/shop.md) outside the filters, not counted" in each for each in record["notes"])
    assert any("1 query (b) without a relevant document within the filters" in each for each in record["notes"])
    assert record["collection"] != whole["collection"]


def test_eval_with_nothing_relevant_within_its_filters_says_so(bees: Path, cli: Cli, tmp_path: Path) -> None:
    judged = write_files(
        tmp_path / "judged", {"queries.tsv": "a\thoney\n", "qrels.tsv": "query-id\tcorpus-id\tscore\na\thive.md\t1\n"}
    )
    outcome = cli("eval", "--collection", judged, "--no-rerank", "--since", "2026-02-01")
    assert outcome.code == 4
    assert_one_line(outcome, "no relevant document lies within the filters")
