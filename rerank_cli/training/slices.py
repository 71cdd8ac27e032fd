"""Which queries train and which are held out: by the query's words, so that none is in both."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable

from rerank_cli.errors import InputError

LEAST_TRAINED = 10
LEAST_HELD_OUT = 5
"""Below either, nothing can be learnt or told apart."""

MOST_HELD_OUT = 200
"""More would cost more time at each validation than they tell."""


def query_key(query: str) -> str:
    """What two spellings of one query share: its words in their order, without case, signs and blanks."""
    words = re.findall(r"\w+", unicodedata.normalize("NFKC", query).casefold())
    return " ".join(words) or query.strip()


def hold_out(queries: Iterable[str], *, share: float, seed: int) -> frozenset[str]:
    """The keys of the queries to hold out: that *share* of the distinct ones, at least 5 and at most 200.

    It depends on the set of queries and on *seed*, and not on their order.

    Raises:
        InputError: there are too few distinct queries.
    """
    keys = {query_key(query) for query in queries}
    wanted = min(MOST_HELD_OUT, max(LEAST_HELD_OUT, round(share * len(keys))))
    if len(keys) - wanted < LEAST_TRAINED:
        raise InputError(
            f"{len(keys)} distinct queries, of which {wanted} would be held out, are too few to train on",
            remedy=f"give at least {LEAST_TRAINED + LEAST_HELD_OUT}, or hold out a smaller share",
        )
    order = sorted(keys, key=lambda key: hashlib.sha256(f"{seed} {key}".encode(errors="replace")).digest())
    return frozenset(order[:wanted])
