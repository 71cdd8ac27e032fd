"""Fine-tune a bi-encoder into a cross-encoder from (query, positive) pairs.

Three steps, each a function: `load_pairs` reads and samples the pairs, `mine_groups` gives every
query hard negatives and soft targets from the first stage, `train_reranker` fits a
sentence-transformers `CrossEncoder` to them: a new one, or one that was trained before.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rerank_cli.errors import InputError
from rerank_cli.records import Encoder, with_headings

if TYPE_CHECKING:
    import torch
    from sentence_transformers import CrossEncoder

POSITIVE = 0
"""A group's passages begin with the one that was judged to answer its query."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A query, the passage that answers it as the models will see it, and where it came from."""

    query: str
    positive: str
    source: str


@dataclass(frozen=True, slots=True)
class Group:
    """A query and the passages to order: the positive first, then its negatives.

    `target` is the wanted distribution over the passages and adds up to 1.
    """

    query: str
    passages: tuple[str, ...]
    target: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Mining:
    """How negatives and soft targets are drawn from the first stage.

    `bands` gives (first rank, last rank, how many) for each depth drawn from. A negative whose
    cosine exceeds `ceiling` times the positive's plus `slack` is a likely false negative and is
    left out (after Moreira et al., 2024, NV-Retriever: positive-aware mining).
    """

    bands: tuple[tuple[int, int, int], ...] = ((1, 8, 2), (9, 40, 2), (41, 100, 1))
    ceiling: float = 1.05
    slack: float = 0.02
    cosine_temperature: float = 0.05
    bm25_weight: float = 0.2
    teacher_share: float = 0.5
    """Share of the soft target in the mixture with the label."""
    seed: int = 17


@dataclass(frozen=True, slots=True)
class Fit:
    """How the cross-encoder is fitted."""

    max_tokens: int = 192
    batch_queries: int = 8
    learning_rate: float = 7e-5
    warmup_steps: float = 0.06
    """Of at least 1 a number of steps, below that a share of all steps."""
    decays: bool = True
    """Whether the learning rate falls to 0 in a line; a later run goes on best from one that does not."""
    pointwise_weight: float = 0.3
    checkpoint_steps: int = 250
    bf16: bool = True
    seed: int = 17


def load_pairs(folder: Path, *, sizes: Mapping[str, int], max_words: int, seed: int) -> list[Pair]:
    """Sample `sizes[name]` pairs from each `name.jsonl.gz` whose positive has at most *max_words* words.

    Longer positives are left out, not cut: the answer may stand in what would be lost.
    """
    pairs: list[Pair] = []
    for name in sorted(sizes):
        fitting = [pair for pair in _read_pairs(folder / f"{name}.jsonl.gz") if len(pair.positive.split()) <= max_words]
        random.Random(f"{seed} {name}").shuffle(fitting)
        pairs.extend(fitting[: sizes[name]])
    random.Random(seed).shuffle(pairs)
    return pairs


def _read_pairs(path: Path) -> Iterator[Pair]:
    source = path.name.split(".")[0]
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                record = json.loads(line)
                title = record.get("title")
                positive = with_headings((title,) if title else (), record["positive"])
                yield Pair(record["query"], positive, source)
            except (ValueError, KeyError) as error:
                raise InputError(f"{path}:{number}: not a training pair ({error!r})") from error


