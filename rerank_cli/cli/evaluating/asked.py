"""What the flags of `eval` ask for beside the search settings, refused before any work where it cannot be."""

from __future__ import annotations

import math
import os
import shlex
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from rerank_cli.cli.filtering import AskedFilter
from rerank_cli.errors import InputError, UsageError


@dataclass(frozen=True, slots=True)
class Asked:
    """What the flags ask for beside the search settings."""

    collection: Path | None
    queries: Path | None
    qrels: Path | None
    filters: AskedFilter
    measures: tuple[str, ...]
    sweeps: tuple[str, ...]
    compare: tuple[Path, ...]
    run_in: tuple[Path, ...]
    run_out: Path | None
    fail_under: tuple[str, ...]
    baseline: Path | None
    max_drop: float
    diagnose: bool
    report: Path | None
    plot: Path | None
    no_cache: bool
    as_json: bool
    quiet: bool


def check_places(asked: Asked) -> None:
    """Refuse a file that cannot be written before minutes of work are done for it."""
    for flag, path in {"--run-out": asked.run_out, "--report": asked.report, "--plot": asked.plot}.items():
        if path is None:
            continue
        is_device = path.exists() and not path.is_file() and not path.is_dir()
        place = path if is_device else path.parent
        if path.is_dir() or not place.exists() or not os.access(place, os.W_OK):
            raise InputError(f"{flag} {path}: cannot be written", remedy="name a file in a folder that can")


def check_combination(asked: Asked) -> None:
    """Refuse flags that say nothing together, before any work is done."""
    several = "--run-in" if asked.run_in else "--compare" if asked.compare else ""
    single = {
        "--sweep": asked.sweeps,
        "--diagnose": asked.diagnose,
        "--report": asked.report,
        "--plot": asked.plot,
        "--run-out": asked.run_out,
    }
    for flag, given in single.items():
        if several and given:
            raise UsageError(f"{flag} looks into one configuration, and {several} judges several", remedy="drop one")
    for flag, files in {"--run-in": asked.run_in, "--compare": asked.compare}.items():
        for file, count in Counter(files).items():
            if count > 1:
                raise UsageError(f"{flag} names {file} twice", remedy="name each once")
    if asked.run_in and asked.compare:
        raise UsageError("--run-in and --compare were both given", remedy="drop one")
    if len(asked.compare) == 1:
        raise UsageError("--compare has one configuration", remedy="name two or more")
    if asked.max_drop and asked.baseline is None:
        raise UsageError("--max-drop without --baseline", remedy="name the earlier result with --baseline")
    if not 0.0 <= asked.max_drop < math.inf:
        raise UsageError(f"--max-drop {asked.max_drop:g}: no drop", remedy="choose 0 or more")
    if asked.plot is not None and asked.plot.suffix not in (".png", ".svg"):
        raise UsageError(f"--plot {asked.plot}: neither .png nor .svg", remedy="name it so")


def typed_command() -> str:
    """The command as it was typed, as a shell reads it."""
    return shlex.join(["rerank-cli", *sys.argv[1:]])
