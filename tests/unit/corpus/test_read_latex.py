from __future__ import annotations

import pytest

from rerank_cli.corpus.read.latex import read
from rerank_cli.records import Block, Document, at_lines


def document(text: str) -> Document:
    (only,) = read(text, "page.tex").documents
    return only


def texts(text: str) -> list[str]:
    return [block.text for block in document(text).blocks]


def test_an_article_has_its_title_and_its_sections_and_no_preamble() -> None:
    page = (
        "\\documentclass{article}\n\\title{My \\emph{Kiln}}\n\\author{Ann}\n\\newcommand{\\x}[1]{hidden}\n"
        "\\begin{document}\n\\maketitle\n\\section{Firing \\& more}\\label{a}\nRaise it % hidden\n"
        "by 5\\,\\%~\\cite{k}.\n\n\\subsection*{Cooling}\n\\begin{verbatim}\n\\section{no} % kept\n\\end{verbatim}\n"
        "\\end{document}\nafter\n"
    )
    assert document(page).title == "My Kiln"
    assert document(page).blocks == (
        Block("Ann", at_lines(3, 3)),
        Block("Raise it\nby 5 %.", at_lines(8, 9), ("Firing & more",)),
        Block("\\section{no} % kept", at_lines(13, 13), ("Firing & more", "Cooling")),
    )


@pytest.mark.parametrize(
    ("markup", "plain"),
    [
        ("\\textbf{a \\emph{b}} {\\small c} \\unknown[x]{d}", "a b c d"),
        ("\\href{https://a.org}{the site} \\url{https://a.org}", "the site (https://a.org) https://a.org"),
        ("said.\\footnote{A note.}", "said. (A note.)"),
        ("``x'' --- \\'e \\\"{o} \\c{c} \\ss{} \\ldots", '"x" — é ö ç ß …'),
        ("$a_1 \\le b$ and \\(c\\) and \\verb|{d|", "$a_1 \\le b$ and \\(c\\) and {d"),
        ("\\textcolor{red}{seen} \\setlength{\\x}{1pt}\\def\\y#1{no}", "seen"),
        ("never {closed", "never closed"),
        (r"A map\index{map}\indexdef{map!of sets}\indexsee{arrow}{map} of sets.", "A map of sets."),
    ],
)
def test_commands_leave_their_words(markup: str, plain: str) -> None:
    assert texts(markup) == [plain]


def test_lists_tables_and_captions() -> None:
    page = (
        "\\begin{itemize}\n\\item one\n  more\n\\begin{enumerate}\n\\item x\n\\item y\n\\end{enumerate}\n"
        "\\item[T] z\n\\end{itemize}\n\\caption[s]{Ports}\n"
        "\\begin{tabular}{|l|r|}\n\\hline\nName & Port \\\\ \\hline\nssh & 22 \\\\\n"
        "d\\&ns & 53 \\\\\n\\end{tabular}\n"
    )
    assert texts(page) == ["- one\nmore", "1. x", "2. y", "T: z", "Ports", "Name | Port\nssh | 22\nd&ns | 53"]
    assert document(page).blocks[-1].place == at_lines(13, 15)
    assert document(page).blocks[-1].header == "Name | Port"


def test_formulas_stay_and_drawings_go() -> None:
    assert texts(
        "\\begin{equation}\nE = mc^2\n\\end{equation}\n\\begin{tikzpicture}\n\\draw;\n\\end{tikzpicture}\n"
    ) == ["E = mc^2"]


def test_an_environment_that_is_never_closed_is_text() -> None:
    assert texts("\\begin{verbatim}\na \\emph{b}\n") == ["a b"]
