"""Puts a training together: data, base, first measurement, fitting, and the folder with its card."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rerank_cli.errors import IndexMismatch, ModelError, RerankError
from rerank_cli.evaluation.conclusions.provenance import environment
from rerank_cli.evaluation.inputs.collection import Collection
from rerank_cli.models.calibration import write_calibration
from rerank_cli.models.catalogue import Kind, ModelSource, find_model
from rerank_cli.models.torch import load_cross_encoder, load_sentence_transformer
from rerank_cli.ports import Encoder, Index
from rerank_cli.records import Listener, Progress, ignore_progress
from rerank_cli.training.card import DataFile, Facts, model_card
from rerank_cli.training.destination import Destination, claim, telling_disk_errors
from rerank_cli.training.fitting import Fit, Fitted, Watch, fit_encoder, fit_reranker
from rerank_cli.training.kept import mined_once, remembering
from rerank_cli.training.machine import runs_bf16
from rerank_cli.training.mining import Mined, mine_index, mine_pairs
from rerank_cli.training.model_folder import carries_code, save_half_precision
from rerank_cli.training.new_reranker import new_cross_encoder
from rerank_cli.training.pairs import Pair, read_pairs
from rerank_cli.training.validation import calibrate, encoder_quality, reranker_quality

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder, SentenceTransformer

MOST_STEPS_BETWEEN = 500
"""A validation comes after each epoch, and in long epochs after so many steps."""

MIN_PASSAGE_TOKENS = 16
"""Beside a query that leaves less room, a passage would say nothing: nothing is learnt from such a pair."""

CHECKPOINT_STEPS = 50
"""What a killed training loses at most; on a GPU, where steps are short, ten times that."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to train. `max_steps` 0 sets no limit beside the epochs."""

    kind: Kind
    base: str
    device: str
    licence: str
    negatives: int
    teacher_share: float
    epochs: int
    max_steps: int
    batch_queries: int
    learning_rate: float
    max_tokens: int
    validation_share: float
    patience: int
    seed: int


