"""`rerank-cli indexes`: which indexes there are; add, rename and remove them."""

from __future__ import annotations

from typing import Annotated

import typer

from rerank_cli.cli.options import Json, Quiet, index_meant, index_names, own

app = typer.Typer(rich_markup_mode=None, add_completion=False)

Name = Annotated[
    str,
    typer.Argument(
        help="An index by name, or by a beginning that no other has.", show_default=False, autocompletion=index_names
    ),
]


@app.callback(invoke_without_command=True)
def run(context: typer.Context, as_json: Json = False) -> int:
    """List the indexes; add, rename or remove them.

    \b
    Examples:
      rerank-cli indexes
      rerank-cli indexes --json
    """
    if context.invoked_subcommand is not None:
        return 0
    from rerank_cli.cli.indexes_table import print_indexes

    print_indexes(as_json=as_json)
    return 0


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="The name that it gets here.", show_default=False)],
    address: Annotated[
        str, typer.Argument(help="Where it is, such as milvus+http://host:19530/collection.", show_default=False)
    ],
) -> int:
    """Know an index in Milvus by name, which another machine may have made.

    \b
    Examples:
      rerank-cli index . --index x --store milvus+file:../x.db/c && rerank-cli indexes add docs milvus+file:../x.db/c
    """
    from rerank_cli.store.housekeeping import add_index

    add_index(name, address)
    return 0


@app.command("rename")
def rename(
    name: Name, new_name: Annotated[str, typer.Argument(help="The name that it gets.", show_default=False)]
) -> int:
    """Give an index another name.

    \b
    Examples:
      rerank-cli indexes rename boat motor-boat
    """
    from rerank_cli.store.housekeeping import rename_index

    rename_index(index_meant(name), new_name)
    return 0


@app.command("remove")
def remove(
    names: Annotated[
        list[str],
        typer.Argument(
            help="Indexes by name, or by a beginning that no other has.",
            show_default=False,
            autocompletion=index_names,
        ),
    ],
) -> int:
    """Remove indexes. Documents stay as they are.

    \b
    Examples:
      rerank-cli indexes remove motor-boat
    """
    from rerank_cli.store.housekeeping import remove_index

    for folder in dict.fromkeys(index_meant(name) for name in names):
        remove_index(folder)
    return 0


@app.command("prune")
def prune(
    dry_run: Annotated[bool, own("--dry-run", "Tell what would go, and remove nothing.")] = False,
    quiet: Quiet = False,
) -> int:
    """Remove indexes of folders that are gone, and from the others vectors that nothing uses.

    \b
    Examples:
      rerank-cli indexes prune --dry-run
      rerank-cli indexes prune
    """
    from rerank_cli.cli.indexes_table import prune_indexes

    return prune_indexes(dry_run=dry_run, quiet=quiet)
