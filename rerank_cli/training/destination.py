"""Where a training writes: the model's folder, all of it or nothing, and the checkpoints beside it until then."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rerank_cli.errors import InputError, UsageError, in_words
from rerank_cli.files import json_object
from rerank_cli.locks import locked
from rerank_cli.places import FOLDER_MODE, make_private_file, replace_whole, sync, tighten_tree

RECORD_NAME = "training.json"
LOCK_NAME = "lock"


@dataclass(frozen=True, slots=True)
class Destination:
    """The folder to make, and the one beside it for checkpoints. The latter goes once the former is there."""

    folder: Path
    checkpoints: Path

    @property
    def partial(self) -> Path:
        """Where the model is written before it is moved into place."""
        return self.checkpoints / "model"

    def keep(self, name: str, content: bytes) -> None:
        """Write a file beside the checkpoints, on the disk as a whole or not at all."""
        replace_whole(self.checkpoints / name, content, synced=True)

    def publish(self) -> None:
        """Move what was written to `partial` into place and remove the checkpoints."""
        for path in sorted(self.partial.rglob("*")):
            if path.is_file():
                sync(path)
        self.partial.rename(self.folder)
        shutil.rmtree(self.checkpoints)

    def discard(self) -> None:
        """Remove the checkpoints of a training that came to nothing."""
        shutil.rmtree(self.checkpoints)


@contextmanager
def claim(folder: Path, *, resume: bool, settings: Mapping[str, object]) -> Iterator[Destination]:
    """Make the folder for the checkpoints of a training with *settings*, or find it again with *resume*.

    Nobody else may train there until the context is left.

    Raises:
        UsageError: *folder* holds something, an earlier training was not finished, or it had other settings.
        Busy: another process is training there.
        InputError: nothing can be written there.
    """
    check_free(folder)
    destination = Destination(folder, folder.with_name(f"{folder.name}.checkpoints"))
    record = destination.checkpoints / RECORD_NAME
    with ExitStack() as lock:
        with telling_disk_errors(destination):
            begins = not destination.checkpoints.exists()
            destination.checkpoints.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
            lock.enter_context(
                locked(
                    destination.checkpoints / LOCK_NAME,
                    busy=f"{destination.checkpoints}: another process is training there",
                    remedy="let it finish, or choose another --out",
                )
            )
            if begins:
                make_private_file(record)
                record.write_text(json.dumps(settings, indent=1), encoding="utf-8")
            elif resume and record.exists():
                _check_same(record, settings)
            else:
                raise UsageError(
                    f"{destination.checkpoints}: an earlier training was not finished",
                    remedy="go on with it: add --resume, or delete that folder",
                )
            shutil.rmtree(destination.partial, ignore_errors=True)
            tighten_tree(destination.checkpoints)
        yield destination


def checkpoints_of(folder: Path) -> Path:
    """The folder beside *folder* that its training keeps checkpoints in."""
    return folder.with_name(f"{folder.name}.checkpoints")


def last_checkpoint(folder: Path) -> Path | None:
    """The latest checkpoint in *folder* that was written to its end: its state, which comes last, can be read."""
    found = [path for path in folder.glob("checkpoint-*") if path.name.removeprefix("checkpoint-").isdigit()]
    for path in sorted(found, key=lambda path: -int(path.name.removeprefix("checkpoint-"))):
        try:
            json_object((path / "trainer_state.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # a killed run left it half written
        return path
    return None


def check_free(folder: Path) -> None:
    """Raise UsageError if *folder* is there and not empty, InputError if that cannot be told."""
    try:
        taken = folder.is_symlink() or (any(folder.iterdir()) if folder.is_dir() else folder.exists())
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be looked into ({in_words(error)})", remedy="choose another --out"
        ) from error
    if taken:
        raise UsageError(f"{folder}: is there already", remedy="choose another --out, or delete it")


@contextmanager
def telling_disk_errors(destination: Destination) -> Iterator[None]:
    """Make one line of what the libraries raise where a disk is full or cannot be written to."""
    try:
        yield
    except Exception as error:
        if not _is_disk_error(error):
            raise
        raise InputError(
            f"{destination.checkpoints}: cannot be written ({in_words(error)})",
            remedy="make room there and go on with --resume, or choose another --out",
        ) from error


def _is_disk_error(error: Exception) -> bool:
    """torch and safetensors have errors of their own for what the system told them."""
    own = type(error).__name__ == "SafetensorError" and "I/O error" in str(error)
    torchs = isinstance(error, RuntimeError) and any(
        sign in str(error) for sign in ("PytorchStreamWriter failed", "inline_container.cc", "cannot be opened")
    )
    system = isinstance(error, OSError) and error.errno is not None and not isinstance(error, BrokenPipeError)
    return system or own or torchs


def _check_same(record: Path, settings: Mapping[str, object]) -> None:
    try:
        earlier = json_object(record.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(
            f"{record}: cut off, so nothing says what was trained", remedy=f"delete {record.parent} and start anew"
        ) from error
    now = json.loads(json.dumps(settings))
    differing = sorted(key for key in {*earlier, *now} if earlier.get(key) != now.get(key))
    if differing:
        raise UsageError(
            f"{record.parent}: that training had another {' and '.join(differing)}",
            remedy="resume it with the same options and files, or delete that folder",
        )
