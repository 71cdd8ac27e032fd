"""Every check in turn: first the libraries, then what rests on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from pathlib import Path

from rerank_cli.config import Config, load_config
from rerank_cli.doctor.findings import Finding
from rerank_cli.doctor.versions import versions


def examine(
    *,
    start: Path,
    index: str | None,
    config_file: Path | None,
    environment: Mapping[str, str],
    other_variables: Set[str],
) -> Iterator[Finding]:
    """Look at what `index` and `query` rest on: at every index that is known, or at the one called *index* alone.

    *start*, *config_file* and *environment* decide the settings, as they do for every other command; *other_variables*
    are no settings.
    """
    libraries = list(versions())
    yield from libraries
    if any(finding.status == "FAIL" for finding in libraries):
        return

    from rerank_cli.doctor.setup import examine_setup

    def load(folder: Path) -> Config:
        return load_config(
            flags={},
            start=folder,
            config_file=config_file,
            environment=environment,
            other_variables=other_variables,
        )

    yield from examine_setup(load, start=start, index=index)
