"""From a sentence-transformers model to an int8 ONNX graph, checked against the original, once per machine."""

from __future__ import annotations

import logging
import re
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rerank_cli.errors import ModelError
from rerank_cli.models.calibration import read_calibration
from rerank_cli.models.catalogue import ModelSource
from rerank_cli.models.compiled import GRAPH_NAME, TOKENIZER_NAME, WEIGHTS_NAME, CompiledModel
from rerank_cli.models.optimize import optimize
from rerank_cli.models.probe import PROBE_PASSAGES, PROBE_QUERIES
from rerank_cli.models.publish import Step, publish
from rerank_cli.models.quantize import Inputs, quantize
from rerank_cli.models.torch import UNLIMITED, load_cross_encoder, load_sentence_transformer, pair_logits, prompt_for
from rerank_cli.records import Listener, ignore_progress

OPSET = 17

MIN_COSINE = 0.97
"""Vectors of the compiled encoder must point where the original's do; int8 of all-MiniLM-L6-v2 gives 0.98."""

MIN_RANK_CORRELATION = 0.95
"""Spearman's, over all probe pairs."""

OUT_OF_MEMORY = re.compile(r"bad.?alloc|allocate memory|not enough memory|out of memory", re.IGNORECASE)
"""How torch and onnxruntime say it, in errors of their own."""


def compile_model(source: ModelSource, *, afresh: bool = False, listener: Listener = ignore_progress) -> CompiledModel:
    """Compile *source* into the cache: the first of `_forms` that agrees with the original.

    A model that cannot be exported gets a record that says so, and is run by torch from then on.
    What another process compiled meanwhile is taken as it is, unless *afresh*.

    Raises:
        ModelError: the model cannot be loaded, the cache cannot be written, or memory ran out. The next run tries
            again.
        Busy: another process has compiled it for too long.
    """

    def compile_into(folder: Path, scratch: Path, step: Step) -> CompiledModel:
        with _quiet():
            loaded = load_sentence_transformer(source) if source.kind == "encoder" else load_cross_encoder(source)
        step()
        return _compile_into(folder, source, loaded, step, exact=scratch)

    return publish(source, compile_into, afresh=afresh, listener=listener)


def _compile_into(folder: Path, source: ModelSource, loaded: Any, step: Step, *, exact: Path) -> CompiledModel:
    """Write the compiled form to *folder*; the exported graph goes to *exact*, a folder to be thrown away."""
    described = _describe(folder, source, loaded)
    if (described.query_prompt or described.passage_prompt) and not _pools_prompts(loaded):
        return replace(described, reason="the model leaves its prompt out of the pooling, which no graph knows of")
    try:
        _write_tokenizer(loaded, folder / TOKENIZER_NAME)
        with _quiet():
            _export(loaded, exact / GRAPH_NAME, output=_output_name(source))
    except Exception as error:  # any of torch's exporters' errors means the same to us: run it in torch
        return replace(described, reason=_reason(folder, loaded, error))
    step()
    wanted = _original_outputs(source, loaded, passage_prompt=described.passage_prompt)
    step()
    reason = ""
    for precision, write in _forms(folder, source, loaded, exact=exact):
        try:
            with _quiet():
                write()
            step()
            agreement = _agreement(described, source, wanted)
        except Exception as error:  # the quantizer and onnxruntime fail in ways of their own: try the next form
            reason = _reason(folder, loaded, error)
            continue
        if agreement >= _least_agreement(source):
            return replace(described, precision=precision, agreement=agreement)
        reason = f"the compiled model disagrees with the original ({agreement:.3f})"
    for part in folder.iterdir():
        part.unlink()
    return replace(described, reason=reason)


def _forms(folder: Path, source: ModelSource, loaded: Any, *, exact: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """What to try, by precision, the quickest first: each writes its graph to *folder*."""

    def write_int8(samples: Sequence[Inputs] = ()) -> None:
        with tempfile.TemporaryDirectory(dir=exact) as scratch:
            quantized = Path(scratch) / GRAPH_NAME
            quantize(exact / GRAPH_NAME, quantized, samples=samples)
            optimize(quantized, folder, kind=source.kind)

    if source.kind == "reranker":
        yield "int8", lambda: write_int8(_samples(loaded))
    yield "int8", write_int8
    yield "float32", lambda: _move_all(exact, folder)


def _move_all(source: Path, target: Path) -> None:
    """Move a graph with the files that its weights lie in where it is too large for one. It takes another's place."""
    (target / WEIGHTS_NAME).unlink(missing_ok=True)
    for part in list(source.iterdir()):
        part.replace(target / part.name)


def _reason(folder: Path, loaded: Any, error: Exception) -> str:
    """*error* in a line, if it comes from the model."""
    _check_resources(folder, loaded, error)
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]


