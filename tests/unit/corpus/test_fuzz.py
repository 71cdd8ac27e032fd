"""Every reader and the splitter, on texts made of the pieces of its format: whatever they are, it reads or refuses.

`derandomize`: each run has the same examples. `tests/faults/fuzz.py` looks for new ones.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rerank_cli.corpus.passages import passages_of, reading_of
from rerank_cli.corpus.read import Unreadable, format_of
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
    "a.adoc": [
        *(
            r'''* _ ` # ^ ~ + { } [ ] < > << >> (( )) | : :: = == === ---- .... //// |=== ,=== ____ -- [source]
            [quote,a] [cols=3*] image::a[b] link:a[b] {a} :a: '''
        ).split(),
        "= ", "== ", "* ", ". ", "a:: ", "|a ", "2+|", "a\n--\n", "ifdef::a[]\n", "+\n", ".a\n", "footnote:[", "// ",
    ],
    "a.org": [
        *(
            r'''* / _ = ~ + | [[ ]] [ ] [fn:a] < > << @@ {{{ }}} :a: :END: :PROPERTIES: |-+-| #+begin_src
            #+end_src #+TITLE: \\ '''
        ).split(),
        "* ", "** TODO ", "- ", "1. ", "| a ", ": ", "# ", "#+begin_quote\n", "* COMMENT ", " :: ",
    ],
    "a.1": [
        *(
            r'''\ \f \( \[ \* \s \h' ' " \{ \} . .B .BR .TP .IP .nf .fi .TS .TE T{ T} .if .ie .el .de .. .UR .UE
            .Bl .It .El .Op Fl Ar Oo Oc Ns .Nm .Bd .Ed .SH '''
        ).split(),
        ".TH A 1\n", ".SH a\n", ".SS ", ".Dt A 1\n", ".Sh a\n", ".TP\n", ".ds a \\*a", "\t", ".It Fl ", ".so ",
    ],
    "a.pod": [
        *(
            r'''B< C<< >> > L< | / E< X< =head1 =item =over =back =cut =begin =end =pod =for '''
        ).split(),
        "=head1 a\n\n", "=item * ", "=item 1\n\n", "    ", "\n\n=", " >> ", "E<0x1F>", "E<99999999999>",
    ],
    "a.tex": [
        *(
            r'''\ { } [ ] $ $$ % & ~ \\ \( \) \[ \] \section{ \textbf{ \item \href{ \label{ \def\a \verb|a|
            \footnote{ \begin{tabular} \end{tabular} \begin{verbatim} \end{verbatim} \begin{itemize}
            \end{itemize} \' \hline '''
        ).split(),
        "\\begin{document}", "\\end{document}", "\\title{", "\\newcommand{", "---", "``", "\\begin{equation}",
    ],
    "a.textile": [
        *(
            r'''* _ @ - + ^ % ?? ! " ": | = == ( ) { } [ ] <pre> </pre> <b> . .. '''
        ).split(),
        "h1. ", "bc. ", "bc.. ", "bq. ", "fn1. ", "|_. a|", "# ", "** ", "table(a). ", "- a := ", "\":http://a",
    ],
    "a.wiki": [
        *(
            r"""' '' ''' [[ ]] [ ] {{ }} {| |} |- || ! !! | = == <ref> </ref> <nowiki> <pre> </pre> <br/> <!--
            --> &amp; &# * # : ; __TOC__ """
        ).split(),
        "== a ==\n", "* ", "# ", "{|\n", "|-\n", "| a\n", "! a\n", "[http://a ", "&#99999999999;", " a",
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
    "a.ipynb": [
        *(
            r'''{ } [ ] : , " {"cells":[ ]} "cell_type":"code" "cell_type":"markdown" "source":" "outputs":[ '''
        ).split(),
        '{"cells":[{"cell_type":"markdown","source":"', '"},{"cell_type":"code","source":"', '"}]}', "\\n# a\\n",
    ],
    "a.eml": [
        *(
            r''': ; = " < > @ =?utf-8?q? ?= =?x?b? -- --b --b-- > >> begin end '''
        ).split(),
        "Subject: ", "Date: ", "From a@b Sun Mar 01 23:30:00 2026\n", "Content-Type: multipart/mixed; boundary=b\n\n",
        "Content-Type: text/plain; charset=", "Content-Type: text/html\n\n", "Content-Type: message/rfc822\n\n",
        "Content-Transfer-Encoding: base64\n", "Content-Transfer-Encoding: quoted-printable\n", "format=flowed\n",
        "Content-Disposition: attachment; filename*0*=", "utf-8''%ff", "-----BEGIN PGP MESSAGE-----\n",
        "multipart/mixed",
    ],
    "a.mbox": [
        "From - Sun Mar 01 23:30:00 2026\n", "From \n", "Subject: a\n",
        "Message-ID: <a@b>\n", ">From ", "From a",
    ],
    "a.vtt": [
        *(
            r'''< > <v --> : . , - & {\\an8} <c> </c> NOTE STYLE >> '''
        ).split(),
        "WEBVTT\n", "00:01.000 --> 00:02.000\n", "99:99:99.999 --> 00:00:00,1 a\n", "<v Ann>", "A: ", " \n",
    ],
    "a.ics": [
        *(
            r''': ; , = \\ " \\n BEGIN: END: '''
        ).split(),
        "BEGIN:VCALENDAR\n", "BEGIN:VEVENT\n", "END:VEVENT\n", "SUMMARY:", "DTSTART:20260301T140000Z\n", "UID:a\n",
        "DESCRIPTION;ENCODING=QUOTED-PRINTABLE:=\n", "\n ", "DTEND;VALUE=DATE:20260301\n", "RRULE:FREQ=DAILY\n", "<br>",
    ],
    "a.vcf": ["BEGIN:VCARD\n", "END:VCARD\n", "FN:", "N:", ";", "ORG:a;b\n", "TEL:", "\n ", "UID:", "=\n", "BDAY:1980"],
    "a.xml": [
        *(
            r'''< > & ; = " ' / ! ? <a> </a> <b/> <![CDATA[ ]]> <!-- --> &amp; &nbsp; &#0; '''
        ).split(),
        "<!DOCTYPE article PUBLIC 'DocBook' '' [<!ENTITY e 'f'>]>", "<article>", "</article>", "<rss><item><title>",
        "&e;",
        "<section><title>a</title>", "</section>", "<opml><outline text='a'>", "</outline>", "<svg><text>", "</text>",
    ],
    "a.svg": [
        "<svg>", "</svg>", "<title>", "</title>", "<text x='1'>", "</text>", "<tspan>",
        "<mxfile>", "<diagram>", "7VpA",
    ],
    "a.excalidraw.md": [
        "---\n", "excalidraw-plugin: a\n", "# Text Elements\n", " ^abcd\n",
        "%%\n", "# Drawing\n", "```\n",
    ],
    "a.excalidraw": ['{"elements":[', '{"type":"text","text":"', '"}', ",", "]}", '"originalText":"', "\\n", "\\ud800"],
}  # fmt: skip


