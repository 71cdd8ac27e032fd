"""The settings of a run: defaults < user file < project file < environment < flags, each with its origin.

Files and variables are read as text, and each key's own kind says what the text means. YAML's guesses
(`no` is false, `1:30` is 90, `!!python/…` is a call) never come in, and a value is written the same way
in a file, in a variable and in the output of `rerank-cli config`.
"""

from __future__ import annotations

import difflib
import math
import re
import reprlib
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from rerank_cli.errors import ConfigError, InputError, in_words
from rerank_cli.places import config_folder, home_folder

if TYPE_CHECKING:
    from yaml import Node, ScalarNode

PROJECT_FILE = "rerank.yaml"

PREFIX = "RERANK_CLI_"

AS_WRITTEN = "write one `key: value` a line, as rerank-cli config does"

OTHER_VARIABLES = frozenset(
    f"{PREFIX}{flag}"
    for flag in (
        "BASE BASELINE BATCH_QUERIES COLLECTION COMPARE CONFIG COUNT DIAGNOSE DRY_RUN EPOCHS EXPLAIN FAIL_UNDER FORCE "
        "INDEX JSON LEARNING_RATE LICENCE MAX_DROP MAX_STEPS MAX_TOKENS MEASURE NEGATIVES NO_CACHE OUT PAIRS PATH "
        "PATIENCE PLOT POOL PRUNE QRELS QUERIES QUIET REBUILD REPORT RESUME RUN_IN RUN_OUT SEED SWEEP TEACHER_SHARE "
        "VALIDATION_SHARE VERIFY"
    ).split()
)
"""Variables of flags that are no settings: they belong to one run, and no file may hold them."""

Device = Literal["cpu", "cuda", "mps"]
VectorSearch = Literal["auto", "exact", "hnsw"]
Retriever = Literal["hybrid", "dense", "lexical"]
Fusion = Literal["linear", "rrf", "none"]
Format = Literal["auto", "table", "plain", "json", "jsonl", "tsv", "paths", "trec"]


