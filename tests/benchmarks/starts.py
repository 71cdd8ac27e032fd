"""What it costs to start: the processor time of whole commands that have next to nothing to do.

    python tests/benchmarks/starts.py FOLDER [--notes 10000] [--paragraphs 10] [--rounds 15] [--other CHECKOUT]

It writes so many notes into FOLDER and indexes them, if they are not there, with hashes in the place of the built-in
encoder's vectors. Each command runs as a process of its own, in turn here and in the other checkout.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

from index_cost import HashEncoder, write_notes

from rerank_cli.config import Settings
from rerank_cli.indexing import index_settings, update_index
from rerank_cli.models.loading import open_encoder
from rerank_cli.store import open_writer

HERE = Path(__file__).parents[2]


def make_index(notes: Path, index: Path) -> None:
    """An index that the commands take for one of the built-in encoder."""
    settings, encoder = Settings(), HashEncoder()
    encoder.fingerprint = open_encoder(settings.encoder).fingerprint
    with open_writer(index, wait_s=0) as writer:
        update_index(notes, writer=writer, encoder=encoder, settings=index_settings(settings, encoder=settings.encoder))


def cpu_s(checkout: Path, arguments: list[str]) -> float:
    """Processor time of one run, what it starts included."""
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program is compiled
    command = [sys.executable, "-P", "-m", "rerank_cli", *arguments]
    running = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(running.pid, 0)
    assert status == 0, arguments
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--notes", type=int, default=10_000)
    parser.add_argument("--paragraphs", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--other", type=Path)
    asked = parser.parse_args()
    notes, index = asked.folder.resolve() / "notes", asked.folder.resolve() / "index"
    if not notes.exists():
        write_notes(notes, count=asked.notes, paragraphs=asked.paragraphs)
    if not index.exists():
        make_index(notes, index)
    of_it = ["--index", str(index)]
    for name, arguments in {
        "--help": ["--help"],
        "status": ["status", *of_it],
        "index with nothing to do": ["index", str(notes), *of_it],
        "query --no-rerank": ["query", "w1a2 w3b w77", "--no-rerank", *of_it],
    }.items():
        checkouts = [each.resolve() for each in (asked.other, HERE) if each]
        for each in checkouts:
            cpu_s(each, arguments)  # which compiles its modules
        rounds = [[cpu_s(each, arguments) for each in checkouts] for _ in range(asked.rounds)]
        medians = [statistics.median(column) for column in zip(*rounds, strict=True)]
        print(f"{name:25}", *(f"{median:6.3f} s" for median in medians), flush=True)


if __name__ == "__main__":
    main()