def passages(path: str, content: bytes) -> None:
    """Read *content*; what comes of it is what the index can hold and the models can read."""
    file = FoundFile(path, path, Stamp(len(content), 0, 0, 0))
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
    lines = 0 if format_of(path).binary else decode(content).text.count("\n") + 1
    for document in documents:
        (document.id + document.title).encode()
        for passage in document.passages:
            assert passage.text.strip()
            assert passage.place.first <= passage.place.last
            if passage.place.unit == "line":
                assert passage.place.first >= 1
                assert passage.place.last <= lines
            assert len(passage.model_text.encode()) <= 32 * 400 + 1000


@pytest.mark.parametrize("path", PIECES)
def test_a_text_of_the_pieces_of_a_format_is_read_or_refused(path: str) -> None:
    pieces = st.sampled_from([*PIECES[path], *ANYWHERE])
    runs = st.builds(lambda piece, times: piece * times, pieces, st.sampled_from([1, 1, 1, 2, 3, 60]))

    @settings(max_examples=100, derandomize=True, database=None, suppress_health_check=[*HealthCheck])
    @given(st.lists(runs, max_size=40).map("".join))
    def read_or_refuse(text: str) -> None:
        passages(path, text.encode())

    read_or_refuse()


@pytest.mark.parametrize("path", PIECES)
def test_any_bytes_are_read_or_refused(path: str) -> None:
    marks = st.sampled_from([b"", b"", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xff\xfe\0\0", b"+/v8", b"+2AAt-"])

    @settings(max_examples=40, derandomize=True, database=None, suppress_health_check=[*HealthCheck])
    @given(marks, st.binary(max_size=300))
    def read_or_refuse(mark: bytes, content: bytes) -> None:
        passages(path, mark + content)

    read_or_refuse()
