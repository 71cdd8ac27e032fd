"""`rerank-cli train`: fit a reranker or an encoder to one's own pairs or judgements."""

from __future__ import annotations

import json
import shlex
import sys
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rerank_cli.cli.options import (
    CollectionFolder,
    ConfigFile,
    Device,
    IndexName,
    Json,
    QrelsFile,
    QueriesFile,
    Quiet,
    RemoteTimeout,
    configured,
    index_meant,
    own,
    own_path,
    setting,
    working_folder,
)
from rerank_cli.cli.progress import drawn_progress
from rerank_cli.cli.terminal import printable, say
from rerank_cli.config import Settings
from rerank_cli.errors import UsageError
from rerank_cli.places import expanded

if TYPE_CHECKING:
    from rerank_cli.ports import Encoder
    from rerank_cli.records import Listener
    from rerank_cli.training.job import Material, Options, Trained
    from rerank_cli.training.mining import Mined

NOTHING_BETTER = 1
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class _Data:
    """What the flags name to learn from."""

    pairs: tuple[Path, ...]
    collection: Path | None
    queries: Path | None
    qrels: Path | None
    index: str | None


def run(
    out: Annotated[Path, own_path("--out", "Folder to write the model to.")],
    pairs: Annotated[
        list[Path] | None,
        own_path(
            "--pairs", 'JSONL (or .gz) of {"query", "positive", "negatives"?, "title"?, "scores"?}. May be repeated.'
        ),
    ] = None,
    collection: CollectionFolder = None,
    queries: QueriesFile = None,
    qrels: QrelsFile = None,
    index: IndexName = None,
    top_k: Annotated[
        str | None, setting("top_k", meaning="Candidates of the first stage, for negatives and for validation.")
    ] = None,
    encoder: Annotated[
        bool, typer.Option("--encoder", help="Train an encoder in place of a reranker.", show_default=False)
    ] = False,
    base: Annotated[str | None, own("--base", "Model to begin with; the configured one unless given.")] = None,
    licence: Annotated[str, own("--licence", "Licence of the data, for the model card.")] = "",
    negatives: Annotated[
        int, own("--negatives", "Passages that do not answer, for each query.", min=1, max=100, show_default=True)
    ] = 7,
    teacher_share: Annotated[
        float,
        own(
            "--teacher-share",
            "Share of a reranker's target that is the first stage's order, or the pairs' own scores, not the label.",
            min=0.0,
            max=1.0,
            show_default=True,
        ),
    ] = 0.0,
    epochs: Annotated[int, own("--epochs", "Most times that each query is seen.", min=1, show_default=True)] = 3,
    max_steps: Annotated[int | None, own("--max-steps", "Most steps, whatever the epochs.", min=1)] = None,
    batch_queries: Annotated[int, own("--batch-queries", "Queries in a step.", min=1, show_default=True)] = 8,
    learning_rate: Annotated[
        float, own("--learning-rate", "Highest rate; it falls to 0 in a line.", min=0.0, show_default=True)
    ] = 5e-5,
    train_max_tokens: Annotated[
        int,
        own(
            "--max-tokens",
            "Tokens that training reads of each text or pair.",
            key="train_max_tokens",
            min=32,
            show_default=True,
        ),
    ] = 256,
    validation_share: Annotated[
        float,
        own("--validation-share", "Share of the queries that are held out.", min=0.0, max=0.9, show_default=True),
    ] = 0.1,
    patience: Annotated[
        int, own("--patience", "Stop after so many validations without a new best.", min=1, show_default=True)
    ] = 2,
    seed: Annotated[int, own("--seed", "Another seed splits and draws otherwise.", min=0, show_default=True)] = 17,
    resume: Annotated[bool, own("--resume", "Go on with a training that was interrupted.")] = False,
    device: Device = None,
    remote_timeout: RemoteTimeout = None,
    config: ConfigFile = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Fine-tune a reranker or an encoder on pairs, or on an index with judgements, and keep it if it got better.

    \b
    Examples:
      rerank-cli train --out ../my-reranker --top-k 20 --max-steps 4
      rerank-cli train --encoder --out ../my-encoder --max-steps 4
    """
    data = _Data(tuple(pairs or ()), collection, queries, qrels, index)
    if data.pairs and (collection or queries or qrels):
        raise UsageError("--pairs and judgements were both given", remedy="drop one")
    if encoder and teacher_share:
        raise UsageError("--teacher-share is for rerankers", remedy="leave it out with --encoder")
    flags: dict[str, object] = {"device": device, "remote_timeout": remote_timeout, "top_k": top_k}
    settings = configured(working_folder(), config, flags).settings

    from rerank_cli.extras import check_extra

    check_extra("train", ["accelerate", "datasets"], user="training")

    from rerank_cli.training.destination import check_free, checkpoints_of
    from rerank_cli.training.job import Options, train

    out = expanded(out).absolute()
    check_free(out)
    options = Options(
        kind="encoder" if encoder else "reranker",
        base=base or (settings.encoder if encoder else settings.reranker),
        device=settings.device,
        licence=licence,
        negatives=negatives,
        teacher_share=teacher_share,
        epochs=epochs,
        max_steps=max_steps or 0,
        batch_queries=batch_queries,
        learning_rate=learning_rate,
        max_tokens=train_max_tokens,
        validation_share=validation_share,
        patience=patience,
        seed=seed,
    )
    command = shlex.join(["rerank-cli", *sys.argv[1:]])
    try:
        with ExitStack() as stack:
            listener = stack.enter_context(drawn_progress(quiet=quiet, silent_s=0))
            material = _material(data, options, settings, stack, listener)
            trained = train(out, material, options, resume=resume, command=command, listener=listener)
    except KeyboardInterrupt:
        checkpoints = checkpoints_of(out)
        if not checkpoints.exists():
            raise
        say(f"rerank-cli: interrupted; what was done so far lies in {checkpoints}: run the same with --resume to go on")
        return INTERRUPTED
    _publish(trained, as_json=as_json, quiet=quiet)
    return 0 if trained.folder else NOTHING_BETTER


def _material(data: _Data, options: Options, settings: Settings, stack: ExitStack, listener: Listener) -> Material:
    from rerank_cli.models.loading import open_encoder
    from rerank_cli.training.job import pairs_material

    encoder = open_encoder(
        settings.encoder, device=settings.device, timeout_s=settings.remote_timeout, listener=listener
    )
    if data.pairs:
        return pairs_material(data.pairs, options, encoder=encoder, listener=listener)
    return _judged(data, options, settings, encoder, stack, listener)


def _judged(
    data: _Data, options: Options, settings: Settings, encoder: Encoder, stack: ExitStack, listener: Listener
) -> Material:
    """The judgements that the flags name, over the index that `query` would find."""
    from rerank_cli.evaluation.inputs.collection import collection_files, read_collection
    from rerank_cli.evaluation.inputs.indexed_ids import with_indexed_ids
    from rerank_cli.store import open_reader
    from rerank_cli.training.job import index_material

    reader = stack.enter_context(open_reader(index_meant(data.index)))
    root = Path(reader.manifest.recipe.root)
    files = collection_files(root, folder=data.collection, queries=data.queries, qrels=data.qrels)
    collection = with_indexed_ids(read_collection(*files), reader)
    material = index_material(
        collection, files, reader, options, encoder=encoder, top_k=settings.candidates, listener=listener
    )

    def mine(vectors: Path) -> Mined:
        with reader:  # a fit takes hours, and needs no snapshot of an index that others write
            return material.mine(vectors)

    return replace(material, mine=mine)


def _publish(trained: Trained, *, as_json: bool, quiet: bool) -> None:
    from rerank_cli.training.validation import MEASURE

    facts = trained.facts
    if as_json:
        folder = None if trained.folder is None else str(trained.folder)
        print(json.dumps({"folder": folder, "measure": MEASURE, **asdict(facts)}, ensure_ascii=False))
    if not quiet:
        for reason, number in facts.left_out.items():
            say(f"rerank-cli: {number} left out {reason}")
    if trained.folder is None:
        best = max((value for _, value in facts.measured), default=facts.before)
        say(
            f"rerank-cli: nothing was written: on the {facts.held_out} held-out queries {MEASURE} was "
            f"{facts.before:.4f} before training and at best {best:.4f} after it"
        )
    elif not as_json and not quiet:
        print(
            f"{printable(str(trained.folder))}\t{MEASURE} {facts.before:.4f} -> {facts.after:.4f} "
            f"(held out: {facts.held_out} of {facts.held_out + facts.trained_queries} queries; "
            f"step {facts.best_step} of {facts.steps})"
        )
