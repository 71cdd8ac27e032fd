"""Fine-tune a cross-encoder or a bi-encoder on groups of passages, with sentence-transformers' own trainers.

`fit_reranker` fits a `CrossEncoder`: one that was trained before, or a new one over a bi-encoder's layers.
`fit_encoder` fits a `SentenceTransformer`. Both change the model that they are given and keep checkpoints;
watched by a validation, they stop early and tell which checkpoint was the best.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rerank_cli.errors import ModelError
from rerank_cli.models.torch import prompt_for
from rerank_cli.places import tighten_tree
from rerank_cli.records import Listener, Progress, ignore_progress
from rerank_cli.training.destination import last_checkpoint
from rerank_cli.training.groups import Group
from rerank_cli.training.listwise import listwise_loss

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder, SentenceTransformer

WARMUP_SHARE = 0.06
"""Of all steps; below 1, sentence-transformers takes `warmup_steps` for a share."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How a model is fitted. `max_steps` 0 sets no limit beside the epochs."""

    max_tokens: int = 192
    batch_queries: int = 8
    epochs: int = 1
    max_steps: int = 0
    learning_rate: float = 7e-5
    pointwise_weight: float = 0.3
    checkpoint_steps: int = 250
    bf16: bool = True
    seed: int = 17


@dataclass(frozen=True, slots=True)
class Watch:
    """A validation beside the training.

    `quality` measures the model as it is, higher is better; `before` is what it gave at the start. After every
    `every_steps`, and at the end, it is measured again; after `patience` measurements in a row without a new
    best, training stops.
    """

    quality: Callable[[], float]
    before: float
    every_steps: int
    patience: int


@dataclass(frozen=True, slots=True)
class Fitted:
    """What was run: steps, the share of epochs, each measurement as (step, quality).

    `best` is the checkpoint that beat the start by most; None where none did, or nothing was measured.
    """

    steps: int
    epochs: float
    measured: tuple[tuple[int, float], ...]
    best: Path | None


def fit_reranker(
    groups: Sequence[Group],
    *,
    model: CrossEncoder,
    checkpoints: Path,
    fit: Fit,
    resume: bool,
    watch: Watch | None = None,
    listener: Listener = ignore_progress,
) -> Fitted:
    """Fit *model*, which is changed, to *groups*; with *resume*, go on from the last whole checkpoint, if any."""
    from datasets import Dataset
    from sentence_transformers.cross_encoder import CrossEncoderTrainer, CrossEncoderTrainingArguments

    _settle(model, fit)
    rows = Dataset.from_dict(
        {
            "query": [group.query for group in groups],
            "passages": [list(group.passages) for group in groups],
            "labels": [list(group.target) for group in groups],
        }
    )
    trainer = _without_card(CrossEncoderTrainer)(
        model=model,
        args=CrossEncoderTrainingArguments(**_arguments(len(groups), model, checkpoints, fit, watch)),
        train_dataset=rows,
        loss=listwise_loss(model, pointwise_weight=fit.pointwise_weight),
        evaluator=None if watch is None else _evaluator(watch),
    )
    return _run(trainer, checkpoints, resume=resume, watch=watch, listener=listener)


def fit_encoder(
    groups: Sequence[Group],
    *,
    model: SentenceTransformer,
    checkpoints: Path,
    fit: Fit,
    resume: bool,
    watch: Watch | None = None,
    listener: Listener = ignore_progress,
) -> Fitted:
    """Fit *model*, which is changed, to *groups* under its own prompts; *resume* as in `fit_reranker`.

    The loss is the cross entropy to the positive among its negatives and all passages of the batch (InfoNCE;
    van den Oord et al., 2018), so no text stands twice in a batch.
    """
    from datasets import Dataset
    from sentence_transformers.base.sampler import BatchSamplers
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
    from sentence_transformers.sentence_transformer.trainer import SentenceTransformerTrainer
    from sentence_transformers.sentence_transformer.training_args import SentenceTransformerTrainingArguments

    _settle(model, fit)
    columns = {
        f"passage_{place}": [group.passages[place] for group in groups] for place in range(len(groups[0].passages))
    }
    passage_prompt = prompt_for(model, "document", "passage", "corpus")
    arguments = SentenceTransformerTrainingArguments(
        **_arguments(len(groups), model, checkpoints, fit, watch),
        batch_sampler=BatchSamplers.NO_DUPLICATES,
        prompts={"query": prompt_for(model, "query"), **dict.fromkeys(columns, passage_prompt)},
    )
    trainer = _without_card(SentenceTransformerTrainer)(
        model=model,
        args=arguments,
        train_dataset=Dataset.from_dict({"query": [group.query for group in groups], **columns}),
        loss=MultipleNegativesRankingLoss(model),
        evaluator=None if watch is None else _evaluator(watch),
    )
    return _run(trainer, checkpoints, resume=resume, watch=watch, listener=listener)


