"""What `python -m experiments run` and `search` do."""

import json
from collections.abc import Sequence
from pathlib import Path

from experiments.benchmarks.figures import make_table, print_tables
from experiments.workbench.metrics import METRICS
from experiments.workbench.runs.experiment import read_experiment
from experiments.workbench.runs.run import run_experiment
from experiments.workbench.runs.store import summarize
from features.console import OUT, write_json, write_text
from features.errors import InputError
from features.home import read_home


def run_command(files: Sequence[Path], *, settings: Sequence[str], workers: int | None, tracking: bool) -> int:
    """Runs experiments one after the other and prints their scores; returns the exit code 0."""
    experiments = [read_experiment(path, settings) for path in files]  # a mistake in the last ends all before the first
    for experiment in experiments:
        run = run_experiment(experiment, workers=workers, tracking=tracking)
        rows = run.facts["scored rows"].split(" ")[0]
        table = make_table(f"{run.name}: {rows} rows", ["metric"], ["mean", "sd", "n"])
        for name, figures in summarize(run).iterrows():
            table.add_row(METRICS[str(name)], f"{figures['mean']:.4f}", f"{figures['sd']:.4f}", f"{figures['n']:.0f}")
        print_tables(table)
        if run.left_out:
            _say(f"left out: {run.left_out:,} rows of students whose answers one who is learned from gave as well")
        if run.run_id:
            _say(f"logged as MLflow run {run.run_id}")
    return 0


def search_command(
    files: Sequence[Path],
    *,
    settings: Sequence[str],
    best: Path | None,
    json_path: Path | None,
    holdout: bool,
    workers: int | None,
    tracking: bool,
) -> int:
    """Searches the space of each experiment, prints the best values, and writes the night's file; returns 0."""
    from experiments.workbench.search import search_experiment  # noqa: PLC0415 - others need no Optuna

    if best is not None and len(files) > 1:
        raise InputError(f"--best names one file, and {len(files)} are searched; search one at a time, or leave it out")
    experiments = [read_experiment(path, settings) for path in files]
    figures = {}
    for experiment in experiments:
        found = search_experiment(experiment, workers=workers, holdout=holdout, tracking=tracking)
        path = best or read_home().experiments / "searches" / f"{found.name}.toml"
        write_text(path, found.file)
        table = make_table(f"{found.name}: {len(found.trials)} trials, the best five", [], [*found.trials.columns])
        for row in found.trials.sort_values(["state", "log_loss"]).head(5).itertuples(index=False):
            table.add_row(*(f"{value:.4f}" if isinstance(value, float) else str(value) for value in row))
        print_tables(table)
        if found.holdout is not None:
            gain = found.holdout
            _say(
                f"on {gain.students:,} reserved students the best gains {gain.value:+.4f} of log-loss on the file's "
                f"own choices (95 % {gain.low:+.4f} to {gain.high:+.4f})"
            )
        if found.run_id:
            _say(f"logged as MLflow run {found.run_id}")
        _say(f"the nightly job trains the best with: python -m training nightly --config {path}")
        trials = json.loads(found.trials.to_json(orient="records"))
        on_holdout = vars(found.holdout) if found.holdout else None
        figures[found.name] = {"best": dict(found.chosen), "holdout_gain": on_holdout, "trials": trials}
    write_json(json_path, figures)
    return 0


def _say(sentence: str) -> None:
    OUT.print(sentence, markup=False, highlight=False)
