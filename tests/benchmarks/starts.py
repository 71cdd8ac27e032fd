"""What it costs to start: the processor time of whole commands that have next to nothing to do.

    python tests/benchmarks/starts.py FOLDER [--notes 10000] [--paragraphs 10] [--many 100000] [--rounds 15]
        [--other CHECKOUT]

It writes so many notes into FOLDER, and many short ones beside them, and indexes both, if they are not there, with
hashes in the place of the built-in encoder's vectors. Each command runs as a process of its own, in turn here and in
the other checkout. Beside the processor time stands how long the prompt waits after the last byte of output.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
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


def cost_of(checkout: Path, arguments: list[str]) -> tuple[float, float]:
    """Processor time of one run, what it starts included, and how long it stays after its output; in seconds."""
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program is compiled
    command = [sys.executable, "-P", "-m", "rerank_cli", *arguments]
    running = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    assert running.stdout is not None
    written = time.perf_counter()
    while os.read(running.stdout.fileno(), 65_536):
        written = time.perf_counter()
    _, status, usage = os.wait4(running.pid, 0)
    assert status == 0, arguments
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--notes", type=int, default=10_000)
    parser.add_argument("--paragraphs", type=int, default=10)
    parser.add_argument("--many", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--other", type=Path)
    asked = parser.parse_args()
    checkouts = [each.resolve() for each in (asked.other, HERE) if each]
    for name, arguments in commands(asked.folder.resolve(), asked.notes, asked.paragraphs, asked.many).items():
        columns = medians(checkouts, arguments, rounds=asked.rounds)
        told = (f"{cpu_s:6.3f} s, then {1000 * stays_s:3.0f} ms" for cpu_s, stays_s in columns)
        print(f"{name:30}", *told, flush=True)


def commands(
    folder: Path, count: int = 10_000, paragraphs: int = 10, count_of_many: int = 100_000
) -> dict[str, list[str]]:
    """The commands by name, over what is written into *folder* unless it lies there."""
    notes, index, many, index_of_many = (folder / name for name in ("notes", "index", "many", "index-of-many"))
    for place, how_many, length in ((notes, count, paragraphs), (many, count_of_many, 1)):
        if not place.exists():
            write_notes(place, count=how_many, paragraphs=length)
    for place, its_index in ((notes, index), (many, index_of_many)):
        if not its_index.exists():
            make_index(place, its_index)
    return {
        "--help": ["--help"],
        "status": ["status", "--index", str(index)],
        "index, nothing to do": ["index", str(notes), "--index", str(index)],
        "index of many, nothing to do": ["index", str(many), "--index", str(index_of_many)],
        "query --no-rerank": ["query", "w1a2 w3b w77", "--no-rerank", "--index", str(index)],
    }


def medians(checkouts: list[Path], arguments: list[str], *, rounds: int) -> list[tuple[float, float]]:
    """Of each of *checkouts*, what `cost_of` tells in the median of so many runs in turn."""
    for each in checkouts:
        cost_of(each, arguments)  # which compiles its modules
    runs = [[cost_of(each, arguments) for each in checkouts] for _ in range(rounds)]
    return [
        (statistics.median(cpu_s for cpu_s, _ in of_one), statistics.median(stays_s for _, stays_s in of_one))
        for of_one in zip(*runs, strict=True)
    ]


if __name__ == "__main__":
    main()
