"""`python -m experiments benchmark history`: how fast the kernel is, and whether it agrees with plain pandas."""

import logging
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
from rich.table import Table

from experiments.benchmarks.figures import make_table, print_tables
from experiments.benchmarks.kernel.timing import REPEATS, TOLERANCE, Timing, measure_history
from features.console import write_json
from features.errors import InputError
from features.events.ingest import ingest_file
from features.events.log.store import has_events, read_events, read_item_skills
from features.home import Home, read_home
from features.profiles.difficulty import Statistics, fit_statistics
from features.profiles.kernel import COLUMNS
from features.profiles.timeline import Timeline, count_responses, fit_responses, sort_events
from features.profiles.vocabulary import build_vocabulary

logger = logging.getLogger("regroup")

SIMULATED_TEAMS = 41
"""Teams of a simulated school whose log has about two million responses."""


SortedLog = tuple[str, Timeline, Statistics]
"""A log's name, its events by student and time, and statistics fitted on all of its first attempts."""


def open_sorted_log(path: Path | None = None, mapping: Path | None = None) -> SortedLog:
    """Returns the log in a file, else the one in `REGROUP_HOME`, else a simulated one.

    Args:
        path: A log file, read into a temporary home.
        mapping: A TOML file that says what its columns are.

    Raises:
        InputError: The file cannot be read, or there is no first attempt in the log.
    """
    if path is None and mapping is not None:
        raise InputError("--mapping says how to read a file; name the file with --log PATH")
    home = read_home()
    if path is None and has_events(home):
        return _sort(home, f"event store {home.root.name}")
    with tempfile.TemporaryDirectory(prefix="regroup-") as folder:
        home = Home(Path(folder) / "home")
        if path is not None:
            ingest_file(home, path, mapping=mapping)
            return _sort(home, path.name)
        logger.info("no --log and nothing in REGROUP_HOME: simulating %d teams", SIMULATED_TEAMS)
        _simulate(Path(folder) / "school", home)
        return _sort(home, f"simulated school of {SIMULATED_TEAMS} teams")


def _simulate(folder: Path, home: Home) -> None:
    from experiments.simulation import SchoolConfig, simulate_school, write_school  # noqa: PLC0415 - compiles for seconds

    write_school(simulate_school(SchoolConfig(teams=SIMULATED_TEAMS)), folder)
    ingest_file(home, folder / "log.parquet", mapping=folder / "mapping.toml")


def _sort(home: Home, name: str) -> SortedLog:
    events, item_skills = read_events(home), read_item_skills(home)
    logger.info("sorting %d events", len(events))
    vocabulary = build_vocabulary(item_skills, events["item_id"].dropna().unique(), responses=events)
    timeline = sort_events(events, fit_statistics(vocabulary, np.empty(0, np.int32), np.empty(0, bool)))
    first = (timeline.correct >= 0) & (timeline.item >= 0)
    if not first.any():
        raise InputError(f"{name} has no first attempt; the columns are about nothing else")
    statistics = fit_responses(timeline, count_responses(timeline, vocabulary, first), first)
    return name, sort_events(events, statistics), statistics


MOST_COPIES = 3.0
"""Goal: the kernel takes at most this many times what a copy of its output takes.

Meant for a million rows and more: a small output is copied within the processor's cache, a large one through memory.
"""

LEAST_SPEEDUP = 20.0
"""Goal: the kernel is at least this many times faster than pandas."""


def benchmark_history(path: Path | None = None, *, mapping: Path | None = None, json_path: Path | None = None) -> int:
    """Prints the figures and returns the exit code: 1 if the two versions disagree.

    Args:
        path: A log file; without it, the event store in `REGROUP_HOME`, else a simulated log.
        mapping: What the columns of the file are.
        json_path: Where to write the figures; null = nowhere.

    Raises:
        InputError: The options contradict each other, or the log cannot be read.
    """
    name, timeline, statistics = open_sorted_log(path, mapping)
    timing = measure_history(timeline, statistics)
    print_tables(show_timing(name, timing))
    write_json(json_path, {"log": name, **to_figures(timing)})
    return 0 if timing.comparison.equal else 1


def to_figures(timing: Timing) -> dict[str, object]:
    """Returns the figures by the names that other programs check."""
    measured = asdict(timing)
    comparison = measured.pop("comparison")
    return {
        "rows": timing.rows,
        "columns": len(COLUMNS),
        "rows_per_s": timing.rows_per_s,
        "ratio_to_copy": timing.ratio_to_copy,
        "ratio_to_pandas": timing.ratio_to_pandas,
        **comparison,
        **measured,
    }


def show_timing(name: str, timing: Timing) -> Table:
    """Returns the figures as a table for a terminal."""
    comparison = timing.comparison
    place = "one processor" if timing.pinned else "not pinned to a processor"
    table = make_table(f"history columns of {name}, measured on {place}", ["figure"], ["value", "goal"])
    on_rows = "all rows" if timing.pandas_rows == timing.rows else f"a sample of {timing.pandas_rows:,} rows"
    deviation = comparison.worst_deviation
    worst = "a null or count differs" if deviation is None else f"{deviation * TOLERANCE:.1e} of its value"
    for row in (
        ("rows", f"{timing.rows:,}", ""),
        ("columns", str(len(COLUMNS)), ""),
        (f"kernel, median of {REPEATS}", f"{timing.kernel_s:.3f} s", ""),
        (f"copy of rows, median of {REPEATS}", f"{timing.copy_s:.3f} s", ""),
        (f"pandas on {on_rows}, once", f"{timing.pandas_s:.1f} s", ""),
        ("rows per second", f"{timing.rows_per_s:,.0f}", ""),
        ("ratio to copy", f"{timing.ratio_to_copy:.2f}", f"at most {MOST_COPIES:g} (1 M rows up)"),
        ("ratio to pandas, same rows", f"{timing.ratio_to_pandas:.0f}", f"at least {LEAST_SPEEDUP:g}"),
        ("equal", "yes" if comparison.equal else f"no, {comparison.unequal_cells:,} cells differ", "yes"),
        (f"worst column: {comparison.worst_column}", worst, f"{TOLERANCE:g}, counts exact"),
    ):
        table.add_row(*row)
    return table
