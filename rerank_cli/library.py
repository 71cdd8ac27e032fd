"""The door for programs: documents and their index, to bring up to date, search, rerank and evaluate.

Nothing is read but what the caller names: no settings file and no variable of the environment, unless the caller passes
what `read_settings` gives. What the caller names is trusted, as a command line is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Collection as AbstractCollection
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self, TypedDict, TypeVar, Unpack, cast

from rerank_cli.config import HELP, Depth, Device, Settings, WorkersChoice, changed, load_config, variable_of
from rerank_cli.errors import IndexMismatch, IndexMissing, InputError, ModelError, UsageError, in_words
from rerank_cli.filters import FilterOptions, filter_of
from rerank_cli.freshness import FileChanges, Staleness, compare, location_of, rules_of_recipe, stale_files
from rerank_cli.places import expanded
from rerank_cli.ports import EVERYTHING, Counts, Encoder, Filter, Index, IndexWriter, Manifest, Reranker, Workers
from rerank_cli.records import (
    ENCODERS_OWN,
    ContextOrder,
    ContextStyle,
    Fusion,
    Hit,
    Listener,
    Passage,
    Progress,
    Retriever,
    SkippedFile,
    VectorSearch,
    ignore_progress,
)

if TYPE_CHECKING:
    from rerank_cli.context import Context
    from rerank_cli.corpus.discover import Discovery
    from rerank_cli.corpus.split import CountTokens
    from rerank_cli.evaluation.conclusions.evaluation import Evaluation
    from rerank_cli.evaluation.inputs.collection import Collection
    from rerank_cli.indexing import IndexSettings, IndexSummary
    from rerank_cli.queries import Query
    from rerank_cli.search import Searcher, SearchResult

Location = str | Path

Result = TypeVar("Result")


class SearchOptions(TypedDict, total=False):
    """How to search; every key is the setting of its name."""

    retriever: Retriever
    top_k: Depth
    rerank: bool
    fusion: Fusion
    fusion_weight: float
    budget: float | None
    top_n: int
    per_document: int
    min_score: float | None


class ContextOptions(SearchOptions, total=False):
    """How to search for a reader with a window, and what it takes; every key is the setting of its name."""

    max_tokens: int
    tokenizer: str
    context_style: ContextStyle
    order: ContextOrder


class QueryOptions(SearchOptions, FilterOptions, total=False):
    """How to search, and which documents."""


class ContextQueryOptions(ContextOptions, FilterOptions, total=False):
    """How to search for a reader with a window, and which documents."""


class LibraryOptions(ContextOptions, total=False):
    """How to index and to search; every key is the setting of its name."""

    device: Device
    remote_timeout: float
    passage_tokens: int
    include: Sequence[str]
    exclude: Sequence[str]
    hidden: bool
    ignore_files: bool
    max_file_size: int | str
    file_timeout: float
    converter: Sequence[str]
    vectors: VectorSearch
    store: str
    workers: WorkersChoice
    max_shrink: float
    allow_shrink: bool
    wait_s: float


class Reranked(NamedTuple):
    """What a reranker says of texts: a score and a logit for each, and their places from 0, best first.

    A score is a probability if the reranker is calibrated.
    """

    scores: tuple[float, ...]
    logits: tuple[float, ...]
    order: tuple[int, ...]


class RerankedFile(NamedTuple):
    """A file by its best passage, whose score and logit are the file's. `number` is its place in the list, from 0."""

    number: int
    path: Path
    passage: Passage
    score: float
    logit: float


class RerankedFiles(NamedTuple):
    """Files with text, best first, and why each other one was left out."""

    files: tuple[RerankedFile, ...]
    skipped: tuple[SkippedFile, ...]


NO_FIELDS: Mapping[str, int] = {}


