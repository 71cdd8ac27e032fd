"""A process of its own that indexes with the fake encoder, for tests that kill it or take its disk away.

    python indexer.py ROOT INDEX [--stop-at STAGE DONE] [--stop-before-commit] [--limit BYTES] [--wait-s S] [--rebuild]
                                 [--tell-start] [--search auto|exact|hnsw]

It prints "begun" once it has imported all that it needs, if it is to tell its start; "stopped", and waits for ever,
where it was told to; else one line of JSON that says how it ended.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path

from rerank_cli.errors import RerankError
from rerank_cli.indexing import IndexSettings, update_index
from rerank_cli.records import Progress, Rules
from rerank_cli.store import open_writer, writer
from tests.fakes import FakeEncoder


def stop(*_: object) -> None:
    print("stopped", flush=True)
    time.sleep(600)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("index", type=Path)
    parser.add_argument("--stop-at", nargs=2, default=("", "0"))
    parser.add_argument("--stop-before-commit", action="store_true")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--delay-s", type=float, default=0.0)
    parser.add_argument("--wait-s", type=float, default=0.0)
    parser.add_argument("--rebuild", action="store_true")
    parser.add_argument("--tell-start", action="store_true")
    parser.add_argument("--search", default="auto")
    asked = parser.parse_args()
    if asked.stop_before_commit:  # the new vectors are written, COMMIT comes next
        writer.write_generation = stop  # type: ignore[assignment]
    if asked.limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (asked.limit, asked.limit))

    def listen(progress: Progress) -> None:
        if (progress.stage, str(progress.done)) == tuple(asked.stop_at):
            stop()

    if asked.tell_start:
        print("begun", flush=True)
    try:
        with open_writer(asked.index, wait_s=asked.wait_s, rebuild=asked.rebuild, search=asked.search) as held:
            summary = update_index(
                asked.root,
                writer=held,
                encoder=FakeEncoder(delay_s=asked.delay_s),
                settings=IndexSettings(encoder="fake", passage_tokens=40, rules=Rules()),
                rebuild=asked.rebuild,
                listener=listen,
            )
    except RerankError as error:
        print(json.dumps({"error": type(error).__name__, "message": str(error), "remedy": error.remedy}))
    else:
        print(json.dumps({"generation": summary.generation, "encoded": summary.encoded}))


if __name__ == "__main__":
    main()
