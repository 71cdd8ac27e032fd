"""The program: its commands, and the one place where errors become a line and an exit code."""

from __future__ import annotations

import os
import signal
import sys
from typing import Annotated, NoReturn

import typer

from rerank_cli import __version__
from rerank_cli.cli import config, index, models, query, status
from rerank_cli.cli import eval as evaluation
from rerank_cli.cli.terminal import say, tell
from rerank_cli.errors import RerankError

INTERRUPTED = 130
OUTPUT_CLOSED = 141

app = typer.Typer(
    name="rerank-cli",
    help="Search a folder of documents in two stages: retrieve many, rerank them all, show the best few.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("index")(index.run)
app.command("query", short_help="Search an index in both stages.")(query.run)
app.command("status", short_help="Show what is indexed and what has changed since.")(status.run)
app.command("config", short_help="Print every setting and where it comes from.")(config.run)
app.add_typer(models.app, name="models")
app.add_typer(evaluation.app, name="eval")


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
    """Search a folder of documents in two stages: retrieve many, rerank them all, show the best few."""
    if context.invoked_subcommand is None:
        print(context.get_help(), file=sys.stderr)
        raise typer.Exit(2)


def main() -> NoReturn:
    """Run the command line and exit with its code."""
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
    _leave(code if isinstance(code, int) else 0)


def _run(arguments: list[str]) -> object:
    """What the command returns. Typer's own `main` would keep an interrupt to itself and make 1 of a closed pipe."""
    command = typer.main.get_command(app)
    try:
        with command.make_context("rerank-cli", arguments) as context:
            return command.invoke(context)
    except typer.Exit as left:
        return left.exit_code


def _leave(code: int) -> NoReturn:
    """Exit without the interpreter's own flush of a pipe that nobody reads any more."""
    if code == OUTPUT_CLOSED:
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
