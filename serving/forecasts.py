"""What is known and forecast about each student on each skill, as one snapshot says it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt

from features.history import COLUMNS, NO_TIME
from serving.scoring import Reason, tell_facts
from serving.snapshot import Snapshot

Status = Literal["mastered", "struggling", "forecast", "not_enough_evidence"]

OPPORTUNITIES = COLUMNS.index("skill_opportunities")
BEST_STREAK = COLUMNS.index("skill_best_streak")
RESPONSES = COLUMNS.index("student_responses")


@dataclass(frozen=True)
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
        last_practised: UTC; null in a log without a clock.
        recent: Practised lately, or in a log without a clock.
    """

    student: str
    skill: str
    row: int
    status: Status
    struggle_risk: float | None
    mastery: float | None
    opportunities: int
    last_practised: datetime | None
    recent: bool


def forecast_students(snapshot: Snapshot, students: Sequence[str], recent_days: int) -> list[SkillForecast]:
    """Everything the snapshot says about the students, student by student in the order given.

    Args:
        snapshot: Models and profiles.
        students: Ids; those without a profile have no entry.
        recent_days: How far back from the snapshot's moment practice is recent.
    """
    at = snapshot.rows_of(students)
    rows = snapshot.rows[at]
    rule = snapshot.struggle.thresholds
    mastered = rows[:, BEST_STREAK] >= rule.streak
    struggling = ~mastered & (rows[:, OPPORTUNITIES] >= rule.limit)
    thin = (rows[:, OPPORTUNITIES] < rule.min_opportunities) | (rows[:, RESPONSES] < rule.min_responses)
    risk = snapshot.struggle.predict(rows)
    mastery = snapshot.mastery.predict(rows)
    times = snapshot.last_practised[at]
    since = _recent_since(snapshot, recent_days)
    who = np.repeat(
        np.array([each for each in students if each in snapshot.position], dtype=object),
        [snapshot.start[p + 1] - snapshot.start[p] for p in map(snapshot.position.get, students) if p is not None],
    )
    found = []
    for number, row in enumerate(at):
        status: Status = "forecast"
        if mastered[number]:
            status = "mastered"
        elif struggling[number]:
            status = "struggling"
        elif thin[number]:
            status = "not_enough_evidence"
        known = status != "not_enough_evidence"
        told = {"mastered": 0.0, "struggling": 1.0}.get(status, float(risk[number]))
        found.append(
            SkillForecast(
                student=str(who[number]),
                skill=str(snapshot.skills[row]),
                row=int(row),
                status=status,
                struggle_risk=told if known else None,
                mastery=float(mastery[number]) if known else None,
                opportunities=int(rows[number, OPPORTUNITIES]),
                last_practised=_moment(times[number]),
                recent=bool(times[number] >= since),
            )
        )
    return found


def explain_forecasts(
    snapshot: Snapshot, forecasts: Sequence[SkillForecast]
) -> list[tuple[list[str], tuple[Reason, ...]]]:
    """The facts of each forecast, and the reasons of those that a model made."""
    rows = snapshot.rows[[each.row for each in forecasts]] if forecasts else np.empty((0, len(COLUMNS)), np.float32)
    reasons = snapshot.struggle.explain(rows)
    return [
        (tell_facts(row), why if forecast.status == "forecast" else ())
        for forecast, row, why in zip(forecasts, rows, reasons, strict=True)
    ]


def _recent_since(snapshot: Snapshot, days: int) -> npt.NDArray[np.int64] | int:
    if snapshot.data_as_of is None:
        return NO_TIME
    return int((snapshot.data_as_of - timedelta(days=days)).timestamp() * 1_000_000)


def _moment(microseconds: int) -> datetime | None:
    return None if microseconds == NO_TIME else datetime.fromtimestamp(microseconds / 1_000_000, tz=UTC)
