"""Which parts of a document are headings: those that the outline names, else those that their letters set apart."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from rerank_cli.corpus.read.pdf.characters import ends_sentence
from rerank_cli.corpus.read.pdf.lines import Line
from rerank_cli.corpus.read.pdf.pages import Bookmark
from rerank_cli.corpus.read.pdf.parts import Part
from rerank_cli.corpus.read.pdf.ranks import Style, heads_contents, ranked, roman_number

_LARGER = 1.15
_TITLE_LARGER = 1.25
_MOST_CHARS = 160
_MOST_BOLD_CHARS = 100
_MOST_LINES = 3
_DEEPEST = 6

# Parts of so many lines are paragraphs, and what has such a share of them is prose.
_FEWEST_LINES = 3
_LEAST_PROSE = 0.15

_NO_HEADING = re.compile(
    r"[.,;]\Z|\A[-•\ue000-\uf8ff]|(?:\A|\s)=\s|[∑∏∫∞⩽⩾≤≥]|\A(?:figure|fig\.|table|tab\.|abb\.|listing)\s*\d"
    r"|\A(?:https?://|www\.)",
    re.IGNORECASE,
)
_LETTERS = re.compile(r"[^\W\d_\u02b0-\u02ff]{2}|[\u3040-\u9fff\uac00-\ud7af]")
_KINDS = "chapter|part|appendix|section|kapitel|anhang|teil|chapitre|annexe"
_NUMBER = re.compile(rf"\A(?:(?:{_KINDS})\s+[\dA-Z]{{1,5}}|\d+|[A-Z](?=\.))(?:\.\d+)*[.:)]?\s+", re.IGNORECASE)
_NUMBER_KEY = re.compile(rf"(?:{_KINDS})?(?:[\da-z]?\d*|[ivx]{{1,5}})", re.IGNORECASE)
_MOST_NUMBER_CHARS = 14

# Of fewer in a row each may be a heading.
_FEWEST_LABELS = 3

_IN_LINES = ("text", "scraps")


# Titles that say nothing: what a program writes of itself, the name of a file, a page's number.
_NO_TITLE = re.compile(
    r"microsoft (?:word|powerpoint|excel)|untitled|unbenannt|sans titre|powerpoint presentation|presentation title"
    r"|document\d*\Z|slide ?\d+\Z|page ?\d+\Z|\S+\.(?:\w{2,4}|indd)\Z|[\W\d_]*\Z|\(?(?:anonymous|unspecified)\)?\Z"
    r"|[\w-]*\Z(?<=\d)",
    re.IGNORECASE,
)
_PAGE_TITLE = re.compile(r"(?:page|slide|folie|seite|p\.?)?\s*[\divxl]+", re.IGNORECASE)
_INDEX_LETTER = re.compile(r"[^\W\d_\u2e80-\ua4cf\uac00-\ud7af]|[\W_]")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading on a page; level 0 is the title of all."""

    text: str
    level: int
    page: int


def body_size(parts: Sequence[Part]) -> float:
    """The size that most letters have, but for those of listings if there are paragraphs beside them."""
    prose = sum(len(part.lines) for part in parts if part.kind == "text" and len(part.lines) >= _FEWEST_LINES)
    is_prose = prose > _LEAST_PROSE * sum(len(part.lines) for part in parts)
    letters = Counter[float]()
    for part in parts:
        for line in part.lines if not (is_prose and part.kind == "listing") else ():
            letters[round(line.size * 2) / 2] += len(line.text)
    return max(letters, key=lambda size: (letters[size], -size), default=10.0)


def by_letters(parts: Sequence[Part], body: float, slides: Collection[int]) -> list[Part | Heading]:
    """*parts* with those as headings that are set in larger or bolder letters than the text."""
    level = Counter((part.last_page, round(part.lines[-1].y)) for part in parts if part.kind == "text" and part.bold)
    styles = {
        index: style
        for index, part in enumerate(parts)
        if (style := _style(part, body, is_alone=level[part.last_page, round(part.lines[-1].y)] < 2))
        and (part.first_page in slides or not (index and _goes_on(parts[index - 1], part)))
    }
    styles = _without_labels(parts, styles, slides)
    if sections := _in_capitals(parts, styles):
        styles = dict(sorted((styles | dict.fromkeys(sections, (body, True))).items()))
    levels = ranked(parts, styles, slides)
    return [
        Heading(part.text(frozenset()), min(levels[index], _DEEPEST), part.first_page) if index in levels else part
        for index, part in enumerate(parts)
    ]


