"""Every setting, with its default, its kind, what it does, and the names of its flag and its variable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Literal

from rerank_cli.config.kinds import (
    BUDGET,
    CONVERTERS,
    LIMIT,
    LINK,
    MODEL,
    NAMES,
    PAGER,
    PATTERNS,
    SECONDS,
    SHARE,
    SIZE,
    STORE,
    SWITCH,
    TIME_LIMIT,
    TOKENIZER,
    Kind,
    one_of,
    or_word,
    whole,
)
from rerank_cli.records import (
    ENCODERS_OWN,
    FOUR_CHARACTERS,
    ContextOrder,
    ContextStyle,
    Fusion,
    Retriever,
    VectorSearch,
)

PREFIX = "RERANK_CLI_"

Device = Literal["cpu", "cuda", "mps"]
WorkersChoice = Literal["local", "ray"]
Format = Literal["auto", "table", "plain", "json", "jsonl", "tsv", "paths", "vimgrep", "trec", "context"]
Color = Literal["auto", "always", "never"]
Depth = int | Literal["auto"]

MOST_CANDIDATES = 100
"""Of a depth that is found out while candidates are read."""


def _about(kind: Kind, meaning: str, *, project: bool = False) -> dict[str, object]:
    """With *project*, a project file may set it: no value of it does harm in a folder that came from anybody.

    That is what the folder's documents are and how they are ordered. How much a run may take or pass over, where it
    runs and what its caller reads are the user's to say.
    """
    return {"kind": kind, "help": meaning, "project": project}


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting, with its default.

    A model is a built-in name, a hub id, the absolute path of a folder or the address of an endpoint. `max_file_size`
    counts bytes.
    """

    encoder: str = field(
        default="all-MiniLM-L6-v2",
        metadata=_about(MODEL, "Bi-encoder of the first stage.", project=True),
    )
    reranker: str = field(
        default="rerank-minilm-l6",
        metadata=_about(MODEL, "Cross-encoder of the second stage.", project=True),
    )
    device: Device = field(
        default="cpu",
        metadata=_about(one_of(Device), "Where the models run."),
    )
    remote_timeout: float = field(
        default=30.0,
        metadata=_about(TIME_LIMIT, "Seconds that a request to a remote model may take."),
    )
    passage_tokens: int = field(
        default=180,
        metadata=_about(whole(32, 2000), "Longest passage, in the encoder's tokens.", project=True),
    )
    include: tuple[str, ...] = field(
        default=(),
        metadata=_about(PATTERNS, "Index only files that match one of these gitignore patterns.", project=True),
    )
    exclude: tuple[str, ...] = field(
        default=(),
        metadata=_about(PATTERNS, "Leave out files that match one of these gitignore patterns.", project=True),
    )
    hidden: bool = field(
        default=False,
        metadata=_about(SWITCH, "Index files and folders whose names begin with a dot.", project=True),
    )
    ignore_files: bool = field(
        default=True,
        metadata=_about(SWITCH, "Follow .gitignore and .rerankignore.", project=True),
    )
    max_file_size: int = field(
        default=10_000_000,
        metadata=_about(SIZE, "Leave out text files larger than this, and PDF and office files of ten times as much."),
    )
    file_timeout: float = field(
        default=30.0,
        metadata=_about(TIME_LIMIT, "Seconds of processor time that reading a file may take, for each 10 MB of it."),
    )
    converter: tuple[str, ...] = field(
        default=(),
        metadata=_about(CONVERTERS, "Read files by what a command prints of them, as in '.doc=antiword {}'."),
    )
    vectors: VectorSearch = field(
        default="auto",
        metadata=_about(
            one_of(VectorSearch),
            "Search of vectors: by a scan (exact), an HNSW graph (hnsw) or what serves better (auto).",
            project=True,
        ),
    )
    store: str = field(
        default="",
        metadata=_about(STORE, "Where a new index is kept, if not on this disk."),
    )
    workers: WorkersChoice = field(
        default="local",
        metadata=_about(
            one_of(WorkersChoice),
            "What reads and encodes for an index: this process (local) or workers of Ray (ray).",
        ),
    )
    indexes: tuple[str, ...] = field(
        default=(),
        metadata=_about(NAMES, "Index by name, or by path if it holds a slash; several are searched together."),
    )
    retriever: Retriever = field(
        default="hybrid",
        metadata=_about(
            one_of(Retriever), "First stage: by meaning (dense), by words (lexical) or both (hybrid).", project=True
        ),
    )
    top_k: Depth = field(
        default=100,
        metadata=_about(
            or_word(whole(1, 1000), "auto"),
            "Candidates that are reranked; auto stops where the rest can hardly enter the hits.",
            project=True,
        ),
    )
    rerank: bool = field(
        default=True,
        metadata=_about(SWITCH, "Run the second stage.", project=True),
    )
    fusion: Fusion = field(
        default="linear",
        metadata=_about(
            one_of(Fusion),
            "Final order: both stages' scores (linear) or ranks (rrf), or the second's alone (none).",
            project=True,
        ),
    )
    fusion_weight: float = field(
        default=0.65,
        metadata=_about(SHARE, "The second stage's share in a fused order.", project=True),
    )
    warm: bool = field(
        default=False,
        metadata=_about(
            SWITCH, "Start a server that keeps models loaded for the next query. One that is there is asked."
        ),
    )
    fresh: bool = field(
        default=False,
        metadata=_about(SWITCH, "Bring the index up to date before a search, as far as --fresh-budget allows."),
    )
    fresh_budget: float = field(
        default=5.0,
        metadata=_about(SECONDS, "Seconds that a search waits for a --fresh index at most."),
    )
    budget: float | None = field(
        default=None,
        metadata=_about(BUDGET, "Time that a search may take: the best candidates are reranked until it is out."),
    )
    top_n: int = field(
        default=10,
        metadata=_about(whole(1), "Hits to show.", project=True),
    )
    per_document: int = field(
        default=1,
        metadata=_about(whole(1), "Hits to show of one document at most.", project=True),
    )
    min_score: float | None = field(
        default=None,
        metadata=_about(LIMIT, "Show no hit that the reranker itself scores below this.", project=True),
    )
    format: Format = field(
        default="auto",
        metadata=_about(one_of(Format), "Output; auto is a table on a terminal and plain in a pipe."),
    )
    link: str = field(
        default="file",
        metadata=_about(
            LINK, "What opens where a place in a table is clicked on, such as vscode://file/{path}:{line}."
        ),
    )
    color: Color = field(
        default="auto",
        metadata=_about(one_of(Color), "Colours in a table; auto is on a terminal, and as NO_COLOR and the like say."),
    )
    pager: str = field(
        default="auto",
        metadata=_about(PAGER, "What shows an answer longer than the terminal; auto is $PAGER, or less without one."),
    )
    max_tokens: int = field(
        default=2000,
        metadata=_about(whole(100), "Tokens that a context for a model may take, all of it counted."),
    )
    tokenizer: str = field(
        default=ENCODERS_OWN,
        metadata=_about(TOKENIZER, "What counts the tokens of a context."),
    )
    context_style: ContextStyle = field(
        default="markdown",
        metadata=_about(one_of(ContextStyle), "The form of a context."),
    )
    order: ContextOrder = field(
        default="best-first",
        metadata=_about(one_of(ContextOrder), "The order in a context: the best first, or the best at both edges."),
    )
    strict: bool = field(
        default=False,
        metadata=_about(SWITCH, "End with code 5 if a file could not be read or is damaged."),
    )
    max_shrink: float = field(
        default=0.5,
        metadata=_about(SHARE, "Share of the documents that one run may remove, where more than ten go."),
    )
    allow_shrink: bool = field(
        default=False,
        metadata=_about(SWITCH, "Remove what is missing, however much it is."),
    )
    wait_s: float = field(
        default=60.0,
        metadata=_about(SECONDS, "Seconds to wait for another writer."),
    )

    @property
    def candidates(self) -> int:
        """How many candidates there are at most."""
        return MOST_CANDIDATES if self.top_k == "auto" else self.top_k


