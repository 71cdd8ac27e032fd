"""What this user has set up, and every check of it in turn: the settings, the models, the indexes, where they lie."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

from rerank_cli.config import Config, Settings
from rerank_cli.doctor.findings import Finding, failure, guarded
from rerank_cli.doctor.indexes import clock, health, locks
from rerank_cli.doctor.readiness import models, offline
from rerank_cli.doctor.storage import permissions, room_for_indexes, room_for_models
from rerank_cli.errors import RerankError
from rerank_cli.models.compiled import ModelState, model_state
from rerank_cli.places import cache_folder
from rerank_cli.store.location import index_called, index_folders, indexes_folder

Load = Callable[[Path], Config]
"""The settings that hold in a folder."""


def examine_setup(load: Load, *, start: Path, index: str | None) -> Iterator[Finding]:
    """Look at the settings in *start*, at their models, and at every index or the one called *index*."""
    settings, told = _settings(load, start)
    yield told
    state_of = cache(model_state)
    states = [state_of(settings.encoder, "encoder"), state_of(settings.reranker, "reranker")]
    yield from models(states, device=settings.device)
    yield from offline(states)

    def encoder_in(folder: Path) -> ModelState:
        return state_of(load(folder).settings.encoder, "encoder")

    yield from _indexes(index, encoder_in)
    yield from _cache(states, device=settings.device)


def _settings(load: Load, folder: Path) -> tuple[Settings, Finding]:
    """The settings in *folder*, or the defaults where they cannot be read."""
    try:
        config = load(folder)
    except RerankError as error:
        return Settings(), failure("config", "", error)
    files = ", ".join(map(str, config.files))
    return config.settings, Finding("config", "", "ok", files or "no file: every setting is the default")


def _indexes(index: str | None, encoder_in: Callable[[Path], ModelState]) -> Iterator[Finding]:
    try:
        place = indexes_folder() if index is None else index_called(index)
        folders = index_folders() if index is None else [place]
    except (RerankError, OSError) as error:
        yield failure("index", "", error)
        return
    yield from health(folders, asked=index is not None, encoder_in=encoder_in)
    yield from guarded("lock", "", partial(locks, folders))
    yield from guarded("clock", "", partial(clock, folders, now_s=time.time()))
    yield from guarded("disk", str(place), partial(room_for_indexes, place, folders))
    yield from guarded("permissions", str(place), partial(permissions, place, must_write=True))


def _cache(states: list[ModelState], *, device: str) -> Iterator[Finding]:
    try:
        place = cache_folder()
    except RerankError as error:
        yield failure("disk", "", error)
        return
    uncompiled = [state for state in states if device == "cpu" and state.source and not state.compiled]
    yield from guarded("disk", str(place), partial(room_for_models, place, uncompiled))
    yield from guarded("permissions", str(place), partial(permissions, place, must_write=bool(uncompiled)))
