"""What `rerank-cli status` prints: lines that fit a terminal, whole ones elsewhere, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping

from rerank_cli.cells import middle_left_out, wrapped
from rerank_cli.cli.terminal import counted, printable, width_of
from rerank_cli.filters import commonest_first
from rerank_cli.library import Status

MOST_FIELDS = 12
"""Keys of fields that are named."""

PATHS = ("index", "folder")
"""What is a path as a whole, blanks and all."""


def print_status(index: str, status: Status, *, as_json: bool) -> None:
    """Print the *status* of the index called *index*."""
    record = _record(index, status)
    if as_json:
        print(json.dumps(record, ensure_ascii=False, indent=2))
    else:
        sys.stdout.writelines(f"{line}\n" for line in status_lines(_rows(record), width=width_of(sys.stdout)))


def _record(index: str, status: Status) -> dict[str, object]:
    manifest = status.manifest
    recipe = manifest.recipe
    return {
        "index": index,
        "root": recipe.root,
        "generation": manifest.generation,
        "updated_at": manifest.updated_at,
        **status.counts._asdict(),
        "encoder": recipe.encoder,
        "encoder_fingerprint": recipe.encoder_fingerprint,
        "passage_tokens": recipe.passage_tokens,
        "search": manifest.search,
        "search_reason": manifest.search_reason,
        "fields": dict(status.fields),
        "unreadable": dict(status.unreadable),
        "since": since_record(status),
    }


def _rows(record: dict[str, object]) -> dict[str, str]:
    size, unreadable = record["size_bytes"], record["unreadable"]
    holds = {noun: record[f"{noun}s"] for noun in ("file", "document", "passage")}
    assert isinstance(size, int) and isinstance(unreadable, dict)
    rows = {
        "index": str(record["index"]),
        "folder": str(record["root"]),
        "updated": f"{record['updated_at']} (generation {record['generation']})",
        "holds": ", ".join(counted(number, noun) for noun, number in holds.items()),
        "size": f"{size / 1e6:.1f} MB",
        "encoder": f"{record['encoder']} ({record['encoder_fingerprint']})",
        "passages": f"at most {record['passage_tokens']} tokens",
        "search": f"{record['search']} ({record['search_reason']})",
        "on disk": since_line(record["since"]),
    }
    fields = record["fields"]
    assert isinstance(fields, dict)
    if fields:
        rows["fields"] = _fields_line(fields)
    if unreadable:
        rows["unreadable"] = f"{counted(len(unreadable), 'file')}; --json names them"
    return {name: printable(value) for name, value in rows.items()}


def status_lines(rows: Mapping[str, str], *, width: int | None) -> Iterator[str]:
    """Each value behind its name, in lines of at most *width*: a path without its middle, what is words broken."""
    names = max(map(len, rows)) + 2
    for name, value in rows.items():
        shown = f"{name:{names}}{value}"
        if width is None:
            yield shown
        elif name in PATHS:
            yield f"{name:{names}}{middle_left_out(value, width - names)}"
        else:
            yield from wrapped(shown, width, indent=" " * names)


def _fields_line(fields: dict[str, int]) -> str:
    """The keys that most documents have: what `--where` takes."""
    commonest = commonest_first(fields)
    shown = ", ".join(f"{key} ({fields[key]})" for key in commonest[:MOST_FIELDS])
    more = len(commonest) - MOST_FIELDS
    return f"{shown} and {more} more; --json names them" if more > 0 else shown


def since_record(status: Status) -> dict[str, object]:
    """The paths that differ from the index by now, or why that is unknown."""
    changes = status.changes
    if changes is None:
        return {"unknown": status.unknown}
    return {"added": list(changes.added), "changed": list(changes.changed), "removed": list(changes.removed)}


def since_line(since: object) -> str:
    """What `since_record` has, in a few words."""
    assert isinstance(since, dict)
    if "unknown" in since:
        return str(since["unknown"])
    counts = [f"{len(paths)} {kind}" for kind, paths in since.items() if paths]
    return ", ".join(counts) + " since" if counts else "nothing has changed since"
