"""Leave out running heads, running feet and page numbers: what many pages have at the same height."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from rerank_cli.corpus.read.pdf.lines import Line, in_rows_of_cells
from rerank_cli.corpus.read.pdf.pages import Page

# Which lines are looked at: those in the upper and lower parts of the page, and of these only the outermost. At the
# bottom these may be more: a table's header stands at the top of each of its pages.
_MARGIN = 0.15
_NUMBER_MARGIN = 0.25  # of the number of a page that stands alone
_UPPERMOST = 3
_LOWERMOST = 4

_PAGE_NUMBER = re.compile(
    r"[\W_]*(?:(?:page|seite|p\.|pagina|página)\s*)?(?:\d{1,4}|[ivxl]{1,7})(?:\s*(?:of|/|von|de|di)\s*\d{1,4})?[\W_]*",
    re.IGNORECASE,
)
_COUNTER = re.compile(r"(\d{1,4}) .|.* (\d{1,4})\Z")
_DIGITS = re.compile(r"\d+|\b[ivxl]+\b", re.IGNORECASE)
_NUMBER_AT_END = re.compile(r"\A\W*#\W+|\W+#\W*\Z")
_NO_LETTERS = re.compile(r"[\W\d_]+")
_NUMBER = re.compile(r"\d{1,4}")

# What has fewer letters has no words that tell a running head.
_FEWEST_LETTERS = 6

# What a browser prints around a page: where it is from, when, and how many pages there are.
_ADDRESS = re.compile(r"(?:https?|file)://\S+|about:\S+")
_TIME = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\S?\s+(?:\S{1,3}\s+)?\d{1,2}[:.]\d{2}")
_OF_ALL = re.compile(
    r"(?:^|\s)\d{1,4} ?(?:/|of|von|de|di|sur) ?\d{1,4}$|^\d{1,4} (?:of|von|de|di|sur) \d{1,4}\b", re.MULTILINE
)

# A head of a chapter repeats on the pages of that chapter: so many of a kind, no further apart than that.
_REPEATS = 3
_NEAR_PAGES = 12

# In a file of no more pages what the left and the right ones have by turns may stand twice only. In a longer one that
# is how a table goes on.
_SHORT = 8

# Where most of what stands at a height repeats, the rest there is a running head as well.
_MOSTLY = 0.5

# Such a share of a slide is at either side of it.
_SIDE = 0.3

# Along a margin what names an axis of a plot has less blanks.
_STAMP_BLANKS = 4

_Spot = tuple[int, int, str]
_Slot = tuple[str, int]  # top or bottom, and the height in points from that edge


def without_running(pages: Sequence[Page]) -> list[tuple[Line, ...]]:
    """The lines of each of *pages* that belong to its text."""
    rows = [in_rows_of_cells(page.lines) for page in pages]
    pages = [replace(page, lines=tuple(line for line, _ in each)) for page, each in zip(pages, rows, strict=True)]
    titles = _titles(pages)
    outer = [[(slot, line) for slot, line in _outermost(page) if line not in titles] for page in pages]
    running = _running(outer)
    beside = _beside(pages)
    stamps = _stamps(pages)
    kept = []
    counting = _of_two(outer) if len(pages) == 2 else set()
    for number, (page, slots) in enumerate(zip(pages, outer, strict=True)):
        dropped = {
            line
            for slot, line in slots
            if (_height(slot) in running and not _is_of_table(line))
            or not running.isdisjoint(_keys(slot, line, number))
        }
        dropped |= _page_numbers(slots, page) | _of_browser(slots) | counting
        dropped |= {line for line in _at_sides(page) if _spot(line) in beside}
        if stamps:
            dropped |= {line for line in _along_margins(page) if _stamp(line) in stamps}
        kept.append(tuple(line for row, lines in rows[number] if row not in dropped for line in lines))
    return kept


def _titles(pages: Sequence[Page]) -> set[Line]:
    """The titles of slides, which several slides in a row may have, but not most of a talk."""
    largest = [
        max(page.lines, key=lambda line: line.size)
        for page in pages
        if page.width > page.height and len(page.lines) > 1
    ]
    times = Counter(line.text for line in largest)
    return {line for line in largest if times[line.text] <= _MOSTLY * len(pages)}


def _outermost(page: Page) -> list[tuple[_Slot, Line]]:
    ordered = sorted((line for line in page.lines if line.upright), key=lambda line: line.y)
    top = [line for line in ordered[:_UPPERMOST] if line.y < page.height * _MARGIN]
    bottom = [line for line in ordered[-_LOWERMOST:] if _is_at_bottom(line, page)]
    if ordered and not bottom and ordered[-1].y > page.height * (1 - _NUMBER_MARGIN):
        bottom = [line for line in ordered[-1:] if _PAGE_NUMBER.fullmatch(line.text)]
    return [
        *((("top", round(line.y)), line) for line in top),
        *((("bottom", round(page.height - line.y)), line) for line in bottom),
    ]


def _is_at_bottom(line: Line, page: Page) -> bool:
    return line.y > page.height * (1 - _MARGIN)


def _keys(slot: _Slot, line: Line, number: int) -> Iterator[tuple[_Slot, str]]:
    """What a line has that may repeat: its words, and a number at one of its ends that counts the pages."""
    text = _DIGITS.sub("#", line.text.casefold())
    yield slot, text
    words = _NUMBER_AT_END.sub("", text)  # which stands at the other side on every other page
    if words != text and _words(words):
        yield (f"{slot[0]} without number", slot[1]), words
    counter = _COUNTER.match(line.text)
    if counter and not _is_of_table(line):
        page = f"page {int(counter[1] or counter[2]) - number}"
        yield slot, page
        if _words(text):  # at any height: the pages of a scan lie no two alike
            yield (f"{slot[0]} counting", 0), f"{page} {text}"


def _is_of_table(line: Line) -> bool:
    """Whether it is a row between rules: such a table goes on at the top of pages, and may count its rows."""
    return line.box is not None and line.box.cell is not None


def _words(text: str) -> str:
    """The words of *text* alone; nothing where they are few."""
    words = _NO_LETTERS.sub(" ", text).strip()
    return words if len(words) >= _FEWEST_LETTERS else ""


def _height(slot: _Slot) -> tuple[_Slot, None]:
    return slot, None


def _running(outer: Sequence[Iterable[tuple[_Slot, Line]]]) -> set[tuple[_Slot, str | None]]:
    """What repeats at its height, and the heights where most does."""
    seen: dict[tuple[_Slot, str], list[int]] = defaultdict(list)
    for number, slots in enumerate(outer):
        for key in {key for slot, line in slots for key in _keys(slot, line, number)}:
            seen[key].append(number)
    running: set[tuple[_Slot, str | None]] = {key for key, numbers in seen.items() if _repeats(numbers)}
    at_height = Counter[_Slot]()
    repeated = Counter[_Slot]()
    for key, numbers in seen.items():
        at_height[key[0]] += len(numbers)
        if key in running:
            repeated[key[0]] += len(numbers)
    running |= {_height(slot) for slot, lines in repeated.items() if lines > _MOSTLY * at_height[slot]}
    return running | _by_turns(seen) if len(outer) <= _SHORT else running


def _by_turns(seen: Mapping[tuple[_Slot, str], Sequence[int]]) -> set[tuple[_Slot, str | None]]:
    """What left and right pages have by turns, twice each: the heads and feet of an article of four pages."""
    twice = {key: numbers for key, numbers in seen.items() if _are_two_apart(numbers) and _words(key[1])}
    firsts = {(edge, numbers[0]) for ((edge, _), _), numbers in twice.items()}
    return {
        key
        for key, (first, _) in twice.items()
        if not firsts.isdisjoint(((key[0][0], first - 1), (key[0][0], first + 1)))
    }


def _are_two_apart(numbers: Sequence[int]) -> bool:
    return len(numbers) == 2 and numbers[1] - numbers[0] == 2


def _repeats(numbers: Sequence[int]) -> bool:
    """Whether there are three pages in a row of *numbers* that lie near each other."""
    return any(last - first <= _NEAR_PAGES for first, last in zip(numbers, numbers[_REPEATS - 1 :], strict=False))


def _beside(pages: Sequence[Page]) -> set[_Spot]:
    """What stands at a side of most slides of a talk: its contents."""
    spots = Counter(spot for page in pages for spot in {_spot(line) for line in _at_sides(page)})
    return {spot for spot, times in spots.items() if times >= _REPEATS and times > _MOSTLY * len(pages)}


def _at_sides(page: Page) -> list[Line]:
    if page.width <= page.height:
        return []
    inner, outer = _SIDE * page.width, (1 - _SIDE) * page.width
    return [line for line in page.lines if line.right < inner or line.left > outer]


def _spot(line: Line) -> _Spot:
    return round(line.left), round(line.y), line.text


def _stamps(pages: Sequence[Page]) -> set[str]:
    """What stands sideways in the margins of pages near each other: who gave the file to whom, and when."""
    seen: dict[str, list[int]] = defaultdict(list)
    for number, page in enumerate(pages):
        for stamp in {_stamp(line) for line in _along_margins(page)}:
            seen[stamp].append(number)
    return {stamp for stamp, numbers in seen.items() if _repeats(numbers)}


def _along_margins(page: Page) -> list[Line]:
    inner, outer = _MARGIN * page.width, (1 - _MARGIN) * page.width
    return [
        line
        for line in page.lines
        if not line.upright and (line.right < inner or line.left > outer) and line.text.count(" ") >= _STAMP_BLANKS
    ]


def _stamp(line: Line) -> str:
    return _DIGITS.sub("#", line.text)


def _of_two(outer: Sequence[Iterable[tuple[_Slot, Line]]]) -> set[Line]:
    """The feet of two pages that both have at one height and that count them. Without words it may be of a table."""
    first, second = (
        {(slot, words): line for slot, line in slots if slot[0] == "bottom" and (words := _words(line.text.casefold()))}
        for slots in outer
    )
    both = [(first[key], second[key]) for key in first if key in second]
    return {line for pair in both if _count(*pair) for line in pair}


def _count(line: Line, after: Line) -> bool:
    """Whether a number of *after* is the next one of that of *line*, and all else is alike."""
    numbers, others = (list(map(int, _NUMBER.findall(each.text))) for each in (line, after))
    steps = [other - number for number, other in zip(numbers, others, strict=False)]
    return len(numbers) == len(others) and sorted(steps) == [0] * (len(steps) - 1) + [1]


def _of_browser(slots: Sequence[tuple[_Slot, Line]]) -> set[Line]:
    """The outermost lines of a page, if they tell its address, the time, and which of all pages it is."""
    tops = [line for (edge, _), line in slots if edge == "top"][:1]
    bottoms = [line for (edge, _), line in slots if edge == "bottom"][-1:]
    said = "\n".join(line.text for line in (*tops, *bottoms))
    is_printed = all(pattern.search(said) for pattern in (_ADDRESS, _TIME, _OF_ALL))
    return {
        line
        for line in (*tops, *bottoms)
        if is_printed and any(pattern.search(line.text) for pattern in (_ADDRESS, _TIME, _OF_ALL))
    }


def _page_numbers(slots: Sequence[tuple[_Slot, Line]], page: Page) -> set[Line]:
    """The first line at the top and the last one at the bottom if they are page numbers and no more."""
    tops = [line for (edge, _), line in slots if edge == "top"]
    bottoms = [line for (edge, _), line in slots if edge == "bottom" and _is_at_bottom(line, page)]
    return {line for line in (*tops[:1], *bottoms[-1:]) if _PAGE_NUMBER.fullmatch(line.text)}
