"""Links that open a hit at its place, for terminals that follow them (OSC 8)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from rerank_cli.records import Place

FILE, NONE = "file", "none"
"""The two words that `link` may be in place of a pattern."""

_UNABLE = ("dumb", "linux", "")
"""Terminals that show the text of a link beside its address, or nothing at all."""


def link_to(location: Path, place: Place, pattern: str) -> str:
    """The address that opens the file at *location* at *place*; empty where *pattern* is `none`.

    `file` is the file itself, of a PDF at its page. In any other pattern `{path}` stands for the path and `{line}`,
    `{page}` for the first of the place, 1 where it has none.
    """
    path = quote(str(location))
    if pattern == NONE:
        return ""
    if pattern == FILE:
        return f"file://{path}" + (f"#page={place.first}" if place.unit == "page" else "")
    first = {unit: str(place.first if place.unit == unit else 1) for unit in ("line", "page")}
    return pattern.replace("{path}", path).replace("{line}", first["line"]).replace("{page}", first["page"])


def follows_links(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the terminal can be expected to follow a link, or at least to pass it over."""
    return environment.get("TERM", "") not in _UNABLE
