"""A simulated district of any size: one simulated school, as often as it takes, with other students each time.

Students are independent of each other given the items, so that copies of a school cost what as many schools would that
share a curriculum.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd

from experiments.benchmarks.nightly.steps import Costs
from features.events.ingest import ingest_file
from features.events.log.store import (
    EVENT_FIELDS,
    add_item_skills,
    append_events,
    read_events,
    read_item_skills,
    to_table,
)
from features.home import Home
from features.schema import bucket_of

logger = logging.getLogger("regroup")

TEAMS, WEEKS = 4, 36
"""Of the school that is copied, which is a school year long: some 250 students with 600,000 events."""

AT_ONCE = 1_000_000
"""Events that are ingested from one file, of as many copies as have about so many."""


@dataclass(frozen=True)
class School:
    """The school that is copied.

    Attributes:
        events: Rows of `Events` before its last day.
        rows: Rows of its log before that day, as they arrive.
        last_day: Rows of its log on that day, as they arrive.
        item_skills: Rows of `ItemSkills`.
        mapping: The file that says how the log is read.
        morning: When the last day begins, UTC.
    """

    events: pd.DataFrame
    rows: pd.DataFrame
    last_day: pd.DataFrame
    item_skills: pd.DataFrame
    mapping: Path
    morning: datetime


def simulate(folder: Path, weeks: int = WEEKS) -> School:
    """Simulates the school of so many weeks, in a folder of its own."""
    from experiments.simulation import SchoolConfig, simulate_school, write_school  # noqa: PLC0415 - compiles

    write_school(simulate_school(SchoolConfig(teams=TEAMS, weeks=weeks)), folder)
    home = Home(folder / "home")
    ingest_file(home, folder / "log.parquet", mapping=folder / "mapping.toml")
    events = read_events(home)
    morning = events["occurred_at"].max().normalize()
    rows = pd.read_parquet(folder / "log.parquet")
    before = events[events["occurred_at"] < morning].reset_index(drop=True)
    earlier, last_day = rows[rows["occurred_at"] < morning], rows[rows["occurred_at"] >= morning]
    return School(before, earlier, last_day, read_item_skills(home), folder / "mapping.toml", morning.to_pydatetime())


def build_district(school: School, home: Home, events: int, costs: Costs) -> Path:
    """Ingests copies of a school until there are so many events before its last day; returns the log of that day.

    Args:
        school: The school.
        home: Where they are stored.
        events: How many.
        costs: Takes what that costs, as the step `ingest`.
    """
    add_item_skills(home, school.item_skills)
    copies, path = max(1, round(events / len(school.events))), home.root / "day.parquet"
    together = max(1, round(AT_ONCE / len(school.events)))
    for begin in range(0, copies, together):
        part = [_copy(school.rows, number) for number in range(begin, min(begin + together, copies))]
        pd.concat(part, ignore_index=True).to_parquet(path, index=False)
        with costs.step("ingest"):
            ingest_file(home, path, mapping=school.mapping)
    day = pd.concat([_copy(school.last_day, number) for number in range(copies)], ignore_index=True)
    day.to_parquet(path, index=False)
    logger.info(
        "district: %d copies of a school, %d events, then %d of a day", copies, copies * len(school.events), len(day)
    )
    return path


def store_events(home: Home, events: pd.DataFrame) -> None:
    """Adds events to a log in one commit."""
    placed = events.assign(bucket=bucket_of(events["student_id"])).sort_values("bucket", kind="stable")
    append_events(home, to_table(placed, EVENT_FIELDS).to_batches())


def next_midnight(moment: datetime) -> datetime:
    """The end of the day that begins then."""
    return moment + timedelta(days=1)


def _copy(rows: pd.DataFrame, number: int) -> pd.DataFrame:
    named = {name: f"{number}-" + rows[name].astype("str") for name in ("student_id", "event_id") if name in rows}
    return rows.assign(**named)
