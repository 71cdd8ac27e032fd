#!/usr/bin/env python3
"""Wall time of a whole `eval` of a collection, without remembered scores and with them.

    python tests/benchmarks/eval_time.py COLLECTION

COLLECTION is a folder with `corpus.jsonl`, `queries.jsonl` and `qrels.tsv`. Models are compiled and the index is made
beforehand; the depth is the default. Prints both times as JSON, and fails if the two runs measured anything else.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    collection = Path(sys.argv[1])
    program = [sys.executable, "-m", "rerank_cli"]
    with tempfile.TemporaryDirectory() as scratch:
        environment = {**os.environ, "XDG_CACHE_HOME": f"{scratch}/cache", "XDG_DATA_HOME": f"{scratch}/data"}
        for preparation in (["models", "prepare"], ["index", str(collection / "corpus.jsonl")]):
            subprocess.run([*program, *preparation], env=environment, check=True, stdout=subprocess.DEVNULL)
        seconds, records = [], []
        for _ in range(2):
            begun = time.perf_counter()
            command = [*program, "eval", "--collection", str(collection), "--json"]
            done = subprocess.run(command, env=environment, check=True, capture_output=True)
            seconds.append(round(time.perf_counter() - begun, 1))
            records.append(json.loads(done.stdout))
    if records[0]["measures"] != records[1]["measures"]:
        sys.exit("remembered scores gave other measures")
    print(json.dumps({"queries": records[0]["collection"]["asked"], "cold_s": seconds[0], "warm_s": seconds[1]}))


if __name__ == "__main__":
    main()
