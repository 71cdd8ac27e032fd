"""An evaluation as a whole: everything that one run of `eval` found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rerank_cli.evaluation.conclusions.diagnosis import Diagnosis
from rerank_cli.evaluation.figures.measures import Figures
from rerank_cli.evaluation.figures.several_runs import Compared
from rerank_cli.evaluation.figures.stages import StageFigures
from rerank_cli.evaluation.figures.sweep import SweepTable


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything that one run of `eval` found; what was not asked for is empty or None.

    `context` says how it was made: index, models, parameters, environment. `asked` of `total` judged
    queries had their turn. `depths` is the sweep over top_k, made unasked where there is a second stage.
    `recall_curves` holds (depth, recall of the candidates) by retriever, `missing` the judged documents
    that are not in the index, `unmeasured` the configurations whose turn an interrupt kept from coming.
    """

    context: Mapping[str, object]
    notes: tuple[str, ...]
    asked: int
    total: int
    collection_fingerprint: str
    texts: Mapping[str, str]
    stages: StageFigures | None = None
    depths: SweepTable | None = None
    sweeps: tuple[SweepTable, ...] = ()
    compared: tuple[Compared, ...] = ()
    diagnosis: Diagnosis | None = None
    recall_curves: Mapping[str, tuple[tuple[int, float], ...]] | None = None
    missing: tuple[str, ...] = ()
    unmeasured: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether every query had its turn, in every configuration."""
        return self.asked == self.total and not self.unmeasured

    @property
    def final(self) -> Figures:
        """What is compared with a baseline: the reranked stage, or that of the first configuration or run."""
        return self.stages.final if self.stages else self.compared[0].figures
