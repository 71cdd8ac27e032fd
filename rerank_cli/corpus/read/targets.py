"""Where a link leads and what a picture is called, in words that do not stand in its text."""

from __future__ import annotations

import re
from urllib.parse import unquote

_SCHEME = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//(?:www\.)?|mailto:|tel:|attachment:", re.IGNORECASE)
# No words are in these, or those of a heading of the same page.
_WORDLESS = re.compile(r"#|(?:data|javascript|blob|about):", re.IGNORECASE)
_TEMPLATE = re.compile(r"\{[{%]")
_QUERY = re.compile(r"\?[^#]*")
_BETWEEN = re.compile(r"[/#]+")
_ENDING = re.compile(
    r"\.(?:html?|mdx?|markdown|rst|adoc|php|aspx?|jsp|png|jpe?g|gif|svg|webp|avif|bmp|ico)$", re.IGNORECASE
)
_WORD = re.compile(r"[^\W_]+")

# What says nothing of where a link leads.
_EMPTY = frozenset(
    ("index", "readme", "default", "main", "docs", "doc", "en", "us", "html", "http", "https", "com", "org", "net")
)

# The end of an address says most. More of it, on every link, is a burden to the sentence and to the models. A long
# segment is a key.
_MOST_SEGMENTS = 2
_LONGEST_SEGMENT = 60


class Targets:
    """Tells each target once: a page leads to the same place again and again."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def beside(self, text: str, target: str, title: str = "", *, picture: bool = False) -> str:
        """What to write behind *text*, which leads to *target*; empty if that adds nothing."""
        parts = [self._place(text, target, picture), "" if _words(title) <= _words(text) else " ".join(title.split())]
        told = ", ".join(part for part in parts if part and part not in self._told)
        self._told.update(parts)
        if not told:
            return ""
        return f" ({told})" if text.strip() else told

    def _place(self, text: str, target: str, picture: bool) -> str:
        if not target or len(target) > 2000 or _WORDLESS.match(target):
            return ""
        scheme = _SCHEME.match(target)
        written = unquote(_QUERY.sub("", target[scheme.end() if scheme else 0 :]), errors="replace")
        if _TEMPLATE.search(written):
            return ""
        known = _words(text)
        segments = [_ENDING.sub("", " ".join(each.split())) for each in _BETWEEN.split(written)]
        if picture:
            segments = segments[-1:]
        new = []
        for each in segments:
            if _says_more(each, known):
                new.append(each)
                known |= _words(each)
        host = new[:1] if scheme and new[:1] == segments[:1] else []
        return "/".join([*host, *new[len(host) :][-_MOST_SEGMENTS:]])


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))


def _says_more(segment: str, known: set[str]) -> bool:
    """Whether *segment* has a word that is not *known*, and is neither a number nor a key."""
    new = {word for word in _words(segment) - known - _EMPTY if len(word) > 1 and not any(map(str.isdigit, word[1:]))}
    return bool(new) and len(segment) <= _LONGEST_SEGMENT
