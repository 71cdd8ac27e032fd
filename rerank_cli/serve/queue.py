"""Requests that wait for a worker: so many at most, and each gets a share of time that leaves the others theirs."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from statistics import median
from threading import Condition
from typing import Any

SAID_BACK, SAID_BACK_S = 0.05, 0.05
"""Share of a request's time that is left for the way back, and the least seconds: many may be told at once."""

REMEMBERED = 16
"""Answers by which it is known what one takes: as many as tell of the last seconds."""


LATELY_S = 10.0
"""So long it counts that a request was refused: who sent it will come back."""

MOST_REFUSED = 1024
"""Refusals that are counted at most."""

MOST_RETRY_S = 30.0
"""Nobody is told to stay away longer because others were refused before."""


class TooBusy(Exception):
    """A request cannot be answered in its time. After `retry_s` there will be room, as far as can be told."""

    def __init__(self, retry_s: float) -> None:
        super().__init__(retry_s)
        self.retry_s = retry_s


class Stopping(Exception):
    """No request is taken any more."""


@dataclass(eq=False)
class Job:
    """A request. `work` gets what answers it, and the seconds that it may take until its `deadline`."""

    work: Callable[[Any, float], Any]
    deadline: float
    answer: Future[Any] = field(default_factory=Future)
    is_given_up: bool = False

    def give_up(self) -> None:
        """Say that nobody waits for the answer any more."""
        self.is_given_up = True
        self.answer.cancel()


def job_within(budget_s: float, work: Callable[[Any, float], Any]) -> Job:
    """A job that is to be answered *budget_s* from now."""
    return Job(work, time.monotonic() + budget_s - max(budget_s * SAID_BACK, SAID_BACK_S))


def fair_share(deadlines: Sequence[float], *, now: float, workers: int, running: int = 0) -> float:
    """The most seconds that each of the jobs may take, if all take the same, so that none misses its deadline.

    They are begun by *deadlines*, the first due first, by so many *workers*; so many jobs are *running* already. The
    job at place k, from 0, ends in turn 1 + ceil((k + running) / workers) at the latest.
    """
    ordered = enumerate(sorted(deadlines))
    return min((due - now) / (1 + math.ceil((place + running) / workers)) for place, due in ordered)


class Queue:
    """Jobs that wait, the one that is due first in front. Any thread may use it."""

    def __init__(self, *, most: int, workers: int, least_s: float) -> None:
        """At most so many wait for so many *workers*; none is to have less than *least_s*, which `learn` corrects."""
        self._costs = deque([least_s], maxlen=REMEMBERED)
        self._took: deque[float] = deque(maxlen=REMEMBERED)
        self._refused: deque[float] = deque(maxlen=MOST_REFUSED)
        self._most = most
        self._workers = workers
        self._waiting: list[Job] = []
        self._running = 0
        self._is_closed = False
        self._changed = Condition()

    @property
    def least_s(self) -> float:
        """Seconds that an answer of some depth takes, by the median of the last ones."""
        return median(self._costs)

    def learn(self, least_s: float) -> None:
        """Remember what an answer took, or would have taken with that depth."""
        with self._changed:
            self._costs.append(least_s)

    @property
    def waiting(self) -> int:
        """How many jobs wait."""
        return len(self._wanted())

    @property
    def running(self) -> int:
        """How many jobs are being answered."""
        return self._running

    @property
    def is_closed(self) -> bool:
        """Whether no job is taken any more."""
        return self._is_closed

    def put(self, job: Job) -> None:
        """Let *job* wait.

        Raises:
            TooBusy: too many wait, or with it one of them would have less than `least_s`, which an answer takes.
            Stopping: no job is taken any more.
        """
        with self._changed:
            if self._is_closed:
                raise Stopping
            self._waiting = self._wanted()
            share = self._share([*self._waiting, job], running=self._running)
            is_idle = not self._waiting and not self._running
            if not is_idle and (len(self._waiting) >= self._most or share < self.least_s):
                raise TooBusy(self._retry_s())
            self._waiting = sorted([*self._waiting, job], key=lambda each: each.deadline)
            self._changed.notify()

    def take(self) -> tuple[Job, float] | None:
        """The next job and the seconds that it may take, when there is one; None when none will come any more.

        One that has waited until half of `least_s` is left is refused, for it would be late.
        """
        with self._changed:
            while True:
                self._changed.wait_for(lambda: self._waiting or self._is_closed)
                self._waiting = self._wanted()
                if not self._waiting:
                    if self._is_closed:
                        return None
                    continue
                share = self._share(self._waiting, running=0)
                job = self._waiting.pop(0)
                if not job.answer.set_running_or_notify_cancel():
                    continue
                is_late = job.deadline - time.monotonic() < self.least_s / 2
                if is_late and (self._waiting or self._running):
                    job.answer.set_exception(TooBusy(self._retry_s()))
                    continue
                self._running += 1
                return job, share

    def done(self, took_s: float) -> None:
        """Say that a job which was taken has its answer, which *took_s*."""
        with self._changed:
            self._running -= 1
            self._took.append(took_s)

    def close(self) -> None:
        """Take no job any more. Those that wait are still answered."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _wanted(self) -> list[Job]:
        """Those that wait and that somebody waits for."""
        return [each for each in self._waiting if not each.is_given_up]

    def _share(self, jobs: Sequence[Job], *, running: int) -> float:
        due = [job.deadline for job in jobs]
        return fair_share(due, now=time.monotonic(), workers=self._workers, running=running)

    def _retry_s(self) -> float:
        """When all that wait now will have been answered, and those who were refused lately and come back before.

        Those that wait are answered at their deadlines, or sooner if the last answers came so. Were all who are
        refused to come back at once, most of them would be refused again, and keep others waiting by that.
        """
        now = time.monotonic()
        while self._refused and self._refused[0] < now - LATELY_S:
            self._refused.popleft()
        latest_s = max((job.deadline for job in self._waiting), default=0.0) - now
        turns = math.ceil((len(self._waiting) + self._running) / self._workers)
        took_s = median(self._took) if self._took else math.inf
        room_s = max(1.0, min(latest_s, turns * took_s))
        behind_s = len(self._refused) * took_s / self._workers if self._took else 0.0
        self._refused.append(now)
        return min(room_s + behind_s, max(room_s, MOST_RETRY_S))
