"""Compares runs that were scored on the same rows, and refuses to compare others."""

import json
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure

from experiments.workbench.comparison.figures import draw_figures
from experiments.workbench.comparison.page import write_markdown, write_page
from experiments.workbench.comparison.statistics import Gain, adjust_holm, compare_folds, resample_gain
from experiments.workbench.comparison.verdicts import Pair, Verdicts, forecasts_of
from experiments.workbench.metrics import SIGN
from experiments.workbench.runs.numbers import number_ids, read_salt
from experiments.workbench.runs.store import Run, Shelf
from features.errors import InputError, MissingError
from features.home import Home, read_home
from training.evaluation.fairness import MIN_STUDENTS
from training.records.entities import SOURCE_NAME
from training.records.tracking import EXPERIMENTS, Tracking

Floats = npt.NDArray[np.float64]

MARGINS = {"log_loss": 0.005, "auc": 0.005}
"""Half of the region of practical equivalence: a gain below it changes nobody's morning."""

SURE = 0.05
"""A verdict needs an adjusted p below this."""

BANDS = {
    "first attempt": (0, 0),
    "after 1-2": (1, 2),
    "after 3-5": (3, 5),
    "after 6-9": (6, 9),
    "after 10 or more": (10, None),
}
"""Groups of rows by first attempts on the skill before them."""

ADVICE = {
    "code": "run them again with the same version of regroup",
    "data": "run them again on the same events; each ingest makes another version of the log",
    "label rule": "give them the same [judge]; what they learn by, [label], may differ",
    "split": "give them the same [split]",
}
"""What to do about what differs."""


class Comparison(Verdicts):
    """Verdicts with their pictures, page and table for a pull request."""

    @property
    def figures(self) -> dict[str, Figure]:
        """Matplotlib figures by name: gains, ROC, precision and recall, reliability, lead time, learning, folds."""
        return draw_figures(self)

    @property
    def winner(self) -> Run:
        """The first run, unless a later one is better than it; then that one, and so on."""
        best, *others = self.runs
        verdicts = {(pair.run, pair.against): pair.verdict for pair in self.pairs}
        for other in others:
            if verdicts[other.name, best.name] == "better":
                best = other
        return best

    def to_markdown(self) -> str:
        """A table for a pull request."""
        return write_markdown(self)

    def to_html(self) -> str:
        """A page that needs nothing else."""
        return write_page(self, self.figures)

    def _repr_html_(self) -> str:
        return self.table.to_html(index=False)


def compare(*names: "str | Run", metric: str = "log_loss", margin: float | None = None) -> Comparison:
    """Compares runs of this home that were scored on the same rows.

    Args:
        names: Two runs or more, as they are called, or the beginning of their ids in MLflow.
        metric: What verdicts are given on: `log_loss` or `auc`.
        margin: Half of the region of practical equivalence; .005 unless given.

    Raises:
        InputError: There are fewer than two, or a comparison would not be fair: other data, split, label rule, code or
            rows, or rows that something was learned from.
        MissingError: There is no such run.

    Example:
        compare("streak 3", "streak 4").table
    """
    if metric not in SIGN:
        raise InputError(f"metric {metric!r} is not known; use one of {', '.join(SIGN)}")
    if margin is not None and not 0 <= margin < 1:
        raise InputError(f"margin is {margin:g}; it must be 0 or more and below 1")
    shelf = Shelf(read_home())
    found = iter(shelf.find_runs([name for name in names if isinstance(name, str)]))
    runs = [next(found) if isinstance(name, str) else name for name in names]
    require_fair(runs)
    predictions = _line_up(shelf, runs)
    margin = MARGINS[metric] if margin is None else margin
    pairs = judge_runs(runs, predictions, metric, margin)
    groups = _compare_groups(runs, predictions, metric, _find_groups(shelf.home, runs[0], predictions))
    return Comparison(runs, metric, margin, pairs, groups, predictions)


