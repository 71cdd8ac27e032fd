#!/usr/bin/env python3
"""From `pip install` to the first answer, beside the download.

    python tests/benchmarks/first_minute.py [--small] [--wheels FOLDER]

What has to be downloaded is put into FOLDER before, unless it lies there already. Then it takes the time of each step
in a fresh environment with empty folders of its own: `pip install` from FOLDER alone, `index sample_docs` and a
`query`. With --small it installs what README.md calls the small install.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parents[2]
QUESTION = "the blade in the kitchen crushes food rather than cutting it"
BUILD = ["pip", "setuptools>=77", "wheel", "pybind11", "numpy", "hatchling"]
"""What hnswlib and this package are built with."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--wheels", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        wheels = (asked.wheels or Path(scratch) / "wheels").resolve()
        print(json.dumps(measured(Path(scratch), wheels, small=asked.small)))


def measured(scratch: Path, wheels: Path, *, small: bool) -> dict[str, float]:
    """Seconds of each step, and of all after the download."""
    needs = (
        ["-r", str(HERE / "configs" / "small-install.txt"), "ir_measures", "pytrec-eval-terrier"] if small else ["."]
    )
    if not wheels.exists():
        run([sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(wheels), *BUILD, *needs])
    own = {f"XDG_{kind}_HOME": str(scratch / kind.lower()) for kind in ("DATA", "CONFIG", "CACHE")}
    environment = {**os.environ, **own}
    local = ["install", "--quiet", "--no-cache-dir", "--no-index", "--find-links", str(wheels)]
    python, program = scratch / "venv" / "bin" / "python", str(scratch / "venv" / "bin" / "rerank-cli")
    pip = [str(python), "-m", "pip", *local]
    # As README.md has them.
    installs = [[*pip, *needs[:2]], [*pip, "--no-deps", ".", *needs[2:]]] if small else [[*pip, "--no-compile", "."]]
    steps = {
        "environment": [[sys.executable, "-m", "venv", str(scratch / "venv")]],
        "install": installs,
        "index": [[program, "index", "sample_docs", "--quiet"]],
        "query": [[program, "query", QUESTION, "--top-n", "3"]],
    }
    taken = {}
    for name, commands in steps.items():
        started = time.perf_counter()
        for command in commands:
            run(command, environment)
        taken[name] = round(time.perf_counter() - started, 1)
    return {**taken, "in all": round(sum(taken.values()), 1)}


def run(command: list[str], environment: dict[str, str] | None = None) -> None:
    """Run *command* in the repository to its end."""
    subprocess.run(command, check=True, cwd=HERE, env=environment, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
