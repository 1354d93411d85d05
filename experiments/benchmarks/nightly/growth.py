"""`python -m experiments benchmark growth`: how much larger an installation gets every night, beside the day's events.

A simulated school has a history, and then a log file of every school day in its inbox; after each night a plan is
stored that names what served. Instead of waiting for a day, everything is made a day older. The nights that are
measured begin when models, runs, profiles and log files have become too old once; records of nights stay, as in the
first 400 days by the defaults.
"""

import json
import logging
import os
import sqlite3
import tempfile
import uuid
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import insert, select, update

from experiments.benchmarks.figures import make_table, print_tables
from experiments.benchmarks.nights import use_store
from experiments.simulation import SchoolConfig, simulate_school
from experiments.simulation.writing import MAPPING
from features.console import write_json
from features.database import Database
from features.events.ingest import ingest_file
from features.home import Home
from features.publications import newest_publication
from serving.store.tables import RECOMMENDATIONS
from training.config import TrainingConfig, load_config
from training.errors import DataGateError
from training.nightly import run_nightly
from training.records.tracking import Tracking

logger = logging.getLogger("regroup")

DAY_S = 86_400

HISTORY = 30
"""School days before the first night."""

MOST = 1.2
"""Growth of a night as a share of what the day's own events take."""


def benchmark_growth(
    nights: int = 30, kept_days: int = 14, students: int = 80, seed: int = 1, json_path: Path | None = None
) -> int:
    """Prints the growth of each part of an installation; returns 0, or 1 where it is more than `MOST` of the events."""
    with tempfile.TemporaryDirectory(prefix="regroup-") as place, use_store(Path(place) / "mlruns"):
        sizes = walk(Path(place), nights, kept_days, students, seed)
    first, last = sizes[-nights - 1], sizes[-1]
    own = float(np.mean([night["own_events"] for night in sizes[-nights:]]))
    growth = {part: (last["parts"][part] - first["parts"].get(part, 0)) / nights for part in last["parts"]}
    total = sum(growth.values())
    table = make_table(f"{nights} nights of a school of {students}", ("part",), ("MB before", "MB after", "KB a night"))
    for part, more in growth.items():
        table.add_row(
            part, f"{first['parts'].get(part, 0) / 1e6:.2f}", f"{last['parts'][part] / 1e6:.2f}", f"{more / 1e3:.1f}"
        )
    table.add_row("all", "", "", f"{total / 1e3:.1f}")
    table.add_row("the day's own events", "", "", f"{own / 1e3:.1f}")
    print_tables(table)
    ratio = total / own
    logger.info("growth of a night: %.2f times the day's own events", ratio)
    figures = {"nights": sizes, "growth": growth, "own_events": own, "ratio": ratio, "kept_days": kept_days}
    write_json(json_path, figures)
    return int(ratio > MOST)


