"""What `python -m experiments compare` does."""

from collections.abc import Sequence
from pathlib import Path

from experiments.workbench.comparison.compare import compare, log_comparison
from experiments.workbench.comparison.page import describe_pair
from experiments.workbench.runs.store import Run
from features.console import OUT, write_json, write_text
from features.errors import InputError
from features.home import read_home


def compare_command(
    names: Sequence[str],
    *,
    metric: str,
    margin: float | None,
    page: Path | None,
    markdown: Path | None,
    json_path: Path | None,
    winner: Path | None,
    tracking: bool,
) -> int:
    """Compares runs, prints the verdicts, and writes the page; returns the exit code 0."""
    found = compare(*names, metric=metric, margin=margin)
    html = found.to_html()
    page = page or read_home().experiments / "pages" / f"{'-'.join(run.key[:8] for run in found.runs)}-{metric}.html"
    write_text(page, html)
    if markdown is not None:
        write_text(markdown, found.to_markdown())
    write_json(json_path, found.to_json())
    for pair in found.pairs:
        _say(describe_pair(pair, found.metric, found.margin))
    _say(f"page: {page}")
    if winner is not None:
        write_winner(found.winner, winner)
    if tracking:
        _say(f"logged as MLflow run {log_comparison(found, html)}")
    return 0


def write_winner(winner: Run, path: Path) -> None:
    """Writes what a run's model was trained with as a file for the nightly job.

    Raises:
        InputError: The night has no such model: it forecasts by trees over all columns.
    """
    from experiments.workbench.runs.run import write_training  # noqa: PLC0415 - takes seconds that verdicts need not

    off = [family for family, on in winner.choices["features"].items() if not on]
    if winner.choices["model"] != "boosting" or off:
        raise InputError(f"the night cannot train {winner.name}: it has the model boosting, with all features")
    write_text(path, write_training(winner.choices["training"]))
    _say(f"the nightly job trains {winner.name} with: python -m training nightly --config {path}")


def _say(sentence: str) -> None:
    OUT.print(sentence, markup=False, highlight=False)
