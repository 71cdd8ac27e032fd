"""How deep headings stand: as their letters tell, but for those that a slide or a section holds."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby, pairwise

from rerank_cli.corpus.read.pdf.parts import Part

Style = tuple[float, bool]
"""The size of letters, and whether they are bold."""

_CONTENTS = re.compile(
    r"(?:table of )?contents|inhalt(?:sverzeichnis)?|table des mati[eè]res|sommaire|[ií]ndice|sum[aá]rio|sommario"
    r"|spis treści|tartalom(?:jegyzék)?|оглавление|содержание|目 ?[录錄次]|목 ?차|차 ?례",
    re.IGNORECASE,
)
_SUBSECTION = re.compile(r"(\d{1,2}\.)+(\d{1,2})\.?\s")
_ROMAN = re.compile(r"([IVX]{1,5})\.\s[A-Z][^a-z]+")
_NUMERALS = {"I": 1, "V": 5, "X": 10}


def ranked(parts: Sequence[Part], styles: Mapping[int, Style], slides: Collection[int]) -> dict[int, int]:
    """The level of each heading, from 1 on. *styles* are those of the *parts* that are headings, in order."""
    ranks = {style: rank for rank, style in enumerate(sorted(set(styles.values()), reverse=True), 1)}
    levels = {index: ranks[style] for index, style in styles.items()}
    for index, after in pairwise(styles):
        if heads_contents(parts[index].lines[0].text):
            levels[index] = max(levels[index], levels[after])
    for page, group in groupby(styles, lambda index: parts[index].first_page):
        if page in slides and page > 1:
            levels |= _below_title(list(group), styles, levels)
    return _in_sections(parts, styles, levels)


def heads_contents(text: str) -> bool:
    """Whether *text* stands above a table of contents, and so is the heading of nothing after that."""
    return _CONTENTS.fullmatch(text) is not None


def _below_title(slide: Sequence[int], styles: Mapping[int, Style], levels: Mapping[int, int]) -> dict[int, int]:
    """The levels of the headings of a *slide*: the first one is its title, and none is above that."""
    title, *others = slide
    size = styles[title][0]
    level = min(level for index, level in levels.items() if styles[index][0] == size)
    return {title: level} | {index: level + 1 for index in others if levels[index] < level}


def _in_sections(parts: Sequence[Part], styles: Mapping[int, Style], levels: Mapping[int, int]) -> dict[int, int]:
    """*levels*, but deeper ones for what stands between two sections whose numbers follow each other."""
    placed = dict(levels)
    order = list(styles)
    last: dict[tuple[Style, str], tuple[int, int]] = {}  # the number of a section, and where it is in that order
    for at, index in enumerate(order):
        within, number = _numbered(parts[index].lines[0].text)
        if not number:
            continue
        before, begun = last.get((styles[index], within), (number, at))
        if before < number:
            for between in order[begun + 1 : at]:
                placed[between] = max(placed[between], placed[order[begun]] + 1)
        last[styles[index], within] = number, at
    return placed


def _numbered(text: str) -> tuple[str, int]:
    """The number before a heading, and that of the section which has it; 0 where it has none of the kind."""
    if found := _SUBSECTION.match(text):
        return text[: found.start(2)], int(found[2])
    return "", roman_number(text)


def roman_number(text: str) -> int:
    """The Roman number before a heading in capitals, 0 where it has none."""
    found = _ROMAN.fullmatch(text)
    if not found:
        return 0
    values = [_NUMERALS[letter] for letter in found[1]]
    return sum(-value if value < after else value for value, after in pairwise([*values, 0]))
