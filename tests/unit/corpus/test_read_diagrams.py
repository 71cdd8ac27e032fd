from __future__ import annotations

import pytest

from rerank_cli.corpus.read.diagrams import read, words_of
from rerank_cli.corpus.read.markdown import read as read_markdown
from rerank_cli.corpus.read.rst import read as read_rst
from rerank_cli.records import at_lines
from tests.growth import grows_evenly


def words(diagram: str) -> list[str]:
    return [line for line in words_of(diagram).split("\n") if line]


@pytest.mark.parametrize(
    ("diagram", "shown"),
    [
        (
            "graph TD\n  A[Pump room] -->|opens| B{Is it wet?}\n  B --> A\n  style A fill:#f9f",
            ["Pump room opens Is it wet?"],
        ),
        (
            "sequenceDiagram\n  participant A as Alice\n  A->>Bob: Where is it?\n  Note over A,Bob: They meet\n  end",
            ["Alice", "Bob Where is it?", "Bob They meet"],
        ),
        ('pie showData\n  title Pets\n  %% remark\n  "Dogs" : 386', ["Pets", "Dogs 386"]),
        ("mindmap\n  root((Water))\n    From the well", ["Water", "From the well"]),
        (
            '@startuml\nskinparam x y\nactor "The clerk" as C\nC -> Archive : asks for a deed\n'
            "note left\n  At noon only.\nend note\n:Seal the deed;\n@enduml",
            ["The clerk", "Archive asks for a deed", "At noon only.", "Seal the deed"],
        ),
        (
            'digraph G {\n  rankdir=LR;\n  node [shape=box, color="#ff0000"];\n'
            '  a [label="Sluice\\ngate", shape=box];\n'
            '  a -> Millpond [label="fills"];\n  subgraph cluster_1 { label = "Upper mill"; }\n}',
            ["Sluice gate", "Millpond fills", "Upper mill"],
        ),
    ],
)
def test_of_a_diagram_its_words_are_read_and_not_how_it_is_drawn(diagram: str, shown: list[str]) -> None:
    assert words(diagram) == shown
    assert words_of(diagram).count("\n") == diagram.count("\n")


def test_a_file_of_a_diagram_has_its_words_on_their_lines() -> None:
    (document,) = read("@startuml\n\nA -> B : opens the sluice\n@enduml\n", "a.puml").documents
    assert [(block.text, block.place) for block in document.blocks] == [("A B opens the sluice", at_lines(3, 3))]


def test_pages_show_the_words_of_their_diagrams_and_no_queries() -> None:
    page = (
        "```mermaid\ngraph LR\n a[Well] --> b[Trough]\n```\n\n```dataview\nTABLE x FROM #y\n```\n\n"
        "```{mermaid}\ngraph LR\n c[Spring]\n```\n"
    )
    (document,) = read_markdown(page, "a.md").documents
    assert [(block.text, block.place) for block in document.blocks] == [
        ("Well Trough", at_lines(3, 3)),
        ("Spring", at_lines(12, 12)),
    ]
    (document,) = read_rst(
        ".. graphviz::\n   :caption: Flow\n\n   digraph {\n     a -> Mill;\n   }\n", "a.rst"
    ).documents
    assert [block.text for block in document.blocks] == ["Flow", "a Mill"]


@pytest.mark.parametrize("sign", ['a="', "a[", "[(", "<<", "|", "a as ", '"', ": ", "\n", " "])
def test_a_diagram_of_nothing_but_signs_takes_no_longer_than_its_size(sign: str) -> None:
    assert grows_evenly(lambda size: lambda: words_of("graph {\n" + sign * (size // len(sign))), 20_000)
