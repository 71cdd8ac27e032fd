"""Queries and judgements are not written among the documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from rerank_cli.errors import UsageError
from rerank_cli.evaluation.inputs.apart import check_outside, documents_among
from rerank_cli.store.reader import IndexReader


def test_a_set_among_the_documents_is_refused_unless_it_is_hidden(
    library: IndexReader, docs: Path, tmp_path: Path
) -> None:
    check_outside(tmp_path / "outside", library)
    check_outside(docs / ".evaluation", library)
    with pytest.raises(UsageError, match="lies in the indexed folder"):
        check_outside(docs / "evaluation", library)


def test_only_files_that_were_read_as_documents_lie_among_them(
    library: IndexReader, docs: Path, tmp_path: Path
) -> None:
    elsewhere, new = tmp_path / "boiler.md", docs / "queries.jsonl"
    for path in (elsewhere, new):
        path.write_text("{}\n")
    assert documents_among([docs / "boiler.md", elsewhere, new], library) == (docs / "boiler.md",)