def _goes_on(before: Part, part: Part) -> bool:
    """Whether *part* is a line of the sentence *before*, as some scans have one in larger letters."""
    is_text = before.kind == "text" and before.last_page == part.first_page
    return is_text and part.lines[0].text[0].islower() and not ends_sentence(before.lines[-1].text)


def _without_labels(parts: Sequence[Part], styles: Mapping[int, Style], slides: Collection[int]) -> dict[int, Style]:
    """*styles* without what is a label of a drawing: it stands among others of its kind, or it only heads labels."""
    scattered = {
        index for run in _in_a_row(parts, styles) if _are_scattered([parts[at] for at in run]) for index in run
    }
    heads = Counter(style for index, style in styles.items() if not _is_above_labels(parts, styles, index))
    largest = max(styles.values(), default=None)  # the title of a form may stand above its labels
    return {
        index: style
        for index, style in styles.items()
        if index not in scattered and (heads[style] or style == largest or parts[index].first_page in slides)
    }


def _in_a_row(parts: Sequence[Part], styles: Mapping[int, Style]) -> list[list[int]]:
    """Headings of one style that follow one another on a page."""
    placed = enumerate(styles.items())
    rows = groupby(placed, lambda each: (each[1][0] - each[0], each[1][1], parts[each[1][0]].first_page))
    return [[index for _, (index, _) in row] for _, row in rows]


def _are_scattered(row: Sequence[Part]) -> bool:
    """Whether none of several stands right below the one before."""
    return len(row) >= _FEWEST_LABELS and not any(_is_above(*each) for each in pairwise(row))


def _is_above(part: Part, other: Part) -> bool:
    left, right = other.left - part.left, other.right - part.right
    return other.top > part.top and min(abs(left), abs(right), abs(left + right) / 2) < 0.5 * part.size


def _is_above_labels(parts: Sequence[Part], styles: Mapping[int, Style], index: int) -> bool:
    after = next((at for at in range(index, len(parts)) if at not in styles), index)
    return parts[after].kind == "scraps" and parts[after].first_page == parts[index].first_page


def _in_capitals(parts: Sequence[Part], styles: Mapping[int, Style]) -> list[int]:
    """Which of *parts* are sections that Roman numbers count, in capitals of the size of the text."""
    counted = {
        index: number
        for index, part in enumerate(parts)
        if index not in styles and part.kind == "text" and len(part.lines) <= _MOST_LINES
        if (number := roman_number(part.text(frozenset())))
    }
    numbers = list(counted.values())
    return list(counted) if len(numbers) > 1 and numbers == sorted(set(numbers)) else []


def _style(part: Part, body: float, *, is_alone: bool) -> Style | None:
    """How a heading is set, None for what is none. *is_alone* where nothing else that is bold stands beside it."""
    if part.kind != "text" or len(part.lines) > _MOST_LINES or not part.lines[0].upright:
        return None
    text = part.text(frozenset())
    is_larger = part.size >= _LARGER * body and len(text) <= _MOST_CHARS
    is_bolder = part.bold and part.size >= 0.95 * body and len(text) <= _MOST_BOLD_CHARS and len(part.lines) < 3
    if not (is_larger or is_bolder) or not _LETTERS.search(text) or _NO_HEADING.search(text):
        return None
    is_row = any(map(_holds_names if is_larger else _is_row, part.lines))
    if (is_row or not (is_larger or is_alone)) and not _NUMBER.match(f"{part.lines[0].cells[0].text} "):
        return None  # it names the columns of a table
    return round(part.size * 2) / 2, part.bold


def _is_row(line: Line) -> bool:
    return line.is_row


def _holds_names(line: Line) -> bool:
    """Whether several names stand far apart. A title may have a date or a page's number at the other edge."""
    return line.is_row and sum(_LETTERS.search(cell.text) is not None for cell in line.cells) > 1


