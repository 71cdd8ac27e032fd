"""The work of `rerank-cli eval init`: a set of known-item queries, written outside the documents."""

from __future__ import annotations

from pathlib import Path

from rerank_cli.cli.options import index_meant
from rerank_cli.cli.terminal import printable, say
from rerank_cli.evaluation.inputs.apart import check_outside
from rerank_cli.evaluation.inputs.known_items import WARNING, draw_known_items, write_known_items
from rerank_cli.store import open_reader


def write_set(out: Path, *, index_name: str | None, count: int, seed: int) -> int:
    """Draw at most *count* queries into the folder *out*."""
    with open_reader(index_meant(index_name)) as index:
        check_outside(out, index)
        items = draw_known_items(index, count=count, seed=seed)
    write_known_items(out, items)
    print(printable(f"{out}: {len(items)} known-item queries"))
    say(f"rerank-cli: {WARNING}")
    return 0
