"""`rerank-cli doctor`: what a person would have to guess when something does not work."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rerank_cli.cells import wrapped
from rerank_cli.cli.options import ConfigFile, IndexName, Json, own_variables, working_folder
from rerank_cli.cli.terminal import COMMAND, printable, width_of

if TYPE_CHECKING:
    from rerank_cli.doctor.findings import Finding

BELOW_STATUS = " " * 5
"""Leaves a command as much room as there is."""


def run(index: IndexName = None, config: ConfigFile = None, as_json: Json = False) -> int:
    """Check models, indexes, locks, disks, clock, permissions and versions; the exit code is that of the worst FAIL.

    \b
    Examples:
      rerank-cli doctor
      rerank-cli doctor --index sample --json
    """
    from rerank_cli.doctor.examine import examine

    findings = list(
        examine(
            start=working_folder(),
            index=index,
            config_file=config,
            environment=os.environ,
            other_variables=own_variables(),
        )
    )
    if as_json:
        print(json.dumps([_record(finding) for finding in findings], ensure_ascii=False, indent=2))
    else:
        checks, width = max(len(finding.check) for finding in findings), width_of(sys.stdout)
        for finding in findings:
            for line in finding_lines(finding, checks, width=width):
                print(line)
    return max(finding.exit_code for finding in findings)


def _record(finding: Finding) -> dict[str, str]:
    return {
        "check": finding.check,
        "subject": finding.subject,
        "status": finding.status,
        "message": finding.message,
        "remedy": finding.remedy,
    }


def finding_lines(finding: Finding, checks: int, *, width: int | None) -> Iterator[str]:
    """One line; on a terminal of *width* columns as many as it takes, so that no word is broken.

    A command to type stands there on a line of its own, as long as it is: in pieces it could not be copied.
    """
    named = not finding.subject or finding.message.startswith(f"{finding.subject}: ")
    subject = "" if named else f"{finding.subject}: "
    told = printable(f"{finding.status:<4} {finding.check:<{checks}}  {subject}{finding.message}")
    remedy = printable(finding.remedy)
    if width is None:
        yield f"{told}; {remedy}" if remedy else told
        return
    indent = " " * (checks + 7)
    yield from wrapped(told, width, indent=indent)
    command = COMMAND.search(remedy)
    if remedy:
        yield from wrapped(indent + remedy[: command.start() if command else None].rstrip(), width, indent=indent)
    if command:
        yield f"{BELOW_STATUS}{command.group()}"
