"""`python -m experiments benchmark service`: the parts in turn, what they say, and whether the goals are met."""

import os
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from experiments.benchmarks.report import print_wide
from experiments.benchmarks.service.chart import draw_service
from experiments.benchmarks.service.plans import measure_plans
from experiments.benchmarks.service.school import open_school
from experiments.benchmarks.service.scoring import measure_scoring
from experiments.benchmarks.service.tables import show_campaign, show_mix, show_plans, show_scoring
from experiments.benchmarks.service.throughput import measure_mix
from features.console import OUT, write_json


def benchmark_service(
    parts: Sequence[str],
    *,
    quick: bool = False,
    keep: Path | None = None,
    json_path: Path | None = None,
    charts: Path | None = None,
) -> int:
    """Prints the figures; the exit code is 1 if the campaign found something wrong.

    Args:
        parts: Which of `mix`, `plans`, `scoring` and `campaign`.
        quick: Whether to measure briefly.
        keep: A folder for the school, used again if it is there.
        json_path: Where figures go too.
        charts: A folder for the picture.

    Raises:
        ServerError: A command or a server failed.
    """
    with tempfile.TemporaryDirectory() if keep is None else nullcontext(str(keep)) as place:
        Path(place).mkdir(parents=True, exist_ok=True)
        school = open_school(Path(place))
        log = school.folder / "servers.log"
        told: dict[str, Any] = {"cores": os.cpu_count(), "quick": quick, "load_before": os.getloadavg()}
        if "scoring" in parts:
            OUT.print("scoring: beside MLflow's server, in turns", style="dim")
            told["scoring"] = measure_scoring(school, 3 if quick else 8, 2.0 if quick else 5.0, log)
            print_wide(show_scoring(told["scoring"]))
        if "mix" in parts:
            OUT.print("mix: 1, 2 and 4 workers", style="dim")
            told["mix"] = measure_mix(school, 6.0 if quick else 30.0, log)
            for table in show_mix(told["mix"]):
                print_wide(table)
        if "plans" in parts:
            OUT.print("plans: what they take beyond their time, 2 processes", style="dim")
            told["plans"] = measure_plans(school, 10.0 if quick else 60.0, log)
            print_wide(show_plans(told["plans"]))
        wrong = 0
        if "campaign" in parts:
            from experiments.benchmarks.service.campaign import run_campaign  # noqa: PLC0415 - needs PostgreSQL

            OUT.print("campaign: requests across faults", style="dim")
            told["campaign"] = run_campaign(school, 1500 if quick else 10_000, log)
            for table in show_campaign(told["campaign"]):
                print_wide(table)
            wrong = len(told["campaign"]["wrong"])
        told["load_after"] = os.getloadavg()
    write_json(json_path, told)
    if charts is not None and "mix" in told:
        draw_service(charts / "service.png", told["mix"])
    return 1 if wrong else 0
