"""The formats that are read: which reader each file goes to by its name. A reader is loaded when it is first used."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple, cast

from rerank_cli.corpus.read.code_tree import GRAMMARS, LIBRARY
from rerank_cli.records import Reading


class Format(NamedTuple):
    """How files of a kind are read: by the function `read` of the module called `reader`, beside this one.

    It is given the text of a file, or its bytes where the format is `binary`, and the path. Raise `version` whenever it
    makes another document of the same file: then files of this format are read again, and no others.

    `records` tells a file of several documents, which carry ids of their own, from one that is a document. `named`
    tells one whose title, if it has none, is its whole name.
    What a `command` of the user's prints is read in the place of the file.
    `bare` is a function that reads a file without what is attached to it, where `function` takes too long.
    `page` tells one whose files repeat what stands on every page of a site.
    `aid` is a library that the reader does without, and makes other documents with.

    A file that is packed has the format `inner` once it is unpacked.
    """

    name: str
    version: int
    reader: str
    function: str = "read"
    binary: bool = False
    records: bool = False
    named: bool = False
    command: str = ""
    bare: str = ""
    page: bool = False
    aid: str = ""
    inner: Format | None = None

    @property
    def reading(self) -> str:
        """What tells one way to read from another: it is kept with each file."""
        aid = f"+{self.aid}" if self.aid and _is_here(self.aid) else ""
        inner = f", {self.inner.reading}" if self.inner else ""
        return f"{self.name} {self.version}{aid}{inner} {self.command}".rstrip()

    def read_text(self, text: str, path: str) -> Reading:
        """What *text* holds. Raises Unreadable."""
        return cast(Callable[[str, str], Reading], self._load())(text, path)

    def read_bytes(self, content: bytes, path: str) -> Reading:
        """What *content* holds. Raises Unreadable."""
        return cast(Callable[[bytes, str], Reading], self._load())(content, path)

    def unpack(self, content: bytes, *, is_text: bool) -> tuple[bytes, str]:
        """What a file that is packed holds, and a note if that is not all. Raises Unreadable."""
        return cast(Callable[[bytes, bool], tuple[bytes, str]], self._load())(content, is_text)

    def _load(self) -> object:
        return getattr(import_module(f"{__package__}.{self.reader}"), self.function)


@cache
def _is_here(library: str) -> bool:
    return find_spec(library) is not None


TEXT = Format("text", 3, "plain")

_CODE = Format("code", 3, "code", named=True)

# Of one file, the format that its longest ending names; what is not here is read as text.
FORMATS: dict[str, Format] = {
    **dict.fromkeys((".md", ".markdown", ".mdown", ".mkd", ".mdx"), Format("markdown", 4, "markdown")),
    **dict.fromkeys((".rst", ".rest", ".rst.txt", ".rest.txt"), Format("rst", 3, "rst")),
    **dict.fromkeys((".adoc", ".asciidoc", ".asc"), Format("asciidoc", 2, "asciidoc")),
    ".org": Format("org", 2, "org"),
    **dict.fromkeys(
        (
            *(".man", ".roff", ".mdoc", ".ms", ".1", ".2", ".3", ".4", ".5", ".6", ".7", ".8", ".9", ".n"),
            *(".1p", ".3p", ".7p", ".8p", ".1m", ".3m", ".1x", ".3x", ".3pm", ".1ssl", ".3ssl", ".5ssl", ".7ssl"),
            *(".3tcl", ".3qt", ".3gl", ".3perl", ".1posix", ".3posix", ".3am", ".5x", ".7x", ".8x"),
        ),
        Format("man", 1, "man"),
    ),
    ".pod": Format("pod", 2, "pod"),
    **dict.fromkeys((".tex", ".ltx", ".latex"), Format("latex", 2, "latex")),
    ".textile": Format("textile", 1, "textile"),
    **dict.fromkeys((".mediawiki", ".wiki"), Format("mediawiki", 2, "mediawiki")),
    **dict.fromkeys((".html", ".htm", ".xhtml"), Format("html", 4, "html", page=True)),
    **dict.fromkeys((".jsonl", ".ndjson"), Format("jsonl", 3, "rows", "read_jsonl", records=True)),
    **dict.fromkeys((".docx", ".docm", ".dotx", ".dotm"), Format("docx", 3, "docx", binary=True)),
    **dict.fromkeys((".pptx", ".pptm", ".ppsx", ".ppsm", ".potx", ".potm"), Format("pptx", 3, "pptx", binary=True)),
    **dict.fromkeys((".xlsx", ".xlsm", ".xltx", ".xltm"), Format("xlsx", 3, "xlsx", binary=True)),
    **dict.fromkeys((".odt", ".ott"), Format("odt", 3, "odt", binary=True)),
    **dict.fromkeys((".odp", ".otp"), Format("odp", 3, "odp", binary=True)),
    **dict.fromkeys((".ods", ".ots"), Format("ods", 3, "ods", binary=True)),
    ".rtf": Format("rtf", 2, "rtf", binary=True),
    ".epub": Format("epub", 3, "epub", binary=True),
    ".ipynb": Format("notebook", 3, "notebook"),
    **dict.fromkeys(
        (
            *(".xml", ".dbk", ".docbook", ".nxml", ".tei", ".dita"),
            *(".rss", ".atom", ".opml", ".svg", ".drawio"),
        ),
        Format("xml", 3, "xml", named=True),
    ),
    **dict.fromkeys(
        (".mmd", ".mermaid", ".puml", ".plantuml", ".iuml", ".dot", ".gv"), Format("diagram", 1, "diagrams", named=True)
    ),
    ".excalidraw": Format("excalidraw", 1, "drawings", "read_excalidraw"),
    ".excalidraw.md": Format("excalidraw note", 3, "drawings", "read_excalidraw_note"),
    **dict.fromkeys((".srt", ".vtt"), Format("subtitles", 1, "subtitles")),
    **dict.fromkeys((".ics", ".ical", ".ifb"), Format("calendar", 3, "icalendar", "read_calendar", records=True)),
    **dict.fromkeys((".vcf", ".vcard"), Format("cards", 3, "icalendar", "read_cards", records=True)),
    ".eml": Format("mail", 4, "mail", "read_eml", binary=True, bare="read_eml_alone"),
    ".emlx": Format("emlx", 4, "mail", "read_emlx", binary=True, bare="read_emlx_alone"),
    **dict.fromkeys(
        (".mbox", ".mbx"), Format("mbox", 4, "mail", "read_mbox", binary=True, records=True, bare="read_mbox_alone")
    ),
    ".csv": Format("csv", 3, "rows", "read_csv", records=True),
    ".tsv": Format("tsv", 3, "rows", "read_tsv", records=True),
    ".pdf": Format("pdf", 11, "pdf", binary=True),
    **dict.fromkeys(
        (
            *(".py", ".pyi", ".pyx", ".rb", ".pl", ".pm", ".php", ".lua", ".r", ".jl", ".ex", ".exs", ".erl"),
            *(".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".tsx", ".vue", ".svelte", ".css", ".scss", ".less"),
            *(".c", ".h", ".cc", ".cpp", ".cxx", ".hh", ".hpp", ".cu", ".m", ".mm", ".rs", ".go", ".zig", ".swift"),
            *(".java", ".kt", ".kts", ".scala", ".groovy", ".gradle", ".cs", ".fs", ".vb", ".dart", ".clj", ".hs"),
            *(".sh", ".bash", ".zsh", ".fish", ".ps1", ".bat", ".cmd", ".awk", ".sql", ".graphql", ".proto"),
            *(
                ".toml",
                ".yaml",
                ".yml",
                ".json",
                ".ini",
                ".cfg",
                ".conf",
                ".properties",
                ".xsl",
                ".xslt",
                ".xsd",
                ".tf",
                ".cmake",
            ),
        ),
        _CODE,
    ),
    **dict.fromkeys(GRAMMARS, _CODE._replace(aid=LIBRARY)),
}


# Files of one packed file each. What is in it is known by the name without the ending.
PACKED: dict[str, Format] = {
    **dict.fromkeys((".gz", ".tgz"), Format("gzip", 2, "packed", "gunzip", binary=True)),
    **dict.fromkeys((".bz2", ".tbz2"), Format("bzip2", 2, "packed", "bunzip2", binary=True)),
    **dict.fromkeys((".xz", ".txz", ".lzma"), Format("xz", 2, "packed", "unxz", binary=True)),
}


def format_of(path: str, converters: Collection[str] = ()) -> Format:
    """The format of the file at *path*, by its name; *converters*, each `.ext=command {}`, go first."""
    for converter in converters:
        ending, _, command = converter.partition("=")
        if path.lower().endswith(ending.strip().lower()):
            return Format("converted", 3, "converted", command=command.strip())
    ending, longer = _endings(path)
    if ending not in PACKED:
        return FORMATS.get(longer) or FORMATS.get(ending, TEXT)
    ending_within, longer_within = _endings(unpacked_name(path))
    inner = FORMATS.get(longer_within) or FORMATS.get(ending_within, TEXT)
    return PACKED[ending]._replace(inner=inner, records=inner.records, named=inner.named)


def unpacked_name(path: str) -> str:
    """What the packed file at *path* holds: `page.html` of `page.html.gz`."""
    return path[: path.rindex(".")]


def _endings(path: str) -> tuple[str, str]:
    """What the name at the end of *path* has from its last dot on, and from the last but one."""
    name = path[path.rfind("/") + 1 :].lower()
    last = name.rfind(".", 1)  # a dot at the beginning hides a file
    if last < 0:
        return "", ""
    longer = name.rfind(".", 1, last)
    return name[last:], name[longer:] if longer > 0 else ""
