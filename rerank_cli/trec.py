"""Lines of TREC runs and of judgements: read as trec_eval reads them, written so that all read the same order."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from rerank_cli.characters import JOINERS, named_id
from rerank_cli.errors import InputError
from rerank_cli.files import json_record, numbered_lines

TAG = "rerank-cli"
"""The last column of the runs that are ours."""

RUN_SHAPE = "write: query Q0 document rank score tag"

QRELS_SHAPE = 'write query<TAB>document<TAB>grade, "query 0 document grade", or {"query_id", "doc_id", "relevance"}'

QRELS_HEADER = "query-id\tcorpus-id\tscore\n"
"""As in BEIR."""

GRADE_NAMES = ("score", "relevance", "rel", "grade", "label", "judgement", "judgment")
"""What headers call their last column; any other word there is a grade that is none."""

LARGEST_GRADE = 1000
"""trec_eval keeps a counter for each grade up to the highest."""


# Runs


def read_scores(path: Path) -> dict[str, dict[str, float]]:
    """The score of each document by query and document, from a TREC run: `query Q0 document rank score tag`.

    Raises:
        InputError: the file cannot be read, holds none, a line is none of a run, or a document stands twice.
    """
    scores: dict[str, dict[str, float]] = {}
    for number, line in numbered_lines(path):
        query, document, score = _run_columns(line, f"{path}:{number}")
        if document in scores.setdefault(query, {}):
            raise InputError(
                f"{path}:{number}: {document!r} stands twice for the query {query!r}", remedy="keep its best line"
            )
        scores[query][document] = score
    if not scores:
        raise InputError(f"{path}: holds no run", remedy=RUN_SHAPE)
    return scores


def _run_columns(line: str, where: str) -> tuple[str, str, float]:
    fields = line.split()
    if len(fields) != 6:
        raise InputError(f"{where}: {len(fields)} columns where a run has 6", remedy=RUN_SHAPE)
    query, _, document, _, score, _ = fields
    try:
        value = float(score)
    except ValueError as error:
        raise InputError(f"{where}: the score {score!r} is no number", remedy=RUN_SHAPE) from error
    if math.isnan(value):
        raise InputError(f"{where}: the score is no number", remedy=RUN_SHAPE)
    return query, document, value


def trec_order(scores: Mapping[str, float]) -> tuple[str, ...]:
    """Documents in trec_eval's order: by 32-bit score, the larger id first where two are equal.

    The rank that a run gives counts for nothing there.
    """
    return tuple(sorted(scores, key=lambda document: (float32(scores[document]), document.encode()), reverse=True))


def run_lines(query: str, ranked: Iterable[tuple[str, float]]) -> Iterator[str]:
    """The lines of a run for *query*, from its documents best first with their scores.

    trec_eval would break ties by the id, so a score that is not below the one before it, in 32 bits, becomes the
    next smaller one.
    """
    last = math.inf
    for rank, (document, score) in enumerate(ranked, start=1):
        last = min(float32(score), _next_smaller(last))
        yield f"{trec_id(query)} Q0 {trec_id(document)} {rank} {last!r} {TAG}\n"


def float32(value: float) -> float:
    """*value* as trec_eval holds it; too large a one is infinite."""
    import numpy as np

    with np.errstate(over="ignore"):
        return float(np.float32(value))


def _next_smaller(value: float) -> float:
    """The 32-bit number below *value*; infinity stays what it is."""
    import numpy as np

    return value if math.isinf(value) else float(np.nextafter(np.float32(value), np.float32(-math.inf)))


# Judgements


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """The grade of each document by query and document: BEIR or plain TSV, TREC qrels, or JSONL.

    Raises:
        InputError: the file cannot be read, holds none, or a line is malformed.
    """
    grades: dict[str, dict[str, int]] = {}
    for place, (number, line) in enumerate(numbered_lines(path)):
        if place == 0 and _is_header(line):
            continue
        query, document, grade = _judgement(line, f"{path}:{number}")
        judged = grades.setdefault(query, {})
        if judged.get(document, grade) != grade:
            raise InputError(
                f"{path}:{number}: {document!r} has the grades {judged[document]} and {grade} for {query!r}",
                remedy="keep one of the lines",
            )
        judged[document] = grade
    if not grades:
        raise InputError(f"{path}: holds no judgement", remedy=QRELS_SHAPE)
    return grades


def qrels_line(query: str, document: str, grade: int) -> str:
    """A judgement as a line below `QRELS_HEADER`."""
    return f"{tsv_id(query)}\t{tsv_id(document)}\t{grade}\n"


def _is_header(line: str) -> bool:
    fields = [field.strip().lower() for field in line.split("\t")]
    return len(fields) in (3, 4) and fields[-1] in GRADE_NAMES


def _judgement(line: str, where: str) -> tuple[str, str, int]:
    query, document, grade = _json_columns(line, where) if line.lstrip().startswith("{") else _columns(line, where)
    if not query or not document:
        raise InputError(f"{where}: not a judgement with a query and a document", remedy=QRELS_SHAPE)
    if not _is_grade(grade):
        span = f"from -{LARGEST_GRADE} to {LARGEST_GRADE}"
        raise InputError(f"{where}: the grade {grade!r} is no whole number {span}", remedy=QRELS_SHAPE)
    return query, document, int(float(grade))


def _json_columns(line: str, where: str) -> tuple[str | None, str | None, str]:
    record = json_record(line, where=where, remedy=QRELS_SHAPE)
    grade = next((record[key] for key in ("relevance", "grade", "score") if key in record), "")
    written = str(grade) if isinstance(grade, str | int | float) else type(grade).__name__  # a list may be endless
    return named_id(record, "query_id", "query-id"), named_id(record, "doc_id", "corpus-id", "document"), written


def _columns(line: str, where: str) -> tuple[str, str, str]:
    """Tabs, where there are any, divide the columns: ids may hold blanks then."""
    fields = [field.strip() for field in line.split("\t")] if "\t" in line else line.split()
    if len(fields) not in (3, 4):
        raise InputError(f"{where}: {len(fields)} columns where a judgement has 3 or 4", remedy=QRELS_SHAPE)
    return fields[0], fields[-2], fields[-1]


def _is_grade(text: str) -> bool:
    return re.fullmatch(r"[-+]?[0-9]{1,9}(\.0+)?", text) is not None and abs(float(text)) <= LARGEST_GRADE


# Ids


def trec_id(name: str) -> str:
    """*name* as it stands in the judgements, but for what would break a line of a run: that is percent-encoded."""
    kept = {letter for letter in name if letter in JOINERS or (letter.isprintable() and not letter.isspace())}
    return "".join(letter if letter in kept else _percent_encoded(letter) for letter in name)


def tsv_id(name: str) -> str:
    """*name* as a column between tabs: blanks may stay, but a tab or a line break has all of it encoded."""
    return name if name.isprintable() else trec_id(name)


def _percent_encoded(letter: str) -> str:
    """A byte that is no text as itself, another half of a surrogate pair as UTF-8 would have it."""
    escapes = "surrogateescape" if "\udc80" <= letter <= "\udcff" else "surrogatepass"
    return quote(letter, safe="", errors=escapes)
