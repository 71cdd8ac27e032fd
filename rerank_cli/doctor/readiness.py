"""Whether the configured models are here, compiled and as they were written, and whether a network is needed."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence

from rerank_cli.config import key_variable
from rerank_cli.doctor.findings import Finding
from rerank_cli.errors import ModelError, ModelNotFetched
from rerank_cli.models.compiled import ModelState


def models(states: Sequence[ModelState], *, device: str) -> Iterator[Finding]:
    """How each of the models is."""
    for state in states:
        yield _model(state, device)


def _model(state: ModelState, device: str) -> Finding:
    if isinstance(state.failure, ModelNotFetched):
        return Finding(
            "models", state.name, "warn", "is not here yet: its first use fetches it", f"fetch it: {_prepare(state)}"
        )
    if state.endpoint is not None:
        variable = key_variable(state.kind)
        key = f"with the key in {variable}" if os.environ.get(variable) else f"without a key: {variable} is not set"
        return Finding("models", state.name, "ok", f"is remote: texts are sent there, {key}")
    if state.failure is not None:
        return Finding("models", state.name, "FAIL", str(state.failure), state.failure.remedy, ModelError.exit_code)
    if device != "cpu":
        return Finding("models", state.name, "ok", f"is here, to run on {device}")
    if state.damage:
        message = f"{state.damage}; its next use compiles it again"
        return Finding("models", state.name, "warn", message, f"compile it now: {_prepare(state)}")
    if state.compiled is None:
        message = "is not compiled yet: its first use does it, in some ten seconds"
        return Finding("models", state.name, "warn", message, f"compile it now: {_prepare(state)}")
    if state.compiled.precision == "none":
        return Finding("models", state.name, "ok", f"runs in torch: {state.compiled.reason}")
    return Finding("models", state.name, "ok", f"compiled, verified ({state.compiled.precision})")


def offline(states: Sequence[ModelState]) -> Iterator[Finding]:
    """Whether `index` and `query` run without a network."""
    absent = [state for state in states if state.source is None]
    if not absent:
        yield Finding("offline", "", "ok", "index and query need no network: both models are on this machine")
    for state in absent:
        message = f"the {state.kind} is not on this machine"
        if state.endpoint is not None:
            yield Finding("offline", state.name, "warn", message, "it needs the network at each use; name another one")
            continue
        if isinstance(state.failure, ModelNotFetched):
            yield Finding("offline", state.name, "warn", message, f"fetch it: {_prepare(state)}")
        else:
            yield Finding("offline", state.name, "warn", message, "name another one")


def _prepare(state: ModelState) -> str:
    return f"rerank-cli models prepare {shlex.quote(f'{state.kind}:{state.name}')}"
