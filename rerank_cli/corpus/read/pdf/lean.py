"""Functions of pdfium that are asked about every letter or line, without the check of what they are given."""

from __future__ import annotations

import ctypes
from typing import Any


def lean(function: Any) -> Any:
    """*function* of pdfium, called in two fifths of the time.

    ctypes does not look at its arguments: handles and pointers must be those of ctypes, other numbers 32-bit integers.
    """
    copy = type(function)(ctypes.cast(function, ctypes.c_void_p).value)
    copy.restype = function.restype
    return copy
