"""How often what was forecast came true, by how much was forecast: the points of a reliability diagram."""

from dataclasses import dataclass

import numpy as np

from training.data.dataset import Block
from training.evaluation.agreement import Floats, error_of_mean

STEPS = 10
"""Equal-width steps of the forecast."""

MIN_STUDENTS = 10
"""Points with fewer students are left out: they would speak of single children."""

Z95 = 1.96


@dataclass(frozen=True)
class Point:
    """The rows whose forecast lies in one step.

    Attributes:
        forecast: Their mean forecast, 0-1.
        observed: Their mean target, 0-1.
        low: Lower end of the 95 % interval of `observed`, over students.
        high: Its upper end.
        rows: How many they are.
    """

    forecast: float
    observed: float
    low: float
    high: float
    rows: int


def find_points(block: Block, probability: Floats) -> list[Point]:
    """The points of a reliability diagram, by rising forecast; steps with few students have none.

    Args:
        block: Rows with their targets.
        probability: The forecast of each row, 0-1.

    Source: Bröcker and Smith (2007), "Increasing the reliability of reliability diagrams".
    """
    step = np.minimum((probability * STEPS).astype(np.int64), STEPS - 1)
    points = []
    for number in np.unique(step):
        mine = step == number
        student = np.unique(block.student[mine], return_inverse=True)[1]
        if student.max() + 1 < MIN_STUDENTS:
            continue
        target = block.target[mine].astype(np.float64)
        observed = float(target.mean())
        error = Z95 * error_of_mean(target - observed, student)
        interval = max(0.0, observed - error), min(1.0, observed + error)
        points.append(Point(float(probability[mine].mean()), observed, *interval, int(mine.sum())))
    return points
