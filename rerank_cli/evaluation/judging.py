"""Judgements of one's own: what both stages show is pooled, shuffled and judged blind."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rerank_cli.errors import InputError, UsageError, in_words
from rerank_cli.evaluation.collection import JudgedQuery
from rerank_cli.evaluation.trial import Pass, Staged
from rerank_cli.files import numbered_lines, read_text
from rerank_cli.ports import Index
from rerank_cli.records import StoredPassage
from rerank_cli.reranking import by_document
from rerank_cli.search import SearchSettings
from rerank_cli.trec import QRELS_HEADER, qrels_line, read_qrels, tsv_id


@dataclass(frozen=True, slots=True)
class Pooled:
    """A document to judge, with the passage that both models saw of it; nothing tells which stage brought it."""

    query: JudgedQuery
    stored: StoredPassage


class JudgementFile:
    """A qrels file that grows by a line with each judgement; nothing that was answered is lost."""

    def __init__(self, path: Path) -> None:
        """Open what is there, or begin anew.

        Raises:
            UsageError: the file has another form than query<TAB>document<TAB>grade.
            InputError: it cannot be read or written, or a line is malformed.
        """
        self._path = path
        self.grades: dict[str, dict[str, int]] = {}
        if not path.exists():
            self._append(QRELS_HEADER)
            return
        rows = list(numbered_lines(path))
        if any(line.count("\t") != 2 or line.startswith("{") for _, line in rows):
            raise UsageError(f"{path}: not query<TAB>document<TAB>grade", remedy="name another file with --qrels")
        if [line.lower() for _, line in rows] != [QRELS_HEADER.strip()]:
            self.grades = read_qrels(path)
        if not read_text(path).endswith("\n"):
            self._append("\n")

    def keep(self, query: str, document: str, grade: int) -> None:
        """Write a judgement and make sure that it lies on the disk."""
        self.grades.setdefault(tsv_id(query), {})[tsv_id(document)] = grade
        self._append(qrels_line(query, document, grade))

    def _append(self, text: str) -> None:
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise InputError(f"{self._path}: cannot be written ({in_words(error)})", remedy="check the disk") from error


def to_judge(
    queries: Sequence[JudgedQuery],
    passed: Pass,
    variant: SearchSettings,
    *,
    index: Index,
    grades: Mapping[str, Mapping[str, int]],
    depth: int,
    seed: int,
) -> Iterator[Pooled]:
    """What is not judged yet of the best *depth* documents of either stage, each query's in random order.

    A query is asked when its turn comes, of the newest generation of *index*, which rests while its documents are
    judged: a person may take their time. *grades* may grow meanwhile.
    """
    for query in queries:
        index.wake()
        trial = passed.ask([query])
        index.rest()
        if not trial.complete:
            raise KeyboardInterrupt
        for answer in trial.answers:
            for pooled in pool(query, passed.stages(answer, variant), depth=depth, seed=seed):
                if tsv_id(pooled.stored.document_id) not in grades.get(tsv_id(query.id), {}):
                    yield pooled


def pool(query: JudgedQuery, staged: Staged, *, depth: int, seed: int) -> list[Pooled]:
    """The best *depth* documents of either stage, each once, in an order that says nothing of their ranks."""
    final = by_document(staged.final)[:depth]
    first = by_document(staged.first)[:depth]
    best = {hit.candidate.stored.document_id: hit.candidate.stored for hit in (*reversed(first), *reversed(final))}
    names = sorted(best)
    random.Random(f"{seed}\0{query.id}").shuffle(names)
    return [Pooled(query, best[name]) for name in names]
