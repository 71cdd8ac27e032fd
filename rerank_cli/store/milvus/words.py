"""The words of passages and queries as the local store reads them: by SQLite's tokenizer, stemmed by Porter (1980).

The embedded form takes a stemmer for its analyzer and does not stem, so words are stemmed before either form has them.
One word is then one word in every store.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import cache

from rerank_cli.records import Passage
from rerank_cli.store.milvus.schema import MOST_BYTES
from rerank_cli.store.passages import parts_of

HEADING_WEIGHT = 3
"""A word in a heading counts three times. BM25 has one text a row here, so it stands there three times."""


def terms_of(passages: Sequence[Passage]) -> list[str]:
    """For each of *passages* its words as the BM25 function takes them, with blanks between them."""
    columns = [("\n".join(passage.headings), passage.text, parts_of(passage)) for passage in passages]
    flat = _stemmed([column for each in columns for column in each])
    texts = []
    for headings, text, parts in zip(flat[::3], flat[1::3], flat[2::3], strict=True):
        texts.append(_cut(" ".join([*headings * HEADING_WEIGHT, *text, *parts])))
    return texts


def query_terms(words: Sequence[str]) -> str:
    """*words* of a query as the BM25 function takes them, each once."""
    return " ".join(dict.fromkeys(_stemmed([" ".join(words)])[0]))


def _stemmed(texts: Sequence[str]) -> list[list[str]]:
    connection = _tokenizer()
    connection.execute("INSERT INTO texts (texts) VALUES ('delete-all')")
    connection.executemany("INSERT INTO texts (rowid, text) VALUES (?, ?)", enumerate(texts))
    found: list[list[str]] = [[] for _ in texts]
    for number, term in connection.execute("SELECT doc, term FROM terms ORDER BY doc, offset"):
        found[number].append(term)
    return found


@cache
def _tokenizer() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.execute(
        "CREATE VIRTUAL TABLE texts USING fts5 (text, content = '', tokenize = 'porter unicode61 remove_diacritics 2')"
    )
    connection.execute("CREATE VIRTUAL TABLE terms USING fts5vocab (texts, 'instance')")
    return connection


def _cut(text: str) -> str:
    """*text* up to the last whole word that a row has room for: no passage of a language has so many."""
    content = text.encode()
    if len(content) <= MOST_BYTES:
        return text
    return content[:MOST_BYTES].decode(errors="ignore").rpartition(" ")[0]
