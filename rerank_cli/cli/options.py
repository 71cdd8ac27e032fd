"""Options that several commands share, and the configuration they add up to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from rerank_cli.config import PREFIX, PROJECT_FILE, Config, load_config
from rerank_cli.errors import InputError, in_words

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


def configured_for(index_folder: Path, config_file: Path | None, flags: dict[str, object]) -> Config:
    """The settings for what asks the index in *index_folder*: the project file is that of its documents."""
    from rerank_cli.freshness import folder_of
    from rerank_cli.store.roots import indexed_root

    root = indexed_root(index_folder) or working_folder()
    return configured(folder_of(root), config_file, flags)


def named_encoder(config: Config, config_file: Path | None) -> str | None:
    """The encoder that the user named; None where an index may take the one that it was made with.

    A project file cannot know every index of its folder, so what it names is for new ones.
    """
    origin = config.origins["encoder"]
    is_of_project = config_file is None and Path(origin).name == PROJECT_FILE
    return None if origin == "default" or is_of_project else config.settings.encoder


def working_folder() -> Path:
    """The current directory, its links followed."""
    try:
        return Path.cwd().resolve()
    except OSError as error:
        raise InputError(
            f"the current directory cannot be found ({in_words(error)})", remedy="cd to another"
        ) from error
