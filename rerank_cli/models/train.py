"""Fine-tune a cross-encoder or a bi-encoder on groups of passages, with sentence-transformers' own trainers.

`train_reranker` fits a `CrossEncoder`: one that was trained before, or a new one over a bi-encoder's layers.
`train_encoder` fits a `SentenceTransformer`. Both change the model that they are given and keep checkpoints;
watched by a validation, they stop early and tell which checkpoint was the best.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rerank_cli.errors import ModelError, UsageError
from rerank_cli.models.probe import PROBE_PASSAGES, PROBE_QUERIES
from rerank_cli.models.torch import ONLY_PASSAGE_CUT, pair_logits, prompt_for, weights_in_float32
from rerank_cli.places import tighten_tree
from rerank_cli.records import Listener, Progress, ignore_progress

if TYPE_CHECKING:
    import torch
    from sentence_transformers import CrossEncoder, SentenceTransformer

POSITIVE = 0
"""A group's passages begin with the one that was judged to answer its query."""

WARMUP_SHARE = 0.06
"""Of all steps; below 1, sentence-transformers takes `warmup_steps` for a share."""

FIRST_LOGIT = -5.0
"""What a new cross-encoder gives on average, as most candidates do not answer: logits begin near log-odds."""


PAIRS_AT_ONCE = 16
GPU_PAIRS_AT_ONCE = 128
"""Of like length, so that little is padded; a GPU is busy only with many."""


@dataclass(frozen=True, slots=True)
class Group:
    """A query and the passages to order: the positive first, then its negatives.

    `target` is the wanted distribution over the passages and adds up to 1. All groups of a training have as
    many passages.
    """

    query: str
    passages: tuple[str, ...]
    target: tuple[float, ...]


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


def check_installed() -> None:
    """Raise UsageError before any work is done if what trains models is not installed."""
    from importlib.util import find_spec

    missing = [name for name in ("accelerate", "datasets") if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"training needs {' and '.join(missing)}", remedy="install what it needs: pip install 'rerank-cli[train]'"
        )


def runs_bf16(device: str) -> bool:
    """Whether *device* multiplies bfloat16 by itself: elsewhere it would be slower than float32, or fail."""
    import torch

    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    # torch has no public way to ask.
    return device == "cpu" and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def new_cross_encoder(base: Path, *, device: str = "cpu") -> CrossEncoder:
    """A cross-encoder over *base*'s layers, with its window, that ends with `LateInteraction`, or with mean pooling.

    The former, which begins with what the sentence encoder knows, needs token types. Mean pooling, a tanh
    layer that starts as the identity, and one logit keep more of it than a fresh head on the CLS token would.
    """
    import torch
    from sentence_transformers import CrossEncoder
    from sentence_transformers.base.modules import Dense, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling

    from rerank_cli.models.interaction import LateInteraction

    transformer = Transformer(str(base), model_kwargs=weights_in_float32(device))
    width = transformer.get_embedding_dimension()
    if _tells_texts_apart(transformer):
        body: list[Any] = [LateInteraction(width)]
    else:
        body = [Pooling(width), Dense(width, width, activation_function=torch.nn.Tanh())]
        body[-1].linear.load_state_dict({"weight": torch.eye(width), "bias": torch.zeros(width)})
    width = body[-1].get_embedding_dimension()
    score = Dense(width, 1, activation_function=torch.nn.Identity(), module_output_name="scores")
    model: CrossEncoder = CrossEncoder(modules=[transformer, *body, score], device=device, local_files_only=True)
    with torch.no_grad():
        score.linear.weight.normal_(std=0.02)
        if isinstance(body[-1], LateInteraction):
            score.linear.weight[0, -1] = 1.0
        score.linear.bias.zero_()
        logits = np.concatenate([pair_logits(model, query, PROBE_PASSAGES) for query in PROBE_QUERIES])
        score.linear.bias.fill_(FIRST_LOGIT - float(logits.mean()))
    return model


def _tells_texts_apart(transformer: Any) -> bool:
    """Whether it reads token types that are 0 for the query and 1 for the passage."""
    types = transformer.tokenizer(PROBE_QUERIES[0], PROBE_PASSAGES[0]).get("token_type_ids", [])
    return sorted(set(types)) == [0, 1] and getattr(transformer.model.config, "type_vocab_size", 0) > 1