MODEL_KEYS = frozenset({"encoder", "reranker"})

FILE_KEYS = MODEL_KEYS | {"tokenizer"}
"""What may name a file or a folder."""

TOKENIZER_WORDS = frozenset({ENCODERS_OWN, FOUR_CHARACTERS})
"""What is the name of no file, whatever lies here."""

PROJECT_KEYS = frozenset(each.name for each in fields(Settings) if each.metadata["project"])
"""What a project file may set; of models, built-in ones and those that lie in its folder."""

BUILT_IN: Mapping[str, str] = {each.name: str(each.default) for each in fields(Settings) if each.name in MODEL_KEYS}
KINDS: Mapping[str, Kind] = {each.name: each.metadata["kind"] for each in fields(Settings)}

HELP: Mapping[str, str] = {each.name: each.metadata["help"] for each in fields(Settings)}
"""What each key does, in one line; its order is the order of the keys wherever they are listed."""


def flag_of(key: str) -> str:
    """The flag that sets *key*."""
    return f"--{key.replace('_', '-')}"


def variable_of(key: str) -> str:
    """The environment variable that sets *key*, or that stands for a flag of that name."""
    return f"{PREFIX}{key.upper()}"


def key_variable(model_key: str) -> str:
    """The variable that holds the key of the remote model under *model_key*: a secret is no setting that is printed."""
    return variable_of(f"{model_key}_key")


STORE_TOKEN_VARIABLE = variable_of("store_token")
"""The variable that holds the token of a store, which is no setting for the same reason."""

SERVE_TOKEN_VARIABLE = variable_of("serve_token")
"""The variable that holds what clients of `serve` must know."""

SECRET_VARIABLES = frozenset(map(key_variable, MODEL_KEYS)) | {STORE_TOKEN_VARIABLE, SERVE_TOKEN_VARIABLE}
