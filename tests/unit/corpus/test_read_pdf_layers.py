"""PDF: lines whose words a file has first, and later what is set between these, as browsers print formulas."""

from __future__ import annotations

from tests.unit.corpus.test_read_pdf import pdf, shown, texts


def layered(*rows: tuple[tuple[str, float], ...], of_words: str) -> str:
    """Rows of pieces, each with its left edge; those that begin with a letter of *of_words* are set first."""
    pieces = [(text, x, 700 - 14 * number) for number, row in enumerate(rows) for text, x in row]
    words = [piece for piece in pieces if piece[0][0] in of_words]
    formulas = [piece for piece in pieces if piece not in words]
    return "".join(shown(*piece) for piece in words) + "".join(shown(*piece, size=12) for piece in formulas)


def test_a_sentence_has_its_formulas_where_they_are_set() -> None:
    page = layered(
        (("We write ", 50), ("(x, y)", 92), ("for a pair of ropes, and", 121)),
        (("where ", 50), ("x < y", 80), ("the longer rope is first.", 109)),
        (("1.", 50), ("{x}", 62)),
        of_words="Wfwt1",
    )
    assert texts(pdf(page)) == [
        "We write (x, y) for a pair of ropes, and where x < y the longer rope is first.",
        "1. {x}",
    ]


def test_cells_that_stand_apart_are_not_of_one_sentence() -> None:
    rows = [(("rope of hemp", 50), ("(new)", 150), ("Karl", 220)), (("paint of all", 50), ("(old)", 150), ("Mia", 220))]
    page = layered(*rows, of_words="rpKM")
    assert texts(pdf(page))[-1] == "(new) (old)"


def test_a_single_line_that_another_one_touches_stays_as_it_is() -> None:
    page = layered((("The weight of the rope is", 50), ("(x)", 164)), of_words="T")
    said = shown("The keeper counts them all.", 50, 660)
    assert "The weight of the rope is" in texts(pdf(page.replace("ET\n", f"ET\n{said}", 1)))
