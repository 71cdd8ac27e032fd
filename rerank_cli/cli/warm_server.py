"""A warm server: it has all that a query needs loaded, and becomes for each one the process that answers.

A query's process hands over its arguments, its environment, the folder where it stands and its three streams. A process
that the server forked runs the command as it would run alone: it reads the settings, opens the index, and writes to the
query's own streams. So an answer cannot differ from a cold one, nothing of an index is held in between, and several
answer at once. What the server holds are modules and models. While nobody asks, a process stands by for the next query:
to fork takes as long as a short search, and so does what a new process must copy of its memory before it can change it.
So the process searches the index that was asked last, once it has stood by for a moment, and forgets what it found.
"""

from __future__ import annotations

import fcntl
import gc
import io
import json
import os
import select
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from rerank_cli import __version__
from rerank_cli.cli.entry import ALLOCATIONS
from rerank_cli.cli.paging import give_to
from rerank_cli.cli.warm_wire import (
    ANSWER,
    BEGUN,
    CODE,
    COLD,
    GO,
    HERE,
    INTERRUPT,
    PAGE,
    REQUEST_BYTES,
    STATUS,
    STOP,
    TAKEN,
    address_in,
    connected,
    folder_place,
    kind_of_server,
    open_folder,
    packed,
    peer_of,
    socket_name,
    unpacked,
)
from rerank_cli.errors import BUG, InputError, RerankError
from rerank_cli.places import FILE_MODE, make_private_folder
from rerank_cli.store.proved import learn

PRELOADED = (
    "rerank_cli.cli.app",
    "rerank_cli.cli.query",
    "rerank_cli.cli.filtering",
    "rerank_cli.cli.querying",
    "rerank_cli.cli.results_table",
    "rerank_cli.context",
    "rerank_cli.models.onnx",
    "rerank_cli.retrieval",
    "rerank_cli.store.accepted",
    "rerank_cli.store.location",
    "rerank_cli.store.nearest",
    "rerank_cli.store.opening",
    "rich.progress",
    "typer._click.decorators",
)
"""What a query loads on its way."""

ASK_S = 1.0
"""Seconds in which a query must have said what it wants, and a process have heard it."""

LOOK_S = 5.0
"""Seconds after which a server looks whether its socket is there: without it nobody finds the server."""

POLL_S = 0.05

PAUSE_S = 0.1
"""Seconds without a query after which a process that stands by practises: who asks one after another does not wait."""

MOST_PRACTISED = 20_000
"""Passages of an index that is searched for practice: a search of more takes longer than practice saves."""

BACKLOG = 64

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""What tells a server to stop."""

INTERRUPTING = signal.SIGUSR1
"""What tells a process that the user of its query pressed Ctrl-C. SIGINT may be meant for the server alone."""


@dataclass(frozen=True, slots=True)
class _StandingBy:
    """A process that is to answer, what it gets a query from, and what it will tell of the models it opened."""

    pid: int
    orders: socket.socket
    report: int

    def take(self, asking: socket.socket, handed: list[int], request: bytes) -> None:
        """Hand over a query. Raises OSError where the process is gone, or hangs."""
        sent = socket.send_fds(self.orders, [request], [asking.fileno(), *handed])
        if sent < len(request):  # who has all of it may have closed its end by now
            self.orders.sendall(request[sent:])
        self.orders.close()

    def dismiss(self) -> None:
        """End it: it has nothing to lose."""
        self.orders.close()
        os.close(self.report)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


@dataclass(frozen=True, slots=True)
class _Answering:
    """A process that answers, what it tells of the models it opened, and the query that waits."""

    pid: int
    report: int
    asking: socket.socket


def serve(models: list[tuple[str, str]], *, idle_s: float) -> None:
    """Answer queries until none came for *idle_s*, with these models, by kind and name, loaded at once.

    Where another server of this kind is there already, nothing happens.
    """
    place = folder_place(os.environ)
    kind = kind_of_server(os.environ)
    with _opened_folder(place) as folder:
        with _alone(folder, socket_name(kind)) as is_alone:
            if not is_alone:
                return
            server = Server(kind, idle_s=idle_s)
            server.load(models)
            with _door(folder, socket_name(kind)) as (door, is_there):
                server.run(door, is_there)
        server.end()  # while another one may begin


@contextmanager
def _opened_folder(place: str) -> Iterator[int]:
    make_private_folder(Path(place))
    folder = open_folder(place)
    if folder is None:
        raise InputError(f"{place}: is not a folder of yours alone", remedy=f"remove it, or run: chmod 700 {place}")
    try:
        yield folder
    finally:
        os.close(folder)


@contextmanager
def _alone(folder: int, name: str) -> Iterator[bool]:
    """Hold the lock of the socket *name*; False where another server has it.

    One that has the lock and does not listen loads, or is about to end: so long this one waits.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    lock = os.open(f"{name}.lock", flags, FILE_MODE, dir_fd=folder)
    deadline = time.monotonic() + 2 * LOOK_S
    try:
        while not (is_alone := _is_locked(lock)) and not _listens(folder, name) and time.monotonic() < deadline:
            time.sleep(POLL_S)
        yield is_alone
    finally:
        os.close(lock)


