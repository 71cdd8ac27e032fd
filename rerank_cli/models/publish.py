"""A compiled form put into the cache: by one process at a time, whole or not at all."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from rerank_cli.errors import Busy, ModelError, in_words
from rerank_cli.locks import locked
from rerank_cli.models.catalogue import ModelSource, compiled_folder
from rerank_cli.models.compiled import CompiledModel, find_compiled, write_record
from rerank_cli.models.hashes import file_hashes
from rerank_cli.places import make_private_folder, tighten_tree
from rerank_cli.records import Listener, Progress, ignore_progress

WAIT_S = 300.0
"""A compile takes up to a minute on a busy machine, and several may wait in line; one that takes longer hangs."""

STEPS = 5
"""Loaded, exported, asked what the compiled form must answer, written, checked. A second form is a step as well."""

ONCE = "a model is compiled before its first use, once on a machine: ten seconds for one of 20 million weights"
"""What makes whoever waits for it patient."""

UNFINISHED = ".compiling-"
"""How the name of a folder begins that a compile works in."""

Step = Callable[[], None]
"""Is called when the next step is done."""

Make = Callable[[Path, Path, Step], CompiledModel]
"""Writes a compiled form to the first folder; what lies in the second is thrown away."""


def publish(
    source: ModelSource, make: Make, *, afresh: bool = False, listener: Listener = ignore_progress
) -> CompiledModel:
    """Put what *make* writes into the cache as the compiled form of *source*.

    What another process put there meanwhile is taken as it is, unless *afresh*.

    Raises:
        ModelError: the cache cannot be written, or memory ran out. The next run tries again.
        Busy: another process has been at it for longer than WAIT_S.
    """
    target = compiled_folder(source.fingerprint)
    try:
        with _one_at_a_time(target, source.name, listener):
            stage = f"compile {source.name}"
            numbers = itertools.count(1)

            def step() -> None:
                listener(Progress(stage, min(next(numbers), STEPS - 1), STEPS, ONCE))

            listener(Progress(stage, 0, STEPS, ONCE))
            compiled = (None if afresh else find_compiled(source)) or _put(target, make, step)
            listener(Progress(stage, STEPS, STEPS, ONCE))
            return compiled
    except OSError as error:
        raise ModelError(
            f"{target}: cannot be written ({in_words(error)})", remedy="check space and permissions"
        ) from error
    except MemoryError as error:
        raise ModelError(
            f"{source.name}: too little memory to compile it", remedy="free some memory and run again"
        ) from error


def _put(target: Path, make: Make, step: Step) -> CompiledModel:
    """Make it beside *target*, and put the whole folder in its place."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=UNFINISHED) as name:
        made, scratch, old = (Path(name) / part for part in ("new", "float32", "old"))
        made.mkdir()
        scratch.mkdir()
        compiled = make(made, scratch, step)
        parts = file_hashes(made, sorted(path.name for path in made.iterdir()))
        compiled = replace(compiled, folder=made, parts=parts)
        write_record(compiled)
        tighten_tree(made)
        if os.path.lexists(target):
            target.rename(old)
        made.rename(target)
    return replace(compiled, folder=target)


@contextmanager
def _one_at_a_time(target: Path, name: str, listener: Listener) -> Iterator[None]:
    """Hold the lock of *target*: two processes at once would take twice as long for the same graph."""
    make_private_folder(target.parent)
    own = target.with_name(f".{target.name}.lock")
    with locked(
        own,
        busy=f"{name}: another process has been compiling it for {WAIT_S / 60:g} minutes",
        remedy="end that process if it hangs, and run again",
        wait_s=WAIT_S,
        waiting=lambda: listener(Progress(f"wait for another process that compiles {name}", 0, 0)),
    ):
        _remove_leftovers(target.parent, own)
        yield


def _remove_leftovers(folder: Path, own: Path) -> None:
    """Remove what killed compiles left in *folder*, unless some process may be at work on another model.

    A compile makes its folder after its lock: those that are here while every lock can be had belong to nobody.
    """
    leftovers = list(folder.glob(f"{UNFINISHED}*"))
    if not leftovers:
        return
    with ExitStack() as locks:
        for path in folder.glob(".*.lock"):
            if path == own:
                continue
            try:
                locks.enter_context(locked(path, busy=f"{path}: is held", remedy=""))
            except (Busy, OSError):
                return
        for leftover in leftovers:
            shutil.rmtree(leftover, ignore_errors=True)
