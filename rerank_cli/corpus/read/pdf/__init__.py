"""Read PDF: the paragraphs and tables of its pages, under the headings that its outline or its letters show."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rerank_cli.corpus.read.errors import Unreadable
from rerank_cli.corpus.read.outline import Outline
from rerank_cli.corpus.read.pdf.flow import flowing
from rerank_cli.corpus.read.pdf.handouts import handout_of
from rerank_cli.corpus.read.pdf.headings import Heading, body_size, by_letters, by_outline, is_telling, title_of
from rerank_cli.corpus.read.pdf.pages import Bookmark, Page, opened
from rerank_cli.corpus.read.pdf.paragraphs import USUAL_LEADING, distances_in, leading_of, parts_of
from rerank_cli.corpus.read.pdf.parts import Part
from rerank_cli.corpus.read.pdf.running import without_running
from rerank_cli.corpus.read.pdf.scraps import gathered
from rerank_cli.records import Document, Reading

# Of fewer the outline tells less than the letters do. So it does where all lead to the first page of so many: to the
# title and the authors.
_FEWEST_BOOKMARKS = 2
_FEWEST_PAGES = 3

_HYPHENATED = re.compile(r"\w+-\w+")


def read(content: bytes, path: str) -> Reading:
    """A single document. Raises Unreadable where no page holds text."""
    with opened(content) as pdf:
        pages = list(pdf.pages())
        bookmarks = [bookmark for bookmark in pdf.bookmarks() if is_telling(bookmark)]
        said, fields = pdf.title, pdf.fields
    notes = _notes(pages)
    texts = without_running(pages)
    hyphenated = frozenset(
        word.casefold()
        for lines in texts
        for line in lines
        if "-" in line.text
        for word in _HYPHENATED.findall(line.text)
    )
    distances = [distances_in(lines) for lines in texts]
    usual = leading_of([distance for page in distances for distance in page]) or USUAL_LEADING
    handout = handout_of(pages)
    parts = [
        part
        for page, lines, own in zip(pages, texts, distances, strict=True)
        for together in (handout.slides(page, lines) if handout else (lines,))
        for part in parts_of(together, leading_of(own) or usual)
    ]
    body = body_size(parts)
    slides = frozenset(page.number for page in pages if page.width > page.height)
    parts = flowing(gathered(parts, body), slides, body)
    title = title_of(parts, said, body)
    outline = Outline("page")
    for piece in _headed(parts, bookmarks, title, body, slides):
        if isinstance(piece, Heading):
            outline.heading(piece.level, piece.text, piece.page, piece.page)
        else:
            header = piece.table.shown()[0] if piece.table and piece.table.headed else ""
            outline.block(piece.text(hyphenated), piece.first_page, piece.last_page, header=header)
    for page in pages:
        for comment in page.comments:
            outline.block(comment, page.number, page.number)
    shown = title.text(hyphenated) if isinstance(title, Part) else title
    damaged = any(page.damaged for page in pages)
    return Reading((Document(path, shown, outline.blocks(), fields),), notes, damaged=damaged)


def _headed(
    parts: Sequence[Part], bookmarks: Sequence[Bookmark], title: Part | str, body: float, slides: frozenset[int]
) -> list[Part | Heading]:
    if len(bookmarks) < _FEWEST_BOOKMARKS or (
        parts and parts[-1].last_page >= _FEWEST_PAGES and all(bookmark.page == 1 for bookmark in bookmarks)
    ):
        return by_letters(parts, body, slides)
    headed = by_outline(parts, bookmarks)
    return [Heading(piece.text(frozenset()), 0, piece.first_page) if piece is title else piece for piece in headed]


def _notes(pages: Sequence[Page]) -> tuple[str, ...]:
    """What of the pages could not be read. Raises Unreadable where that is all of them."""
    if not pages:
        raise Unreadable("damaged: it has no pages")
    damaged = sum(page.damaged for page in pages)
    if damaged == len(pages):
        raise Unreadable("damaged: none of its pages can be read")
    scanned = sum(page.pictured for page in pages)
    unreadable = sum(page.unreadable for page in pages)
    partly = sum(page.partly_unreadable for page in pages)
    if not any(page.lines or page.comments for page in pages):
        kind = "readable text: its fonts do not tell their letters" if unreadable else "text"
        raise Unreadable(f"none of its {len(pages)} pages holds {kind}{': scanned?' if scanned else ''}")
    notes = []
    if scanned:
        notes.append(f"{scanned} of {len(pages)} pages hold no text: scanned?")
    if unreadable:
        notes.append(f"{unreadable} of {len(pages)} pages hold no readable text: their fonts do not tell their letters")
    if partly:
        notes.append(f"{partly} of {len(pages)} pages hold letters that their fonts do not tell: they are left out")
    if damaged:
        notes.append(f"{damaged} of {len(pages)} pages are damaged")
    return tuple(notes)