# What both trainings share


def _settle(model: CrossEncoder | SentenceTransformer, fit: Fit) -> None:
    """Set the seed and the window, freeze the embeddings and drop nothing out.

    Frozen embeddings keep what words mean that the pairs do not mention. Little is seen often enough to be
    learnt by heart, and where it is, the validation stops it: dropout would only make each step noisier.
    """
    import torch

    torch.manual_seed(fit.seed)
    model.max_seq_length = fit.max_tokens
    transformer = getattr(model[0], "model", None)
    layers = getattr(transformer, "base_model", None)
    if layers is None:
        raise ModelError("the model begins with no transformer: it cannot be trained", remedy="choose another --base")
    embeddings: Any = getattr(layers, "embeddings", None) or layers.get_input_embeddings()
    for parameter in embeddings.parameters():
        parameter.requires_grad_(False)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0


def _arguments(
    rows: int, model: CrossEncoder | SentenceTransformer, checkpoints: Path, fit: Fit, watch: Watch | None
) -> dict[str, Any]:
    steps = fit.epochs * math.ceil(rows / fit.batch_queries)
    watched = {} if watch is None else {"eval_strategy": "steps", "eval_steps": watch.every_steps}
    return {
        **watched,
        "output_dir": str(checkpoints),
        "per_device_train_batch_size": fit.batch_queries,
        "learning_rate": fit.learning_rate,
        "warmup_steps": WARMUP_SHARE,
        "lr_scheduler_type": "linear",
        "num_train_epochs": fit.epochs,
        "max_steps": fit.max_steps if 0 < fit.max_steps < steps else -1,
        "bf16": fit.bf16,
        "use_cpu": model.device.type == "cpu",
        "save_steps": fit.checkpoint_steps,
        "save_total_limit": 3,
        "metric_for_best_model": "quality" if watch else None,
        "greater_is_better": True if watch else None,
        "restore_callback_states_from_checkpoint": True,
        "logging_strategy": "no",
        "log_level": "error",
        "disable_tqdm": True,
        "report_to": "none",
        "seed": fit.seed,
    }


def _without_card(trainer_class: Any) -> Any:
    """The trainer without the model card of its own, which quotes the data and draws a bar on the streams."""

    class Trainer(trainer_class):  # type: ignore[misc]
        def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
            """None."""

    return Trainer


def _evaluator(watch: Watch) -> Any:
    from sentence_transformers.base.evaluation import BaseEvaluator

    class Quality(BaseEvaluator):
        def __init__(self) -> None:
            super().__init__()  # type: ignore[no-untyped-call]

        def __call__(self, *_: Any, **__: Any) -> dict[str, float]:
            return {"quality": watch.quality()}

    return Quality()


def _run(trainer: Any, checkpoints: Path, *, resume: bool, watch: Watch | None, listener: Listener) -> Fitted:
    """Train, silently, and tell what was run; the start counts as the first best."""
    import torch
    from transformers import EarlyStoppingCallback, PrinterCallback, TrainerCallback

    class Course(TrainerCallback):
        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if watch is not None and state.best_metric is None:
                state.best_metric = watch.before

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            listener(Progress("train", state.global_step, state.max_steps))
            control.should_save = control.should_save or control.should_evaluate

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            tighten_tree(checkpoints)

    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(Course())
    if watch is not None:
        trainer.add_callback(EarlyStoppingCallback(early_stopping_patience=watch.patience))
    last = last_checkpoint(checkpoints) if resume else None
    try:
        trainer.train(resume_from_checkpoint=None if last is None else str(last))
    except torch.OutOfMemoryError as error:
        raise ModelError("the device has too little memory", remedy="lower --batch-queries or --max-tokens") from error
    state = trainer.state
    best = state.best_global_step if watch is not None else None
    return Fitted(
        steps=state.global_step,
        epochs=float(state.epoch or 0.0),
        measured=tuple((row["step"], row["eval_quality"]) for row in state.log_history if "eval_quality" in row),
        best=checkpoints / f"checkpoint-{best}" if best else None,
    )
