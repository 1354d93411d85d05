"""What `python -m experiments audit` does."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from experiments.benchmarks.figures import make_table, print_tables
from experiments.workbench.audit.forecasts import audit_forecasts
from experiments.workbench.audit.labels import read_labels
from experiments.workbench.audit.plans import MEASURES, audit_plans
from experiments.workbench.runs.store import Shelf
from features.console import OUT, write_json
from features.home import read_home

CHANCE = "Of many groups some differ by chance; a difference is a reason to look, not a finding."


def audit_forecasts_command(runs: Sequence[str], *, groups: Path | None, json_path: Path | None) -> int:
    """Prints how the forecasts of runs serve each group; returns the exit code 0."""
    shelf = Shelf(read_home())
    labels = read_labels(groups, shelf.home)
    figures = {}
    for run in shelf.find_runs(runs):
        table = audit_forecasts(shelf, run, labels)
        _show(f"{run.name}: forecasts of {run.facts['forecast']} by group, 95 % over students", table, "metric")
        figures[run.name] = json.loads(table.to_json(orient="records"))
    OUT.print(CHANCE)
    write_json(json_path, figures)
    return 0


def audit_plans_command(
    *, team: str | None, since: date | None, until: date | None, groups: Path | None, json_path: Path | None
) -> int:
    """Prints how stored plans serve each group; returns the exit code 0."""
    home = read_home()
    found = audit_plans(home.database_url(), read_labels(groups, home), team=team, since=since, until=until)
    shown = found.groups.replace({"measure": MEASURES})
    _show(f"{found.days} days of teams, {found.decided} decided on, 95 % over students", shown, "measure")
    table = make_table("who sits with whom: 0 as the block, 1 never mixed", ["column", "sessions", "index"],
                       ["value", "by chance", "95 of 100 below", "p"])  # fmt: skip
    for _, row in found.segregation.iterrows():
        cells = [f"{row[name]:.3f}" for name in ("value", "by_chance", "chance_high", "p")]
        table.add_row(row["column"], row["sessions"], row["index"], *cells)
    print_tables(table)
    OUT.print(CHANCE)
    tables = {name: json.loads(getattr(found, name).to_json(orient="records")) for name in ("groups", "segregation")}
    write_json(json_path, {"days": found.days, "decided": found.decided, **tables})
    return 0


def _show(title: str, figures: pd.DataFrame, what: str) -> None:
    table = make_table(title, ["column", "group", what], ["students", "value", "minus all"])
    rows: list[dict[str, Any]] = figures.to_dict(orient="records")  # type: ignore[assignment] # names are texts
    for row in rows:
        value = f"{row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
        gap = f"{row['gap']:+.3f} ({row['gap_low']:+.3f} to {row['gap_high']:+.3f})"
        table.add_row(row["column"], row["group"], row[what], f"{row['students']:,}", value, gap)
    print_tables(table)
