"""Options that several commands share, and the configuration they add up to."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from rerank_cli.cli.commands import COMMANDS, load
from rerank_cli.cli.terminal import say
from rerank_cli.config import (
    BUILT_IN,
    HELP,
    KINDS,
    MODEL_KEYS,
    PREFIX,
    PROJECT_FILE,
    Config,
    flag_of,
    load_config,
    variable_of,
)
from rerank_cli.errors import InputError, UsageError, in_words

_OWN_VARIABLES: set[str] = set()


def setting(key: str, *names: str, meaning: str = "") -> Any:
    """The option of a setting: its flag, what it does and what it may be are said by the setting.

    *names* are more flags for it, *meaning* what it does for this command. Its text goes to the configuration as it was
    typed, which reads that of a file or a variable in the same way and knows which of them was the origin: so Typer
    neither parses it nor looks for its variable.
    """
    kind, flag = KINDS[key], flag_of(key)
    shown: dict[str, Any] = {"help": meaning or HELP[key], "show_default": False}
    if kind.form == "switch":
        flag = f"{flag}/{flag_of(f'no_{key}')}"
    elif kind.form == "list":
        shown["help"] += " May be repeated."
    else:
        shown["metavar"] = kind.stands_for
    if kind.form == "value":
        shown["help"] = f"{shown['help'].removesuffix('.')} ({kind.allowed})."
    if key == "indexes":
        shown["autocompletion"] = index_names
    elif key in MODEL_KEYS or kind.words:
        shown["autocompletion"] = model_names(key) if key in MODEL_KEYS else lambda: list(kind.words)
    return typer.Option(flag, *names, **shown)


def index_names() -> list[str]:
    """The indexes that there are, for who types the name of one."""
    from rerank_cli.store.location import index_folders

    return [folder.name for folder in index_folders()]


def model_names(key: str) -> Callable[[], list[str]]:
    """What gives the models that are here for the setting *key*: the built-in one, and those in the cache."""

    def names() -> list[str]:
        from rerank_cli.models.compiled import all_compiled

        return [*{BUILT_IN[key]: None, **{model.name: None for model in all_compiled() if model.kind == key}}]

    return names


def own(flag: str, meaning: str, *names: str, key: str = "", **more: Any) -> Any:
    """An option that is no setting, with the variable of its name; *names* are more flags for it.

    With *key* it has the variable of that name, where the flag's own is that of a setting.
    """
    variable = variable_of(key or flag.strip("-").replace("-", "_"))
    _OWN_VARIABLES.add(variable)
    shown = {"show_default": False, "show_envvar": False, **more}
    return typer.Option(flag, *names, help=meaning, envvar=variable, **shown)


def own_path(flag: str, meaning: str, **more: Any) -> Any:
    """An option that names a file or folder; one that cannot be read is told where it is read."""
    return own(flag, meaning, readable=False, **more)


def own_variables() -> frozenset[str]:
    """The variables of every command's options that are no settings, for which every command is loaded."""
    for name in COMMANDS:
        load(name)
    return frozenset(_OWN_VARIABLES)


def own_variables_in(environment: Mapping[str, str]) -> frozenset[str]:
    """The `own_variables`, of which those of other commands are only asked for where *environment* may have one."""
    known = {*map(variable_of, HELP), *_OWN_VARIABLES}
    is_known = all(name in known for name in environment if name.startswith(PREFIX))
    return frozenset(_OWN_VARIABLES) if is_known else own_variables()


