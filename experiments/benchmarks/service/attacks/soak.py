"""A long day of mixed requests and live events: does what a worker holds in memory come to rest?"""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from experiments.benchmarks.memory import rss_mb
from experiments.benchmarks.service.load import DAY, Connection, Request
from experiments.benchmarks.service.processes import Server, run_service
from experiments.benchmarks.service.school import School
from features.console import OUT
from features.events.log.store import read_events
from features.home import Home

WORKERS, CLIENTS = 2, 4
REQUESTS, QUICK_REQUESTS, EACH = 50_000, 4_000, 1_000

SHARES = {
    "board": 24, "forecasts": 20, "profile": 24, "events": 8, "plans": 6, "plan": 1,
    "models": 6, "metrics": 2, "unknown team": 5, "no key": 4,
}  # fmt: skip
"""Requests of each kind in a hundred."""

EVENTS, NEW_ITEM_SHARE = 3, 0.02
"""Events of a batch, and how many of them are about an item that nobody answered before the day."""

PLAN_S = 0.05
STEP = timedelta(seconds=1)
BEGIN = datetime.fromisoformat(f"{DAY}T08:00:00").replace(tzinfo=UTC) + timedelta(days=1)
"""When the first event occurs, and the time to the next."""


@dataclass
class _Progress:
    """What all clients together have sent."""

    sent: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, most: int) -> int | None:
        """Returns the number of the next request; null where all are sent."""
        with self.lock:
            if self.sent >= most:
                return None
            self.sent += 1
            return self.sent

    def note(self, kind: str, status: int) -> None:
        with self.lock:
            self.statuses[f"{kind} {status}"] += 1


def soak(school: School, log: Path, quick: bool) -> dict[str, Any]:
    """Returns the memory of the largest worker by a thousand requests, and by how much it grows in the last half.

    The growth is null where `quick`: so few requests fill the caches for the first time.
    """
    most = QUICK_REQUESTS if quick else REQUESTS
    items = _items_of(school)
    progress, memory = _Progress(), list[dict[int, float]]()
    with run_service(school.environment, WORKERS, log) as server:
        students = _students_of(school, server.port)
        clients = [
            threading.Thread(target=_ask, args=(school, server.port, students, items, most, progress, at))
            for at in range(CLIENTS)
        ]
        begun = time.perf_counter()
        for client in clients:
            client.start()
        while any(client.is_alive() for client in clients):
            if progress.sent >= EACH * (len(memory) + 1):
                memory.append(_memory_of(server))
                _say(progress.sent, memory[-1])
            time.sleep(0.02)
        memory.append(_memory_of(server))
    return {
        "requests": progress.sent,
        "seconds": time.perf_counter() - begun,
        "statuses": dict(sorted(progress.statuses.items())),
        "failed": sum(count for name, count in progress.statuses.items() if name.endswith((" 0", " 500"))),
        "rss_mb": max(max(sample.values()) for sample in memory),
        "rss_mb_by_thousand": [round(max(sample.values()), 1) for sample in memory],
        "slope_mb_per_10k": None if quick else max(_slope([each[worker] for each in memory]) for worker in memory[-1]),
    }


def _slope(by_thousand: Sequence[float]) -> float:
    """Returns by how many MB memory grows in 10,000 requests, from a line through the last half of the samples."""
    last = by_thousand[len(by_thousand) // 2 :]
    return float(10 * np.polyfit(np.arange(len(last)), last, 1)[0])


def _memory_of(server: Server) -> dict[int, float]:
    return {worker: rss_mb(worker) for worker in server.workers()}


def _say(sent: int, memory: dict[int, float]) -> None:
    OUT.print(f"... {sent} requests: {', '.join(f'{each:.0f} MB' for each in memory.values())}", style="dim")


def _students_of(school: School, port: int) -> dict[str, list[str]]:
    connection = Connection(port)
    boards = {
        team: json.loads(connection.send("GET", f"/v1/teams/{team}/board", school.headers).body)
        for team in school.team_ids
    }
    connection.close()
    return {team: [row["student_id"] for row in board["students"]] for team, board in boards.items()}


def _ask(
    school: School,
    port: int,
    students: dict[str, list[str]],
    items: dict[str, list[str]],
    most: int,
    progress: _Progress,
    seed: int,
) -> None:
    rng, connection = random.Random(seed), Connection(port)  # noqa: S311 - no secret
    while (number := progress.take(most)) is not None:
        request = _draw(school, students, items, rng, number)
        try:
            status = connection.send(request.method, request.path, request.headers, request.body.encode()).status
        except OSError:
            status = 0
        progress.note(request.route, status)
    connection.close()


def _items_of(school: School) -> dict[str, list[str]]:
    """Returns the items that each student answered before the day.

    They answer these again: who answered items of any skill would soon practice all skills of the school, and grow the
    forecasts that a worker keeps by more than any day does.
    """
    answers = read_events(Home(school.home), columns=["student_id", "item_id"]).dropna().drop_duplicates()
    return {str(student): rows.tolist() for student, rows in answers.groupby("student_id")["item_id"]}


def _draw(
    school: School, students: dict[str, list[str]], items: dict[str, list[str]], rng: random.Random, number: int
) -> Request:
    kind = rng.choices(list(SHARES), list(SHARES.values()))[0]
    team = rng.choice(school.team_ids)
    if kind == "events":
        events = [
            {
                "event_id": f"soak-{school.key[-8:]}-{number}-{at}",
                "student_id": student,
                "occurred_at": (BEGIN + number * STEP).isoformat(),
                "item_id": f"new-{number % 100}" if rng.random() < NEW_ITEM_SHARE else rng.choice(items[student]),
                "score": rng.randrange(2),
            }
            for at, student in enumerate(rng.choices(students[team], k=EVENTS))
        ]
        return Request(kind, "POST", "/v1/events", school.headers, json.dumps({"events": events}))
    if kind == "plan":
        body = json.dumps({"team_id": team, "date": DAY, "seconds": PLAN_S})
        return Request(kind, "POST", "/v1/recommendations", school.headers, body)
    paths = {
        "board": f"/v1/teams/{team}/board",
        "forecasts": f"/v1/teams/{team}/forecasts",
        "profile": f"/v1/students/{rng.choice(students[team])}/profile",
        "plans": f"/v1/recommendations?team_id={team}",
        "models": "/v1/models",
        "metrics": "/metrics",
        "unknown team": f"/v1/teams/none-{number}/board",
        "no key": f"/v1/teams/{team}/board",
    }
    return Request(kind, "GET", paths[kind], {} if kind == "no key" else school.headers)