def mine_groups(pairs: Sequence[Pair], *, encoder: Encoder, mining: Mining) -> list[Group]:
    """Give every pair negatives from the other pairs' positives, by cosine and by BM25 in turn.

    A pair left with too few negatives is dropped, so that all groups have one size.
    """
    pool = sorted({pair.positive for pair in pairs})
    place = {text: number for number, text in enumerate(pool)}
    answers: dict[str, set[int]] = {}
    for pair in pairs:
        answers.setdefault(pair.query, set()).add(place[pair.positive])
    passages = encoder.encode_passages(pool)
    queries = encoder.encode_passages([pair.query for pair in pairs])
    lexical = _BM25(pool)
    rng = random.Random(mining.seed)
    groups = []
    for start in range(0, len(pairs), 512):
        chunk = pairs[start : start + 512]
        cosines = queries[start : start + 512] @ passages.T
        bm25 = lexical.scores([pair.query for pair in chunk])
        for row, pair in enumerate(chunk):
            chosen = _negatives(cosines[row], bm25[row], place[pair.positive], answers[pair.query], mining, rng)
            if chosen is not None:
                members = [place[pair.positive], *chosen]
                target = _target(cosines[row][members], bm25[row][members], mining)
                groups.append(Group(pair.query, tuple(pool[member] for member in members), target))
    return groups


def _negatives(
    cosines: NDArray[np.float32],
    bm25: NDArray[np.float32],
    positive: int,
    answers: set[int],
    mining: Mining,
    rng: random.Random,
) -> list[int] | None:
    """Draw from each band of the two rankings in turn; None where too few are left."""
    depth = max(last for _, last, _ in mining.bands) + len(answers)
    limit = cosines[positive] * mining.ceiling + mining.slack
    rankings = [
        [member for member in _top(scores, depth) if member not in answers and cosines[member] <= limit]
        for scores in (cosines, bm25)
    ]
    chosen: list[int] = []
    for first, last, wanted in mining.bands:
        for draw in range(wanted):
            band = [m for m in rankings[draw % 2][first - 1 : last] if m not in chosen]
            if not band:
                return None
            chosen.append(rng.choice(band))
    return chosen


def _top(scores: NDArray[np.float32], depth: int) -> list[int]:
    depth = min(depth, len(scores) - 1)
    best = np.argpartition(-scores, depth)[:depth]
    return [int(member) for member in best[np.argsort(-scores[best], kind="stable")]]


def _target(cosines: NDArray[np.float32], bm25: NDArray[np.float32], mining: Mining) -> tuple[float, ...]:
    """Mix the label with what the first stage thinks (distillation; Hinton et al., 2015)."""
    logits = cosines / mining.cosine_temperature + mining.bm25_weight * bm25
    teacher = np.exp(logits - logits.max())
    target = mining.teacher_share * teacher / teacher.sum()
    target[POSITIVE] += 1.0 - mining.teacher_share
    return tuple(float(share) for share in target)


class _BM25:
    """BM25 (Robertson et al., 1994; k1 = 0.9, b = 0.4) of every passage in a pool, for many queries."""

    def __init__(self, pool: Sequence[str]) -> None:
        from sklearn.feature_extraction.text import CountVectorizer

        self._words = CountVectorizer(stop_words="english", dtype=np.float32)
        counts = self._words.fit_transform(pool).tocsc()
        lengths = np.asarray(counts.sum(axis=1)).ravel()
        holders = np.diff(counts.indptr)
        idf = np.log(1 + (len(pool) - holders + 0.5) / (holders + 0.5))
        norm = 0.9 * (1 - 0.4 + 0.4 * lengths / max(1.0, float(lengths.mean())))
        weights = counts.data * 1.9 / (counts.data + norm[counts.indices])
        counts.data = (weights * np.repeat(idf, holders)).astype(np.float32)
        self._weights = counts.T.tocsr()

    def scores(self, queries: Sequence[str]) -> NDArray[np.float32]:
        """Shape (queries, pool)."""
        asked = self._words.transform(queries)
        asked.data[:] = 1.0
        return np.asarray((asked @ self._weights).toarray(), dtype=np.float32)


