"""The ports: what the house asks of models, workers, an index and what remembers scores, and the records they exchange.

Nothing here is of one engine. An index may lie on this disk or behind a network: ids of passages mean nothing outside
it, a filter is a value that it can translate, and nothing asks for all that it holds at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from rerank_cli.records import FileRead, FoundFile, SplitDocument, StoredPassage
from rerank_cli.stamps import Stamp

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rerank_cli.arrays import Vectors

PassageId = int | str
"""An index's own name of a passage. It is only handed back to that index."""

Ranking = list[tuple[PassageId, float]]
"""(passage id, score), best first; equal scores stand in the order of their origins."""


class Origin(NamedTuple):
    """Where a passage comes from, in the order that decides between equal scores.

    The path comes last: two files may give documents of one id.
    """

    document_id: str
    ordinal: int
    path: str


class FieldRule(NamedTuple):
    """What a document must say of itself: under `key`, or one that means the same, a value that `value` matches.

    In that, `*` stands for any letters and `?` for one; `*` alone says that there is a value. Case does not matter.
    Where it `differs`, the document must not say so: it has other values, or none.
    """

    key: str
    value: str = "*"
    differs: bool = False


class Filter(NamedTuple):
    """Which passages may be found: those of documents that all of this holds for.

    Their file matches any of `paths` and none of `not_paths`, gitignore patterns within the root, and its name ends in
    one of `extensions`, in small letters and without a dot, packed or not. Their date, or else that of their file, lies
    at `since` or after it and before `until`, in seconds since 1970 in UTC. Their fields meet every rule of `fields`.

    With a `base`, patterns are written from a folder above the root: a path within the root is matched with the base
    before it.
    """

    paths: tuple[str, ...] = ()
    not_paths: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    since: int | None = None
    until: int | None = None
    fields: tuple[FieldRule, ...] = ()
    base: str = ""

    def __bool__(self) -> bool:
        return self != EVERYTHING

    @property
    def names_files(self) -> bool:
        """Whether it asks for what their paths say."""
        return bool(self.paths or self.not_paths or self.extensions)


EVERYTHING = Filter()


# Models


class PairScores(NamedTuple):
    """One logit a passage, shape (n,), higher is better, and how many passages were cut.

    A long query was asked in so many `pieces`. Of the logits so many were `recalled`, and nothing was read for them.
    """

    logits: NDArray[np.float32]
    truncated: int
    pieces: int = 1
    recalled: int = 0


class Encoder(Protocol):
    """Turns texts into unit vectors.

    One that has a method `encode_beside`, which gives what `encode_passages` gives, is asked by two threads for either
    while another counts tokens.
    """

    @property
    def fingerprint(self) -> str: ...
    @property
    def dimensions(self) -> int: ...
    @property
    def max_tokens(self) -> int:
        """Tokens of the longest passage the model reads whole; its prompt and special tokens are taken off already."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens in each text, special tokens left out."""
        ...

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors in the order of *texts*, shape (len(texts), dimensions); of a long text nothing is cut."""
        ...

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors in the order of *texts*, shape (len(texts), dimensions)."""
        ...


class Reranker(Protocol):
    """Reads a query and a passage together and says how well the one answers the other."""

    @property
    def fingerprint(self) -> str: ...
    @property
    def calibrated(self) -> bool: ...

    def score_pairs(self, query: str, passages: Sequence[str]) -> PairScores:
        """Score every passage; a passage's score does not depend on the others. Of a long query nothing is cut."""
        ...

    def activate(self, logit: float) -> float:
        """The score for a logit: the probability of being relevant if `calibrated`, else the model's own activation."""
        ...


# Who reads and encodes beside this process


class Encoding(Protocol):
    """Passages that are being encoded."""

    def done(self) -> bool:
        """Whether `result` is there without waiting."""
        ...

    def result(self) -> Vectors:
        """What `Encoder.encode_passages` gives for them."""
        ...


class Workers(Protocol):
    """Other processes, here or on other machines, that read files and encode passages with the encoder of the run."""

    @property
    def batches(self) -> int:
        """How many calls of `encode` keep all of them busy."""
        ...

    def read(self, files: Sequence[tuple[FoundFile, frozenset[bytes]]], *, lone: bool) -> Iterator[FileRead]:
        """What each file holds now, without the texts that are to be left out of it; in the order of *files*."""
        ...

    def encode(self, texts: Sequence[str]) -> Encoding:
        """Begin to encode passages."""
        ...