def require_fair(runs: Sequence[Run]) -> None:
    """Refuses runs that were not scored on the same rows for the same question, and says in what they differ.

    Raises:
        InputError: They were not, or there are fewer than two runs, or two of one name.
    """
    if len(runs) < 2:  # noqa: PLR2004 - a comparison takes two
        raise InputError("a comparison takes two runs or more; name them")
    if len({run.name for run in runs}) < len(runs):
        raise InputError(f"two of the runs are called {runs[0].name}; give each a name of its own")
    first = runs[0]
    for other in runs[1:]:
        differences = [
            f"{fact}: {first.name} has {value}, {other.name} has {other.facts.get(fact)}"
            + (f" ({ADVICE[fact]})" if fact in ADVICE else "")
            for fact, value in first.facts.items()
            if other.facts.get(fact) != value
        ]
        if differences:
            raise InputError(f"it would not be fair to compare these runs. {'; '.join(differences)}")
    for run in runs:
        if run.seen:
            raise InputError(
                f"it would not be fair to compare these runs. {run.name} has learned from {run.seen} of the rows that "
                "it is scored on"
            )


def _line_up(shelf: Shelf, runs: Sequence[Run]) -> pd.DataFrame:
    """The rows with the forecasts of each run and seed, as columns `RUN seed SEED`."""
    keys = ["fold", "row", "student", "episode", "opportunity", "target"]
    lined: pd.DataFrame | None = None
    for run in runs:
        table = shelf.read_predictions(run)
        own = table.drop(columns=keys).add_prefix(f"{run.name} ")
        if lined is None:
            lined = pd.concat([table[keys], own], axis=1)
        elif table[keys].equals(lined[keys]):
            lined = pd.concat([lined, own], axis=1)
        else:
            raise InputError(f"it would not be fair to compare these runs. {run.name} was scored on other rows")
    assert lined is not None, "there are two runs"
    return lined


def _gain(one: Run, other: Run, rows: pd.DataFrame, metric: str) -> Gain:
    """By how much the other run is better than the one."""
    target, student = rows["target"].to_numpy(np.float64), rows["student"].to_numpy(np.int64)
    return resample_gain(metric, target, forecasts_of(other, rows), forecasts_of(one, rows), student)


def gains_of_folds(one: Run, other: Run, metric: str) -> pd.Series:
    """By how much the other run is better than the one in each fold, as a mean over seeds."""
    means = [run.table.groupby("fold", sort=False)[metric].mean() for run in (one, other)]
    return SIGN[metric] * (means[1] - means[0])


def judge_runs(runs: Sequence[Run], predictions: pd.DataFrame, metric: str, margin: float) -> list[Pair]:
    """Judges each later run against each earlier one; arguments are those of `Verdicts`."""
    compared = list(combinations(runs, 2))
    gains = [_gain(one, other, predictions, metric) for one, other in compared]
    adjusted = adjust_holm([gain.p for gain in gains])
    pairs = []
    for (one, other), gain, p in zip(compared, gains, adjusted, strict=True):
        table = one.table.drop_duplicates("fold")
        share = float((table["rows"] / table["train_rows"]).mean())
        folds = compare_folds(gains_of_folds(one, other, metric).to_numpy(np.float64), share, margin)
        pairs.append(Pair(other.name, one.name, gain, p, folds, give_verdict(gain, p, margin)))
    return pairs


def give_verdict(gain: Gain, p: float, margin: float) -> str:
    """Says `equal` where the whole interval is within the margin, else whether the gain is surely not zero.

    Example:
        >>> give_verdict(Gain(0.02, 0.01, 0.03, 0.001, 90), 0.001, margin=0.005)
        'better'
        >>> give_verdict(Gain(0.001, -0.001, 0.003, 0.2, 90), 0.2, margin=0.005)
        'equal'
    """
    if -margin <= gain.low and gain.high <= margin:
        return "equal"
    if p < SURE:
        return "better" if gain.value > 0 else "worse"
    return "undecided"


