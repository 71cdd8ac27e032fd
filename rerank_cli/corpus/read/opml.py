"""Read outlines in OPML: what has something below it as headings, the rest as lists."""

from __future__ import annotations

from rerank_cli.corpus.read.encoded import without_encoded
from rerank_cli.corpus.read.outline import Outline
from rerank_cli.corpus.read.xmlevents import End, Start, Text, events
from rerank_cli.records import Document, Reading

# Below that, all are items: each block carries the headings above it.
_MOST_LEVELS = 20


def read(text: str, path: str) -> Reading:
    """A single document. Raises BrokenXml."""
    outline = Outline()
    title: list[str] = []
    depth = 0
    waiting: Start | None = None  # which is a heading if another begins within it
    in_title = False
    for event in events(text):
        match event:
            case Start() if event.local == "outline":
                if waiting:
                    _add_heading(waiting, depth, outline)
                waiting, depth = event, depth + 1
            case End() if event.local == "outline":
                if waiting:
                    outline.block(f"- {_text(waiting)}" if _text(waiting) else "", waiting.line, event.line)
                    _add_note(waiting, outline)
                else:
                    outline.close(min(depth, _MOST_LEVELS))
                waiting, depth = None, depth - 1
            case Start() | End() if event.local == "title":
                in_title = isinstance(event, Start)
            case Text() if in_title:
                title.append(event.text)
    blocks = outline.blocks()
    return Reading((Document(path, " ".join("".join(title).split()) or outline.title, blocks),))


def _add_heading(start: Start, depth: int, outline: Outline) -> None:
    if depth <= _MOST_LEVELS:
        outline.heading(depth, _text(start), start.line, start.line)
    elif text := _text(start):
        outline.block(f"- {text}", start.line, start.line)
    _add_note(start, outline)


def _add_note(start: Start, outline: Outline) -> None:
    for paragraph in without_encoded(start.attributes.get("_note", "")).split("\n\n"):
        outline.block(paragraph, start.line, start.line)


def _text(start: Start) -> str:
    """Its text; a feed that was subscribed to may have a title only."""
    written = start.attributes.get("text") or start.attributes.get("title", "")
    return " ".join(without_encoded(written).split())
