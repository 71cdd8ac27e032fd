"""Where passages come from and how their documents open: looked up once for all queries of a reader."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from rerank_cli.ports import Origin, PassageId

MOST_KNOWN = 1 << 16
"""Passages that are remembered, in 20 MB or so. Where there would be more, it begins anew."""

QUERY = (
    "SELECT passages.id, documents.id, document_id, passages.ordinal, path, opening.text_hash FROM passages"
    " JOIN documents ON documents.id = passages.document"
    " JOIN passages AS opening ON opening.document = documents.id AND opening.ordinal = 0 WHERE passages.id IN"
)

Select = Callable[[str, Sequence[object]], list[tuple[Any, ...]]]
"""What a query that ends with IN selects for all values."""


class Known(NamedTuple):
    """Where a passage comes from, and the hash of the text that its document opens with."""

    origin: Origin
    opening: bytes


class Origins:
    """What has been looked up of passages, of one generation."""

    def __init__(self) -> None:
        self._known: dict[PassageId, Known] = {}
        self._documents: dict[int, tuple[str, str, bytes]] = {}

    def of(self, passage_ids: Collection[PassageId], *, select: Select) -> Mapping[PassageId, Known]:
        """What is known of *passage_ids*, and of others; one that is not there is not in what *select* looks into."""
        known, wanted = self._known, dict.fromkeys(passage_ids)
        new = [passage for passage in wanted if passage not in known]
        if len(known) + len(new) > MOST_KNOWN:
            self._known = known = {}
            self._documents = {}
            new = list(wanted)
        for passage, document, document_id, ordinal, path, opening in select(QUERY, new):
            # equal strings once: a document may have thousands of passages
            own_id, own_path, own_opening = self._documents.setdefault(document, (document_id, path, opening))
            known[passage] = Known(Origin(own_id, ordinal, own_path), own_opening)
        return known
