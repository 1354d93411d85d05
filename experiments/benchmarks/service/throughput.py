"""Parts `throughput`, `overhead` and `start`: the mix of requests on 1, 2 and 4 workers, and what starting costs."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from experiments.benchmarks.service.load import Ask, Load, Order, Sample, generate, quantile
from experiments.benchmarks.service.mix import BUDGET_S, PLAN, mix_requests
from experiments.benchmarks.service.processes import memory_mb, run_service
from experiments.benchmarks.service.school import School
from features.console import track

WORKERS = (1, 2, 4)
THREADS = 8
"""That ask at the same time."""

REST_S = 0.5
"""Between two requests of a thread where the service is not to be kept at its limit."""

PLANS = 8.0
"""How many times as many plans as in the mix are then asked for, so that there are enough to judge."""

DURATION = re.compile(r"(\w+);dur=([\d.]+)")


def measure_mix(school: School, seconds: float, log: Path) -> list[dict[str, Any]]:
    """One row for each number of workers: requests a second, latency by route, errors, start and memory."""
    rows = []
    for workers in track(WORKERS, "numbers of workers", total=len(WORKERS)):
        with run_service(school.environment, workers, log) as server:
            asks = mix_requests(school, server.port)
            generate(Order(server.port, THREADS, min(3.0, seconds), asks, seed=0))  # warms up every worker
            load = generate(Order(server.port, THREADS, seconds, asks))
            calm = [replace(each, weight=each.weight * PLANS) if each.route == PLAN else each for each in asks]
            rested = generate(Order(server.port, THREADS, seconds, calm, rest_s=REST_S))
            alone = generate(Order(server.port, THREADS, 2.0, [Ask("livez", "GET", "/livez")]))
            rows.append(
                {
                    "workers": workers,
                    "ready_s": server.ready_s,
                    "memory_mb": [memory_mb(each) for each in server.workers()],
                    "rested": tell_load(rested),
                    "livez_per_second": len(alone.samples) / alone.wall_s,
                }
                | tell_load(load)
            )
    return rows


def tell_load(load: Load) -> dict[str, Any]:
    """Requests a second, how many of each status, milliseconds by route, and what a plan takes beyond its time."""
    routes = sorted({each.route for each in load.samples})
    statuses = Counter(each.status for each in load.samples)
    over = sorted(beyond_budget(each) for each in load.samples if each.timing)
    return {
        "requests": len(load.samples),
        "requests_per_second": len(load.samples) / load.wall_s,
        "statuses": {str(status): count for status, count in sorted(statuses.items())},
        "error_share": sum(count for status, count in statuses.items() if not 200 <= status < 400)  # noqa: PLR2004 - HTTP
        / max(1, len(load.samples)),
        "generator_cpu_share": load.cpu_s / load.wall_s,
        "ms": {route: tell_ms(load.of(route)) for route in routes},
        "beyond_budget_ms": tell_ms(over),
    }


def tell_ms(ordered: Sequence[float]) -> dict[str, float]:
    """Quantiles of ordered seconds, in milliseconds."""
    return {"count": len(ordered)} | {
        name: 1000 * quantile(ordered, share) for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
    }


def beyond_budget(sample: Sample) -> float:
    """Seconds of a plan's request beyond those it was given and the wait for its turn."""
    return sample.seconds - read_timing(sample)["queue"] - BUDGET_S


def beside_search(sample: Sample) -> float:
    """Seconds of a plan's request that neither its search nor the wait for its turn took."""
    told = read_timing(sample)
    return sample.seconds - told["queue"] - told["search"]


def read_timing(sample: Sample) -> dict[str, float]:
    """Seconds by name, as Server-Timing tells."""
    return {name: float(told) / 1000 for name, told in DURATION.findall(sample.timing)}
