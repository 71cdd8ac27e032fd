"""Threads that answer: each has a library of its own over the same index, and all share the loaded models."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from rerank_cli.serve.queue import Job, Queue

Answering = Callable[[Callable[[], bool]], AbstractContextManager[Any]]
"""Opens what answers in the thread that calls it; it may ask whether anybody still waits."""


class Workers:
    """So many threads that take jobs from a queue until it is closed and empty.

    While one retrieves, another reranks: so the processors are never idle between two requests.
    """

    def __init__(self, queue: Queue, open_answers: Answering, *, count: int) -> None:
        self._queue = queue
        self._open_answers = open_answers
        self._threads = [threading.Thread(target=self._work, name=f"worker-{n}", daemon=True) for n in range(count)]

    def start(self) -> None:
        """Begin to answer."""
        for thread in self._threads:
            thread.start()

    def are_alive(self) -> bool:
        """Whether all of them are."""
        return all(thread.is_alive() for thread in self._threads)

    def join(self) -> None:
        """Wait until all that the queue had is answered. The queue is closed by then."""
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        current: list[Job] = []
        with self._open_answers(lambda: not current[0].is_given_up) as answers:
            while (taken := self._queue.take()) is not None:
                job, share_s = taken
                current[:] = [job]
                begun = time.monotonic()
                self._answer(job, answers, share_s)
                self._queue.done(time.monotonic() - begun)

    @staticmethod
    def _answer(job: Job, answers: Any, share_s: float) -> None:
        try:
            answer = job.work(answers, share_s)
        except BaseException as error:  # whoever waits for the answer gets it
            job.answer.set_exception(error)
        else:
            job.answer.set_result(answer)
