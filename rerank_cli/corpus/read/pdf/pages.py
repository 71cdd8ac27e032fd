"""The only door to pdfium: from the bytes of a PDF to the lines of its pages, its bookmarks and its own title."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

import pypdfium2
import pypdfium2.raw as pdfium

from rerank_cli.corpus.read.errors import Unreadable
from rerank_cli.corpus.read.pdf.annotations import filled_in, written_on
from rerank_cli.corpus.read.pdf.bullets import draws_bullets, with_bullets, with_own_bullets
from rerank_cli.corpus.read.pdf.characters import cleaned, in_cyrillic, without_leader
from rerank_cli.corpus.read.pdf.column_by_column import with_figures_beside
from rerank_cli.corpus.read.pdf.columns import in_columns
from rerank_cli.corpus.read.pdf.cut_ligatures import CutLigatures
from rerank_cli.corpus.read.pdf.endings import with_endings
from rerank_cli.corpus.read.pdf.formulas import with_formulas
from rerank_cli.corpus.read.pdf.frames import cross_rules, in_frames
from rerank_cli.corpus.read.pdf.glued import Words
from rerank_cli.corpus.read.pdf.glyphs import Glyphs
from rerank_cli.corpus.read.pdf.grids import Grid, grids_of
from rerank_cli.corpus.read.pdf.inlays import with_inlays
from rerank_cli.corpus.read.pdf.layers import rejoined
from rerank_cli.corpus.read.pdf.letters import Letters
from rerank_cli.corpus.read.pdf.lines import Cell, Line, side_by_side
from rerank_cli.corpus.read.pdf.mac_ligatures import MacLigatures
from rerank_cli.corpus.read.pdf.margins import without_line_numbers, without_listing_numbers
from rerank_cli.corpus.read.pdf.rivers import by_block
from rerank_cli.corpus.read.pdf.row_by_row import in_rows
from rerank_cli.corpus.read.pdf.rules import Rules, Sign, rules_on
from rerank_cli.corpus.read.pdf.sheet import Sheet
from rerank_cli.corpus.read.pdf.strips import strips_of
from rerank_cli.fields import Fields, fields_in

# Of more bookmarks than any book has, and of deeper ones, the rest is left out.
_MOST_BOOKMARKS = 20_000
_DEEPEST_BOOKMARK = 6
_FIELDS = ("Author", "Keywords", "Subject")
_MOST_TITLE_CHARS = 300

# So many dots in a line that stand apart lead to a number. A single one can be what a cell says.
_LEADER = 2
_DOTS = ("...", ". . .")

# With fewer cells beside others a page has no boxes worth looking for.
_FEWEST_BESIDE = 3


@dataclass(frozen=True, slots=True)
class Bookmark:
    """An entry of the outline; `level` counts from 1, `page` too. `y` is where on the page it leads, if it says."""

    title: str
    level: int
    page: int
    y: float | None


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it is shown. `pictured` where it has a picture and no text.

    `unreadable` where nobody knows its letters, `partly_unreadable` where nobody knows some of them, `damaged` where
    pdfium cannot make anything of it.
    """

    number: int
    width: float
    height: float
    lines: tuple[Line, ...] = ()
    comments: tuple[str, ...] = ()
    pictured: bool = False
    unreadable: bool = False
    partly_unreadable: bool = False
    damaged: bool = False


@contextmanager
def opened(content: bytes) -> Iterator[Pdf]:
    """The PDF in *content*. Raises Unreadable where it is none, needs a password or cannot be repaired."""
    if b"%PDF-" not in content[:1024]:
        raise Unreadable("not a PDF" if content.strip() else "empty")
    _forget_last_error()
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        raise Unreadable(_reason(error)) from error
    try:
        producer = document.get_metadata_value("Producer")
        glyphs = Glyphs(content, MacLigatures(content, producer), CutLigatures(producer))
        made_by = f"{document.get_metadata_value('Creator')} {producer}"
        yield Pdf(document, glyphs, draws_bullets=draws_bullets(made_by))
    finally:
        document.close()


