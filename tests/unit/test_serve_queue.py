"""Requests wait in a bounded queue, and each gets the time that leaves the others theirs."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerank_cli.serve.queue import LATELY_S, MOST_RETRY_S, Job, Queue, Stopping, TooBusy, fair_share, job_within
from rerank_cli.serve.workers import Workers


def job(budget_s: float, answer: object = None) -> Job:
    return job_within(budget_s, lambda answers, seconds: answer)


def queue(*, most: int = 10, workers: int = 1, least_s: float = 0.0) -> Queue:
    return Queue(most=most, workers=workers, least_s=least_s)


def test_a_lone_request_may_take_all_its_time() -> None:
    assert fair_share([10.0], now=4.0, workers=2) == 6.0


def test_a_request_leaves_time_to_those_behind_it() -> None:
    assert fair_share([10.0, 10.0, 10.0], now=1.0, workers=1) == 3.0
    assert fair_share([10.0, 100.0], now=0.0, workers=1) == 10.0
    assert fair_share([10.0, 4.0], now=0.0, workers=1) == 4.0
    assert fair_share([10.0, 10.0, 10.0], now=0.0, workers=2) == 5.0


@given(st.lists(st.floats(0.1, 100.0), min_size=1, max_size=30), st.integers(1, 4))
def test_no_request_misses_its_deadline_if_each_takes_its_share(deadlines: list[float], workers: int) -> None:
    free, waiting = [0.0] * workers, sorted(deadlines)
    while waiting:
        begun = min(free)
        share = fair_share(waiting, now=begun, workers=workers)
        due = waiting.pop(0)
        free[free.index(begun)] = begun + share
        assert begun + share <= due + 1e-6


def test_what_is_due_first_is_taken_first() -> None:
    waiting = queue()
    jobs = [job(30.0), job(10.0), job(20.0)]
    for each in jobs:
        waiting.put(each)
    taken = [waiting.take() for _ in jobs]
    assert [each[0] for each in taken if each] == [jobs[1], jobs[2], jobs[0]]


def test_no_more_wait_than_may() -> None:
    waiting = queue(most=2)
    waiting.put(job(10.0))
    waiting.put(job(20.0))
    with pytest.raises(TooBusy) as refused:
        waiting.put(job(10.0))
    assert 15.0 < refused.value.retry_s <= 20.0
    assert waiting.waiting == 2


def test_who_is_refused_is_told_to_come_back_when_the_last_answers_say_that_there_is_room() -> None:
    waiting = queue(most=6, workers=2)
    for _ in range(6):
        waiting.put(job(60.0))
    for took_s in (0.5, 2.0, 90.0):
        waiting.take()
        waiting.done(took_s)
        waiting.put(job(60.0))
    with pytest.raises(TooBusy) as refused:
        waiting.put(job(60.0))
    assert refused.value.retry_s == 3 * 2.0  # six wait for two workers


def test_those_who_are_refused_come_back_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    waiting = queue(most=1, workers=2)
    waiting.put(job(60.0))
    waiting.take()
    waiting.done(3.0)
    waiting.put(job(60.0))

    def told() -> float:
        with pytest.raises(TooBusy) as refused:
            waiting.put(job(60.0))
        return refused.value.retry_s

    assert [told() for _ in range(4)] == [3.0, 4.5, 6.0, 7.5]
    assert [told() for _ in range(2000)][-1] == MOST_RETRY_S
    now[0] += LATELY_S + 1.0  # nobody was refused since
    assert told() == 3.0


def test_a_request_that_would_take_others_their_time_is_refused() -> None:
    waiting = queue(least_s=4.0)
    waiting.put(job(8.0))
    waiting.put(job(100.0))
    with pytest.raises(TooBusy):
        waiting.put(job(5.0))
    waiting.put(job(100.0))


def test_a_server_with_nothing_to_do_takes_what_can_hardly_be_done() -> None:
    waiting = queue(least_s=3.0)
    waiting.put(job(0.5))
    assert waiting.waiting == 1


def test_a_request_that_has_waited_until_it_would_be_late_is_told_so() -> None:
    waiting = queue()
    late, other = job(5.0), job(60.0)
    waiting.put(late)
    waiting.put(other)
    waiting.learn(30.0)
    taken = waiting.take()
    assert taken and taken[0] is other
    assert isinstance(late.answer.exception(0), TooBusy)


def test_what_an_answer_takes_is_judged_by_the_last_ones_and_not_by_a_slow_one() -> None:
    waiting = queue(least_s=9.0)
    waiting.learn(5.0)
    assert waiting.least_s == 7.0
    for seconds in (*[2.0] * 9, *[3.0] * 6, 100.0):
        waiting.learn(seconds)
    assert waiting.least_s == 2.0


def test_who_has_gone_takes_no_place_and_no_worker() -> None:
    waiting = queue(most=1)
    gone = job(10.0)
    waiting.put(gone)
    gone.give_up()
    other = job(10.0)
    waiting.put(other)
    taken = waiting.take()
    assert taken and taken[0] is other


def test_who_has_gone_takes_no_time_of_others_either() -> None:
    waiting = queue(most=20)
    gone = [job(9.0) for _ in range(9)]
    for each in (*gone, job(10.0)):
        waiting.put(each)
    for each in gone:
        each.give_up()
    assert waiting.waiting == 1
    taken = waiting.take()
    assert taken and taken[1] > 9.0


def test_a_closed_queue_takes_nothing_and_gives_what_it_has() -> None:
    waiting = queue()
    waiting.put(job(10.0))
    waiting.close()
    with pytest.raises(Stopping):
        waiting.put(job(10.0))
    assert waiting.take() is not None
    assert waiting.take() is None


class Noting:
    """What answers in a thread; it notes which one opened and closed it."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.closed: list[str] = []

    def open(self, is_wanted: Any) -> Any:
        noting = self

        class Opened:
            def __enter__(self) -> Any:
                noting.opened.append(threading.current_thread().name)
                return is_wanted

            def __exit__(self, *_: object) -> None:
                noting.closed.append(threading.current_thread().name)

        return Opened()


