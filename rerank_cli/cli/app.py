"""The program: its commands, and the one place where errors become a line and an exit code."""

from __future__ import annotations

import io
import os
import signal
import sys
import traceback
from functools import cache
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from rerank_cli import __version__
from rerank_cli.cli.commands import CommandGroup
from rerank_cli.cli.terminal import give_up, say, tell
from rerank_cli.errors import BUG, InputError, RerankError, in_words

INTERRUPTED = 130
OUTPUT_CLOSED = 141

app = typer.Typer(
    name="rerank-cli",
    cls=CommandGroup,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        print(f"rerank-cli {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def options(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Search a folder of documents in two stages: retrieve many, rerank them all, show the best few.

    \b
    Examples:
      rerank-cli index .
      rerank-cli query there is a smell of gas
    """
    if context.invoked_subcommand is None:
        for line in context.get_help().splitlines():
            say(line)
        raise typer.Exit(2)


def program() -> NoReturn:
    """`main` in a process of its own, which ends at once: Python would take 60 ms to clear up what the system does.

    All that must be written is on its way by then.
    """
    try:
        main()
    except SystemExit as left:
        os._exit(left.code if isinstance(left.code, int) else BUG)


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    _open_streams()
    try:
        code = _run(sys.argv[1:])
        sys.stdout.flush()
    except RerankError as error:
        tell(error)
        _leave(error.exit_code)
    except typer.TyperException as error:
        message = error.format_message() if hasattr(error, "format_message") else str(error)
        say(f"rerank-cli: {message.rstrip('.')}; see rerank-cli --help")
        _leave(2)
    except (KeyboardInterrupt, typer.Abort):
        say("rerank-cli: interrupted")
        _leave(INTERRUPTED)
    except BrokenPipeError:
        _leave(OUTPUT_CLOSED)
    except Exception as error:
        _leave(_end_badly(error))
    _leave(code if isinstance(code, int) else 0)


def _end_badly(error: Exception) -> int:
    """Tell what no one below could: an error of the system, which is nobody's fault here, or a bug of ours."""
    if _is_of_the_output(error):
        tell(InputError(f"the output cannot be written ({in_words(error)})", remedy="check where it goes"))
        give_up(sys.stdout)
        return InputError.exit_code
    if (told := _from_the_system(error)) is not None:
        tell(told)
        return told.exit_code
    for line in "".join(traceback.format_exception(error)).splitlines():
        say(line)
    say(f"rerank-cli: this is a bug of rerank-cli {__version__}; report it with the lines above: no index was harmed")
    return BUG


def _from_the_system(error: Exception) -> RerankError | None:
    if isinstance(error, OSError):
        named = next(
            (name for name in (error.filename, error.filename2) if isinstance(name, str | bytes)), "the system"
        )
        return InputError(
            f"{os.fsdecode(named)}: cannot be used ({in_words(error)})",
            remedy="check that it is there, its permissions and its disk, and run again; no index was harmed",
        )
    if isinstance(error, MemoryError):
        return InputError("there is too little memory", remedy="free some and run again; no index was harmed")
    if type(error).__module__ == "sqlite3":  # the module itself is the store's
        return InputError(f"a database cannot be used ({in_words(error)})", remedy="check the disk and run again")
    return None


def _is_of_the_output(error: Exception) -> bool:
    """Whether *error* came while results were written: the system names no file then, and only the commands print."""
    names = [str(frame.f_globals.get("__name__")) for frame, _ in traceback.walk_tb(error.__traceback__)]
    ours = [name for name in names if name.startswith("rerank_cli.")]
    return isinstance(error, OSError) and error.filename is None and ours[-1].startswith("rerank_cli.cli.")


def _open_streams() -> None:
    """A closed stream holds nothing and swallows what is written to it; what is no UTF-8 is written with escapes.

    Python can be told to hold nothing back. Then each line would be a write of its own, and a reader that goes once it
    has some of them, as `head` does, would break the others. Here what must be seen at once is flushed.
    """
    sys.stdin = sys.stdin or Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - open to the end
    sys.stdout = sys.stdout or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open to the end
    sys.stderr = sys.stderr or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        if isinstance(sys.stdout.buffer, io.RawIOBase):
            sys.stdout = open(sys.stdout.fileno(), "w", encoding=sys.stdout.encoding, closefd=False)  # noqa: SIM115
        sys.stdout.reconfigure(errors="backslashreplace")


@cache
def command_line() -> Any:
    """What reads the arguments."""
    return typer.main.get_command(app)


def _run(arguments: list[str]) -> object:
    """What the command returns. Typer's own `main` would keep an interrupt to itself and make 1 of a closed pipe."""
    command = command_line()
    try:
        with command.make_context("rerank-cli", arguments) as context:
            return command.invoke(context)
    except typer.Exit as left:
        return left.exit_code


def _leave(code: int) -> NoReturn:
    if code == OUTPUT_CLOSED:
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        give_up(sys.stdout)
    try:
        sys.stdout.flush()
    except OSError:  # after an error, whose code it is that counts
        give_up(sys.stdout)
    sys.exit(code)
