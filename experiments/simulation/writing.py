"""Writes a simulated school the way a real one arrives: a log with its mapping, and a folder of roster files."""

from pathlib import Path

import numpy as np
import pandas as pd

from experiments.simulation.school import School
from features.logs.rows import SKILL_MARK
from features.schema import Events, check_table

MAPPING = """\
# How to read the simulated log: python -m features ingest {log} --format mapped --mapping mapping.toml
[file]
format = "{form}"
encoding = "utf-8"
source = "simulation"

[columns]
student = "student_id"
item = "item_id"
time = "occurred_at"
correct = "correct"
skills = "skills"
hints = "hints"
duration_s = "duration_s"
attempt = "attempt"

[time]
form = "iso"

[correct]
form = "zero_one"

[skills]
separator = ";"
"""


def write_school(school: School, folder: Path, form: str = "parquet") -> None:
    """Writes `log.csv` or `log.parquet`, `mapping.toml`, `roster/*.csv`, and the truth as `truth/*.parquet`.

    Args:
        school: What `simulate_school` made.
        folder: Made if needed; files of the same names are replaced.
        form: `csv` or `parquet`.
    """
    for part in ("roster", "truth"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    log = f"log.{form}"
    if form == "csv":
        times = school.events["occurred_at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        school.events.assign(occurred_at=times).to_csv(folder / log, index=False)
    else:
        school.events.to_parquet(folder / log, index=False)
    (folder / "mapping.toml").write_text(MAPPING.format(log=log, form=form), encoding="utf-8")
    for name, table in school.roster.items():
        table.to_csv(folder / "roster" / f"{name}.csv", index=False)
    for name, table in school.truth.items():
        table.to_parquet(folder / "truth" / f"{name}.parquet", index=False)


def to_events(rows: pd.DataFrame, source: str, first: int = 0) -> pd.DataFrame:
    """Rows of `School.events` as the event log holds them.

    Args:
        rows: The rows.
        source: The product that they come from.
        first: Number of the first, from which ids of events are made.
    """
    columns = {
        "event_id": [f"{source}-{number}" for number in range(first, first + len(rows))],
        "student_id": rows["student_id"],
        "kind": "response",
        "occurred_at": rows["occurred_at"].astype("datetime64[us, UTC]"),
        "sequence": pd.array([pd.NA] * len(rows), dtype="Int64"),
        "item_id": rows["item_id"],
        "score": rows["correct"].astype(np.float64),
        "correct": rows["correct"].astype(bool).astype("boolean"),
        "attempt": rows["attempt"].astype("Int64"),
        "hints": rows["hints"].astype("Int64"),
        "duration_s": rows["duration_s"].astype(np.float64),
        "source": source,
        "skills": [SKILL_MARK.join(sorted(cell.split(";"))) for cell in rows["skills"]],
    }
    return check_table(Events, pd.DataFrame(columns, index=rows.index))
