"""The terminal session of `rerank-cli eval judge`: one passage, one key."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rerank_cli.cells import lines_of, wrapped
from rerank_cli.cli.terminal import printable
from rerank_cli.evaluation.asking.pooling import Pooled
from rerank_cli.evaluation.inputs.judgement_file import JudgementFile
from rerank_cli.records import StoredPassage

KEYS = "y relevant  n not  0-9 grade  s skip  u undo  m more  q quit"

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


def judge(
    pooled: Iterable[Pooled],
    judgements: JudgementFile,
    *,
    read_key: Callable[[], str],
    passages_of: Callable[[Pooled], Sequence[StoredPassage]],
) -> Session:
    """Show one passage after another on stderr and save each answer at once, until q or the end.

    `passages_of` gives those of its document, for who wants to read more of it.
    """
    begun = time.monotonic()
    coming = iter(pooled)
    shown: list[Pooled] = []
    answers: list[str] = []
    while True:
        if len(shown) == len(answers):
            if (following := next(coming, None)) is None:
                break
            shown.append(following)
        each = shown[len(answers)]
        _show(each)
        key = _answer(read_key, each, passages_of)
        if key == "q":
            break
        if key == "u":
            _undo(answers, judgements)
            continue
        if key in GRADES:
            judgements.keep(each.query.id, each.stored.document_id, GRADES[key])
        answers.append(key)
    grades = [GRADES[key] for key in answers if key in GRADES]
    return Session(len(grades), sum(grade > 0 for grade in grades), time.monotonic() - begun)


def _undo(answers: list[str], judgements: JudgementFile) -> None:
    """Take back the last answer, so that it is asked again."""
    if not answers:
        _say("nothing was answered yet")
    elif answers.pop() in GRADES:
        judgements.take_back()


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


def _answer(
    read_key: Callable[[], str], pooled: Pooled, passages_of: Callable[[Pooled], Sequence[StoredPassage]]
) -> str:
    """The key that is an answer; m shows one passage more before and after, as often as it is pressed."""
    reach = 0
    while (key := read_key().lower()) not in {*GRADES, "s", "u", "q"}:
        if key == "m":
            reach += 1
            _show_around(pooled, passages_of(pooled), reach)
        else:
            _say_keys()
    return key


def _show(pooled: Pooled) -> None:
    of_documents = f"document {pooled.number} of {pooled.of_documents}"
    of_queries = f"query {pooled.query_number} of {pooled.of_queries}"
    _say("\n" + "─" * _width())
    _say_fitted(f"{of_documents} · {of_queries}")
    _say_fitted(f"{printable(pooled.query.id)}: {printable(pooled.query.text)}")
    _say("")
    _say_fitted(printable(" > ".join((pooled.stored.path, *pooled.stored.passage.headings))))
    _say_text(pooled.stored.passage.text)
    _say_keys()


def _show_around(pooled: Pooled, passages: Sequence[StoredPassage], reach: int) -> None:
    """The passages up to *reach* before and after the one to judge, as far as there are any."""
    own = pooled.stored.passage.ordinal
    around = [each.passage for each in passages if abs(each.passage.ordinal - own) <= reach]
    for passage in around:
        _say("")
        _say_fitted(printable(" > ".join((str(passage.place), *passage.headings))))
        _say_text(passage.text)
    if len(around) == len(passages):
        _say("\nthat is the whole document")
    _say_keys()


def _say_keys() -> None:
    _say_fitted(f"[{KEYS}]")


def _say_text(text: str) -> None:
    """Indented, each line of its own, and no word of it left out."""
    for line in text.split("\n"):
        shown = printable(line.expandtabs(4))
        for start, end in lines_of(shown, _width() - 2) or [(0, 0)]:
            _say(f"  {shown[start:end]}".rstrip())


def _say_fitted(text: str) -> None:
    for line in wrapped(text, _width()):
        _say(line)


def _width() -> int:
    return min(WIDEST, shutil.get_terminal_size().columns)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
