"""Has a warm server answer in the place of this process, where there is one: it has the models loaded already."""

from __future__ import annotations

import _signal  # `signal` makes enumerations first, as `socket` does
import _socket
import os
import sys

from rerank_cli.cli.warm_wire import (
    ANSWER,
    BEGUN,
    CODE,
    GO,
    HERE,
    INTERRUPT,
    PAGE,
    REQUEST_BYTES,
    TAKEN,
    connected,
    folder_place,
    kind_of_server,
    open_folder,
    packed,
    socket_name,
)

INTERRUPTED = 130
LOST = 70

_OWN = ("/dev/fd/", "/dev/stdin", "/dev/tty", "/proc/self/")
"""Files that another process does not have, or has others in their place, such as what a shell makes of `<(…)`."""

_NOT_WARM = ("0", "false", "no", "off")


def answered_warm(arguments: list[str]) -> int | None:
    """The exit code of the command with these *arguments*, once a server has answered it; None where none did.

    In that case nothing of stdin was read and nothing of an answer written.
    """
    if not is_possible() or not is_wanted(arguments):
        return None
    asking = _server()
    if asking is None:
        return None
    asked = _Asked(asking)
    try:
        return asked.answer(arguments)
    except OSError:
        return asked.lost()
    except KeyboardInterrupt:
        sys.stderr.write("rerank-cli: interrupted\n")
        return INTERRUPTED
    finally:
        asking.close()


def is_possible() -> bool:
    """Whether this system lets a process become another one's at any time; elsewhere its libraries forbid it."""
    return sys.platform == "linux"


def is_wanted(arguments: list[str]) -> bool:
    """Whether these are the *arguments* of a query that a server can answer, and that does not refuse one.

    An editor must be started by the process that is at the terminal, and what is typed there is for the one that a
    shell stops and goes on with.
    """
    if arguments[:1] != ["query"] or os.environ.get("RERANK_CLI_WARM", "").lower() in _NOT_WARM:
        return False
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    for option in options:
        if option in ("--open", "--no-warm") or option.startswith("--open="):
            return False
        if (option == "-" or option.endswith("=-")) and os.isatty(0):
            return False
        if any(own in option for own in _OWN):
            return False
    return "RERANK_CLI_OPEN" not in os.environ


def _server() -> _socket.socket | None:
    folder = open_folder(folder_place(os.environ))
    if folder is None:
        return None
    try:
        return connected(folder, socket_name(kind_of_server(os.environ)))
    finally:
        os.close(folder)


class _Asked:
    """A request on its way."""

    def __init__(self, asking: _socket.socket) -> None:
        self._asking = asking
        self._begun = False

    def answer(self, arguments: list[str]) -> int | None:
        """The exit code; None where the server did not begin to answer."""
        if self._asking.recv(1) != HERE or not self._ask(arguments) or self._asking.recv(1) != TAKEN:
            return None
        self._asking.settimeout(None)
        hears = _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler  # not one that a shell made deaf
        if hears:
            _signal.signal(_signal.SIGINT, self._interrupt)
        try:
            self._asking.sendall(GO)
            return self._listen()
        finally:
            if hears:
                _signal.signal(_signal.SIGINT, _signal.default_int_handler)

    def _ask(self, arguments: list[str]) -> bool:
        """Hand everything over; False where it is too much."""
        environment = [name + b"=" + value for name, value in os.environb.items()]
        umask = os.umask(0)
        os.umask(umask)
        own = [kind_of_server(os.environ).encode("utf-8", "surrogateescape"), b"%d" % umask]
        request = packed(ANSWER, own, [os.fsencode(argument) for argument in arguments], environment)
        if len(request) > REQUEST_BYTES:
            return False
        here = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            handed = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2, here))
            sent = self._asking.sendmsg([request], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, handed)])
            self._asking.sendall(request[sent:])
        finally:
            os.close(here)
        return True

    def _interrupt(self, *_: object) -> None:
        """The server's process ends as this one would; a second time is for this one."""
        _signal.signal(_signal.SIGINT, _signal.default_int_handler)
        self._asking.send(INTERRUPT)

    def _listen(self) -> int | None:
        while True:
            told = self._asking.recv(1)
            if told == CODE:
                return int(self._read(3))
            if told == BEGUN:
                self._begun = True
            elif told == PAGE:
                self._page()
            else:
                return self.lost()

    def lost(self) -> int | None:
        """What to do without an answer: once some of it was written or of stdin read, it cannot be given again."""
        if not self._begun:
            return None
        sys.stderr.write("rerank-cli: the warm server was ended while it answered; ask again\n")
        return LOST

    def _page(self) -> None:
        """Show what the server gave to this terminal's pager."""
        lengths = b""
        while not lengths.endswith(b"\n"):
            lengths += self._read(1)
        command, text = (self._read(int(length)).decode("utf-8", "surrogateescape") for length in lengths.split())
        from rerank_cli.cli.paging import shown_by

        self._asking.sendall(b"1" if shown_by(command, text) else b"0")

    def _read(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            part = self._asking.recv(size - len(found))
            if not part:
                raise ConnectionResetError
            found += part
        return found