def new_cross_encoder(base: Path, *, max_tokens: int) -> CrossEncoder:
    """A cross-encoder over *base*'s layers: mean pooling, a tanh layer that starts as the identity, one logit.

    Mean pooling keeps what a sentence encoder already knows; a fresh head on its CLS token would
    have to find it again.
    """
    import torch
    from sentence_transformers import CrossEncoder
    from sentence_transformers.base.modules import Dense, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling

    transformer = Transformer(str(base), max_seq_length=max_tokens)
    width = transformer.get_embedding_dimension()
    inner = Dense(width, width, activation_function=torch.nn.Tanh())
    outer = Dense(width, 1, activation_function=torch.nn.Identity(), module_output_name="scores")
    with torch.no_grad():
        inner.linear.weight.copy_(torch.eye(width))
        inner.linear.bias.zero_()
        outer.linear.weight.normal_(std=0.02)
        outer.linear.bias.zero_()
    model: CrossEncoder = CrossEncoder(modules=[transformer, Pooling(width), inner, outer])
    return model


def load_cross_encoder(folder: Path) -> CrossEncoder:
    """The cross-encoder in *folder*, in float32, with attention as it is quickest on a CPU."""
    from sentence_transformers import CrossEncoder

    arguments = {"attn_implementation": "eager", "dtype": "float32"}
    model: CrossEncoder = CrossEncoder(str(folder), local_files_only=True, model_kwargs=arguments)
    return model.float()


def train_reranker(
    groups: Sequence[Group], *, model: CrossEncoder, checkpoints: Path, fit: Fit, resume: bool
) -> CrossEncoder:
    """Fit *model*, which is changed, to *groups*, each seen once; with *resume*, go on from the last checkpoint."""
    import torch
    from datasets import Dataset
    from sentence_transformers.cross_encoder import CrossEncoderTrainer, CrossEncoderTrainingArguments

    torch.manual_seed(fit.seed)
    model.max_seq_length = fit.max_tokens
    layers: Any = model[0]
    for embedding in layers.model.embeddings.parameters():
        embedding.requires_grad_(False)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0  # nothing is seen twice: there is nothing to overfit to
    cuda = torch.cuda.is_available()
    arguments = CrossEncoderTrainingArguments(
        output_dir=str(checkpoints),
        per_device_train_batch_size=fit.batch_queries,
        learning_rate=fit.learning_rate,
        warmup_steps=fit.warmup_steps,
        lr_scheduler_type="linear" if fit.decays else "constant_with_warmup",
        num_train_epochs=1,
        bf16=fit.bf16,
        use_cpu=not cuda,
        save_steps=fit.checkpoint_steps,
        save_total_limit=3,
        logging_steps=25,
        disable_tqdm=True,
        report_to="none",
        seed=fit.seed,
    )
    rows = Dataset.from_dict(
        {
            "query": [group.query for group in groups],
            "passages": [list(group.passages) for group in groups],
            "labels": [list(group.target) for group in groups],
        }
    )
    loss = listwise_loss(model, pointwise_weight=fit.pointwise_weight)
    trainer = CrossEncoderTrainer(model=model, args=arguments, train_dataset=rows, loss=loss)
    trainer.train(resume_from_checkpoint=resume)
    return model


def save_half_precision(model: CrossEncoder, folder: Path, *, window: int) -> None:
    """Write *model* as a sentence-transformers folder in half precision that reads *window* tokens.

    The model card is left out: sentence-transformers' own would quote the training texts.
    """
    model.half()
    model.max_seq_length = window
    model.save_pretrained(str(folder), create_model_card=False)


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
    """Logits, shape (queries, passages); run in slices of like length, so that little is padded."""
    import torch

    pairs = [(query, text) for query, texts in zip(queries, passages, strict=True) for text in texts]
    order = sorted(range(len(pairs)), key=lambda number: sum(map(len, pairs[number])))
    logits = []
    for start in range(0, len(order), 16):
        tokens = model.preprocess([pairs[number] for number in order[start : start + 16]])
        tokens = {name: value.to(model.device) if hasattr(value, "to") else value for name, value in tokens.items()}
        logits.append(model(tokens)["scores"].view(-1).float())
    restore = torch.as_tensor(np.argsort(order), device=model.device)
    return torch.cat(logits)[restore].view(len(queries), -1)
