"""Search a folder of documents in two stages.

README.md beside this file has the map of the rooms, from the bottom up; imports only go down.

Programs take what they need from here, such as `from rerank_cli import open_library`; it is loaded then and not before.
"""

__version__ = "0.1.0"

TYPE_CHECKING = False  # typing has one too, and loading it takes longer than all of this
if TYPE_CHECKING:
    from rerank_cli.arrays import Vectors
    from rerank_cli.config import Settings
    from rerank_cli.context import Context
    from rerank_cli.errors import (
        Busy,
        ConfigError,
        FilesSkipped,
        IndexDamaged,
        IndexMismatch,
        IndexMissing,
        InputError,
        ModelError,
        ModelNotFetched,
        RerankError,
        TooMuchGone,
        UnusableIndex,
        UsageError,
    )
    from rerank_cli.evaluation.conclusions.evaluation import Evaluation
    from rerank_cli.evaluation.inputs.collection import Collection, JudgedQuery
    from rerank_cli.excerpts import Excerpt
    from rerank_cli.freshness import FileChanges
    from rerank_cli.indexing import IndexSummary
    from rerank_cli.library import Library, Reranked, RerankedFile, RerankedFiles, Status, open_library, read_settings
    from rerank_cli.ports import (
        Changes,
        Counts,
        Encoder,
        FieldRule,
        FileState,
        Filter,
        Index,
        IndexWriter,
        Manifest,
        NewFile,
        Origin,
        PairScores,
        PassageId,
        Ranking,
        Recipe,
        Reranker,
    )
    from rerank_cli.queries import Query
    from rerank_cli.records import (
        Candidate,
        Hit,
        Listed,
        Listener,
        Passage,
        Place,
        Progress,
        SkippedFile,
        SplitDocument,
        StoredPassage,
    )
    from rerank_cli.search import SearchResult, Timings
    from rerank_cli.stamps import Stamp

_HOMES = {
    "arrays": ("Vectors",),
    "config": ("Settings",),
    "context": ("Context",),
    "errors": (
        "Busy",
        "ConfigError",
        "FilesSkipped",
        "IndexDamaged",
        "IndexMismatch",
        "IndexMissing",
        "InputError",
        "ModelError",
        "ModelNotFetched",
        "RerankError",
        "TooMuchGone",
        "UnusableIndex",
        "UsageError",
    ),
    "evaluation.inputs.collection": ("Collection", "JudgedQuery"),
    "evaluation.conclusions.evaluation": ("Evaluation",),
    "excerpts": ("Excerpt",),
    "freshness": ("FileChanges",),
    "indexing": ("IndexSummary",),
    "library": ("Library", "Reranked", "RerankedFile", "RerankedFiles", "Status", "open_library", "read_settings"),
    "ports": (
        "Changes",
        "Counts",
        "Encoder",
        "FieldRule",
        "FileState",
        "Filter",
        "Index",
        "IndexWriter",
        "Manifest",
        "NewFile",
        "Origin",
        "PairScores",
        "PassageId",
        "Ranking",
        "Recipe",
        "Reranker",
    ),
    "queries": ("Query",),
    "records": (
        "Candidate",
        "Hit",
        "Listed",
        "Listener",
        "Passage",
        "Place",
        "Progress",
        "SkippedFile",
        "SplitDocument",
        "StoredPassage",
    ),
    "search": ("SearchResult", "Timings"),
    "stamps": ("Stamp",),
}
"""The public names, by the module that each comes from."""

__all__ = [
    "Busy",
    "Candidate",
    "Changes",
    "Collection",
    "ConfigError",
    "Context",
    "Counts",
    "Encoder",
    "Evaluation",
    "Excerpt",
    "FieldRule",
    "FileChanges",
    "FileState",
    "FilesSkipped",
    "Filter",
    "Hit",
    "Index",
    "IndexDamaged",
    "IndexMismatch",
    "IndexMissing",
    "IndexSummary",
    "IndexWriter",
    "InputError",
    "JudgedQuery",
    "Library",
    "Listed",
    "Listener",
    "Manifest",
    "ModelError",
    "ModelNotFetched",
    "NewFile",
    "Origin",
    "PairScores",
    "Passage",
    "PassageId",
    "Place",
    "Progress",
    "Query",
    "Ranking",
    "Recipe",
    "RerankError",
    "Reranked",
    "RerankedFile",
    "RerankedFiles",
    "Reranker",
    "SearchResult",
    "Settings",
    "SkippedFile",
    "SplitDocument",
    "Stamp",
    "Status",
    "StoredPassage",
    "Timings",
    "TooMuchGone",
    "UnusableIndex",
    "UsageError",
    "Vectors",
    "__version__",
    "open_library",
    "read_settings",
]


def __getattr__(name: str) -> object:
    """Load a public name when it is asked for: `rerank-cli --help` needs none of them, and numpy is slow to load."""
    for home, names in _HOMES.items():
        if name in names:
            from importlib import import_module

            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
