"""`rerank-cli models`: which models are here, and compiling them ahead of their first use."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rerank_cli.cli.options import ConfigFile, Json, Quiet, configured, model_names, own, working_folder
from rerank_cli.cli.progress import drawn_progress
from rerank_cli.cli.records_table import Row, print_table
from rerank_cli.cli.terminal import printable
from rerank_cli.config import MODEL_KEYS
from rerank_cli.errors import UsageError
from rerank_cli.regular import size_of

if TYPE_CHECKING:
    from rerank_cli.models.catalogue import Kind
    from rerank_cli.models.compiled import CompiledModel

COLUMNS = ("model", "kind", "origin", "compiled", "size")


def _names_to_prepare() -> list[str]:
    """The models that are here, as `prepare` takes them."""
    return [f"{kind}:{name}" for kind in sorted(MODEL_KEYS) for name in model_names(kind)()]


app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.callback(invoke_without_command=True)
def run(context: typer.Context, config: ConfigFile = None, as_json: Json = False) -> int:
    """List the models that are here; compile them ahead.

    \b
    Examples:
      rerank-cli models
      rerank-cli models --json
    """
    if context.invoked_subcommand is not None:
        return 0
    records = _records(config)
    if as_json:
        print(json.dumps({"models": records}, ensure_ascii=False, indent=2))
    else:
        print_table(COLUMNS, [_row(record) for record in records], sys.stdout)
    return 0


@app.command("prepare")
def prepare(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Models to compile, as encoder:NAME or reranker:NAME; those configured if none is named.",
            show_default=False,
            autocompletion=_names_to_prepare,
        ),
    ] = None,
    force: Annotated[bool, own("--force", "Compile again what is compiled.")] = False,
    config: ConfigFile = None,
    quiet: Quiet = False,
) -> int:
    """Fetch and compile models now, so that no later run has to (for cron and machines without a network).

    \b
    Examples:
      rerank-cli models prepare
      rerank-cli models prepare reranker:rerank-minilm-l6 --force
    """
    from rerank_cli.models.address import is_address
    from rerank_cli.models.catalogue import find_model
    from rerank_cli.models.loading import prepare as prepare_source

    here = [each for each in _configured_names(config) if not is_address(each[0])]
    wanted = [_named(name) for name in names] if names else here
    sources = [find_model(name, kind) for name, kind in wanted]
    with drawn_progress(quiet=quiet) as listener:
        for source in sources:
            compiled = prepare_source(source, afresh=force, listener=listener)
            if not quiet:
                note = f"agreement {compiled.agreement:.3f}" if compiled.precision != "none" else compiled.reason
                print("\t".join(printable(word) for word in (source.kind, source.name, compiled.precision, note)))
    return 0


def _configured_names(config: Path | None) -> list[tuple[str, Kind]]:
    """The built-in models and those that the configuration names, each once."""
    from rerank_cli.models.catalogue import builtin_names

    settings = configured(working_folder(), config, {}).settings
    names: list[tuple[str, Kind]] = [(settings.encoder, "encoder"), (settings.reranker, "reranker")]
    return list(dict.fromkeys([*builtin_names(), *names]))


def _named(text: str) -> tuple[str, Kind]:
    kind, _, name = text.partition(":")
    if kind == "encoder" and name:
        return name, "encoder"
    if kind == "reranker" and name:
        return name, "reranker"
    raise UsageError(f"{text}: says no kind of model", remedy=f"write encoder:{text} or reranker:{text}")


def _records(config: Path | None) -> list[dict[str, object]]:
    """What is configured, here or not, and then what else is in the cache."""
    from rerank_cli.models.compiled import all_compiled

    records = [_configured_record(name, kind) for name, kind in _configured_names(config)]
    listed = {record["fingerprint"] for record in records}
    return records + [
        _record(model.name, model.kind, model.origin, Path(model.original), model.fingerprint, model)
        for model in all_compiled()
        if model.fingerprint not in listed
    ]


def _configured_record(name: str, kind: Kind) -> dict[str, object]:
    from rerank_cli.models.compiled import model_state

    state = model_state(name, kind)
    if state.endpoint is not None:
        return _record(name, kind, "remote", None, state.fingerprint, None)
    if state.source is None:
        return {**_record(name, kind, "not here", None, None, None), "reason": str(state.failure)}
    return _record(name, kind, state.source.origin, state.source.folder, state.source.fingerprint, state.compiled)


def _record(
    name: str, kind: Kind, origin: str, folder: Path | None, fingerprint: str | None, compiled: CompiledModel | None
) -> dict[str, object]:
    return {
        "name": name,
        "kind": kind,
        "origin": origin,
        "folder": None if folder is None else str(folder),
        "size_bytes": None if folder is None else _size_bytes(folder),
        "fingerprint": fingerprint,
        "compiled": None if compiled is None else compiled.precision,
        "agreement": None if compiled is None else compiled.agreement,
        "reason": None if compiled is None else compiled.reason,
    }


def _size_bytes(folder: Path) -> int | None:
    """None for a folder that is gone: its compiled form lives on."""
    return sum(map(size_of, folder.rglob("*"))) if folder.is_dir() else None


def _row(record: dict[str, object]) -> Row:
    size = record["size_bytes"]
    return Row(
        cells=(
            str(record["name"]),
            str(record["kind"]),
            str(record["origin"]),
            str(record["compiled"] or ("not yet" if record["folder"] else "")),
            f"{size / 1e6:.0f} MB" if isinstance(size, int) else "",
        ),
        path=str(record["folder"] or ""),
        told=(str(record["fingerprint"] or ""), str(record["reason"] or "")),
    )