def _is_locked(lock: int) -> bool:
    """Whether the file *lock* is locked by this process from now on."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _listens(folder: int, name: str) -> bool:
    """Whether a server does, at the socket *name*."""
    there = connected(folder, name)
    if there is not None:
        there.close()
    return there is not None


@contextmanager
def _door(folder: int, name: str) -> Iterator[tuple[socket.socket, Callable[[], bool]]]:
    """The socket *name* in the *folder*, for nobody but this user, and whether it still has its name."""
    new = f"{name}.new"
    with suppress(FileNotFoundError):
        os.unlink(new, dir_fd=folder)
    with socket.socket(socket.AF_UNIX) as door:
        mask = os.umask(0o777 & ~FILE_MODE)
        try:
            door.bind(address_in(folder, new))
        finally:
            os.umask(mask)
        door.listen(BACKLOG)
        ours = os.stat(new, dir_fd=folder, follow_symlinks=False)

        def is_there() -> bool:
            with suppress(OSError):
                return os.path.samestat(ours, os.stat(name, dir_fd=folder, follow_symlinks=False))
            return False

        os.rename(new, name, src_dir_fd=folder, dst_dir_fd=folder)  # also over that of a server that was killed
        try:
            yield door, is_there
        finally:
            if is_there():
                os.unlink(name, dir_fd=folder)


class Server:
    """Answers the queries that come through a door."""

    def __init__(self, kind: str, *, idle_s: float) -> None:
        self._kind = kind
        self._idle_s = idle_s
        self._begun_s = self._heard_s = time.monotonic()
        self._answers = 0
        self._stops = False
        self._selector = selectors.DefaultSelector()
        self._answering: dict[int, _Answering] = {}
        self._standing_by: _StandingBy | None = None
        self._index = ""
        self._stamps: dict[str, tuple[int, int, int] | None] = {}

    def load(self, models: list[tuple[str, str]]) -> None:
        """Load the modules and these models, by kind and name."""
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        for name in PRELOADED:
            import_module(name)
        from rerank_cli.cli.app import command_line
        from rerank_cli.cli.commands import load
        from rerank_cli.models.saturation import saturates

        command_line()
        load("query")
        saturates()
        self._keep(models)
        self._stamps = _stamps(_loaded_files())

    def run(self, door: socket.socket, is_there: Callable[[], bool]) -> None:
        """Answer until it was idle for too long, is told to stop, or has a door that is not there any more."""
        self._heard_s = time.monotonic()  # nobody could ask while it loaded
        self._selector.register(door, selectors.EVENT_READ)
        with _woken_by_signals() as woken:
            self._selector.register(woken, selectors.EVENT_READ)
            while not self._stops and is_there() and (self._answering or self._left_s() > 0):
                self._have_one_stand_by()
                for key, _ in self._selector.select(LOOK_S if self._answering else min(LOOK_S, self._left_s())):
                    if key.fileobj is door:
                        self._hear(door)
                    elif key.fileobj == woken:
                        self._stops = True
                    else:
                        self._look_after(key.data, key.fileobj)
            self._selector.unregister(woken)
        self._selector.unregister(door)

    def end(self) -> None:
        """Look after the answers that are on their way until they are done."""
        if self._standing_by is not None:
            self._standing_by.dismiss()
        while self._answering:
            for key, _ in self._selector.select():
                self._look_after(key.data, key.fileobj)

    def _left_s(self) -> float:
        """Seconds until it has been idle for too long."""
        return max(0.0, self._heard_s + self._idle_s - time.monotonic())

    def _hear(self, door: socket.socket) -> None:
        try:
            asking, _ = door.accept()
        except OSError:  # too many files are open: who asks answers itself, unless some are closed before that
            time.sleep(POLL_S)
            return
        handed: list[int] = []
        try:
            if peer_of(asking) != os.geteuid():
                return
            asking.sendall(HERE)
            what, lists, handed = _request(asking, within_s=ASK_S)
            if what == STOP:
                self._stops = True
            if what in (STOP, STATUS):
                asking.sendall(json.dumps(self._status()).encode())
            elif what == ANSWER:
                self._answer(asking, lists, handed)
        except (OSError, ValueError, StopIteration):
            pass  # it went, or is none of ours
        finally:
            asking.close()
            _close(handed)

    def _answer(self, asking: socket.socket, lists: list[list[bytes]], handed: list[int]) -> None:
        self._heard_s = time.monotonic()
        (kind, mask), arguments, environment = lists
        if _stamps(self._stamps) != self._stamps:  # the program, or a library, was changed since
            self._stops = True
        if self._stops or os.fsdecode(kind) != self._kind or len(handed) != 4:
            asking.sendall(TAKEN + COLD)
            return
        waiting = asking.dup()  # before: without it nobody would look after the process
        try:
            taken = self._taken(asking, handed, packed(ANSWER, [mask], arguments, environment))
        except OSError:
            waiting.close()
            raise
        self._answers += 1
        answering = _Answering(taken.pid, taken.report, waiting)
        self._answering[taken.pid] = answering
        self._selector.register(answering.asking, selectors.EVENT_READ, answering)
        self._selector.register(answering.report, selectors.EVENT_READ, answering)

    def _taken(self, asking: socket.socket, handed: list[int], request: bytes) -> _StandingBy:
        """The process that took a query over. Raises OSError where there is none: then the query answers itself."""
        ready, self._standing_by = self._standing_by or _forked(""), None
        try:
            ready.take(asking, handed, request)
        except OSError:
            ready.dismiss()
            raise
        return ready

    def _have_one_stand_by(self) -> None:
        """While nobody is answered: a process that was forked later knows all that the answers before have taught."""
        if self._standing_by is None and not self._answering:
            with suppress(OSError):  # too many processes: the next query may find fewer
                self._standing_by = _forked(self._index)

    def _look_after(self, answering: _Answering, heard: object) -> None:
        """Hear from a query that it was interrupted or is gone, or from the process which answers that it is done."""
        if answering.pid not in self._answering:
            return  # it has ended, as was heard a moment ago
        if heard is answering.asking:
            try:
                told = answering.asking.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
            except BlockingIOError:
                return  # it was for the process that answers, which has it
            except OSError:
                told = b""
            if told == INTERRUPT:
                answering.asking.recv(1)
                os.kill(answering.pid, INTERRUPTING)
            elif not told:
                self._selector.unregister(answering.asking)
                os.kill(answering.pid, signal.SIGKILL)  # which one that hangs, and holds the query's streams, hears too
            return
        report = b""
        while part := os.read(answering.report, 65_536):
            report += part
        self._end(answering)
        if report and not self._stops:
            told = json.loads(report)
            learn(told["proved"])
            self._index = told["index"]
            self._keep([(kind, name) for kind, name in told["models"]])

    def _end(self, answering: _Answering) -> None:
        os.waitpid(answering.pid, 0)
        self._selector.unregister(answering.report)
        with suppress(KeyError):
            self._selector.unregister(answering.asking)
        os.close(answering.report)
        answering.asking.close()
        del self._answering[answering.pid]
        self._heard_s = time.monotonic()

    def _keep(self, models: list[tuple[str, str]]) -> None:
        """Load what of these models is not loaded yet, and leave to those who answer as little to copy as can be."""
        from rerank_cli.models.loading import keep_model

        os.environ["TOKENIZERS_PARALLELISM"] = "false"  # its threads would not be there after a fork
        for kind, name in models:
            with suppress(RerankError):  # which is for the query that needs it
                keep_model(name, "encoder" if kind == "encoder" else "reranker")
        gc.collect()
        gc.freeze()

    def _status(self) -> dict[str, object]:
        from rerank_cli.models.ready import kept

        ours = [os.getpid(), *([self._standing_by.pid] if self._standing_by else [])]
        return {
            "pid": os.getpid(),
            "version": __version__,
            "up_s": round(time.monotonic() - self._begun_s),
            "answers": self._answers,
            "idle_s": self._idle_s,
            "memory_bytes": _memory_bytes(ours),
            "models": [model.name for model in kept()],
        }


def _request(asking: socket.socket, *, within_s: float | None) -> tuple[bytes, list[list[bytes]], list[int]]:
    """What is asked, with its lists of texts and the descriptors that were handed over."""
    asking.settimeout(within_s)
    content, handed, *_ = socket.recv_fds(asking, 65_536, 8)
    try:
        for descriptor in handed:
            os.set_inheritable(descriptor, False)
        head, _, body = content.partition(b"\n")
        size = int(head.rpartition(b" ")[2])
        while len(body) < min(size, REQUEST_BYTES):
            if not (part := asking.recv(65_536)):
                break
            body += part
        asking.settimeout(None)
        return *unpacked(head, body), handed
    except BaseException:
        _close(handed)
        raise


def _close(descriptors: Iterable[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


@contextmanager
def _woken_by_signals() -> Iterator[int]:
    """A descriptor that has something to read once this process is told to stop."""
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    signal.set_wakeup_fd(writes)
    for number in STOPPING:
        signal.signal(number, lambda *_: None)
    try:
        yield reads
    finally:
        for number in STOPPING:
            signal.signal(number, signal.SIG_DFL)  # who asks again does not wait for answers
        signal.set_wakeup_fd(-1)
        _close((reads, writes))


def _loaded_files() -> list[str]:
    """Those of the program and of the libraries that it has loaded. With other files of its own, Python is another."""
    loaded = [module for name, module in sys.modules.items() if name.partition(".")[0] not in sys.stdlib_module_names]
    return [path for module in loaded if (path := getattr(module, "__file__", None))]


def _stamps(files: Iterable[str]) -> dict[str, tuple[int, int, int] | None]:
    """What tells that each of *files* is still the one that was loaded; None of one that is gone."""
    return {path: _stamp(path) for path in files}


def _stamp(path: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - of many files, for each query
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _memory_bytes(processes: Iterable[int]) -> int:
    """The memory that *processes* take; of what one shares with others it is its part."""
    taken = 0
    for pid in processes:
        with suppress(OSError), open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:  # noqa: PTH123
            taken += sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    return taken * 1024


def _forked(index: str) -> _StandingBy:
    """A process that stands by for a query, and practises with *index* if one is named.

    Raises OSError where the system allows no more.
    """
    ours, theirs = socket.socketpair()
    ours.settimeout(ASK_S)
    reads, writes = os.pipe()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)  # until a new process has handlers of its own
    try:
        pid = os.fork()
        if not pid:
            _stand_by(theirs, writes, mask, index)
    except OSError:
        ours.close()
        os.close(reads)
        raise
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        theirs.close()
        os.close(writes)
    return _StandingBy(pid, ours, reads)


def _stand_by(orders: socket.socket, report: int, mask: Iterable[int], index: str) -> NoReturn:
    """Be the process that waits for a query and answers it, or that ends where there comes none."""
    code = BUG
    try:
        signal.set_wakeup_fd(-1)
        for number in STOPPING:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(INTERRUPTING, signal.default_int_handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        _close_others(orders.fileno(), report)
        ours = dict(os.environ)
        os.environ.clear()
        _practise()
        if index and not select.select([orders], [], [], PAUSE_S)[0]:
            os.environ.update(ours)  # by which the models are found
            practise_on(Path(index))
            os.environ.clear()
        _, ((umask,), arguments, environment), (asking, *streams, here) = _request(orders, within_s=None)
        orders.close()
        code = _answered(socket.socket(fileno=asking), streams, here, arguments, environment, int(umask), report)
    finally:
        os._exit(code)


def _practise() -> None:
    """Do what every query does, so that the memory which that takes is this process's own before one comes."""
    from rerank_cli.cli.app import command_line
    from rerank_cli.cli.commands import load
    from rerank_cli.models.ready import practise

    with command_line().make_context("rerank-cli", ["query", "practice"]) as context:
        load("query").make_context("query", ["practice"], parent=context)
    with suppress(RerankError):  # which is for the query that needs the model
        practise()


