"""Every reader and the splitter, on texts made of the pieces of its format: whatever they are, it reads or refuses.

`derandomize`: each run has the same examples. `tests/faults/fuzz.py` looks for new ones.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rerank_cli.corpus.passages import passages_of, reading_of
from rerank_cli.corpus.read import Unreadable
from rerank_cli.corpus.read.decode import decode
from rerank_cli.records import FoundFile
from rerank_cli.stamps import Stamp
from tests.fakes import FakeEncoder

ANYWHERE = [
    "a", "brake", " ", "\n", "\n\n", "\t", "  ", "é", "漢",
    "\u0301", "\u202e", "\x01", "\x00", "😀", "\ufeff", "\r", "\x0c",
]  # fmt: skip
PIECES = {
    "a.md": [
        *(
            r'''[ ] ( ) ! * _ ` < > # - + = | ~ : & ; \ " ' { } ![ ]( ** ``` <!-- --> <![CDATA[ <div> </div> &# '''
            r'''&#x &amp; <a@b> '''
        ).split(),
        "    ", "> ", "- ", "1. ", "---\n", "+++\n", "title: ", "|-|-|\n", "|a|b|\n", "[a]: b\n",
        "[[a|b]]", "[^a]", "[^a]: ", "%%", "==", "{{< a >}}", "{% a %}", ":::a b\n", "^ab1", "[!a] ", "...\n",
        "import 'a'\n",
    ],
    "a.html": [
        *(
            r'''< > & ; = " ' / ! ? - <p> </p> <td> <tr> <table> <nav> </nav> <svg/> <pre> </pre> <li> <h1> '''
            r'''</h1> <title> </title> <body> <script> </script> <!-- --> <![CDATA[ ]]> <!DOCTYPE <? &# &#x '''
            r'''&#10; &NewLine; &amp; 11111111111111111111 <br> <textarea> '''
        ).split(),
        "0" * 40, "<img alt='", "<div hidden>", "</div>", "<main>", "</main>", "<tr>", "<th>", "</table>", "<a href=b>",
        "</a>", "<caption>", "<button>", "<footer>", "<meta name=description content=a>", "<article>", "<thead>",
    ],
    "a.rst": [
        *(
            r'''* ` | _ : < > \ = - ~ ^ + . |a| `` ** :a:` `_ '''
        ).split(),
        "====\n", "----\n", "::\n\n", ".. ", ".. note::\n", ".. function:: a\n", ".. |a| replace:: |b|\n",
        ".. |b| replace:: |a|\n", "   ", "   :alt: b\n", ".. image:: a\n", "+-+-+\n", "== ==\n", "- ", "1. ",
        ".. [1] ", ">>> ", "__ ",
    ],
    "a.py": [
        *(
            r'''( ) { } [ ] < > = ; : , . # @ $ " ' pub( '''
        ).split(),
        "def ", "class ", "    ", "async ", "const a = ", "[a]\n", "impl ", " for ", "end\n", "#\n",
        "create table ", "a() {", "void f(", "template <",
    ],
    "a.txt": [
        *(
            r'''. ! ? … 。 '''
        ).split(),
        "? A", "\" ", "a" * 120, " " * 50,
    ],
    "a.jsonl": [
        *(
            r'''{ } [ ] : , " \ "} 1 1e999 NaN null true \ud800 \n {"a":{"a": '''
        ).split(),
        "{\"text\": \"", "\"id\": ", "\"title\": ", "{\"text\":\"a\"}\n", "9" * 40,
        "{\"role\":\"a\",\"content\":", "[{", "}]",
    ],
    "a.csv": [
        *(
            r''', ; " "" '''
        ).split(),
        "id,text\n", "a,b\n", "\"a\n\"", "text\n", "sep=;\n", "\\\"", "a|b\n", ",,,",
    ],
    "a.tsv": [
        *(
            r'''" '''
        ).split(),
        "\t", "id\ttext\n", "a\tb\n", "\"a\tb\"",
    ],
}  # fmt: skip


def passages(path: str, content: bytes) -> None:
    """Read *content*; what comes of it is what the index can hold and the models can read."""
    file = FoundFile(path, Path(path), Stamp(len(content), 0, 0, 0))
    try:
        documents = [
            *passages_of(
                reading_of(file, content, lone=False).documents, max_tokens=32, count_tokens=FakeEncoder().count_tokens
            )
        ]
    except Unreadable as error:
        told = str(error)
        assert told.strip()
        assert "\n" not in told
        assert "cannot be understood" not in told, "a library broke; the readers should have known"
        return
    lines = decode(content).text.count("\n") + 1
    for document in documents:
        (document.id + document.title).encode()
        for passage in document.passages:
            assert passage.text.strip()
            assert 1 <= passage.place.first <= passage.place.last <= lines
            assert len(passage.model_text.encode()) <= 32 * 400 + 1000


@pytest.mark.parametrize("path", PIECES)
def test_a_text_of_the_pieces_of_a_format_is_read_or_refused(path: str) -> None:
    pieces = st.sampled_from([*PIECES[path], *ANYWHERE])
    runs = st.builds(lambda piece, times: piece * times, pieces, st.sampled_from([1, 1, 1, 2, 3, 60]))

    @settings(max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=[*HealthCheck])
    @given(st.lists(runs, max_size=40).map("".join))
    def read_or_refuse(text: str) -> None:
        passages(path, text.encode())

    read_or_refuse()


@pytest.mark.parametrize("path", PIECES)
def test_any_bytes_are_read_or_refused(path: str) -> None:
    marks = st.sampled_from([b"", b"", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xff\xfe\0\0", b"+/v8", b"+2AAt-"])

    @settings(max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=[*HealthCheck])
    @given(marks, st.binary(max_size=300))
    def read_or_refuse(mark: bytes, content: bytes) -> None:
        passages(path, mark + content)

    read_or_refuse()
