"""What `rerank-cli status` prints: a table for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from rerank_cli.cli.terminal import console, counted, printable
from rerank_cli.filters import commonest_first
from rerank_cli.library import Status

MOST_FIELDS = 12
"""Keys of fields that the table names."""


def print_status(index: str, status: Status, *, as_json: bool) -> None:
    """Print the *status* of the index called *index*."""
    record = _record(index, status)
    if as_json:
        print(json.dumps(record, ensure_ascii=False, indent=2))
    else:
        _print_table(record)


def _record(index: str, status: Status) -> dict[str, object]:
    manifest, changes = status.manifest, status.changes
    recipe = manifest.recipe
    since: dict[str, object] = {"unknown": status.unknown}
    if changes is not None:
        since = {"added": list(changes.added), "changed": list(changes.changed), "removed": list(changes.removed)}
    return {
        "index": index,
        "root": recipe.root,
        "generation": manifest.generation,
        "updated_at": manifest.updated_at,
        **asdict(status.counts),
        "encoder": recipe.encoder,
        "encoder_fingerprint": recipe.encoder_fingerprint,
        "passage_tokens": recipe.passage_tokens,
        "search": manifest.search,
        "search_reason": manifest.search_reason,
        "fields": dict(status.fields),
        "unreadable": dict(status.unreadable),
        "since": since,
    }


def _print_table(record: dict[str, object]) -> None:
    from rich.table import Table  # --json needs no Rich
    from rich.text import Text

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    size, unreadable = record["size_bytes"], record["unreadable"]
    holds = {noun: record[f"{noun}s"] for noun in ("file", "document", "passage")}
    assert isinstance(size, int) and isinstance(unreadable, dict)
    rows = {
        "index": record["index"],
        "folder": record["root"],
        "updated": f"{record['updated_at']} (generation {record['generation']})",
        "holds": ", ".join(counted(number, noun) for noun, number in holds.items()),
        "size": f"{size / 1e6:.1f} MB",
        "encoder": f"{record['encoder']} ({record['encoder_fingerprint']})",
        "passages": f"at most {record['passage_tokens']} tokens",
        "search": f"{record['search']} ({record['search_reason']})",
        "on disk": _since_line(record["since"]),
    }
    fields = record["fields"]
    assert isinstance(fields, dict)
    if fields:
        rows["fields"] = _fields_line(fields)
    if unreadable:
        rows["unreadable"] = f"{counted(len(unreadable), 'file')}; --json names them"
    for name, value in rows.items():
        table.add_row(name, Text(printable(str(value))))
    console(sys.stdout).print(table)


def _fields_line(fields: dict[str, int]) -> str:
    """The keys that most documents have: what `--where` takes."""
    commonest = commonest_first(fields)
    shown = ", ".join(f"{key} ({fields[key]})" for key in commonest[:MOST_FIELDS])
    more = len(commonest) - MOST_FIELDS
    return f"{shown} and {more} more; --json names them" if more > 0 else shown


def _since_line(since: object) -> str:
    assert isinstance(since, dict)
    if "unknown" in since:
        return str(since["unknown"])
    counts = [f"{len(paths)} {kind}" for kind, paths in since.items() if paths]
    return ", ".join(counts) + " since" if counts else "nothing has changed since"
