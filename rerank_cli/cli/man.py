"""`rerank-cli man`: the manual page, made of the same commands as every --help."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import typer

from rerank_cli import __version__

VERBATIM = "\b\n"
"""Stands before a paragraph of a help text whose lines stay as they are."""

EXAMPLES = "Examples:"

PURPOSE = "search a folder of documents in two stages"
"""What whatis and apropos show."""

SIGNS = {"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", '"': "\\(dq", "^": "\\(ha", "~": "\\(ti"}
"""Letters that roff takes for its own, or shows as others, and their names there. The first stands in the others."""

EXIT_CODES = {
    "0": "results found; index up to date or updated; doctor found nothing that fails",
    "1": "no result, or none above --min-score; a gate of eval failed; train bettered nothing",
    "2": "usage or configuration",
    "3": "index missing, damaged, or made with another model or format",
    "4": "input, model or disk could not be read or written, or too much is missing at once",
    "5": "index complete but for files that are damaged or could not be read, with --strict",
    "70": "a bug of rerank-cli: its traceback is what to report, and no index was harmed",
    "75": "another process is writing and the wait ran out, or trains to the same folder",
    "130, 141": "interrupted; the reader of the output went away",
}

VARIABLES = {
    "RERANK_CLI_…": "An option, by its name: --top-k is RERANK_CLI_TOP_K, and --no-rerank is RERANK_CLI_RERANK=false.",
    "RERANK_CLI_ENCODER_KEY, RERANK_CLI_RERANKER_KEY": "The keys of remote models.",
    "RERANK_CLI_SERVE_TOKEN": "What clients of serve must send.",
    "HF_HUB_OFFLINE": "With 1, no model is fetched from the hub.",
    "XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_CACHE_HOME": "Where the files below are; ~/.config, ~/.local/share and "
    "~/.cache unless they are set.",
}

FILES = {
    "~/.config/rerank-cli/config.yaml": "Your settings.",
    "rerank.yaml": "Settings of a folder and of what lies below it.",
    ".rerankignore": "What not to index, written as a .gitignore.",
    "~/.local/share/rerank-cli/indexes": "Indexes.",
    "~/.cache/rerank-cli": "Compiled models and kept scores.",
}


def run() -> int:
    """Print the manual page, as man reads it.

    \b
    Examples:
      rerank-cli man | man -l -
      rerank-cli man > ../rerank-cli.1
    """
    from rerank_cli.cli.app import app

    print("\n".join(page(typer.main.get_command(app))))
    return 0


def page(program: Any) -> Iterator[str]:
    """The lines of the page: a section for each command, and what holds for all."""
    opening, *_ = _paragraphs(program)
    yield f'.TH RERANK\\-CLI 1 {datetime.now(UTC):%Y-%m-%d} "rerank\\-cli {__version__}"'
    yield from (".SH NAME", f"rerank\\-cli \\- {_escaped(PURPOSE)}")
    yield from (".SH SYNOPSIS", ".B rerank\\-cli", ".I COMMAND", "[options]")
    yield from (".SH DESCRIPTION", *_text(opening), ".PP")
    yield from _text("Each command has its options; -h or --help shows them.")
    yield ".SH COMMANDS"
    for name, command in program.commands.items():
        yield from _section(command, name, typer.Context(program, info_name="rerank-cli"))
    yield from (".SH EXIT STATUS", *_listed(EXIT_CODES))
    yield from (".SH ENVIRONMENT", *_listed(VARIABLES))
    yield from (".SH FILES", *_listed(FILES))
    yield from (".SH EXAMPLES", *_verbatim(examples_of(program)))


def examples_of(command: Any) -> list[str]:
    """The examples in the help of *command*, each a line for a shell."""
    blocks = [text.splitlines() for text in _paragraphs(command) if text.startswith(EXAMPLES)]
    return [line.strip() for block in blocks for line in block[1:]]


def _section(command: Any, name: str, above: Any) -> Iterator[str]:
    """What a command does, and how it is called; and after it the commands that it has."""
    context = typer.Context(command, info_name=name, parent=above)
    yield f".SS {_escaped(context.command_path)}"
    yield from (f".B {_escaped(context.command_path)}", _escaped(" ".join(command.collect_usage_pieces(context))))
    for text in _paragraphs(command):
        if text.startswith(EXAMPLES):
            yield from (".PP", EXAMPLES, ".PP", *_verbatim(examples_of(command)))
        else:
            yield from (".PP", *_text(text))
    records = [each.get_help_record(context) for each in command.params]
    yield from _listed(dict(record for record in records if record is not None))
    for inner, each in getattr(command, "commands", {}).items():
        yield from _section(each, inner, context)


def _paragraphs(command: Any) -> list[str]:
    """Those of a help text, each on one line but for what is verbatim."""
    texts = re.split(r"\n[ \t]*\n", command.help or "")
    return [
        text.removeprefix(VERBATIM) if text.startswith(VERBATIM) else " ".join(text.split())
        for text in texts
        if text.strip()
    ]


def _listed(meanings: Mapping[str, str]) -> Iterator[str]:
    """Each word with what it means, set in from it."""
    for word, meaning in meanings.items():
        yield from (".TP", f".B {_escaped(word)}", *_text(meaning))


def _verbatim(lines: Sequence[str]) -> list[str]:
    """*lines* as they are, set in."""
    return [".RS 4", ".EX", *map(_escaped, lines), ".EE", ".RE"]


def _text(text: str) -> Iterator[str]:
    """*text* in lines of a width that roff's checkers like; roff fills them anew."""
    for line in textwrap.wrap(_escaped(text), 78, break_long_words=False, break_on_hyphens=False):
        yield f"\\&{line}" if line.startswith(".") else line


def _escaped(text: str) -> str:
    """*text* as roff shows it to the letter: no sign of it is one of roff's, and what is no ASCII is named."""
    for sign, name in SIGNS.items():
        text = text.replace(sign, name)
    return re.sub(r"[^\x00-\x7f]", lambda sign: f"\\[u{ord(sign[0]):04X}]", text)
