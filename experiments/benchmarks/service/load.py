"""The load generator: threads that ask one request after the other, in a process of their own.

`python -m experiments.benchmarks.service.load` takes an `Order` as JSON on standard input and prints its `Load`.
"""

import json
import random
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day

from experiments.benchmarks.service.connection import Connection

UNIQUE, MOMENT = "@unique@", "@moment@"
"""Replaced in every body: the first by text that no other request has, the second by a later moment each time."""

DAY, FIRST_BELL, SCHOOL_S = "2026-03-16", time_of_day(8), 8 * 3600
"""The day that is planned, and when events of it occur."""


@dataclass(frozen=True)
class Ask:
    """One kind of request.

    Attributes:
        route: Its name in the figures.
        method: Of HTTP.
        path: With what is asked for.
        headers: Of the request.
        body: JSON, or empty.
        weight: How often beside the others.
    """

    route: str
    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    weight: float = 1.0


@dataclass(frozen=True)
class Order:
    """A time of load on one port by some threads, each of which rests between two requests, on average `rest_s`."""

    port: int
    threads: int
    seconds: float
    asks: Sequence[Ask]
    seed: int = 1
    rest_s: float = 0.0


@dataclass(frozen=True)
class Sample:
    """One request; `status` is 0 where the connection broke, `timing` the header Server-Timing."""

    route: str
    seconds: float
    status: int
    timing: str


@dataclass(frozen=True)
class Load:
    """All requests, the time that they took together, and the processor time of who asked, in seconds."""

    samples: list[Sample]
    wall_s: float
    cpu_s: float

    def of(self, route: str) -> list[float]:
        """Seconds of the answered requests of a route, the quickest first."""
        return sorted(each.seconds for each in self.samples if each.route == route and 200 <= each.status < 400)  # noqa: PLR2004 - HTTP


def generate(order: Order) -> Load:
    """Runs the load in another process, and waits for it."""
    command = [sys.executable, "-m", __name__]
    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        command, input=json.dumps(asdict(order)), capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout)
    return Load([Sample(*each) for each in told["samples"]], told["wall_s"], told["cpu_s"])


def fill(body: str) -> bytes:
    """A body to be sent: its marks replaced, so that it is like no other and its events are later than those before."""
    seconds = time.time() % SCHOOL_S
    moment = datetime.combine(date.fromisoformat(DAY), FIRST_BELL, UTC) + timedelta(seconds=seconds)
    return body.replace(UNIQUE, uuid.uuid4().hex).replace(MOMENT, moment.isoformat()).encode()


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which that share of ordered values lies; of none, not a number."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def _ask(order: Order, number: int, until: float, samples: list[Sample]) -> None:
    lots, connection = random.Random(order.seed * 1000 + number), Connection(order.port)  # noqa: S311 - no secret
    weights = [each.weight for each in order.asks]
    while time.perf_counter() < until:
        ask = lots.choices(order.asks, weights)[0]
        body = fill(ask.body)
        begun = time.perf_counter()
        try:
            answer = connection.ask(ask.method, ask.path, ask.headers, body)
            status, timing = answer.status, answer.headers.get("server-timing", "")
        except OSError:
            status, timing = 0, ""
        samples.append(Sample(ask.route, time.perf_counter() - begun, status, timing))
        if order.rest_s:
            time.sleep(lots.expovariate(1 / order.rest_s))
    connection.close()


def _run(order: Order) -> Load:
    samples: list[Sample] = []
    begun = time.perf_counter()
    until = begun + order.seconds
    threads = [threading.Thread(target=_ask, args=(order, at, until, samples)) for at in range(order.threads)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return Load(samples, time.perf_counter() - begun, time.process_time())


def main() -> None:
    """Reads the order, runs it, prints what came of it."""
    given = json.load(sys.stdin)
    load = _run(Order(**given | {"asks": [Ask(**each) for each in given["asks"]]}))
    rows = [(each.route, each.seconds, each.status, each.timing) for each in load.samples]
    json.dump({"samples": rows, "wall_s": load.wall_s, "cpu_s": load.cpu_s}, sys.stdout)


if __name__ == "__main__":
    main()
