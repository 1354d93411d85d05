"""Prometheus metrics of the whole service, whichever of its processes is asked."""

import os
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

LATENCY = Histogram("regroup_request_seconds", "Time to answer, by route template.", ["method", "route"])
ANSWERS = Counter("regroup_requests_total", "Answers, by route template and status.", ["method", "route", "status"])
REFUSED = Counter(
    "regroup_refused_connections_total",
    "Connections closed by limits: too_many, head_too_large, too_slow, not_read, no_http.",
    ["reason"],
)

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable with the folder in which the processes of one service share metrics; unset for one process."""


def count_answer(method: str, route: str, status: int, seconds: float) -> None:
    """Counts and times an answer.

    Args:
        method: The HTTP method, one of a known few, since labels are kept for ever.
        route: The template of the route; never an address, which holds ids.
        status: The HTTP status; 0 where no answer was sent.
        seconds: The time until the answer was sent.
    """
    LATENCY.labels(method, route).observe(seconds)
    ANSWERS.labels(method, route, str(status)).inc()


def count_refused(reason: str) -> None:
    """Counts a connection that was closed by a limit.

    Args:
        reason: The limit, one of a few names of this code.
    """
    REFUSED.labels(reason).inc()


def render_metrics() -> bytes:
    """The metrics in the format of Prometheus: of all processes where they share a folder, else of this one."""
    if SHARED not in os.environ:
        return generate_latest(REGISTRY)
    shared = CollectorRegistry()
    MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
    return generate_latest(shared)


def forget_ended_processes() -> None:
    """Removes the gauges of processes that have ended; their counters stay."""
    if SHARED not in os.environ:
        return
    for path in Path(os.environ[SHARED]).glob("gauge_live*_*.db"):
        process_id = int(path.stem.rpartition("_")[2])
        try:
            os.kill(process_id, 0)
        except ProcessLookupError:
            mark_process_dead(process_id)  # type: ignore[no-untyped-call]
        except PermissionError:
            pass  # the process runs under another user
