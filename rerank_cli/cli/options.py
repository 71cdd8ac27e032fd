"""Options that several commands share, and the configuration they add up to."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from rerank_cli.config import PREFIX, Config, load_config
from rerank_cli.errors import InputError, UsageError, in_words

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="YAML settings in place of the project's rerank.yaml.",
        envvar=f"{PREFIX}CONFIG",
        readable=False,  # what cannot be read is told where it is read, with its own code
    ),
]
IndexName = Annotated[
    str | None,
    typer.Option("--index", help="Index by name, or by path if it holds a slash.", envvar=f"{PREFIX}INDEX"),
]
EncoderName = Annotated[
    str | None, typer.Option("--encoder", help="Bi-encoder: built-in name, folder, or hub id.", show_default=False)
]
RerankerName = Annotated[
    str | None, typer.Option("--reranker", help="Cross-encoder: built-in name, folder, or hub id.", show_default=False)
]
RetrieverName = Annotated[
    str | None, typer.Option("--retriever", help="First stage: hybrid, dense or lexical.", show_default=False)
]
TopK = Annotated[
    int | None, typer.Option("--top-k", help="Candidates that the first stage brings.", show_default=False)
]
Reranks = Annotated[bool | None, typer.Option("--rerank/--no-rerank", help="Run the second stage.", show_default=False)]
FusionName = Annotated[
    str | None,
    typer.Option(
        "--fusion",
        help="Final order: linear or rrf fuses both stages, none trusts the reranker alone.",
        show_default=False,
    ),
]
FusionWeight = Annotated[
    float | None,
    typer.Option("--fusion-weight", help="The reranker's share in a fused order, 0 to 1.", show_default=False),
]
Device = Annotated[str | None, typer.Option("--device", help="Where models run: cpu, cuda or mps.", show_default=False)]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress and no summary.", envvar=f"{PREFIX}QUIET", show_envvar=False)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.", envvar=f"{PREFIX}JSON", show_envvar=False)]


def own(flag: str, meaning: str, **more: Any) -> Any:
    """An option that is no setting, with the variable of its name."""
    variable = f"{PREFIX}{flag.strip('-').upper().replace('-', '_')}"
    shown = {"show_default": False, **more}
    return typer.Option(flag, help=meaning, envvar=variable, show_envvar=False, **shown)


def own_path(flag: str, meaning: str, **more: Any) -> Any:
    """An option that names a file or folder; one that cannot be read is told where it is read."""
    return own(flag, meaning, readable=False, **more)


CollectionFolder = Annotated[
    Path | None, own_path("--collection", "Folder with queries and qrels, as in BEIR; the indexed folder unless given.")
]
QueriesFile = Annotated[Path | None, own_path("--queries", "Queries: JSONL, id<TAB>text, or TREC topics.")]
QrelsFile = Annotated[Path | None, own_path("--qrels", "Judgements: BEIR or plain TSV, TREC qrels, or JSONL.")]


def configured(start: Path, config_file: Path | None, flags: dict[str, object]) -> Config:
    """The settings from every source; a flag that was not given is None and counts for nothing."""
    given = {key: value for key, value in flags.items() if value is not None and value != []}
    return load_config(flags=given, start=start, config_file=config_file, environment=os.environ)


def working_folder() -> Path:
    """The current directory, its links followed."""
    try:
        return Path.cwd().resolve()
    except OSError as error:
        raise InputError(
            f"the current directory cannot be found ({in_words(error)})", remedy="cd to another"
        ) from error


def path_filter(globs: list[str]) -> Callable[[str], bool] | None:
    """A test of paths by gitignore-style globs, any of which may match; None without globs."""
    if not globs:
        return None
    from rerank_cli.corpus.globs import BrokenPattern, git_pattern, selects

    patterns = []
    for glob in globs:
        try:
            pattern = git_pattern(glob)
        except BrokenPattern as error:
            raise UsageError(f"--path: {error}", remedy="write it as in a .gitignore file") from error
        if pattern is None:
            raise UsageError(f"--path: {glob!r} matches nothing", remedy="write it as in a .gitignore file")
        patterns.append(pattern)
    return partial(selects, patterns)
