"""What goes wrong in a reader."""

from __future__ import annotations


class Unreadable(Exception):
    """A file whose content cannot be understood; the message is one line that says why.

    It concerns one file and ends no run: indexing reports the file and goes on.
    """


class NotReadToTheEnd(Unreadable):
    """A file whose reading took too much time or memory: on a quieter machine it might be read."""
