"""Asks an endpoint, in JSON, and asks again where that may help."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from functools import cached_property
from time import monotonic, sleep
from typing import Any

import httpx2

from rerank_cli.characters import printable
from rerank_cli.errors import ModelError, in_words
from rerank_cli.models.address import Endpoint

ATTEMPTS = 5
"""How often a request is sent before it has failed."""

FIRST_PAUSE_S = 0.5
"""The longest pause before the second attempt; it doubles from one to the next. How long it is in the end is drawn at
random, so that many callers do not come back at the same moment (full jitter; Brooker, 2015)."""

LONGEST_PAUSE_S = 30.0
"""However long an endpoint asks to wait."""

MOST_BYTES = 100_000_000
"""Of an answer: 32 vectors of 4,096 numbers are some 3 MB of text."""

PASSING = frozenset((429, 500, 502, 503, 504))
"""Codes of what may be over the next time."""

_MOST_TOLD = 200


class Refused(Exception):
    """The endpoint understood what was asked and does not take it: the code, and what it says."""

    def __init__(self, code: int, said: str) -> None:
        super().__init__(f"{code}: {said}" if said else str(code))
        self.code = code
        self.said = said


class _Failed(Exception):
    """An attempt failed, in words for the user; the next one may not. `pause_s` is what the endpoint asks for."""

    def __init__(self, why: str, *, pause_s: float | None = None) -> None:
        super().__init__(why)
        self.pause_s = pause_s


class Transport:
    """A connection to an endpoint, made at its first use and shared between threads."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        key: str,
        key_variable: str,
        timeout_s: float,
    ) -> None:
        """*key* is sent with each request; a request may take *timeout_s* seconds."""
        self._endpoint = endpoint
        self._key = key
        self._key_variable = key_variable
        self._timeout_s = timeout_s

    def ask(self, body: Mapping[str, object]) -> Any:
        """The answer to *body*, both as JSON.

        Raises:
            Refused: the endpoint does not take what was asked.
            ModelError: it cannot be reached, is too slow, refuses the key, or answers with what is no JSON.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._attempt(body)
            except _Failed as failed:
                if attempt == ATTEMPTS:
                    raise self._error(f"{failed}, {ATTEMPTS} times", "try again later") from failed
                drawn = random.uniform(0, FIRST_PAUSE_S * 2 ** (attempt - 1))
                sleep(min(drawn if failed.pause_s is None else failed.pause_s, LONGEST_PAUSE_S))
        raise AssertionError("the last attempt returns or raises")

    @cached_property
    def _client(self) -> httpx2.Client:
        """Follows no redirection, which would take the key and the texts elsewhere."""
        if self._key and not self._endpoint.keeps_secrets:
            raise self._error("would send the key for everybody on the way to read", "use https")
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        return httpx2.Client(timeout=self._timeout_s, headers=headers, follow_redirects=False)

    def _attempt(self, body: Mapping[str, object]) -> Any:
        deadline = monotonic() + self._timeout_s
        content = bytearray()
        try:
            with self._client.stream("POST", self._endpoint.url, json=body) as response:
                for chunk in response.iter_bytes():
                    content += chunk
                    if len(content) > MOST_BYTES:
                        raise self._error(f"answers with more than {MOST_BYTES // 1_000_000} MB", CHECK)
                    if monotonic() > deadline:
                        raise _Failed(f"did not answer within {self._timeout_s:g} s")
        except httpx2.TimeoutException as error:
            raise _Failed(f"did not answer within {self._timeout_s:g} s") from error
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
            raise self._error(f"is no address ({in_words(error)})", CHECK) from error
        except httpx2.ConnectError as error:
            raise _Failed(f"cannot be reached ({in_words(error)})") from error
        except httpx2.HTTPError as error:
            raise _Failed(f"broke off ({in_words(error)})") from error
        return self._answer(response, bytes(content))

    def _answer(self, response: httpx2.Response, content: bytes) -> Any:
        code = response.status_code
        if code in PASSING:
            asked = re.fullmatch(r"[0-9]{1,6}", response.headers.get("Retry-After", ""))
            raise _Failed(_with(f"answers with {code}", _said(content)), pause_s=float(asked[0]) if asked else None)
        if code in (401, 403):
            remedy = f"{'check' if self._key else 'put'} its key in {self._key_variable}"
            raise self._error(_with(f"lets nobody in with {'this' if self._key else 'no'} key", _said(content)), remedy)
        if response.has_redirect_location:
            where = printable(response.headers["Location"])[:_MOST_TOLD]
            raise self._error(f"has moved to {where}", "name that address, if you trust it")
        if not response.is_success:
            raise Refused(code, _said(content))
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise self._error("answers with what is no JSON", CHECK) from error

    def _error(self, what: str, remedy: str) -> ModelError:
        return ModelError(f"{self._endpoint.address}: {what}", remedy=remedy)


CHECK = "check the address: it is that of the endpoint itself, such as https://host/v1/rerank#model"


def _with(what: str, said: str) -> str:
    return f"{what} ({said})" if said else what


def _said(content: bytes) -> str:
    """What an endpoint tells of an error: the message in its JSON, or the beginning of its text, on one line."""
    text = content[:10_000].decode(errors="replace")
    try:
        record = json.loads(content)
        for key in ("error", "detail", "message"):
            while isinstance(record, dict) and key in record:
                record = record[key]
        text = record if isinstance(record, str) else text
    except (ValueError, RecursionError):
        pass
    return printable(" ".join(text.split()))[:_MOST_TOLD]
