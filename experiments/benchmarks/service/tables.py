"""The figures of the service as tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from experiments.benchmarks.figures import make_table


def show_mix(rows: Sequence[Mapping[str, Any]]) -> list[Table]:
    """Returns each number of workers, and the latency of each route."""
    numbers = (
        "requests/s",
        "errors",
        "beyond its time p99, ms: at the limit / rested",
        "ready, s",
        "PSS, MB",
        "USS, MB",
    )
    workers = make_table("a mix of requests, by number of workers", ["workers"], [*numbers, "generator"])
    columns = [f"{row['workers']} workers" for row in rows]
    routes = make_table("milliseconds by route: p50 / p95 / p99", ["route"], columns)
    for row in rows:
        pss, uss = (" ".join(f"{process[kind]:.0f}" for process in row["memory_mb"]) for kind in ("pss", "uss"))
        workers.add_row(
            str(row["workers"]),
            f"{row['requests_per_second']:.0f}",
            f"{row['error_share']:.2%}",
            " / ".join(_beyond(part) for part in (row, row["rested"])),
            f"{row['ready_s']:.1f}",
            pss,
            uss,
            f"{row['generator_cpu_share']:.0%} of a core",
        )
    for route in rows[0]["ms"]:
        routes.add_row(route, *(_quantiles(row["ms"].get(route)) for row in rows))
    return [workers, routes]


def show_plans(figures: Mapping[str, Any]) -> Table:
    """Returns what plans take beyond their time, by what else is asked for."""
    title = "plans of a fifth of a second, two callers, two processes: ms, p50 / p95 / p99"
    numbers = ("per s", "plans", "beyond their time", "95 % of p99", "beside the search", "failed")
    table = make_table(title, ["beside"], numbers)
    for beside, row in figures.items():
        low, high = row["beyond_budget_ms"]["p99_interval"]
        table.add_row(
            beside,
            f"{row['requests_per_second_beside']:.0f}",
            str(row["beyond_budget_ms"]["count"]),
            _quantiles(row["beyond_budget_ms"]),
            f"{low:.1f} to {high:.1f}",
            _quantiles(row["beside_search_ms"]),
            str(row["failed"]),
        )
    return table


def show_scoring(figures: Mapping[str, Any]) -> Table:
    """Returns each arm beside MLflow's server."""
    title = (
        f"risks of {figures['students']} students, {figures['rows']} rows, one worker, {figures['threads']} connections"
    )
    numbers = ("answers/s", "p50 / p95 / p99, ms", "times MLflow's", "p99 to MLflow's")
    table = make_table(title, ["arm"], numbers)
    for arm, row in figures["arms"].items():
        ratio = figures["ratios"].get(arm)
        times = "" if ratio is None else f"{ratio['throughput']:.1f} ({ratio['low']:.1f} to {ratio['high']:.1f})"
        table.add_row(
            arm, f"{row['per_second']:.0f}", _quantiles(row["ms"]), times, f"{ratio['p99']:.3f}" if ratio else ""
        )
    table.add_row("ours, first after an event", "", _quantiles(figures["after_an_event_ms"]), "", "")
    return table


def show_campaign(figures: Mapping[str, Any]) -> list[Table]:
    """Returns what was answered and kept, and what was wrong."""
    title = f"{figures['requests']:,} requests across faults, {figures['seconds']:.0f} s"
    table = make_table(title, ["what", "figure"], [])
    for status, count in figures["statuses"].items():
        table.add_row(f"answered {status}", f"{count:,}")
    for phase, count in figures["broken_connections"].items():
        table.add_row(f"connections broken, {phase}", str(count))
    for phase, count in figures["unavailable_by_phase"].items():
        table.add_row(f"503 with Retry-After, {phase}", str(count))
    for what, count in figures["acknowledged"].items():
        table.add_row(f"{what} acknowledged and looked for", str(count))
    for fault, well in figures["came_through"].items():
        table.add_row(fault, "came through" if well else "did not come through")
    wrong = make_table(f"wrong: {len(figures['wrong'])}", ["what"], [])
    for sentence in figures["wrong"][:20]:
        wrong.add_row(sentence)
    return [table, wrong]


def _beyond(row: Mapping[str, Any]) -> str:
    return f"{row['beyond_budget_ms']['p99']:.1f} of {row['beyond_budget_ms']['count']}"


def _quantiles(figures: Mapping[str, float] | None) -> str:
    return "" if figures is None else f"{figures['p50']:.1f} / {figures['p95']:.1f} / {figures['p99']:.1f}"