# What an index is


class Recipe(NamedTuple):
    """What an index is made from and with. `encoder` is the model's name, `rules` are those of discovery."""

    root: str
    rules: Mapping[str, object]
    encoder: str
    encoder_fingerprint: str
    dimensions: int
    passage_tokens: int
    reader_version: int


class Manifest(NamedTuple):
    """A generation of an index: its recipe, and what the store adds when it commits.

    `search` says how vectors are searched, and `search_reason` why so, in words for the user.
    """

    recipe: Recipe
    generation: int
    updated_at: str
    search: str
    search_reason: str


class Rarity(NamedTuple):
    """How rare words are: by word, how many *holding* it there are among so many *passages*."""

    passages: int
    holding: Mapping[str, int]


class Counts(NamedTuple):
    """How much an index holds."""

    files: int
    failed_files: int
    documents: int
    passages: int
    size_bytes: int


class FileState(NamedTuple):
    """A file as it was when it was last read. `failure` says why it could not be read.

    Its documents are those of an earlier reading then, or none. `notes` say what of it could not be read, and whether
    that is `damaged`. `modified_at` is when the file was last changed, in seconds since 1970, also where the stamp is
    not trusted yet.
    """

    path: str
    stamp: Stamp
    content_hash: bytes
    reader: str
    failure: str | None
    notes: tuple[str, ...] = ()
    modified_at: int = 0
    damaged: bool = False


# What a writer takes


class NewFile(NamedTuple):
    """A file to write with all its documents; it takes the place of what stood under its path."""

    state: FileState
    documents: tuple[SplitDocument, ...]


class Changes(NamedTuple):
    """What a commit changes, by path: files that were staged, and files removed. A rename is one of each."""

    written: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class Index(Protocol):
    """One generation of an index, for reading. It is not shared between threads."""

    @property
    def name(self) -> str:
        """What errors call the index: its place."""
        ...

    @property
    def manifest(self) -> Manifest: ...

    def update_command(self, *, rebuild: bool = False) -> str:
        """The command that brings the index up to date, as a shell reads it."""
        ...

    def rest(self) -> None:
        """Hold nothing of the index until `wake`, such as while a person is waited for."""
        ...

    def wake(self) -> None:
        """Go on with the newest generation after a `rest`. Ids of passages may have been given out again by then."""
        ...

    def search_dense(self, vector: Vectors, depth: int, *, within: Filter = EVERYTHING, exact: bool = False) -> Ranking:
        """The *depth* passages nearest to *vector*, shape (dimensions,), by cosine; *exact* allows no approximation."""
        ...

    def search_lexical(
        self, words: Sequence[str], depth: int, *, within: Filter = EVERYTHING, rarity: Rarity | None = None
    ) -> Ranking:
        """The *depth* passages with the best BM25 for any of *words* (Robertson and Zaragoza, 2009).

        *rarity* is how rare they are where the index is one of several; by itself it counts its own passages.
        """
        ...

    def rarity(self, words: Collection[str]) -> Rarity | None:
        """How rare *words* are in the index. None if it cannot tell; then nobody gives it another's."""
        ...

    def opening_cosines(self, vector: Vectors, passage_ids: Collection[PassageId]) -> dict[PassageId, float]:
        """By passage, the cosine of *vector* with the opening passage of its document."""
        ...

    def read(self, passage_ids: Collection[PassageId]) -> dict[PassageId, StoredPassage]:
        """The passages under *passage_ids*."""
        ...

    def origins(self, passage_ids: Collection[PassageId]) -> dict[PassageId, Origin]:
        """Where each of *passage_ids* comes from."""
        ...

    def read_file(self, path: str, *, first: int | None = None, last: int | None = None) -> Iterator[StoredPassage]:
        """The passages of the file at *path*, in reading order.

        With *first* and *last*, those whose place shares some of them, in the unit of the place.
        """
        ...

    def scan(self) -> Iterator[StoredPassage]:
        """Every passage, one after another, in the order of their origins."""
        ...

    def file_states(self, paths: Collection[str]) -> dict[str, FileState]:
        """Those of *paths* that are files of the index, each as it was when it was last read."""
        ...

    def files(self) -> dict[str, FileState]:
        """Every file of the index by its path."""
        ...

    def has_documents(self, document_ids: Collection[str], *, within: Filter = EVERYTHING) -> frozenset[str]:
        """Those of *document_ids* that are documents of the index, or those of them that a filter lets through."""
        ...

    def has_fields(self, keys: Collection[str]) -> frozenset[str]:
        """Those of *keys* that a document has a field of."""
        ...

    def field_counts(self) -> dict[str, int]:
        """By key, how many documents have a field of it."""
        ...

    def counts(self) -> Counts:
        """How much the index holds."""
        ...


