"""The frozen records that flow through the house, and the words of its domain."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from rerank_cli.stamps import Stamp

Retriever = Literal["hybrid", "dense", "lexical"]
"""Which lists the first stage has."""

Fusion = Literal["linear", "rrf", "none"]
"""How the final order adds both stages: by their scores, by their ranks, or the second alone."""

VectorSearch = Literal["auto", "exact", "hnsw"]
"""How vectors are searched: by a scan of all, by an HNSW graph, or by whichever serves better."""


# Corpus: from a folder to passages


@dataclass(frozen=True, slots=True)
class Rules:
    """What to leave out. `include` and `exclude` are gitignore patterns, relative to the root."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    hidden: bool = False
    ignore_files: bool = True
    # Beyond this, text is nearly always a log or a dump that would drown everything else.
    max_file_size_bytes: int = 10_000_000


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file that discovery would index.

    `path` is relative to the indexed root, with forward slashes; `location` is where it lies.
    """

    path: str
    location: Path
    stamp: Stamp

    @property
    def size_bytes(self) -> int:
        return self.stamp.size_bytes


Cause = Literal["rule", "hidden", "too large", "binary", "link", "special", "failed"]
"""Why a file is left out, in a word. The first three are said by settings and ignore files, whatever the file holds."""


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """A file or folder that is not indexed, and why, in words for the user. A folder's path ends in a slash."""

    path: str
    reason: str
    cause: Cause

    @property
    def failed(self) -> bool:
        """Whether it could not be read, which is no choice of the user's."""
        return self.cause == "failed"

    @property
    def chosen(self) -> bool:
        """Whether the user's rules leave it out, as they would any file of its name or size."""
        return self.cause in ("rule", "hidden", "too large")


@dataclass(frozen=True, slots=True)
class Block:
    """A run of source lines that belong together: a paragraph, a list item, a code block.

    Lines count from 1 and include both ends. `headings` is the trail above it, outermost first;
    `heading_line` is where the innermost of them stands, None where it stands on no line.
    """

    text: str
    first_line: int
    last_line: int
    headings: tuple[str, ...] = ()
    heading_line: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Document:
    """A file, or one record of a JSONL or CSV file, as its reader understood it."""

    id: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document that fits the models. `text` is the body, without the trail."""

    ordinal: int
    first_line: int
    last_line: int
    headings: tuple[str, ...]
    text: str

    @property
    def model_text(self) -> str:
        """What both models and the lexical index see: the heading trail, then the body."""
        return with_headings(self.headings, self.text)

    @property
    def text_hash(self) -> bytes:
        """What its `model_text` is known by, and so its vector: the first 16 bytes of the SHA-256."""
        return hashlib.sha256(self.model_text.encode()).digest()[:16]


@dataclass(frozen=True, slots=True)
class SplitDocument:
    """A document cut into passages: what is left of it once it is read."""

    id: str
    title: str
    passages: tuple[Passage, ...]


def with_headings(headings: Sequence[str], text: str) -> str:
    """Put a heading trail in front of *text*, closed by a full stop where it ends without one."""
    trail = " > ".join(headings)
    if not trail:
        return text
    stop = "" if trail[-1] in ".?!:;" else "."
    return f"{trail}{stop} {text}"


# Search: from a query to hits


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage as the index keeps it. `id` is the index's own and means nothing outside it."""

    id: int | str
    document_id: str
    path: str
    title: str
    passage: Passage


@dataclass(frozen=True, slots=True)
class Listed:
    """Where a list has a passage, from 1, and the list's own score for it."""

    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that the first stage brought.

    `score` is on the scale of logits. `lists` tells by the name of each list that has the passage where it stands
    there. `opening_score` is the cosine of the document's opening passage. `rank` is the place by the claim to be a
    candidate, which other passages of the same document lower.
    """

    stored: StoredPassage
    rank: int
    score: float
    lists: Mapping[str, Listed] = field(default_factory=dict, hash=False)
    opening_score: float | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A candidate in its final place.

    `order_score` is what the final order sorts by; of a document's best hit, `support` is the part of it that the
    document's further passages add. `logit` and `score` are the reranker's own, None
    where the second stage was left out; `reranker_rank` is the candidate's place by them among all
    candidates.
    """

    candidate: Candidate
    rank: int
    order_score: float
    logit: float | None = None
    score: float | None = None
    reranker_rank: int | None = None
    support: float = 0.0

    @property
    def document_id(self) -> str:
        return self.candidate.stored.document_id

    @property
    def path(self) -> str:
        """The file, relative to the indexed root."""
        return self.candidate.stored.path

    @property
    def lines(self) -> tuple[int, int]:
        """The first and the last line of the passage, from 1."""
        return self.candidate.stored.passage.first_line, self.candidate.stored.passage.last_line

    @property
    def headings(self) -> tuple[str, ...]:
        return self.candidate.stored.passage.headings

    @property
    def text(self) -> str:
        """The passage, without the headings that it stands under."""
        return self.candidate.stored.passage.text


# Progress


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long step is. `total` is 0 while it is not known."""

    stage: str
    done: int
    total: int


Listener = Callable[[Progress], None]


def ignore_progress(progress: Progress) -> None:
    """The listener that does nothing."""