@dataclass(frozen=True, slots=True)
class Material:
    """The data of a training: what the card says of it, what tells it from other data, and how it is mined.

    `calibrates` tells whether held-out queries have the candidates that a search would score. `mine` may keep in the
    file that it is given what a mining that is cut off need not do again.
    """

    files: tuple[DataFile, ...]
    source: str
    validated_on: str
    identity: dict[str, object]
    calibrates: bool
    mine: Callable[[Path], Mined]


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of a training. `folder` is None where nothing beat the start, and nothing was written."""

    folder: Path | None
    facts: Facts


def pairs_material(
    paths: Sequence[Path], options: Options, *, encoder: Encoder, listener: Listener = ignore_progress
) -> Material:
    """The pairs of all of *paths*, with negatives by *encoder* and BM25.

    Raises:
        InputError: a file cannot be read or a line is no pair.
    """
    by_file: dict[Path, list[Pair]] = {path: list(read_pairs(path)) for path in paths}

    every = (pair for pairs in by_file.values() for pair in pairs)
    distinct = {(pair.query, pair.positive, pair.negatives): pair for pair in every}

    def mine(vectors: Path) -> Mined:
        with remembering(encoder, vectors) as encodes_once:
            return mine_pairs(
                list(distinct.values()),
                encoder=encodes_once,
                negatives=options.negatives,
                teacher_share=options.teacher_share,
                share=options.validation_share,
                seed=options.seed,
                device=options.device,
                listener=listener,
            )

    pool = "all passages that held-out queries have" if options.kind == "encoder" else "each query's mined passages"
    return Material(
        files=tuple(DataFile(path.name, len(pairs), "pairs") for path, pairs in by_file.items()),
        source="given with the pairs, then from the ranks 1 to 100 of their passages by cosine and BM25 in turn",
        validated_on=pool,
        identity={"pairs": [_digest(path) for path in by_file], "encoder": encoder.fingerprint},
        calibrates=False,
        mine=mine,
    )


def index_material(
    collection: Collection,
    files: tuple[Path, Path],
    index: Index,
    options: Options,
    *,
    encoder: Encoder,
    top_k: int,
    listener: Listener = ignore_progress,
) -> Material:
    """The judged queries of *collection*, read from *files*, over the passages of *index*.

    Raises:
        IndexMismatch: the index was made with another encoder.
    """
    if encoder.fingerprint != index.manifest.recipe.encoder_fingerprint:
        raise IndexMismatch(
            f"{index.name}: made with the encoder {index.manifest.recipe.encoder}, not the one configured",
            remedy="name that one with RERANK_CLI_ENCODER or in a file for --config",
        )

    def mine(_: Path) -> Mined:
        """The index has the vectors already."""
        return mine_index(
            collection,
            index,
            encoder=encoder,
            top_k=top_k,
            negatives=options.negatives,
            teacher_share=options.teacher_share,
            share=options.validation_share,
            seed=options.seed,
            listener=listener,
        )

    queries, qrels = files
    judgements = sum(len(grades) for grades in collection.qrels.values())
    each = f"the {top_k} passages that the first stage brings each"
    return Material(
        files=(
            DataFile(queries.name, len(collection.queries), "judged queries"),
            DataFile(qrels.name, judgements, "judgements"),
            DataFile(Path(index.manifest.recipe.root).name, index.counts().passages, "indexed passages"),
        ),
        source=f"from the best {top_k} passages of the hybrid first stage",
        validated_on=f"{each}, all together" if options.kind == "encoder" else each,
        identity={
            "queries or judgements": collection.fingerprint,
            "index": [index.manifest.recipe.root, index.manifest.generation],
            "encoder": encoder.fingerprint,
            "top_k": top_k,
        },
        calibrates=options.kind == "reranker",
        mine=mine,
    )


def train(
    folder: Path,
    material: Material,
    options: Options,
    *,
    resume: bool,
    command: str,
    listener: Listener = ignore_progress,
) -> Trained:
    """Fine-tune as *options* say, and write the best model to *folder* if it beats the one it began with.

    Interrupted, it leaves its checkpoints, and the same call with *resume* goes on from them.

    Raises:
        UsageError: *folder* is taken, or an earlier training there was not finished or was another one.
        InputError: the data are too few or the disk is full.
        ModelError: the base cannot be found or trained.
    """
    begun = time.monotonic()
    source = _base(options)
    settings = {**asdict(options), **material.identity, "base": source.fingerprint}
    with claim(folder, resume=resume, settings=settings) as destination, telling_disk_errors(destination):
        try:
            trainee = _Trainee(source, options, mined_once(destination, settings, material.mine), listener)
        except RerankError:
            if not resume:
                destination.discard()
            raise
        return _train(destination, trainee, material, options, resume=resume, command=command, begun=begun)


def _train(
    destination: Destination,
    trainee: _Trainee,
    material: Material,
    options: Options,
    *,
    resume: bool,
    command: str,
    begun: float,
) -> Trained:
    mined = trainee.mined
    before = trainee.quality()
    fit = Fit(
        max_tokens=trainee.max_tokens,
        batch_queries=options.batch_queries,
        epochs=options.epochs,
        max_steps=options.max_steps,
        learning_rate=options.learning_rate,
        checkpoint_steps=CHECKPOINT_STEPS if options.device == "cpu" else 10 * CHECKPOINT_STEPS,
        bf16=runs_bf16(options.device),
        seed=options.seed,
    )
    fitted = trainee.fit(fit, destination, before=before, resume=resume)
    best_step = int(fitted.best.name.removeprefix("checkpoint-")) if fitted.best else 0
    facts = Facts(
        kind=options.kind,
        base=trainee.base,
        carries_code=carries_code(trainee.model),
        licence=options.licence,
        files=material.files,
        source=material.source,
        trained_queries=mined.trained_queries,
        groups=len(mined.groups),
        negatives=options.negatives,
        held_out=len(mined.questions),
        validated_on=material.validated_on,
        left_out=mined.left_out,
        steps=fitted.steps,
        epochs=fitted.epochs,
        best_step=best_step,
        options=_told(options),
        precision="trained in bfloat16 (autocast), validated in float32" if fit.bf16 else "float32",
        machine=_machine(options.device),
        elapsed_s=time.monotonic() - begun,
        resumed=resume,
        command=command,
        before=before,
        after=dict(fitted.measured).get(best_step, before),
        measured=fitted.measured,
    )
    if fitted.best is None:
        destination.discard()
        return Trained(None, facts)
    trainee.write(fitted.best, destination.partial, calibrates=material.calibrates)
    (destination.partial / "README.md").write_text(model_card(facts), encoding="utf-8")
    destination.publish()
    return Trained(destination.folder, facts)


class _Trainee:
    """A model of either kind, with what it is trained and measured on."""

    def __init__(self, source: ModelSource, options: Options, mined: Mined, listener: Listener) -> None:
        self._options = options
        self._listener = listener
        self.base = source.name if source.origin != "folder" else source.folder.name
        self.model: Any = _load(source, options)
        self._window = self.model.max_seq_length or options.max_tokens
        self.max_tokens = min(self._window, options.max_tokens)
        self.model.max_seq_length = self.max_tokens
        self.mined = mined if options.kind == "encoder" else self._with_room(mined)

    def _with_room(self, mined: Mined) -> Mined:
        """*mined* without the queries that leave no room for a passage in a reranker's window."""
        tokenizer: Any = self.model.tokenizer
        room: int = self.max_tokens - tokenizer.num_special_tokens_to_add(pair=True) - MIN_PASSAGE_TOKENS

        def fits(query: str) -> bool:
            tokens: list[int] = tokenizer(query, add_special_tokens=False, verbose=False)["input_ids"]
            return len(tokens) <= room

        groups = tuple(group for group in mined.groups if fits(group.query))
        questions = tuple(question for question in mined.questions if fits(question.text))
        return mined.less(groups, questions, reason=f"too long to leave a passage room in {self.max_tokens} tokens")

    def quality(self) -> float:
        """nDCG@10 of the held-out queries, with the model as it is."""
        measure: Any = encoder_quality if self._options.kind == "encoder" else reranker_quality
        return float(measure(self.model, self.mined.questions, listener=self._listener))

    def fit(self, fit: Fit, destination: Destination, *, before: float, resume: bool) -> Fitted:
        steps_an_epoch = -(-len(self.mined.groups) // fit.batch_queries)
        watch = Watch(
            quality=self.quality,
            before=before,
            every_steps=min(steps_an_epoch, MOST_STEPS_BETWEEN),
            patience=self._options.patience,
        )
        train: Any = fit_encoder if self._options.kind == "encoder" else fit_reranker
        fitted: Fitted = train(
            self.mined.groups,
            model=self.model,
            checkpoints=destination.checkpoints,
            fit=fit,
            resume=resume,
            watch=watch,
            listener=self._listener,
        )
        return fitted

    def write(self, checkpoint: Path, folder: Path, *, calibrates: bool) -> None:
        """Write the weights of *checkpoint* to *folder*, in half precision, with the window of the base."""
        self._listener(Progress("write", 0, 1))
        load: Any = load_sentence_transformer if self._options.kind == "encoder" else load_cross_encoder
        best = load(ModelSource(checkpoint.name, self._options.kind, checkpoint, "folder", ""))
        calibration = calibrate(best, self.mined.questions, listener=self._listener) if calibrates else None
        save_half_precision(best, folder, window=self._window)
        if calibration:
            write_calibration(folder, calibration)
        self._listener(Progress("write", 1, 1))


def _base(options: Options) -> ModelSource:
    """The model to start from; a reranker may start from an encoder too."""
    if options.kind == "encoder":
        return find_model(options.base, "encoder")
    try:
        return find_model(options.base, "reranker")
    except ModelError as no_reranker:
        try:
            return find_model(options.base, "encoder")
        except ModelError:
            raise no_reranker from None


def _load(source: ModelSource, options: Options) -> CrossEncoder | SentenceTransformer:
    if options.kind == "encoder":
        return load_sentence_transformer(source, device=options.device)
    if source.kind == "reranker":
        return load_cross_encoder(source, device=options.device)
    import torch

    torch.manual_seed(options.seed)
    model = load_sentence_transformer(source)  # it tells what cannot be loaded
    del model
    return new_cross_encoder(source.folder, device=options.device)


def _told(options: Options) -> dict[str, object]:
    """The options that the card lists beside what it says in words."""
    names = ("teacher_share", "batch_queries", "learning_rate", "max_tokens", "patience", "seed")
    return {name.replace("_", " "): getattr(options, name) for name in names}


def _machine(device: str) -> dict[str, str]:
    import torch

    described: Any = environment()
    processor = f"{described['processor']}, {described['processors']} cores"
    return {
        "machine": torch.cuda.get_device_name() if device == "cuda" else processor,
        "libraries": ", ".join(
            f"{name} {version(name)}" for name in ("torch", "transformers", "sentence-transformers")
        ),
    }


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
