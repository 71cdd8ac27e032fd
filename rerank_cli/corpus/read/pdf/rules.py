"""The rules that are drawn on a page: level and upright lines, and the edges of boxes."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import pypdfium2
import pypdfium2.raw as pdfium

from rerank_cli.corpus.read.pdf.lean import lean
from rerank_cli.corpus.read.pdf.sheet import Sheet

# Of a page with more than that, or of a line with more pieces, nothing is asked: it is a map or a plot.
_MOST_OBJECTS = 5_000
_MOST_SEGMENTS = 300
_BOX_SEGMENTS = 5

# Programs put what is on a page into a drawing, and that into others, to stamp or to turn it. More drawings side by
# side are several pages on one.
_DEEPEST = 3
_MOST_DRAWINGS = 2

# In points: how large a drawn letter or a formula of such letters is.
_LEAST_SIGN = (0.5, 1.0)
_LARGEST_SIGN = (300.0, 60.0)

# In points: how large something round or square is that may be a bullet, and how many times wider or higher at most.
_LEAST_DOT, _LARGEST_DOT = 1.0, 14.0
_LONGEST_DOT = 1.4

# In points: how long a rule is at least, and how thick and how slanting at most.
_LENGTH = 4.0
_THICKNESS = 3.0
_SLANT = 0.5

# In points: what is no further apart is at one place.
SAME = 3.0

# Asked of every object of a page.
_PATH = pdfium.FPDF_PAGEOBJ_PATH
_FORM = pdfium.FPDF_PAGEOBJ_FORM
_TEXT = pdfium.FPDF_PAGEOBJ_TEXT
_IMAGE = pdfium.FPDF_PAGEOBJ_IMAGE
_count_objects = lean(pdfium.FPDFPage_CountObjects)
_object = lean(pdfium.FPDFPage_GetObject)
_kind_of = lean(pdfium.FPDFPageObj_GetType)
_ask_bounds = lean(pdfium.FPDFPageObj_GetBounds)
_count_segments = lean(pdfium.FPDFPath_CountSegments)
_ask_mode = lean(pdfium.FPDFPath_GetDrawMode)
_ask_matrix = lean(pdfium.FPDFPageObj_GetMatrix)
_segment = lean(pdfium.FPDFPath_GetPathSegment)
_kind_of_segment = lean(pdfium.FPDFPathSegment_GetType)
_ask_point = lean(pdfium.FPDFPathSegment_GetPoint)
_closes = lean(pdfium.FPDFPathSegment_GetClose)
_count_held = lean(pdfium.FPDFFormObj_CountObjects)
_held = lean(pdfium.FPDFFormObj_GetObject)

_Point = tuple[float, float]
_Matrix = tuple[float, float, float, float, float, float]
_Edges = tuple[float, float, float, float]  # left, bottom, right and top


class Rule(NamedTuple):
    """A straight line at `at`, which is its height if it is level, and its distance from the left edge if not."""

    at: float
    first: float
    last: float

    def reaches(self, place: float) -> bool:
        return self.first - SAME <= place <= self.last + SAME


class Sign(NamedTuple):
    """Where something small is drawn, in points from the upper left corner of the page."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of a page, each kind from the first `at` to the last.

    `shades` are the upper and lower edges of boxes that are only filled, `signs` what may be letters that are drawn,
    `dots` what may be bullets.
    """

    level: tuple[Rule, ...] = ()
    upright: tuple[Rule, ...] = ()
    shades: tuple[Rule, ...] = ()
    signs: tuple[Sign, ...] = ()
    dots: tuple[Sign, ...] = ()


def rules_on(page: pypdfium2.PdfPage, sheet: Sheet) -> Rules:
    """The rules of *page*, those put together that go on."""
    level: list[Rule] = []
    upright: list[Rule] = []
    drawn = _Drawn(page, sheet)
    for start, end in drawn.lines():
        (left, top), (right, bottom) = sheet.shown(*start), sheet.shown(*end)
        if abs(top - bottom) < _SLANT and abs(left - right) > _LENGTH:
            level.append(Rule((top + bottom) / 2, min(left, right), max(left, right)))
        elif abs(left - right) < _SLANT and abs(top - bottom) > _LENGTH:
            upright.append(Rule((left + right) / 2, min(top, bottom), max(top, bottom)))
    return Rules(
        tuple(whole(level)),
        tuple(whole(upright)),
        tuple(whole(drawn.shades)),
        signs=tuple(drawn.signs),
        dots=tuple(drawn.dots),
    )


def whole(rules: Iterable[Rule]) -> Iterator[Rule]:
    """*rules* at one place that touch as one."""
    places: list[list[Rule]] = []
    for rule in sorted(rules, key=lambda rule: rule.at):
        if places and rule.at - places[-1][0].at < SAME:
            places[-1].append(rule)
        else:
            places.append([rule])
    for place in places:
        at = sum(rule.at for rule in place) / len(place)
        for first, last in _joined((rule.first, rule.last) for rule in place):
            yield Rule(at, first, last)


def _joined(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    joined: list[tuple[float, float]] = []
    for first, last in sorted(spans):
        if joined and first <= joined[-1][1] + SAME:
            joined[-1] = joined[-1][0], max(joined[-1][1], last)
        else:
            joined.append((first, last))
    return joined


class _Drawn:
    """What is drawn on a page, as pdfium tells it: points of the page's plane."""

    def __init__(self, page: pypdfium2.PdfPage, sheet: Sheet) -> None:
        self._page = page.raw
        self._sheet = sheet
        self._edges = tuple(ctypes.c_float() for _ in range(4))
        self._edge_pointers = tuple(map(ctypes.byref, self._edges))
        self._matrix = pdfium.FS_MATRIX()
        self._x, self._y = ctypes.c_float(), ctypes.c_float()
        self._point_pointers = ctypes.byref(self._x), ctypes.byref(self._y)
        self._filled, self._stroked = ctypes.c_int(), ctypes.c_int()
        self._around: _Matrix | None = None  # of the drawing that is looked into
        self.shades: list[Rule] = []
        """The upper and lower edges of boxes that are filled; once lines were asked for."""
        self.signs: list[Sign] = []
        """What may be letters; once lines were asked for."""
        self.dots: list[Sign] = []
        """What may be bullets; once lines were asked for."""

    def lines(self) -> Iterator[tuple[_Point, _Point]]:
        count = _count_objects(self._page)
        objects = map(partial(_object, self._page), range(count if count <= _MOST_OBJECTS else 0))
        yield from self._lines_on(list(objects), depth=0)

    def _lines_on(self, objects: Sequence[pdfium.FPDF_PAGEOBJECT], depth: int) -> Iterator[tuple[_Point, _Point]]:
        kinds = [_kind_of(drawn) for drawn in objects]
        may_hold_page = depth < _DEEPEST and _TEXT not in kinds and kinds.count(_FORM) <= _MOST_DRAWINGS
        for kind, drawn in zip(kinds, objects, strict=True):
            if kind in (_PATH, _IMAGE, _FORM):
                left, bottom, right, top = self._edges_on_page(drawn)
                width, height = right - left, top - bottom
                if _LEAST_DOT < height < _LARGEST_DOT and 1 < _LONGEST_DOT * width / height < _LONGEST_DOT**2:
                    self.dots.append(self._shown(left, bottom, right, top))
                if kind == _IMAGE or (kind == _PATH and _count_segments(drawn) > _BOX_SEGMENTS):
                    self._look_for_sign(left, bottom, right, top)
                if kind == _PATH and max(right - left, top - bottom) >= _LENGTH:
                    yield from self._lines_of(drawn, left, bottom, right, top)
            if kind == _FORM and may_hold_page:
                yield from self._lines_within(drawn, depth)

    def _edges_on_page(self, drawn: pdfium.FPDF_PAGEOBJECT) -> _Edges:
        _ask_bounds(drawn, *self._edge_pointers)
        left, bottom, right, top = (edge.value for edge in self._edges)
        if self._around is None:
            return left, bottom, right, top
        (left, bottom), (right, top) = _moved(self._around, left, bottom), _moved(self._around, right, top)
        return min(left, right), min(bottom, top), max(left, right), max(bottom, top)

    def _lines_within(self, drawing: pdfium.FPDF_PAGEOBJECT, depth: int) -> Iterator[tuple[_Point, _Point]]:
        count = _count_held(drawing)
        if not 0 < count <= _MOST_OBJECTS:
            return
        before = self._around
        own = self._matrix_of(drawing)
        self._around = own if before is None else _product(own, before)
        yield from self._lines_on(list(map(partial(_held, drawing), range(count))), depth + 1)
        self._around = before

    def _matrix_of(self, drawn: pdfium.FPDF_PAGEOBJECT) -> _Matrix:
        _ask_matrix(drawn, ctypes.byref(self._matrix))
        matrix = self._matrix
        return matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f

    def _look_for_sign(self, left: float, bottom: float, right: float, top: float) -> None:
        width, height = right - left, top - bottom
        if _LEAST_SIGN[0] < width < _LARGEST_SIGN[0] and _LEAST_SIGN[1] < height < _LARGEST_SIGN[1]:
            self.signs.append(self._shown(left, bottom, right, top))

    def _shown(self, left: float, bottom: float, right: float, top: float) -> Sign:
        (left, top), (right, bottom) = self._sheet.shown(left, top), self._sheet.shown(right, bottom)
        return Sign(min(left, right), min(top, bottom), max(left, right), max(top, bottom))

    def _lines_of(
        self, drawn: pdfium.FPDF_PAGEOBJECT, left: float, bottom: float, right: float, top: float
    ) -> Iterator[tuple[_Point, _Point]]:
        width, height = right - left, top - bottom
        if min(width, height) > _THICKNESS:
            if self._is_stroked(drawn):
                yield from self._edges_of(drawn)
            elif self._filled.value and _count_segments(drawn) <= _BOX_SEGMENTS:
                self._shade((left, top), (right, bottom))
        elif width > height:
            yield (left, (bottom + top) / 2), (right, (bottom + top) / 2)
        else:
            yield ((left + right) / 2, bottom), ((left + right) / 2, top)

    def _shade(self, upper: _Point, lower: _Point) -> None:
        """Keep a box that is only filled: a colour behind the text, which may be that of a row."""
        (left, top), (right, bottom) = self._sheet.shown(*upper), self._sheet.shown(*lower)
        for at in (top, bottom):
            self.shades.append(Rule(at, min(left, right), max(left, right)))

    def _is_stroked(self, drawn: pdfium.FPDF_PAGEOBJECT) -> bool:
        _ask_mode(drawn, ctypes.byref(self._filled), ctypes.byref(self._stroked))
        return bool(self._stroked.value)

    def _edges_of(self, drawn: pdfium.FPDF_PAGEOBJECT) -> Iterator[tuple[_Point, _Point]]:
        """The straight pieces of a line that goes around something, or of many in one."""
        count = _count_segments(drawn)
        if count > _MOST_SEGMENTS:
            return
        matrix = self._matrix_of(drawn)
        if self._around is not None:
            matrix = _product(matrix, self._around)
        start = before = (0.0, 0.0)
        for segment in map(partial(_segment, drawn), range(count)):
            kind = _kind_of_segment(segment)
            _ask_point(segment, *self._point_pointers)
            point = _moved(matrix, self._x.value, self._y.value)
            if kind == pdfium.FPDF_SEGMENT_MOVETO:
                start = point
            elif kind == pdfium.FPDF_SEGMENT_LINETO:
                yield before, point
            if _closes(segment):
                yield point, start
            before = point


def _moved(matrix: _Matrix, x: float, y: float) -> _Point:
    a, b, c, d, e, f = matrix
    return a * x + c * y + e, b * x + d * y + f


def _product(first: _Matrix, second: _Matrix) -> _Matrix:
    """What moves a point as *first* does, and then *second*."""
    a, b, c, d, e, f = first
    turn: _Matrix = (*second[:4], 0.0, 0.0)
    return *_moved(turn, a, b), *_moved(turn, c, d), *_moved(second, e, f)
