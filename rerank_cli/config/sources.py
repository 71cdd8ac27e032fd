"""What each source says: flags, variables, and files, of which only the syntax is read and nothing is built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rerank_cli.config.settings import HELP, PREFIX, SECRET_VARIABLES, flag_of, variable_of
from rerank_cli.errors import ConfigError, InputError, in_words
from rerank_cli.places import config_folder

if TYPE_CHECKING:
    from yaml import Node, ScalarNode

PROJECT_FILE = "rerank.yaml"

AS_WRITTEN = "write one `key: value` a line, as rerank-cli config does"

MOST_BYTES = 100_000
"""Of a file of settings: PyYAML takes a minute for a few megabytes."""


class Given(NamedTuple):
    """What a source says of a key. `name` is what errors call it; relative folders start at `folder`.

    What is not `trusted` came with a folder from anybody: a project file.
    """

    key: str
    value: object
    origin: str
    name: str
    folder: Path = Path()
    trusted: bool = True


def from_flags(flags: Mapping[str, object]) -> Iterator[Given]:
    """What the flags say, by key; a switch that is off was typed as --no-…"""
    for key, value in flags.items():
        flag = flag_of(f"no_{key}" if value is False else key)
        yield Given(key, value, origin=flag, name=flag)


def from_environment(environment: Mapping[str, str], *, others: Set[str]) -> Iterator[Given]:
    """What the variables say; *others* are ours as well, but no settings. An empty one counts as none.

    Raises:
        ConfigError: a variable with our prefix is none of ours: a typo would never show.
    """
    variables = {variable_of(key): key for key in HELP}
    others = others | SECRET_VARIABLES
    for name in sorted(environment):
        if not name.startswith(PREFIX) or not environment[name] or name in others:
            continue
        if name not in variables:
            known = [*variables, *sorted(others)]
            raise unknown(f"{name} is no variable of rerank-cli", like=name.upper(), known=known)
        yield Given(variables[name], environment[name], origin=name, name=name)


def from_file(path: Path, *, trusted: bool) -> Iterator[Given]:
    """What the file *path* says, from its first line to its last; see `Given` for *trusted*.

    Raises:
        ConfigError: it cannot be read, is no list of settings, or names a key that is none or stands twice.
    """
    lines: dict[str, int] = {}
    for key, line, value in _entries(path):
        place = f"{path}:{line}"
        if key not in HELP:
            raise unknown(f"{place}: unknown key {key!r}", like=key.lower().replace("-", "_"), known=[*HELP])
        if key in lines:
            raise ConfigError(f"{place}: {key} stands twice, first in line {lines[key]}", remedy="keep one")
        lines[key] = line
        name = f"{place}: {key}"
        yield Given(key, value, origin=str(path), name=name, folder=path.parent, trusted=trusted)


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


def user_file() -> Path | None:
    """The user's own file, if there is one."""
    try:
        path = config_folder() / "config.yaml"
    except InputError:  # who has no home folder has no file in it
        return None
    return path if _is_file(path) else None


def project_file(start: Path, *, home: Path | None) -> Path | None:
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


def unknown(name: str, *, like: str, known: list[str]) -> ConfigError:
    from difflib import get_close_matches  # for a mistake alone

    close = get_close_matches(like, known, n=1)
    return ConfigError(name, remedy=f"did you mean {close[0]}?" if close else "see every key with: rerank-cli config")
