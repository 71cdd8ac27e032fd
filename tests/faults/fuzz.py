"""Look for bytes that break a reader, by atheris (`pip install atheris`; no test needs it) or without it by chance.

    python fuzz.py NAME SECONDS

NAME picks the reader as a file's name does: `a.md`, `a.html`, `a.csv` … It begins with the pieces of the format that
`tests/unit/corpus/test_fuzz.py` has. What it finds belongs there, or into `hostile.py` where it takes long.
"""

from __future__ import annotations

import importlib.util
import random
import sys
import time
from pathlib import Path

if importlib.util.find_spec("atheris"):
    import atheris

    with atheris.instrument_imports(include=["rerank_cli.corpus", "markdown_it"]):
        pass

from tests.unit.corpus.test_fuzz import ANYWHERE, PIECES, passages

MAX_BYTES = 2_000
SLOW_S = 2.0


def main() -> None:
    name, seconds = sys.argv[1], int(sys.argv[2])
    pieces = [piece.encode() for piece in (*PIECES.get(name, PIECES["a.txt"]), *ANYWHERE)]

    def read(content: bytes) -> None:
        started = time.process_time()
        try:
            passages(name, content)
        except BaseException:
            Path(f"found-{name}").write_bytes(content)
            raise
        if time.process_time() - started > SLOW_S:
            Path(f"slow-{name}").write_bytes(content)
            raise AssertionError(f"{len(content)} bytes took {time.process_time() - started:.1f} s")

    if importlib.util.find_spec("atheris"):
        by_atheris(name, seconds, pieces, read)
    else:
        by_chance(seconds, pieces, read)


def by_atheris(name: str, seconds: int, pieces: list[bytes], read) -> None:
    def one(given: bytes) -> None:
        """Half of the inputs choose pieces, one a byte; the others are the content itself."""
        content = b"".join(pieces[byte % len(pieces)] for byte in given[1:]) if given[:1] < b"\x80" else given[1:]
        read(content[:MAX_BYTES])

    atheris.Setup(
        [name, f"-max_total_time={seconds}", "-max_len=600", "-print_final_stats=1"],
        one,
    )
    atheris.Fuzz()


def by_chance(seconds: int, pieces: list[bytes], read) -> None:
    drawn = random.Random(time.time_ns())
    deadline = time.monotonic() + seconds
    tried = 0
    while time.monotonic() < deadline:
        count = drawn.randrange(1, 200)
        content = b"".join(drawn.choice(pieces) * drawn.choice((1, 1, 1, 2, 30)) for _ in range(count))
        read(content[:MAX_BYTES])
        tried += 1
    print(f"{tried} tried, none broke the reader")


if __name__ == "__main__":
    main()
