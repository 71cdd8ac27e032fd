"""The work of `rerank-cli mcp`: open what is searched, and serve it until the client closes its end."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from rerank_cli.cli.options import indexes_and_settings, named_encoder
from rerank_cli.cli.querying import one_or_all
from rerank_cli.config import Settings
from rerank_cli.extras import check_extra
from rerank_cli.freshening import Freshening
from rerank_cli.library import open_library


def serve(config_file: Path | None, flags: dict[str, object]) -> int:
    """Serve the indexes that are named, or that of where the client starts the program."""
    check_extra("mcp", ["mcp"], user="an MCP server")
    folders, merged = indexes_and_settings(config_file, flags)
    with ExitStack() as stack:
        _serve(folders, merged.settings, named_encoder(merged, config_file), stack)
    return 0


def _serve(folders: tuple[Path, ...], settings: Settings, encoder: str | None, stack: ExitStack) -> None:
    from rerank_cli.cancelling import CancellableReranker
    from rerank_cli.mcp.answers import Answers
    from rerank_cli.mcp.server import Worker, make_server

    worker = Worker()
    with open_library(index=one_or_all(folders), encoder=encoder, settings=settings) as probe:
        probe.prepare_search()
        root = probe.index.manifest.recipe.root
        reranker = CancellableReranker(probe.reranker, is_wanted=worker.is_wanted)
    freshening = Freshening(folders)
    stack.callback(freshening.end)

    def open_answers() -> Answers:
        """In the thread that asks: an index is not shared between threads."""
        library = open_library(index=one_or_all(folders), encoder=encoder, reranker=reranker, settings=settings)
        each = [open_library(index=folder, settings=settings) for folder in folders]
        fresh = (lambda: freshening.wait(settings.fresh_budget)) if settings.fresh else None
        return Answers(library, each, bring_up_to_date=fresh)

    make_server(open_answers, worker=worker, roots=[root]).run("stdio")