def _check_resources(folder: Path, loaded: Any, error: Exception) -> None:
    """Raise OSError or MemoryError where *error* may come from the disk or the memory and not from the model.

    The exporters wrap such errors in their own, so the disk is asked whether it would still hold a graph.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError | MemoryError):
            raise cause
        cause = cause.__cause__
    if OUT_OF_MEMORY.search(str(error)):
        raise MemoryError(str(error)) from error
    room = folder / "room"
    with room.open("wb") as file:
        for parameter in loaded.parameters():
            file.write(bytes(4 * parameter.numel()))
    room.unlink()


def _pools_prompts(loaded: Any) -> bool:
    return all(getattr(module, "include_prompt", True) for module in loaded)


def _least_agreement(source: ModelSource) -> float:
    return MIN_COSINE if source.kind == "encoder" else MIN_RANK_CORRELATION


def _describe(folder: Path, source: ModelSource, loaded: Any) -> CompiledModel:
    encoder = source.kind == "encoder"
    return CompiledModel(
        folder=folder,
        name=source.name,
        kind=source.kind,
        origin=source.origin,
        original=str(source.folder),
        fingerprint=source.fingerprint,
        precision="none",
        reason="",
        agreement=0.0,
        width=loaded.get_embedding_dimension() if encoder else 1,
        max_tokens=loaded.max_seq_length or UNLIMITED,
        activation="identity" if encoder else _activation_name(source, loaded),
        calibration=None if encoder else read_calibration(source.folder),
        query_prompt=prompt_for(loaded, "query") if encoder else "",
        passage_prompt=prompt_for(loaded, "document", "passage", "corpus") if encoder else "",
        parts={},
    )


def _activation_name(source: ModelSource, loaded: Any) -> str:
    name = type(loaded.activation_fn).__name__.lower()
    if name not in ("sigmoid", "identity"):
        raise ModelError(
            f"{source.name}: its scores pass through {name}, which is not supported",
            remedy="choose a reranker with one raw or sigmoid score",
        )
    return name


def _output_name(source: ModelSource) -> str:
    return "sentence_embedding" if source.kind == "encoder" else "scores"


def _write_tokenizer(loaded: Any, path: Path) -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(loaded.tokenizer.backend_tokenizer.to_str())
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.save(str(path))


def _input_names(loaded: Any) -> list[str]:
    known = ("input_ids", "attention_mask", "token_type_ids")
    return [name for name in loaded.tokenizer.model_input_names if name in known]


def _samples(loaded: Any) -> list[dict[str, np.ndarray[Any, Any]]]:
    """What the graph of a cross-encoder gets for half of the probes; the other half has no say in its scales."""
    window = loaded.max_seq_length
    samples = []
    for query in PROBE_QUERIES[::2]:
        for passage in PROBE_PASSAGES[::2]:
            tokens = loaded.tokenizer(
                query, passage, truncation="only_second" if window else False, max_length=window, return_tensors="np"
            )
            samples.append({name: tokens[name].astype(np.int64) for name in _input_names(loaded)})
    return samples


def _export(loaded: Any, path: Path, *, output: str) -> None:
    """Trace all modules as one graph. The older exporter gives a graph that runs a fifth faster than dynamo's."""
    import torch

    names = _input_names(loaded)

    class Whole(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = loaded

        def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
            result: torch.Tensor = self.model(dict(zip(names, inputs, strict=True)))[output]
            return result

    tokens = loaded.tokenizer(["an example", "and a longer example"], padding=True, return_tensors="pt")
    torch.onnx.export(
        Whole().eval(),
        tuple(tokens[name] for name in names),
        str(path),
        input_names=names,
        output_names=["output"],
        dynamic_axes={**{name: {0: "texts", 1: "tokens"} for name in names}, "output": {0: "texts"}},
        opset_version=OPSET,
        dynamo=False,
    )


def _original_outputs(source: ModelSource, loaded: Any, *, passage_prompt: str) -> np.ndarray[Any, Any]:
    if source.kind == "encoder":
        vectors = loaded.encode(
            list(PROBE_PASSAGES), prompt=passage_prompt, normalize_embeddings=True, show_progress_bar=False
        )
        return np.asarray(vectors, dtype=np.float32)
    return np.concatenate([pair_logits(loaded, query, PROBE_PASSAGES) for query in PROBE_QUERIES])


def _agreement(compiled: CompiledModel, source: ModelSource, wanted: np.ndarray[Any, Any]) -> float:
    """Least cosine of any probe passage, or Spearman's rank correlation over all probe pairs."""
    from rerank_cli.models.onnx import OnnxEncoder, OnnxReranker

    if source.kind == "encoder":
        encoder = OnnxEncoder(compiled)
        return float((encoder.encode_passages(PROBE_PASSAGES) * wanted).sum(axis=1).min())
    reranker = OnnxReranker(compiled)
    got = np.concatenate([reranker.score_pairs(query, PROBE_PASSAGES).logits for query in PROBE_QUERIES])
    return rank_correlation(got, wanted)


def rank_correlation(
    left: Sequence[float] | np.ndarray[Any, Any], right: Sequence[float] | np.ndarray[Any, Any]
) -> float:
    """Spearman's rho of two score lists without regard to ties."""
    ranks = [np.argsort(np.argsort(np.asarray(scores), kind="stable"), kind="stable") for scores in (left, right)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporters' notes off the user's streams."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
