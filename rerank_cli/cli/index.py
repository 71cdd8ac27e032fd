"""`rerank-cli index`: make an index of a folder, or bring it up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rerank_cli.cli.options import ConfigFile, Device, EncoderName, IndexName, Json, Quiet, configured
from rerank_cli.config import PREFIX


def run(
    folder: Annotated[
        Path, typer.Argument(help="A folder, a file, or a .jsonl corpus.", show_default=False, readable=False)
    ],
    index: IndexName = None,
    include: Annotated[
        list[str] | None, typer.Option(help="Index only files that match this glob. May be repeated.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(help="Leave out files that match this glob. May be repeated.")
    ] = None,
    hidden: Annotated[
        bool | None, typer.Option("--hidden/--no-hidden", help="Index hidden files too.", show_default=False)
    ] = None,
    ignore_files: Annotated[
        bool | None,
        typer.Option(
            "--ignore-files/--no-ignore-files",
            " /--no-ignore",
            help="Follow .gitignore and .rerankignore.",
            show_default=False,
        ),
    ] = None,
    max_file_size: Annotated[
        str | None, typer.Option(help="Leave out larger files, such as 500kB or 10MB.", show_default=False)
    ] = None,
    file_timeout: Annotated[
        float | None,
        typer.Option(help="Seconds that reading a file may take, or each 10 MB of it.", show_default=False),
    ] = None,
    passage_tokens: Annotated[int | None, typer.Option(help="Longest passage, in tokens.", show_default=False)] = None,
    vectors: Annotated[
        str | None, typer.Option(help="How vectors are searched: auto, exact or hnsw.", show_default=False)
    ] = None,
    encoder: EncoderName = None,
    device: Device = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="List what would be indexed, and why each other file would not.",
            envvar=f"{PREFIX}DRY_RUN",
            show_envvar=False,
        ),
    ] = False,
    rebuild: Annotated[
        bool,
        typer.Option(
            "--rebuild",
            help="Read every file again; give up an index of another format or model.",
            envvar=f"{PREFIX}REBUILD",
            show_envvar=False,
        ),
    ] = False,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="Compare the content of every file, not its size and times alone.",
            envvar=f"{PREFIX}VERIFY",
            show_envvar=False,
        ),
    ] = False,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune",
            help="Drop vectors of texts that are gone.",
            envvar=f"{PREFIX}PRUNE",
            show_envvar=False,
        ),
    ] = False,
    max_shrink: Annotated[
        float | None,
        typer.Option(help="Share of the documents that one run may remove, if more than ten.", show_default=False),
    ] = None,
    allow_shrink: Annotated[
        bool | None,
        typer.Option(
            "--allow-shrink/--no-allow-shrink",
            "--allow-empty/ ",
            help="Remove what is missing, however much it is.",
            show_default=False,
        ),
    ] = None,
    strict: Annotated[
        bool | None,
        typer.Option("--strict/--no-strict", help="Exit with 5 if a file could not be read.", show_default=False),
    ] = None,
    wait_s: Annotated[
        float | None,
        typer.Option("--wait-s", help="Seconds to wait for another process that writes.", show_default=False),
    ] = None,
    config: ConfigFile = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Make an index of FOLDER, or bring it up to date."""
    from rerank_cli.cli.indexing import list_files, update_folder
    from rerank_cli.library import documents_at

    root = documents_at(folder)
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
            "vectors": vectors,
            "encoder": encoder,
            "device": device,
            "max_shrink": max_shrink,
            "allow_shrink": allow_shrink,
            "strict": strict,
            "wait_s": wait_s,
        },
    ).settings
    if dry_run:
        return list_files(root, index, settings, as_json=as_json)
    return update_folder(
        root, index, settings, rebuild=rebuild, verify=verify, prune=prune, as_json=as_json, quiet=quiet
    )