class Status(NamedTuple):
    """What an index holds, and how its documents differ from it now.

    `unreadable` says by path why a file could not be read, then or now. `changes` is None where the documents cannot
    be looked at, and `unknown` says why. `fields` says by key how many documents have a field of it.
    """

    manifest: Manifest
    counts: Counts
    unreadable: Mapping[str, str]
    changes: FileChanges | None
    unknown: str = ""
    fields: Mapping[str, int] = NO_FIELDS


def read_settings(folder: Location, *, environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that the commands take in *folder*: the user's file, the project's there or above, the environment.

    Raises:
        ConfigError: one of them cannot be understood.
    """
    return load_config(
        flags={},
        start=Path(folder),
        config_file=None,
        environment=environment,
        other_variables=frozenset(environment) - {variable_of(key) for key in HELP},  # those of flags are no settings
    ).settings


def open_library(
    place: Location | None = None,
    *,
    index: Location | Index | Sequence[Location] | None = None,
    encoder: str | Encoder | None = None,
    reranker: str | Reranker | None = None,
    settings: Settings | None = None,
    listener: Listener = ignore_progress,
    **options: Unpack[LibraryOptions],
) -> Library:
    """A library of the documents at *place*, a folder or a file, or of an index.

    *place* may also name an index of the user's: one without a separator where there is no such file or folder, or a
    folder where the commands keep them. *index* names one anywhere, by name or by path, or is an `Index` of the
    caller's own; of several, which are searched as one, it is a list. Documents whose index is not named have the one
    that `rerank-cli index` gives them. Without either, the library only reranks. A folder of documents is never taken
    for an index, whatever lies in it: an index says which model to load and what folder to read, and documents may come
    from anybody.

    *encoder* and *reranker* are names or objects. Without an *encoder*, that of the index is taken. *options* are
    settings by name; they outweigh *settings*, which `read_settings` gives. Without *settings*, an index that is
    brought up to date keeps its encoder, its passage size and its rules where *options* say nothing of them.

    Nothing is opened or loaded before it is needed.

    Raises:
        UsageError: an option has a value that is not allowed.
        InputError: nothing lies at *place*.
    """
    root, folder, own = None, None, None
    if place is not None:
        root, folder = _root_or_index(place)
    several: tuple[Path, ...] = ()
    if isinstance(index, str | Path):
        folder = _index_folder(index)
    elif isinstance(index, Sequence):
        folder, several = None, tuple(map(_index_folder, index))
    elif index is not None:
        folder, own = None, index
    elif root is not None:
        from rerank_cli.store.location import default_folder

        folder = default_folder(root)
    named = {key: name for key, name in (("encoder", encoder), ("reranker", reranker)) if isinstance(name, str)}
    given = {**options, **named}
    chosen = changed(settings or Settings(), given)
    return Library(
        root=root,
        folder=folder,
        several=several,
        index=own,
        encoder=chosen.encoder if isinstance(encoder, str) else encoder,
        reranker=chosen.reranker if reranker is None or isinstance(reranker, str) else reranker,
        settings=chosen,
        remembered=frozenset(HELP.keys() - given.keys()) if settings is None else frozenset(),
        listener=listener,
    )


class Library:
    """Documents and their index, with models that are loaded once. `open_library` makes it.

    Use it as a context manager. It answers from the generation that it opened until `update` or `refresh`, and is not
    shared between threads.
    """

    def __init__(
        self,
        *,
        root: Path | None,
        folder: Path | None,
        several: tuple[Path, ...],
        index: Index | None,
        encoder: str | Encoder | None,
        reranker: str | Reranker,
        settings: Settings,
        remembered: frozenset[str],
        listener: Listener,
    ) -> None:
        """*remembered* are the settings that an index which is there says better.

        *several* indexes are searched as one; it has no *folder* then.
        """
        self.settings = settings
        self._root = root
        self._folder = folder
        self._several = several
        self._own_index = index
        self._encoder = encoder
        self._reranker = reranker
        self._remembered = remembered
        self._listener = listener
        self._opened = ExitStack()
        self._index: Index | None = None
        self._models = _Models(settings, listener=listener)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the index. Models stay loaded, and the index opens again at its next use."""
        self._index = None
        self._opened.close()

    def refresh(self) -> None:
        """Go on with the newest generation of the index."""
        if self._own_index is not None:
            self._own_index.rest()
            self._own_index.wake()
        self.close()

    @property
    def index(self) -> Index:
        """The index, opened at its first use.

        Raises:
            UsageError: the library has none.
            UnusableIndex: there is none yet, or it cannot be used.
        """
        if self._index is None:
            self._index = self._read_index() if self._own_index is None else self._own_index
            made_from = self._index.manifest.recipe.root
            if self._root is not None and made_from != str(self._root):
                name = self._index.name
                self.close()
                raise IndexMismatch(
                    f"{name}: this index was made from {made_from}, not {self._root}", remedy="name another index"
                )
        return self._index

    def _read_index(self) -> Index:
        from rerank_cli.store import open_reader

        if not self._several:
            return self._opened.enter_context(open_reader(self._needed_folder()))
        from rerank_cli.joint import JointIndex

        return JointIndex([self._opened.enter_context(open_reader(folder)) for folder in self._several])

    def _index_place(self) -> Path | None:
        """Where the index lies on this disk, if it does: no document of a folder around it."""
        if self._folder is None:
            return None
        from rerank_cli.store.elsewhere import place_of

        return place_of(self._folder)

    @property
    def _is_kept_elsewhere(self) -> bool:
        from rerank_cli.store.elsewhere import read_elsewhere

        return self._folder is not None and read_elsewhere(self._folder) is not None

    def _check_one(self) -> None:
        if self._several:
            raise UsageError("several indexes are only searched together", remedy="name one of them")

    def _needed_folder(self) -> Path:
        self._check_one()
        if self._folder is None:
            raise UsageError("the library has no index", remedy="open it with documents, or with an index")
        return self._folder

    # Bring up to date

    def update(
        self, *, rebuild: bool = False, verify: bool = False, prune: bool = False, writer: IndexWriter | None = None
    ) -> IndexSummary:
        """Bring the index up to date with its documents, or make it.

        With *verify*, the content of every file is compared; with *prune*, vectors of texts that are gone go; with
        *rebuild*, every file is read again. *writer* is that of an index of the caller's own.

        Raises:
            RerankError: what `update_index` ends with; the index stays as it was.
        """
        from rerank_cli.indexing import index_settings, update_index

        root = self._documents()
        if self._encoder is not None:
            self._models.encoder(self._encoder)  # one that cannot be had is told before anything is made
        self.close()  # SQLite's locks are the process's, not the connection's
        with self._writing(writer, rebuild=rebuild) as held:
            settings = self._settings_for(held.manifest)
            remembers = self._encoder is None and "encoder" in self._remembered
            asked = self._trusted(settings.encoder) if remembers else self._encoder or settings.encoder
            encoder = self._models.encoder(asked)
            how = index_settings(settings, encoder=asked if isinstance(asked, str) else encoder.fingerprint)
            with self._workers(asked, how) as workers:
                summary = update_index(
                    root,
                    writer=held,
                    encoder=encoder if workers is None else self._opening(asked, device="cpu")(),
                    settings=how,
                    rebuild=rebuild,
                    verify=verify,
                    prune=prune,
                    max_shrink=self.settings.max_shrink,
                    allow_shrink=self.settings.allow_shrink,
                    workers=workers,
                    listener=self._listener,
                )
        self.refresh()
        return summary

    def _workers(self, encoder: str | Encoder, how: IndexSettings) -> AbstractContextManager[Workers | None]:
        """Who reads and encodes beside this process, if the settings ask for anybody."""
        if self.settings.workers == "local":
            return nullcontext()
        from rerank_cli.workers.at_work import Orders
        from rerank_cli.workers.ray_workers import RayWorkers

        orders = Orders(
            open_encoder=self._opening(encoder, device=self.settings.device),
            fingerprint=self._models.encoder(encoder).fingerprint,
            max_tokens=how.passage_tokens,
            max_file_size_bytes=how.rules.max_file_size_bytes,
            file_timeout_s=how.file_timeout_s,
            converters=how.rules.converters,
        )
        return RayWorkers(orders, device=self.settings.device)

    def _opening(self, encoder: str | Encoder, *, device: Device) -> Callable[[], Encoder]:
        """What opens *encoder* in another process, or in this one, which may lack the device that workers have."""
        if not isinstance(encoder, str):
            return partial(_itself, encoder)
        from rerank_cli.models.loading import open_encoder

        return partial(open_encoder, encoder, device=device, timeout_s=self.settings.remote_timeout)

    def remember_told(self, summary: IndexSummary) -> None:
        """Remember that a person was told of the failures in *summary*: the next one has none of them as new."""
        from rerank_cli.indexing import remember_told

        with self._writing(None, rebuild=False) as writer:
            remember_told(writer, summary.failed)

    def find_files(self) -> Discovery:
        """The files that `update` would read, and why each other one is left out."""
        from rerank_cli.corpus.discover import discover
        from rerank_cli.indexing import rules_of

        try:
            settings = self._settings_for(self.index.manifest) if self._remembered else self.settings
        except IndexMissing:
            settings = self.settings
        return discover(self._documents(), rules_of(settings), index_folder=self._index_place())

    @contextmanager
    def _writing(self, writer: IndexWriter | None, *, rebuild: bool) -> Iterator[IndexWriter]:
        if writer is not None:
            yield writer
            return
        if self._own_index is not None:
            raise UsageError("an index of your own is changed by its own writer", remedy="pass it as writer")
        from rerank_cli.store import open_writer

        wait_s, search = self.settings.wait_s, None if "vectors" in self._remembered else self.settings.vectors
        folder, store = self._needed_folder(), self.settings.store
        with open_writer(folder, wait_s=wait_s, rebuild=rebuild, search=search, store=store) as held:
            yield held

    def _documents(self) -> Path:
        """What is indexed: where the caller said, or where the index says."""
        self._check_one()
        if self._root is not None:
            return self._root
        if self._folder is not None:
            from rerank_cli.store.roots import indexed_root

            known = indexed_root(self._folder)  # also of an index that cannot be opened
            if known is not None:
                return known
        return Path(self.index.manifest.recipe.root)

    def _settings_for(self, manifest: Manifest | None) -> Settings:
        """How to make the index: as the caller said, and for the rest as it was made before."""
        from rerank_cli.indexing import settings_in

        known = settings_in(manifest.recipe) if manifest else {}
        if known.get("converter") and "converter" in self._remembered and self._is_from_anybody():
            raise UsageError(
                f"{self._folder}: files were read by a command that the index names: {', '.join(known['converter'])}",
                remedy="if you trust it, name it as converter",
            )
        return replace(self.settings, **{key: value for key, value in known.items() if key in self._remembered})

    # Search

    def search(self, query: str, *, within: Filter = EVERYTHING, **options: Unpack[QueryOptions]) -> SearchResult:
        """Both stages for *query*, over the documents that *options* let in, or a filter *within* that is made already.

        Its hits are the best `top_n`, none of them below `min_score`. *options* hold for this query.

        Raises:
            UsageError: the query is empty or too long, or an option has a value that is not allowed.
            IndexMismatch: the encoder that was named is not the one that the index was made with.
        """
        from rerank_cli.search import shown

        settings, within = self._asked(options, within)
        result = self._searcher(settings, within).search(query)
        return shown(result, top_n=settings.top_n, min_score=settings.min_score)

    def context(
        self,
        query: str,
        *,
        asked: Query | None = None,
        within: Filter = EVERYTHING,
        **options: Unpack[ContextQueryOptions],
    ) -> Context:
        """What of the answer to *query* fits a reader's window of `max_tokens`, as one text with its excerpts.

        Every passage that the search found competes, whatever `top_n` and `per_document` say. Tokens are those that
        `tokenizer` counts in the whole text. *asked* is named above it, for a reader who gets several. Documents are
        let in as in `search`.

        Raises:
            UsageError: as `search`, or `max_tokens` has no room for a sentence.
            ModelError: there is no such tokenizer.
        """
        from rerank_cli.context import fit_context, window_of
        from rerank_cli.retrieval import query_words
        from rerank_cli.search import EVERY_HIT

        settings, within = self._asked({**options, "per_document": EVERY_HIT, "top_n": EVERY_HIT}, within)
        count_tokens = self._counter(settings.tokenizer)
        result = self._searcher(settings, within).search(query)
        context = fit_context(
            result.hits,
            words=query_words(result.query),
            window=window_of(settings),
            count_tokens=count_tokens,
            asked=asked,
        )
        return replace(context, partial=result.partial)

    def _counter(self, tokenizer: str) -> CountTokens:
        """What counts tokens with *tokenizer*, loaded once."""
        if tokenizer == ENCODERS_OWN:
            return self.encoder.count_tokens
        return self._models.counter(tokenizer)

    def _asked(self, options: Mapping[str, object], within: Filter) -> tuple[Settings, Filter]:
        """The settings that hold with *options*, and the filter that they make where none is made already."""
        filters = {key: value for key, value in options.items() if key in FilterOptions.__annotations__}
        settings = changed(self.settings, {key: value for key, value in options.items() if key not in filters})
        if settings.min_score is not None and not settings.rerank:
            raise UsageError("min_score judges the reranker's score, and rerank is false", remedy="drop one")
        if filters and within:
            raise UsageError("a filter was given twice: within, and by options", remedy="drop one")
        return settings, filter_of(cast(FilterOptions, filters)) if filters else within

    def prepare_search(self) -> None:
        """Open the index and find both models now. They are loaded by the first search.

        Raises:
            UnusableIndex: there is no index, or it is of another encoder.
            ModelError: there is no such model.
        """
        self._searcher(self.settings, EVERYTHING)

    def _searcher(self, settings: Settings, within: Filter) -> Searcher:
        from rerank_cli.search import Searcher, search_settings

        return Searcher(
            self.index,
            encoder=None if settings.retriever == "lexical" else self.encoder,
            reranker=self.reranker if settings.rerank else None,
            settings=search_settings(settings, within=within),
        )

    def rerank(self, query: str, texts: Sequence[str]) -> Reranked:
        """How well each of *texts* answers *query*. No index is needed.

        A text that is longer than a passage is cut as a document is, and its best passage counts. Equal texts are
        scored once.

        Raises:
            UsageError: the query is empty or too long.
        """
        from rerank_cli.best_passages import best_passages
        from rerank_cli.corpus.unindexed import passages_of_text
        from rerank_cli.reranking import activated
        from rerank_cli.search import check_query

        asked = check_query(query)
        size, count_tokens = self.settings.passage_tokens, self._count_tokens
        documents = (passages_of_text(text, max_tokens=size, count_tokens=count_tokens) for text in texts)
        found = self._told("rerank", best_passages(asked, documents, reranker=self.reranker), total=len(texts))
        logits = [best.logit for best in found if best is not None]  # a text is a passage at least
        return Reranked(
            scores=tuple(activated(logit, self.reranker) for logit in logits),
            logits=tuple(logits),
            order=tuple(sorted(range(len(logits)), key=lambda place: (-logits[place], place))),
        )

    def rerank_files(self, query: str, paths: Sequence[Location]) -> RerankedFiles:
        """How well each of the files at *paths* answers *query*: as well as its best passage. No index is needed.

        They are read and cut as those of an index are, by the settings of this library; rules of names do not count.

        Raises:
            UsageError: the query is empty or too long.
        """
        from rerank_cli.best_passages import best_passages
        from rerank_cli.reranking import activated
        from rerank_cli.search import check_query

        asked = check_query(query)
        places = [Path(path) for path in paths]
        skipped: list[SkippedFile] = []
        documents = self._passages_of_files(places, skipped)
        found = self._told("rerank", best_passages(asked, documents, reranker=self.reranker), total=len(places))
        files = [
            RerankedFile(number, places[number], best.passage, activated(best.logit, self.reranker), best.logit)
            for number, best in enumerate(found)
            if best is not None
        ]
        return RerankedFiles(tuple(sorted(files, key=lambda file: (-file.logit, file.number))), tuple(skipped))

    def _passages_of_files(self, paths: Sequence[Path], skipped: list[SkippedFile]) -> Iterator[tuple[Passage, ...]]:
        """The passages of each file; none of one that is left out, which *skipped* gets."""
        from rerank_cli.corpus.reading import FileReading
        from rerank_cli.corpus.unindexed import passages_of_file
        from rerank_cli.indexing import rules_of

        rules = rules_of(self.settings)
        with FileReading(
            max_tokens=self.settings.passage_tokens,
            count_tokens=self._count_tokens,
            file_timeout_s=self.settings.file_timeout,
            converters=rules.converters,
        ) as reading:
            for path in paths:
                found = passages_of_file(path, reading, rules=rules)
                if isinstance(found, SkippedFile):
                    skipped.append(found)
                yield () if isinstance(found, SkippedFile) else found

    def _told(self, stage: str, results: Iterable[Result], *, total: int) -> Iterator[Result]:
        """*results* as they come, of which the listener hears how many of the *total* there are."""
        self._listener(Progress(stage, 0, total))
        for done, result in enumerate(results, start=1):
            self._listener(Progress(stage, done, total))
            yield result

    def _count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens as an index that is made now would count them."""
        return self._models.encoder(self._encoder or self.settings.encoder).count_tokens(texts)

    def similar(
        self,
        path: str,
        first: int | None = None,
        last: int | None = None,
        *,
        within: Filter = EVERYTHING,
        **options: Unpack[QueryOptions],
    ) -> SearchResult:
        """Both stages for what the indexed file *path* says, or for its passages from *first* to *last*.

        *path* is as hits have it. A place is a line, a page or whatever else the file is counted in; a line without
        text, such as that of a heading, is taken for the next one with text. Without a *last* it is the *first* alone.
        The documents that these passages are of are no hits.

        Raises:
            UsageError: no such file is in the index, or it has nothing there.
        """
        from rerank_cli.by_example import example_passages, passages_of_their_documents, query_of
        from rerank_cli.search import shown

        settings, within = self._asked(options, within)
        passages = example_passages(self.index, path, first=first, last=last)
        own = [stored.id for stored in passages_of_their_documents(self.index, passages)]
        result = self._searcher(settings, within).search(query_of(passages), without=own)
        return shown(result, top_n=settings.top_n, min_score=settings.min_score)

    def location_of(self, hit: Hit) -> Path:
        """Where the file of *hit* lies."""
        return location_of(Path(self.index.manifest.recipe.root), hit.path)

    def stale_files(self, hits: Sequence[Hit]) -> dict[str, Staleness]:
        """By path, the files of *hits* that are gone or changed since they were read."""
        return self.stale_paths({hit.path for hit in hits})

    def stale_paths(self, paths: AbstractCollection[str]) -> dict[str, Staleness]:
        """Those of *paths*, files of the index, that are gone or changed since they were read.

        Where an index is kept elsewhere, and its documents are not on this machine, nobody here can tell.
        """
        root = Path(self.index.manifest.recipe.root)
        if not root.exists() and self._is_kept_elsewhere:
            return {}
        return stale_files(root, self.index.file_states(paths))

    def status(self) -> Status:
        """What the index holds, and what has changed on the disk since."""
        from rerank_cli.corpus.discover import discover

        self._check_one()
        index = self.index
        manifest, counts, known, fields = index.manifest, index.counts(), index.files(), index.field_counts()
        self.close()  # a walk may take long, and a generation that is held keeps a writer's log from being folded back
        unreadable = {path: state.failure for path, state in known.items() if state.failure}
        rules = rules_of_recipe(manifest.recipe)
        try:
            found = discover(Path(manifest.recipe.root), rules, index_folder=self._index_place(), known=known)
            changes = compare(found, known)
        except InputError as error:
            return Status(manifest, counts, unreadable, None, unknown=str(error), fields=fields)
        unreadable.update((file.path, file.reason) for file in found.skipped if file.failed)
        return Status(manifest, counts, unreadable, changes, fields=fields)

    # Evaluate

    def evaluate(
        self,
        collection: Location | Collection | None = None,
        *,
        queries: Location | Mapping[str, str] | None = None,
        qrels: Location | Mapping[str, Mapping[str, int]] | None = None,
        measures: Sequence[str] = (),
        within: Filter = EVERYTHING,
        **options: Unpack[ContextQueryOptions],
    ) -> Evaluation:
        """What both stages are worth on judged queries, among the documents that *options* let in as in `search`.

        These are a *collection*, a folder of them, or the documents' own; or *queries* and *qrels*, both as files or
        both as texts by id and grades by id and document. *measures* are spelled as ir_measures spells them.

        Raises:
            InputError: a file cannot be read, or nothing that is judged is in the index.
            UsageError: there are no queries or no judgements, or a measure is none.
        """
        from rerank_cli.context import window_of
        from rerank_cli.evaluation.evaluate import Request, Workplace, evaluate
        from rerank_cli.evaluation.figures.measures import parse_measures
        from rerank_cli.evaluation.inputs.indexed_ids import judged_within, with_indexed_ids
        from rerank_cli.search import search_settings

        settings, within = self._asked(options, within)
        judged, files = self._judged_queries(collection, queries, qrels)
        request = Request(
            variant=search_settings(settings, within=within),
            measures=parse_measures(tuple(measures)),
            top=settings.top_n,
            window=window_of(settings),
        )
        workplace = Workplace(
            index=self.index,
            encoder=self.encoder,
            reranker=self.reranker if settings.rerank else None,
            cache=None,  # a library keeps nothing unasked
            device=settings.device,
            count_tokens=self._counter(settings.tokenizer),
        )
        collection = judged_within(with_indexed_ids(judged, self.index, files=files), self.index, within)
        return evaluate(collection, request, workplace, listener=self._listener)

    def _judged_queries(
        self,
        collection: Location | Collection | None,
        queries: Location | Mapping[str, str] | None,
        qrels: Location | Mapping[str, Mapping[str, int]] | None,
    ) -> tuple[Collection, tuple[Path, ...]]:
        """The queries with their judgements, and the files that they come from."""
        from rerank_cli.evaluation.inputs.collection import Collection, JudgedQuery, collection_files, read_collection

        if isinstance(collection, Collection):
            return collection, ()
        if isinstance(queries, Mapping) and isinstance(qrels, Mapping):
            asked = tuple(JudgedQuery(name, text) for name, text in queries.items() if name in qrels)
            if not asked:
                raise UsageError("none of the queries is judged", remedy="give queries and qrels the same ids")
            return Collection(asked, {query.id: qrels[query.id] for query in asked}), ()
        if isinstance(queries, Mapping) or isinstance(qrels, Mapping):
            raise UsageError("queries and qrels are of two kinds", remedy="give both as files, or both as mappings")
        files = collection_files(
            Path(self.index.manifest.recipe.root),
            folder=_path(collection),
            queries=_path(queries),
            qrels=_path(qrels),
        )
        return read_collection(*files), files

    # Models

    @property
    def encoder(self) -> Encoder:
        """The encoder that was named, or else the one that the index was made with; loaded at its first use."""
        return self._models.encoder(self._encoder or self._trusted(self.index.manifest.recipe.encoder))

    @property
    def reranker(self) -> Reranker:
        """The reranker that was named, or else the one of the settings; loaded at its first use."""
        return self._models.reranker(self._reranker)

    def _trusted(self, encoder: str) -> str:
        """*encoder*, which the index names; a remote one only if the user made the index, or else a query would leak.

        Raises:
            ModelError: it is remote, and the index lies where others may have put it.
        """
        from rerank_cli.models.address import is_address

        if is_address(encoder) and self._is_from_anybody():
            raise ModelError(
                f"{self.index.name}: was made with the remote encoder {encoder}, and a query would be sent there",
                remedy="if you trust it, name it with --encoder",
            )
        return encoder

    def _is_from_anybody(self) -> bool:
        """Whether the index, or one of several, lies where others than the user may have put it, as in an engine."""
        from rerank_cli.store.elsewhere import read_elsewhere

        folders = self._several or ((self._folder,) if self._folder else ())
        return not all(_is_kept_index(folder.resolve()) and read_elsewhere(folder) is None for folder in folders)


class _Models:
    """Opens each model once, when it is asked for; what is no name is a model already."""

    def __init__(self, settings: Settings, *, listener: Listener) -> None:
        self._device = settings.device
        self._timeout_s = settings.remote_timeout
        self._listener = listener
        self._encoders: dict[str, Encoder] = {}
        self._rerankers: dict[str, Reranker] = {}
        self._counters: dict[str, CountTokens] = {}

    def counter(self, tokenizer: str) -> CountTokens:
        if tokenizer not in self._counters:
            from rerank_cli.models.tokenizer import open_tokenizer

            self._counters[tokenizer] = open_tokenizer(tokenizer)
        return self._counters[tokenizer]

    def encoder(self, asked: str | Encoder) -> Encoder:
        if not isinstance(asked, str):
            return asked
        if asked not in self._encoders:
            from rerank_cli.models.loading import open_encoder

            self._encoders[asked] = open_encoder(
                asked, device=self._device, timeout_s=self._timeout_s, listener=self._listener
            )
        return self._encoders[asked]

    def reranker(self, asked: str | Reranker) -> Reranker:
        if not isinstance(asked, str):
            return asked
        if asked not in self._rerankers:
            from rerank_cli.models.loading import open_reranker

            self._rerankers[asked] = open_reranker(
                asked, device=self._device, timeout_s=self._timeout_s, listener=self._listener
            )
        return self._rerankers[asked]


def _itself(encoder: Encoder) -> Encoder:
    return encoder


def _root_or_index(place: Location) -> tuple[Path | None, Path | None]:
    """The documents at *place*, or the folder of the index that it names."""
    from rerank_cli.store.location import named_folder

    path = expanded(place)
    if isinstance(place, str) and os.sep not in place and not place.startswith(".") and not os.path.lexists(path):
        folder = named_folder(place)
        if not os.path.lexists(folder):
            raise InputError(f"{place}: no such folder, file or index", remedy="check its name")
        return None, folder
    root = documents_at(path)
    return (None, root) if _is_kept_index(root) else (root, None)


def _is_kept_index(folder: Path) -> bool:
    """Whether *folder* lies where the commands keep indexes, and nobody but the user writes."""
    from rerank_cli.store.location import indexes_folder

    try:
        return folder.parent == indexes_folder().resolve()
    except InputError:  # without a home folder there is no such place
        return False


def documents_at(place: Path) -> Path:
    """The folder or file *place*, its links followed.

    Raises:
        InputError: it is not there.
    """
    try:
        return expanded(place).resolve(strict=True)
    except FileNotFoundError as error:
        raise InputError(f"{place}: no such folder or file", remedy="check the path") from error
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
        raise InputError(f"{place}: cannot be followed ({in_words(error)})", remedy="check the path") from error


def _index_folder(index: Location) -> Path:
    from rerank_cli.store.location import named_folder

    return named_folder(index) if isinstance(index, str) else expanded(index).absolute()


def _path(place: Location | object) -> Path | None:
    return expanded(place) if isinstance(place, str | Path) else None
