"""`python -m experiments benchmark service`: the parts in turn, and their figures."""

import os
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from experiments.benchmarks.registry import NAMED_PARTS, PARTS
from experiments.benchmarks.service.attack import run_attacks
from experiments.benchmarks.service.board import measure_board
from experiments.benchmarks.service.campaign import run_campaign
from experiments.benchmarks.service.injected.run import run_faults
from experiments.benchmarks.service.school import open_school
from experiments.benchmarks.service.scoring import measure_scoring
from experiments.benchmarks.service.throughput import measure_mix, measure_plans
from features.console import OUT, write_json


def benchmark_service(
    parts: Sequence[str] | None = None, *, quick: bool = False, keep: Path | None = None, json_path: Path | None = None
) -> int:
    """Prints the figures; the exit code is 1 if a part found something wrong.

    Args:
        parts: Which of `PARTS` and `NAMED_PARTS`; null = all of `PARTS`.
        quick: Whether to measure briefly.
        keep: A folder for the school, used again if it is there.
        json_path: Where figures go too.

    Raises:
        ServerError: A command or a server failed.
    """
    with tempfile.TemporaryDirectory() if keep is None else nullcontext(str(keep)) as place:
        Path(place).mkdir(parents=True, exist_ok=True)
        school = open_school(Path(place))
        log = school.folder / "servers.log"
        figures: dict[str, Any] = {"cores": os.cpu_count(), "quick": quick, "load_before": os.getloadavg()}
        for part in PARTS + NAMED_PARTS:
            if part not in (parts or PARTS):
                continue
            OUT.print(part, style="dim")
            if part == "scoring":
                figures[part] = measure_scoring(school, 3 if quick else 8, 2.0 if quick else 5.0, log)
            elif part == "mix":
                figures[part] = measure_mix(school, 6.0 if quick else 30.0, log)
            elif part == "plans":
                figures[part] = measure_plans(school, 10.0 if quick else 120.0, log)
            elif part == "attack":
                figures[part] = run_attacks(school, log, quick=quick)
            elif part == "board":
                figures[part] = measure_board(school, 20 if quick else 100, log)
            elif part == "faults":
                figures[part] = run_faults(school, log, quick=quick)
            else:
                figures[part] = run_campaign(school, 1500 if quick else 10_000, log)
        figures["load_after"] = os.getloadavg()
    write_json(json_path, figures)
    return 1 if any(figures.get(part, {}).get("wrong") for part in ("campaign", *NAMED_PARTS)) else 0
