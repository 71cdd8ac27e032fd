"""Addresses of indexes in Milvus: `milvus+http://host:19530/collection` and `milvus+file:folder/name.db/collection`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from rerank_cli.config import STORE_TOKEN_VARIABLE
from rerank_cli.errors import UsageError
from rerank_cli.places import expanded

SCHEMES = ("milvus+http", "milvus+https", "milvus+file")

COLLECTION = re.compile(r"(?!.*__)[A-Za-z_][A-Za-z0-9_]{0,199}")
"""What Milvus takes for a name, with room for what is added to it behind two strokes: a name may have 255 letters."""

_REMEDY = "write it as milvus+http://host:19530/collection or milvus+file:./name.db/collection"


@dataclass(frozen=True, slots=True)
class Address:
    """Where an index is: `uri` is what the client connects to, `collection` begins the names of its collections."""

    uri: str
    collection: str
    embedded: bool

    def __str__(self) -> str:
        return f"milvus+{'file:' if self.embedded else ''}{self.uri}/{self.collection}"


def parse_address(text: str, *, collection: str) -> Address:
    """The address that *text* is; without a collection in it, that is *collection*, as far as Milvus takes the name.

    Raises:
        UsageError: it is none.
    """
    scheme, _, rest = text.partition(":")
    if scheme not in SCHEMES:
        raise UsageError(f"{text!r} is no address of a store", remedy=_REMEDY)
    if scheme == "milvus+file":
        return _embedded(text, rest, collection)
    try:
        parts = urlsplit(text.removeprefix("milvus+"))
        has_port = parts.port is not None
    except ValueError as error:
        raise UsageError(f"{text!r} is no address of a store ({error})", remedy=_REMEDY) from error
    if parts.username or parts.password:
        raise UsageError("an address of a store holds no password", remedy=f"put it in {STORE_TOKEN_VARIABLE}")
    if not parts.hostname or parts.query or parts.fragment:
        raise UsageError(f"{text!r} is no address of a store", remedy=_REMEDY)
    place = parts.netloc if has_port else f"{parts.netloc}:19530"
    return Address(f"{parts.scheme}://{place}", _named(text, parts.path.strip("/"), collection), embedded=False)


def _embedded(text: str, rest: str, collection: str) -> Address:
    path, is_named, own = rest.partition(".db/")
    file = f"{path}.db" if is_named else rest
    if not Path(file).name.removesuffix(".db") or not file.endswith(".db"):
        raise UsageError(f"{text!r} names no file that ends in .db", remedy=_REMEDY)
    return Address(str(expanded(file).absolute()), _named(text, own, collection), embedded=True)


def _named(text: str, own: str, collection: str) -> str:
    name = own or re.sub(r"[\W_]+", "_", f"i_{collection}", flags=re.ASCII)[:200]
    if not COLLECTION.fullmatch(name):
        raise UsageError(f"{text!r}: {name!r} is no name of a collection", remedy="use letters, digits and _")
    return name
