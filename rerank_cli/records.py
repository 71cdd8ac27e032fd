"""The frozen records that flow through the house, and the words of its domain."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from rerank_cli.fields import Fields
from rerank_cli.stamps import Stamp

Retriever = Literal["hybrid", "dense", "lexical"]
"""Which lists the first stage has."""

Fusion = Literal["linear", "rrf", "none"]
"""How the final order adds both stages: by their scores, by their ranks, or the second alone."""

VectorSearch = Literal["auto", "exact", "hnsw"]
"""How vectors are searched: by a scan of all, by an HNSW graph, or by whichever serves better."""

ContextStyle = Literal["markdown", "xml", "json"]
"""The form in which excerpts are handed to a reader."""

ContextOrder = Literal["best-first", "edges"]
"""The order of excerpts in a context: the best first, or the best at both ends."""

ENCODERS_OWN = "encoder"
"""Names the tokenizer of the index's encoder."""

FOUR_CHARACTERS = "chars/4"
"""Names no tokenizer: four characters count as a token."""


# Corpus: from a folder to passages


class Rules(NamedTuple):
    """What to leave out. `include` and `exclude` are gitignore patterns, relative to the root.

    `converters` are commands that make text of files, each as `.ext=command {}`: none of these is left out as binary.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    hidden: bool = False
    ignore_files: bool = True
    # Beyond this, text is nearly always a log or a dump that would drown everything else.
    max_file_size_bytes: int = 10_000_000
    converters: tuple[str, ...] = ()


class FoundFile(NamedTuple):
    """A file that discovery would index.

    `path` is relative to the indexed root, with forward slashes; `location` is where it lies.
    """

    path: str
    location: str
    stamp: Stamp

    @property
    def size_bytes(self) -> int:
        return self.stamp.size_bytes


Cause = Literal["rule", "hidden", "too large", "binary", "generated", "link", "special", "empty", "failed"]
"""Why a file is left out, in a word. The first three are said by settings and ignore files, whatever it holds."""


class SkippedFile(NamedTuple):
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


Unit = Literal["line", "page", "slide", "row", "cell", "chapter", "message", "paragraph", "time"]
"""What places in a file are counted in. All but time count from 1; time counts milliseconds from 0."""


class Place(NamedTuple):
    """Where something stands in its file, from `first` to `last`, both included.

    `label` names the part that has the place, where numbers alone say too little: a sheet, the title of a chapter, the
    date of a message.
    """

    unit: Unit
    first: int
    last: int
    label: str = ""

    def __str__(self) -> str:
        """In words for the user: `p. 12`, `Prices rows 3-20`, `00:01:20-00:01:24`."""
        first, last = (_time(self.first), _time(self.last)) if self.unit == "time" else (self.first, self.last)
        span = f"{first}" if first == last else f"{first}-{last}"
        match self.unit:
            case "page":
                shown = f"p. {span}" if first == last else f"pp. {span}"
            case "time":
                shown = span
            case unit:
                shown = f"{unit} {span}" if first == last else f"{unit}s {span}"
        if not self.label:
            return shown
        return f"{self.label} {shown}" if self.unit == "row" else f"{shown} ({self.label})"


def at_lines(first: int, last: int) -> Place:
    """The lines from *first* to *last*."""
    return Place("line", first, last)


def _time(milliseconds: int) -> str:
    seconds = milliseconds // 1000
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


@dataclass(frozen=True, slots=True)
class Block:
    """A run of text that belongs together: a paragraph, a list item, a code block, a table.

    `headings` is the trail above it, outermost first; `heading_at` is where the innermost of them stands, in the unit
    of the place, None where it stands nowhere. `header` is what each part of a table repeats if it is cut. What
    `leads`, such as the description of a page, goes with the text that follows, whatever heading that has.
    """

    text: str
    place: Place
    headings: tuple[str, ...] = ()
    heading_at: int | None = field(default=None, compare=False)
    header: str = ""
    leads: bool = False


class Document(NamedTuple):
    """A file, or one record of a file of records, as its reader understood it.

    `fields` are what it says of itself beside its text, such as its tags and its date.
    """

    id: str
    title: str
    blocks: tuple[Block, ...]
    fields: Fields = ()


class Reading(NamedTuple):
    """What a reader makes of a file. `notes` say in words for the user what of it could not be read.

    It is `damaged` where that is no matter of its kind, such as a page that is a picture, but is broken.
    """

    documents: tuple[Document, ...]
    notes: tuple[str, ...] = ()
    damaged: bool = False


class Passage(NamedTuple):
    """A piece of a document that fits the models. `text` is the body, without the trail."""

    ordinal: int
    place: Place
    headings: tuple[str, ...]
    text: str

    @property
    def model_text(self) -> str:
        """What both models and the lexical index see: the heading trail, then the body."""
        return with_headings(self.headings, self.text)

    @property
    def text_hash(self) -> bytes:
        """What its `model_text` is known by, and so its vector: the first 16 bytes of the SHA-256."""
        from hashlib import sha256  # which takes 2 ms to load

        return sha256(self.model_text.encode()).digest()[:16]


class SplitDocument(NamedTuple):
    """A document cut into passages: what is left of it once it is read."""

    id: str
    title: str
    passages: tuple[Passage, ...]
    fields: Fields = ()


class SplitReading(NamedTuple):
    """The documents of a file, cut into passages, and what else its `Reading` says."""

    documents: tuple[SplitDocument, ...]
    notes: tuple[str, ...] = ()
    damaged: bool = False


class FileRead(NamedTuple):
    """A file as it was when it was read: with the stamp that it had then, and the SHA-256 of its content.

    Without a `reading` it was not read, and `failure` says why, unless it was known already. `unread` tells a file that
    the system would not give us, or not in time, from one that we make nothing of.
    """

    file: FoundFile
    digest: bytes = b""
    reading: SplitReading | None = None
    failure: str | None = None
    unread: bool = False


def with_headings(headings: Sequence[str], text: str) -> str:
    """Put a heading trail in front of *text*, closed by a full stop where it ends without one."""
    trail = " > ".join(headings)
    if not trail:
        return text
    stop = "" if trail[-1] in ".?!:;" else "."
    return f"{trail}{stop} {text}"


# Search: from a query to hits


class StoredPassage(NamedTuple):
    """A passage as the index keeps it. `id` is the index's own and means nothing outside it."""

    id: int | str
    document_id: str
    path: str
    title: str
    passage: Passage


class Listed(NamedTuple):
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


class Hit(NamedTuple):
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
    def place(self) -> Place:
        """Where the passage stands in the file."""
        return self.candidate.stored.passage.place

    @property
    def headings(self) -> tuple[str, ...]:
        return self.candidate.stored.passage.headings

    @property
    def text(self) -> str:
        """The passage, without the headings that it stands under."""
        return self.candidate.stored.passage.text


# Progress


class Progress(NamedTuple):
    """How far a long step is. `total` is 0 while it is not known; `note` is worth telling once.

    Steps that take turns also tell how much of the work of all of them is done, as a `share` of 1.
    """

    stage: str
    done: int
    total: int
    note: str = ""
    share: float | None = None


Listener = Callable[[Progress], None]


def ignore_progress(progress: Progress) -> None:
    """The listener that does nothing."""
