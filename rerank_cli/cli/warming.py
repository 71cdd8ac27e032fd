"""The work of `rerank-cli warm`: start warm servers, end them, and tell what they hold."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from rerank_cli.cli.terminal import counted, say
from rerank_cli.cli.warm_client import is_possible
from rerank_cli.cli.warm_wire import (
    HERE,
    STATUS,
    STOP,
    SUFFIX,
    connected,
    folder_place,
    kind_of_server,
    open_folder,
    packed,
    socket_name,
)
from rerank_cli.config import Settings
from rerank_cli.errors import InputError, UsageError
from rerank_cli.places import cache_folder, make_private_folder

IDLE_S = 600.0
"""Seconds without a query after which a server ends."""

LEAST_IDLE_S, MOST_IDLE_S = 1, 7 * 24 * 3600

STARTED_S = 120.0
"""Seconds in which a server has loaded its models, on a busy machine as well."""

TOLD_S = 10.0
"""Seconds in which a server tells of itself, also one that loads another model."""

POLL_S = 0.02

_SERVE = "from rerank_cli.cli.warm_server import main; main()"


_UNITS = {"s": 1, "m": 60, "h": 3600}


def seconds_of(written: str) -> float:
    """The seconds in *written*, such as 90s, 10m or 2h.

    Raises:
        UsageError: it is no such time.
    """
    number, unit = written[:-1], written[-1:]
    if not number.isdecimal() or unit not in _UNITS:
        raise UsageError(f"--idle: {written!r} is no time", remedy="write it as in 90s, 10m or 2h")
    seconds = int(number) * _UNITS[unit]
    if not LEAST_IDLE_S <= seconds <= MOST_IDLE_S:
        raise UsageError(f"--idle: {written} is too short or too long", remedy="give a time between 1s and 168h")
    return float(seconds)


def start(settings: Settings, *, idle_s: float) -> int:
    """Start a server with the models of *settings*, unless there is one, and wait until it listens."""
    if not is_possible():
        raise UsageError("a warm server needs Linux", remedy="ask without one: every command answers by itself")
    place = folder_place(os.environ) or str(cache_folder())
    make_private_folder(Path(place))
    folder = open_folder(place)
    if folder is None:
        raise InputError(f"{place}: is not a folder of yours alone", remedy=f"remove it, or run: chmod 700 {place}")
    try:
        name = socket_name(kind_of_server(os.environ))
        if told := _asked(folder, name, STATUS):
            say(f"rerank-cli: a warm server is there already: {_described(told)}")
            return 0
        from rerank_cli.models.catalogue import find_model

        find_model(settings.encoder, "encoder")  # whose error would be for nobody's eyes in the server
        find_model(settings.reranker, "reranker")
        process = spawn(settings, idle_s=idle_s)
        deadline = time.monotonic() + STARTED_S
        while (told := _asked(folder, name, STATUS)) is None:
            if process.poll() or time.monotonic() > deadline:  # one that ended well has left it to another
                raise InputError("the warm server did not start", remedy="see what ails it: rerank-cli doctor")
            time.sleep(POLL_S)
    finally:
        os.close(folder)
    say(f"rerank-cli: queries are answered warm (pid {told['pid']})")
    return 0


def start_beside(settings: Settings) -> None:
    """Start a server for later queries, where there can be one and is none: this one is answered without."""
    if not is_possible():
        return
    folder = open_folder(folder_place(os.environ))
    is_there = None
    if folder is not None:
        is_there = connected(folder, socket_name(kind_of_server(os.environ)))
        os.close(folder)
    if is_there is None:
        spawn(settings)
    else:
        is_there.close()


def spawn(settings: Settings, *, idle_s: float = IDLE_S) -> subprocess.Popen[bytes]:
    """Start a server, which outlives this process, with the models of *settings*."""
    models = [f"encoder:{settings.encoder}", f"reranker:{settings.reranker}"]
    utf8 = ["-X", "utf8=1"] if sys.flags.utf8_mode else []
    return subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, *utf8, "-P", "-c", _SERVE, str(idle_s), *models],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def stop() -> int:
    """End every server of this user's; 1 if there is none. Answers that are on their way come to an end."""
    stopped = list(_all_asked(STOP))
    for told in stopped:
        say(f"rerank-cli: stopped the warm server (pid {told['pid']})")
    if not stopped:
        say("rerank-cli: there is no warm server")
    return 0 if stopped else 1


def print_status(*, as_json: bool) -> int:
    """Print what each server of this user's holds; 1 if there is none."""
    servers = list(_all_asked(STATUS))
    if as_json:
        print(json.dumps(servers, ensure_ascii=False, indent=2))
    for told in [] if as_json else servers:
        print(_described(told))
    if not servers and not as_json:
        say("rerank-cli: there is no warm server")
    return 0 if servers else 1


def _described(told: dict[str, Any]) -> str:
    """What a server has *told* of itself, in words."""
    models = ", ".join(told["models"]) or "no model yet"
    answers, memory = counted(told["answers"], "answer"), told["memory_bytes"] / 1e6
    return f"pid {told['pid']}: {answers}, {memory:.0f} MB, ends after {told['idle_s']:g} s without a query: {models}"


def _all_asked(what: bytes) -> Iterator[dict[str, Any]]:
    folder = open_folder(folder_place(os.environ))
    if folder is None:
        return
    try:
        for name in sorted(os.listdir(folder)):  # noqa: PTH208 - a descriptor
            if name.endswith(SUFFIX) and (told := _asked(folder, name, what)):
                yield told
    finally:
        os.close(folder)


def _asked(folder: int, name: str, what: bytes) -> dict[str, Any] | None:
    """What the server at *name* says; None where none listens."""
    asking = connected(folder, name)
    if asking is None:
        return None
    said = b""
    with suppress(OSError, ValueError):
        asking.settimeout(TOLD_S)
        if asking.recv(1) != HERE:
            return None
        asking.sendall(packed(what))
        while part := asking.recv(65_536):
            said += part
        return dict(json.loads(said))
    return None
