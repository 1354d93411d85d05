"""`python -m experiments benchmark history`: how fast the kernel is, and whether it says what plain pandas says."""

from dataclasses import asdict
from pathlib import Path

from rich.table import Table

from experiments.benchmarks.history_compare import TOLERANCE
from experiments.benchmarks.history_log import open_sorted_log
from experiments.benchmarks.history_measure import Timing, measure_history
from features.console import OUT, write_json
from features.errors import InputError
from features.profiles.kernel import COLUMNS

REPEATS = 7
"""Timings behind each median."""

MOST_COPIES = 3.0
"""Goal: the kernel takes at most this many times what a copy of its output takes.

Meant for a million rows and more: a small output is copied within the processor's cache, a large one through memory.
"""

LEAST_SPEEDUP = 20.0
"""Goal: the kernel is at least this many times faster than pandas."""


def benchmark_history(
    *,
    path: Path | None = None,
    form: str | None = None,
    mapping: Path | None = None,
    home: Path | None = None,
    repeats: int = REPEATS,
    json_path: Path | None = None,
) -> int:
    """Prints the figures and returns the exit code: 1 if the two versions disagree.

    Args:
        path: A log file; without it, `home`, else the event store in `REGROUP_HOME`, else a simulated log.
        form: The format of the file.
        mapping: What the columns of the file are.
        home: A home with an event store.
        repeats: Timings behind each median.
        json_path: Where to write the figures; null = nowhere.

    Raises:
        InputError: The options contradict each other, or the log cannot be read.
        MissingError: The home has no event store.
    """
    if repeats < 1:
        raise InputError(f"--repeats is {repeats}; write 1 or more")
    log = open_sorted_log(path, form, mapping, home)
    timing = measure_history(log.timeline, log.statistics, repeats)
    OUT.print(show_timing(log.name, timing))
    write_json(json_path, {"log": log.name, **to_figures(timing)})
    return 0 if timing.comparison.equal else 1


def to_figures(timing: Timing) -> dict[str, object]:
    """The figures by the names that other programs check."""
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
    """The figures as a table for a terminal."""
    comparison = timing.comparison
    place = "one processor" if timing.pinned else "not pinned to a processor"
    table = Table("figure", "value", "goal", title=f"history columns of {name}", caption=f"measured on {place}")
    table.columns[1].justify = "right"
    on_rows = "all rows" if timing.pandas_rows == timing.rows else f"a sample of {timing.pandas_rows:,} rows"
    deviation = comparison.worst_deviation
    worst = "a null or count differs" if deviation is None else f"{deviation * TOLERANCE:.1e} of its value"
    for row in (
        ("rows", f"{timing.rows:,}", ""),
        ("columns", str(len(COLUMNS)), ""),
        (f"kernel, median of {timing.repeats}", f"{timing.kernel_s:.3f} s", ""),
        (f"copy of rows, median of {timing.repeats}", f"{timing.copy_s:.3f} s", ""),
        (f"pandas on {on_rows}, once", f"{timing.pandas_s:.1f} s", ""),
        ("rows per second", f"{timing.rows_per_s:,.0f}", ""),
        ("ratio to copy", f"{timing.ratio_to_copy:.2f}", f"at most {MOST_COPIES:g} (1 M rows up)"),
        ("ratio to pandas, same rows", f"{timing.ratio_to_pandas:.0f}", f"at least {LEAST_SPEEDUP:g}"),
        ("equal", "yes" if comparison.equal else f"no, {comparison.unequal_cells:,} cells differ", "yes"),
        (f"worst column: {comparison.worst_column}", worst, f"{TOLERANCE:g}, counts exact"),
    ):
        table.add_row(*row)
    return table
