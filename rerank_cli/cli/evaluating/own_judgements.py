"""The work of `rerank-cli eval judge`: judgements of one's own, of what both stages show."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rerank_cli.cli.evaluating.session import judge, single_keys
from rerank_cli.cli.evaluating.workplace import workplace
from rerank_cli.cli.options import index_meant
from rerank_cli.cli.progress import drawn_progress, spinning
from rerank_cli.cli.terminal import counted, fitted, say
from rerank_cli.config import Settings
from rerank_cli.evaluation.asking.one_pass import Pass
from rerank_cli.evaluation.asking.pooling import Pooled, to_judge
from rerank_cli.evaluation.asking.remembered_scores import RememberingReranker
from rerank_cli.evaluation.inputs.apart import check_outside
from rerank_cli.evaluation.inputs.collection import JudgedQuery, find_files, queries_in
from rerank_cli.evaluation.inputs.judgement_file import JudgementFile
from rerank_cli.ports import Index
from rerank_cli.queries import read_queries
from rerank_cli.records import Listener, StoredPassage
from rerank_cli.search import search_settings
from rerank_cli.store import open_reader


@dataclass(frozen=True, slots=True)
class Files:
    """Where the queries are and where the judgements go, as far as flags say."""

    collection: Path | None
    queries: Path | None
    qrels: Path | None

    def place(self, index: Index) -> Path:
        """The folder for what no flag names: that of the queries, or the indexed one."""
        root = Path(index.manifest.recipe.root)
        indexed = root if root.is_dir() else root.parent
        return self.collection or (self.queries.parent if self.queries else indexed)


def judge_pool(files: Files, *, index_name: str | None, settings: Settings, depth: int, seed: int) -> int:
    """Show what is not judged yet of the best *depth* documents of each stage, and keep each answer at once."""
    with ExitStack() as stack:
        index = stack.enter_context(open_reader(index_meant(index_name)))
        listener = stack.enter_context(drawn_progress(quiet=False))
        work = workplace(stack, index, settings, caches=True, listener=listener)
        place = files.place(index)
        asked = [JudgedQuery(query.id, query.text) for query in read_queries(files.queries or queries_in(place))]
        judged = files.qrels or find_files(place)[1] or place / "qrels.tsv"
        if not judged.exists():
            check_outside(judged.parent, index)
        judgements = JudgementFile(judged)
        assert work.reranker is not None
        remembering = RememberingReranker(work.reranker, cache=work.cache, device=work.device)
        variant = search_settings(settings)
        one_pass = Pass(
            index, encoder=work.encoder, reranker=remembering, scored=[variant.retriever], top_k=variant.top_k
        )
        pooled = to_judge(asked, one_pass, variant, index=index, grades=judgements.grades, depth=depth, seed=seed)
        if there := sum(map(len, judgements.grades.values())):
            say(f"{judged}: goes on behind {counted(there, 'judgement')}; these documents are not asked again")
        session = judge(
            _searched(pooled, listener),
            judgements,
            read_key=stack.enter_context(single_keys()),
            passages_of=lambda each: _passages_of(each, index),
        )
    counts = f"{counted(session.judged, 'judgement')}, {session.relevant} relevant"
    for line in fitted(f"{judged}: {counts}, in {session.elapsed_s:.0f} s", sys.stdout):
        print(line)
    return 0


def _searched(pooled: Iterable[Pooled], listener: Listener) -> Iterator[Pooled]:
    """*pooled*, with a sign of life on a terminal while a query is searched."""
    coming = iter(pooled)
    while True:
        with spinning(listener, "search"):
            each = next(coming, None)
        if each is None:
            return
        yield each


def _passages_of(pooled: Pooled, index: Index) -> list[StoredPassage]:
    """Those of the document, as the newest generation of *index* has it, which rests again afterwards."""
    index.wake()
    try:
        read = list(index.read_file(pooled.stored.path))
    finally:
        index.rest()
    return [stored for stored in read if stored.document_id == pooled.stored.document_id]