def _forget_last_error() -> None:
    """Have pdfium fail to read nothing: of some damaged files it tells no error, and that of another file stands."""
    pdfium.FPDF_LoadMemDocument64(b"", 0, None)


def _reason(error: pypdfium2.PdfiumError) -> str:
    match getattr(error, "err_code", None):
        case pdfium.FPDF_ERR_PASSWORD:
            return "encrypted: needs a password"
        case pdfium.FPDF_ERR_SECURITY:
            return "encrypted in a way that is not known"
    return "damaged: no pages are found in it"


class Pdf:
    """An open PDF."""

    def __init__(self, document: pypdfium2.PdfDocument, glyphs: Glyphs, *, draws_bullets: bool) -> None:
        self._document = document
        self._draws_bullets = draws_bullets
        self._glyphs = glyphs
        self._words = Words()
        self._form = self._form_of(document)
        self._sheets: dict[int, Sheet] = {}

    @property
    def title(self) -> str:
        """What the file says that it is called, which is often nonsense."""
        return in_cyrillic(cleaned(self._document.get_metadata_value("Title")))[:_MOST_TITLE_CHARS]

    @property
    def fields(self) -> Fields:
        """What the file says of its author and its matter. Its times are those of the program that made it."""
        said = ((name.lower(), in_cyrillic(cleaned(self._document.get_metadata_value(name)))) for name in _FIELDS)
        return tuple(pair for key, text in said for pair in fields_in(text, key))

    @staticmethod
    def _form_of(document: pypdfium2.PdfDocument) -> pypdfium2.PdfFormEnv | None:
        if document.get_formtype() == pdfium.FORMTYPE_NONE:
            return None
        logging.getLogger("pypdfium2").setLevel(logging.ERROR)  # it warns of forms of a kind, whose fields are read
        document.init_forms()
        return document.formenv

    def bookmarks(self) -> list[Bookmark]:
        """The outline from top to bottom, but for what leads nowhere. Heights are known once the pages were read."""
        found: list[Bookmark] = []
        for entry in self._document.get_toc(max_depth=_DEEPEST_BOOKMARK):
            if len(found) == _MOST_BOOKMARKS:
                break
            title = in_cyrillic(cleaned(entry.get_title()))[:_MOST_TITLE_CHARS]
            target = entry.get_dest()
            page = target.get_index() if target else None
            if title and page is not None:
                found.append(Bookmark(title, entry.level + 1, page + 1, self._height_of(target, page)))
        return found

    def _height_of(self, target: pypdfium2.PdfDest, page: int) -> float | None:
        sheet = self._sheets.get(page)
        mode, position = target.get_view()
        at = {pdfium.PDFDEST_VIEW_XYZ: 1, pdfium.PDFDEST_VIEW_FITH: 0, pdfium.PDFDEST_VIEW_FITBH: 0}.get(mode)
        if sheet is None or at is None or len(position) <= at or position[at] is None:
            return None
        return sheet.shown(0, position[at])[1]

    def pages(self) -> Iterator[Page]:
        """Every page in order."""
        for index in range(len(self._document)):
            try:
                page = self._document[index]
            except pypdfium2.PdfiumError:
                yield Page(index + 1, 0.0, 0.0, damaged=True)
                continue
            try:
                yield self._read(page, index + 1)
            finally:
                page.close()

    def _read(self, page: pypdfium2.PdfPage, number: int) -> Page:
        sheet = Sheet.of(page)
        textpage = page.get_textpage()
        signs: Sequence[Sign] = ()
        try:
            letters = Letters(textpage, sheet, number, self._glyphs, self._words)
            lines = letters.lines()
            turned = max(letters.turns, key=letters.turns.__getitem__, default=sheet.turned)
            if turned != sheet.turned:  # most of it is set sideways: it is read as if the page were turned
                sheet = replace(sheet, turned=turned)
                letters = Letters(textpage, sheet, number, self._glyphs, self._words)
                lines = _from_top(letters.lines())
            elif 2 * letters.downwards > letters.turns.total():  # its lines are columns, from right to left
                sheet = replace(sheet, turned=(sheet.turned + 3) % 4)
                letters = Letters(textpage, sheet, number, self._glyphs, self._words, downwards=True)
                lines = letters.lines()
            elif 2 * letters.from_right > letters.turns.total() and not sheet.turned:
                sheet = replace(sheet, from_right=True)
                letters = Letters(textpage, sheet, number, self._glyphs, self._words)
                lines = letters.lines()
            if 2 * letters.mirrored > letters.turns.total() and _goes_upwards(lines):  # it would be read from behind
                lines = [line._replace(y=sheet.shown_height - line.y) for line in lines]
            elif self._draws_bullets or _stand_side_by_side(lines):
                rules = rules_on(page, sheet)
                signs = rules.signs
                grids = _grids_of(rules, lines) if _stand_side_by_side(lines) else []
                if grids and cross_rules(lines, grids):
                    lines = letters.lines(grids)
                    lines = lines if turned == page.get_rotation() // 90 else _from_top(lines)
                if self._draws_bullets:
                    lines = with_bullets(lines, rules.dots)
                if grids:
                    lines = in_frames(in_rows(lines), grids)
        finally:
            textpage.close()
        self._sheets[number - 1] = sheet
        written = written_on(page, self._form, sheet)
        width, height = sheet.shown_width, sheet.shown_height
        lines = without_listing_numbers(with_own_bullets(_seen(lines, width, height)))
        lines = [
            line
            for is_boxed, group in groupby(lines, lambda line: line.box is not None)
            for line in (group if is_boxed else in_columns(in_rows(list(group)), width))
        ]
        lines = with_figures_beside(list(_telling(side_by_side(with_formulas(lines)))))
        lines = with_endings(with_inlays(rejoined(lines), signs))
        lines = by_block(without_line_numbers(filled_in(lines, written.fields, number)))
        unreadable, partly = letters.unreadable, letters.partly_unreadable
        pictured = not (lines or unreadable) and any(page.get_objects((pdfium.FPDF_PAGEOBJ_IMAGE,), max_depth=2))
        return Page(number, width, height, tuple(lines), written.comments, pictured, unreadable, partly)


