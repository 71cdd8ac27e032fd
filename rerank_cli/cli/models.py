"""`rerank-cli models`: which models are here, and compiling them ahead of their first use."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rerank_cli.cli.options import ConfigFile, Json, Quiet, configured, working_folder
from rerank_cli.cli.progress import drawn_progress
from rerank_cli.cli.terminal import console, printable

if TYPE_CHECKING:
    from rerank_cli.models.catalogue import ModelSource

app = typer.Typer(help="List the models that are here; compile them ahead.", rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def run(context: typer.Context, config: ConfigFile = None, as_json: Json = False) -> int:
    """List the models that are here; compile them ahead."""
    if context.invoked_subcommand is not None:
        return 0
    records = [_record(source) for source in _configured_sources(config, fetch=False)]
    if as_json:
        print(json.dumps({"models": records}, ensure_ascii=False, indent=2))
    else:
        _print_table(records)
    return 0


@app.command("prepare")
def prepare(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Models to compile, as encoder:NAME or reranker:NAME; those configured if none is named.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Compile again what is compiled.")] = False,
    config: ConfigFile = None,
    quiet: Quiet = False,
) -> int:
    """Fetch and compile models now, so that no later run has to (for cron and machines without a network)."""
    from rerank_cli.models.loading import prepare as prepare_source

    sources = [_named(name) for name in names] if names else _configured_sources(config, fetch=True)
    with drawn_progress(quiet=quiet) as listener:
        for source in sources:
            compiled = prepare_source(source, afresh=force, listener=listener)
            if not quiet:
                note = f"agreement {compiled.agreement:.3f}" if compiled.precision != "none" else compiled.reason
                print("\t".join(printable(word) for word in (source.kind, source.name, compiled.precision, note)))
    return 0


def _configured_sources(config: Path | None, *, fetch: bool) -> list[ModelSource]:
    """The built-in models and those that the configuration names, each once."""
    from rerank_cli.models.catalogue import builtin_names, find_model

    settings = configured(working_folder(), config, {}).settings
    names = [*builtin_names(), (settings.encoder, "encoder"), (settings.reranker, "reranker")]
    return [find_model(name, kind, fetch=fetch) for name, kind in dict.fromkeys(names)]


def _named(text: str) -> ModelSource:
    from rerank_cli.errors import UsageError
    from rerank_cli.models.catalogue import find_model

    kind, _, name = text.partition(":")
    if kind == "encoder" and name:
        return find_model(name, "encoder")
    if kind == "reranker" and name:
        return find_model(name, "reranker")
    raise UsageError(f"{text}: says no kind of model", remedy=f"write encoder:{text} or reranker:{text}")


def _record(source: ModelSource) -> dict[str, object]:
    from rerank_cli.models.compiled import find_compiled

    compiled = find_compiled(source)
    files = [path for path in source.folder.rglob("*") if path.is_file()]
    return {
        "name": source.name,
        "kind": source.kind,
        "origin": source.origin,
        "folder": str(source.folder),
        "size_bytes": sum(path.stat().st_size for path in files),
        "fingerprint": source.fingerprint,
        "compiled": None if compiled is None else compiled.precision,
        "agreement": None if compiled is None else compiled.agreement,
        "reason": None if compiled is None else compiled.reason,
    }


def _print_table(records: list[dict[str, object]]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    for title in ("kind", "model", "origin", "size", "compiled", "fingerprint"):
        table.add_column(title, overflow="fold")
    for record in records:
        size = record["size_bytes"]
        assert isinstance(size, int)
        compiled = record["compiled"] or "not yet"
        cells = (
            record["kind"],
            record["name"],
            record["origin"],
            f"{size / 1e6:.0f} MB",
            compiled,
            record["fingerprint"],
        )
        table.add_row(*(Text(printable(str(cell))) for cell in cells))
    console(sys.stdout).print(table)
