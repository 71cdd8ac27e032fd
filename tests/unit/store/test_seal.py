"""What the catalog is compared with leaves the locks alone that keep a reader's generation."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from rerank_cli.store import open_reader
from rerank_cli.store.layout import Layout
from tests.conftest import Plant, Update

USE_AND_LEAVE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("SELECT count(*) FROM passages").fetchone()
connection.close()
"""


def test_a_process_that_leaves_does_not_take_itself_for_the_last_one_while_a_reader_is_there(
    plant: Plant, update: Update, index_folder: Path
) -> None:
    """The last one folds SQLite's log back and removes it, under the feet of whoever still reads."""
    plant({"a.md": "Bleed the radiator.\n"})
    update()
    catalog = Layout(index_folder).catalog
    log = catalog.with_name(f"{catalog.name}-wal")
    with open_reader(index_folder), open_reader(index_folder):
        assert log.exists()
        subprocess.run([sys.executable, "-c", USE_AND_LEAVE, str(catalog)], check=True, timeout=60)
        assert log.exists()
