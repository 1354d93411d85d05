"""Part `plans`: what a plan takes beyond the time it is given, on two processes, alone and beside other requests."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from experiments.benchmarks.service.load import Ask, Order, generate
from experiments.benchmarks.service.mix import PLAN, mix_requests
from experiments.benchmarks.service.processes import run_service
from experiments.benchmarks.service.school import School
from experiments.benchmarks.service.throughput import beside_search, beyond_budget, tell_ms
from features.console import track

READERS, REST_S = 8, 0.5
"""Callers beside those that ask for plans without a pause, and how long each rests between two requests."""

DRAWS = 2000
"""Of the bootstrap."""

Asks = Sequence[Ask]


def measure_plans(school: School, seconds: float, log: Path) -> dict[str, Any]:
    """Milliseconds beyond the budget and the wait for a turn, by what else is asked for at the same time.

    The processes share the database and nothing else, and each has its share of the callers, as a balancer in front of
    them sees to.
    """
    with run_service(school.environment, 1, log) as one, run_service(school.environment, 1, log) as other:
        ports = (one.port, other.port)
        asks = mix_requests(school, one.port)
        plans = [each for each in asks if each.route == PLAN]
        reads = [each for each in asks if each.method == "GET"]
        beside: Mapping[str, Asks] = {
            "nothing": (),
            "reads": reads,
            "reads and events": [each for each in asks if each.route != PLAN],
        }
        for port in ports:  # warms up
            generate(Order(port, READERS, min(3.0, seconds), asks, seed=0))
        told = {}
        for name, others in track(beside.items(), "loads", total=len(beside)):
            orders = [Order(port, 1, seconds, plans, seed=at) for at, port in enumerate(ports)]
            if others:
                orders += [
                    Order(port, READERS // 2, seconds, others, seed=2 + at, rest_s=REST_S)
                    for at, port in enumerate(ports)
                ]
            with ThreadPoolExecutor() as pool:
                loads = list(pool.map(generate, orders))
            asked, rest = [each for load in loads[:2] for each in load.samples], loads[2:]
            made = [each for each in asked if each.timing]
            over = sorted(beyond_budget(each) for each in made)
            told[name] = {
                "beyond_budget_ms": tell_ms(over) | {"p99_interval": interval_of_p99(over)},
                "beside_search_ms": tell_ms(sorted(beside_search(each) for each in made)),
                "failed": sum(each.status != 201 for each in asked),  # noqa: PLR2004 - HTTP
                "requests_per_second_beside": sum(len(each.samples) / each.wall_s for each in rest),
            }
        return told


def interval_of_p99(seconds: Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of the 99th percentile in milliseconds, by a bootstrap over requests."""
    if not seconds:
        return (float("nan"), float("nan"))
    lots = np.random.default_rng(0)
    drawn = lots.choice(np.asarray(seconds), (DRAWS, len(seconds)))
    low, high = 1000 * np.quantile(np.quantile(drawn, 0.99, axis=1), (0.025, 0.975))
    return float(low), float(high)
