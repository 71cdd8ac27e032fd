"""The work of `rerank-cli indexes`: what is told of each index, and which of them are of no use any more."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from rerank_cli.cli.records_table import Row, print_table
from rerank_cli.cli.status_text import since_line, since_record
from rerank_cli.cli.terminal import printable, say, tell
from rerank_cli.errors import RerankError
from rerank_cli.library import open_library
from rerank_cli.store.housekeeping import drop_unused_vectors, has_gone, remove_index, remove_leftovers
from rerank_cli.store.layout import Layout
from rerank_cli.store.location import index_folders
from rerank_cli.store.roots import indexed_root

COLUMNS = ("index", "size", "updated")


def print_indexes(*, as_json: bool) -> None:
    """Print every index: its name, its folder, its size, its age, its encoder, and what has changed since."""
    records = [_record(folder) for folder in index_folders()]
    if as_json:
        print(json.dumps({"indexes": records}, ensure_ascii=False, indent=2))
    elif not records:
        say("no folder is indexed yet; make an index: rerank-cli index FOLDER")
    else:
        print_table(COLUMNS, [_row(record) for record in records], sys.stdout)


def prune_indexes(*, dry_run: bool, quiet: bool) -> int:
    """Remove the indexes whose folders are gone, and from the others the vectors that nothing uses; tell of each.

    One that cannot be used is told and passed over. Returns its exit code, or 0.
    """
    code = 0
    for folder in index_folders():
        root = indexed_root(folder)
        is_elsewhere = Layout(folder).elsewhere.exists()  # and its documents are perhaps on another machine
        if root is not None and not is_elsewhere and has_gone(root):
            if not dry_run:
                remove_index(folder)
            _print(f"{folder.name}: {root} is gone", quiet=quiet)
        else:
            try:
                saved = drop_unused_vectors(folder, dry_run=dry_run)
            except RerankError as error:
                tell(error)
                code = error.exit_code
                continue
            if saved:
                _print(f"{folder.name}: {saved / 1e6:.1f} MB of vectors that nothing used", quiet=quiet)
    if not dry_run:
        remove_leftovers()
    return code


def _print(line: str, *, quiet: bool) -> None:
    if not quiet:
        print(printable(line))


def _record(folder: Path) -> dict[str, object]:
    """What is known of an index, and where it cannot be used, why."""
    root = indexed_root(folder)
    record: dict[str, object] = {
        "name": folder.name,
        "folder": str(folder),
        "root": None if root is None else str(root),
        "size_bytes": Layout(folder).size_bytes(),
        "updated_at": None,
        "encoder": None,
        "documents": None,
        "since": None,
        "failure": None,
    }
    try:
        with open_library(index=folder) as library:
            status = library.status()
    except RerankError as error:
        return {**record, "failure": str(error)}
    return {
        **record,
        "size_bytes": status.counts.size_bytes,
        "updated_at": status.manifest.updated_at,
        "encoder": status.manifest.recipe.encoder,
        "documents": status.counts.documents,
        "since": since_record(status),
    }


def _row(record: dict[str, object]) -> Row:
    size = record["size_bytes"]
    assert isinstance(size, int)
    told = f"{since_line(record['since'])}; encoder {record['encoder']}"
    if record["failure"]:
        told = "cannot be used; see rerank-cli doctor"
    root = record["root"]
    return Row(
        cells=(str(record["name"]), f"{size / 1e6:.1f} MB", _age(record["updated_at"])),
        path=str(root or ""),
        told=(told if root else f"its folder is not known; {told}",),
    )


def _age(updated_at: object) -> str:
    """How long ago that is, in the largest unit of which it is one or more."""
    if not isinstance(updated_at, str):
        return ""
    seconds = (datetime.now(UTC) - datetime.fromisoformat(updated_at)).total_seconds()
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit} ago"
    return "now"
