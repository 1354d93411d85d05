"""Attacks on the edge of the service: headers without an end, requests without an end, and large bodies."""

import asyncio
import json
import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from experiments.benchmarks.memory import memory_mb
from experiments.benchmarks.service.load import DAY, Connection, Load, LoadPlan, Request, generate, quantile
from experiments.benchmarks.service.processes import Server, run_service
from experiments.benchmarks.service.school import School, issue_key

WORKERS = 2
SECONDS, QUICK_SECONDS = 20.0, 5.0

HEADERS, PIECE = 2, 2**16
"""Connections that send a header without an end, and bytes of one piece of it."""

HALF_OPEN, OPEN_FILES, AGAIN_S = 3000, 1024, 1.0
"""Connections that stay half open, files that the service may have open, and seconds before one that was closed is
opened again."""

BODIES, BODY_BYTES = 8, 15 * 2**20
"""Connections that send large batches of events, and bytes of each, which are less than the service takes."""

SMALL_EVENT = {"occurred_at": f"{DAY}T08:00:00Z", "score": 1, "item_id": "attack", "student_id": "attack"}

LIVEZ = Request("livez", "GET", "/livez", {"Connection": "close"}, weight=4)
"""Each is asked on a connection of its own, as a monitor does."""


def send_slow_headers(school: School, log: Path, quick: bool) -> dict[str, Any]:
    """Returns what `/livez` takes while some connections send a header that never ends."""
    with run_service(school.environment, WORKERS, log) as server:
        before = _memory(server)
        with _during(_send_endless_headers, server.port):
            load = _probe(server.port, [LIVEZ], quick=quick)
        return _summarize(load, "livez") | {"memory_mb": [before, _memory(server)]}


def stay_half_open(school: School, log: Path, quick: bool) -> dict[str, Any]:
    """Returns the share of answers to `/livez` while thousands of requests are begun and never ended."""
    with (
        run_service(school.environment, WORKERS, log, open_files=OPEN_FILES) as server,
        _during(_stay_half_open, server.port),
    ):
        time.sleep(2.0)  # until they are open
        return _summarize(_probe(server.port, [LIVEZ], quick=quick), "livez") | {"connections": HALF_OPEN}


def send_big_bodies(school: School, log: Path, quick: bool) -> dict[str, Any]:
    """Returns what boards take while a key that may only read sends large batches, and then one that may load them."""
    only_read, only_load = (issue_key(school.environment, [scope], per_minute=1200) for scope in ("read", "load"))
    boards = [Request("board", "GET", f"/v1/teams/{team}/board", school.headers) for team in school.team_ids]
    with run_service(school.environment, WORKERS, log) as server:
        _probe(server.port, boards, quick=True)  # every process has read each board once
        before = _memory(server)
        with _during(_send_bodies, server.port, only_read):
            load = _probe(server.port, [*boards, LIVEZ], quick=quick)
        with _during(_send_bodies, server.port, only_load):
            loading = _probe(server.port, [*boards, LIVEZ], quick=quick)
        figures = _summarize(load, "board") | _summarize(load, "livez")
        figures |= {f"loading_{name}": value for name, value in _summarize(loading, "board").items()}
        figures |= {f"loading_{name}": value for name, value in _summarize(loading, "livez").items()}
        return figures | {"memory_mb": [before, _memory(server)]}


def _probe(port: int, requests: list[Request], *, quick: bool) -> Load:
    return generate(LoadPlan(port, 2, QUICK_SECONDS if quick else SECONDS, requests, rest_s=0.03))


def _summarize(load: Load, route: str) -> dict[str, Any]:
    """Returns the share of requests of a route that were answered well, and milliseconds of these."""
    asked, answered = sum(sample.route == route for sample in load.samples), load.of(route)
    return {
        f"{route}_requests": asked,
        f"{route}_ok_share": len(answered) / max(asked, 1),
        f"{route}_p50_ms": 1000 * quantile(answered, 0.5),
        f"{route}_p99_ms": 1000 * quantile(answered, 0.99),
        f"{route}_max_ms": 1000 * quantile(answered, 1.0),
    }


def _memory(server: Server) -> float:
    return max(memory_mb(worker)["uss"] for worker in server.workers())


@contextmanager
def _during(attack: Callable[..., None], *arguments: object) -> Iterator[None]:
    """Context in which an attack goes on in a process of its own."""
    process = get_context("spawn").Process(target=attack, args=arguments, daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def _send_endless_headers(port: int) -> None:
    async def send() -> None:
        while True:
            with suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"GET /livez HTTP/1.1\r\nHost: a\r\nX-A: ")
                with suppress(OSError):
                    while not writer.is_closing() and not reader.at_eof():
                        writer.write(b"a" * PIECE)
                        await writer.drain()
                        await asyncio.sleep(0)
                writer.close()
            await asyncio.sleep(0.01)

    async def send_all() -> None:
        await asyncio.gather(*(send() for _ in range(HEADERS)))

    asyncio.run(send_all())


def _stay_half_open(port: int) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    async def stay(at: int) -> None:
        await asyncio.sleep(AGAIN_S * at / HALF_OPEN)
        while True:
            with suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"GET /livez HTTP/1.1\r\nHost: a\r\nX-A: a")
                with suppress(OSError):
                    await reader.read()
                writer.close()
            await asyncio.sleep(AGAIN_S)

    async def stay_all() -> None:
        await asyncio.gather(*(stay(at) for at in range(HALF_OPEN)))

    asyncio.run(stay_all())


def _send_bodies(port: int, key: str) -> None:
    event = json.dumps(SMALL_EVENT)
    body = ('{"events": [' + ",".join([event] * (BODY_BYTES // (len(event) + 1))) + "]}").encode()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def send() -> None:
        connection = Connection(port)
        while True:
            try:
                connection.send("POST", "/v1/events", headers, body)
            except OSError:
                time.sleep(0.01)

    for _ in range(BODIES):
        threading.Thread(target=send, daemon=True).start()
    threading.Event().wait()
