"""`rerank-cli index`: make an index of a folder, or bring it up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rerank_cli.cli.options import (
    ConfigFile,
    Device,
    EncoderName,
    IndexName,
    Json,
    Quiet,
    RemoteTimeout,
    configured,
    given,
    own,
    setting,
)


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
    converter: Annotated[list[str] | None, setting("converter")] = None,
    passage_tokens: Annotated[str | None, setting("passage_tokens")] = None,
    vectors: Annotated[str | None, setting("vectors")] = None,
    store: Annotated[str | None, setting("store")] = None,
    encoder: EncoderName = None,
    device: Device = None,
    workers: Annotated[str | None, setting("workers")] = None,
    remote_timeout: RemoteTimeout = None,
    dry_run: Annotated[
        bool, own("--dry-run", "List what would be indexed, and why each other file would not.")
    ] = False,
    rebuild: Annotated[
        bool, own("--rebuild", "Read every file again; give up an index of another format or model.")
    ] = False,
    verify: Annotated[
        bool, own("--verify", "Compare the content of every file, not its size and times alone.")
    ] = False,
    prune: Annotated[bool, own("--prune", "Drop vectors of texts that are gone.")] = False,
    max_shrink: Annotated[str | None, setting("max_shrink")] = None,
    allow_shrink: Annotated[bool | None, setting("allow_shrink", "--allow-empty/ ")] = None,
    strict: Annotated[bool | None, setting("strict")] = None,
    wait_s: Annotated[str | None, setting("wait_s")] = None,
    config: ConfigFile = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Make an index of FOLDER, or bring it up to date.

    \b
    Examples:
      rerank-cli index .
      rerank-cli index . --dry-run --exclude workshop/
      rerank-cli index boat --index boat --passage-tokens 120
    """
    flags = given(locals())
    from rerank_cli.cli.indexing import list_files, update_folder
    from rerank_cli.library import documents_at

    root = documents_at(folder)
    settings = configured(root if root.is_dir() else root.parent, config, flags).settings
    if store is not None:
        _check_kept_at(root, index, settings.store)
    if dry_run:
        return list_files(root, index, settings, as_json=as_json)
    return update_folder(
        root, index, settings, rebuild=rebuild, verify=verify, prune=prune, as_json=as_json, quiet=quiet
    )


def _check_kept_at(root: Path, index: str | None, address: str) -> None:
    """Where an index is kept cannot be changed: a flag that says otherwise must not be passed over."""
    from rerank_cli.store.elsewhere import check_kept_at
    from rerank_cli.store.location import default_folder, named_folder

    check_kept_at(default_folder(root) if index is None else named_folder(index), address)
