"""Texts and files of no index, cut into passages as an index would have them."""

from __future__ import annotations

from pathlib import Path

from rerank_cli.corpus.discover import judged_by_content
from rerank_cli.corpus.read import Unreadable
from rerank_cli.corpus.reading import FileReading
from rerank_cli.corpus.split import CountTokens, split
from rerank_cli.errors import in_words
from rerank_cli.records import Block, Document, Passage, Rules, SkippedFile, at_lines
from rerank_cli.regular import open_regular
from rerank_cli.words import readable


def passages_of_text(text: str, *, max_tokens: int, count_tokens: CountTokens) -> tuple[Passage, ...]:
    """*text* as one passage, or cut into several if it has more than *max_tokens*."""
    whole = Passage(0, at_lines(1, 1 + text.count("\n")), (), readable(text))
    if text.isascii() and len(text) <= max_tokens:  # such a token has a letter at least: most lines need no counting
        return (whole,)
    document = Document("", "", (Block(text, whole.place),))
    return split(document, max_tokens=max_tokens, count_tokens=count_tokens) or (whole,)


def passages_of_file(path: Path, reading: FileReading, *, rules: Rules) -> tuple[Passage, ...] | SkippedFile:
    """The passages of all documents in the file at *path*; or why there are none."""
    file = judged_by_content(path, rules)
    if isinstance(file, SkippedFile):
        return SkippedFile(str(path), file.reason, file.cause)
    try:
        with open_regular(file.location) as opened:
            content = opened.read(file.size_bytes)
        found = reading.read(file, content, lone=False)
    except OSError as error:
        return SkippedFile(str(path), f"cannot be read ({in_words(error)})", "failed")
    except Unreadable as error:
        return SkippedFile(str(path), str(error), "failed")
    passages = tuple(passage for document in found.documents for passage in document.passages)
    return passages or SkippedFile(str(path), "; ".join(found.notes) or "no text", "empty")
