"""Which log the history benchmark runs on: a file, an event store, or a simulated year."""

import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from features.errors import InputError
from features.events.ingest import ingest_file
from features.events.store import has_events, read_events, read_item_skills
from features.home import Home, read_home
from features.profiles.difficulty import Statistics, fit_statistics
from features.profiles.timeline import Timeline, count_responses, sort_events
from features.profiles.vocabulary import build_catalog

logger = logging.getLogger("regroup")

SIMULATED_TEAMS = 41
"""Teams of a simulated school whose log has about two million responses."""


@dataclass(frozen=True)
class SortedLog:
    """A log as the kernel takes it.

    Attributes:
        name: Where it is from, for who reads the figures.
        timeline: All events by student and time.
        statistics: Fitted on all of its first attempts, since only time is at stake here.
    """

    name: str
    timeline: Timeline
    statistics: Statistics


def open_sorted_log(
    path: Path | None = None, form: str | None = None, mapping: Path | None = None, home: Path | None = None
) -> SortedLog:
    """The log that the options name, else the one in `REGROUP_HOME`, else a simulated one.

    Args:
        path: A log file, read into a temporary home.
        form: Its format, one of `features.logs.FORMATS`; without it, told from the header.
        mapping: A TOML file that says what its columns are.
        home: A home that has an event store already.

    Raises:
        InputError: The file cannot be read, or there is no first attempt in the log.
        MissingError: The home that was named has no event store.
    """
    if path is None and (form or mapping):
        raise InputError("--format and --mapping say how to read a file; name it with --log PATH")
    if path is not None and home is not None:
        raise InputError("--log and --home name two logs; leave one of them out")
    if path is None:
        place = read_home() if home is None else Home(home)
        if home is not None or has_events(place):
            return _sort(place, f"event store {place.root.name}")
    with tempfile.TemporaryDirectory(prefix="regroup-") as folder:
        place = Home(Path(folder) / "home")
        if path is not None:
            ingest_file(place, path, form, mapping)
            return _sort(place, path.name)
        logger.info("no --log and nothing in REGROUP_HOME: simulating %d teams", SIMULATED_TEAMS)
        _simulate(Path(folder) / "school", place)
        return _sort(place, f"simulated school of {SIMULATED_TEAMS} teams")


def _simulate(folder: Path, home: Home) -> None:
    from experiments.simulation import SchoolConfig, simulate_school, write_school  # noqa: PLC0415 - compiles for seconds

    write_school(simulate_school(SchoolConfig(teams=SIMULATED_TEAMS)), folder)
    ingest_file(home, folder / "log.parquet", mapping=folder / "mapping.toml")


def _sort(home: Home, name: str) -> SortedLog:
    events, item_skills = read_events(home), read_item_skills(home)
    logger.info("sorting %d events", len(events))
    catalog = build_catalog(item_skills, events["item_id"].dropna().unique())
    timeline = sort_events(events, fit_statistics(catalog, np.empty(0, np.int32), np.empty(0, bool)))
    first = (timeline.correct >= 0) & (timeline.item >= 0)
    if not first.any():
        raise InputError(f"{name} has no first attempt; the columns are about nothing else")
    statistics = count_responses(timeline, catalog, first)
    return SortedLog(name, sort_events(events, statistics), statistics)
