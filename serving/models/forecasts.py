"""What one snapshot knows and forecasts of each student on each skill."""

from collections import Counter as Counts
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt
from prometheus_client import Counter

from features.profiles.kernel import COLUMNS, NO_TIME
from serving.models.forecaster import Reason, describe_facts
from serving.models.snapshot import Snapshot

Status = Literal["mastered", "struggling", "forecast", "not_enough_evidence"]

FORECASTS = Counter(
    "regroup_forecasts_total",
    "Forecasts that were computed, by status; not_enough_evidence is where the service abstains.",
    ["status"],
)

OPPORTUNITIES = COLUMNS.index("skill_opportunities")
BEST_STREAK = COLUMNS.index("skill_best_streak")
RESPONSES = COLUMNS.index("student_responses")


@dataclass(frozen=True, slots=True)
class SkillForecast:
    """One student on one skill.

    Attributes:
        student: The student's id.
        skill: The skill's id.
        row: Position in the snapshot.
        status: `mastered` and `struggling` are facts by the product's own rule; `forecast` is a forecast;
            `not_enough_evidence` is where the service abstains.
        struggle_risk: 0-1; 1 for struggling, 0 for mastered, null without enough evidence.
        mastery: Probability that the next answer is right; null without enough evidence.
        opportunities: First attempts on the skill so far.
        last_practiced: UTC; null in a log without a clock.
        recent: Whether the skill was practiced lately; always in a log without a clock.
    """

    student: str
    skill: str
    row: int
    status: Status
    struggle_risk: float | None
    mastery: float | None
    opportunities: int
    last_practiced: datetime | None
    recent: bool


def forecast_students(snapshot: Snapshot, students: Sequence[str], recent_days: int) -> Sequence[SkillForecast]:
    """Forecasts every skill that the students have practiced, student by student in their order; computed once.

    Args:
        snapshot: Models and profiles.
        students: Ids; those without a profile have no entry.
        recent_days: For how many days before the snapshot's moment practice is recent.
    """

    def compute() -> Sequence[SkillForecast]:
        forecasts = _forecast(snapshot, students, recent_days)
        for status, count in Counts(forecast.status for forecast in forecasts).items():
            FORECASTS.labels(status).inc(count)
        return forecasts

    return snapshot.cache.get(("forecasts", tuple(students), recent_days), compute)


def describe_all_facts(snapshot: Snapshot, forecasts: Sequence[SkillForecast]) -> list[list[str]]:
    """Describes the facts beside each forecast."""
    return [describe_facts(snapshot.rows[forecast.row]) for forecast in forecasts]


def explain_forecasts(snapshot: Snapshot, forecasts: Sequence[SkillForecast]) -> list[tuple[Reason, ...]]:
    """Explains each forecast that a model made, and gives the others no reasons; about a millisecond for each."""
    rows = [forecast.row for forecast in forecasts if forecast.status == "forecast"]
    reasons = iter(snapshot.struggle.explain(snapshot.rows[rows]) if rows else ())
    return [next(reasons) if forecast.status == "forecast" else () for forecast in forecasts]


def _forecast(snapshot: Snapshot, students: Sequence[str], recent_days: int) -> Sequence[SkillForecast]:
    at = snapshot.rows_of(students)
    rows = snapshot.rows[at]
    rule = snapshot.struggle.thresholds
    opportunities = rows[:, OPPORTUNITIES]
    low_evidence = (opportunities < rule.min_opportunities) | (rows[:, RESPONSES] < rule.min_responses)
    status = np.select(
        [rows[:, BEST_STREAK] >= rule.streak, opportunities >= rule.horizon, low_evidence],
        ["mastered", "struggling", "not_enough_evidence"],
        "forecast",
    )
    risk = np.select([status == "mastered", status == "struggling"], [0.0, 1.0], snapshot.struggle.predict(rows))
    times = snapshot.last_practiced[at]
    known = [student for student in students if student in snapshot.position]
    student_of_row = np.repeat(known, [snapshot.row_count(student) for student in known])
    columns = (
        student_of_row, snapshot.skills[at], at, status, risk, snapshot.mastery.predict(rows),
        opportunities.astype(np.int64), times, times >= _recent_since(snapshot, recent_days),
    )  # fmt: skip
    forecasts = []
    for student, skill, row, name, struggle_risk, mastery, count, time, recent in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        abstains = name == "not_enough_evidence"
        forecasts.append(
            SkillForecast(
                student=student,
                skill=skill,
                row=row,
                status=name,
                struggle_risk=None if abstains else struggle_risk,
                mastery=None if abstains else mastery,
                opportunities=count,
                last_practiced=None if time == NO_TIME else datetime.fromtimestamp(time / 1_000_000, tz=UTC),
                recent=recent,
            )
        )
    return tuple(forecasts)


def _recent_since(snapshot: Snapshot, days: int) -> npt.NDArray[np.int64] | int:
    if snapshot.data_as_of is None:
        return NO_TIME
    return int((snapshot.data_as_of - timedelta(days=days)).timestamp() * 1_000_000)
