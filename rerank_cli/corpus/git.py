"""Where git keeps rules of what to leave out beside its .gitignore files: for all repositories, or for one.

Nothing of git is run: it need not be installed, and what it would read is told by a few lines of its configuration.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

MAX_CONFIG_BYTES = 1_000_000

_SECTION = re.compile(r"^\s*\[\s*(?P<name>[\w.-]+)\s*(?P<sub>\"[^\"\n]*\")?\s*\]", re.MULTILINE)
_EXCLUDES_FILE = re.compile(r"^\s*excludesfile\s*=\s*(?P<value>[^\n]*)$", re.MULTILINE | re.IGNORECASE)


def exclude_files(repository: Path, environment: Mapping[str, str] = os.environ) -> list[Path]:
    """The files with such rules for *repository*, a folder that holds `.git`; those with less say first.

    They need not exist: `core.excludesFile` or what git reads in its place, then `info/exclude`.
    """
    folder = _git_folder(repository)
    if folder is None:
        return []
    everywhere = _excludes_file(folder, environment)
    return [*([everywhere] if everywhere else []), folder / "info" / "exclude"]


def _git_folder(repository: Path) -> Path | None:
    """The folder that all working trees of *repository* share; None where there is none."""
    place = repository / ".git"
    if place.is_dir():
        return place
    named = _text(place).removeprefix("gitdir:").strip()  # a second working tree, or a submodule
    if not named:
        return None
    folder = repository / named
    return folder / (_text(folder / "commondir").strip() or ".")


def _excludes_file(folder: Path, environment: Mapping[str, str]) -> Path | None:
    home = environment.get("HOME", "")
    own = environment.get("XDG_CONFIG_HOME", "")
    settings = Path(own) if own.startswith("/") else Path(home) / ".config" if home else None
    configs = [
        *([settings / "git" / "config"] if settings else []),
        *([Path(home) / ".gitconfig"] if home else []),
        folder / "config",
    ]
    named = [value for config in configs for value in _named(_text(config))]
    if not named:
        return settings / "git" / "ignore" if settings else None
    value = named[-1]
    if value.startswith("~/"):
        return Path(home) / value[2:] if home else None
    return Path(value) if value.startswith("/") else None


def _named(config: str) -> Iterator[str]:
    """The values of `core.excludesFile` in the text of a configuration file."""
    sections = [*_SECTION.finditer(config)]
    ends = [*(section.start() for section in sections), len(config)][1:]
    for section, end in zip(sections, ends, strict=False):
        if section["name"].lower() == "core" and not section["sub"]:
            yield from (_unquoted(found["value"]) for found in _EXCLUDES_FILE.finditer(config, section.end(), end))


def _unquoted(value: str) -> str:
    quoted = re.match(r'\s*"((?>(?:[^"\\]++|\\.)*))"', value)
    if quoted:
        return re.sub(r"\\(.)", r"\1", quoted[1])
    return re.split(r"\s[#;]", value, maxsplit=1)[0].strip()


def _text(path: Path) -> str:
    """What a small file says; nothing of one that is not there or cannot be read, as git itself would not run then."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_CONFIG_BYTES).decode(errors="replace")
    except OSError:
        return ""
