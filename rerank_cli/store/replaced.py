"""Takes an index out of the way until the one that replaces it is complete."""

from __future__ import annotations

from rerank_cli.places import make_private_folder
from rerank_cli.store.access import naming_disk_errors
from rerank_cli.store.layout import Layout
from rerank_cli.store.remedies import in_the_way


def set_aside(layout: Layout) -> Layout:
    """Move the index out of the way; where it lies then.

    What a killed run left in the place of another one only goes: that one waits already.
    """
    for place in (layout.replaced, layout.replaced_partly):
        if place.exists() and not place.is_dir():
            raise in_the_way(place, "a file stands where a folder belongs")
    if layout.replaced.is_dir():
        remove_files(layout)
    else:
        make_private_folder(layout.replaced_partly)
        for path in layout.index_files():
            path.rename(layout.replaced_partly / path.name)
        layout.replaced_partly.rename(layout.replaced)
    return Layout(layout.replaced)


def put_back(layout: Layout) -> None:
    """Give up what was to replace the index."""
    with naming_disk_errors(layout.folder):
        remove_files(layout)
        layout.replaced.rename(layout.replaced_partly)
        end_unfinished(layout)


def end_unfinished(layout: Layout) -> None:
    """End what a killed run began, whether it moved the files there or back: nothing has taken their place yet."""
    if not layout.replaced_partly.is_dir():
        return
    for path in sorted(layout.replaced_partly.iterdir()):
        path.rename(layout.folder / path.name)
    layout.replaced_partly.rmdir()


def remove_files(layout: Layout) -> None:
    """Remove the catalog and what is made of it."""
    for path in layout.index_files():
        path.unlink(missing_ok=True)
