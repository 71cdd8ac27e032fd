"""How many passages a second Ray's workers index on this machine, beside a local run of the same folder.

    python tests/benchmarks/ray_rate.py FOLDER [--rounds 3]

Runs alternate, each a process of its own and with an index of its own. Whole is from the start of the process to its
end. Steady is from the first file that was read to the last vector, which leaves out what Ray takes to start and to
end. The vectors of both are compared byte by byte.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rerank_cli.library import open_library
from rerank_cli.records import Progress


class Clock:
    """Notes when the first file had been read, and when the index began to be written."""

    def __init__(self) -> None:
        self.first_s = self.last_s = 0.0

    def __call__(self, progress: Progress) -> None:
        if (progress.stage, progress.done) == ("read", 1):
            self.first_s = time.monotonic()
        if progress.stage == "write":
            self.last_s = time.monotonic()


def run(folder: Path, index: Path, workers: str) -> None:
    """Index *folder*, as a process of its own does."""
    clock = Clock()
    with open_library(folder, index=index, workers=workers, listener=clock) as library:
        summary = library.update()
    content = b"".join(path.read_bytes() for path in sorted(index.glob("*.vectors")))
    found = {"passages": summary.encoded, "steady_s": clock.last_s - clock.first_s}
    print(json.dumps({**found, "vectors": hashlib.sha256(content).hexdigest()}))


def measured(folder: Path, workers: str) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as index:
        command = [sys.executable, __file__, str(folder), "--index", f"{index}/index", "--workers", workers]
        begun = time.monotonic()
        told = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
        whole_s = time.monotonic() - begun
    return {
        "workers": workers,
        "passages": told["passages"],
        "whole_s": round(whole_s, 1),
        "steady_s": round(told["steady_s"], 1),
        "vectors": told["vectors"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--index", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--workers", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.index:
        run(asked.folder, asked.index, asked.workers)
        return
    ratios: dict[str, list[float]] = {"whole": [], "steady": []}
    for _ in range(asked.rounds):
        local, ray = (measured(asked.folder, workers) for workers in ("local", "ray"))
        assert local["vectors"] == ray["vectors"], "not the same vectors"
        for what, each in ratios.items():
            each.append(local[f"{what}_s"] / ray[f"{what}_s"])
        for one in (local, ray):
            print(json.dumps(one), flush=True)
    for what, each in ratios.items():
        print(f"{what}: {statistics.median(each):.2f} of the local rate ({', '.join(f'{one:.2f}' for one in each)})")


if __name__ == "__main__":
    main()
