"""The options of the service's benchmark and what runs it, imported only when it is asked for."""

import argparse
from collections.abc import Callable
from pathlib import Path

AddCommand = Callable[..., argparse.ArgumentParser]
"""Takes a name, what it does, and examples."""

PARTS = ("mix", "plans", "scoring", "campaign")


def add_service_benchmark(add: AddCommand) -> None:
    """Adds the sub-command; it sets `run` to what runs it."""
    service = add(
        "service",
        "the service under load: throughput, latency, memory, scoring beside MLflow's server, and a campaign of faults",
        "python -m experiments benchmark service --json service.json --charts charts",
        "python -m experiments benchmark service --quick --only scoring --keep school",
    )
    service.add_argument("--only", choices=PARTS, action="append", help="this part; may be given again (all parts)")
    service.add_argument("--quick", action="store_true", help="a short run, for a first look")
    service.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the school there, or use the one kept")
    service.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    service.add_argument("--charts", type=Path, metavar="FOLDER", help="write the picture there")
    service.set_defaults(run=_service)


def _service(options: argparse.Namespace) -> int:
    from experiments.benchmarks.service.benchmark import benchmark_service  # noqa: PLC0415 - imports MLflow

    only = tuple(options.only or PARTS)
    return benchmark_service(
        only, quick=options.quick, keep=options.keep, json_path=options.json, charts=options.charts
    )
