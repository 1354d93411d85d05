"""`python -m experiments benchmark service`: the parts in turn, and their figures."""

import os
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from experiments.benchmarks.figures import print_tables
from experiments.benchmarks.service.school import open_school
from experiments.benchmarks.service.scoring import measure_scoring
from experiments.benchmarks.service.tables import show_campaign, show_mix, show_plans, show_scoring
from experiments.benchmarks.service.throughput import measure_mix, measure_plans
from features.console import OUT, write_json

PARTS = ("scoring", "mix", "plans", "campaign")


def benchmark_service(
    parts: Sequence[str] | None = None,
    *,
    quick: bool = False,
    keep: Path | None = None,
    json_path: Path | None = None,
) -> int:
    """Prints the figures; the exit code is 1 if the campaign found something wrong.

    Args:
        parts: Which of `PARTS`; null = all.
        quick: Whether to measure briefly.
        keep: A folder for the school, used again if it is there.
        json_path: Where figures go too.

    Raises:
        ServerError: A command or a server failed.
    """
    parts = parts or PARTS
    with tempfile.TemporaryDirectory() if keep is None else nullcontext(str(keep)) as place:
        Path(place).mkdir(parents=True, exist_ok=True)
        school = open_school(Path(place))
        log = school.folder / "servers.log"
        figures: dict[str, Any] = {"cores": os.cpu_count(), "quick": quick, "load_before": os.getloadavg()}
        if "scoring" in parts:
            OUT.print("scoring: beside MLflow's server, in turns", style="dim")
            figures["scoring"] = measure_scoring(school, 3 if quick else 8, 2.0 if quick else 5.0, log)
            print_tables(show_scoring(figures["scoring"]))
        if "mix" in parts:
            OUT.print("mix: 1, 2 and 4 workers", style="dim")
            figures["mix"] = measure_mix(school, 6.0 if quick else 30.0, log)
            print_tables(*show_mix(figures["mix"]))
        if "plans" in parts:
            OUT.print("plans: what they take beyond their time, 2 processes", style="dim")
            figures["plans"] = measure_plans(school, 10.0 if quick else 60.0, log)
            print_tables(show_plans(figures["plans"]))
        wrong = 0
        if "campaign" in parts:
            from experiments.benchmarks.service.campaign import run_campaign  # noqa: PLC0415 - needs PostgreSQL

            OUT.print("campaign: requests across faults", style="dim")
            figures["campaign"] = run_campaign(school, 1500 if quick else 10_000, log)
            print_tables(*show_campaign(figures["campaign"]))
            wrong = len(figures["campaign"]["wrong"])
        figures["load_after"] = os.getloadavg()
    write_json(json_path, figures)
    return 1 if wrong else 0
