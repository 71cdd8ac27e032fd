"""The formats that are read: which reader each file goes to by its name. A reader is loaded when it is first used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import PurePosixPath
from typing import cast

from rerank_cli.corpus.read.errors import Unreadable
from rerank_cli.records import Reading

Read = Callable[[str, str], Reading] | Callable[[bytes, str], Reading]


@dataclass(frozen=True, slots=True)
class Format:
    """How files of a kind are read: by the function `read` of the module called `reader`, beside this one.

    It is given the text of a file, or its bytes where the format is `binary`, and the path. Raise `version` whenever it
    makes another document of the same file: then files of this format are read again, and no others.

    `records` tells a file of several documents, which carry ids of their own, from one that is a document. `named`
    tells one whose title, if it has none, is its whole name. `libraries` come with the extra `extra` of the package.
    """

    name: str
    version: int
    reader: str
    function: str = "read"
    binary: bool = False
    records: bool = False
    named: bool = False
    libraries: tuple[str, ...] = ()
    extra: str = ""

    @property
    def reading(self) -> str:
        """What tells one way to read from another: it is kept with each file."""
        return f"{self.name} {self.version}"

    @property
    def readable(self) -> bool:
        """Whether the libraries are here that it takes."""
        return all(find_spec(library) for library in self.libraries)

    def read_text(self, text: str, path: str) -> Reading:
        """What *text* holds. Raises Unreadable."""
        return cast(Callable[[str, str], Reading], self._load())(text, path)

    def read_bytes(self, content: bytes, path: str) -> Reading:
        """What *content* holds. Raises Unreadable, also where libraries are missing."""
        if not self.readable:
            raise Unreadable(f"needs the extra {self.extra}: pip install 'rerank-cli[{self.extra}]'")
        return cast(Callable[[bytes, str], Reading], self._load())(content, path)

    def _load(self) -> Read:
        module = import_module(f"{__package__}.{self.reader}")
        return cast(Read, getattr(module, self.function))


TEXT = Format("text", 1, "text")

_CODE = Format("code", 1, "code", named=True)

# Of one file, the format that its longest ending names; what is not here is read as text.
FORMATS: dict[str, Format] = {
    **dict.fromkeys((".md", ".markdown", ".mdown", ".mkd", ".mdx"), Format("markdown", 2, "markdown")),
    **dict.fromkeys((".rst", ".rest"), Format("rst", 1, "rst")),
    **dict.fromkeys((".html", ".htm", ".xhtml"), Format("html", 2, "html")),
    **dict.fromkeys((".jsonl", ".ndjson"), Format("jsonl", 2, "rows", "read_jsonl", records=True)),
    ".csv": Format("csv", 2, "rows", "read_csv", records=True),
    ".tsv": Format("tsv", 2, "rows", "read_tsv", records=True),
    **dict.fromkeys(
        (
            *(".py", ".pyi", ".pyx", ".rb", ".pl", ".pm", ".php", ".lua", ".r", ".jl", ".ex", ".exs", ".erl"),
            *(".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".tsx", ".vue", ".svelte", ".css", ".scss", ".less"),
            *(".c", ".h", ".cc", ".cpp", ".cxx", ".hh", ".hpp", ".cu", ".m", ".mm", ".rs", ".go", ".zig", ".swift"),
            *(".java", ".kt", ".kts", ".scala", ".groovy", ".gradle", ".cs", ".fs", ".vb", ".dart", ".clj", ".hs"),
            *(".sh", ".bash", ".zsh", ".fish", ".ps1", ".bat", ".cmd", ".awk", ".sql", ".graphql", ".proto"),
            *(".toml", ".yaml", ".yml", ".json", ".ini", ".cfg", ".conf", ".properties", ".xml", ".tf", ".cmake"),
        ),
        _CODE,
    ),
}


def format_of(path: str) -> Format:
    """The format of the file at *path*, by its name."""
    suffixes = [suffix.lower() for suffix in PurePosixPath(path).suffixes[-2:]]
    endings = ("".join(suffixes), *suffixes[-1:])
    return next((FORMATS[ending] for ending in endings if ending in FORMATS), TEXT)