ConfigFile = Annotated[
    Path | None,
    own_path("--config", "YAML settings in place of the project's rerank.yaml.", show_envvar=True),
]
IndexName = Annotated[
    str | None,
    own("--index", "Index by name, or by path if it holds a slash.", show_envvar=True, autocompletion=index_names),
]
IndexNames = Annotated[list[str] | None, setting("indexes", "--index")]
EncoderName = Annotated[str | None, setting("encoder")]
RerankerName = Annotated[str | None, setting("reranker")]
RetrieverName = Annotated[str | None, setting("retriever")]
TopK = Annotated[str | None, setting("top_k")]
Reranks = Annotated[bool | None, setting("rerank")]
FusionName = Annotated[str | None, setting("fusion")]
FusionWeight = Annotated[str | None, setting("fusion_weight")]
RemoteTimeout = Annotated[str | None, setting("remote_timeout")]
MaxTokens = Annotated[str | None, setting("max_tokens")]
TokenizerName = Annotated[str | None, setting("tokenizer")]
ContextStyle = Annotated[str | None, setting("context_style")]
Order = Annotated[str | None, setting("order")]
Paths = Annotated[list[str] | None, own("--path", "Search only files that match this glob. May be repeated.")]
NotPaths = Annotated[list[str] | None, own("--not-path", "Leave out files that match this glob. May be repeated.")]
Extensions = Annotated[
    list[str] | None, own("--ext", "Search only files whose names end so, such as pdf,md. May be repeated.")
]
Since = Annotated[
    str | None, own("--since", "Search only documents from this date on: 2026-01-31, or 12h, 30d, 2w, 6m, 1y ago.")
]
Until = Annotated[str | None, own("--until", "Search only documents up to this date, the day included.")]
Where = Annotated[
    list[str] | None,
    own("--where", "Search only documents with this field: tag=hive, status!=draft, author. May be repeated."),
]
Device = Annotated[str | None, setting("device")]
Quiet = Annotated[bool, own("--quiet", "No progress and no summary.", "-q")]
NoPager = Annotated[bool, own("--no-pager", "Show answers that are longer than the terminal without a pager.")]
Json = Annotated[bool, own("--json", "Print JSON.")]
CollectionFolder = Annotated[
    Path | None, own_path("--collection", "Folder with queries and qrels, as in BEIR; the indexed folder unless given.")
]
QueriesFile = Annotated[Path | None, own_path("--queries", "Queries: JSONL, id<TAB>text, or TREC topics.")]
QrelsFile = Annotated[Path | None, own_path("--qrels", "Judgements: BEIR or plain TSV, TREC qrels, or JSONL.")]


def given(parameters: Mapping[str, object]) -> dict[str, object]:
    """Those of a command's *parameters* that are settings, by key; several values as a tuple, None where none is."""
    settings = {key: value for key, value in parameters.items() if key in HELP}
    return {key: tuple(value) or None if isinstance(value, list) else value for key, value in settings.items()}


def without_pager(pager: str | None) -> str:
    """The pager of `--no-pager`, which no other may stand beside."""
    if pager is not None:
        raise UsageError("--pager and --no-pager were both given", remedy="drop one")
    return "none"


def configured(start: Path, config_file: Path | None, flags: dict[str, object]) -> Config:
    """The settings from every source; a flag that was not given is None and counts for nothing."""
    return load_config(
        flags={key: value for key, value in flags.items() if value is not None},
        start=start,
        config_file=config_file,
        environment=os.environ,
        other_variables=own_variables_in(os.environ),
    )


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


def indexes_named(config: Config) -> tuple[str, ...]:
    """The indexes that flags name, or RERANK_CLI_INDEX, or *config* from elsewhere."""
    lone = os.environ.get(variable_of("index"))
    return (lone,) if lone and config.origins["indexes"] != flag_of("indexes") else config.settings.indexes


def index_meant(name: str | None, *, start: Path | None = None) -> Path:
    """The index called *name*, or that of *start*, which is where the user stands unless it is given.

    Where several cover it, stderr says which it is.
    """
    from rerank_cli.store.location import find_index, others_around

    start = start or working_folder()
    found = find_index(name, start=start)
    if name is None and (others := others_around(found, start=start)):
        say(f"rerank-cli: {found.name} is the nearest of several indexes here; the others: {', '.join(others)}")
    return found


def indexes_and_settings(
    config_file: Path | None, flags: dict[str, object], *, start: Path | None = None
) -> tuple[tuple[Path, ...], Config]:
    """The indexes that are meant, and the settings of their documents; of several those of where the user stands.

    Where none is named it is that of *start*, as `index_meant` has it. A flag that is wrong is told before an index is
    missed.
    """
    here = _checked(configured(working_folder(), config_file, flags))
    named: tuple[str | None, ...] = indexes_named(here) or (None,)
    folders = tuple(dict.fromkeys(index_meant(name, start=start) for name in named))
    return folders, here if len(folders) > 1 else _checked(configured_for(folders[0], config_file, flags))


def _checked(merged: Config) -> Config:
    if merged.settings.min_score is not None and not merged.settings.rerank:
        limited, left_out = merged.origins["min_score"], merged.origins["rerank"]
        raise UsageError(
            f"min_score ({limited}) judges the reranker's score, and rerank is false ({left_out})", remedy="drop one"
        )
    return merged
