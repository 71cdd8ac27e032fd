#!/usr/bin/env python3
"""Many clients at `rerank-cli serve`: refusals, deadlines, memory, and pairs a second against the bare reranker.

    python tests/benchmarks/serve_load.py INDEX QUERIES.jsonl [--clients 200] [--seconds 120] [--budget 5] [--limit N]

Starts a server of the index, and lets each client ask one query after another, the first N of them or all; who is
refused asks it again when told to. Before it, the reranker alone reads whole candidate lists of the same queries; after
it, as many of each as the server read on average. `pairs` are those that the answers tell of, and `read` those of them
whose scores were not remembered from an earlier answer. `overshoot` is by how much of its budget an answer came too
late, as the client sees it; below 0 it came in time. Machines are shared: rates by `cpu_s` compare what both made of
the processor time that they got.
Prints one object of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from rerank_cli import open_library
from rerank_cli.library import Library
from rerank_cli.ports import Reranker
from rerank_cli.queries import read_queries
from rerank_cli.records import Candidate
from rerank_cli.retrieval import retrieve

DEPTH = 100
LISTS = 20
"""Candidate lists that the bare reranker reads in turn."""

Lists = Sequence[tuple[str, list[str]]]


@dataclass
class Seen:
    """What all clients saw, and the server's megabytes each few seconds.

    `own` is its memory. `mapped` are pages of files, its models' weights first: the system may drop them at any time.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    overshoots: list[float] = field(default_factory=list)
    depths: list[int] = field(default_factory=list)
    pairs: int = 0
    read: int = 0
    partial: int = 0
    own: list[int] = field(default_factory=list)
    mapped: list[int] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index")
    parser.add_argument("queries", type=Path)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--budget", type=float, default=5.0)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--bare-seconds", type=float, default=20.0)
    arguments = parser.parse_args()
    queries = [query.text for query in read_queries(arguments.queries)][: arguments.limit]
    with open_library(index=arguments.index) as library:
        reranker, lists = library.reranker, candidate_lists(library, queries[:LISTS])
    bare = [measured(reranker, lists, arguments.bare_seconds)]
    with server(arguments.index) as (process, url):
        before_s, begun = processor_s(process.pid), time.monotonic()
        seen = asyncio.run(load(url, queries, arguments, process.pid))
        spent_s, took_s = processor_s(process.pid) - before_s, time.monotonic() - begun
        seen.read = pairs_read(url)
        process.terminate()
        code = process.wait(60)
    depth = round(sum(seen.depths) / max(1, len(seen.depths)))
    bare.append(measured(reranker, [(query, texts[:depth]) for query, texts in lists], arguments.bare_seconds))
    print(json.dumps(report(seen, bare, took_s, spent_s, code), indent=2))


def candidate_lists(library: Library, queries: Sequence[str]) -> Lists:
    """The texts that the reranker would read for each query."""

    def candidates(query: str) -> tuple[Candidate, ...]:
        return retrieve(library.index, query, encoder=library.encoder, retriever="hybrid", top_k=DEPTH)

    return [(query, [each.stored.passage.model_text for each in candidates(query)]) for query in queries]


def measured(reranker: Reranker, lists: Lists, seconds: float) -> dict[str, float]:
    """Pairs that the *reranker* alone reads in so many seconds, and in a second of processor time."""
    reranker.score_pairs(lists[0][0], lists[0][1][:8])
    pairs, begun, spent = 0, time.perf_counter(), time.process_time()
    for query, texts in itertools.cycle(lists):
        reranker.score_pairs(query, texts)
        pairs += len(texts)
        if time.perf_counter() - begun >= seconds:
            break
    took, spent = time.perf_counter() - begun, time.process_time() - spent
    return {"pairs_per_s": round(pairs / took, 1), "pairs_per_cpu_s": round(pairs / spent, 1)}


@contextmanager
def server(index: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server of the index, when it listens."""
    command = [sys.executable, "-m", "rerank_cli", "serve", "--index", index, "--http", "127.0.0.1:0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            yield process, re.findall(r"http://\S+", process.stderr.readline())[0]
        finally:
            process.kill()


def processor_s(pid: int) -> float:
    """Seconds of processor time that the process *pid* has had."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pairs_read(url: str) -> int:
    """Pairs that the reranker of the server has read."""
    found = re.search(r"^rerank_cli_pairs_total (\d+)$", httpx2.get(f"{url}/metrics").text, re.MULTILINE)
    assert found is not None
    return int(found[1])


async def load(url: str, queries: Sequence[str], arguments: argparse.Namespace, pid: int) -> Seen:
    """Let all clients ask until the time is over."""
    seen, until = Seen(), time.monotonic() + arguments.seconds
    limits = httpx2.Limits(max_connections=arguments.clients + 1)
    async with httpx2.AsyncClient(base_url=url, limits=limits, timeout=60) as http:
        watching = asyncio.create_task(watch(pid, seen))
        asked = itertools.cycle(queries)
        await asyncio.gather(*(client(http, asked, seen, until, arguments.budget) for _ in range(arguments.clients)))
        watching.cancel()
    return seen


async def client(http: httpx2.AsyncClient, asked: Iterator[str], seen: Seen, until: float, budget: float) -> None:
    query = next(asked)
    while time.monotonic() < until:
        begun = time.monotonic()
        try:
            response = await http.post("/search", json={"query": query, "budget": budget})
        except httpx2.HTTPError as error:
            seen.failures[repr(error)] += 1
            continue
        seen.statuses[response.status_code] += 1
        if response.status_code == 429:
            await asyncio.sleep(min(float(response.headers["retry-after"]), max(0.0, until - time.monotonic())))
        elif response.status_code == 200:
            answer, query = response.json(), next(asked)
            seen.overshoots.append((time.monotonic() - begun) / budget - 1)
            seen.depths.append(answer["reranked"])
            seen.pairs += answer["reranked"] * answer["pieces"]
            seen.partial += answer["partial"]


async def watch(pid: int, seen: Seen) -> None:
    while True:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        for name, figures in (("RssAnon", seen.own), ("RssFile", seen.mapped)):
            found = re.search(rf"^{name}:\s+(\d+) kB$", status, re.MULTILINE)
            assert found is not None
            figures.append(int(found[1]) * 1024 // 1_000_000)
        await asyncio.sleep(5)


def report(seen: Seen, bare: Sequence[dict[str, float]], took_s: float, spent_s: float, code: int) -> dict[str, object]:
    alone = {key: sum(each[key] for each in bare) / len(bare) for key in bare[0]}
    served = {
        "pairs_per_s": round(seen.pairs / took_s, 1),
        "pairs_per_cpu_s": round(seen.pairs / spent_s, 1),
        "read_per_s": round(seen.read / took_s, 1),
        "read_per_cpu_s": round(seen.read / spent_s, 1),
    }
    return {
        "statuses": dict(seen.statuses),
        "failures": dict(seen.failures),
        "overshoot": percentiles(seen.overshoots),
        "late_by_10_percent": sum(each > 0.1 for each in seen.overshoots),
        "reranked": percentiles(seen.depths),
        "partial": seen.partial,
        "bare": bare,
        "served": served,
        "of_bare": {key: round(rate / alone[key.replace("read", "pairs")], 3) for key, rate in served.items()},
        "own_mb": seen.own,
        "mapped_mb": seen.mapped,
        "exit_code": code,
    }


def percentiles(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    if not ordered:
        return {}
    return {
        f"p{share}": round(ordered[min(len(ordered) - 1, len(ordered) * share // 100)], 3)
        for share in (1, 50, 90, 99, 100)
    }


if __name__ == "__main__":
    main()
