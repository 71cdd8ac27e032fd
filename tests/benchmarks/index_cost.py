"""What `index` costs beside the encoder: memory, processor and bytes written, first and for a change.

    python tests/benchmarks/index_cost.py FOLDER [--notes 200000] [--paragraphs 1]

It writes so many notes of paragraphs of 100 words into FOLDER, if they are not there, and indexes them three times with
an encoder that costs nothing: everything, nothing, and one note that was changed. Each run is a process of its own.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rerank_cli.arrays import Vectors
from rerank_cli.indexing import IndexSettings, update_index
from rerank_cli.records import Rules
from rerank_cli.store import open_writer

DIMENSIONS = 384
WORDS = 100
VOCABULARY = 30_000


class HashEncoder:
    """Unit vectors that are a hash of the text. Words are its tokens."""

    fingerprint = "hash"
    dimensions = DIMENSIONS
    max_tokens = 512

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self.encode_passages(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        drawn = b"".join(hashlib.shake_128(text.encode()).digest(2 * DIMENSIONS) for text in texts)
        vectors = np.frombuffer(drawn, dtype="<i2").reshape(len(texts), DIMENSIONS).astype(np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--notes", type=int, default=200_000)
    parser.add_argument("--paragraphs", type=int, default=1)
    parser.add_argument("--once", action="store_true", help="index, and tell what it cost")
    asked = parser.parse_args()
    notes, index = asked.folder / "notes", asked.folder / "index"
    if asked.once:
        print(json.dumps(cost_of_a_run(notes.resolve(), index)))
        return
    if not notes.exists():
        write_notes(notes, count=asked.notes, paragraphs=asked.paragraphs)
    print("run      passages  encoded  cpu_s  peak MB  written MB")
    for name in ("first", "nothing", "a change"):
        if name == "a change":
            place = notes / "00" / "0.md"
            place.write_text(f"{place.read_text(encoding='utf-8')}\n\n{time.time_ns()}\n", encoding="utf-8")
        command = [sys.executable, __file__, str(asked.folder), "--once"]
        told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print(
            f"{name:8} {told['passages']:8} {told['encoded']:8} {told['cpu_s']:6.2f} {told['peak_mb']:8.0f}"
            f" {told['written_mb']:11.2f}",
            flush=True,
        )


def write_notes(folder: Path, *, count: int, paragraphs: int) -> None:
    """Words as rare as those of a language, in a hundred folders."""
    drawn = random.Random(0)
    words = [f"w{number:x}" for number in range(VOCABULARY)]
    shares = list(itertools.accumulate(1 / (number + 10) for number in range(VOCABULARY)))
    for number in range(count):
        place = folder / f"{number % 100:02}" / f"{number}.md"
        place.parent.mkdir(parents=True, exist_ok=True)
        texts = (" ".join(drawn.choices(words, cum_weights=shares, k=WORDS)) for _ in range(paragraphs))
        place.write_text("\n\n".join(texts), encoding="utf-8")


def cost_of_a_run(notes: Path, index: Path) -> dict[str, float]:
    """Bring the index up to date; what that cost this process."""
    written = written_bytes()
    settings = IndexSettings("hash", 180, Rules())
    with open_writer(index, wait_s=0) as writer:
        summary = update_index(notes, writer=writer, encoder=HashEncoder(), settings=settings)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "passages": summary.passages,
        "encoded": summary.encoded,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6,
        "written_mb": (written_bytes() - written) / 1e6,
    }


def written_bytes() -> int:
    """What this process has written so far, where the system tells."""
    if not os.path.exists("/proc/self/io"):  # noqa: PTH110
        return 0
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("wchar"))


if __name__ == "__main__":
    main()
