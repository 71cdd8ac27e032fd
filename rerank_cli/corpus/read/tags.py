"""Split HTML into its tags and the text between them, in a time that grows with the page and no faster.

As a browser does it, but that what never ends is text: a forgotten bracket costs a page no more than its own tag.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

# Python refuses to read a number of some thousand digits. Eight are beyond all characters already.
_LONG_REFERENCE = re.compile(r"&#(?=\d{8})0*+(\d*+)")

# Quotation marks keep a bracket from ending a tag only where they enclose a value, and are closed.
_START = re.compile(r"""<([a-zA-Z][^\s/>]*+)((?>(?:[^>=]++|=\s*+(?:"[^"]*+"|'[^']*+')|=)*))>""")
_END = re.compile(r"</\s*+([a-zA-Z][^\s/>]*+)[^>]*+>")
_ATTRIBUTE = re.compile(r"""([^\s/>=][^\s/=>]*+)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s>]*+)))?""")

# What is no comment but is read as one: a declaration, an instruction, `<![CDATA[`, an end tag without a name.
_UNREAD = re.compile(r"<(?:!(?!--)|\?|/)[^>]*+>|<!---?>")
_COMMENT_END = re.compile(r"--!?\s*+>")

_OPENING = re.compile(r"<[a-zA-Z!?/]")

# What these hold is no markup; only their own end tag ends it.
_RAW = {name: re.compile(rf"</\s*+{name}(?=[\s/>])", re.IGNORECASE) for name in ("script", "style")}

# To learn that a tag or a comment never ends takes reading the whole rest of the page. After so many characters only
# what ends before the next angle bracket is taken for markup, and all else for text.
_MAX_UNENDED_CHARS = 2_000_000
_SURELY_ENDED = re.compile(
    r"""</?[a-zA-Z](?>(?:[^<>"']++|"[^<>"]*"|'[^<>']*')*)>|<!--[^<>]*-->|<(?:!(?!--)|\?|/(?![a-zA-Z]))[^<>]*>"""
)


@dataclass(frozen=True, slots=True)
class Text:
    """What stands between tags. `line` counts from 0 and is where it begins, as a tag's is."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Tag:
    """A start tag, an end tag, or both where it ends in a slash. `name` is in small letters."""

    line: int
    name: str
    starts: bool
    ends: bool
    written: str = ""

    def attributes(self) -> dict[str, str]:
        """Their values, as they are written behind the name; empty where there is none."""
        found = _ATTRIBUTE.findall(self.written)
        return {name.lower(): unescaped(double or single or bare) for name, double, single, bare in found}


def split_tags(page: str) -> Iterator[Text | Tag]:
    """The tags of *page* and all text between them, in order; comments and declarations fall away."""
    place = line = unended_chars = 0
    while place < len(page):
        end = place + 1
        markup = None
        if not _OPENING.match(page, place):
            end = page.find("<", place + 1)
        elif unended_chars < _MAX_UNENDED_CHARS or _SURELY_ENDED.match(page, place):
            markup = _markup(page, place)
            if markup is None:
                unended_chars += len(page) - place
                end = _end_of_text(page, place)
        if markup is None:
            end = len(page) if end < 0 else end
            yield Text(line, unescaped(page[place:end]))
        else:
            end = markup.end()
            if tag := _tag(markup, line):
                yield tag
                end = _end_of_raw_text(page, tag, end)
        line += page.count("\n", place, end)
        place = end


def _markup(page: str, place: int) -> re.Match[str] | None:
    """What ends the markup at *place*, or is the whole of it; None where nothing does."""
    comment = page.startswith("<!--", place)
    return (
        _START.match(page, place)
        or _END.match(page, place)
        or _UNREAD.match(page, place)
        or (_COMMENT_END.search(page, place + len("<!--")) if comment else None)
    )


def _tag(markup: re.Match[str], line: int) -> Tag | None:
    if markup.re is _START:
        return Tag(line, markup[1].lower(), starts=True, ends=markup[2].endswith("/"), written=markup[2])
    return Tag(line, markup[1].lower(), starts=False, ends=True) if markup.re is _END else None


def _end_of_raw_text(page: str, tag: Tag, place: int) -> int:
    """Where the page is read again after *tag*, which ends at *place*."""
    if tag.ends or tag.name not in _RAW:
        return place
    closing = _RAW[tag.name].search(page, place)
    return closing.start() if closing else len(page)


def _end_of_text(page: str, place: int) -> int:
    """Where a bracket at *place* that nothing ends leaves off being text: what stands to the next one is no markup."""
    closing = page.find(">", place)
    return closing + 1 if closing > 0 else page.find("<", place + 1)


def unescaped(text: str) -> str:
    """*text* with the characters that its references stand for."""
    return unescape(_LONG_REFERENCE.sub(lambda found: f"&#{found[1][:8] or 0}", text))
