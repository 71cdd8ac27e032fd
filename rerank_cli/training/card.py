"""The model card: what was run, on what, and what it changed. Names stand in it as text, whatever they hold."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from rerank_cli.training.validation import MEASURE

PIPELINES = {"reranker": "text-ranking", "encoder": "sentence-similarity"}

USES = {
    "reranker": (
        'model = CrossEncoder("FOLDER", model_kwargs={"dtype": "float32"}OPTION)\nmodel.predict([(query, passage)])'
    ),
    "encoder": (
        'model = SentenceTransformer("FOLDER", model_kwargs={"dtype": "float32"})\n'
        "model.encode_query(query) @ model.encode_document(passages).T"
    ),
}

CODE_NOTE = (
    "The option lets sentence-transformers run `interaction.py` in this folder, the module that the model ends with. "
    "rerank-cli brings its own copy and runs none from a folder."
)


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file that was trained on: its name, the number of its records and what they are."""

    name: str
    count: int
    what: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What a card tells, each figure as it was run. `elapsed_s` is of the last part where a run was resumed.

    `carries_code` tells whether the folder holds the source of a module of ours.
    """

    kind: str
    base: str
    carries_code: bool
    licence: str
    files: tuple[DataFile, ...]
    source: str
    trained_queries: int
    groups: int
    negatives: int
    held_out: int
    validated_on: str
    left_out: Mapping[str, int]
    steps: int
    epochs: float
    best_step: int
    options: Mapping[str, object]
    precision: str
    machine: Mapping[str, str]
    elapsed_s: float
    resumed: bool
    command: str
    before: float
    after: float
    measured: tuple[tuple[int, float], ...]


def model_card(facts: Facts) -> str:
    """The card as Markdown with YAML in front, as hubs read it."""
    front = [
        "---",
        *([f"license: {json.dumps(facts.licence)}"] if facts.licence else []),
        "library_name: sentence-transformers",
        f"pipeline_tag: {PIPELINES[facts.kind]}",
        f"base_model: {json.dumps(facts.base)}",
        "---",
    ]
    noun = {"reranker": "A cross-encoder", "encoder": "A bi-encoder"}[facts.kind]
    kind = {"reranker": "CrossEncoder", "encoder": "SentenceTransformer"}[facts.kind]
    lines = [
        "",
        f"# Fine-tuned {facts.kind}",
        "",
        f"{noun}, fine-tuned by `rerank-cli train` from {as_code(facts.base)}.",
        "",
        "```python",
        f"from sentence_transformers import {kind}",
        "",
        USES[facts.kind].replace("OPTION", ", trust_remote_code=True" if facts.carries_code else ""),
        "```",
        *(["", CODE_NOTE] if facts.carries_code else []),
        "",
        "## Data",
        "",
        *(f"- {as_code(file.name)}: {file.count} {file.what}" for file in facts.files),
        f"- licence of the data: {as_code(facts.licence) if facts.licence else 'not stated'}",
        f"- negatives: {facts.negatives} a query, {facts.source}",
        f"- trained on: {facts.groups} groups of {facts.trained_queries} queries",
        f"- held out: {facts.held_out} queries, split by their words before negatives were drawn",
        *(f"- left out: {number} {reason}" for reason, number in facts.left_out.items()),
        "",
        "## Training",
        "",
        f"- {facts.steps} steps, {facts.epochs:.2f} epochs; the weights are those of step {facts.best_step}",
        *(f"- {name}: {as_code(str(value))}" for name, value in facts.options.items()),
        f"- precision: {facts.precision}",
        *(f"- {name}: {as_code(value)}" for name, value in facts.machine.items()),
        f"- time: {facts.elapsed_s:.0f} s{' since it was resumed' if facts.resumed else ''}",
        f"- command: {as_code(facts.command)}",
        "",
        "## Validation",
        "",
        f"{MEASURE} of the held-out queries over {facts.validated_on}.",
        "The best of these values chose the weights: of queries that nobody has looked at, expect a little less.",
        "",
        "| step | nDCG@10 |",
        "|---|---|",
        f"| 0 (before) | {facts.before:.4f} |",
        *(
            f"| {step}{' (written)' if step == facts.best_step else ''} | {value:.4f} |"
            for step, value in facts.measured
        ),
    ]
    return "\n".join([*front, *lines]) + "\n"


def as_code(text: str) -> str:
    """*text* as a code span of Markdown, in which nothing is markup: its fence is longer than any within."""
    line = as_line(text) or " "
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    return f"{fence} {line} {fence}" if "`" in line else f"{fence}{line}{fence}"


def as_line(text: str) -> str:
    """*text* on one line, with each control or invisible character written as an escape."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in text
    )