# Kinds of values


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a key may hold.

    `read` takes what a source gave: a text, a list of texts, None for nothing, or the value itself as
    a flag has it. It raises ValueError where that is not allowed. `show` gives what reads back.
    """

    allowed: str
    read: Callable[[Any], object]
    show: Callable[[Any], object] = lambda value: value


def _text(given: Any) -> str:
    if not isinstance(given, str) or not given.strip() or "\0" in given:
        raise ValueError
    return given


def _texts(given: Any) -> tuple[str, ...]:
    if isinstance(given, str):
        return tuple(part.strip() for part in re.split(r"[,\n]", given) if part.strip())
    if not isinstance(given, tuple | list):
        raise ValueError
    return tuple(_text(part) for part in given)


def _switch(given: Any) -> bool:
    word = str(given).lower()
    if word not in ("1", "true", "yes", "on", "0", "false", "no", "off"):
        raise ValueError
    return word in ("1", "true", "yes", "on")


def _one_of(choices: object) -> _Kind:
    names = get_args(choices)

    def read(given: Any) -> str:
        if given not in names:
            raise ValueError
        return str(given)

    return _Kind(f"one of {', '.join(names)}", read)


def _whole(minimum: int, maximum: int | None = None) -> _Kind:
    def read(given: Any) -> int:
        number = int(given) if isinstance(given, str) else given
        if type(number) is not int or number < minimum or (maximum is not None and number > maximum):
            raise ValueError
        return number

    reach = f"of {minimum} or more" if maximum is None else f"from {minimum} to {maximum}"
    return _Kind(f"a whole number {reach}", read)


def _number(given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, str | int | float) or not math.isfinite(float(given)):
        raise ValueError
    return float(given)


def _share(given: Any) -> float:
    number = _number(given)
    if not 0 <= number <= 1:
        raise ValueError
    return number


def _seconds(given: Any) -> float:
    number = _number(given)
    if number < 0:
        raise ValueError
    return number


DAY_S = 24 * 60 * 60


def _time_limit(given: Any) -> float:
    number = _number(given)
    if not 0 < number <= DAY_S:
        raise ValueError
    return number


def _number_or_none(given: Any) -> float | None:
    return None if given in (None, "null") else _number(given)


_UNITS = {
    "GiB": 2**30,
    "GB": 10**9,
    "MiB": 2**20,
    "MB": 10**6,
    "KiB": 2**10,
    "kB": 10**3,
    "B": 1,
}
"""Largest first. As the standards have it, kB counts in thousands and KiB in 1024s."""


def _size(given: Any) -> int:
    size = _parsed_size(given) if isinstance(given, str) else given
    if type(size) is not int or size < 1:
        raise ValueError
    return size


def _parsed_size(text: str) -> int:
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)\s*", text, re.IGNORECASE)
    factors = {unit.lower(): factor for unit, factor in _UNITS.items()} | {"": 1}
    if match is None or match[2].lower() not in factors:
        raise ValueError
    return int(Fraction(match[1]) * factors[match[2].lower()])


def _shown_size(size: int) -> str:
    unit, factor = next((unit, factor) for unit, factor in _UNITS.items() if size % factor == 0)
    return f"{size // factor}{unit}"


_MODEL = _Kind("a built-in name, a folder or a hub id", _text)
_PATTERNS = _Kind("a list of patterns, or text with commas between them", _texts)
_SWITCH = _Kind("true or false", _switch)
_LIMIT = _Kind("a number, or null for no limit", _number_or_none)
_SHARE = _Kind("a number from 0 to 1", _share)
_SECONDS = _Kind("a number, 0 or more", _seconds)
_TIME_LIMIT = _Kind(f"a number of seconds above 0, up to {DAY_S}", _time_limit)
_SIZE = _Kind("bytes, or a number with a unit such as 500kB, 10MB or 1.5GiB", _size, _shown_size)


# Settings


def _about(kind: _Kind, meaning: str, *, project: bool = False) -> dict[str, object]:
    """With *project*, a project file may set it: no value of it does harm in a folder that came from anybody.

    That is what the folder's documents are and how they are ordered. How much a run may take or pass over, where it
    runs and what its caller reads are the user's to say.
    """
    return {"kind": kind, "help": meaning, "project": project}


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting, with its default.

    A model is a built-in name, a hub id or the absolute path of a folder. `max_file_size` counts bytes.
    """

    encoder: str = field(
        default="all-MiniLM-L6-v2",
        metadata=_about(_MODEL, "Bi-encoder of the first stage: a built-in name, a folder or a hub id.", project=True),
    )
    reranker: str = field(
        default="rerank-minilm-l6",
        metadata=_about(
            _MODEL, "Cross-encoder of the second stage: a built-in name, a folder or a hub id.", project=True
        ),
    )
    device: Device = field(
        default="cpu",
        metadata=_about(_one_of(Device), "Where the models run."),
    )
    passage_tokens: int = field(
        default=180,
        metadata=_about(_whole(32, 2000), "Longest passage, in the encoder's tokens.", project=True),
    )
    include: tuple[str, ...] = field(
        default=(),
        metadata=_about(_PATTERNS, "Index only files that match one of these gitignore patterns.", project=True),
    )
    exclude: tuple[str, ...] = field(
        default=(),
        metadata=_about(_PATTERNS, "Leave out files that match one of these gitignore patterns.", project=True),
    )
    hidden: bool = field(
        default=False,
        metadata=_about(_SWITCH, "Index files and folders whose names begin with a dot.", project=True),
    )
    ignore_files: bool = field(
        default=True,
        metadata=_about(_SWITCH, "Follow .gitignore and .rerankignore.", project=True),
    )
    max_file_size: int = field(
        default=10_000_000,
        metadata=_about(_SIZE, "Leave out files larger than this."),
    )
    file_timeout: float = field(
        default=30.0,
        metadata=_about(_TIME_LIMIT, "Seconds that reading a file may take, for each 10 MB of it."),
    )
    vectors: VectorSearch = field(
        default="auto",
        metadata=_about(
            _one_of(VectorSearch),
            "Search of vectors: by a scan (exact), an HNSW graph (hnsw) or what serves better (auto).",
            project=True,
        ),
    )
    retriever: Retriever = field(
        default="hybrid",
        metadata=_about(
            _one_of(Retriever), "First stage: by meaning (dense), by words (lexical) or both (hybrid).", project=True
        ),
    )
    top_k: int = field(
        default=100,
        metadata=_about(_whole(1, 1000), "Candidates that the first stage hands to the second.", project=True),
    )
    rerank: bool = field(
        default=True,
        metadata=_about(_SWITCH, "Run the second stage.", project=True),
    )
    fusion: Fusion = field(
        default="linear",
        metadata=_about(
            _one_of(Fusion),
            "Final order: both stages' scores (linear) or ranks (rrf), or the second's alone (none).",
            project=True,
        ),
    )
    fusion_weight: float = field(
        default=0.65,
        metadata=_about(_SHARE, "The second stage's share in a fused order.", project=True),
    )
    top_n: int = field(
        default=10,
        metadata=_about(_whole(1), "Hits to show.", project=True),
    )
    per_document: int = field(
        default=1,
        metadata=_about(_whole(1), "Hits to show of one document at most.", project=True),
    )
    min_score: float | None = field(
        default=None,
        metadata=_about(_LIMIT, "Show no hit that scores below this.", project=True),
    )
    format: Format = field(
        default="auto",
        metadata=_about(_one_of(Format), "Output; auto is a table on a terminal and plain in a pipe."),
    )
    strict: bool = field(
        default=False,
        metadata=_about(_SWITCH, "End with code 5 if a file could not be read."),
    )
    max_shrink: float = field(
        default=0.5,
        metadata=_about(_SHARE, "Share of the documents that one run may remove, where more than ten go."),
    )
    allow_shrink: bool = field(
        default=False,
        metadata=_about(_SWITCH, "Remove what is missing, however much it is."),
    )
    wait_s: float = field(
        default=60.0,
        metadata=_about(_SECONDS, "Seconds to wait for another writer."),
    )


