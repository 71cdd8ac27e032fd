"""`rerank-cli index`: make an index of a folder, or bring it up to date."""

from __future__ import annotations

import json
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Annotated

import typer

from rerank_cli.cli.options import ConfigFile, Device, EncoderName, IndexName, Json, Quiet, configured, own, setting
from rerank_cli.cli.progress import drawn_progress
from rerank_cli.cli.terminal import counted, printable, say
from rerank_cli.config import Settings
from rerank_cli.errors import Busy, FilesSkipped, InputError, TooMuchGone, in_words

if TYPE_CHECKING:
    from rerank_cli.corpus.discover import Rules
    from rerank_cli.indexing import IndexSummary
    from rerank_cli.records import SkippedFile

SHOWN_FAILURES = 10
"""More lines than these would push the summary off the screen; --json has all of them."""

SHOWN_FORMATS = 3
"""So many formats that no reader knows are named in the summary."""


def run(
    folder: Annotated[
        Path, typer.Argument(help="A folder, a file, or a .jsonl corpus.", show_default=False, readable=False)
    ],
    index: IndexName = None,
    include: Annotated[list[str] | None, setting("include")] = None,
    exclude: Annotated[list[str] | None, setting("exclude")] = None,
    hidden: Annotated[bool | None, setting("hidden")] = None,
    ignore_files: Annotated[bool | None, setting("ignore_files", " /--no-ignore")] = None,
    max_file_size: Annotated[str | None, setting("max_file_size")] = None,
    file_timeout: Annotated[str | None, setting("file_timeout")] = None,
    passage_tokens: Annotated[str | None, setting("passage_tokens")] = None,
    encoder: EncoderName = None,
    device: Device = None,
    dry_run: Annotated[
        bool, own("--dry-run", "List what would be indexed, and why each other file would not.")
    ] = False,
    rebuild: Annotated[
        bool, own("--rebuild", "Read every file again; give up an index of another format or model.")
    ] = False,
    verify: Annotated[
        bool, own("--verify", "Compare the content of every file, not its size and times alone.")
    ] = False,
    max_shrink: Annotated[str | None, setting("max_shrink")] = None,
    allow_shrink: Annotated[bool | None, setting("allow_shrink", "--allow-empty/ ")] = None,
    strict: Annotated[bool | None, setting("strict")] = None,
    wait_s: Annotated[str | None, setting("wait_s")] = None,
    config: ConfigFile = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Make an index of FOLDER, or bring it up to date."""
    root = _root(folder)
    settings = configured(
        root if root.is_dir() else root.parent,
        config,
        {
            "include": tuple(include) if include else None,
            "exclude": tuple(exclude) if exclude else None,
            "hidden": hidden,
            "ignore_files": ignore_files,
            "max_file_size": max_file_size,
            "file_timeout": file_timeout,
            "passage_tokens": passage_tokens,
            "encoder": encoder,
            "device": device,
            "max_shrink": max_shrink,
            "allow_shrink": allow_shrink,
            "strict": strict,
            "wait_s": wait_s,
        },
    ).settings
    if dry_run:
        return _list_files(root, index, settings, as_json=as_json)
    return _update(root, index, settings, rebuild=rebuild, verify=verify, as_json=as_json, quiet=quiet)


def _root(folder: Path) -> Path:
    try:
        return folder.expanduser().resolve(strict=True)
    except FileNotFoundError as error:
        raise InputError(f"{folder}: no such folder or file", remedy="check the path") from error
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle, nobody's home
        reason = in_words(error)
        raise InputError(f"{folder}: cannot be followed ({reason})", remedy="check the path") from error


def _update(
    root: Path, index: str | None, settings: Settings, *, rebuild: bool, verify: bool, as_json: bool, quiet: bool
) -> int:
    from rerank_cli.indexing import IndexSettings, remember_told, update_index
    from rerank_cli.models.loading import open_encoder
    from rerank_cli.store import open_writer

    folder = _index_folder(root, index)
    with drawn_progress(quiet=quiet or as_json) as listener:
        encoder = open_encoder(settings.encoder, device=settings.device, listener=listener)
        with open_writer(folder, wait_s=settings.wait_s, rebuild=rebuild) as writer:
            summary = update_index(
                root,
                writer=writer,
                encoder=encoder,
                settings=IndexSettings(
                    encoder=settings.encoder,
                    passage_tokens=settings.passage_tokens,
                    rules=_rules(settings),
                    file_timeout_s=settings.file_timeout,
                ),
                rebuild=rebuild,
                verify=verify,
                max_shrink=settings.max_shrink,
                allow_shrink=settings.allow_shrink,
                listener=listener,
            )
    if as_json:
        print(json.dumps(_record(summary), ensure_ascii=False))
    else:
        _print_failures([file for file in summary.failed if not quiet or file.path in summary.newly_failed])
        if not quiet:
            print(_one_line(summary), flush=True)  # before what goes to stderr, also in a log of both
        if summary.newly_failed:
            # if another process writes, the next run tells of them again
            with suppress(Busy), open_writer(folder, wait_s=settings.wait_s) as writer:
                remember_told(writer, summary.failed)
    if summary.doubt:
        raise TooMuchGone(
            f"{root}: {summary.doubt}; they stay in the index, and all else is up to date",
            remedy="mount the disk, or pass --allow-shrink if they are really gone",
        )
    if summary.failed and settings.strict:
        if quiet and not summary.newly_failed:
            return FilesSkipped.exit_code
        count = len(summary.failed)
        raise FilesSkipped(f"{counted(count, 'file')} could not be read", remedy="see --json for each reason")
    return 0


def _index_folder(root: Path, index: str | None) -> Path:
    from rerank_cli.store.location import default_folder, named_folder

    return default_folder(root) if index is None else named_folder(index)


def _rules(settings: Settings) -> Rules:
    from rerank_cli.corpus.discover import Rules

    return Rules(
        include=settings.include,
        exclude=settings.exclude,
        hidden=settings.hidden,
        ignore_files=settings.ignore_files,
        max_file_size_bytes=settings.max_file_size,
    )


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
    causes = Counter(file.cause for file in summary.skipped)
    others = {"too large": causes["too large"], "links": causes["link"], "pipes or devices": causes["special"]}
    kinds = [*formats, *(f"{count} {name}" for name, count in others.items() if count)]
    unread = causes["binary"] + sum(others.values())
    told = []
    if summary.failed:
        told.append(f"{counted(len(summary.failed), 'file')} could not be read")
    if unread:
        told.append(f"{counted(unread, 'file')} not read: {', '.join(kinds)} (--dry-run lists them)")
    return told


def _most_first(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _print_failures(failures: list[SkippedFile]) -> None:
    for file in failures[:SHOWN_FAILURES]:
        say(f"rerank-cli: {file.path}: {file.reason}")
    if len(failures) > SHOWN_FAILURES:
        say(f"rerank-cli: and {len(failures) - SHOWN_FAILURES} more; --json has all of them")


def _list_files(root: Path, index: str | None, settings: Settings, *, as_json: bool) -> int:
    from rerank_cli.corpus.discover import discover

    found = discover(root, _rules(settings), index_folder=_index_folder(root, index))
    if as_json:
        files = [{"path": file.path, "size_bytes": file.size_bytes} for file in found.files]
        left_out = [{**asdict(file), "failed": file.failed} for file in found.skipped]
        print(json.dumps({"root": str(root), "files": files, "skipped": left_out}, ensure_ascii=False))
        return 0
    for file in found.files:
        sys.stdout.write(f"index\t{printable(file.path)}\n")
    for skipped in found.skipped:
        sys.stdout.write(
            f"{'fail' if skipped.failed else 'skip'}\t{printable(skipped.path)}\t{printable(skipped.reason)}\n"
        )
    return 0
