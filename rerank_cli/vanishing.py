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


def why_doubted(
    loss: Loss, *, total: int, max_shrink: float, mounts_before: Collection[str], mounts_now: Collection[str]
) -> str:
    """Why *loss* should not be believed, in words for the user; empty where it may.

    *total* documents are in the index, and *max_shrink* is the share of them that may go at once. Mount points
    are as discovery gives them.
    """
    for mount in sorted({*mounts_before} - {*mounts_now}):
        holds_all = mount.startswith("/")
        gone = len(loss.missing) if holds_all else sum(path.startswith(mount) for path in loss.missing)
        if gone:
            name = mount if holds_all else mount.rstrip("/") or "the folder"
            files = "1 file of it is" if gone == 1 else f"{gone} files of it are"
            return f"{name} was a mount point and is none any more, and {files} missing"
    lost = sum(loss.documents.values())
    if lost > FEW and lost > max_shrink * total:
        return f"{lost} of {total} documents would be lost, more than {max_shrink:.0%}"
    return ""
