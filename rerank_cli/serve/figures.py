"""What the server counts, as Prometheus reads it."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

BOUNDS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Of the histogram of answering times."""

MEANINGS = {
    "requests_total": ("counter", "Requests by path and status."),
    "request_seconds": ("histogram", "Seconds from a whole request to its answer."),
    "pairs_total": ("counter", "Pairs of a query and a passage that the reranker read."),
    "recalled_total": ("counter", "Pairs that the reranker had read lately, so that their scores were known."),
    "partial_total": ("counter", "Answers that time cut."),
    "given_up_total": ("counter", "Requests whose client went away."),
    "waiting": ("gauge", "Requests that wait."),
    "running": ("gauge", "Requests that are being answered."),
    "resident_bytes": ("gauge", "Memory that the process holds."),
}


class Figures:
    """Counts, from one thread."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, int]] = Counter()
        self._times: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self._counts: Counter[str] = Counter()
        self._sums: dict[str, float] = defaultdict(float)

    def count_request(self, path: str, status: int) -> None:
        """A request has been answered with *status*."""
        self._requests[path, status] += 1

    def count_answer(self, path: str, *, seconds: float, pairs: int, recalled: int, partial: bool) -> None:
        """It took so many *seconds*, and so many *pairs* were read for it; of others the scores were *recalled*."""
        self._times[path][bisect_left(BOUNDS_S, seconds)] += 1
        self._sums[path] += seconds
        self._counts["pairs_total"] += pairs
        self._counts["recalled_total"] += recalled
        self._counts["partial_total"] += partial

    def count_given_up(self) -> None:
        """A client has gone before its answer."""
        self._counts["given_up_total"] += 1

    def lines(self, now: Mapping[str, float]) -> Iterator[str]:
        """Prometheus' text; *now* has the gauges by name."""
        for name, (kind, meaning) in MEANINGS.items():
            full = f"rerank_cli_{name}"
            yield f"# HELP {full} {meaning}"
            yield f"# TYPE {full} {kind}"
            if name == "requests_total":
                for (path, status), count in sorted(self._requests.items()):
                    yield f'{full}{{path="{path}",status="{status}"}} {count}'
            elif kind == "histogram":
                yield from self._histogram(full)
            else:
                yield f"{full} {now.get(name, self._counts[name]):.0f}"

    def _histogram(self, name: str) -> Iterator[str]:
        for path, counts in sorted(self._times.items()):
            below = 0
            for place, bound in enumerate([*map(str, BOUNDS_S), "+Inf"]):
                below += counts[place]
                yield f'{name}_bucket{{path="{path}",le="{bound}"}} {below}'
            yield f'{name}_sum{{path="{path}"}} {self._sums[path]:.6f}'
            yield f'{name}_count{{path="{path}"}} {below}'
