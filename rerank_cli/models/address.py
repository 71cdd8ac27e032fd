"""The address of a model behind an endpoint, such as `https://host/v1/embeddings#model`."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from rerank_cli.errors import ModelError
from rerank_cli.hosts import is_loopback

LOGITS = "logits+"
"""Stands before the address of a reranker whose scores are logits, not shares from 0 to 1."""

_ADDRESS = re.compile(rf"(?:{re.escape(LOGITS)})?https?://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is asked: `url`, and by which name; without a `model` the endpoint has but one."""

    address: str
    url: str
    model: str
    gives_logits: bool

    @property
    def fingerprint(self) -> str:
        """That of the address: what stands behind it cannot be looked at."""
        return hashlib.sha256(f"remote\0{self.url}\0{self.model}\0{self.gives_logits}".encode()).hexdigest()[:32]

    @property
    def keeps_secrets(self) -> bool:
        """Whether nobody on the way can read what is sent: it is encrypted, or stays on this machine."""
        parts = urlsplit(self.url)
        return parts.scheme == "https" or is_loopback(parts.hostname or "")


def is_address(name: str) -> bool:
    """Whether *name* is the address of an endpoint, and no folder or hub id."""
    return _ADDRESS.match(name) is not None


def endpoint_at(address: str) -> Endpoint:
    """The endpoint at *address*.

    Raises:
        ModelError: it is no address, or holds a password.
    """
    gives_logits = address.lower().startswith(LOGITS)
    url, _, model = address[len(LOGITS) * gives_logits :].partition("#")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ModelError(f"{address}: is no address ({error})", remedy=EXAMPLE) from error
    if not host or not url.isprintable() or " " in url:
        raise ModelError(f"{address}: is no address", remedy=EXAMPLE)
    if parts.username or parts.password:
        raise ModelError(
            f"the address of {host} holds a name or a password, which an index would keep",
            remedy="leave it out, and give the key in its variable",
        )
    return Endpoint(address, url, model, gives_logits)


EXAMPLE = "write it as https://host/v1/embeddings#model or https://host/v1/rerank#model"
