"""The terminal session of `rerank-cli eval judge`: one passage, one key."""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rerank_cli.cli.terminal import printable
from rerank_cli.evaluation.asking.pooling import Pooled
from rerank_cli.evaluation.inputs.judgement_file import JudgementFile

KEYS = "y relevant   n not   0-9 grade   s skip   q quit"

GRADES = {"y": 1, "n": 0, **{str(digit): digit for digit in range(10)}}

WIDEST = 100

SPECIAL_KEY = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|.)?")
"""What a terminal sends for arrows, Page Up, Delete and the like (ECMA-48): it may hold digits, which are grades."""

END_OF_INPUT = b"\x04"
"""Ctrl-D, where Enter ends no line."""


@dataclass(frozen=True, slots=True)
class Session:
    """How many were judged, how many of them relevant, and the seconds this took."""

    judged: int
    relevant: int
    elapsed_s: float


def judge(pooled: Iterable[Pooled], judgements: JudgementFile, *, read_key: Callable[[], str]) -> Session:
    """Show one passage after another on stderr and save each answer at once, until q or the end."""
    begun = time.monotonic()
    judged = relevant = 0
    shown_query = ""
    for each in pooled:
        if each.query.id != shown_query:
            shown_query = each.query.id
            _say("\n" + "=" * 20 + f"\n{printable(each.query.id)}: {printable(each.query.text)}")
        _show(each)
        key = _answer(read_key)
        if key == "q":
            break
        if key in GRADES:
            judgements.keep(each.query.id, each.stored.document_id, GRADES[key])
            judged, relevant = judged + 1, relevant + (GRADES[key] > 0)
    return Session(judged, relevant, time.monotonic() - begun)


@contextmanager
def single_keys() -> Iterator[Callable[[], str]]:
    """A reader of the terminal's keys, without Enter; from a pipe, of letters that are no blanks. q at the end."""
    if not sys.stdin.isatty():
        letters = _piped()
        yield lambda: next(letters, "q")
        return
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    try:
        tty.setcbreak(terminal, termios.TCSADRAIN)  # what was typed ahead is kept
        keys = _typed(terminal)
        yield lambda: next(keys, "q")
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _typed(terminal: int) -> Iterator[str]:
    """The keys that are typed, one by one; those that send several letters, such as the arrows, are none."""
    while (typed := os.read(terminal, 1024)) and END_OF_INPUT not in typed:
        yield from SPECIAL_KEY.sub("", typed.decode(errors="ignore"))


def _piped() -> Iterator[str]:
    while letter := sys.stdin.read(1):
        if not letter.isspace():
            yield letter


def _answer(read_key: Callable[[], str]) -> str:
    while (key := read_key().lower()) not in {*GRADES, "s", "q"}:
        _say(KEYS)
    return key


def _show(pooled: Pooled) -> None:
    passage = pooled.stored.passage
    width = min(WIDEST, shutil.get_terminal_size().columns)
    _say("\n" + printable(" > ".join((pooled.stored.path, *passage.headings))))
    for line in passage.text.split("\n"):
        for part in textwrap.wrap(printable(line), width - 2) or [""]:
            _say(f"  {part}")
    _say(f"[{KEYS}]")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