class IndexWriter(Protocol):
    """The one who may change an index. Nothing is seen of a change before `commit`, and then all of it."""

    @property
    def name(self) -> str:
        """What errors call the index: its place."""
        ...

    @property
    def location(self) -> Path | None:
        """Where the index lies on this disk, if it does: no document of a folder around it."""
        ...

    @property
    def manifest(self) -> Manifest | None:
        """Of the last generation; None before the first."""
        ...

    def update_command(self, *, rebuild: bool = False) -> str:
        """The command that brings the index up to date, as a shell reads it."""
        ...

    def files(self) -> dict[str, FileState]:
        """Every file of the last generation by its path."""
        ...

    def document_counts(self) -> dict[str, int]:
        """By file, how many of its documents hold text."""
        ...

    def documents_in(self, paths: Collection[str]) -> dict[str, set[str]]:
        """The ids of the documents with text in the files at *paths*, by path."""
        ...

    def counts(self) -> Counts:
        """How much the last generation holds."""
        ...

    def missing_vectors(self, fingerprint: str, text_hashes: Iterable[bytes]) -> list[bytes]:
        """Those of *text_hashes* that no vector of this encoder is kept for, in their order, each once."""
        ...

    def keep_vectors(self, fingerprint: str, text_hashes: Sequence[bytes], vectors: Vectors) -> None:
        """Keep computed vectors, shape (n, dimensions), at once: a killed run does not compute them again."""
        ...

    def lost_texts(self, fingerprint: str) -> Iterator[tuple[bytes, str]]:
        """Text hash and text of each passage whose vector is lost. Damage does that; a sound index has none."""
        ...

    def stage(self, file: NewFile, *, key: str) -> None:
        """Hold *file* ready for `commit`. *key* says what it was read with; under the same, `staged` gives it again."""
        ...

    def staged(self, path: str, content_hash: bytes, *, key: str) -> NewFile | None:
        """What a run that did not get to its commit staged of this very content, read with the same *key*."""
        ...

    def touch(self, states: Sequence[FileState]) -> None:
        """Remember how files were found whose documents stay as they are; no new generation."""
        ...

    def mounts(self) -> tuple[str, ...]:
        """The folders that were mount points, as `keep_mounts` was told last."""
        ...

    def keep_mounts(self, paths: Sequence[str]) -> None:
        """Remember which folders are mount points; no new generation."""
        ...

    def told(self) -> dict[str, str]:
        """By path, the failures that `keep_told` was told last."""
        ...

    def keep_told(self, failures: Mapping[str, str]) -> None:
        """Remember of which failures the user has been told; no new generation."""
        ...

    def needs_commit(self, recipe: Recipe) -> bool:
        """Whether a commit without changes would still change something: another recipe, or a part to mend."""
        ...

    def commit(self, changes: Changes, recipe: Recipe, *, prune: bool = False) -> Manifest:
        """Make *changes* visible as one new generation; all of it or nothing.

        With *prune*, vectors that nothing of the index uses go.
        """
        ...


# What remembers scores


class KeptScore(NamedTuple):
    """A reranker's logit for a query and a passage, and the seconds that it took."""

    logit: float
    elapsed_s: float


class ScoreCache(Protocol):
    """Scores by keys of 16 bytes. It may lose any of them: they are made again."""

    def read(self, keys: Sequence[bytes]) -> dict[bytes, KeptScore]:
        """The scores kept under *keys*, as far as there are any."""
        ...

    def keep(self, scores: Iterable[tuple[bytes, KeptScore]]) -> None:
        """Keep *scores* from now on: all of them or none."""
        ...
