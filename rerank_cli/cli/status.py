"""`rerank-cli status`: what is indexed, and what has changed on disk since."""

from __future__ import annotations

import gc

from rerank_cli.cli.options import IndexName, Json, index_meant


def run(index: IndexName = None, as_json: Json = False) -> int:
    """Show what is indexed, with what, how big it is, and what has changed on disk since.

    \b
    Examples:
      rerank-cli status
      rerank-cli status --index boat --json
    """
    gc.disable()  # what is loaded and read here all stays to the end, and of many files it is much to look through
    from rerank_cli.cli.status_text import print_status
    from rerank_cli.library import open_library

    folder = index_meant(index)
    print_status(str(folder), open_library(index=folder).status(), as_json=as_json)
    return 0
