#!/usr/bin/env python3
"""Where the answers of natural questions over two real manuals stand.

    python tests/benchmarks/manuals.py FOLDER [QUERY OPTION…]

FOLDER holds `rust-book/src` and `flask/docs`. `manuals.jsonl` beside this script has the questions and the lines in
which each answer stands, noted from the manuals before the first run. A hit counts if its passage shares a line with
them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

SEEN_BY_EVERYONE = 3


def main() -> None:
    folder, *options = sys.argv[1:]
    questions = [json.loads(line) for line in Path(__file__).with_suffix(".jsonl").read_text().splitlines()]
    program = [sys.executable, "-m", "rerank_cli"]
    with tempfile.TemporaryDirectory() as scratch:
        index = f"{scratch}/index"
        subprocess.run([*program, "index", folder, "--index", index], check=True)
        asked = Path(scratch) / "queries.jsonl"
        asked.write_text(
            "".join(json.dumps({"_id": i, "text": row["question"]}) + "\n" for i, row in enumerate(questions))
        )
        output = subprocess.run(
            [*program, "query", "--queries", asked, "--index", index, "--format", "jsonl", *options],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    ranks = [rank_of(row, json.loads(line)) for row, line in zip(questions, output.splitlines(), strict=True)]
    for row, rank in zip(questions, ranks, strict=True):
        print(f"{rank or '-'}\t{row['question']}\t{row['path']}:{row['first_line']}-{row['last_line']}")
    good = sum(rank is not None and rank <= SEEN_BY_EVERYONE for rank in ranks)
    print(f"{good} of {len(ranks)} at rank 1 to {SEEN_BY_EVERYONE}")


def rank_of(row: dict[str, object], result: dict[str, list[dict[str, object]]]) -> object | None:
    """The rank of the first hit that shares a line with the answer."""
    for hit in result["hits"]:
        overlaps = hit["first_line"] <= row["last_line"] and row["first_line"] <= hit["last_line"]  # type: ignore[operator]
        if hit["path"] == row["path"] and overlaps:
            return hit["rank"]
    return None


if __name__ == "__main__":
    main()
