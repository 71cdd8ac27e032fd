"""Search a folder of documents in two stages.

    index   folder → discover → read → split → encode → commit (one atomic generation)
    query   text → encode → retrieve (dense + lexical, fused) → rerank every candidate → hits → print
    eval    queries + qrels → the same retrieve and rerank → runs → measures → comparison → print
    train   pairs, or the index and qrels → split → mine → fine-tune → validate → a model folder with its card

The rooms, from the bottom up; imports only go down:

    errors       the tree of errors, each with its exit code
    places       the data, cache and config folders, and that nobody but their owner can look into what we keep
    stamps       what tells that a file has not changed
    regular      files that are opened and measured only if they are files
    characters   joiners, and text and ids that came from JSON, fit to be kept
    files        text and JSON lines: what is wrong is told with file and line; files written whole or not at all
    words        words that are too long for the models, broken so that they are read
    locks        one process at a time, and who holds what
    records      the frozen records that flow, and the ports to the models: Encoder and Reranker
    ports        the ports to an index, and the records that pass through them
    globs        git's patterns, as a test of a path
    queries      queries from a file: JSONL, id<TAB>text, TREC topics
    trec         lines of TREC runs and of judgements, in and out
    config       defaults < user file < project file < environment < flags
    snippets     the sentence of a passage that shows why it was found
    corpus       from a folder to passages: discover, globs, mounts, read (one reader a format), split; passages puts
                 the last two together, reading does it within limits of time and memory, in the process that worker is
    models       the only door to models: telemetry (off), catalogue, hashes, compile, quantize, compiled, onnx, torch,
                 window, finite, loading, probe, calibration (from logits to probabilities), interaction (what a new
                 reranker ends with), builtin
    store        the index on this disk, behind the port. The catalog in SQLite: catalog, database, files, passages,
                 manifest, pins; seal and sealing (that it is what was written). Vectors: vectors, search, graph
                 (hnswlib). Its life: layout, location, roots, lock, opening, reader, staging, writer, replaced,
                 migration (of an older format); health, access (what stands in the way), remedies. And scores, those
                 of the reranker that are kept
    freshness    where a file of an index lies, and whether it is still the one that was read
    vanishing    whether what a run would take out is gone, or only out of sight
    indexing     what changed, and its way into a new generation
    retrieval    the first stage: query → candidates, both lists fused by their scores
    reranking    the second stage: candidates → hits, and documents by their evidence
    doctor       what a person would have to guess: versions, readiness (models), indexes, storage (disks, permissions);
                 findings (what each gives), setup (what is looked at), examine (puts it together)
    search       both stages for one query after another
    evaluation   what both stages are worth: collection (queries and judgements), runs, measures, compare, trial (the
                 one pass), outcome, sweep, diagnose, verdict, assess (puts it together), cache, record, report,
                 charts, plot, environment; known_items and judging (judgements of one's own)
    training     a model fitted to one's own data: machine (whether it can), pairs, slices (what is held out), mining
                 (negatives), groups (what is learnt from), kept (what mining leaves for a restart), new_reranker (what
                 a reranker begins as), fitting, listwise (a reranker's loss), validation, platt (the calibration),
                 output (the folder and its checkpoints), model_folder, card, job (puts it together)
    library      the door for programs: open_library(…).update, search, rerank, evaluate
    cli          the command line: the only place that knows Typer and Rich

Programs take what they need from here, such as `from rerank_cli import open_library`; it is loaded then and not before.
"""

__version__ = "0.1.0"

TYPE_CHECKING = False  # typing has one too, and loading it takes longer than all of this
if TYPE_CHECKING:
    from rerank_cli.config import Settings
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
    from rerank_cli.evaluation.collection import Collection, JudgedQuery
    from rerank_cli.evaluation.verdict import Evaluation
    from rerank_cli.indexing import FileChanges, IndexSummary
    from rerank_cli.library import Library, Reranked, Status, open_library, read_settings
    from rerank_cli.ports import (
        Changes,
        Counts,
        FileState,
        Filter,
        Index,
        IndexWriter,
        Manifest,
        NewFile,
        Origin,
        PassageId,
        Ranking,
        Recipe,
    )
    from rerank_cli.records import (
        Candidate,
        Encoder,
        Hit,
        Listed,
        Listener,
        PairScores,
        Passage,
        Progress,
        Reranker,
        SkippedFile,
        SplitDocument,
        StoredPassage,
        Vectors,
    )
    from rerank_cli.search import SearchResult, Timings
    from rerank_cli.stamps import Stamp

_HOMES = {
    "config": ("Settings",),
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
    "evaluation.collection": ("Collection", "JudgedQuery"),
    "evaluation.verdict": ("Evaluation",),
    "indexing": ("FileChanges", "IndexSummary"),
    "library": ("Library", "Reranked", "Status", "open_library", "read_settings"),
    "ports": (
        "Changes",
        "Counts",
        "FileState",
        "Filter",
        "Index",
        "IndexWriter",
        "Manifest",
        "NewFile",
        "Origin",
        "PassageId",
        "Ranking",
        "Recipe",
    ),
    "records": (
        "Candidate",
        "Encoder",
        "Hit",
        "Listed",
        "Listener",
        "PairScores",
        "Passage",
        "Progress",
        "Reranker",
        "SkippedFile",
        "SplitDocument",
        "StoredPassage",
        "Vectors",
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
    "Counts",
    "Encoder",
    "Evaluation",
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
    "Progress",
    "Ranking",
    "Recipe",
    "RerankError",
    "Reranked",
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
