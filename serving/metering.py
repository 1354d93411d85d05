"""Prometheus metrics of all processes of one service, whichever of them is asked."""

import os
import time
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LATENCY = Histogram("regroup_request_seconds", "Time to answer, by route template.", ["method", "route"])
ANSWERS = Counter("regroup_requests_total", "Answers, by route template and status.", ["method", "route", "status"])

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Where several processes of one service keep their figures; each process alone without it."""

METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
"""A method is any word of the caller's; others are counted together."""


class Metering:
    """Counts and times every answer.

    Args:
        app: What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 500

        async def send_metered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_metered)
        finally:
            method = scope["method"] if scope["method"] in METHODS else "other"
            route = getattr(scope.get("route"), "path", "unknown")
            LATENCY.labels(method, route).observe(time.perf_counter() - begun)
            ANSWERS.labels(method, route, str(status)).inc()


def tell_metrics() -> bytes:
    """The metrics as Prometheus reads them: of all processes where they share a folder, else of this one."""
    if SHARED not in os.environ:
        return generate_latest(REGISTRY)
    shared = CollectorRegistry()
    MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
    return generate_latest(shared)


def forget_ended_processes() -> None:
    """Leaves out the present state of processes that are gone; what they counted stays."""
    if SHARED not in os.environ:
        return
    for path in Path(os.environ[SHARED]).glob("gauge_live*_*.db"):
        number = int(path.stem.rpartition("_")[2])
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            mark_process_dead(number)  # type: ignore[no-untyped-call]
        except PermissionError:
            pass  # it is there, and another user's
