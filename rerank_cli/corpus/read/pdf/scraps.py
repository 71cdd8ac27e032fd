"""Put the scraps of a page together: the labels of a diagram or a plot, the pieces of a formula."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from rerank_cli.corpus.read.pdf.characters import ends_sentence
from rerank_cli.corpus.read.pdf.parts import Part

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
    for (_, is_scrap), pairs in groupby(_with_scraps(parts, body), lambda pair: (pair[0].first_page, pair[1])):
        run = [part for part, _ in pairs]
        if is_scrap and len(run) >= _FEWEST:
            run = [Part(tuple(line for part in run for line in part.lines), "scraps")]
        whole += run
    return whole


def _with_scraps(parts: Sequence[Part], body: float) -> list[tuple[Part, bool]]:
    """Each of *parts*, and whether it is a scrap. So is a large label between scraps, or above the caption of some."""
    scraps = [_is_scrap(part, body) for part in parts]
    for index in range(1, len(parts) - 1):
        before, part, after = parts[index - 1 : index + 2]
        if scraps[index - 1] and (scraps[index + 1] or after.is_caption) and _is_label(part, body):
            scraps[index] = before.first_page == part.first_page == after.first_page
    return list(zip(parts, scraps, strict=True))


def _is_label(part: Part, body: float) -> bool:
    is_line = part.kind == "text" and len(part.lines) == 1 and not part.bold and part.size >= _LARGER * body
    return is_line and len(_WORD.findall(part.lines[0].text)) <= _MOST_WORDS


def _is_scrap(part: Part, body: float) -> bool:
    if part.kind != "text" or len(part.lines) > _MOST_LINES or part.size >= _LARGER * body:
        return False
    if part.is_item or part.is_caption or (part.bold and part.size > _SMALLER * body):
        return False
    text = part.text(frozenset())
    words = len(_WORD.findall(text))
    return words <= _MOST_WORDS and not (words and ends_sentence(text))
