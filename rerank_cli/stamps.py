"""What the system tells of a file without reading it: enough to know that it has not changed."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

SETTLED_NS = 2_000_000_000
"""A file changed this shortly ago may change again under the same times (FAT counts in steps of two seconds), so its
stamp is not trusted yet (as git does it)."""


class Stamp(NamedTuple):
    """A file's size, times and inode. Equal stamps mean an unchanged file.

    Size and time of change can be set back, by a backup that is restored or a file moved in another's place;
    the time of the last change of its inode cannot, and two files do not share one. What rots on the disk without a
    write is not seen.
    """

    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    def is_of(self, status: os.stat_result) -> bool:
        """Whether a file with this *status* has this stamp, told sooner than by another stamp."""
        return self == (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def stamp_of(status: os.stat_result) -> Stamp:
    """The stamp of a file with this *status*, in numbers that SQLite takes: some disks have inodes of 64 bits."""
    told = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    if min(told) >= -(2**63) and max(told) < 2**63:
        return Stamp(*told)
    return Stamp(*((number + 2**63) % 2**64 - 2**63 for number in told))


def is_settled(stamp: Stamp) -> bool:
    """Whether a file with this *stamp* can no longer change without a new one."""
    return max(stamp.mtime_ns, stamp.ctime_ns) < time.time_ns() - SETTLED_NS