def _find_groups(home: Home, run: Run, predictions: pd.DataFrame) -> dict[tuple[str, str], npt.NDArray[np.bool_]]:
    """Marks the rows of each group, by what it is a group of: opportunity, school, and each audit column."""
    opportunity = predictions["opportunity"].to_numpy()
    groups = {
        ("opportunity", name): (opportunity >= low) & (opportunity <= (np.inf if high is None else high))
        for name, (low, high) in BANDS.items()
    }
    if run.choices["data"]["log"] is not None:
        return groups
    # a public log has no roster, whose queries take a second to import
    from features.roster import list_teams, read_demographics, students_of_schools  # noqa: PLC0415

    url = home.database_url()
    try:
        facts = [(fact.student_id, fact.column, fact.value) for fact in read_demographics(url)]
        schools = sorted({team.school for team in list_teams(url) if team.school})
    except MissingError:
        return groups
    facts += [(student, "school", school) for school in schools for student in students_of_schools(url, [school])]
    table = pd.DataFrame(facts, columns=["student_id", "column", "value"])
    table["student"] = number_ids(read_salt(home, run.choices["split"]["salt"]), table["student_id"], "student")
    for (column, value), part in table.groupby(["column", "value"], sort=True):
        groups[str(column), str(value)] = predictions["student"].isin(part["student"]).to_numpy()
    return groups


def _compare_groups(
    runs: Sequence[Run],
    predictions: pd.DataFrame,
    metric: str,
    groups: Mapping[tuple[str, str], npt.NDArray[np.bool_]],
) -> pd.DataFrame:
    """One row per pair and group of ten students or more; fewer would speak of single children."""
    rows = []
    for (by, name), inside in groups.items():
        part = predictions[inside]
        if part["student"].nunique() < MIN_STUDENTS:
            continue
        for one, other in combinations(runs, 2):
            gain = _gain(one, other, part, metric)
            figures = {"gain": gain.value, "low": gain.low, "high": gain.high}
            about = {"run": other.name, "against": one.name, "by": by, "group": name}
            rows.append({**about, "rows": len(part), "students": gain.students, **figures})
    return pd.DataFrame(rows)


def log_comparison(comparison: Comparison, page: str) -> str:
    """Logs a comparison to MLflow once, and returns the run's id; it holds no row of a student.

    Args:
        comparison: The comparison.
        page: Its page.
    """
    names = [run.name for run in comparison.runs]
    key = f"comparison {' '.join(run.key[:12] for run in comparison.runs)} {comparison.metric} {comparison.margin:g}"
    tags = {"kind": "comparison", "name": " vs ".join(names), "code": comparison.runs[0].facts["code"]}
    tags |= {f"verdict {pair.run} against {pair.against}": pair.verdict for pair in comparison.pairs}
    metrics: dict[str, float] = {}
    for number, pair in enumerate(comparison.pairs):
        suffix = "" if len(comparison.pairs) == 1 else f"_{number + 1}"
        figures = {"gain": pair.gain.value, "gain_low": pair.gain.low, "gain_high": pair.gain.high, "p": pair.p}
        metrics |= {f"{name}{suffix}": value for name, value in figures.items()}
    texts = {
        "comparison.html": page,
        "comparison.md": comparison.to_markdown(),
        "comparison.json": json.dumps(comparison.to_json(), indent=1, ensure_ascii=False),
    }
    parameters = {"metric": comparison.metric, "margin": comparison.margin}
    tags[SOURCE_NAME] = "python -m experiments compare"
    said = f"{comparison.to_markdown()}\n`comparison.html` among the artifacts has the pictures."
    return Tracking().log_run(key, tags, parameters, metrics, {}, texts, tags["name"], said, experiment=EXPERIMENTS)
