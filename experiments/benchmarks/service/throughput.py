"""Parts `mix` and `plans`: a mix of requests on 1, 2 and 4 workers, and what a plan takes beyond its time."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from experiments.benchmarks.figures import make_table, print_tables
from experiments.benchmarks.memory import memory_mb
from experiments.benchmarks.service.load import Load, LoadPlan, Request, Sample, generate, quantile
from experiments.benchmarks.service.mix import BUDGET_S, PLAN, mix_requests
from experiments.benchmarks.service.processes import run_service
from experiments.benchmarks.service.school import School
from features.console import track

WORKERS = (1, 2, 4)
THREADS = 8
"""Threads that send requests at the same time."""

REST_S = 0.5
"""Rest between two requests of a thread where the service is not to be kept at its limit."""

PLANS = 8.0
"""How many times as many plans as in the mix are then asked for, so that there are enough of them."""

DURATION = re.compile(r"(\w+);dur=([\d.]+)")


def measure_mix(school: School, seconds: float, log: Path) -> list[dict[str, Any]]:
    """Returns one row for each number of workers: requests a second, latency by route, errors, start and memory."""
    rows = []
    for workers in track(WORKERS, "numbers of workers", total=len(WORKERS)):
        with run_service(school.environment, workers, log) as server:
            requests = mix_requests(school, server.port)
            generate(LoadPlan(server.port, THREADS, min(3.0, seconds), requests, seed=0))  # warms up every worker
            load = generate(LoadPlan(server.port, THREADS, seconds, requests))
            calm = [
                replace(request, weight=request.weight * PLANS) if request.route == PLAN else request
                for request in requests
            ]
            rested = generate(LoadPlan(server.port, THREADS, seconds, calm, rest_s=REST_S))
            rows.append(
                {
                    "workers": workers,
                    "ready_s": server.ready_s,
                    "memory_mb": [memory_mb(worker) for worker in server.workers()],
                    "rested": summarize_load(rested),
                }
                | summarize_load(load)
            )
    print_tables(*_show_mix(rows))
    return rows


def summarize_load(load: Load) -> dict[str, Any]:
    """Returns requests a second, statuses, milliseconds by route, and what a plan takes beyond its time."""
    routes = sorted({sample.route for sample in load.samples})
    statuses = Counter(sample.status for sample in load.samples)
    over = sorted(beyond_budget(sample) for sample in load.samples if sample.timing)
    return {
        "requests": len(load.samples),
        "requests_per_second": len(load.samples) / load.wall_s,
        "statuses": {str(status): count for status, count in sorted(statuses.items())},
        "error_share": sum(count for status, count in statuses.items() if not 200 <= status < 400)  # noqa: PLR2004 - HTTP
        / max(1, len(load.samples)),
        "generator_cpu_share": load.cpu_s / load.wall_s,
        "ms": {route: to_quantiles(load.of(route)) for route in routes},
        "beyond_budget_ms": to_quantiles(over),
    }


def to_quantiles(ordered: Sequence[float]) -> dict[str, float]:
    """Returns quantiles of ordered seconds, in milliseconds."""
    return {"count": len(ordered)} | {
        name: 1000 * quantile(ordered, share) for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
    }


def beyond_budget(sample: Sample) -> float:
    """Returns seconds of a plan's request beyond the time asked for and the wait for its turn."""
    return sample.seconds - read_timing(sample)["queue"] - BUDGET_S


def beside_search(sample: Sample) -> float:
    """Returns seconds of a plan's request that neither its search nor the wait for its turn took."""
    timing = read_timing(sample)
    return sample.seconds - timing["queue"] - timing["search"]


def read_timing(sample: Sample) -> dict[str, float]:
    """Returns seconds by name, from the header Server-Timing."""
    return {name: float(value) / 1000 for name, value in DURATION.findall(sample.timing)}


READERS = 8
"""Callers beside those that ask for plans without a pause, and how long each rests between two requests."""

DRAWS = 2000
"""Resamples of the bootstrap."""