_MODEL_KEYS = frozenset({"encoder", "reranker"})

PROJECT_KEYS = frozenset(each.name for each in fields(Settings) if each.metadata["project"])
"""What a project file may set; of models, built-in ones and those that lie in its folder."""

MOST_BYTES = 100_000
"""Of a file of settings: PyYAML takes a minute for a few megabytes."""

_BUILT_IN: Mapping[str, str] = {each.name: str(each.default) for each in fields(Settings) if each.name in _MODEL_KEYS}
_KINDS: Mapping[str, _Kind] = {each.name: each.metadata["kind"] for each in fields(Settings)}

HELP: Mapping[str, str] = {each.name: each.metadata["help"] for each in fields(Settings)}
"""What each key does, in one line; its order is the order of the keys wherever they are listed."""


# The one way in


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of this run, where each came from, and the files that were read, strongest last."""

    settings: Settings
    origins: Mapping[str, str]
    files: tuple[Path, ...]


def load_config(
    *, flags: Mapping[str, object], start: Path, config_file: Path | None, environment: Mapping[str, str]
) -> Config:
    """Layer every source over the defaults; a wrong value is an error even where a stronger one hides it.

    *flags* holds the flags that were given, by key. *config_file* takes the place of the project file
    and is trusted like the user's own; without it the project file is looked for from *start* upwards.

    Raises:
        ConfigError: a file cannot be read, a key is not known, or a value is not allowed.
    """
    project = _project_file(start, home=home_folder()) if config_file is None else config_file.absolute()
    user = _user_file()
    values: dict[str, Any] = {}
    origins = dict.fromkeys(HELP, "default")
    for given in (
        *(_from_file(user, trusted=True) if user else ()),
        *(_from_file(project, trusted=config_file is not None) if project else ()),
        *_from_environment(environment),
        *_from_flags(flags),
    ):
        values[given.key] = _settled(given)
        origins[given.key] = given.origin
    return Config(
        settings=Settings(**values),
        origins=origins,
        files=tuple(path for path in (user, project) if path),
    )


def changed(settings: Settings, changes: Mapping[str, object]) -> Settings:
    """*settings* with *changes* by key, as a program gives them: no file and no variable is read.

    Raises:
        ConfigError: a key is not known, or a value is not allowed.
    """
    for key in changes:
        if key not in HELP:
            raise _unknown(f"{key} is no setting", like=key, known=[*HELP])
    given = (_Given(key, value, origin="", name=key) for key, value in changes.items())
    return replace(settings, **{each.key: _settled(each) for each in given})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Line:
    """A setting to print: `value` as YAML on one line."""

    key: str
    value: str
    origin: str


def as_yaml(config: Config) -> tuple[Line, ...]:
    """Every setting in the order of the keys; `key: value` lines make a file that gives the same settings."""
    shown = {key: _KINDS[key].show(getattr(config.settings, key)) for key in HELP}
    return tuple(Line(key, _yaml(value), config.origins[key]) for key, value in shown.items())


def _yaml(value: object) -> str:
    """*value* on one line; a text with characters that do not print has them escaped."""
    import yaml

    # Inside a list a lone value takes no line of its own, no "..." and every quote that it needs.
    listed: str = yaml.safe_dump([value], default_flow_style=True, width=sys.maxsize, allow_unicode=True)
    if not listed.strip().isprintable():
        listed = yaml.safe_dump([value], default_flow_style=True, width=sys.maxsize, default_style='"')
    return listed.strip()[1:-1]


# Values, from what a source gave


@dataclass(frozen=True, slots=True)
class _Given:
    """What a source says of a key. `name` is what errors call it; relative folders start at `folder`."""

    key: str
    value: object
    origin: str
    name: str
    folder: Path = Path()
    trusted: bool = True


def _settled(given: _Given) -> object:
    kind = _KINDS[given.key]
    if given.key not in PROJECT_KEYS and not given.trusted:
        raise ConfigError(
            f"{given.name} is not for a project file to set", remedy=f"set it with {_elsewhere(given.key)}"
        )
    try:
        value = kind.read(given.value)
    except ValueError as error:
        wrong = f"{given.name} is {_described(given.value)}"
        raise ConfigError(wrong, remedy=f"allowed: {kind.allowed}") from error
    return _model(str(value), given) if given.key in _MODEL_KEYS else value


def _described(value: object) -> str:
    if value is None:
        return "empty"
    return "a mapping" if isinstance(value, dict) else reprlib.repr(value)


def _model(text: str, given: _Given) -> str:
    """A folder as an absolute path, its links followed; a built-in name or a hub id as it stands."""
    rooted = text.startswith("~") or Path(text).is_absolute()
    relative = text.startswith(".") or ".." in Path(text).parts
    try:
        names_folder = rooted or relative or (given.folder / text).is_dir()
        location = (given.folder / Path(text).expanduser()).resolve() if names_folder else None
        outside = rooted or (location is not None and not given.trusted and _leads_out(location, given.folder))
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: links in a circle, nobody's home
        raise ConfigError(
            f"{given.name} is {text!r}, which cannot be followed: {in_words(error)}", remedy="check the path"
        ) from error
    if outside and not given.trusted:
        raise ConfigError(
            f"{given.name} is {text!r}, but a project file may name no folder outside {given.folder}",
            remedy=f"name this one with {_elsewhere(given.key)}",
        )
    if location is None and not given.trusted and text != _BUILT_IN[given.key]:
        raise ConfigError(
            f"{given.name} is {text!r}, but a project file may name only {_BUILT_IN[given.key]} or a folder beside it",
            remedy=f"name this one with {_elsewhere(given.key)}",
        )
    return text if location is None else str(location)


def _leads_out(location: Path, folder: Path) -> bool:
    """Whether *location*, or a link that lies in it, ends outside *folder*."""
    root = folder.resolve()
    if not location.is_relative_to(root):
        return True
    links = (path for path in location.rglob("*") if path.is_symlink())
    return not all(path.resolve().is_relative_to(root) for path in links)


def _elsewhere(key: str) -> str:
    return f"{_flag(key)}, {_variable(key)} or in your user file"


def _flag(key: str) -> str:
    return f"--{key.replace('_', '-')}"


def _variable(key: str) -> str:
    return f"{PREFIX}{key.upper()}"


def _unknown(name: str, *, like: str, known: list[str]) -> ConfigError:
    close = difflib.get_close_matches(like, known, n=1)
    return ConfigError(name, remedy=f"did you mean {close[0]}?" if close else "see every key with: rerank-cli config")


# Sources


def _from_flags(flags: Mapping[str, object]) -> Iterator[_Given]:
    for key, value in flags.items():
        flag = _flag(f"no_{key}" if value is False else key)
        yield _Given(key, value, origin=flag, name=flag)


def _from_environment(environment: Mapping[str, str]) -> Iterator[_Given]:
    """An empty variable counts as none. One that is not ours ends the run: a typo would never show."""
    variables = {_variable(key): key for key in HELP}
    for name in sorted(environment):
        if not name.startswith(PREFIX) or not environment[name] or name in OTHER_VARIABLES:
            continue
        if name not in variables:
            known = [*variables, *sorted(OTHER_VARIABLES)]
            raise _unknown(f"{name} is no variable of rerank-cli", like=name.upper(), known=known)
        yield _Given(variables[name], environment[name], origin=name, name=name)


def _from_file(path: Path, *, trusted: bool) -> Iterator[_Given]:
    lines: dict[str, int] = {}
    for key, line, value in _entries(path):
        place = f"{path}:{line}"
        if key not in HELP:
            raise _unknown(f"{place}: unknown key {key!r}", like=key.lower().replace("-", "_"), known=[*HELP])
        if key in lines:
            raise ConfigError(f"{place}: {key} stands twice, first in line {lines[key]}", remedy="keep one")
        lines[key] = line
        name = f"{place}: {key}"
        yield _Given(key, value, origin=str(path), name=name, folder=path.parent, trusted=trusted)


def _entries(path: Path) -> Iterator[tuple[str, int, object]]:
    """Key, line (from 1) and value of each entry, as written. Only the syntax is read, nothing is built."""
    import yaml

    root = _composed(path)
    if root is None or (isinstance(root, yaml.ScalarNode) and _scalar(root) is None):
        return
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError(f"{path}: not a list of settings", remedy=AS_WRITTEN)
    for key, value in root.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise ConfigError(f"{path}:{line}: a key must be a plain word", remedy=AS_WRITTEN)
        yield key.value, line, _written(value)


def _composed(path: Path) -> Node | None:
    import yaml

    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise ConfigError(f"{path}: larger than {MOST_BYTES} bytes", remedy="write only settings into it")
        return yaml.compose(content.decode("utf-8"), Loader=yaml.BaseLoader)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {in_words(error)}", remedy="check its permissions") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 at byte {error.start}", remedy="save it as UTF-8") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: nested too deeply", remedy=AS_WRITTEN) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{path}:{mark.line + 1}" if mark else f"{path}"
        raise ConfigError(f"{place}: not valid YAML: {error.problem}", remedy=AS_WRITTEN) from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML: {str(error).splitlines()[0]}", remedy=AS_WRITTEN) from error


def _written(node: Node) -> object:
    """A text, None where nothing or null is written, a list of such, or {} for what no setting is."""
    import yaml

    if isinstance(node, yaml.SequenceNode):
        # One level only: aliases can make a short file stand for a list of billions.
        return [_scalar(entry) if isinstance(entry, yaml.ScalarNode) else {} for entry in node.value]
    return _scalar(node) if isinstance(node, yaml.ScalarNode) else {}


def _scalar(node: ScalarNode) -> str | None:
    unquoted_null = node.style is None and node.value.lower() in ("", "~", "null")
    return None if unquoted_null else str(node.value)


# Where the files lie


def _user_file() -> Path | None:
    """The user's own file, if there is one."""
    try:
        path = config_folder() / "config.yaml"
    except InputError:  # who has no home folder has no file in it
        return None
    return path if _is_file(path) else None


def _project_file(start: Path, *, home: Path | None) -> Path | None:
    """The nearest project file from *start* upwards, no higher than the home directory."""
    start = start.resolve()
    top = home and home.resolve()
    for folder in (start, *start.parents):
        if _is_file(folder / PROJECT_FILE):
            return folder / PROJECT_FILE
        if folder == top:
            break
    return None


def _is_file(path: Path) -> bool:
    """Whether there is a file at *path*; what stands there and is none would lose its settings without a word."""
    try:
        path.lstat()
        is_file = path.is_file()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except PermissionError as error:
        raise InputError(f"{path.parent}: may not be looked into", remedy="check its permissions") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be looked for: {in_words(error)}", remedy="check its path") from error
    if not is_file:
        raise ConfigError(f"{path}: is no file", remedy="move it away, or put the settings in its place")
    return True
