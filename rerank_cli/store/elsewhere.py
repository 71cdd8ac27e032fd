"""What this machine remembers of an index that is kept elsewhere: where that is, and the folder it was made of."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from rerank_cli.errors import IndexDamaged, UsageError
from rerank_cli.places import replace_private
from rerank_cli.store.access import cannot, naming_disk_errors
from rerank_cli.store.layout import Layout
from rerank_cli.store.remedies import quoted


class Elsewhere(NamedTuple):
    """The `address` of an index, and the `root` that it was made of; empty before the first commit."""

    address: str
    root: str = ""


def read_elsewhere(folder: Path) -> Elsewhere | None:
    """What *folder* remembers; None where an index lies in it, or nothing.

    Raises:
        IndexDamaged: it cannot be understood.
        InputError: it cannot be read.
    """
    place = Layout(folder).elsewhere
    try:
        said = json.loads(place.read_text(encoding="utf-8"))
        return Elsewhere(str(said["address"]), str(said["root"]))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise IndexDamaged(
            f"{place}: is not what was written", remedy=f"remove it, and index anew with --store: rm {quoted(place)}"
        ) from error
    except OSError as error:
        raise cannot("read", place, error) from error


def remember_elsewhere(folder: Path, elsewhere: Elsewhere) -> None:
    """Remember in *folder* where its index is."""
    if read_elsewhere(folder) != elsewhere:
        with naming_disk_errors(Layout(folder).elsewhere):
            replace_private(Layout(folder).elsewhere, json.dumps(elsewhere._asdict()).encode())


def place_of(folder: Path) -> Path:
    """Where the index of *folder* lies on this disk: there, or in an embedded database."""
    kept = read_elsewhere(folder)
    _, is_file, place = (kept.address if kept else "").partition("milvus+file:")
    return Path(place).parent if is_file else folder


def forget_elsewhere(folder: Path) -> None:
    """Remember nothing in *folder*, which goes if nothing else lies there."""
    with suppress(OSError):
        Layout(folder).elsewhere.unlink()
        folder.rmdir()


def check_kept_at(folder: Path, address: str) -> None:
    """Make sure that the index in *folder*, if there is one, is kept at *address*.

    Raises:
        UsageError: it is kept elsewhere.
    """
    from rerank_cli.store.milvus.address import parse_address

    kept = read_elsewhere(folder)
    asked = str(parse_address(address, collection=folder.name)) if address else "on this disk"
    where = kept.address if kept else "on this disk" if Layout(folder).catalog.exists() else asked
    if where != asked:
        raise UsageError(
            f"{folder.name}: this index is kept {'at ' * (kept is not None)}{where}",
            remedy="leave --store out, or make another index with --index NAME",
        )
