"""A few requests plan at a time, in turn; a long queue is refused with a time to come back."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient

from serving.app import create_app
from serving.errors import QueueFullError
from serving.plans.turns.queue import MARGIN, SolverQueue
from serving.plans.turns.round_robin import Lane

LANE = Lane("North", "one")


def until(holds):
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.mark.parametrize("at_once", [1, 3])
def test_turns_come_in_the_order_asked_and_never_too_many_at_once(at_once):
    queue, order, inside, most = SolverQueue(at_once, 30, 20), [], [], []
    go = threading.Event()

    def plan(number):
        with queue.acquire(LANE):
            inside.append(number)
            most.append(len(inside))
            order.append(number)
            go.wait(20)
            inside.remove(number)

    with ThreadPoolExecutor(12) as pool:
        for number in range(12):
            pool.submit(plan, number)
            until(lambda number=number: len(order) + len(queue._robin.waiting) == number + 1)
        go.set()

    assert sorted(order) == list(range(12))
    assert max(most) == at_once
    assert at_once > 1 or order == list(range(12))  # of several that go in together, any may come to note it first
    assert (len(queue._robin.running), len(queue._robin.waiting)) == (0, 0)


def test_a_full_queue_and_a_turn_that_does_not_come_are_refused_with_a_time():
    queue = SolverQueue(1, 1, 0.05)
    with queue.acquire(LANE) as waited:
        assert waited == 0
        with pytest.raises(QueueFullError) as late, queue.acquire(LANE):
            pass
        assert int(late.value.headers["Retry-After"]) >= 1
        assert not queue._robin.waiting
    with pytest.raises(ZeroDivisionError), queue.acquire(LANE):
        raise ZeroDivisionError
    with queue.acquire(LANE) as waited:  # a turn that failed was handed on
        assert waited == 0


def test_a_key_that_asks_without_a_pause_keeps_no_other_school_out(monkeypatch):
    """Its own requests are refused instead, and a turn of its that is long is not waited for."""
    monkeypatch.setattr("serving.plans.turns.round_robin.LONG_S", 0.05)
    queue, planned, refused, go = SolverQueue(1, 4, 20), [], [], threading.Event()

    def hog():
        try:
            with queue.acquire(Lane("North", "hog")):
                go.wait(20)
        except QueueFullError:
            refused.append("North")

    def plan():
        with queue.acquire(Lane("South", "other")):
            planned.append("South")

    with ThreadPoolExecutor(30) as pool:
        hogs = [pool.submit(hog) for _ in range(20)]
        until(lambda: len(refused) == 15)
        others = [pool.submit(plan) for _ in range(2)]
        for other in others:
            other.result(20)
        held = [hog for hog in hogs if not hog.done()]
        go.set()

    assert planned == ["South"] * 2
    assert set(refused) == {"North"}
    assert 1 < len(held) <= 5


def test_the_service_refuses_plans_beyond_its_queue_and_goes_on_answering(own_school, monkeypatch):
    monkeypatch.setenv("REGROUP_QUEUE", "0")
    body = {"team_id": own_school.team_ids[0], "date": "2026-03-16", "seconds": 0.05}
    with TestClient(create_app(), headers=own_school.headers) as client:
        with client.app.state.queue.acquire(LANE):
            refused = client.post("/v1/recommendations", json=body, headers={"Idempotency-Key": "one"})
            board = client.get(f"/v1/teams/{own_school.team_ids[0]}/board")
        made = client.post("/v1/recommendations", json=body, headers={"Idempotency-Key": "one"})

    assert (refused.status_code, refused.json()["rule"]) == (503, "queue_full")
    assert int(refused.headers["Retry-After"]) >= 1
    assert board.status_code == 200
    assert made.status_code == 201
    assert made.headers["Server-Timing"].startswith("queue;dur=0.0, search;dur=")


def test_a_quarter_more_than_answering_took_lately_is_kept_free_by_all_plans_but_one():
    queue = SolverQueue(1, 0, 1.0)
    assert queue.answering_s == 0.0

    found = []
    for took in [0.3, *[0.006] * 20, 0.03, *[0.006] * 300]:
        queue.note_answering(took)
        found.append(round(queue.answering_s / MARGIN, 9))

    assert found[0] == 0.3
    assert found[1:21] == [0.006] * 20
    assert found[21:300] == [0.03] * 279
    assert found[300:] == [0.006] * 22