def _grids_of(rules: Rules, lines: Sequence[Line]) -> list[Grid]:
    grids = grids_of(rules)
    return grids + strips_of(rules, grids, lines)


def _from_top(lines: list[Line]) -> list[Line]:
    """*lines* of a page that is turned, which a file may have from below."""
    return lines if lines[0].y < lines[-1].y else lines[::-1]


def _stand_side_by_side(lines: Sequence[Line]) -> bool:
    """Whether there are cells beside others: only then rules can tell their order."""
    return sum(len(line.cells) for line in lines) - len({round(line.y) for line in lines}) >= _FEWEST_BESIDE


def _goes_upwards(lines: Sequence[Line]) -> bool:
    """Whether most lines stand above the one before. Letters that are pictures can stand on their head by design."""
    return 2 * sum(after.y < before.y for before, after in pairwise(lines)) > len(lines) - 1


def _seen(lines: list[Line], width: float, height: float) -> list[Line]:
    """*lines* that are on the page. Printers note what is for them beside it."""
    return [line for line in lines if line.right > 0 and line.left < width and line.y > 0 and line.top < height]


def _without_dots(cells: Sequence[Cell]) -> Iterator[Cell]:
    """*cells* without the dots at their end that lead to the next one, where a file has each dot apart."""
    for cell in cells:
        parts = without_leader(cell.text)
        if len(parts) == 1:
            yield cell._replace(text=parts[0])
        elif parts:
            yield cell


def _telling(lines: list[Line]) -> Iterator[Line]:
    """*lines* without dots that lead to a number, or stand alone: pdfium gives them for the buttons of slides, too."""
    for line in lines:
        has_dots = any(cell.text.endswith(_DOTS) for cell in line.cells)
        told = tuple(_without_dots(line.cells)) if has_dots else line.cells
        cells = tuple(cell for cell in told if cell.text != ".")
        if cells:
            yield line if len(told) - len(cells) < _LEADER and not has_dots else line._replace(cells=cells)
