"""`rerank-cli config`: every setting with its value and where that came from."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from rerank_cli.cells import cells, middle_left_out
from rerank_cli.cli.options import ConfigFile, Json, configured, working_folder
from rerank_cli.cli.terminal import printable, width_of

if TYPE_CHECKING:
    from rerank_cli.config.load import Line

COMMENT = "  # "


def run(config: ConfigFile = None, as_json: Json = False) -> int:
    """Print every setting with its value and where that came from; the output is a file for --config.

    \b
    Examples:
      rerank-cli config
      RERANK_CLI_TOP_K=50 rerank-cli config > ../fewer.yaml
    """
    from rerank_cli.config import as_yaml

    merged = configured(working_folder(), config, {})
    if as_json:
        values = {
            key: {"value": value, "origin": merged.origins[key]} for key, value in asdict(merged.settings).items()
        }
        print(json.dumps(values, ensure_ascii=False, indent=2))
        return 0
    for line in setting_lines(as_yaml(merged), width=width_of(sys.stdout)):
        print(line)
    return 0


def setting_lines(settings: Sequence[Line], *, width: int | None) -> Iterator[str]:
    """Each setting with its origin behind it, or below it where *width* has no room; in any case it is valid YAML."""
    written = [(printable(f"{each.key}: {each.value}"), f"{COMMENT}{printable(each.origin)}") for each in settings]
    column = max((cells(line) for line, origin in written if width is None or cells(line + origin) <= width), default=0)
    for line, origin in written:
        behind = " " * (column - cells(line)) + origin
        if width is None or cells(line + behind) <= width:
            yield f"{line}{behind}"
        else:
            yield from _between_items(line, width)
            yield COMMENT + middle_left_out(origin.removeprefix(COMMENT), width - len(COMMENT))


def _between_items(line: str, width: int) -> Iterator[str]:
    """*line*, broken where YAML takes a line's end for a blank: between the items of a list."""
    first, *others = re.split(r"(?<=,) (?! )", line)
    begun = first
    for item in others:
        if cells(f"{begun} {item}") > width:
            yield begun
            begun = f"  {item}"
        else:
            begun = f"{begun} {item}"
    yield begun
