"""Tables fit the terminal they are printed on, and are as wide as they are elsewhere."""

from __future__ import annotations

from rerank_cli.evaluation.showing.text import aligned, fitted

ROWS = [("", "first stage", "reranked", "change"), ("nDCG@10", "0.5", "0.75", "+0.25"), ("P", "1", "1", "0")]


def test_columns_that_do_not_fit_go_below_with_the_names_again() -> None:
    assert list(aligned(ROWS, width=28)) == [
        "         first stage",
        "nDCG@10          0.5",
        "P                  1",
        "",
        "         reranked  change",
        "nDCG@10      0.75   +0.25",
        "P               1       0",
    ]


def test_without_a_width_a_table_is_whole() -> None:
    assert list(aligned(ROWS)) == [
        "         first stage  reranked  change",
        "nDCG@10          0.5      0.75   +0.25",
        "P                  1         1       0",
    ]
    assert list(aligned(ROWS, width=38)) == list(aligned(ROWS))


def test_a_cell_that_never_fits_loses_its_middle() -> None:
    assert next(iter(aligned([("", "a" * 50, "b"), ("x", "1", "2")], width=20))).split() == ["aaa…aaaaa", "b"]


def test_text_is_broken_between_words_on_a_terminal_alone() -> None:
    parts = ["Reranking pays here: a lot.", "", ROWS, "    indented text that is long"]
    assert next(iter(fitted(parts, width=None))) == "Reranking pays here: a lot."
    assert list(fitted(parts, width=20))[:3] == ["Reranking pays here:", "a lot.", ""]
    assert list(fitted(parts, width=20))[-2:] == ["    indented text", "    that is long"]
    assert all(len(line) <= 20 for line in fitted(parts, width=20))


def test_control_characters_in_names_are_escaped_before_columns_are_measured() -> None:
    lines = list(aligned([("", "a\x1b"), ("x", "1")]))
    assert lines == ["   a\\x1b", "x      1"]
