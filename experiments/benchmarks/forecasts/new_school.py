"""`python -m experiments benchmark new-school`: a small school from its first day on, with no command but `nightly`.

A simulated school of 64 students on 8 skills puts a log file into the inbox after its first school day and at the end
of each week, and the night runs. The table says which kind of model serves after each, and how well it ranks the
answers of the week that follows.
"""

import logging
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from experiments.benchmarks.figures import make_table, print_tables
from experiments.benchmarks.nights import rank_answers, use_store
from experiments.simulation import SchoolConfig, simulate_school
from experiments.simulation.writing import MAPPING
from features.console import write_json
from features.events.log.store import read_events, read_item_skills
from features.home import Home
from training.config import load_config
from training.errors import DataGateError
from training.models.artifacts import StoredModel
from training.nightly import run_nightly
from training.records.tracking import Tracking

logger = logging.getLogger("regroup")

SCHOOL = SchoolConfig(teams=1, students_per_team=64, skills=8, strands=2, items_per_skill=40)

LEAST_THERE = 30
"""Students on the first day of the log that is a school day."""


def benchmark_new_school(weeks: int = 12, seed: int = 1, json_path: Path | None = None) -> int:
    """Prints which model serves after each week, and returns 0, or 1 where at the end the prior still does."""
    with tempfile.TemporaryDirectory(prefix="regroup-") as place, use_store(Path(place)):
        nights = walk(Home(Path(place) / "home"), weeks, seed)
    columns = ("after", "answers so far", "serves", "AUC on the answers that came next", "the night")
    table = make_table(f"a school of {SCHOOL.students_per_team} students", (columns[0],), columns[1:])
    for night in nights:
        auc = "-" if night["auc"] is None else f"{night['auc']:.3f}"
        table.add_row(night["after"], str(night["answers"]), night["serves"], auc, night["ended"])
    print_tables(table)
    write_json(json_path, {"nights": nights})
    return 0 if nights[-1]["serves"] == "trained" else 1


def walk(home: Home, weeks: int, seed: int) -> list[dict[str, Any]]:
    """Runs a night after the first school day and after each week; one entry per night.

    Args:
        home: A new one; MLflow's store is that of the environment.
        weeks: School weeks.
        seed: Random seed of the school.
    """
    log = simulate_school(SchoolConfig(**{**vars(SCHOOL), "weeks": weeks, "seed": seed})).events
    day = log["occurred_at"].dt.normalize()
    there = log["student_id"].groupby(day).nunique()
    first = there.index[there >= LEAST_THERE][0]
    week = np.where(day <= first, 0, 1 + (day - day.min()).dt.days // 7)
    home.inbox.mkdir(parents=True)
    (home.inbox / "mapping.toml").write_text(MAPPING.format(log="log", form="csv"), encoding="utf-8")
    nights: list[dict[str, Any]] = []
    served: StoredModel | None = None
    for number in range(weeks + 1):
        part = log[week == number]
        stamped = part.assign(occurred_at=part["occurred_at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
        stamped.to_csv(home.inbox / f"{number}.csv", index=False)
        try:
            ended = run_nightly(home, load_config()).did
        except DataGateError as error:
            ended = str(error).rpartition(": ")[2]
        if served is not None:
            nights[-1]["auc"] = rank_answers(
                served, read_events(home), read_item_skills(home), part["occurred_at"].min()
            ).auc()
        tracking = Tracking()
        champion = tracking.champion()
        served = None if champion is None else tracking.fetch_model(champion, "mastery")
        after, kind = f"week {number}" if number else "day 1", "nothing" if served is None else served.kind
        answers = int((week <= number).sum())
        nights.append({"after": after, "answers": answers, "serves": kind, "auc": None, "ended": ended})
        logger.info("%s: %d answers, %s serves", after, answers, kind)
    return nights
