"""Functions of pdfium that are asked about every letter or line, without the check of what they are given."""

from __future__ import annotations

import ctypes
from typing import Any


def lean(function: Any) -> Any:
    """*function* of pdfium, called in two fifths of the time.

    ctypes does not look at its arguments: what is no 32-bit integer, as a handle or a size, must be one of its own.
    """
    copy = type(function)(ctypes.cast(function, ctypes.c_void_p).value)
    copy.restype = function.restype
    return copy
