"""`python -m experiments simulate`: writes a simulated school, or sets one beside a real log."""

import time
from datetime import date
from pathlib import Path

from experiments.benchmarks.figures import make_table, print_tables
from experiments.simulation.config import SchoolConfig
from experiments.simulation.resemblance import compare
from experiments.simulation.school import simulate_school
from experiments.simulation.writing import write_school
from features.console import write_json
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
    """Writes a simulated school into a folder, prints its size, and returns the exit code 0.

    Args:
        folder: Where the log, its mapping, the roster and the truth go.
        seed: Random seed.
        teams: Teams of about 62 students.
        weeks: School weeks of the log.
        end: The day after the log's last; null = the default of `SchoolConfig`.
        form: Format of the log, `parquet` or `csv`.
        json_path: Where to write the figures; null = nowhere.

    Raises:
        InputError: A number is out of its range, or the form is unknown.
    """
    if form not in FORMS:
        raise InputError(f"form {form!r} of the log is not known; use one of {', '.join(FORMS)}")
    config = SchoolConfig(seed=seed, teams=teams, weeks=weeks, end=SchoolConfig.end if end is None else end)
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
    table = make_table(f"simulated school in {folder}", [], list(figures))
    table.add_row(*(f"{figure:,}" for figure in figures.values()))
    print_tables(table)
    write_json(json_path, figures)
    return 0


def compare_command(real_path: Path, *, seed: int = 1, json_path: Path | None = None) -> int:
    """Prints the summary of a real log beside those of two simulated schools, and returns the exit code.

    Raises:
        InputError: The real log cannot be read.
    """
    figures = compare(real_path, seed)
    names = [str(name).replace("_", " ") for name in figures.columns]
    table = make_table(f"{real_path.name} beside simulated schools (ratio to real)", ["figure"], names)
    for figure, row in figures.iterrows():
        table.add_row(str(figure), *(f"{ratio:.3f}" for ratio in row))
    print_tables(table)
    write_json(json_path, figures.T.to_dict())
    return 0
