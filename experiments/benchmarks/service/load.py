"""The load generator: threads that send one request after the other, in a process of their own.

`python -m experiments.benchmarks.service.load` takes a `LoadPlan` as JSON on standard input and prints its `Load`.
"""

import json
import random
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day

TIMEOUT_S = 120
"""Longest wait for one response."""


@dataclass(frozen=True, slots=True)
class Response:
    """A response of a server; headers are by lower-case name."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """A kept-open HTTP/1.1 connection over a bare socket, so that the client costs little beside the server.

    It sends one request after the other to a port of this machine, and opens again after a break.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self._rest = b""

    def send(self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Response:
        """Sends a request and reads the answer.

        Raises:
            OSError: The connection was refused or broke; nothing is known of the request.
        """
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        try:
            if self._socket is None:
                self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=TIMEOUT_S)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._rest = b""
            self._socket.sendall("\r\n".join([*lines, "", ""]).encode() + body)
            answer = self._read()
        except OSError:
            self.close()
            raise
        if answer.headers.get("connection") == "close":
            self.close()
        return answer

    def close(self) -> None:
        """Closes it; the next request opens another."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _read(self) -> Response:
        while b"\r\n\r\n" not in self._rest:
            self._more()
        head, self._rest = self._rest.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        size = int(headers.get("content-length", "0"))
        while len(self._rest) < size:
            self._more()
        body, self._rest = self._rest[:size], self._rest[size:]
        return Response(int(first.split()[1]), headers, body)

    def _more(self) -> None:
        assert self._socket is not None
        part = self._socket.recv(2**18)
        if not part:
            raise ConnectionResetError("the server closed the connection before it had answered")
        self._rest += part


UNIQUE, MOMENT = "@unique@", "@moment@"
"""Replaced in every body: the first by text that no other request has, the second by a later moment each time."""

DAY, FIRST_BELL, SCHOOL_S = "2026-03-16", time_of_day(8), 8 * 3600
"""The day that is planned, and when events of it occur."""


@dataclass(frozen=True)
class Request:
    """One kind of request: `route` is its name in the figures, `weight` how often it is sent beside the others."""

    route: str
    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    weight: float = 1.0


@dataclass(frozen=True)
class LoadPlan:
    """A time of load on one port by some threads, each of which rests between two requests, on average `rest_s`."""

    port: int
    threads: int
    seconds: float
    requests: Sequence[Request]
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
        """Returns seconds of the answered requests of a route, the quickest first."""
        return sorted(sample.seconds for sample in self.samples if sample.route == route and 200 <= sample.status < 400)  # noqa: PLR2004 - HTTP


def generate(plan: LoadPlan) -> Load:
    """Runs the load in another process, and waits for it."""
    command = [sys.executable, "-m", __name__]
    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        command, input=json.dumps(asdict(plan)), capture_output=True, text=True, check=True
    )
    load = json.loads(done.stdout)
    return Load([Sample(*sample) for sample in load["samples"]], load["wall_s"], load["cpu_s"])


def fill(body: str) -> bytes:
    """Returns a body with its marks replaced, so that it is unique and its events are later than those before."""
    seconds = time.time() % SCHOOL_S
    moment = datetime.combine(date.fromisoformat(DAY), FIRST_BELL, UTC) + timedelta(seconds=seconds)
    return body.replace(UNIQUE, uuid.uuid4().hex).replace(MOMENT, moment.isoformat()).encode()


def quantile(ordered: Sequence[float], share: float) -> float:
    """Returns the value below which that share of ordered values lies; of none, not a number."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def _ask(plan: LoadPlan, number: int, until: float, samples: list[Sample]) -> None:
    rng, connection = random.Random(plan.seed * 1000 + number), Connection(plan.port)  # noqa: S311 - no secret
    weights = [request.weight for request in plan.requests]
    while time.perf_counter() < until:
        request = rng.choices(plan.requests, weights)[0]
        body = fill(request.body)
        begun = time.perf_counter()
        try:
            answer = connection.send(request.method, request.path, request.headers, body)
            status, timing = answer.status, answer.headers.get("server-timing", "")
        except OSError:
            status, timing = 0, ""
        samples.append(Sample(request.route, time.perf_counter() - begun, status, timing))
        if plan.rest_s:
            time.sleep(rng.expovariate(1 / plan.rest_s))
    connection.close()


def _run(plan: LoadPlan) -> Load:
    samples: list[Sample] = []
    begun = time.perf_counter()
    until = begun + plan.seconds
    threads = [threading.Thread(target=_ask, args=(plan, at, until, samples)) for at in range(plan.threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Load(samples, time.perf_counter() - begun, time.process_time())


def main() -> None:
    """Reads a plan, runs it, and prints the load."""
    fields = json.load(sys.stdin)
    load = _run(LoadPlan(**fields | {"requests": [Request(**request) for request in fields["requests"]]}))
    rows = [(sample.route, sample.seconds, sample.status, sample.timing) for sample in load.samples]
    json.dump({"samples": rows, "wall_s": load.wall_s, "cpu_s": load.cpu_s}, sys.stdout)


if __name__ == "__main__":
    main()
