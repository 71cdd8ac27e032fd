"""The window that a model reads at once. A query is never cut: one that does not fit is refused.

In a reranker's, query and passage share it, and only the passage is cut.
"""

from __future__ import annotations

from rerank_cli.errors import UsageError

MIN_PASSAGE_TOKENS = 16
"""A passage cut shorter than this beside a long query would say nothing."""


def check_room(window: int, *, query_tokens: int, special_tokens: int) -> None:
    """Raise UsageError if the query leaves no room for a passage."""
    if window - special_tokens - query_tokens < MIN_PASSAGE_TOKENS:
        raise UsageError(
            f"the query leaves no room for a passage in the reranker's window of {window} tokens",
            remedy="ask a shorter question",
        )


def check_query(window: int, *, query_tokens: int) -> None:
    """Raise UsageError if the query, its prompt and special tokens counted, is longer than the encoder reads."""
    if query_tokens > window:
        raise UsageError(
            f"the query takes {query_tokens} tokens, and the encoder reads {window} at once",
            remedy="ask a shorter question",
        )
