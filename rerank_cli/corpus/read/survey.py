"""Look over a page of HTML before it is read: what of it is not shown or no text of the page, what is a table."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from rerank_cli.corpus.read.tags import Tag, Text

VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())
"""Elements without an end."""

HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))

BLOCKS = HEADINGS | frozenset(
    "address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption "
    "figure footer form head header hr html legend li main nav ol optgroup option p pre section select "
    "summary table tbody tfoot thead title tr ul".split()
)
"""What begins and ends a block of text."""

# What a reader of the page does not see, sees on every page of the site, or presses.
_UNSEEN = frozenset("script style nav template noscript svg button iframe canvas datalist".split())
_FURNITURE = frozenset("navigation banner contentinfo search menu menubar toolbar doc-toc".split())
_CLASSES = frozenset(
    "sphinxsidebar headerlink hash-link anchorjs-link breadcrumb breadcrumbs skip-link skip-links skiplink skip-nav "
    "skip-to-content skip-navigation sr-only visually-hidden visuallyhidden screen-reader-text screen-reader-only "
    "copybtn copy-button copy-btn clipboard-copy clipboard-button btn-clipboard btn-copy searchbox search-box "
    "pagination prev-next-area prev-next-bottom navheader navfooter navbar menu-bar".split()
)
_ICONS = ("material-icons", "material-symbols")
_LINE_NUMBERS = frozenset(
    "linenos linenodiv lineno linenumber line-number line-numbers gutter hljs-ln-numbers rouge-gutter blob-num".split()
)
_NUMBERED = frozenset(("td", "span", "a", "pre"))
# Of these only one is shown at a time, and all are text.
_PANELS = frozenset("tabpanel tab-pane tab-content tabbed-content sd-tab-content".split())
_INVISIBLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_WHOLE = frozenset(("html", "body", "main", "article"))

# Where text begins that no one hides: a forgotten </nav> costs at most what stands before the next of these.
_SURELY_SEEN = frozenset(("body", "main", "article", "h1"))

# What ends what was left open.
_ENDED_BY = {
    "p": BLOCKS,
    "li": frozenset(("li",)),
    "dt": frozenset(("dt", "dd")),
    "dd": frozenset(("dt", "dd")),
    "td": frozenset(("td", "th", "tr", "tbody", "tfoot")),
    "th": frozenset(("td", "th", "tr", "tbody", "tfoot")),
    "tr": frozenset(("tr", "tbody", "tfoot")),
    "option": frozenset(("option", "optgroup")),
}

# An end tag within a line looks no further for its beginning.
_MOST_OPEN_IN_A_LINE = 50

# A table whose rows hold more is a way to lay out a page.
_MOST_ROW_CHARS = 400

# The share of all text from which on a single <main>, or else a single <article>, is the page.
_MAIN_SHARE = 0.2
_ARTICLE_SHARE = 0.5


@dataclass(slots=True)
class Survey:
    """All by the ordinals of tags and texts. `unseen` and `kept` give for where something begins where it ends; `kept`
    is what to read outside of `core` too, which is the text of the page, if that is marked."""

    unseen: dict[int, int] = field(default_factory=dict)
    kept: dict[int, int] = field(default_factory=dict)
    tables: set[int] = field(default_factory=set)
    core: tuple[int, int] | None = None


@dataclass(slots=True)
class _Open:
    name: str
    ordinal: int
    hides: bool
    seen_chars: int  # of the page, before it


@dataclass(slots=True)
class _OpenTable:
    ordinal: int
    seen_chars: int
    lays_out: bool
    rows: int = 0


def survey(page: Iterable[Text | Tag]) -> Survey:
    """What to know of *page* before it is read."""
    surveyor = _Surveyor()
    for ordinal, found in enumerate(page):
        surveyor.take(ordinal, found)
    return surveyor.result()


class _Surveyor:
    def __init__(self) -> None:
        self._found = Survey()
        self._open: list[_Open] = []
        self._names: Counter[str] = Counter()
        self._tables: list[_OpenTable] = []
        self._hidden = 0
        self._seen_chars = 0
        self._surely_seen: list[int] = []
        self._cores: dict[str, list[tuple[int, int, int]]] = {"main": [], "article": []}
        self._h1: list[int] = []
        self._ordinal = 0

    def take(self, ordinal: int, found: Text | Tag) -> None:
        self._ordinal = ordinal
        if isinstance(found, Text):
            if not self._hidden:
                self._seen_chars += len(found.text.strip())
        elif found.starts:
            self._start(found)
        else:
            self._end(found.name)

    def result(self) -> Survey:
        self._ordinal += 1
        while self._open:
            self._close(own=False)
        found = self._found
        for name, share in (("main", _MAIN_SHARE), ("article", _ARTICLE_SHARE)):
            cores = self._cores[name]
            if len(cores) == 1 and cores[0][2] >= share * self._seen_chars:
                first, end, _ = cores[0]
                found.core = (first, end)
                if any(first < at < end for at in self._h1):
                    found.kept = {start: end for start, end in found.kept.items() if start not in self._h1}
            if cores:
                break
        return found

    def _start(self, tag: Tag) -> None:
        name = tag.name
        while self._open and name in _ENDED_BY.get(self._open[-1].name, ()):
            self._close(own=False)
        if name in _SURELY_SEEN:
            self._surely_seen.append(self._ordinal)
        if self._tables:
            table = self._tables[-1]
            table.lays_out |= name in HEADINGS or name in ("table", "pre", "form")
            table.rows += name == "tr"
        if name in VOID or (tag.ends and (name in _UNSEEN or self._hides(tag))):
            return
        if name == "table":
            self._tables.append(_OpenTable(self._ordinal, self._seen_chars, "presentation" in tag.written))
        if name == "h1":
            self._h1.append(self._ordinal)
        core = "main" if _is_main(tag) else name
        hides = self._hides(tag)
        self._open.append(_Open(core, self._ordinal, hides, self._seen_chars))
        self._names[core] += 1
        self._hidden += hides

    def _end(self, name: str) -> None:
        if name not in BLOCKS:
            for depth, each in enumerate(reversed(self._open[-_MOST_OPEN_IN_A_LINE:]), start=1):
                if each.name == name:
                    for left in range(depth, 0, -1):
                        self._close(own=left == 1)
                    return
                if each.name in BLOCKS:
                    return
            return
        if not self._names[name] and name != "main" and self._names["main"] and self._open[-1].name == "main":
            name = "main"  # of another name, but for its role
        if self._names[name]:
            while self._open[-1].name != name:
                self._close(own=False)
            self._close(own=True)

    def _close(self, *, own: bool) -> None:
        """Close the innermost element; whether by its *own* end tag."""
        each = self._open.pop()
        self._names[each.name] -= 1
        end = self._ordinal
        if each.hides:
            self._hidden -= 1
            later = bisect_right(self._surely_seen, each.ordinal)
            if not own and later < len(self._surely_seen):
                end = min(end, self._surely_seen[later])
            self._found.unseen[each.ordinal] = end
        if each.name in self._cores and not self._names[each.name] and not self._hidden:
            self._cores[each.name].append((each.ordinal, end, self._seen_chars - each.seen_chars))
        elif each.name in ("title", "h1"):
            self._found.kept[each.ordinal] = end + 1
        elif each.name == "table" and self._tables:
            table = self._tables.pop()
            chars = self._seen_chars - table.seen_chars
            if not table.lays_out and table.rows > 1 and chars <= _MOST_ROW_CHARS * table.rows:
                self._found.tables.add(table.ordinal)

    def _hides(self, tag: Tag) -> bool:
        if tag.name in _UNSEEN:
            return True
        if tag.name == "footer" and not self._names["blockquote"] and not self._names["figure"]:
            return True
        if tag.name in _WHOLE or not (tag.written or tag.name == "dialog"):
            return False
        return _is_hidden(tag)


def _is_main(tag: Tag) -> bool:
    return tag.name == "main" or ("role" in tag.written and tag.attributes().get("role", "").strip() == "main")


def _is_hidden(tag: Tag) -> bool:
    attributes = tag.attributes()
    names = {*attributes.get("class", "").lower().split()}
    roles = {*attributes.get("role", "").lower().split()}
    if (names | roles) & _PANELS:
        return False
    return (
        attributes.get("hidden", "until-found").lower() != "until-found"
        or attributes.get("aria-hidden", "").lower() == "true"
        or bool(roles & _FURNITURE or names & _CLASSES)
        or (tag.name in _NUMBERED and bool(names & _LINE_NUMBERS))
        or any(name.startswith(_ICONS) for name in names)
        or _INVISIBLE.search(attributes.get("style", "")) is not None
        or (tag.name == "form" and "search" in tag.written.lower())
        or (tag.name == "dialog" and "open" not in attributes)
    )
