"""What a look at one thing gives, and how one that fails is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from rerank_cli.errors import Busy, InputError, RerankError, in_words

Status = Literal["ok", "warn", "FAIL"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one subject. `exit_code` is what commands end with for it, 0 unless it is a FAIL."""

    check: str
    subject: str
    status: Status
    message: str
    remedy: str = ""
    exit_code: int = 0


def failure(check: str, subject: str, error: RerankError | OSError) -> Finding:
    """The finding that *error* is. What another process is at work on now is no failure."""
    if isinstance(error, Busy):
        return Finding(check, subject, "warn", str(error), error.remedy)
    if isinstance(error, RerankError):
        return Finding(check, subject, "FAIL", str(error), error.remedy, error.exit_code)
    where = f"{error.filename}: " if error.filename and str(error.filename) != subject else ""
    message, remedy = f"{where}{in_words(error)}", "check its permissions and its disk"
    return Finding(check, subject, "FAIL", message, remedy, InputError.exit_code)


def guarded(check: str, subject: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """What *look* finds, and the failure that it ends with if it does."""
    try:
        yield from look()
    except (RerankError, OSError) as error:
        yield failure(check, subject, error)