def practise_on(index: Path) -> None:
    """Search *index* as a query does that leaves the second stage out, if its encoder is at hand, and show nothing.

    Whatever ails the index, the query that comes will tell.
    """
    from rerank_cli.cli.filtering import AskedFilter
    from rerank_cli.cli.querying import Wanted, answer
    from rerank_cli.config import Settings
    from rerank_cli.models.ready import kept
    from rerank_cli.queries import Query
    from rerank_cli.store.opening import open_reader

    with suppress(RerankError, OSError), Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        with open_reader(index) as reader:
            encoder, passages = reader.manifest.recipe.encoder_fingerprint, reader.counts().passages
        if passages <= MOST_PRACTISED and any(model.fingerprint == encoder for model in kept()):
            answer(
                iter([Query("1", "practice")]),
                many=False,
                indexes=[index],
                settings=Settings(rerank=False, format="plain", pager="none"),
                encoder=None,
                filters=AskedFilter(),
                wanted=Wanted(),
                quiet=True,
            )
    gc.collect()
    gc.freeze()


def _answered(
    asking: socket.socket,
    streams: list[int],
    here: int,
    arguments: list[bytes],
    environment: list[bytes],
    umask: int,
    report: int,
) -> int:
    """Run the command as if it had been started by the query's own process; its exit code."""
    for target, descriptor in enumerate(streams):
        os.dup2(descriptor, target)
    os.fchdir(here)
    _close((*streams, here))
    os.umask(umask)
    os.environb.update(dict(entry.split(b"=", 1) for entry in environment))
    time.tzset()
    _open_streams(asking)
    give_to(partial(_paged, asking))
    sys.argv = ["rerank-cli", *map(os.fsdecode, arguments)]
    asking.sendall(TAKEN)
    code = BUG
    if asking.recv(1) == GO:
        code = _ran()
        with suppress(OSError):  # the server has ended
            _report(report)
        asking.sendall(CODE + b"%03d" % code)
    return code