def walk(place: Path, nights: int, kept_days: int, students: int, seed: int) -> list[dict[str, Any]]:
    """Runs the nights of a school; the bytes of each part after every one, and of what was added to the event log."""
    home, config = Home(place / "home"), _choose(kept_days)
    count = kept_days + 2 + nights
    weeks = -(-(HISTORY + count) // 5) + 1
    school = SchoolConfig(teams=1, students_per_team=students, weeks=weeks, skills=24, strands=3, seed=seed)
    log = simulate_school(school).events
    log = log[log["occurred_at"].dt.dayofweek < 5]  # noqa: PLR2004 - the school week
    day = log["occurred_at"].dt.normalize().rank(method="dense").astype(int)
    _write(log[day <= HISTORY], place / "history.csv")
    (place / "mapping.toml").write_text(MAPPING.format(log="log", form="csv"), encoding="utf-8")
    ingest_file(home, place / "history.csv", mapping=place / "mapping.toml")
    home.inbox.mkdir()
    (home.inbox / "mapping.toml").write_text(MAPPING.format(log="log", form="csv"), encoding="utf-8")
    sizes = []
    for number in range(HISTORY + 1, HISTORY + 1 + count):
        _write(log[day == number], home.inbox / f"{number}.csv")
        commits = _list_commits(home)
        try:
            ended = run_nightly(home, config).did
        except DataGateError as error:
            ended = str(error)
        _store_plan(home)
        parts = _measure(home, place / "mlruns")
        sizes.append({"ended": ended, "own_events": _count_added(_list_commits(home) - commits), "parts": parts})
        logger.info("night %d: %s, %.2f MB", len(sizes), ended, sum(parts.values()) / 1e6)
        _pass_a_day(home, place / "mlruns" / "mlflow.db")
    return sizes


def _choose(kept_days: int) -> TrainingConfig:
    """The defaults with little training, and runs and log files kept for so many days; events replaced go at once.

    How long they are kept says how much there is, and not how much is added once as much grows too old as is made.
    """
    config = load_config()
    days = ("models_days", "runs_days", "plan_profiles_days", "inbox_days")
    kept = {name: min(kept_days, getattr(config.retention, name)) for name in days}
    return config.model_copy(
        update={
            "boosting": config.boosting.model_copy(update={"rounds": 5, "threads": 1}),
            "evaluation": config.evaluation.model_copy(update={"bootstrap": 20}),
            "retention": config.retention.model_copy(update={**kept, "grace_hours": 0}),
        }
    )


def _write(log: pd.DataFrame, path: Path) -> None:
    log.assign(occurred_at=log["occurred_at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")).to_csv(path, index=False)


def _list_commits(home: Home) -> set[Path]:
    return set((home.events / "_delta_log").glob("*.json"))


def _count_added(commits: set[Path]) -> int:
    """The bytes of the files that commits add with new rows."""
    lines = [json.loads(line) for path in commits for line in path.read_text(encoding="utf-8").splitlines()]
    return sum(line["add"]["size"] for line in lines if line.get("add", {}).get("dataChange"))


def _store_plan(home: Home) -> None:
    """A plan of the day that names what serves."""
    run_id = Tracking().champion()
    folder = None if run_id is None else newest_publication(home, run_id)
    plan = {"id": uuid.uuid4().hex, "created_at": datetime.now(UTC), "team_id": "t", "problem_hash": ""}
    with Database(home.database_url()) as database, database.changing() as connection:
        row = {**plan, "request": "{}", "answer": "{}", "run_id": run_id, "profiles": folder and folder.name}
        connection.execute(insert(RECOMMENDATIONS).values(row))


def _measure(home: Home, mlruns: Path) -> dict[str, int]:
    """The bytes of each part; a file with several names counts once."""
    parts = {path.name: path for path in sorted(home.root.iterdir()) if not path.name.endswith(".lock")}
    parts |= {f"mlruns/{path.name}": path for path in sorted(mlruns.iterdir())}
    return {
        name: sum({file.stat().st_ino: file.stat().st_size for file in [path, *path.rglob("*")]}.values())
        for name, path in parts.items()
    }


def _pass_a_day(home: Home, store: Path) -> None:
    """Makes everything whose age is asked for a day older."""
    for path in (path for part in home.root.iterdir() if part != home.events for path in (part, *part.rglob("*"))):
        if not path.name.startswith("regroup.db"):
            earlier = path.stat().st_mtime - DAY_S
            os.utime(path, (earlier, earlier))
    with closing(sqlite3.connect(store)) as runs:
        runs.execute("UPDATE runs SET start_time = start_time - ?", (1000 * DAY_S,))
        runs.commit()
    plans = RECOMMENDATIONS.c
    with Database(home.database_url()) as database, database.changing() as connection:
        for identity, made in connection.execute(select(plans.id, plans.created_at)).all():
            older = update(RECOMMENDATIONS).where(plans.id == identity)
            connection.execute(older.values(created_at=made - timedelta(days=1)))
