"""`rerank-cli query`: search an index in both stages."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rerank_cli.cli.options import (
    ConfigFile,
    Device,
    EncoderName,
    FusionName,
    FusionWeight,
    IndexName,
    QueriesFile,
    Quiet,
    RerankerName,
    Reranks,
    RetrieverName,
    TopK,
    configured,
    own,
    setting,
    working_folder,
)
from rerank_cli.cli.progress import drawn_progress
from rerank_cli.cli.terminal import tell
from rerank_cli.config import Settings
from rerank_cli.errors import InputError, UsageError, in_words
from rerank_cli.queries import Query, read_queries

if TYPE_CHECKING:
    from rerank_cli.cli.output import ResultWriter
    from rerank_cli.ports import Index
    from rerank_cli.search import Searcher

NO_RESULT = 1

LINE_BYTES = 1_000_000
"""As much is kept of a typed line, which is more than a query may have: its end need not be remembered."""


def run(
    text: Annotated[
        str | None, typer.Argument(help="What to look for; - reads queries from stdin, one a line.", show_default=False)
    ] = None,
    queries: QueriesFile = None,
    index: IndexName = None,
    retriever: RetrieverName = None,
    top_k: TopK = None,
    rerank: Reranks = None,
    fusion: FusionName = None,
    fusion_weight: FusionWeight = None,
    top_n: Annotated[str | None, setting("top_n", "-n")] = None,
    per_document: Annotated[str | None, setting("per_document")] = None,
    min_score: Annotated[str | None, setting("min_score")] = None,
    path: Annotated[list[str] | None, own("--path", "Search only files that match this glob. May be repeated.")] = None,
    format: Annotated[str | None, setting("format", "-f")] = None,
    explain: Annotated[bool, own("--explain", "Show where each hit stood in each list.")] = False,
    encoder: EncoderName = None,
    reranker: RerankerName = None,
    device: Device = None,
    config: ConfigFile = None,
    quiet: Quiet = False,
) -> int:
    """Search an index in two stages: retrieve many, rerank them all, show the best few."""
    merged = configured(
        working_folder(),
        config,
        {
            "retriever": retriever,
            "top_k": top_k,
            "rerank": rerank,
            "fusion": fusion,
            "fusion_weight": fusion_weight,
            "top_n": top_n,
            "per_document": per_document,
            "min_score": min_score,
            "format": format,
            "encoder": encoder,
            "reranker": reranker,
            "device": device,
        },
    )
    settings = merged.settings
    if settings.min_score is not None and not settings.rerank:
        limited, left_out = merged.origins["min_score"], merged.origins["rerank"]
        raise UsageError(
            f"min_score ({limited}) judges the reranker's score, and rerank is false ({left_out})", remedy="drop one"
        )
    return _answer(
        _queries(text, queries),
        many=text is None or text == "-",
        index=index,
        settings=settings,
        globs=path or [],
        explain=explain,
        quiet=quiet,
    )


def _answer(
    asked: Iterator[Query] | None,
    *,
    many: bool,
    index: str | None,
    settings: Settings,
    globs: list[str],
    explain: bool,
    quiet: bool,
) -> int:
    from rerank_cli.cli.output import Presentation, writer_for
    from rerank_cli.models.loading import open_encoder, open_reranker
    from rerank_cli.ports import Filter
    from rerank_cli.search import Searcher, SearchSettings
    from rerank_cli.store import open_reader
    from rerank_cli.store.location import find_index

    within = Filter(tuple(globs))
    if within:
        from rerank_cli.globs import any_glob

        any_glob(globs)  # what is wrong with one is told before anything is loaded
    folder = find_index(index, start=working_folder())
    with open_reader(folder) as reader, drawn_progress(quiet=quiet) as listener:
        encoder = reranker = None
        if settings.retriever != "lexical":
            encoder = open_encoder(settings.encoder, device=settings.device, listener=listener)
        if settings.rerank:
            reranker = open_reranker(settings.reranker, device=settings.device, listener=listener)
        searcher = Searcher(
            reader,
            encoder=encoder,
            reranker=reranker,
            settings=SearchSettings(
                retriever=settings.retriever,
                top_k=settings.top_k,
                fusion=settings.fusion,
                fusion_weight=settings.fusion_weight,
                reranks=settings.rerank,
                per_document=1 if settings.format == "trec" else settings.per_document,
                within=within,
            ),
        )
        presentation = Presentation(
            settings=settings,
            index=reader,
            reranker_fingerprint=reranker.fingerprint if reranker else None,
            calibrated=reranker is not None and reranker.calibrated,
            many=many,
            explain=explain,
            paths=tuple(globs),
        )
        typed = _queries_typed(reader) if asked is None else asked
        return _write(typed, reader, searcher, settings, writer_for(presentation, sys.stdout))


def _write(asked: Iterator[Query], reader: Index, searcher: Searcher, settings: Settings, writer: ResultWriter) -> int:
    """Answer each query and write it at once.

    One of many that cannot be asked is told and passed over, so that the others get their answers.
    Returns 2 if there was such a query, 1 if none found anything, else 0.
    """
    from rerank_cli.cli.output import Answer
    from rerank_cli.freshness import stale_files

    found, refused = False, 0
    for query in asked:
        try:
            result = searcher.search(query.text)
        except UsageError as error:
            if not query.origin:
                raise
            tell(error, where=query.origin)
            refused = error.exit_code
            continue
        hits = [hit for hit in result.hits if settings.min_score is None or (hit.score or 0.0) >= settings.min_score]
        shown = hits[: settings.top_n]
        states = reader.file_states({hit.candidate.stored.path for hit in shown})
        stale = stale_files(Path(reader.manifest.recipe.root), states)
        writer.write(Answer(query.id, result, tuple(shown), stale))
        found = found or bool(shown)
    writer.close()
    return refused or (0 if found else NO_RESULT)


def _queries(text: str | None, file: Path | None) -> Iterator[Query] | None:
    """The queries given; None if they will be typed."""
    if (text is None) == (file is None):
        raise (
            UsageError("no query", remedy="give TEXT, - for stdin, or --queries FILE")
            if text is None
            else UsageError("both TEXT and --queries were given", remedy="drop one")
        )
    if file is not None:
        return iter(read_queries(file))  # the whole file: a bad line is told before any work is done
    if text == "-":
        return None
    assert text is not None
    return iter([Query("1", text)])


def _queries_typed(index: Index) -> Iterator[Query]:
    """Each line of stdin as it comes, known by its number, with *index* at its newest generation by then."""
    number = 0
    while line := _next_line(index):
        number += 1
        text = line.decode("utf-8-sig" if number == 1 else "utf-8", errors="replace")
        if text.strip():
            index.wake()
            yield Query(str(number), text, origin=f"stdin:{number}: ")


def _next_line(index: Index) -> bytes:
    index.rest()
    try:
        line = rest = sys.stdin.buffer.readline(LINE_BYTES)
        while len(rest) == LINE_BYTES and not rest.endswith(b"\n"):
            rest = sys.stdin.buffer.readline(LINE_BYTES)
        return line
    except OSError as error:
        raise InputError(f"stdin: cannot be read ({in_words(error)})", remedy="check where it comes from") from error