def test_each_worker_opens_and_closes_in_its_own_thread_and_ends_with_the_queue() -> None:
    waiting, noting = queue(workers=2), Noting()
    workers = Workers(waiting, noting.open, count=2)
    jobs = [job(30.0, answer=n) for n in range(5)]
    for each in jobs:
        waiting.put(each)
    workers.start()
    assert [each.answer.result(30) for each in jobs] == [0, 1, 2, 3, 4]
    waiting.close()
    workers.join()
    assert sorted(noting.opened) == sorted(noting.closed) == ["worker-0", "worker-1"]
    assert waiting.running == 0


def test_a_worker_outlives_what_fails_in_it() -> None:
    waiting, noting = queue(), Noting()
    workers = Workers(waiting, noting.open, count=1)
    broken = job_within(30.0, lambda answers, seconds: 1 / 0)
    fine = job(40.0, answer="fine")
    waiting.put(broken)
    waiting.put(fine)
    workers.start()
    assert fine.answer.result(30) == "fine"
    assert isinstance(broken.answer.exception(30), ZeroDivisionError)
    waiting.close()
    workers.join()


def test_a_request_that_is_given_up_while_it_runs_is_told_so() -> None:
    waiting, noting, begun, told = queue(), Noting(), threading.Event(), threading.Event()

    def work(is_wanted: Any, seconds: float) -> bool:
        begun.set()
        assert is_wanted()
        assert told.wait(30)
        return bool(is_wanted())

    workers = Workers(waiting, noting.open, count=1)
    running = job_within(30.0, work)
    waiting.put(running)
    workers.start()
    assert begun.wait(30)
    running.give_up()
    told.set()
    assert running.answer.result(30) is False
    waiting.close()
    workers.join()
