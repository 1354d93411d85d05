"""What is known and forecast about each student on each skill, as one snapshot says it."""

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
    "Forecasts made for those who asked, by status; not_enough_evidence is where the service abstains.",
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
            `not_enough_evidence` is none, and says so.
        struggle_risk: 0-1; 1 for struggling, 0 for mastered, null without enough evidence.
        mastery: Probability that the next answer is right; null without enough evidence.
        opportunities: First attempts on the skill so far.
        last_practiced: UTC; null in a log without a clock.
        recent: Practised lately, or in a log without a clock.
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
    """Everything the snapshot says about the students, student by student in the order given; computed once.

    Args:
        snapshot: Models and profiles.
        students: Ids; those without a profile have no entry.
        recent_days: How far back from the snapshot's moment practice is recent.
    """
    asked = tuple(students)

    def compute() -> Sequence[SkillForecast]:
        made = make_forecasts(snapshot, asked, recent_days)
        for status, count in Counts(each.status for each in made).items():
            FORECASTS.labels(status).inc(count)
        return made

    return snapshot.cache.get(("forecasts", asked, recent_days), compute)


def describe_all_facts(snapshot: Snapshot, forecasts: Sequence[SkillForecast]) -> list[list[str]]:
    """The facts of each forecast."""
    return [describe_facts(row) for row in snapshot.rows[[each.row for each in forecasts]]] if forecasts else []


def explain_forecasts(snapshot: Snapshot, forecasts: Sequence[SkillForecast]) -> list[tuple[Reason, ...]]:
    """The reasons of each forecast that a model made, none of the others; about a millisecond for each."""
    told = [each.row for each in forecasts if each.status == "forecast"]
    reasons = iter(snapshot.struggle.explain(snapshot.rows[told]) if told else ())
    return [next(reasons) if each.status == "forecast" else () for each in forecasts]


def make_forecasts(snapshot: Snapshot, students: Sequence[str], recent_days: int) -> tuple[SkillForecast, ...]:
    """What `forecast_students` says, made anew and for nobody who asked."""
    at = snapshot.rows_of(students)
    rows = snapshot.rows[at]
    rule = snapshot.struggle.thresholds
    opportunities = rows[:, OPPORTUNITIES]
    low_evidence = (opportunities < rule.min_opportunities) | (rows[:, RESPONSES] < rule.min_responses)
    status = np.select(
        [rows[:, BEST_STREAK] >= rule.streak, opportunities >= rule.limit, low_evidence],
        ["mastered", "struggling", "not_enough_evidence"],
        "forecast",
    )
    risk = np.select([status == "mastered", status == "struggling"], [0.0, 1.0], snapshot.struggle.predict(rows))
    times = snapshot.last_practiced[at]
    found = [student for student in students if student in snapshot.position]
    who = np.repeat(found, [snapshot.row_count(student) for student in found])
    columns = (
        who, snapshot.skills[at], at, status, risk, snapshot.mastery.predict(rows), opportunities.astype(np.int64),
        times, times >= _recent_since(snapshot, recent_days),
    )  # fmt: skip
    forecasts = []
    for student, skill, row, said, risky, masters, tries, time, recent in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        known = said != "not_enough_evidence"
        forecasts.append(
            SkillForecast(
                student=student,
                skill=skill,
                row=row,
                status=said,
                struggle_risk=risky if known else None,
                mastery=masters if known else None,
                opportunities=tries,
                last_practiced=_moment(time),
                recent=recent,
            )
        )
    return tuple(forecasts)


def _recent_since(snapshot: Snapshot, days: int) -> npt.NDArray[np.int64] | int:
    if snapshot.data_as_of is None:
        return NO_TIME
    return int((snapshot.data_as_of - timedelta(days=days)).timestamp() * 1_000_000)


def _moment(microseconds: int) -> datetime | None:
    return None if microseconds == NO_TIME else datetime.fromtimestamp(microseconds / 1_000_000, tz=UTC)
