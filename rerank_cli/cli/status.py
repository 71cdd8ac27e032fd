"""`rerank-cli status`: what is indexed, and what has changed on disk since."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rerank_cli.cli.options import IndexName, Json, working_folder
from rerank_cli.cli.terminal import console, counted, printable

if TYPE_CHECKING:
    from rerank_cli.ports import FileState


def run(index: IndexName = None, as_json: Json = False) -> int:
    """Show what is indexed, with what, how big it is, and what has changed on disk since."""
    from rerank_cli.store.location import find_index

    record = _status(find_index(index, start=working_folder()))
    if as_json:
        print(json.dumps(record, ensure_ascii=False, indent=2))
    else:
        _print_table(record)
    return 0


def _status(folder: Path) -> dict[str, object]:
    from rerank_cli.store import open_reader

    with open_reader(folder) as reader:
        manifest, counts, known = reader.manifest, reader.counts(), reader.files()
    recipe = manifest.recipe
    return {
        "index": str(folder),
        "root": recipe.root,
        "generation": manifest.generation,
        "updated_at": manifest.updated_at,
        **asdict(counts),
        "encoder": recipe.encoder,
        "encoder_fingerprint": recipe.encoder_fingerprint,
        "passage_tokens": recipe.passage_tokens,
        "search": manifest.search,
        "search_reason": manifest.search_reason,
        **_compared(Path(recipe.root), recipe.rules, known, index_folder=folder),
    }


def _compared(
    root: Path, rules: Mapping[str, object], known: Mapping[str, FileState], *, index_folder: Path
) -> dict[str, object]:
    """Why each file could not be read, then or now, and the paths added, changed and removed since the last run.

    Or, in place of the paths, why the folder cannot be compared.
    """
    from rerank_cli.corpus.discover import Rules, discover
    from rerank_cli.errors import InputError
    from rerank_cli.indexing import compare

    unreadable = {path: state.failure for path, state in known.items() if state.failure}
    restored: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in rules.items()}
    try:
        stamps = {path: state.stamp for path, state in known.items()}
        found = discover(root, Rules(**restored), index_folder=index_folder, known=stamps)
        changes = compare(found, known)
    except InputError as error:
        return {"unreadable": unreadable, "since": {"unknown": str(error)}}
    unreadable.update((file.path, file.reason) for file in found.skipped if file.failed)
    since = {"added": list(changes.added), "changed": list(changes.changed), "removed": list(changes.removed)}
    return {"unreadable": unreadable, "since": since}


def _print_table(record: dict[str, object]) -> None:
    from rich.table import Table
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
    if unreadable:
        rows["unreadable"] = f"{counted(len(unreadable), 'file')}; --json names them"
    for name, value in rows.items():
        table.add_row(name, Text(printable(str(value))))
    console(sys.stdout).print(table)


def _since_line(since: object) -> str:
    assert isinstance(since, dict)
    if "unknown" in since:
        return str(since["unknown"])
    counts = [f"{len(paths)} {kind}" for kind, paths in since.items() if paths]
    return ", ".join(counts) + " since" if counts else "nothing has changed since"
