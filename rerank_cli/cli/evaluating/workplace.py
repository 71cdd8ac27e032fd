"""What the commands of `eval` work with: an index, its models, the score cache, and the request that flags make."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from rerank_cli.cli.evaluating.asked import Asked
from rerank_cli.config import Settings
from rerank_cli.context import window_of
from rerank_cli.evaluation.conclusions.gate import parse_floor, read_baseline
from rerank_cli.evaluation.evaluate import Request, Workplace
from rerank_cli.evaluation.figures.measures import Measure, parse_measures
from rerank_cli.models import loading
from rerank_cli.models.tokenizer import open_tokenizer
from rerank_cli.ports import Filter, Index
from rerank_cli.records import ENCODERS_OWN, Listener
from rerank_cli.search import search_settings
from rerank_cli.store.scores import ScoreStore, scores_path


def workplace(stack: ExitStack, index: Index, settings: Settings, *, caches: bool, listener: Listener) -> Workplace:
    """*index* with its models, and the score cache if there are pairs to score, open until *stack* closes."""
    reranks = settings.rerank
    by_encoder = settings.tokenizer == ENCODERS_OWN
    return Workplace(
        index=index,
        encoder=loading.open_encoder(
            settings.encoder, device=settings.device, timeout_s=settings.remote_timeout, listener=listener
        ),
        reranker=loading.open_reranker(
            settings.reranker, device=settings.device, timeout_s=settings.remote_timeout, listener=listener
        )
        if reranks
        else None,
        cache=None if not caches or not reranks else stack.enter_context(ScoreStore(scores_path())),
        device=settings.device,
        count_tokens=None if by_encoder else open_tokenizer(settings.tokenizer),
    )


def request_of(asked: Asked, settings: Settings, within: Filter) -> Request:
    """What to find out under *settings* about the documents *within* a filter."""
    return Request(
        variant=search_settings(settings, within=within),
        measures=parse_measures(asked.measures),
        gated=tuple(parse_floor(text)[0] for text in asked.fail_under),
        sweeps=asked.sweeps,
        diagnoses=asked.diagnose or asked.report is not None,
        draws=asked.report is not None or asked.plot is not None,
        top=settings.top_n,
        window=window_of(settings),
    )


def baseline_of(asked: Asked, collection_fingerprint: str, measures: Sequence[Measure]) -> dict[str, float]:
    """The earlier figures that were named, if any were."""
    if asked.baseline is None:
        return {}
    return read_baseline(asked.baseline, collection_fingerprint=collection_fingerprint, measures=measures)
