"""The collections of an index: what they are called, and the fields of their rows.

Every row of an index carries the stamps of the commits that it was born and died in. A reader of the commit S sees the
rows that are born by S and die later, so nothing that is written is seen before the manifest names its stamp.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rerank_cli.store.milvus.engine import Engine

FORMAT_VERSION = 1

ALIVE = 2**62
"""The stamp of the commit in which a row dies that is alive."""

MOST_BYTES = 65_535
"""Of a text in a row."""

MOST_ID_BYTES = 128
K1, B = 1.2, 0.75
"""BM25 as the local store has it."""

GRAPH_LINKS, GRAPH_VIEW = 24, 200
"""An HNSW graph as the local store builds it."""

SCAN, GRAPH = "exact scan in Milvus", "HNSW graph in Milvus"

NO_VECTOR = [1.0, 0.0]
"""What stands where Milvus asks for a vector of a row that has none."""


OWN, KEPT = "__", "_kept"
"""What stands in a name behind that of an index, in which it never does, and at the end of that of kept vectors."""


@dataclass(frozen=True, slots=True)
class Names:
    """What the collections of an index are called. `records` is what its address names."""

    records: str

    def passages(self, fingerprint: str) -> str:
        """Passages by the encoder of this *fingerprint*."""
        return f"{self.records}{OWN}{_digest(fingerprint)}"

    def vectors(self, fingerprint: str) -> str:
        """Vectors of that encoder by their texts, whatever passages there are."""
        return f"{self.records}{vectors_ending(fingerprint)}"

    def are_passages(self, collection: str) -> bool:
        """Whether a *collection* has the name of passages of this index, by whatever encoder."""
        return re.fullmatch(f"{self.records}{OWN}[0-9a-f]{{12}}", collection) is not None

    @property
    def claims(self) -> str:
        """What the names of claims to the lease begin with."""
        return f"{self.records}{OWN}claim_"


def vectors_ending(fingerprint: str) -> str:
    """What the names of collections end in that hold vectors of this encoder, of whatever index."""
    return f"{OWN}{_digest(fingerprint)}{KEPT}"


def _digest(fingerprint: str) -> str:
    return hashlib.sha256(fingerprint.encode()).hexdigest()[:12]


def visible(stamp: int) -> str:
    """What holds for a row that a reader of the commit with this *stamp* sees."""
    return f"born <= {stamp} and died > {stamp}"


def make_records(engine: Engine, name: str) -> None:
    """What an index says of itself and of its files: the manifest, the lease, files, and documents without text."""
    from pymilvus import DataType

    schema = _schema()
    schema.add_field("kind", DataType.VARCHAR, max_length=MOST_ID_BYTES)
    _add_texts(schema, "path", "document_id", "content", "fields", "marks")
    schema.add_field("failed", DataType.BOOL)
    schema.add_field("documents", DataType.INT64)
    _add_stamps(schema)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=len(NO_VECTOR))
    engine.make(name, schema, _indexes(engine, graph=False, scalars=("kind", "path", "document_id", "died")))


def make_passages(engine: Engine, name: str, *, dimensions: int, graph: bool) -> None:
    """The passages with their vectors and their words, which the BM25 function makes sparse vectors of."""
    from pymilvus import DataType, Function, FunctionType

    schema = _schema()
    _add_texts(schema, "path", "name", "unpacked", "document_id", "content", "fields", "marks")
    for number in ("ordinal", "position", "first", "last", "second"):
        schema.add_field(number, DataType.INT64)
    schema.add_field("dated", DataType.BOOL)
    schema.add_field("text_hash", DataType.VARCHAR, max_length=MOST_ID_BYTES)
    _add_stamps(schema)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimensions)
    # Words come stemmed, so that the tokenizer has nothing to do but to part them: see `words`.
    analyzer = {"tokenizer": "standard", "filter": ["lowercase"]}
    schema.add_field("words", DataType.VARCHAR, max_length=MOST_BYTES, enable_analyzer=True, analyzer_params=analyzer)
    schema.add_field("bm25", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(
        Function(
            name="words_to_bm25",
            function_type=FunctionType.BM25,
            input_field_names=["words"],
            output_field_names=["bm25"],
        )
    )
    indexes = _indexes(engine, graph=graph, scalars=("path", "document_id", "text_hash", "second", "died"))
    indexes.add_index(
        "bm25",
        index_type="SPARSE_INVERTED_INDEX",
        index_name="bm25",
        metric_type="BM25",
        params=_as_given({"bm25_k1": K1, "bm25_b": B}),
    )
    engine.make(name, schema, indexes)


def make_vectors(engine: Engine, name: str, *, dimensions: int) -> None:
    """Vectors by the hashes of their texts."""
    from pymilvus import DataType

    schema = _schema()
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimensions)
    engine.make(name, schema, _indexes(engine, graph=False))


def make_claim(engine: Engine, name: str, field: str) -> None:
    """A collection that is there to be made: of several who do so at once, each with a *field* of its own, one can."""
    from pymilvus import DataType

    schema = _schema()
    schema.add_field(field, DataType.BOOL)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=len(NO_VECTOR))
    engine.create(name, schema)


def _schema() -> Any:
    from pymilvus import DataType, MilvusClient

    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("id", DataType.VARCHAR, max_length=MOST_ID_BYTES, is_primary=True)
    return schema


def _add_texts(schema: Any, *names: str) -> None:
    from pymilvus import DataType

    for name in names:
        schema.add_field(name, DataType.VARCHAR, max_length=MOST_BYTES)


def _add_stamps(schema: Any) -> None:
    from pymilvus import DataType

    schema.add_field("born", DataType.INT64)
    schema.add_field("died", DataType.INT64)


def _indexes(engine: Engine, *, graph: bool, scalars: tuple[str, ...] = ()) -> Any:
    """An index of the vectors, and on a server one of each of *scalars*: the embedded form scans these as quickly."""
    from pymilvus import MilvusClient

    indexes = MilvusClient.prepare_index_params()
    add_vector_index(indexes, graph=graph)
    for name in () if engine.address.embedded else scalars:
        indexes.add_index(name, index_type="INVERTED", index_name=name)
    return indexes


def add_vector_index(indexes: Any, *, graph: bool) -> None:
    """Search vectors by a graph or by a scan; either gives cosines."""
    params = {"M": GRAPH_LINKS, "efConstruction": GRAPH_VIEW} if graph else {}
    kind = "HNSW" if graph else "FLAT"
    indexes.add_index("vector", index_type=kind, index_name="vector", metric_type="COSINE", params=_as_given(params))


def _as_given(params: Mapping[str, object]) -> dict[str, object]:
    """*params* of an index as both forms read them: the client takes them apart, and the embedded form then finds none
    but those that are given together."""
    return {"params": params} if params else {}
