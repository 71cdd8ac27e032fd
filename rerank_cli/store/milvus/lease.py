"""The lease of an index: one process at a time writes it, whatever machine it runs on.

Milvus has no "write if nobody has meanwhile". But of several who make a collection of one name, each with a field of
its own, only one can. So whoever wants the lease makes the next of a row of claims, and the number of the claim is the
lease's fencing number: each is larger than all before. The holder says in a row of the records until when it holds the
lease, and looks before it writes whether there is a newer claim. Clocks of machines must agree to within `MARGIN_S`.
"""

from __future__ import annotations

import json
import os
import re
import socket
import time
from dataclasses import asdict, dataclass, replace

from rerank_cli.errors import Busy, IndexMissing, RerankError
from rerank_cli.store.milvus.engine import TIMEOUT_S, Engine
from rerank_cli.store.milvus.rows import record
from rerank_cli.store.milvus.schema import Names, make_claim

LEASE_S = 4 * TIMEOUT_S
"""So long a lease is good after it was renewed."""

RENEW_S = TIMEOUT_S
"""It is renewed before a write when that was so long ago, so that a request has ended long before the lease has."""

MARGIN_S = TIMEOUT_S
"""Another one waits so much longer before it takes a lease that has run out."""

POLL_S = 0.5

LEASE = "lease"

_CLAIM = re.compile(r"by_([0-9a-f]+)_at_([0-9]+)")


@dataclass(frozen=True, slots=True)
class Term:
    """What the row of the lease says. `writes` is whether the holder has begun a commit and not ended it."""

    number: int = 0
    until: float = 0.0
    holder: str = ""
    writes: bool = False


class Lease:
    """The lease of an index that this process holds. `found_unfinished` says that the one before left a commit half."""

    def __init__(self, engine: Engine, names: Names, *, wait_s: float) -> None:
        """Take the lease.

        Raises:
            Busy: another process has held it for longer than *wait_s*.
        """
        self._engine = engine
        self._names = names
        self._holder = f"{socket.gethostname()}/{os.getpid()}"
        self.found_unfinished = False
        self._term = self._taken(wait_s)
        self._renewed = time.monotonic()

    @property
    def number(self) -> int:
        return self._term.number

    def check(self) -> None:
        """Make sure that the lease is still held, before a write.

        Raises:
            Busy: another process has taken it.
        """
        if time.monotonic() - self._renewed >= RENEW_S:
            self.renew()

    def renew(self) -> None:
        """As `check`, however short ago the last one was: before the one write that makes a commit seen."""
        self._say(replace(self._term, until=_until()))

    def begin_commit(self) -> None:
        """Say that a commit is under way: where it does not end, the next holder takes away what it left."""
        self._say(replace(self._term, until=_until(), writes=True))

    def end_commit(self) -> None:
        """Say that nothing is left half done, and go on under a number that no commit has had."""
        self._say(replace(self._term, writes=False))
        self.found_unfinished = False
        self._term = self._claimed(self._term.number + 1) or self._lost()
        self._renewed = time.monotonic()

    def release(self) -> None:
        """Let others have it at once."""
        self._say(replace(self._term, until=0.0))
        self._drop_claims(self._term.number + 1)

    def _say(self, term: Term) -> None:
        """Write the row; a newer claim, or one that was newer, means that the lease ran out and is another's."""
        asked = time.monotonic()
        if max(*self._claims(), read_term(self._engine, self._names).number, 0) > self._term.number:
            self._lost()
        _write(self._engine, self._names, term)
        self._term, self._renewed = term, asked

    def _lost(self) -> Term:
        raise Busy(
            f"{self._engine.address}: another process has taken over this index; nothing of this run is seen",
            remedy="run it again when that one has ended",
        )

    def _taken(self, wait_s: float) -> Term:
        deadline = time.monotonic() + wait_s
        while True:
            last = read_term(self._engine, self._names)
            if (term := self._take(last)) is not None:
                return term
            if time.monotonic() >= deadline:
                holder = f" ({last.holder})" if last.holder else ""
                raise Busy(
                    f"{self._engine.address}: another process is writing this index{holder}",
                    remedy="try again, or wait longer with --wait-s",
                )
            time.sleep(POLL_S)

    def _take(self, last: Term) -> Term | None:
        """The lease, if nobody has it."""
        newest = max(self._claims(), default=0)
        if newest > last.number:  # somebody is about to say so in the row, or was killed before
            if not self._is_stale_claim(newest):
                return None
        elif last.until + MARGIN_S > time.time() and not self._is_gone(last):
            return None
        self.found_unfinished = self.found_unfinished or last.writes
        return self._claimed(max(newest, last.number) + 1)

    def _claimed(self, number: int) -> Term | None:
        """The lease under *number*, unless another process has claimed that first."""
        field = f"by_{os.urandom(8).hex()}_at_{int(time.time())}"
        try:
            make_claim(self._engine, self._names.claims + str(number), field)
        except Busy:
            raise
        except RerankError:  # it is there: another's, or our own where an answer was lost
            pass
        if field not in self._claim_fields(number):
            return None
        if read_term(self._engine, self._names).number >= number:  # it was had and given back while we looked
            self._engine.drop(self._names.claims + str(number))
            return None
        term = Term(number, _until(), self._holder, writes=self.found_unfinished)
        _write(self._engine, self._names, term)
        if max(self._claims(), default=0) > number:
            return None
        self._drop_claims(number)
        return term

    def _is_stale_claim(self, number: int) -> bool:
        match = next(filter(None, map(_CLAIM.fullmatch, self._claim_fields(number))), None)
        return match is not None and int(match[2]) + LEASE_S + MARGIN_S < time.time()

    def _is_gone(self, term: Term) -> bool:
        """Whether the holder is a process of this machine that has ended, so that nothing of it is under way."""
        host, _, pid = term.holder.rpartition("/")
        if host != socket.gethostname() or not pid.isdigit():
            return False
        try:
            os.kill(int(pid), 0)
        except OSError as error:  # one of another user's may not be asked, and is there
            return isinstance(error, ProcessLookupError)
        return False

    def _claims(self) -> list[int]:
        start = self._names.claims
        ends = (name.removeprefix(start) for name in self._engine.collections() if name.startswith(start))
        return [int(end) for end in ends if end.isdigit()]

    def _claim_fields(self, number: int) -> list[str]:
        try:
            return [*self._engine.fields_of(self._names.claims + str(number))]
        except IndexMissing:
            return []

    def _drop_claims(self, number: int) -> None:
        """Drop the claims before *number*: the row says what they said."""
        for old in self._claims():
            if old < number:
                self._engine.drop(self._names.claims + str(old))


def read_term(engine: Engine, names: Names) -> Term:
    """What the row of the lease says now."""
    rows = engine.query(names.records, f'id in ["{LEASE}"]', ["content"])
    return Term(**json.loads(rows[0]["content"])) if rows else Term()


def _write(engine: Engine, names: Names, term: Term) -> None:
    engine.upsert(names.records, [record(LEASE, LEASE, content=json.dumps(asdict(term)))])


def _until() -> float:
    return time.time() + LEASE_S
