"""The program: its commands, and the one place where errors become a line and an exit code."""

from __future__ import annotations

import os
import signal
import sys
from typing import Annotated, NoReturn

import typer

from rerank_cli import __version__
from rerank_cli.cli import config, index, models, query, status
from rerank_cli.cli.terminal import say
from rerank_cli.errors import RerankError

INTERRUPTED = 130
OUTPUT_CLOSED = 141

app = typer.Typer(
    name="rerank-cli",
    help="Search a folder of documents in two stages: retrieve many, rerank them all, show the best few.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("index")(index.run)
app.command("query")(query.run)
app.command("status")(status.run)
app.command("config")(config.run)
app.add_typer(models.app, name="models")


def _print_version(asked: bool) -> None:
    if asked:
        print(f"rerank-cli {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Search a folder of documents in two stages: retrieve many, rerank them all, show the best few."""


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except RerankError as error:
        say(f"rerank-cli: {error}" + (f"; {error.remedy}" if error.remedy else ""))
        _leave(error.exit_code)
    except typer.TyperException as error:
        message = error.format_message() if hasattr(error, "format_message") else str(error)
        say(f"rerank-cli: {message}; see rerank-cli --help")
        _leave(2)
    except (KeyboardInterrupt, typer.Abort):
        say("rerank-cli: interrupted")
        _leave(INTERRUPTED)
    except BrokenPipeError:
        _leave(OUTPUT_CLOSED)
    _leave(code if isinstance(code, int) else 0)


def _leave(code: int) -> NoReturn:
    """Exit without the interpreter's own flush of a pipe that nobody reads any more."""
    if code == OUTPUT_CLOSED:
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
