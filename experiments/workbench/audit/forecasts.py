"""How the forecasts of a run serve each group: fairlearn's metrics by group, with intervals over students.

Fairlearn's own bootstrap draws rows. A student's rows resemble each other, so its intervals are too narrow; here whole
students are drawn.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
from fairlearn.metrics import MetricFrame

from experiments.workbench.runs.numbers import number_ids, read_salt
from experiments.workbench.runs.store import Run, Shelf
from features.errors import InputError
from training.evaluation.fairness import count_groups
from training.evaluation.metrics import area_under_curve, bounds, log_losses, resample_auc, resample_students

Floats = npt.NDArray[np.float64]
Shares = Callable[[Floats, Floats], tuple[Floats, Floats]]
"""Of targets and forecasts: each row's share of a figure's numerator and of its denominator."""

RESAMPLES = 200
AREA = "AUC"


def audit_forecasts(shelf: Shelf, run: Run, labels: pd.DataFrame) -> pd.DataFrame:
    """Returns one row per column, group and metric.

    Columns: `column`, `group`, `students`, `rows`, `metric`, `value` with `low` and `high` (95 % over students), and
    `gap`, the value minus that of all rows whose label is known, with `gap_low` and `gap_high`. Groups that would tell
    of single children are left out, as in model cards. `missed` is the share of what came true without one of the
    places, which go to the highest forecasts of all rows.

    Args:
        shelf: Has the run.
        run: Its forecasts are audited, as a mean over seeds.
        labels: What `read_labels` gives.

    Raises:
        InputError: No scored student has a label, or no group may be shown.
    """
    predictions = shelf.read_predictions(run)
    target = predictions["target"].to_numpy(np.float64)
    forecast = predictions[[f"seed {seed}" for seed in run.seeds]].mean(axis=1).to_numpy(np.float64)
    split, public = run.choices["split"]["salt"], run.choices["data"]["log"] is not None
    salt = split.encode() if public else read_salt(shelf.home, split)
    student = predictions["student"].to_numpy(np.int64)
    places = run.choices["training"]["evaluation"]["places_share"]
    threshold = float(np.quantile(forecast, 1 - places))
    parts: dict[str, Shares] = {
        "log-loss": lambda target, forecast: (log_losses(target, forecast), np.ones(len(target))),
        "came true": lambda target, _: (target, np.ones(len(target))),
        "forecast minus came true": lambda target, forecast: (forecast - target, np.ones(len(target))),
        "missed": lambda target, forecast: (target * (forecast < threshold), target),
    }
    tables = []
    for column, part in labels.groupby("column", sort=True):
        of_student = pd.Series(part["value"].to_numpy(), index=number_ids(salt, part["student_id"], "student"))
        value = of_student.reindex(student).to_numpy(object)
        counts, shown = count_groups(value, target, student)
        known = ~pd.isna(value)
        if shown:
            table = _measure(parts, target[known], forecast[known], student[known], value[known])
            table = table[table["group"].isin(shown)]
            table.insert(0, "column", column)
            table.insert(2, "students", table["group"].map(counts))
            tables.append(table)
    if not tables:
        raise InputError(f"no group of the labels may be shown: too few students that {run.name} scores have a label")
    return pd.concat(tables, ignore_index=True)


def _measure(
    parts: Mapping[str, Shares],
    target: Floats,
    forecast: Floats,
    student: npt.NDArray[np.int64],
    value: npt.NDArray[np.object_],
) -> pd.DataFrame:
    metrics = {name: _divide(of_rows) for name, of_rows in parts.items()} | {AREA: area_under_curve}
    frame = MetricFrame(metrics=metrics, y_true=target, y_pred=forecast, sensitive_features=value)
    codes = np.unique(student, return_inverse=True)[1]
    draws = resample_students(int(codes.max()) + 1, RESAMPLES)

    def draw(inside: npt.NDArray[np.bool_], metric: str) -> Floats:
        rows = target[inside], forecast[inside]
        if metric == AREA:
            return resample_auc(*rows, codes[inside], draws)
        above, below = (draws @ np.bincount(codes[inside], part, draws.shape[1]) for part in parts[metric](*rows))
        drawn: Floats = np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)
        return drawn

    found = []
    for metric in metrics:
        of_all, overall = draw(np.ones(len(target), bool), metric), float(frame.overall[metric])
        for group, figure in frame.by_group[metric].items():
            inside = value == group
            of_group = draw(inside, metric)
            about = {"group": str(group), "rows": int(inside.sum()), "metric": metric, "value": float(figure)}
            about |= dict(zip(("low", "high"), bounds(of_group), strict=True)) | {"gap": float(figure) - overall}
            found.append(about | dict(zip(("gap_low", "gap_high"), bounds(of_group - of_all), strict=True)))
    return pd.DataFrame(found)


def _divide(of_rows: Shares) -> Callable[[Floats, Floats], float]:
    def metric(target: Floats, forecast: Floats) -> float:
        above, below = of_rows(target, forecast)
        return float(above.sum() / below.sum()) if below.sum() else np.nan

    return metric
