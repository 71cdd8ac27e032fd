"""PDF: tables without rules, of which a file has one column after the other."""

from __future__ import annotations

from collections.abc import Sequence

from tests.unit.corpus.test_read_pdf import pdf, shown, texts

LABELS = ("Rope of hemp", "Paint", "Nails", "Oars and sails", "Tar")
FIGURES = ("12.50", "24.00", "3.10", "118.00", "7.75")
OTHERS = ("14", "2", "300", "6", "21")


def down(cells: Sequence[str], x: float, *, first: float = 700, leading: float = 14) -> str:
    """What sets *cells* below each other."""
    return "".join(shown(cell, x, first - leading * row) for row, cell in enumerate(cells))


def test_figures_stand_beside_their_labels_whichever_the_file_has_first() -> None:
    rows = "\n".join(map(" | ".join, zip(LABELS, FIGURES, OTHERS, strict=True)))
    labels, figures, others = down(LABELS, 50), down(FIGURES, 300), down(OTHERS, 400)
    assert texts(pdf(labels + figures + others)) == [rows]
    assert texts(pdf(figures + labels + others)) == [rows]
    assert texts(pdf(others + figures + labels)) == [rows]


def test_a_label_that_has_no_figures_stays_between_those_beside_it() -> None:
    page = down(LABELS, 50) + "".join(
        shown(figure, 300, 700 - 14 * row) for row, figure in enumerate((*FIGURES[:3], "", FIGURES[4])) if figure
    )
    assert texts(pdf(page))[0].split("\n")[2:] == ["Nails | 3.10", "Oars and sails", "Tar | 7.75"]


def test_figures_beside_prose_are_none_of_its_rows() -> None:
    prose = [f"the ropes that lie in the shed beside the old harbour {'abc'[row % 3]}" for row in range(5)]
    (text,) = texts(pdf(down(prose, 50) + down(FIGURES, 400)))
    assert text.startswith(" ".join(prose))
