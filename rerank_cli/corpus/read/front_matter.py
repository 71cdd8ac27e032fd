"""Read the front matter of a page: its title, and what else in it is said to a reader."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from rerank_cli.fields import Fields, fields_in
from rerank_cli.records import Block, at_lines

# What is longer is data. It is still taken off if each of its lines looks like front matter.
_MOST_PARSED_CHARS = 64_000

_OPENING = re.compile(r"\A\ufeff?(?>(?:[ \t]*\n)*)(?:---(?P<kind>yaml|yml|toml|json)?|(?P<plus>\+\+\+))[ \t]*\n")
_DASHES = re.compile(r"^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.MULTILINE)
_PLUS = re.compile(r"^\+\+\+[ \t]*(?:\n|\Z)", re.MULTILINE)
_OBJECT = re.compile(r"\A\ufeff?\s*+(?=\{\s*+[\"}])")

# Fields without a fence, as MultiMarkdown and Pelican have them, end with a blank line.
_UNFENCED = re.compile(
    r"\A\ufeff?(?P<fields>(?:title|author|date|slug|category|tags)[ \t]*:[ \t]*\S[^\n]*\n"
    r"(?>(?:(?:[A-Za-z][\w -]{0,40}:|[ \t]+\S)[^\n]*(?:\n|\Z))+))(?:[ \t]*\n|\Z)",
    re.IGNORECASE,
)

_LIKE_A_FIELD = re.compile(
    r"[ \t]*(?:#.*|-(?:[ \t].*)?|[\]})].*|\{[{%].*)?"  # blank, a remark, an item, a bracket, a template
    r"|[ \t]+\S.*|\[\[?[\w.\"' -]+\]\]?[ \t]*"  # more of a value, a table of TOML
    r"|[\w\"'@$.][\w\"' .@/-]{0,60}?[ \t]*[:=](?:[ \t].*)?"
)
_FIELD = re.compile(r"[\"']?(?P<key>\w[\w .-]{0,60}?)[\"']?[ \t]*[:=][ \t]*(?P<value>.*)")
_ITEM = re.compile(r"[ \t]*-[ \t]+(?P<item>.*)")
_TEMPLATE = re.compile(r"\{[{%]")

SENTENCES = ("subtitle", "description", "summary", "abstract", "excerpt")
NAMES = ("aliases", "alias", "tags", "tag", "keywords", "keyword", "categories", "category")
"""What a page says of itself in sentences, and in words and names, by its keys in all kinds of front matter."""
_NAMES_BELOW = "taxonomies"  # where Zola keeps them

# A title over several lines, authors and a date, each behind a percent sign, as Pandoc has them.
_PERCENT = re.compile(
    r"\A\ufeff?%[ \t]+(?P<title>\S[^\n]*(?>(?:\n[ \t]+\S[^\n]*)*))(?:\n|\Z)"
    r"(?>(?:%[ \t]*(?P<authors>[^\n]*(?>(?:\n[ \t]+\S[^\n]*)*))(?:\n|\Z)(?>(?:%(?P<date>[^\n]*)(?:\n|\Z))?))?)"
)

_NOTHING = frozenset(("", "null", "~", "none", "[]", "{}", "|", ">"))

# A single field may be a sentence between two rules, such as "Note: mind the gap when you leave".
_MOST_WORDS_OF_A_LONE_FIELD = 3

_Fields = Mapping[Any, object]


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What a page says of itself in the first `chars` characters of its file, in so many lines."""

    title: str
    sentences: tuple[str, ...]
    names: tuple[str, ...]
    lines: int
    chars: int
    fields: Fields


def leading_block(
    sentences: Iterable[str], names: Iterable[str], title: str, blocks: Sequence[Block], *, lines: tuple[int, int]
) -> Block | None:
    """What a page says of itself and its title and first text do not; of a page without text, the title at least."""
    first = blocks[0] if blocks else None
    said = [_evened(title), *([_evened(" ".join(first.headings[-1:])), _evened(first.text)] if first else [])]
    told = [each for each in _distinct(sentences) if not any(_evened(each).rstrip(".") in text for text in said)]
    listed = [each for each in _distinct(names) if _evened(each) not in said]
    text = "\n".join([*told, *([", ".join(listed)] if listed else [])])
    if not text and first is None:
        text = title
    return Block(text, at_lines(*lines), leads=True) if text else None


def front_matter(text: str) -> FrontMatter | None:
    """The front matter that *text* begins with; None where there is none, or what looks like it may be text."""
    found = _fenced(text) or _json_object(text) or _unfenced(text)
    if found is None:
        return _percent(text)
    fields, end = found
    named = {str(key).strip().casefold(): value for key, value in reversed(list(fields.items()))}
    below = named.get(_NAMES_BELOW)
    if isinstance(below, Mapping):
        named = {**{str(key).casefold(): value for key, value in below.items()}, **named}
    return FrontMatter(
        next(_texts(named.get("title")), ""),
        tuple(text for key in SENTENCES for text in _texts(named.get(key))),
        tuple(text for key in NAMES for text in _texts(named.get(key))),
        max(1, len(text[:end].rstrip("\n").split("\n"))),
        end,
        tuple(_all_fields(fields)),
    )


