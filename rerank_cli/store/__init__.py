"""The index on this disk or in Milvus: implementations of the index port.

Nothing above this package knows SQLite, hnswlib or pymilvus. It opens an index here, and knows what it gets by the
port alone.
"""

from rerank_cli.locks import WriteLock
from rerank_cli.store.anywhere import newest_generation, open_reader, open_writer
from rerank_cli.store.lock import write_lock

__all__ = ["WriteLock", "newest_generation", "open_reader", "open_writer", "write_lock"]
