"""Files that were made to break what reads them, and a process of its own that indexes a folder of them.

    python hostile.py FOLDER INDEX FILE_TIMEOUT

It prints one line of JSON: what failed and why, the longest time that a file took, and the peak of its memory.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from rerank_cli.arrays import Vectors
from rerank_cli.indexing import IndexSettings, update_index
from rerank_cli.records import Progress, Rules
from rerank_cli.store import open_writer
from tests.fakes import FakeEncoder

Make = Callable[[int], bytes]


def repeated(text: str, *, after: str = "", before: str = "") -> Make:
    """*text* again and again, in so many bytes altogether, with something around it."""

    def make(size: int) -> bytes:
        room = size - len((after + before).encode())
        return (after + text * (room // len(text.encode())) + before).encode()

    return make


def numbered(text: str) -> Make:
    """*text* with N in it, which counts."""

    def make(size: int) -> bytes:
        return "".join(text.replace("N", str(n)) for n in range(size // len(text))).encode()[:size]

    return make


def deeper(text: str, indent: str = "  ") -> Make:
    """*text* on lines of which each stands deeper than the one above."""

    def make(size: int) -> bytes:
        lines = int((2 * size / len(indent)) ** 0.5) - len(text)
        return "".join(indent * n + text for n in range(lines)).encode()

    return make


def ticks(size: int) -> bytes:
    """Runs of back-ticks of which none is as long as another, so that none is closed."""
    return b" ".join(b"`" * n for n in range(1, int((2 * size) ** 0.5) - 1))


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size).replace(b"\0", b"\x80")


def western(size: int) -> bytes:
    """Latin letters, now and then one that is not valid UTF-8."""
    return bytes(random.Random(size).choices(b"abcdefghij \n\xe4\xf6\xfc", k=size))


def wide_table(size: int) -> bytes:
    """A header of many columns above many rows of one cell, each of which is to be filled up."""
    columns = int((size / 8) ** 0.5)
    return ("|a" * columns + "|\n" + "|-" * columns + "|\n" + "|b\n" * (size // 6)).encode()


def substitution_chain(size: int) -> bytes:
    """Each stands for the next, twice."""
    return "".join(f".. |a{n}| replace:: |a{n + 1}||a{n + 1}|\n" for n in range(size // 45)).encode()


def names_of_names(size: int) -> bytes:
    """Each stands for nine of the one before."""
    count = size // 80
    names = "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 9}'>" for n in range(1, count))
    return f"<!DOCTYPE a [<!ENTITY a0 'a'>{names}]><a>&a{count - 1};</a>".encode()


HOSTILE: dict[str, Make] = {
    # Markdown
    "brackets.md": repeated("["),
    "images.md": repeated("!["),
    "dot-brackets.md": repeated("[", after="."),
    "stars.md": repeated("*a"),
    "emphasis.md": repeated("*a_ "),
    "underscores.md": repeated("_a "),
    "strikes.md": repeated("~~a "),
    "ticks.md": ticks,
    "cdata.md": repeated("a <![CDATA["),
    "comments.md": repeated("a <!-- "),
    "quotes.md": repeated(">"),
    "deep-quotes.md": repeated("> " * 199 + "a\n"),
    "deep-lists.md": deeper("- a\n"),
    "lists.md": repeated("- a\n"),
    "columns.md": lambda size: ("|a" * (size // 6) + "|\n" + "|-" * (size // 6) + "|\n" + "|b" * (size // 6)).encode(),
    "wide-table.md": wide_table,
    "references.md": numbered("[aN]: b\n"),
    "reference-titles.md": repeated('[a]: b "'),
    "links.md": repeated("[a]("),
    "entities.md": repeated("&#1"),
    "html-blocks.md": repeated("<div>\n\n"),
    "paragraphs.md": repeated("a\n\n"),
    "headings.md": repeated("# a\n"),
    "long-heading.md": lambda size: b"# " + b"a " * (size // 4) + b"\n" + b"## b\n\nc\n\n" * (size // 20),
    "front-matter.md": repeated("a: *a\n", after="---\na: &a [x, x]\n"),
    "fences.md": repeated("```\n"),
    "wiki-links.md": repeated("[[a"),
    "templates.md": repeated("{{< a "),
    "comments-unended.md": repeated("%%\n\n"),
    "directives.md": repeated("```{note}\n"),
    "colon-directives.md": repeated(":::{note}\na\n"),
    "shortcodes.md": repeated("{{< a\n"),
    "roles.md": repeated("{a}`"),
    "template.html": repeated("{{ a ", after="{% if a %}"),
    "remarks.html": repeated("{{/* a }}", after="{% if a %}"),
    "drawings.css": repeated('"data:image/svg+xml,a\n'),
    "labels.dot": repeated('a -> "b [label=', after="digraph {\n"),
    "highlights.md": repeated("==a "),
    "footnotes.md": repeated("[^a]: b\n"),
    "imports.md": repeated("import a\n"),
    "closed-front-matter.md": repeated("a: b\n", after="---\n", before="---\n"),
    "json-front-matter.md": repeated('{"a":'),
    # HTML
    "divs.html": repeated("<div>a"),
    "cells.html": repeated("<td>a"),
    "end-tags.html": lambda size: b"<nav>" * (size // 12) + b"</svg>" * (size // 12),
    "attributes.html": repeated('a="b" ', after="<p ", before=">brake"),
    "attribute.html": repeated("b", after='<p a="', before='">brake'),
    "quotes.html": repeated('<p a="'),
    "tags.html": repeated("<a "),
    "comment.html": repeated("a", after="<!--"),
    "comments.html": repeated("<!-- "),
    "cdata.html": repeated("<![CDATA["),
    "sections.html": repeated("<![0]"),
    "digits.html": repeated("1", after="<p>&#"),
    "zeros.html": repeated("0", after="<p>&#", before="65;"),
    "entity.html": repeated("a", after="&"),
    "scripts.html": repeated("</scrip ", after="<script>"),
    "headings.html": repeated("<h1>a<h2>b<h3>c"),
    "hidden.html": repeated("<div hidden>a"),
    "links.html": repeated('<a href="b">a'),
    "italics.html": lambda size: b"<b><div>" + b"<i>" * (size // 7) + b"</b>" * (size // 7),
    "nested-tables.html": repeated("<table><tr><td>a<tr><td>"),
    "table-cells.html": repeated("<td>a", after="<table><tr><td>a<tr>"),
    "blank-lines.html": repeated("\n", after="<pre>", before="a</pre>"),
    # other markup with headings
    "delimiters.adoc": repeated("----\n|===\n"),
    "cells.adoc": repeated("99*|a ", after="|===\n"),
    "marks.adoc": repeated("*a _b `c "),
    "macros.adoc": repeated("a:b["),
    "blocks.org": repeated("#+begin_src\n:PROPERTIES:\n"),
    "links.org": repeated("[[a]["),
    "definitions.1": repeated(".de a\n.TS\n", after=".SH a\n"),
    "strings.1": repeated(".ds a \\*a\\*a\n\\*a\n", after=".SH a\n"),
    "codes.pod": repeated("B<C<< ", after="=pod\n\n"),
    "groups.tex": repeated("\\section{"),
    "formulas.tex": repeated("\\(a $b "),
    "tables.tex": repeated("\\begin{tabular}{l}a&"),
    "links.textile": repeated('"a":!b'),
    "comments.wiki": repeated("<!--[[{{<ref>"),
    "titles.txt": repeated("a\n\nab\n--\n"),
    "csv-quotes.rst": repeated('   "a\n', after=".. csv-table::\n\n"),
    "cells.rst": repeated("+-+-+\n|a|b|\n"),
    # reStructuredText
    "styles.rst": repeated("".join(f"a\n{sign * 4}\n" for sign in "=-`:.'\"~^_*+#<>!$%&(),/;?@[]{|}")),
    "deep-quotes.rst": deeper("a\n\n", " "),
    "quotes.rst": lambda size: b"".join(b" " * (49 - n % 50) + b"a\n\n" for n in range(size // 28)),
    "substitutions.rst": numbered(".. |aN| replace:: |a0||aN||b|\n"),
    "substitution-chain.rst": substitution_chain,
    "grid.rst": repeated("+-+\n| |\n"),
    "deep-directives.rst": deeper(".. note::\n\n", "   "),
    "hyphens.rst": repeated("a-"),
    "marks.rst": repeated("**a ``a `a |a "),
    "items.rst": repeated("- a\n\n  b\n\n"),
    # Code
    "one-line.js": repeated("a=(b)=>{c};"),
    "brackets.py": repeated("(\n"),
    "indents.py": deeper("class a:\n", " "),
    "parentheses.c": lambda size: (("a " * 5 + "b(" + "\t )" * 120 + "\n") * (size // 373)).encode(),
    "nested.json": lambda size: b"[" * size,
    # Plain text, encodings
    "one-word.txt": repeated("a"),
    "hundreds.txt": repeated("a" * 99 + " "),
    "words.txt": repeated("a "),
    "lines.txt": repeated("a\n"),
    "newlines.txt": repeated("\n", before="a"),
    "blanks.txt": repeated(" ", after="a", before="b"),
    "blank-lines.txt": repeated(" \n", after="a\n"),
    "signs.txt": repeated("!?"),
    "sentences.txt": repeated("? A"),
    "marks.txt": repeated("\u0301", after="a"),
    "right-to-left.txt": repeated("a\u202e "),
    "controls.txt": repeated("\x01\x1f"),
    "families.txt": repeated("👨\u200d👩\u200d"),
    "ideographs.txt": repeated("漢"),
    "marks-of-order.txt": repeated("\ufeff"),
    "returns.txt": repeated("\r"),
    "late-nul.txt": repeated("\0 brake ", after="a " * 5000),
    "noise.txt": noise,
    "western.txt": western,
    "no-utf8.txt": lambda size: b"good text here\n" * (size // 15) + b"\xff",
    "half-utf8.txt": lambda size: b"\xc3\xbc" * (size // 4) + b"\xff a" * (size // 6),
    "declarations.txt": lambda size: b"<meta charset" * (size // 13) + b"\xff",
    "utf16-odd.txt": lambda size: b"\xff\xfe" + b"a\0 \0" * (size // 4) + b"a",
    "utf16-halves.txt": lambda size: b"\xff\xfe" + b"\x00\xd8" * (size // 2),
    "utf32.txt": lambda size: b"\xff\xfe\0\0" + noise(size),
    # Records
    "one-text.jsonl": repeated("a", after='{"text":"', before='"}'),
    "nested.jsonl": repeated("[", after='{"text":'),
    "nested-closed.jsonl": lambda size: b'{"text":"a","b":' + b"[" * (size // 2) + b"]" * (size // 2) + b"}",
    "digits.jsonl": repeated("1", after='{"text":', before="}"),
    "numbers.jsonl": repeated('{"id":NaN,"text":1e999}\n'),
    "empty.jsonl": repeated("{}\n"),
    "tiny.jsonl": repeated('{"text":"a"}\n'),
    "keys.jsonl": lambda size: ("{" + ",".join(f'"k{n}":"v"' for n in range(size // 15)) + "}").encode(),
    "halves.jsonl": repeated("\\ud800", after='{"text":"', before='"}'),
    "titles.jsonl": repeated('{"title":"' + "a " * 2000 + '","text":"' + "b\\n\\n" * 2000 + '"}\n'),
    "columns.csv": repeated("a,"),
    "cells.csv": lambda size: b"a," * (size // 4) + b"\n" + b"b," * (size // 4) + b"\n",
    "rows.csv": repeated("a\n", after="text\n"),
    "one-cell.csv": repeated("a\n", after='text\n"', before='"\n'),
    "unclosed.csv": repeated("a\n", after='text\n"'),
    "quotes.csv": repeated('"', after="text\n"),
    "short-rows.csv": lambda size: (",".join(f"c{n}" for n in range(size // 20)) + "\n" + "x\n" * (size // 4)).encode(),
    "broken-quotes.csv": repeated('"x""\n', after="a,b\n"),
    "backslashes.csv": repeated('"\\"\n', after="a,b\n"),
    "objects.jsonl": repeated('{"a":1}'),
    "quotes.tsv": repeated('"\n', after="a\tb\n"),
    # Notebooks, mail, subtitles, calendars
    "cells.ipynb": repeated('{"cell_type":"markdown","source":"# a"},', after='{"cells":[', before="{}]}"),
    "nested.ipynb": repeated("[", after='{"cells":'),
    "outputs.ipynb": repeated("a\\r", after='{"cells":[{"cell_type":"code","source":"', before='"}]}'),
    "nested.eml": numbered("Content-Type: multipart/mixed; boundary=bN\n\n--bN\n"),
    "forwarded.eml": repeated("Content-Type: message/rfc822\n\n"),
    "parts.eml": repeated("--b\n", after="Content-Type: multipart/mixed; boundary=b\n\n"),
    "words.eml": repeated("=?utf-8?q?a", after="Subject: "),
    "parameters.eml": repeated('a="', after="Content-Type: text/plain; "),
    "messages.mbox": repeated("From - Sun Mar 01 23:30:00 2026\nA: b\n\n"),
    "cues.srt": repeated("00:00:01,000 --> 00:00:02,000\na\n"),
    "events.ics": repeated("BEGIN:VEVENT\n", after="BEGIN:VCALENDAR\n"),
    # XML and drawings
    "elements.xml": repeated("<a>"),
    "sections.xml": repeated("<section><title>a</title>", after="<article>"),
    "attribute.xml": repeated("a", after="<a b='"),
    "laughs.xml": names_of_names,
    "outlines.opml": repeated("<outline text='a'>", after="<opml>"),
    "items.rss": repeated("<item><title>a</title><description>&lt;b>", after="<rss>"),
    "texts.svg": repeated("<text>a", after="<svg>"),
}  # fmt: skip

GOOD = {
    "good/brakes.md": "# Brakes\n\nBleed the caliper of the bicycle.\n",
    "good/hens.txt": "The hens are fed at seven.\n",
    "good/boat.html": "<h1>Boat</h1><p>Rinse the outboard with fresh water.</p>",
    "good/notes.jsonl": '{"id": "gas", "text": "Shut the valve and open the windows."}\n',
    "zebra.rst": "Zebra\n=====\n\nIt has stripes.\n",
}
"""What must be found whatever lies beside it; some of it sorted before what is hostile, some after."""


class QuickEncoder(FakeEncoder):
    """Reads the beginning of a passage only: there are many."""

    def _vector(self, text: str) -> Vectors:
        return super()._vector(text[:100])


def own_peak_kb() -> int:
    """The most memory that this process had; `getrusage` counts the process that it was forked from as well."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (peak,) = (line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(peak)


def main() -> None:
    folder, index, file_timeout = sys.argv[1:]
    steps: list[tuple[str, float]] = []

    def listen(progress: Progress) -> None:
        if not steps or steps[-1][0] in ("compare", "read"):  # up to the first step behind the reading
            steps.append((progress.stage, time.monotonic()))

    with open_writer(Path(index), wait_s=0) as writer:
        summary = update_index(
            Path(folder),
            writer=writer,
            encoder=QuickEncoder(),
            settings=IndexSettings("fake", passage_tokens=180, rules=Rules(), file_timeout_s=float(file_timeout)),
            listener=listen,
        )
    usage = [own_peak_kb(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]
    print(
        json.dumps(
            {
                "failed": {file.path: file.reason for file in summary.failed},
                "longest_s": max(after[1] - before[1] for before, after in pairwise(steps)),
                "peak_mb": [round(kb / 1024) for kb in usage],
                "passages": summary.passages,
                "elapsed_s": round(summary.elapsed_s, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