def _all_fields(fields: _Fields) -> Iterator[tuple[str, str]]:
    for key, value in fields_in(fields):
        if value.casefold() not in _NOTHING and not _TEMPLATE.search(value):
            yield key.removeprefix(f"{_NAMES_BELOW}."), value


def _fenced(text: str) -> tuple[_Fields, int] | None:
    opening = _OPENING.match(text)
    closing = (_PLUS if opening["plus"] else _DASHES).search(text, opening.end()) if opening else None
    if not opening or not closing:
        return None
    written = text[opening.end() : closing.start()]
    kind = opening["kind"] or ("toml" if opening["plus"] else "yaml")
    fields = _parsed(written, kind) or _by_lines(written)
    return None if not fields or _may_be_prose(fields) else (fields, closing.end())


def _json_object(text: str) -> tuple[_Fields, int] | None:
    """An object of JSON above the text, as Hugo takes it; without a field that says something it may be the text."""
    opening = _OBJECT.match(text)
    if not opening:
        return None
    try:
        fields, end = json.JSONDecoder().raw_decode(text[: opening.end() + _MOST_PARSED_CHARS], opening.end())
    except (ValueError, RecursionError):
        return None
    line_end = text.find("\n", end)
    rest = text[end : line_end if line_end >= 0 else len(text)]
    is_page = isinstance(fields, dict) and not rest.strip() and _says_something(fields)
    return (fields, line_end + 1 if line_end >= 0 else len(text)) if is_page else None


def _says_something(fields: _Fields) -> bool:
    return not {str(key).casefold() for key in fields}.isdisjoint(("title", *SENTENCES, *NAMES))


def _unfenced(text: str) -> tuple[_Fields, int] | None:
    found = _UNFENCED.match(text)
    fields = _by_lines(found["fields"]) if found else None
    return (fields, found.end()) if found and fields and any(str(key).casefold() == "title" for key in fields) else None


def _percent(text: str) -> FrontMatter | None:
    found = _PERCENT.match(text)
    if not found:
        return None
    authors = tuple(_texts(re.split(r"[;\n]", found["authors"] or "")))
    fields = {"title": found["title"], "author": list(authors), "date": found["date"] or ""}
    return FrontMatter(
        " ".join(found["title"].split()),
        (),
        authors,
        found[0].rstrip("\n").count("\n") + 1,
        found.end(),
        tuple(_all_fields(fields)),
    )


def _parsed(written: str, kind: str) -> _Fields | None:
    """The fields as the library for *kind* reads them; None where it does not."""
    if len(written) > _MOST_PARSED_CHARS:
        return None
    try:
        match kind:
            case "toml":
                fields = tomllib.loads(written)
            case "json":
                fields = json.loads(written)
            case _:  # every value a text; what an alias stands for is not copied
                fields = yaml.load(written.expandtabs(2), Loader=yaml.BaseLoader)  # noqa: S506
    except (ValueError, yaml.YAMLError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None


def _by_lines(written: str) -> _Fields | None:
    """The fields at the margin, where each line looks like one, or like what belongs to one: templates parse as
    nothing. None where any line does not."""
    fields: dict[object, object] = {}
    items: list[object] = []
    for line in written.split("\n"):
        if not _LIKE_A_FIELD.fullmatch(line):
            return None
        field, item = _FIELD.fullmatch(line), _ITEM.fullmatch(line)
        if item:
            items.append(_unquoted(item["item"]))
        elif field:
            value, items = _unquoted(field["value"]), []
            is_list = value.startswith("[") and value.endswith("]")
            fields[field["key"]] = [_unquoted(part) for part in value[1:-1].split(",")] if is_list else value or items
    return fields


def _unquoted(value: str) -> str:
    value = value.strip()
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value


def _may_be_prose(fields: _Fields) -> bool:
    """Whether what stands between the fences may be sentences with colons in them."""
    known = {"title", *SENTENCES, *NAMES}
    if len(fields) > 1 or any(str(key).casefold() in known or "_" in str(key) for key in fields):
        return False
    return any(isinstance(value, str) and len(value.split()) > _MOST_WORDS_OF_A_LONE_FIELD for value in fields.values())


def _texts(value: object) -> Iterator[str]:
    """The text, or the texts in a list or a list of lists, each on a line."""
    values = value if isinstance(value, list) else [value]
    for each in values:
        for one in each if isinstance(each, list) else [each]:
            if isinstance(one, (str, int, float)) and not isinstance(one, bool):
                line = " ".join(str(one).split())
                if line.casefold() not in _NOTHING and not _TEMPLATE.search(line):
                    yield line


def _evened(text: str) -> str:
    return " ".join(text.casefold().split())


def _distinct(texts: Iterable[str]) -> list[str]:
    found: dict[str, str] = {}
    for text in texts:
        found.setdefault(_evened(text), text)
    return list(found.values())
