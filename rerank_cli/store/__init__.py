"""The index on disk: its only writer and its only reader.

Nothing above this package knows SQLite or hnswlib: it sees an index that can be opened, searched,
read and committed to.
"""

from rerank_cli.locks import WriteLock
from rerank_cli.store.health import Health, check_health
from rerank_cli.store.index import (
    Changes,
    FileState,
    IndexReader,
    IndexWriter,
    Manifest,
    NewDocument,
    NewFile,
    Origin,
    Ranking,
    open_reader,
    open_writer,
)
from rerank_cli.store.lock import write_lock

__all__ = [
    "Changes",
    "FileState",
    "Health",
    "IndexReader",
    "IndexWriter",
    "Manifest",
    "NewDocument",
    "NewFile",
    "Origin",
    "Ranking",
    "WriteLock",
    "check_health",
    "open_reader",
    "open_writer",
    "write_lock",
]