def by_outline(parts: Sequence[Part], bookmarks: Sequence[Bookmark]) -> list[Part | Heading]:
    """*parts* with the headings of the outline: in the place of the lines that say the same, else where it leads."""
    pages: dict[int, list[Part]] = defaultdict(list)
    for part in parts:
        pages[part.first_page].append(part)
    wanted: dict[int, list[Bookmark]] = defaultdict(list)
    for bookmark in bookmarks:
        placed = _moved(bookmark, pages)
        wanted[placed.page].append(placed)
    headed: list[Part | Heading] = []
    for page in sorted({*wanted, *pages}):
        headed += _headed(pages[page], wanted[page]) if page in wanted else pages[page]
    return headed


def _moved(bookmark: Bookmark, pages: Mapping[int, Sequence[Part]]) -> Bookmark:
    """*bookmark*, on the page after its own if its heading has moved there from the foot of the page."""
    following = pages.get(bookmark.page + 1, ())[:_MOST_LINES]
    if not _find(following, bookmark.title) or _find(pages.get(bookmark.page, ()), bookmark.title):
        return bookmark
    return replace(bookmark, page=bookmark.page + 1, y=None)


def _headed(parts: Sequence[Part], bookmarks: Sequence[Bookmark]) -> list[Part | Heading]:
    """The parts of a page with its headings, in the order of the outline."""
    headed: list[Part | Heading] = []
    rest = list(parts)
    for bookmark in bookmarks:
        heading = Heading(bookmark.title, bookmark.level, bookmark.page)
        found = _find(rest, bookmark.title)
        if found:
            index, taken, remaining = found
            headed += [*rest[:index], heading]
            rest = [*remaining, *rest[taken:]]
            continue
        y = -math.inf if bookmark.y is None else bookmark.y
        index = next((index for index, part in enumerate(rest) if part.bottom > y), len(rest))
        headed += [*rest[:index], heading]
        rest = rest[index:]
    return [*headed, *rest]


def _find(parts: Sequence[Part], title: str) -> tuple[int, int, list[Part]] | None:
    """Where the lines are that say *title*: the first part, the one after, and what of the last is no heading."""
    wanted = _key(title)
    if not wanted:
        return None
    bare = _key(_NUMBER.sub("", title)) or wanted
    for index in range(len(parts)):
        said = ""
        for taken, part in enumerate(parts[index : index + _MOST_LINES], index + 1):
            for number, line in enumerate(part.lines if part.kind in _IN_LINES else (), 1):
                said += _key(line.text)
                if _says(said, wanted, bare):
                    left = part.lines[number:]
                    return index, taken, [replace(part, lines=left)] if left else []
            if len(said) > len(wanted) + _MOST_NUMBER_CHARS or part.kind not in _IN_LINES:
                break
    return None


def _says(said: str, wanted: str, bare: str) -> bool:
    """Whether the letters of some lines are those of a title, whichever of both has a number in front."""
    if said in (wanted, bare):
        return True
    return said.endswith(bare) and _NUMBER_KEY.fullmatch(said.removesuffix(bare)) is not None


def _key(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()


def is_telling(bookmark: Bookmark) -> bool:
    """Whether it names more than a page, or a letter of an index."""
    return not (_PAGE_TITLE.fullmatch(bookmark.title) or _INDEX_LETTER.fullmatch(bookmark.title))


def title_of(parts: Sequence[Part], said: str, body: float) -> Part | str:
    """The title: what the file says if that is no nonsense, else the largest letters on the first page, else nothing.

    What also stands on the first pages is given as the part that it is.
    """
    opening = [part for part in parts if part.first_page <= 2]
    largest = max(
        (part for part in opening if part.first_page == 1 and _may_be_title(part, body)),
        key=lambda part: part.size,
        default=None,
    )
    if said and not _NO_TITLE.match(said):
        key = _key(said)
        named = next((part for part in opening if part.kind == "text" and _key(part.text(frozenset())) == key), None)
        if named or any(key in _key(part.text(frozenset())) for part in opening):
            return named or said
        if largest is None:
            return said
    return largest or ""


def _may_be_title(part: Part, body: float) -> bool:
    text = part.text(frozenset())
    return (
        part.kind == "text"
        and part.lines[0].upright
        and part.size >= _TITLE_LARGER * body
        and len(part.lines) <= 4
        and len(text) <= 2 * _MOST_CHARS
        and len(_LETTERS.findall(text)) > 1
        and not heads_contents(text)
    )
