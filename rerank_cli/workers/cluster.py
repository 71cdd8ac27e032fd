"""The Ray that a run works on: the cluster that RAY_ADDRESS names, or one of this machine's processors for itself.

One for itself keeps to itself: it hears nobody but this machine, and there nobody without its token; it tells nobody
of its use; and what it writes lies in a folder of the user's own, which goes with it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import rerank_cli
from rerank_cli.errors import InputError, UsageError, in_words

ADDRESS_VARIABLE = "RAY_ADDRESS"
"""Ray's own: the address of a cluster."""

CONNECT_S = 5.0
"""So long a cluster may take to be there at all."""

STORE_BYTES = 512_000_000
"""Of what workers have read and nobody has taken yet, so much lies in memory; more would go to the disk."""

# Ray gives its sockets names below its folder, and the system takes 107 characters: no place for a long TMPDIR.
_PARENT = Path("/tmp")  # noqa: S108 - a folder of our own is made there
_PREFIX = "rerank-cli-ray-"

_HOME = Path(rerank_cli.__file__).absolute().parents[1]


@contextmanager
def connected() -> Iterator[dict[str, str]]:
    """Be connected to Ray. Gives the variables that its workers have to set.

    A program that is connected already stays so.

    Raises:
        UsageError: the address is one for programs outside.
        InputError: it does not start, or cannot be reached.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if "ray" in sys.modules and sys.modules["ray"].is_initialized():
        yield {}
        return
    address = os.environ.get(ADDRESS_VARIABLE, "")
    with _joined(address) if address else _started() as environment:
        yield environment


@contextmanager
def _joined(address: str) -> Iterator[dict[str, str]]:
    if address.startswith("ray://"):
        raise UsageError(
            f"{ADDRESS_VARIABLE}: {address} is for a program outside the cluster, which Ray Data cannot serve",
            remedy="run this on a machine of the cluster, and give the address that `ray start` named",
        )
    _check_reachable(address)
    import ray

    try:
        _initialize(address=address)
    except Exception as error:  # Ray raises one of many kinds, bare ones among them
        raise InputError(
            f"{address}: no Ray cluster can be joined there ({in_words(error)})",
            remedy=f"run this on a machine of the cluster, or unset {ADDRESS_VARIABLE} for this machine alone",
        ) from error
    try:
        yield {}
    finally:
        ray.shutdown()


def _check_reachable(address: str) -> None:
    """Make sure that somebody listens at HOST:PORT: Ray would try for minutes, and tell of each time."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_S).close()
    except (OSError, OverflowError) as error:
        raise InputError(
            f"{address}: no Ray cluster can be joined there ({in_words(error)})",
            remedy=f"check the address, or unset {ADDRESS_VARIABLE} for this machine alone",
        ) from error


@contextmanager
def _started() -> Iterator[dict[str, str]]:
    home = os.environ.get("HOME")
    with _own_folder() as folder, contextlib.ExitStack() as at_end:
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # the one switch that keeps sockets to this machine
        try:
            with _standing_in(folder):
                import ray

                from rerank_cli.models.onnx import worker_count

                at_end.callback(ray.shutdown)
                _initialize(
                    address="local",
                    num_cpus=worker_count(),
                    include_dashboard=False,
                    object_store_memory=STORE_BYTES,
                    _temp_dir=str(folder / "ray"),
                )
            yield {"HOME": home} if home else {}
        except OSError as error:
            raise InputError(
                f"Ray does not start: {in_words(error)}", remedy="see whether memory has run out"
            ) from error


def _initialize(**options: Any) -> None:
    """Connect, in silence: Ray would write on stdout of each worker that ended, which costs nothing and is no result.

    It takes SIGTERM for itself, and gives it back here: a run that is told to end ends as without it.
    """
    import ray
    import ray._private.worker

    ray._private.worker.print_to_stdstream = lambda *_, **__: None
    is_main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM) if is_main else None
    ray.init(log_to_driver=False, logging_level=logging.CRITICAL, **options)
    if is_main:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _standing_in(folder: Path) -> Iterator[None]:
    """Stand in *folder* and be at home there, while Ray's processes begin.

    They would import what lies in the current folder; and one of them asks a cloud's machines where it runs, unless a
    file in the home folder tells it.
    """
    (folder / "ray_bootstrap_config.yaml").write_text("{}\n", encoding="ascii")
    paths = [path for path in sys.path if Path(path).is_absolute()]
    given = {"HOME": str(folder), "PYTHONPATH": os.pathsep.join((*paths, str(_HOME)))}
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        with contextlib.chdir(folder):
            yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _own_folder() -> Iterator[Path]:
    """A new folder that nobody else can look into, gone at the end; and so are those of runs that were killed."""
    for left in _PARENT.glob(f"{_PREFIX}*"):
        if _is_left(left):
            _remove(left)
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=_PARENT))
    try:
        yield folder
    finally:
        _remove(folder)


def _is_left(folder: Path) -> bool:
    """Whether it is ours, and the process that its name has runs no more."""
    number = folder.name.removeprefix(_PREFIX).partition("-")[0]
    if not number.isdigit() or folder.lstat().st_uid != os.getuid():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # another user's by now
        pass
    return False


def _remove(folder: Path) -> None:
    """Ray's processes may write their last lines while they end."""
    for _ in range(50):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)
