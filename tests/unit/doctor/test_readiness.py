from __future__ import annotations

from pathlib import Path

import pytest

from rerank_cli.doctor.readiness import models, offline
from rerank_cli.errors import ModelError, ModelNotFetched, RerankError
from rerank_cli.models.catalogue import ModelSource
from rerank_cli.models.compiled import CompiledModel, ModelState

SOURCE = ModelSource("mine", "reranker", Path("/models/mine"), "folder", "f" * 32)


def compiled(precision: str, reason: str = "") -> CompiledModel:
    return CompiledModel(
        folder=Path("/cache/f"),
        name="mine",
        kind="reranker",
        origin="folder",
        original="/models/mine",
        fingerprint="f" * 32,
        precision=precision,
        reason=reason,
        agreement=1.0,
        width=1,
        max_tokens=512,
        activation="identity",
        calibration=None,
        query_prompt="",
        passage_prompt="",
        parts={},
    )


def here(form: CompiledModel | None = None, damage: str = "") -> ModelState:
    return ModelState("mine", "reranker", SOURCE, None, form, damage)


def absent(failure: RerankError) -> ModelState:
    return ModelState("owner/mine", "reranker", None, failure, None, "")


@pytest.mark.parametrize(
    ("state", "device", "status", "part"),
    [
        (here(compiled("int8")), "cpu", "ok", "compiled, verified (int8)"),
        (here(compiled("none", "it has no tokenizer")), "cpu", "ok", "runs in torch: it has no tokenizer"),
        (here(), "cuda", "ok", "is here, to run on cuda"),
        (here(), "cpu", "warn", "is not compiled yet"),
        (here(damage="/cache/f/model.onnx: is not what was written"), "cpu", "warn", "model.onnx: is not what was"),
        (absent(ModelNotFetched("not here")), "cpu", "warn", "is not here yet: its first use fetches it"),
        (absent(ModelError("no such folder", remedy="name one")), "cpu", "FAIL", "no such folder"),
        (absent(ModelError("no such folder", remedy="name one")), "cuda", "FAIL", "no such folder"),
    ],
)
def test_a_model_is_told_as_it_is(state: ModelState, device: str, status: str, part: str) -> None:
    (finding,) = models([state], device=device)
    assert (finding.status, finding.exit_code) == (status, 4 if status == "FAIL" else 0)
    assert part in finding.message
    assert bool(finding.remedy) == (status != "ok")


def test_with_both_models_here_no_network_is_needed() -> None:
    (finding,) = offline([here(), here()])
    assert finding.status == "ok"


def test_a_model_to_be_fetched_is_named_with_the_command_that_fetches_it() -> None:
    (finding,) = offline([here(), absent(ModelNotFetched("not here"))])
    assert (finding.status, finding.subject) == ("warn", "owner/mine")
    assert finding.remedy == "fetch it: rerank-cli models prepare reranker:owner/mine"


def test_a_model_that_no_network_brings_is_named_without_one() -> None:
    (finding,) = offline([here(), absent(ModelError("no such folder"))])
    assert (finding.status, finding.remedy) == ("warn", "name another one")
