"""`python -m experiments simulate`: writes a simulated school, or sets one beside a real log."""

import time
from dataclasses import replace
from datetime import date
from pathlib import Path

from rich.table import Table

from experiments.simulation.config import SchoolConfig
from experiments.simulation.resemblance import compare
from experiments.simulation.school import simulate_school
from experiments.simulation.writing import write_school
from features.console import OUT, write_json
from features.errors import InputError

FORMS = ("parquet", "csv")


def simulate_command(
    folder: Path,
    *,
    seed: int = 1,
    teams: int = 4,
    weeks: int = 12,
    end: date | None = None,
    form: str = "parquet",
    json_path: Path | None = None,
) -> int:
    """Writes a simulated school into a folder, says what it holds, and returns the exit code.

    Args:
        folder: Where the log, its mapping, the roster and the truth go.
        seed: Random seed.
        teams: Teams of about 62 students.
        weeks: School weeks of the log.
        end: The day after the log's last; null = the config's own.
        form: Format of the log, `parquet` or `csv`.
        json_path: Where to write the figures; null = nowhere.

    Raises:
        InputError: A number is out of its range, or the form is unknown.
    """
    if form not in FORMS:
        raise InputError(f"form {form!r} of the log is not known; use one of {', '.join(FORMS)}")
    config = SchoolConfig(seed=seed, teams=teams, weeks=weeks)
    if end is not None:
        config = replace(config, end=end)
    began = time.perf_counter()
    school = simulate_school(config)
    seconds = time.perf_counter() - began
    write_school(school, folder, form)
    figures = {
        "events": len(school.events),
        "students": len(school.truth["students"]),
        "items": len(school.truth["items"]),
        "skills": config.skills,
        "teams": config.teams,
        "seconds": round(seconds, 2),
    }
    table = Table(title=f"simulated school in {folder}")
    for name in figures:
        table.add_column(name, justify="right")
    table.add_row(*(f"{figure:,}" for figure in figures.values()))
    OUT.print(table)
    write_json(json_path, figures)
    return 0


def compare_command(real_path: Path, *, seed: int = 1, json_path: Path | None = None) -> int:
    """Prints the summary of a real log beside those of two simulated schools, and returns the exit code.

    Raises:
        InputError: The real log cannot be read.
    """
    figures = compare(real_path, seed)
    table = Table(title=f"{real_path.name} beside simulated schools (ratio to real)")
    table.add_column("figure", no_wrap=True)
    for name in figures.columns:
        table.add_column(str(name).replace("_", " "), justify="right")
    for figure, row in figures.iterrows():
        table.add_row(str(figure), *(f"{ratio:.3f}" for ratio in row))
    OUT.print(table)
    write_json(json_path, figures.T.to_dict())
    return 0