def train_reranker(
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


def train_encoder(
    groups: Sequence[Group],
    *,
    model: SentenceTransformer,
    checkpoints: Path,
    fit: Fit,
    resume: bool,
    watch: Watch | None = None,
    listener: Listener = ignore_progress,
) -> Fitted:
    """Fit *model*, which is changed, to *groups* under its own prompts; *resume* as in `train_reranker`.

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


def last_checkpoint(folder: Path) -> Path | None:
    """The latest checkpoint in *folder* that was written to its end: its state, which comes last, can be read."""
    found = [path for path in folder.glob("checkpoint-*") if path.name.removeprefix("checkpoint-").isdigit()]
    for path in sorted(found, key=lambda path: -int(path.name.removeprefix("checkpoint-"))):
        try:
            json.loads((path / "trainer_state.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # a killed run left it half written
        return path
    return None


def save_half_precision(model: CrossEncoder | SentenceTransformer, folder: Path, *, window: int) -> None:
    """Write *model* as a sentence-transformers folder that reads *window* tokens; in half precision where that fits.

    Weights beyond its range (65,504) stay in float32. The model card is left out: sentence-transformers' own
    would quote the training texts. The source of `LateInteraction` goes with it: sentence-transformers loads such a
    folder with `trust_remote_code=True`.
    """
    import torch

    from rerank_cli.models import interaction

    if all(float(weights.detach().abs().max()) <= torch.finfo(torch.float16).max for weights in model.parameters()):
        model.half()
    model.max_seq_length = window
    model.save_pretrained(str(folder), create_model_card=False)
    if carries_code(model):
        listing = folder / "modules.json"
        ours = f"{interaction.__name__}.LateInteraction"
        listing.write_text(listing.read_text(encoding="utf-8").replace(ours, interaction.SAVED_NAME), encoding="utf-8")
        shutil.copy(interaction.__file__, folder)


def carries_code(model: CrossEncoder | SentenceTransformer) -> bool:
    """Whether *model* has a module of ours, whose source goes into its folder."""
    from rerank_cli.models.interaction import LateInteraction

    return any(isinstance(module, LateInteraction) for module in model)


def listwise_loss(model: CrossEncoder, *, pointwise_weight: float) -> torch.nn.Module:
    """Cross entropy to the target distribution (ListNet; Cao et al., 2007) + weighted pointwise cross entropy.

    The pointwise part looks at the label alone and keeps logits comparable between queries.
    """
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

    class ListwiseLoss(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, inputs: Any, labels: Any, **_: Any) -> torch.Tensor:
            queries, passages = inputs
            logits = _logits_in_length_order(model, queries, passages)
            target = torch.stack([torch.as_tensor(label) for label in labels]).to(logits)
            hard = torch.zeros_like(logits)
            hard[:, POSITIVE] = 1.0
            pointwise = binary_cross_entropy_with_logits(logits, hard)
            return cross_entropy(logits, target) + pointwise_weight * pointwise

    return ListwiseLoss()


def _logits_in_length_order(model: CrossEncoder, queries: Sequence[str], passages: Sequence[Sequence[str]]) -> Any:
    """Logits, shape (queries, passages), of pairs that are run in the order of their lengths."""
    import torch

    pairs = [(query, text) for query, texts in zip(queries, passages, strict=True) for text in texts]
    order = sorted(range(len(pairs)), key=lambda number: sum(map(len, pairs[number])))
    at_once = PAIRS_AT_ONCE if model.device.type == "cpu" else GPU_PAIRS_AT_ONCE
    logits = []
    for start in range(0, len(order), at_once):
        part = [pairs[number] for number in order[start : start + at_once]]
        tokens = model.preprocess(part, processing_kwargs=ONLY_PASSAGE_CUT)
        tokens = {name: value.to(model.device) if hasattr(value, "to") else value for name, value in tokens.items()}
        logits.append(model(tokens)["scores"].view(-1).float())
    restore = torch.as_tensor(np.argsort(order), device=model.device)
    return torch.cat(logits)[restore].view(len(queries), -1)


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