def measure_plans(school: School, seconds: float, log: Path) -> dict[str, Any]:
    """Returns milliseconds beyond the budget and the wait for a turn, by what else is asked for at the same time.

    The processes share the database and nothing else, and each has its share of the callers, as a balancer in front of
    them sees to.
    """
    with run_service(school.environment, 1, log) as one, run_service(school.environment, 1, log) as other:
        ports = (one.port, other.port)
        requests = mix_requests(school, one.port)
        plans = [request for request in requests if request.route == PLAN]
        reads = [request for request in requests if request.method == "GET"]
        mixes: Mapping[str, Sequence[Request]] = {
            "nothing": (),
            "reads": reads,
            "reads and events": [request for request in requests if request.route != PLAN],
        }
        for port in ports:  # warms up
            generate(LoadPlan(port, READERS, min(3.0, seconds), requests, seed=0))
        figures = {}
        for name, others in track(mixes.items(), "loads", total=len(mixes)):
            orders = [LoadPlan(port, 1, seconds, plans, seed=at) for at, port in enumerate(ports)]
            if others:
                orders += [
                    LoadPlan(port, READERS // 2, seconds, others, seed=2 + at, rest_s=REST_S)
                    for at, port in enumerate(ports)
                ]
            with ThreadPoolExecutor() as pool:
                loads = list(pool.map(generate, orders))
            asked, rest = [sample for load in loads[:2] for sample in load.samples], loads[2:]
            made = [sample for sample in asked if sample.timing]
            over = sorted(beyond_budget(sample) for sample in made)
            figures[name] = {
                "beyond_budget_ms": to_quantiles(over) | {"p99_interval": interval_of_p99(over)},
                "beside_search_ms": to_quantiles(sorted(beside_search(sample) for sample in made)),
                "failed": sum(sample.status != 201 for sample in asked),  # noqa: PLR2004 - HTTP
                "requests_per_second_beside": sum(len(load.samples) / load.wall_s for load in rest),
            }
    print_tables(_show_plans(figures))
    return figures


def interval_of_p99(seconds: Sequence[float]) -> tuple[float, float]:
    """Returns the 95 % interval of the 99th percentile in milliseconds, by a bootstrap over requests."""
    if not seconds:
        return (float("nan"), float("nan"))
    rng = np.random.default_rng(0)
    drawn = rng.choice(np.asarray(seconds), (DRAWS, len(seconds)))
    low, high = 1000 * np.quantile(np.quantile(drawn, 0.99, axis=1), (0.025, 0.975))
    return float(low), float(high)


def _show_mix(rows: Sequence[Mapping[str, Any]]) -> list[Table]:
    """Returns the table of each number of workers, and the one of the latency of each route."""
    numbers = (
        "requests/s",
        "errors",
        "beyond its time p99, ms: busy / rested",
        "ready, s",
        "PSS, MB",
        "USS, MB",
    )
    workers = make_table("a mix of requests, by number of workers", ["workers"], [*numbers, "generator"])
    columns = [f"{row['workers']} workers" for row in rows]
    routes = make_table("milliseconds by route: p50 / p95 / p99", ["route"], columns)
    for row in rows:
        beyond = [load["beyond_budget_ms"] for load in (row, row["rested"])]
        workers.add_row(
            str(row["workers"]),
            f"{row['requests_per_second']:.0f}",
            f"{row['error_share']:.2%}",
            " / ".join(f"{figures['p99']:.1f} of {figures['count']}" for figures in beyond),
            f"{row['ready_s']:.1f}",
            *(" ".join(f"{process[kind]:.0f}" for process in row["memory_mb"]) for kind in ("pss", "uss")),
            f"{row['generator_cpu_share']:.0%} of a core",
        )
    for route in rows[0]["ms"]:
        routes.add_row(route, *(show_quantiles(row["ms"].get(route)) for row in rows))
    return [workers, routes]


def _show_plans(figures: Mapping[str, Any]) -> Table:
    """Returns the table of what plans take beyond their time, by what else is asked for."""
    title = "plans of a fifth of a second, two callers, two processes: ms, p50 / p95 / p99"
    numbers = ("per s", "plans", "beyond their time", "95 % of p99", "beside the search", "failed")
    table = make_table(title, ["beside"], numbers)
    for name, row in figures.items():
        low, high = row["beyond_budget_ms"]["p99_interval"]
        table.add_row(
            name,
            f"{row['requests_per_second_beside']:.0f}",
            str(row["beyond_budget_ms"]["count"]),
            show_quantiles(row["beyond_budget_ms"]),
            f"{low:.1f} to {high:.1f}",
            show_quantiles(row["beside_search_ms"]),
            str(row["failed"]),
        )
    return table


def show_quantiles(figures: Mapping[str, float] | None) -> str:
    """Returns quantiles as a cell of a table; empty without figures."""
    return "" if figures is None else f"{figures['p50']:.1f} / {figures['p95']:.1f} / {figures['p99']:.1f}"
