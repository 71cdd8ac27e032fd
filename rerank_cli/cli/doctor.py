"""`rerank-cli doctor`: what a person would have to guess when something does not work."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from rerank_cli.cli.options import ConfigFile, IndexName, Json, own_variables, working_folder
from rerank_cli.cli.terminal import printable

if TYPE_CHECKING:
    from rerank_cli.doctor.findings import Finding


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
        width = max(len(finding.check) for finding in findings)
        for finding in findings:
            print(_line(finding, width))
    return max(finding.exit_code for finding in findings)


def _record(finding: Finding) -> dict[str, str]:
    return {
        "check": finding.check,
        "subject": finding.subject,
        "status": finding.status,
        "message": finding.message,
        "remedy": finding.remedy,
    }


def _line(finding: Finding, width: int) -> str:
    subject = f"{finding.subject}: " if finding.subject else ""
    remedy = f"; {finding.remedy}" if finding.remedy else ""
    return printable(f"{finding.status:<4} {finding.check:<{width}}  {subject}{finding.message}{remedy}")