def _close_others(*kept: int) -> None:
    """Let go of what is the server's: while a process has it, who waits for its end waits for this one's."""
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        if int(name) > 2 and int(name) not in kept:
            with suppress(OSError):
                os.close(int(name))


def _open_streams(asking: socket.socket) -> None:
    """Python's own three streams, as it makes them at its start; the query hears before one of them is used."""
    known, errors = sys.__stdout__, "backslashreplace"
    assert known is not None
    encoding = known.encoding
    announce = _Announcement(asking)
    typed = io.BufferedReader(_Announced(0, "r", announce))
    sys.stdin = io.TextIOWrapper(typed, encoding=encoding, errors=known.errors)
    for name, number, how in (("stdout", 1, known.errors), ("stderr", 2, errors)):
        at_terminal = os.isatty(number)
        is_silent = number == 2 and at_terminal  # what is told there may be told again
        raw = io.FileIO(number, "w", closefd=False) if is_silent else _Announced(number, "w", announce)
        lines = number != 1 or at_terminal
        stream = io.TextIOWrapper(io.BufferedWriter(raw), encoding=encoding, errors=how, line_buffering=lines)
        setattr(sys, name, stream)


class _Announcement:
    """Tells the query once that something is read or written."""

    def __init__(self, asking: socket.socket) -> None:
        self._asking = asking
        self._is_told = False

    def __call__(self) -> None:
        if not self._is_told:
            self._is_told = True
            self._asking.sendall(BEGUN)


