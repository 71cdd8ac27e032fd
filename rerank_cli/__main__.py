"""`python -m rerank_cli`."""

import sys

if __name__ == "__main__" and not sys.flags.safe_path:
    import os  # loaded before any module of a folder could be

    # With -m, Python looks for modules in the current folder first, and that may be a folder that came from anybody.
    # This package is loaded already and finds its modules by itself, also where it lies there. What Python loads on
    # the way here (contextlib and the like) only its own -P protects; the command `rerank-cli` never looks there.
    try:
        if os.path.samefile(sys.path[0], os.curdir):  # noqa: PTH121 - pathlib would be taken from that folder
            del sys.path[0]
    except OSError:
        pass  # the current folder is gone

from rerank_cli.cli.entry import program

if __name__ == "__main__":
    program()
