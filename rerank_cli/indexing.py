"""From a folder to a new generation of its index: what changed, a plan, its application."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rerank_cli.config import Settings
from rerank_cli.corpus.discover import Discovery, discover, left_out_by_name
from rerank_cli.corpus.from_disk import opened, read_from_disk
from rerank_cli.corpus.limits import deserves_another_try
from rerank_cli.corpus.read import SHARED_VERSION, Format, Unreadable, format_of
from rerank_cli.corpus.repeated import MOST_PAGE_BYTES, NOTHING, LeftOut, Texts, left_out, mark
from rerank_cli.encoding import Batch, EncodingQueue
from rerank_cli.errors import IndexMismatch, InputError, TooMuchGone, UsageError
from rerank_cli.freshness import FileChanges, compare, rules_of_recipe, state_of, under
from rerank_cli.ports import Changes, Encoder, FileState, IndexWriter, Manifest, NewFile, Recipe, Workers
from rerank_cli.records import (
    FileRead,
    FoundFile,
    Listener,
    Progress,
    Rules,
    SkippedFile,
    SplitDocument,
    ignore_progress,
)
from rerank_cli.stamps import Stamp
from rerank_cli.vanishing import Loss, why_doubted

if TYPE_CHECKING:
    from rerank_cli.corpus.reading import FileReading

_WITHOUT = " without "

MAX_SHRINK = 0.5
"""The share of its documents that an index may lose in one run, unless a run is told otherwise."""


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """How a folder becomes passages. `file_timeout_s` is the longest time to read a file of up to 10 MB."""

    encoder: str
    passage_tokens: int
    rules: Rules
    file_timeout_s: float = 30.0


def index_settings(settings: Settings, *, encoder: str) -> IndexSettings:
    """What *settings* say of how to index, with the encoder that goes by the name *encoder*."""
    return IndexSettings(
        encoder=encoder,
        passage_tokens=settings.passage_tokens,
        rules=rules_of(settings),
        file_timeout_s=settings.file_timeout,
    )


def rules_of(settings: Settings) -> Rules:
    """The files that *settings* let in."""
    return Rules(
        include=settings.include,
        exclude=settings.exclude,
        hidden=settings.hidden,
        ignore_files=settings.ignore_files,
        max_file_size_bytes=settings.max_file_size,
        converters=settings.converter,
    )


def settings_in(recipe: Recipe) -> dict[str, Any]:
    """The settings that an index was made with, by key."""
    rules = rules_of_recipe(recipe)
    return {
        "encoder": recipe.encoder,
        "passage_tokens": recipe.passage_tokens,
        "include": rules.include,
        "exclude": rules.exclude,
        "hidden": rules.hidden,
        "ignore_files": rules.ignore_files,
        "max_file_size": rules.max_file_size_bytes,
        "converter": rules.converters,
    }


@dataclass(frozen=True, slots=True)
class NotedFile:
    """A file that was read in part, and in words for the user what of it was not."""

    path: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IndexSummary:
    """What a run did. Counts of files, but for `documents`, `passages`, `encoded` and `reused`.

    `failed` are all files that cannot be read, and `newly_failed` the paths of those that no run has told of.
    `kept` are the files whose documents stay in the index though they are missing or hold less now, and `doubt` says
    why. `noted` are the files read in this run of which a part could not be read, with what their readers note.
    `damaged` are the paths of all files of which a part is lost, as it is broken.
    `repeating` are those read without what most pages of their folder repeat.
    """

    index: str
    generation: int
    added: int
    changed: int
    removed: int
    unchanged: int
    files: int
    failed: tuple[SkippedFile, ...]
    newly_failed: tuple[str, ...]
    skipped: tuple[SkippedFile, ...]
    noted: tuple[NotedFile, ...]
    damaged: tuple[str, ...]
    repeating: int
    kept: tuple[str, ...]
    doubt: str
    documents: int
    passages: int
    encoded: int
    reused: int
    elapsed_s: float

    @property
    def up_to_date(self) -> bool:
        return not (self.added or self.changed or self.removed or self.kept)


def update_index(
    root: Path,
    *,
    writer: IndexWriter,
    encoder: Encoder,
    settings: IndexSettings,
    rebuild: bool = False,
    verify: bool = False,
    prune: bool = False,
    allow_shrink: bool = False,
    max_shrink: float = MAX_SHRINK,
    workers: Workers | None = None,
    listener: Listener = ignore_progress,
) -> IndexSummary:
    """Bring the index that *writer* holds up to date with *root*, or make it.

    The encoder is used only if a passage is new. Files are read and passages encoded here, or by *workers*. The old
    generation answers until the new one is complete, and stays if anything fails. A file that cannot be read now stays
    as it was read before, and so do those that are missing where more than *max_shrink* of all documents would go, or
    where a mount point is none any more, unless *allow_shrink* takes that at its word. With *verify*, the content of
    every file is compared; with *prune*, vectors that nothing of the index uses go.

    Raises:
        IndexMismatch: the index was made from another folder or with another encoder.
        InputError: *root* cannot be read, is suddenly empty, or holds no text.
        TooMuchGone: too much is missing for a rebuild, which would lose it.
    """
    started = time.perf_counter()
    known = writer.files()
    current = _read_as_now(known, settings.rules)
    judged = {path: state for path, state in current.items() if state.failure is None and not verify}
    found = discover(root, settings.rules, index_folder=writer.location, known=judged)
    _check_manifest(writer, root, encoder, rebuild=rebuild)
    run = _Run(root, writer, encoder, settings, found, known, frozenset(current))
    if not allow_shrink:
        run.check_not_empty()
    plan = run.plan(rebuild=rebuild, verify=verify)
    with _Work(writer, encoder, settings, workers, listener) as work:
        if not root.is_file():
            plan = run.with_repeated(plan, work)
        pending = plan.pending()
        read = work.read([file for file in found.files if file.path in pending], lone=root.is_file())
        outcome = run.outcome(plan, read)
        if not allow_shrink:
            outcome = run.believed(outcome, plan, max_shrink=max_shrink)
            run.check_text(outcome)
        work.mend()
    wanted = _recipe(root, encoder, settings, last=writer.manifest)
    if outcome.written or outcome.removed or prune or writer.needs_commit(wanted):
        listener(Progress("write", 0, 0))
        written = tuple(file.state.path for file in outcome.written)
        writer.commit(Changes(written, outcome.removed), wanted, prune=prune)
    run.remember(outcome, plan)
    return run.summary(outcome, plan, encoded=work.encoded, mended=work.mended, elapsed_s=time.perf_counter() - started)


def _read_as_now(known: Mapping[str, FileState], rules: Rules) -> dict[str, FileState]:
    """Those of *known* that were read as their format is read now, by path."""
    formats = ((path, state, format_of(path, rules.converters)) for path, state in known.items())
    return {path: state for path, state, format in formats if _is_read_as_now(state.reader, format)}


def _is_read_as_now(reader: str, format: Format) -> bool:
    """Whether what was read with *reader* would be now, but for what pages repeat."""
    return reader == format.reading or (format.page and reader.startswith(f"{format.reading}{_WITHOUT}"))


def _reader(format: Format, left_out: LeftOut) -> str:
    """What is kept with a file to tell how it was read: as its *format* is, without what is *left_out*."""
    return f"{format.reading}{_WITHOUT}{mark(left_out)}" if left_out else format.reading


def remember_told(writer: IndexWriter, failed: Iterable[SkippedFile]) -> None:
    """Remember that the user was told of *failed*, so that they are not `newly_failed` in the next run."""
    writer.keep_told({file.path: file.reason for file in failed})


@dataclass(frozen=True, slots=True)
class _ReadFile:
    """A file as read: its state, the ids of its documents that have text, and how many passages they have in all.

    The texts themselves are staged. `unread` tells a file that the system would not give us, or not in time, from one
    that we make nothing of.
    """

    state: FileState
    documents: frozenset[str] = frozenset()
    passages: int = 0
    unread: bool = False


class _Work:
    """Reads, splits, encodes and stages, a bounded number of passages at a time; here, or by workers."""

    def __init__(
        self,
        writer: IndexWriter,
        encoder: Encoder,
        settings: IndexSettings,
        workers: Workers | None,
        listener: Listener,
    ) -> None:
        self._writer = writer
        self._encoder = encoder
        self._settings = settings
        self._workers = workers
        self._listener = listener
        self._read_with = f"{SHARED_VERSION}/{settings.passage_tokens}/{encoder.fingerprint}"
        self._queue = EncodingQueue(encoder, workers=workers)
        self._share: _Share | None = None
        self._looked_at: dict[str, bytes] = {}
        self._open = ExitStack()
        self.left_out: Mapping[str, LeftOut] = {}
        self.encoded = self.mended = 0

    def __enter__(self) -> _Work:
        return self

    def __exit__(self, *_: object) -> None:
        self._queue.end()
        self._open.close()

    @cached_property
    def _reading(self) -> FileReading:
        from rerank_cli.corpus.reading import FileReading  # which a run with nothing to do does without

        return self._open.enter_context(
            FileReading(
                max_tokens=self._settings.passage_tokens,
                count_tokens=self._encoder.count_tokens,
                file_timeout_s=self._settings.file_timeout_s,
                converters=self._settings.rules.converters,
                get_ready=self._check_passages_fit,
            )
        )

    def texts(self, file: FoundFile) -> Texts:
        """The texts in *file* that other pages might have too; none where it cannot be read."""
        self._listener(Progress("compare", 0, 0))
        self._looked_at[file.path] = b""
        try:
            file, content = opened(file, max_bytes=self._settings.rules.max_file_size_bytes)
            self._looked_at[file.path] = hashlib.sha256(content).digest()
            return self._reading.texts(file, content)
        except (OSError, Unreadable):  # which is told when it is read
            return {}

    def read(self, files: list[FoundFile], *, lone: bool) -> list[_ReadFile]:
        """Read every file, stage it, and encode its passages that no vector is kept for."""
        read = []
        reads = self._reads(files, lone=lone)
        self._share = share = _Share(sum(file.stamp.size_bytes for file in files))
        for done, file in enumerate(files):
            self._tell("read", done, len(files))
            read.append(self._taken(next(reads)))
            share.add(file.stamp.size_bytes, passages=read[-1].passages)
            self._encode_if_full()
        self._encode(until=0)
        self._share = None
        return read

    def mend(self) -> None:
        """Encode again what the index has lost the vectors of."""
        before = self.encoded
        for text_hash, text in self._writer.lost_texts(self._encoder.fingerprint):
            self._queue.add({text_hash: text})
            self._encode_if_full()
        self._encode(until=0)
        self.mended = self.encoded - before

    def _reads(self, files: Sequence[FoundFile], *, lone: bool) -> Iterator[FileRead]:
        """Each of *files* as it is now, one after another. What a killed run staged is not read here again."""
        if self._workers is not None and files:
            self._check_passages_fit()
            left_out = [(file, self.left_out.get(file.path, NOTHING)) for file in files]
            yield from self._workers.read(left_out, lone=lone)
            return
        for file in files:
            yield read_from_disk(
                file,
                self._reading,
                max_bytes=self._settings.rules.max_file_size_bytes,
                lone=lone,
                left_out=self.left_out.get(file.path, NOTHING),
                is_known=lambda file, digest: self._staged(self._state(file, digest)) is not None,
                listener=self._await_encoding,
            )

    def _state(self, file: FoundFile, digest: bytes) -> FileState:
        """The state of *file* as it was read now."""
        state = state_of(file, digest, self._reader(file), failure=None)
        if self._looked_at.get(file.path, digest) != digest:  # changed meanwhile, and with it perhaps other pages
            return _outdated(state)
        return state

    def _staged(self, state: FileState) -> NewFile | None:
        staged = self._writer.staged(state.path, state.content_hash, key=self._key(state))
        return None if staged is None or staged.state.failure else staged

    def _key(self, state: FileState) -> str:
        return f"{self._read_with}/{state.reader}"

    def _taken(self, read: FileRead) -> _ReadFile:
        """Stage what was read; why it could not be becomes part of the file's state."""
        if read.failure is not None:
            return self._failed(read)
        state = self._state(read.file, read.digest)
        if read.reading is not None:
            state = state._replace(notes=read.reading.notes, damaged=read.reading.damaged)
            staged = NewFile(state, read.reading.documents)
            self._writer.stage(staged, key=self._key(state))
        else:
            known = self._staged(state)
            assert known is not None
            staged = known
            if staged.state != (state := state._replace(notes=staged.state.notes, damaged=staged.state.damaged)):
                staged = staged._replace(state=state)
                self._writer.stage(staged, key=self._key(state))
        self._await_encoding(staged.documents)
        return _ReadFile(
            staged.state,
            documents=frozenset(document.id for document in staged.documents if document.passages),
            passages=sum(len(document.passages) for document in staged.documents),
        )

    def _failed(self, read: FileRead) -> _ReadFile:
        state = state_of(read.file, read.digest, self._reader(read.file), failure=read.failure)
        self._writer.stage(NewFile(state, ()), key=self._key(state))
        return _ReadFile(state, unread=read.unread)

    def _reader(self, file: FoundFile) -> str:
        format = format_of(file.path, self._settings.rules.converters)
        return _reader(format, self.left_out.get(file.path, NOTHING))

    def _check_passages_fit(self) -> None:
        limit = self._encoder.max_tokens
        if self._settings.passage_tokens > limit:
            raise UsageError(
                f"passages of {self._settings.passage_tokens} tokens do not fit the encoder, which reads {limit}",
                remedy=f"set --passage-tokens to {limit} or less",
            )

    def _await_encoding(self, documents: Sequence[SplitDocument]) -> None:
        texts = {passage.text_hash: passage.model_text for document in documents for passage in document.passages}
        missing = self._writer.missing_vectors(self._encoder.fingerprint, texts)
        self._queue.add({text_hash: texts[text_hash] for text_hash in missing})
        for batch in self._queue.meanwhile():
            self._keep(batch)

    def _encode_if_full(self) -> None:
        if self._queue.is_full:
            self._encode(until=len(self._queue) // 2)

    def _encode(self, *, until: int) -> None:
        """Encode what waits, in batches, while it is more than *until*."""
        while len(self._queue) > until:
            self._tell("encode", self.encoded, self.encoded + len(self._queue))
            self._keep(self._queue.next())

    def _tell(self, stage: str, done: int, total: int) -> None:
        share = None if self._share is None else self._share.done(len(self._queue))
        self._listener(Progress(stage, done, total, share=share))

    def _keep(self, batch: Batch) -> None:
        """Keep its vectors: they are not computed again, whatever happens."""
        self._writer.keep_vectors(self._encoder.fingerprint, batch.text_hashes, batch.vectors)
        self.encoded += len(batch.text_hashes)


class _Share:
    """How much of the work of a run is done, by the bytes of the files whose passages are read and encoded."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._read = self._passages = 0

    def add(self, size: int, *, passages: int) -> None:
        """Say that a file of that *size* was read, with so many *passages*."""
        self._read += size
        self._passages += passages

    def done(self, waiting: int) -> float:
        """The share of 1, while so many of the passages are *waiting* to be encoded."""
        read = self._read / max(1, self._size)
        return read * (1 - min(1.0, waiting / max(1, self._passages)))


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a run has to do. `again` are unchanged files that are read all the same, all of them where it is `afresh`.

    It `gives_up` what the index holds of another folder or another encoder.
    """

    changes: FileChanges
    again: tuple[str, ...]
    afresh: bool
    gives_up: bool

    def pending(self) -> frozenset[str]:
        """The files to read."""
        return frozenset((*self.changes.added, *self.changes.changed, *self.again))


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What reading came to: files to write and files to remove.

    `unwritten` were read, and stay as the index has them: they cannot be read now, or hold less than can be believed.
    `kept` are all files whose loss is not believed, and `doubt` says why.
    """

    written: tuple[_ReadFile, ...]
    removed: tuple[str, ...]
    unwritten: tuple[_ReadFile, ...]
    kept: frozenset[str] = frozenset()
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class _Run:
    """One run: what was found in the folder, what the index knows of it, and which files were read as they are now."""

    root: Path
    writer: IndexWriter
    encoder: Encoder
    settings: IndexSettings
    found: Discovery
    known: Mapping[str, FileState]
    current: frozenset[str]

    def check_not_empty(self) -> None:
        if self.found.files:
            return
        if self.known:
            raise TooMuchGone(
                f"{self.root}: no file to index, but the index holds {len(self.known)}; is the disk mounted?",
                remedy="pass --allow-shrink if all of them are really gone",
            )
        raise InputError(
            f"{self.root}: no file to index", remedy="see why each file is left out: rerank-cli index --dry-run"
        )

    def plan(self, *, rebuild: bool, verify: bool) -> _Plan:
        manifest = self.writer.manifest
        afresh = rebuild or _reads_differently(manifest, self.settings)
        changes = compare(self.found, self.known, verify=verify)
        gives_up = _gives_up(manifest, self.root, self.encoder)
        if gives_up:
            changes = changes._replace(removed=(*changes.removed, *changes.out_of_sight), out_of_sight=())
        again = tuple(path for path in changes.unchanged if afresh or self._is_to_be_read(path, verify=verify))
        return _Plan(changes, again, afresh=afresh, gives_up=gives_up)

    def with_repeated(self, plan: _Plan, work: _Work) -> _Plan:
        """*plan*, and each page of which less or more is to be left out than it was, as others came or went."""
        changed = [path for path in (*plan.pending(), *plan.changes.removed) if self._format(path).page]
        if not changed:
            return plan
        pages = {file.path: file for file in self.found.files if self._format(file.path).page}
        looked_at = (path for path, file in pages.items() if file.size_bytes <= MOST_PAGE_BYTES)
        work.left_out = left_out(looked_at, changed, lambda path: work.texts(pages[path]))
        pending = plan.pending()
        more = (
            path
            for path, texts in work.left_out.items()
            if path not in pending and self.known[path].reader != _reader(self._format(path), texts)
        )
        return replace(plan, again=(*plan.again, *sorted(more)))

    def _format(self, path: str) -> Format:
        return format_of(path, self.settings.rules.converters)

    def _is_to_be_read(self, path: str, *, verify: bool) -> bool:
        """Whether a file that has not changed might be read otherwise now."""
        if path not in self.current:
            return True
        state = self.known[path]
        return state.failure is not None and deserves_another_try(
            state.failure, state.stamp.size_bytes, math.inf if verify else self.settings.file_timeout_s
        )

    def outcome(self, plan: _Plan, read: Sequence[_ReadFile]) -> _Outcome:
        """A file that cannot be read now stays as it was read before, unless nothing is taken over from the index."""
        held = self.writer.document_counts() if any(file.unread for file in read) and not plan.gives_up else {}
        missed = {file.state.path for file in read if file.unread and file.state.path in held}
        return _Outcome(
            written=tuple(file for file in read if file.state.path not in missed),
            removed=plan.changes.removed,
            unwritten=tuple(file for file in read if file.state.path in missed),
        )

    def believed(self, outcome: _Outcome, plan: _Plan, *, max_shrink: float) -> _Outcome:
        """*outcome* without what it would lose beyond belief. Nothing is lost of an index of another folder."""
        manifest = self.writer.manifest
        if manifest is None or manifest.recipe.root != str(self.root) or not (outcome.removed or plan.changes.changed):
            return outcome
        counts = self.writer.document_counts()
        loss = self._loss(outcome, plan.changes, counts)
        why = why_doubted(
            loss,
            total=sum(counts.values()),
            max_shrink=max_shrink,
            mounts_before=self.writer.mounts(),
            mounts_now=self.found.mounts,
        )
        if not why:
            return outcome
        if manifest.recipe.encoder_fingerprint != self.encoder.fingerprint:
            raise TooMuchGone(
                f"{self.root}: {why}; another encoder would have to read them, so nothing was rebuilt",
                remedy="mount the disk, or pass --allow-shrink if they are really gone",
            )
        kept = loss.missing | loss.documents.keys()
        return _Outcome(
            written=tuple(file for file in outcome.written if file.state.path not in kept),
            removed=tuple(path for path in outcome.removed if path not in kept),
            unwritten=(*outcome.unwritten, *(file for file in outcome.written if file.state.path in kept)),
            kept=kept,
            doubt=why,
        )

    def _loss(self, outcome: _Outcome, changes: FileChanges, counts: Mapping[str, int]) -> Loss:
        """What *outcome* takes out of an index whose files hold as many documents as *counts* says.

        A file that moved is not lost, and neither is what the user's rules leave out.
        """
        left_out = under(outcome.removed, {file.path for file in self.found.skipped if file.chosen})
        left_out |= left_out_by_name(outcome.removed, self.settings.rules)
        came = {file.state.content_hash for file in outcome.written if file.state.path not in self.known}
        missing = {
            path for path in outcome.removed if path not in left_out and self.known[path].content_hash not in came
        }
        written = {file.state.path: file.documents for file in outcome.written}
        before = self.writer.documents_in([path for path in changes.changed if path in written])
        fewer = {path: len(documents - written[path]) for path, documents in before.items()}
        return Loss(
            {path: counts[path] for path in missing if path in counts}
            | {path: number for path, number in fewer.items() if number},
            frozenset(missing),
        )

    def check_text(self, outcome: _Outcome) -> None:
        if not (outcome.written or outcome.removed):
            return
        if any(file.passages for file in outcome.written):
            return
        if self.writer.document_counts().keys() - {*outcome.removed, *(file.state.path for file in outcome.written)}:
            return
        failed = (file.state for file in outcome.written if file.state.failure)
        reason = next((f" ({state.path}: {state.failure})" for state in failed), "")
        count = len(self.found.files)
        raise InputError(
            f"{self.root}: no text in any of {count} file{'s' * (count != 1)}{reason}",
            remedy="check that it is the right folder, or pass --allow-shrink",
        )

    def remember(self, outcome: _Outcome, plan: _Plan) -> None:
        """Keep what the next run must know beside the new generation.

        Where all is read afresh, what could not be is to be read when it can. A file whose reading took too much is
        not read again as it is.
        """
        states = list(plan.changes.touched)
        if plan.afresh:
            missed = {*plan.changes.out_of_sight, *outcome.kept, *(file.state.path for file in outcome.unwritten)}
            states += [_outdated(self.known[path]) for path in sorted(missed)]
        else:
            given_up = [file.state for file in outcome.unwritten if file.state.path not in outcome.kept]
            states += [state for state in given_up if state.content_hash]
        self.writer.touch(states)
        if not outcome.doubt:
            self.writer.keep_mounts(self.found.mounts)

    def summary(self, outcome: _Outcome, plan: _Plan, *, encoded: int, mended: int, elapsed_s: float) -> IndexSummary:
        assert self.writer.manifest is not None
        counts = self.writer.counts()
        failed = _failures(self.found, self._states(outcome))
        passages = sum(file.passages for file in outcome.written)
        return IndexSummary(
            index=self.writer.name,
            generation=self.writer.manifest.generation,
            added=len(plan.changes.added),
            changed=len(outcome.written) - len(plan.changes.added),
            removed=len(outcome.removed),
            unchanged=len(plan.changes.unchanged) - len(plan.again),
            files=counts.files,
            failed=failed,
            newly_failed=self._newly_failed(failed, outcome),
            skipped=tuple(file for file in self.found.skipped if not file.failed),
            noted=tuple(NotedFile(file.state.path, file.state.notes) for file in outcome.written if file.state.notes),
            damaged=tuple(sorted({state.path for state in self._states(outcome) if state.damaged})),
            repeating=sum(
                _WITHOUT in file.state.reader and self._format(file.state.path).page for file in outcome.written
            ),
            kept=tuple(sorted(outcome.kept)),
            doubt=outcome.doubt,
            documents=counts.documents,
            passages=counts.passages,
            encoded=encoded,
            reused=passages - (encoded - mended),
            elapsed_s=elapsed_s,
        )

    def _states(self, outcome: _Outcome) -> Iterable[FileState]:
        """Every file of the index as it is now, and those that could not be written as they are."""
        gone = {*outcome.removed, *(file.state.path for file in outcome.written)}
        yield from (state for path, state in self.known.items() if path not in gone)
        yield from (file.state for file in (*outcome.written, *outcome.unwritten))

    def _newly_failed(self, failed: Sequence[SkippedFile], outcome: _Outcome) -> tuple[str, ...]:
        """The paths of *failed* that the user was not told of: for this reason, and as they are now.

        What was told and holds no longer is forgotten, so that it is told when it comes again.
        """
        changed = {
            file.state.path
            for file in (*outcome.written, *outcome.unwritten)
            if file.state.path in self.known and self.known[file.state.path].content_hash != file.state.content_hash
        }
        told = self.writer.told()
        known = {file.path for file in failed if file.path not in changed and told.get(file.path) == file.reason}
        self.writer.keep_told({path: reason for path, reason in told.items() if path in known})
        return tuple(file.path for file in failed if file.path not in known)


def _check_manifest(writer: IndexWriter, root: Path, encoder: Encoder, *, rebuild: bool) -> None:
    if writer.manifest is None or rebuild:
        return
    recipe = writer.manifest.recipe
    if recipe.root != str(root):
        raise IndexMismatch(
            f"{writer.name}: this index was made from {recipe.root}, not {root}",
            remedy="name another index with --index, or give this one up with --rebuild",
        )
    if recipe.encoder_fingerprint != encoder.fingerprint:
        raise IndexMismatch(
            f"{writer.name}: made with the encoder {recipe.encoder}, not the one asked for",
            remedy=f"encode it anew: {writer.update_command(rebuild=True)}",
        )


def _gives_up(manifest: Manifest | None, root: Path, encoder: Encoder) -> bool:
    """Whether a rebuild takes nothing over from the index, as its files or its vectors are others."""
    if manifest is None:
        return False
    return (manifest.recipe.root, manifest.recipe.encoder_fingerprint) != (str(root), encoder.fingerprint)


def _outdated(state: FileState) -> FileState:
    """*state* as that of a file to read again, though nothing about it changes: its size is none that a file has."""
    return state._replace(stamp=Stamp(-1, 0, 0, 0))


def _reads_differently(manifest: Manifest | None, settings: IndexSettings) -> bool:
    if manifest is None:
        return False
    return (manifest.recipe.passage_tokens, manifest.recipe.reader_version) != (settings.passage_tokens, SHARED_VERSION)


def _recipe(root: Path, encoder: Encoder, settings: IndexSettings, *, last: Manifest | None) -> Recipe:
    same_encoder = last is not None and last.recipe.encoder_fingerprint == encoder.fingerprint
    return Recipe(
        root=str(root),
        rules={key: list(rule) if isinstance(rule, tuple) else rule for key, rule in settings.rules._asdict().items()},
        encoder=settings.encoder,
        encoder_fingerprint=encoder.fingerprint,
        dimensions=last.recipe.dimensions if last and same_encoder else encoder.dimensions,  # which loads the model
        passage_tokens=settings.passage_tokens,
        reader_version=SHARED_VERSION,
    )


def _failures(found: Discovery, states: Iterable[FileState]) -> tuple[SkippedFile, ...]:
    """Each path once, by path: what failed now goes before what the index remembers."""
    failures = {state.path: SkippedFile(state.path, state.failure, "failed") for state in states if state.failure}
    failures.update({file.path: file for file in found.skipped if file.failed})
    return tuple(failures[path] for path in sorted(failures))