class _Announced(io.FileIO):
    """A stream of the query's."""

    def __init__(self, descriptor: int, mode: str, announce: _Announcement) -> None:
        super().__init__(descriptor, mode, closefd=False)
        self._announce = announce

    def readinto(self, buffer: object) -> int | None:
        self._announce()
        return super().readinto(buffer)  # type: ignore[arg-type]

    def write(self, content: object) -> int:
        self._announce()
        return super().write(content)  # type: ignore[arg-type]


def _ran() -> int:
    from rerank_cli.cli.app import main

    try:
        main()
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else BUG


def _paged(asking: socket.socket, command: str, text: str) -> bool:
    """Have the query show *text* with its pager; whether it could."""
    parts = [part.encode("utf-8", "surrogateescape") for part in (command, text)]
    asking.sendall(PAGE + b"%d %d\n" % (len(parts[0]), len(parts[1])) + b"".join(parts))
    return asking.recv(1) == b"1"


def _report(report: int) -> None:
    """Tell the server which models and index were opened and what was proved of files: it has them the next time."""
    from rerank_cli.models.ready import opened
    from rerank_cli.store.opening import last_opened
    from rerank_cli.store.proved import noted

    models = [(model.kind, model.original if model.origin == "folder" else model.name) for model in opened()]
    with open(report, "wb", closefd=False) as told:
        told.write(json.dumps({"models": models, "index": last_opened(), "proved": noted()}).encode())


def main() -> None:
    """`SECONDS KIND:NAME…`: serve in this process, which nobody is at."""
    idle_s, *models = sys.argv[1:]
    os.chdir("/")
    gc.set_threshold(ALLOCATIONS, 20, 50)
    serve([(kind, name) for kind, _, name in (model.partition(":") for model in models)], idle_s=float(idle_s))
