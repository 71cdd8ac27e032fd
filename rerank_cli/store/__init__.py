"""The index on this disk: one implementation of the index port.

Nothing above this package knows SQLite or hnswlib. It opens an index here, and knows what it gets by the port alone.
"""

from rerank_cli.locks import WriteLock
from rerank_cli.store.health import Health, check_health
from rerank_cli.store.lock import write_lock
from rerank_cli.store.opening import newest_generation, open_reader, open_writer

__all__ = ["Health", "WriteLock", "check_health", "newest_generation", "open_reader", "open_writer", "write_lock"]
