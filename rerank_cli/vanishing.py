"""Whether what a run would take out of an index is gone, or only out of sight: a lost disk looks like deleted files."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

FEW = 10
"""As many documents may go unasked, whatever their share: small folders come and go."""


@dataclass(frozen=True, slots=True)
class Loss:
    """What a run would take out. `documents` counts those with text that each file would lose, by path.

    `missing` are those of these files that are not there any more; the others are there and hold less.
    """

    documents: Mapping[str, int]
    missing: frozenset[str]


def doubt(
    loss: Loss, *, total: int, max_shrink: float, mounts_before: Collection[str], mounts_now: Collection[str]
) -> str:
    """Why *loss* should not be believed, in words for the user; empty where it may.

    *total* documents are in the index, and *max_shrink* is the share of them that may go at once. Mount points
    are folders that end in a slash, and the empty path for the root.
    """
    for mount in sorted({*mounts_before} ^ {*mounts_now}):
        gone = sum(path.startswith(mount) for path in loss.missing)
        if gone:
            name = f"{mount.rstrip('/')} " if mount else "the folder "
            now = "was a mount point and is none any more" if mount in mounts_before else "has become a mount point"
            return f"{name}{now}, and {_counted(gone, 'file')} of it {'is' if gone == 1 else 'are'} missing"
    lost = sum(loss.documents.values())
    if lost > FEW and lost > max_shrink * total:
        return f"{lost} of {total} documents are gone, more than a share of {max_shrink:g}"
    return ""


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
