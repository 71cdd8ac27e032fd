"""The tree of errors, each with its exit code; raised where the fact is known, printed in one place.

RerankError
├── UsageError            2   a flag, a query or a combination of them that cannot be meant
│   └── ConfigError       2   a configuration file or variable that cannot be understood
├── UnusableIndex         3   the index
│   ├── IndexMissing      3   there is none here
│   ├── IndexDamaged      3   it cannot be trusted
│   └── IndexMismatch     3   it was made with another format or another model
├── InputError            4   documents, queries or a disk that cannot be read or written
│   ├── ModelError        4   a model that cannot be found, loaded or verified
│   │   └── ModelNotFetched   4   a model of the hub that is not here yet
│   └── TooMuchGone       4   so much is missing that the disk is more likely to be
├── FilesSkipped          5   the index is complete but for files that are damaged or could not be read (--strict)
└── Busy            75   another process is writing

Anything else that is raised is a bug of ours: 70, with its traceback.
"""

from __future__ import annotations

import re

BUG = 70
"""The exit code of a bug (sysexits.h calls it EX_SOFTWARE); 1 would say that nothing was found."""


def in_words(error: BaseException) -> str:
    """What *error* says, on one line, and without the number that the system gives it."""
    told = getattr(error, "strerror", None) or str(error)
    lines = re.sub(r"\[Errno -?\d+\] ", "", told).strip().splitlines()
    return lines[0] if lines else type(error).__name__


class RerankError(Exception):
    """A failure the user can act on.

    The message says where and what; *remedy* says what to do. Both are one line.
    """

    exit_code = 4

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class UsageError(RerankError):
    """A flag, a query or a combination of them that cannot be meant."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration file or variable that cannot be understood."""


class UnusableIndex(RerankError):
    """An index that cannot be used."""

    exit_code = 3


class IndexMissing(UnusableIndex):
    """No index where one was looked for."""


class IndexDamaged(UnusableIndex):
    """An index whose files are incomplete or contradict each other."""


class IndexMismatch(UnusableIndex):
    """An index made with another format or another model."""


class InputError(RerankError):
    """Something outside the index could not be read or written."""


class ModelError(InputError):
    """A model that cannot be found, loaded or verified."""


class ModelNotFetched(ModelError):
    """A model of the hub that is not on this machine, and was not to be fetched now."""


class TooMuchGone(InputError):
    """So much of the folder is missing that its disk is more likely to be."""


class FilesSkipped(RerankError):
    """The index is complete but for files that are damaged or could not be read."""

    exit_code = 5


class Busy(RerankError):
    """Another process is writing what this one would write."""

    exit_code = 75
