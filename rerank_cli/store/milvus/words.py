"""The words of passages and queries as the local store reads them: by SQLite's tokenizer, stemmed by Porter (1980).

The embedded form takes a stemmer for its analyzer and does not stem, so words are stemmed before either form has them.
One word is then one word in every store.
"""

from __future__ import annotations

import math
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache

from rerank_cli.records import Passage
from rerank_cli.store.milvus.schema import MOST_BYTES
from rerank_cli.store.passages import parts_of

HEADING_WEIGHT = 3
"""A word in a heading counts three times. The BM25 function has one text a row, so there it stands three times."""

FILLER = "ÿ"
"""A word that no document and no query has once its marks are taken off. It makes each text three times as long as its
passage: BM25 asks how long a text is for its kind, and headings then lengthen none."""

MOST_REPEATED = 1000
"""So often a word is repeated at most, and as often as fits a row's text where a query is long: a weight is then told
to a thousandth, or near it."""

COMMON_SHARE = 0.002
"""Of the passages: below it, both stores' weights of a word differ by less than a thousandth."""


def terms_of(passages: Sequence[Passage]) -> list[str]:
    """For each of *passages* its words as the BM25 function takes them, with blanks between them."""
    columns = [("\n".join(passage.headings), passage.text, parts_of(passage)) for passage in passages]
    flat = stemmed([column for each in columns for column in each])
    texts = []
    for headings, text, parts in zip(flat[::3], flat[1::3], flat[2::3], strict=True):
        filled = [FILLER] * ((HEADING_WEIGHT - 1) * len(text + parts))
        texts.append(_cut(" ".join([*headings * HEADING_WEIGHT, *text, *parts, *filled])))
    return texts


def query_terms(words: Sequence[str]) -> list[str]:
    """*words* of a query, stemmed, each once."""
    return list(dict.fromkeys(stemmed([" ".join(words)])[0]))


def repeated(terms: Sequence[str], *, passages: int, common: Mapping[str, float]) -> tuple[str, int]:
    """*terms* as the BM25 function takes them, and how many times too large its scores are then.

    A word that a query has several times counts as often. So each is repeated as often as gives it the weight that the
    local store does (Robertson and Spärck Jones, 1976): that of Milvus, ln(1 + odds), is larger for *common* words, of
    which is told in what share of so many *passages* they stand.
    """
    most = max(1, min(MOST_REPEATED, MOST_BYTES // sum(len(term.encode()) + 1 for term in terms)))
    texts = []
    for term in terms:
        holding = common.get(term, 0.0) * passages
        odds = (passages - holding + 0.5) / (holding + 0.5)
        share = max(0.0, math.log(odds)) / math.log(1 + odds) if holding else 1.0
        texts += [term] * max(1, round(most * share))
    return " ".join(texts), most


def common_words(passages: Sequence[str]) -> dict[str, float]:
    """In what share of *passages*, given by their terms, each word stands that stands in many of them."""
    holding = Counter(term for terms in passages for term in {*terms.split()} - {FILLER})
    least = COMMON_SHARE * len(passages)
    return {term: round(count / len(passages), 6) for term, count in sorted(holding.items()) if count > least}


def stemmed(texts: Sequence[str]) -> list[list[str]]:
    """The words of each of *texts*, stemmed, in their order."""
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
