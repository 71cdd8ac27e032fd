"""What indexing a folder costs in this checkout against another one, with an encoder that costs nothing.

    python tests/benchmarks/index_tree.py FOLDER OTHER_CHECKOUT [--rounds 5]

Each round indexes FOLDER anew in both, in turn, as processes of their own; prints CPU and wall seconds and their ratio.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parents[2]


def measured(checkout: Path, folder: Path) -> tuple[float, float]:
    """CPU and wall seconds of one first run."""
    with tempfile.TemporaryDirectory() as index:
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(
            [sys.executable, checkout / "tests" / "faults" / "indexer.py", folder, Path(index) / "index"],
            env={**os.environ, "PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        wall_s, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("other", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    ratios = []
    for _ in range(asked.rounds):
        (other_cpu_s, other_wall_s), (cpu_s, wall_s) = (measured(each, asked.folder) for each in (asked.other, HERE))
        ratios.append((cpu_s / other_cpu_s, wall_s / other_wall_s))
        print(
            f"other {other_cpu_s:6.2f} s CPU {other_wall_s:6.2f} s   here {cpu_s:6.2f} s CPU {wall_s:6.2f} s",
            flush=True,
        )
    cpu, wall = (statistics.median(column) for column in zip(*ratios, strict=True))
    print(f"median ratio here to other: CPU {cpu:.3f}, wall {wall:.3f}")


if __name__ == "__main__":
    main()
