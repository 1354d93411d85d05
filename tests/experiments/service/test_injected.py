"""Faults are brought about as they are meant, and what was acknowledged is looked for."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime

from sqlalchemy import insert

from experiments.benchmarks.service.injected.clients import Acknowledged, Window, count_missing
from experiments.benchmarks.service.injected.clock import MovedClock
from features.database import Database
from features.events.live.answers import LIVE_EVENTS

NOW = "import datetime, time; print(time.time(), datetime.datetime.now().timestamp(), time.monotonic())"


def test_a_moved_clock_moves_the_time_of_day_alone(tmp_path):
    clock = MovedClock(tmp_path)

    def read():
        environment = {**os.environ, **clock.environment}
        out = subprocess.run([sys.executable, "-c", NOW], env=environment, check=True, capture_output=True, text=True)
        return [float(number) for number in out.stdout.split()]

    clock.move(-3600)
    moved = read()
    clock.move(0)
    right = read()

    assert [round((after - before) / 60) for before, after in zip(moved, right, strict=True)] == [60, 60, 0]
    assert abs(right[0] - time.time()) < 60


def test_only_what_a_restore_may_have_taken_is_not_lost(tmp_path):
    url = f"sqlite:///{tmp_path / 'regroup.db'}"
    row = {"student_id": "s", "received_at": None, "event": "{}"}
    with Database(url) as database, database.changing() as connection:
        connection.execute(insert(LIVE_EVENTS).values({**row, "event_id": "there", "received_at": datetime.now(UTC)}))
    kept = [
        Acknowledged("event", "there", 1, 2),
        Acknowledged("event", "before the back-up", 3, 4),
        Acknowledged("event", "during the restore", 11, 12),
        Acknowledged("event", "after the restore", 21, 22),
    ]

    found = count_missing(url, kept, Window(10, 20))
    told = found.pop("missing")

    assert found == {"lost": 2, "unaudited": 0, "taken": 1}
    assert [" ".join(line.split()[:4]) for line in told] == ["event sent -7.00 s", "event sent +11.00 s"]
    assert count_missing(url, kept, None)["lost"] == 3
