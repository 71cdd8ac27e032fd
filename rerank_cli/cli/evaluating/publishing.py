"""An evaluation on its way out: printed, and held against the gate."""

from __future__ import annotations

import json
import sys

from rerank_cli.cli.evaluating.asked import Asked
from rerank_cli.cli.terminal import say, width_of
from rerank_cli.evaluation.conclusions.evaluation import Evaluation
from rerank_cli.evaluation.conclusions.gate import below_baseline, below_floors_of_all, parse_floor
from rerank_cli.evaluation.showing.as_json import evaluation_json
from rerank_cli.evaluation.showing.text import evaluation_lines

GATE_FAILED = 1
INTERRUPTED = 130


def publish(asked: Asked, evaluation: Evaluation, baseline: dict[str, float]) -> int:
    """Print everything, then say whether the gate is passed; an interrupted run passes none."""

    if asked.as_json:
        print(json.dumps(evaluation_json(evaluation), ensure_ascii=False, indent=2, allow_nan=False))
    else:
        for line in evaluation_lines(evaluation, diagnosed=asked.diagnose, width=width_of(sys.stdout)):
            print(line)
        for note in evaluation.notes if not asked.quiet else ():
            say(f"rerank-cli: {note}")
    if not evaluation.is_complete:
        rest = f"; not measured: {', '.join(evaluation.unmeasured)}" if evaluation.unmeasured else ""
        say(f"rerank-cli: interrupted: partial figures of {evaluation.asked} of {evaluation.total} queries{rest}")
        return INTERRUPTED
    reasons = below_floors_of_all(evaluation, [parse_floor(text) for text in asked.fail_under])
    reasons += below_baseline(evaluation, baseline, max_drop=asked.max_drop)
    for reason in reasons:
        say(f"rerank-cli: {reason}")
    return GATE_FAILED if reasons else 0
