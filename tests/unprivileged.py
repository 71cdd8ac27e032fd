"""This process without the rights of root, for a while."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


@contextmanager
def unprivileged() -> Iterator[None]:
    """Root reads and writes everything unless it gives that right away; others have nothing to give."""
    if os.geteuid():
        yield
        return
    header, rights = _Header(0x20080522, 0), (ctypes.c_uint32 * 6)()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.capget(ctypes.byref(header), rights):
        pytest.skip("root reads everything, and cannot be held back here")
    effective = rights[0]
    rights[0] = effective & ~(1 << CAP_DAC_OVERRIDE | 1 << CAP_DAC_READ_SEARCH)
    assert libc.capset(ctypes.byref(header), rights) == 0
    try:
        yield
    finally:
        rights[0] = effective
        assert libc.capset(ctypes.byref(header), rights) == 0
