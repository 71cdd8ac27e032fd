#!/usr/bin/env python3
"""How fast a whole first `index` of a corpus is, against its bare encoder session and against a plain script.

    python tests/benchmarks/index_rate.py CORPUS.jsonl [--script SCRIPT] [--rounds 3]

Each round indexes CORPUS anew, in a process of its own. Then the compiled encoder's session alone runs on the tokens of
all its passages, with as many threads. With SCRIPT, as `against_naive.py` has it, that indexes CORPUS too. Prints the
medians of seconds by the clock and of all processors, passages and documents a second, and the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
from against_naive import LAUNCHER
from tokenizers import Encoding, Tokenizer

from rerank_cli.config import Settings
from rerank_cli.models.catalogue import find_model
from rerank_cli.models.compiled import GRAPH_NAME, TOKENIZER_NAME
from rerank_cli.models.loading import prepare
from rerank_cli.models.onnx import worker_count
from rerank_cli.store import open_reader

Seconds = tuple[float, float]
"""By the clock, and of all processors."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--script", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        print(json.dumps(rates(asked.corpus.resolve(), asked.script, Path(scratch), rounds=asked.rounds), indent=2))


def rates(corpus: Path, script: Path | None, scratch: Path, *, rounds: int) -> dict[str, object]:
    """What each side took in the median, in turn, and the ratios of what the program does to what others do."""
    taken: dict[str, list[Seconds]] = {"index": [], "bare session": [], **({"plain script": []} if script else {})}
    passages = 0
    for number in range(rounds):
        index = scratch / f"index-{number}"
        taken["index"].append(
            process([sys.executable, "-m", "rerank_cli", "index", str(corpus), "--index", str(index)])
        )
        run, passages = bare_session(index)
        taken["bare session"].append(run())
        if script:
            encoder = str(find_model(Settings().encoder, "encoder").folder)
            plain = [
                sys.executable,
                "-c",
                LAUNCHER,
                str(script),
                "index",
                str(corpus),
                str(scratch / f"plain-{number}"),
            ]
            taken["plain script"].append(process([*plain, "--encoder", encoder]))
    documents = sum(1 for line in corpus.open(encoding="utf-8") if line.strip())
    medians = {name: [statistics.median(column) for column in zip(*each, strict=True)] for name, each in taken.items()}
    return {
        "documents": documents,
        "passages": passages,
        "seconds": {
            name: {"clock": round(wall, 2), "processors": round(cpu, 2)} for name, (wall, cpu) in medians.items()
        },
        "documents a second": {name: round(documents / wall, 1) for name, (wall, _) in medians.items()},
        "index against": {
            name: {"clock": round(wall / medians["index"][0], 3), "processors": round(cpu / medians["index"][1], 3)}
            for name, (wall, cpu) in medians.items()
            if name != "index"
        },
    }


def process(command: list[str]) -> Seconds:
    """Run *command* to its end."""
    started = time.perf_counter()
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(running.pid, 0)
    if status:
        raise SystemExit(f"ended with {status}: {' '.join(command)}")
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime


def bare_session(index: Path) -> tuple[Callable[[], Seconds], int]:
    """What runs the encoder's graph alone over the passages of *index*, which are tokens already, and their number."""
    model = prepare(find_model(Settings().encoder, "encoder"))
    tokenizer = Tokenizer.from_file(str(model.folder / TOKENIZER_NAME))
    tokenizer.enable_truncation(model.max_tokens)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model.folder / GRAPH_NAME), options, providers=["CPUExecutionProvider"])
    names = [given.name for given in session.get_inputs()]
    with open_reader(index) as reader:
        texts = {stored.passage.model_text for stored in reader.scan()}
    encodings = sorted(tokenizer.encode_batch(list(texts)), key=lambda encoding: -len(encoding.ids))

    def one(encoding: Encoding) -> None:
        given = {
            "input_ids": encoding.ids,
            "attention_mask": encoding.attention_mask,
            "token_type_ids": encoding.type_ids,
        }
        session.run(None, {name: np.array([given[name]], dtype=np.int64) for name in names})

    def run() -> Seconds:
        started, cpu = time.perf_counter(), time.process_time()
        with ThreadPoolExecutor(worker_count()) as pool:
            for _ in pool.map(one, encodings):
                pass
        return time.perf_counter() - started, time.process_time() - cpu

    return run, len(encodings)


if __name__ == "__main__":
    main()
