"""Excerpts of documents as a reader gets them: cited and marked off, in Markdown, XML or JSON.

What a document says stays text in each of them: it can neither end its own excerpt nor begin another.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from xml.sax.saxutils import escape, quoteattr

from rerank_cli.characters import printable
from rerank_cli.queries import Query
from rerank_cli.records import ContextStyle, Hit, Place

SHORTEST_FENCE = 3

BELOW = " › "  # noqa: RUF001
"""Stands between a heading and one below it."""

QUERY_LETTERS = 200
"""What is shown of a query that stands above its excerpts."""


@dataclass(frozen=True, slots=True)
class Part:
    """A passage of an excerpt: its whole text, or some of its sentences. `similar` more passages nearly repeat it."""

    hit: Hit
    text: str
    similar: int = 0


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Neighbouring passages of one document, in reading order."""

    parts: tuple[Part, ...]

    @property
    def document_id(self) -> str:
        return self.parts[0].hit.document_id

    @property
    def path(self) -> str:
        """The file, relative to the indexed root."""
        return self.parts[0].hit.path

    @property
    def place(self) -> Place:
        """Where its passages stand in the file, from the first to the last."""
        places = [part.hit.place for part in self.parts]
        first, last = min(place.first for place in places), max(place.last for place in places)
        return places[0]._replace(first=first, last=last)

    @property
    def headings(self) -> tuple[str, ...]:
        """The trail that all of it stands under."""
        trails = [part.hit.headings for part in self.parts]
        shared = takewhile(lambda level: len(set(level)) == 1, zip(*trails, strict=False))
        return tuple(heading for heading, *_ in shared)

    @property
    def similar(self) -> int:
        """How many passages were left out because they nearly repeat one of these."""
        return sum(part.similar for part in self.parts)

    @property
    def text(self) -> str:
        """What its passages say. Where they stand under headings of their own, these are lines of it."""
        lines: list[str] = []
        above = self.headings
        for part in self.parts:
            own = part.hit.headings[len(self.headings) :]
            if own and part.hit.headings != above:
                lines += ["", BELOW.join(own)] if lines else [BELOW.join(own)]
            above = part.hit.headings
            lines.append(part.text)
        return "\n".join(lines)

    def citation(self, number: int) -> str:
        """As in `[3] manuals/pump.pdf p. 12 › Bleeding the pump (+2 similar)`, on one line."""  # noqa: RUF002
        trail = BELOW.join(map(printable, (f"{self.path} {self.place}", *self.headings)))
        return f"[{number}] {trail}" + (f" (+{self.similar} similar)" if self.similar else "")


def marked_up(excerpts: Sequence[Excerpt], *, style: ContextStyle, asked: Query | None = None) -> str:
    """*excerpts*, numbered from 1, as one text that ends with a line; above them the query, if it is *asked* here."""
    return _STYLES[style]([(each.citation(n), _steady(each.text)) for n, each in enumerate(excerpts, start=1)], asked)


def said(message: str, *, style: ContextStyle, asked: Query | None = None) -> str:
    """*message* on one line where there are no excerpts."""
    match style:
        case "markdown":
            return _under_query(f"{message}\n", asked)
        case "xml":
            return f"<context{_xml_query(asked)}>{escape(message)}</context>\n"
        case "json":
            return _json_line({**_json_query(asked), "passages": [], "message": message})


Cited = Sequence[tuple[str, str]]
"""Citations with their texts."""


def _markdown(cited: Cited, asked: Query | None) -> str:
    blocks = []
    for citation, text in cited:
        fence = _fence(text)
        blocks.append(f"{citation}\n{fence}\n{text}\n{fence}\n")
    return _under_query("\n".join(blocks), asked)


def _fence(text: str) -> str:
    """Longer than any run of backticks in *text*, so that none of them closes it."""
    return "`" * max(SHORTEST_FENCE, 1 + max(map(len, re.findall("`+", text)), default=0))


def _under_query(text: str, asked: Query | None) -> str:
    return f"# {printable(asked.id)}: {_shortened(asked)}\n\n{text}\n" if asked else text


def _xml(cited: Cited, asked: Query | None) -> str:
    blocks = [f"<passage citation={_attribute(citation)}>\n{_escaped(text)}\n</passage>\n" for citation, text in cited]
    return f"<context{_xml_query(asked)}>\n{''.join(blocks)}</context>\n"


def _xml_query(asked: Query | None) -> str:
    if asked is None:
        return ""
    return f" id={_attribute(printable(asked.id))} query={_attribute(_shortened(asked))}"


def _attribute(text: str) -> str:
    return quoteattr(_of_xml(text))


def _escaped(text: str) -> str:
    return escape(_of_xml(text))


def _of_xml(text: str) -> str:
    """*text* without the two characters that are printable and yet none of XML's."""
    return re.sub("[\ufffe\uffff]", "\ufffd", text)


def _json(cited: Cited, asked: Query | None) -> str:
    passages = [{"citation": citation, "text": text} for citation, text in cited]
    return _json_line({**_json_query(asked), "passages": passages})


def _json_query(asked: Query | None) -> dict[str, object]:
    return {"id": printable(asked.id), "query": _shortened(asked)} if asked else {}


def _json_line(record: dict[str, object]) -> str:
    return json.dumps(record, ensure_ascii=False) + "\n"


def _shortened(asked: Query) -> str:
    text = printable(" ".join(asked.text.split()))
    return text if len(text) <= QUERY_LETTERS else f"{text[:QUERY_LETTERS].rpartition(' ')[0]} …"


def _steady(text: str) -> str:
    """*text* with its control characters escaped, but for the ends of lines and tabs."""
    return "\n".join("\t".join(map(printable, line.split("\t"))) for line in text.split("\n"))


_STYLES: dict[ContextStyle, Callable[[Cited, Query | None], str]] = {"markdown": _markdown, "xml": _xml, "json": _json}
