"""The work of `rerank-cli index`: a run, what it says of it, and what it would read."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path, PurePath

from rerank_cli.cli.progress import drawn_progress
from rerank_cli.cli.terminal import counted, fitted, printable, say
from rerank_cli.config import Settings
from rerank_cli.errors import Busy, FilesSkipped, TooMuchGone
from rerank_cli.indexing import IndexSummary
from rerank_cli.library import open_library

SHOWN_LINES = 10
"""More lines than these would push the summary off the screen; --json has all of them."""

SHOWN_FORMATS = 3
"""So many formats that no reader knows are named in the summary."""


def update_folder(
    root: Path,
    index: str | None,
    settings: Settings,
    *,
    rebuild: bool,
    verify: bool,
    prune: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Bring the index of *root* up to date and say what was done."""
    with drawn_progress(quiet=quiet or as_json) as listener:
        library = open_library(root, index=index, encoder=settings.encoder, settings=settings, listener=listener)
        summary = library.update(rebuild=rebuild, verify=verify, prune=prune)
    if as_json:
        print(json.dumps(_record(summary), ensure_ascii=False))
    else:
        failures = [file for file in summary.failed if not quiet or file.path in summary.newly_failed]
        _print_some([f"{file.path}: {file.reason}" for file in failures])
        _print_some([f"{file.path}: {note}" for file in summary.noted for note in file.notes])
        if not quiet:
            for line in fitted(_one_line(summary), sys.stdout):
                print(line, flush=True)  # before what goes to stderr, also in a log of both
        if summary.newly_failed:
            with suppress(Busy):  # if another process writes, the next run tells of them again
                library.remember_told(summary)
    if summary.doubt:
        raise TooMuchGone(
            f"{root}: {summary.doubt}; they stay in the index, and all else is up to date",
            remedy="mount the disk, or pass --allow-shrink if they are really gone",
        )
    if settings.strict and (summary.failed or summary.damaged):
        if quiet and not summary.newly_failed and not summary.noted:
            return FilesSkipped.exit_code
        raise FilesSkipped(_unread(summary), remedy="see --json for each reason")
    return 0


def _unread(summary: IndexSummary) -> str:
    counts = {"could not be read": len(summary.failed), "damaged": len(summary.damaged)}
    return ", ".join(f"{counted(count, 'file')} {what}" for what, count in counts.items() if count)


def list_files(root: Path, index: str | None, settings: Settings, *, as_json: bool) -> int:
    """Print what would be indexed, and why each other file would not."""
    found = open_library(root, index=index, settings=settings).find_files()
    if as_json:
        files = [{"path": file.path, "size_bytes": file.size_bytes} for file in found.files]
        left_out = [{**file._asdict(), "failed": file.failed} for file in found.skipped]
        print(json.dumps({"root": str(root), "files": files, "skipped": left_out}, ensure_ascii=False))
        return 0
    for file in found.files:
        sys.stdout.write(f"index\t{printable(file.path)}\n")
    for skipped in found.skipped:
        sys.stdout.write(
            f"{'fail' if skipped.failed else 'skip'}\t{printable(skipped.path)}\t{printable(skipped.reason)}\n"
        )
    return 0


def _record(summary: IndexSummary) -> dict[str, object]:
    """The summary for programs: failures one by one, what else is left out by its cause."""
    failed = [{"path": file.path, "reason": file.reason} for file in summary.failed]
    left_out = Counter(file.cause for file in summary.skipped)
    told = {"failed": failed, "skipped": sum(left_out.values()), "skipped_by_cause": dict(sorted(left_out.items()))}
    return {
        **asdict(summary),
        **told,
        "unread_formats": dict(_unread_formats(summary)),
        "folder": summary.index,
        "up_to_date": summary.up_to_date,
    }


def _unread_formats(summary: IndexSummary) -> Counter[str]:
    """By extension, how many files hold something that no reader makes text of."""
    binary = [PurePath(file.path) for file in summary.skipped if file.cause == "binary"]
    return Counter(path.suffix[1:].lower() or "without extension" for path in binary)


def _one_line(summary: IndexSummary) -> str:
    parts = ((summary.files, "file"), (summary.documents, "document"), (summary.passages, "passage"))
    holds = ", ".join(counted(number, noun) for number, noun in parts)
    changes = {
        "added": summary.added,
        "changed": summary.changed,
        "removed": summary.removed,
        "kept though missing": len(summary.kept),
    }
    named = [(count, word) for word, count in changes.items() if count]
    news = "up to date"
    if named:
        first, *others = named
        files = ", ".join([f"{counted(first[0], 'file')} {first[1]}", *(f"{count} {word}" for count, word in others)])
        news = f"{files}; {counted(summary.encoded, 'passage')} encoded, {summary.reused} reused"
    line = f"{PurePath(summary.index).name}: {holds} ({news}) in {summary.elapsed_s:.1f} s"
    return printable("; ".join([line, *_left_out(summary)]))


def _left_out(summary: IndexSummary) -> list[str]:
    """What was not read and why, in few words; nothing of what the user's own rules leave out."""
    formats = [f"{count} {name}" for name, count in _most_first(_unread_formats(summary))]
    if len(formats) > SHOWN_FORMATS:
        formats = [*formats[:SHOWN_FORMATS], "…"]
    causes = Counter[str](file.cause for file in summary.skipped)
    names = {"generated": "generated", "too large": "too large", "link": "link", "special": "pipe or device"}
    nouns = {"link": "links", "special": "pipes or devices"}
    told_as = {cause: name if causes[cause] == 1 else nouns.get(cause, name) for cause, name in names.items()}
    others = [f"{causes[cause]} {name}" for cause, name in told_as.items() if causes[cause]]
    unread = sum(causes[cause] for cause in ("binary", *names))
    told = []
    if summary.failed:
        told.append(f"{counted(len(summary.failed), 'file')} could not be read")
    if summary.noted:
        told.append(f"{counted(len(summary.noted), 'file')} read in part")
    if summary.repeating:
        told.append(f"{counted(summary.repeating, 'page')} read without what most pages of their folder repeat")
    if unread:
        kinds = ", ".join([*formats, *others])
        told.append(f"{counted(unread, 'file')} not read: {kinds} (--dry-run lists them)")
    return told


def _most_first(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _print_some(lines: Sequence[str]) -> None:
    for line in lines[:SHOWN_LINES]:
        for part in fitted(f"rerank-cli: {line}", sys.stderr):
            say(part)
    if len(lines) > SHOWN_LINES:
        say(f"rerank-cli: and {len(lines) - SHOWN_LINES} more; --json has all of them")
