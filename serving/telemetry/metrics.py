"""Prometheus metrics of all processes of one service, whichever of them is asked."""

import os
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

LATENCY = Histogram("regroup_request_seconds", "Time to answer, by route template.", ["method", "route"])
ANSWERS = Counter("regroup_requests_total", "Answers, by route template and status.", ["method", "route", "status"])

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Where several processes of one service keep their figures; each process alone without it."""


def count_answer(method: str, route: str, status: int, seconds: float) -> None:
    """Counts and times an answer.

    Args:
        method: Of a known few, since labels are kept for ever.
        route: Its template; never an address, which holds ids.
        status: Of HTTP; 0 where none went out.
        seconds: That it took.
    """
    LATENCY.labels(method, route).observe(seconds)
    ANSWERS.labels(method, route, str(status)).inc()


def render_metrics() -> bytes:
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
