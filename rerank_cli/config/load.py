"""Layer every source over the defaults; a wrong value is an error even where a stronger one hides it."""

from __future__ import annotations

import reprlib
import sys
from collections.abc import Mapping, Set
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from rerank_cli.config.settings import (
    BUILT_IN,
    FILE_KEYS,
    HELP,
    KINDS,
    MODEL_KEYS,
    PROJECT_KEYS,
    TOKENIZER_WORDS,
    Settings,
    flag_of,
    variable_of,
)
from rerank_cli.config.sources import Given, from_environment, from_file, from_flags, project_file, unknown, user_file
from rerank_cli.errors import ConfigError, in_words
from rerank_cli.places import home_folder


class Config(NamedTuple):
    """The settings of this run, where each came from, and the files that were read, strongest last."""

    settings: Settings
    origins: Mapping[str, str]
    files: tuple[Path, ...]


def load_config(
    *,
    flags: Mapping[str, object],
    start: Path,
    config_file: Path | None,
    environment: Mapping[str, str],
    other_variables: Set[str],
) -> Config:
    """The settings from every source: defaults < user file < project file < environment < flags.

    *flags* holds the flags that were given, by key. *config_file* takes the place of the project file
    and is trusted like the user's own; without it the project file is looked for from *start* upwards.
    *other_variables* are ours as well but no settings: they belong to one run, and no file may hold them.

    Raises:
        ConfigError: a file cannot be read, a key is not known, or a value is not allowed.
    """
    project = project_file(start, home=home_folder()) if config_file is None else config_file.absolute()
    user = user_file()
    values: dict[str, Any] = {}
    origins = dict.fromkeys(HELP, "default")
    for given in (
        *(from_file(user, trusted=True) if user else ()),
        *(from_file(project, trusted=config_file is not None) if project else ()),
        *from_environment(environment, others=other_variables),
        *from_flags(flags),
    ):
        values[given.key] = _settled(given)
        origins[given.key] = given.origin
    return Config(
        settings=Settings(**values),
        origins=origins,
        files=tuple(path for path in (user, project) if path),
    )


# What `rerank-cli config` prints


def changed(settings: Settings, changes: Mapping[str, object]) -> Settings:
    """*settings* with *changes* by key, as a program gives them: no file and no variable is read.

    Raises:
        ConfigError: a key is not known, or a value is not allowed.
    """
    for key in changes:
        if key not in HELP:
            raise unknown(f"{key} is no setting", like=key, known=[*HELP])
    given = (Given(key, value, origin="", name=key) for key, value in changes.items())
    return replace(settings, **{each.key: _settled(each) for each in given})  # type: ignore[arg-type]


class Line(NamedTuple):
    """A setting to print: `value` as YAML on one line."""

    key: str
    value: str
    origin: str


def as_yaml(config: Config) -> tuple[Line, ...]:
    """Every setting in the order of the keys; `key: value` lines make a file that gives the same settings."""
    shown = {key: KINDS[key].show(getattr(config.settings, key)) for key in HELP}
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


def _settled(given: Given) -> object:
    kind = KINDS[given.key]
    if given.key not in PROJECT_KEYS and not given.trusted:
        raise ConfigError(
            f"{given.name} is not for a project file to set", remedy=f"set it with {_elsewhere(given.key)}"
        )
    try:
        value = kind.read(given.value)
    except ValueError as error:
        wrong = f"{given.name} is {_described(given.value)}"
        raise ConfigError(wrong, remedy=f"allowed: {kind.allowed}") from error
    names_file = given.key in FILE_KEYS and not (given.key == "tokenizer" and value in TOKENIZER_WORDS)
    return _located(str(value), given) if names_file else value


def _described(value: object) -> str:
    if value is None:
        return "empty"
    return "a mapping" if isinstance(value, dict) else reprlib.repr(value)


def _located(text: str, given: Given) -> str:
    """A file or folder as an absolute path, its links followed; a built-in name or a hub id as it stands.

    A model is a folder, of which other files may have the name.
    """
    rooted = text.startswith("~") or Path(text).is_absolute()
    relative = text.startswith(".") or ".." in Path(text).parts
    try:
        beside = given.folder / text
        lies_here = rooted or relative or (beside.is_dir() if given.key in MODEL_KEYS else beside.exists())
        location = (given.folder / Path(text).expanduser()).resolve() if lies_here else None
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
    if location is None and not given.trusted and text != BUILT_IN[given.key]:
        raise ConfigError(
            f"{given.name} is {text!r}, but a project file may name only {BUILT_IN[given.key]} or a folder beside it",
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
    return f"{flag_of(key)}, {variable_of(key)} or in your user file"
