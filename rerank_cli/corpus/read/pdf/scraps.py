"""Put the scraps of a page together: the labels of a diagram or a plot, the pieces of a formula."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from rerank_cli.corpus.read.pdf.characters import ends_sentence
from rerank_cli.corpus.read.pdf.paragraphs import Part

# Of fewer in a row each may be a heading or a line that stands alone.
_FEWEST = 3

_MOST_LINES = 2
_MOST_WORDS = 3
_LARGER = 1.15
_SMALLER = 0.95

# Two letters of a writing without blanks are a word.
_WORD = re.compile(r"[\u2e80-\ua4cf]{2}|[^\W\d_\u2e80-\ua4cf]{3,}")


def gathered(parts: Sequence[Part], body: float) -> list[Part]:
    """*parts* with the scraps that follow one another on a page as one. *body* is the size of most letters."""
    whole: list[Part] = []
    for (_, is_scrap), found in groupby(parts, lambda part: (part.first_page, _is_scrap(part, body))):
        run = list(found)
        if is_scrap and len(run) >= _FEWEST:
            run = [Part(tuple(line for part in run for line in part.lines), "scraps")]
        whole += run
    return whole


def _is_scrap(part: Part, body: float) -> bool:
    if part.kind != "text" or len(part.lines) > _MOST_LINES or part.size >= _LARGER * body:
        return False
    if part.is_item or part.is_caption or (part.bold and part.size > _SMALLER * body):
        return False
    text = part.text(frozenset())
    words = len(_WORD.findall(text))
    return words <= _MOST_WORDS and not (words and ends_sentence(text))
