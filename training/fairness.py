"""How forecasts serve each group of an audit column. Audit columns are never features."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import roc_auc_score

from training.dataset import Block
from training.evaluation import calibration_error

MIN_STUDENTS = 10
"""Groups with fewer students are not reported: a figure would speak of single children."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class GroupFigures:
    """How one group of one audit column fares.

    Attributes:
        column: The audit column.
        group: The value of the column.
        rows: Rows of the group's students.
        students: How many students they are.
        base_rate: Share of rows with target 1.
        mean_forecast: Mean probability; far from the base rate, the group is over- or underestimated.
        ece: Expected calibration error.
        missed_share: Of the rows with target 1, the share without a place (false negatives); null without any.
        auc: Null where only one class occurs.
    """

    column: str
    group: str
    rows: int
    students: int
    base_rate: float
    mean_forecast: float
    ece: float
    missed_share: float | None
    auc: float | None


def audit_groups(
    block: Block, probability: Floats, students: "pd.Index[str]", audit: pd.DataFrame, places_share: float
) -> list[GroupFigures]:
    """The figures of every group of every audit column.

    Args:
        block: Rows with targets.
        probability: Their forecasts.
        students: Ids that the block's student codes stand for.
        audit: One row per student and column: `student_id`, `column`, `value`. Students without a row are left out.
        places_share: The share of all rows that get a place.
    """
    threshold = np.quantile(probability, 1 - places_share) if len(probability) else 1.0
    figures = []
    for column, part in audit.groupby("column", sort=True):
        value_of = part.drop_duplicates("student_id").set_index("student_id")["value"]
        value = value_of.reindex(students).to_numpy()[block.student]
        for group in sorted({str(each) for each in value[~pd.isna(value)]}):
            mine = value == group
            count = len(np.unique(block.student[mine]))
            if count < MIN_STUDENTS:
                continue
            target, forecast = block.target[mine].astype(float), probability[mine]
            both = 0 < target.sum() < len(target)
            missed = float((forecast[target == 1] < threshold).mean()) if target.sum() else None
            figures.append(
                GroupFigures(
                    column=str(column),
                    group=group,
                    rows=int(mine.sum()),
                    students=count,
                    base_rate=float(target.mean()),
                    mean_forecast=float(forecast.mean()),
                    ece=calibration_error(forecast, target),
                    missed_share=missed,
                    auc=float(roc_auc_score(target, forecast)) if both else None,
                )
            )
    return figures
