"""What one snapshot knows and forecasts of each student on each skill."""

import itertools
from collections import Counter as Counts
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from prometheus_client import Counter

from features.profiles.kernel import NO_TIME
from serving.models.reasons import Reason, find_contradictions
from serving.models.snapshot import Snapshot
from serving.models.status import OPPORTUNITIES, RESPONSES, Status, describe_facts, describe_statuses, judge_statuses

FORECASTS = Counter(
    "regroup_forecasts_total",
    "Skills of students that were judged, by status; at thin_evidence no forecast is given.",
    ["status"],
)


class SkillForecast(NamedTuple):
    """One student on one skill.

    Attributes:
        student: The student's id.
        skill: The skill's id.
        row: Position in the snapshot.
        status: How the student stands on the skill by present evidence; it can be lost again.
        struggle_risk: Chance that the mastery rule is not met within the next `horizon` attempts, 0-1; 0 for
            proficient; null where no forecast is given.
        mastery: Probability that the next answer is right; null where no forecast is given.
        opportunities: First attempts on the skill so far.
        last_practiced: UTC; null in a log without a clock.
        recent: Whether the skill was practiced lately; always in a log without a clock.
        past: What the status rests on besides the latest answers, in plain words.
        forgotten: Whether it is due for review only because it was last practiced long ago.
        missing: First attempts on the skill that would settle it; 0 where a forecast is given.
        contradicted: Whether no forecast is given because the answers contradict it and nothing explains it.
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
    past: tuple[str, ...] = ()
    forgotten: bool = False
    missing: int = 0
    contradicted: bool = False


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
    return [[*describe_facts(snapshot.rows[forecast.row]), *forecast.past] for forecast in forecasts]


def explain_forecasts(snapshot: Snapshot, forecasts: Sequence[SkillForecast]) -> list[tuple[Reason, ...]]:
    """Explains each struggle risk that a model gave, and gives the others no reasons; about a millisecond for each."""
    modeled = [at for at, f in enumerate(forecasts) if f.struggle_risk is not None and f.status != "proficient"]
    found = snapshot.struggle.explain(snapshot.rows[[forecasts[at].row for at in modeled]])
    reasons = dict(zip(modeled, found, strict=True))
    return [reasons.get(at) or () for at in range(len(forecasts))]


def _forecast(snapshot: Snapshot, students: Sequence[str], recent_days: int) -> Sequence[SkillForecast]:
    at = snapshot.rows_of(students)
    rows = snapshot.rows[at]
    rule = snapshot.struggle.thresholds
    mastery, risk = snapshot.mastery.predict(rows), snapshot.struggle.predict(rows)
    judged = judge_statuses(rows, mastery, rule)
    status = judged.status
    contradicted = find_contradictions(rows, risk, rule) & ~np.isin(status, ["thin_evidence", "proficient"])
    contradicted[contradicted] = [reasons is None for reasons in snapshot.struggle.explain(rows[contradicted])]
    # without a forecast only what the answers alone say is left
    unsettled = contradicted & (status != "review_due") & (rows[:, OPPORTUNITIES] < rule.horizon)
    status = np.where(unsettled, "thin_evidence", status)
    attempts = np.stack([rule.min_opportunities - rows[:, OPPORTUNITIES], rule.min_responses - rows[:, RESPONSES]])
    missing = np.select(
        [contradicted, np.isin(status, ["not_begun", "thin_evidence"])],
        [rule.streak, np.maximum(attempts.max(axis=0), 1)],
        0,
    )
    times = snapshot.last_practiced[at]
    known = [student for student in students if student in snapshot.position]
    columns: dict[str, list[Any]] = {
        "student": np.repeat(known, [snapshot.row_count(student) for student in known]).tolist(),
        "skill": snapshot.skills[at].tolist(),
        "row": at.tolist(),
        "status": status.tolist(),
        "struggle_risk": _null_where(missing > 0, np.where(status == "proficient", 0.0, risk)),
        "mastery": _null_where(missing > 0, mastery),
        "opportunities": rows[:, OPPORTUNITIES].astype(np.int64).tolist(),
        "last_practiced": [_moment_of(time) for time in times.tolist()],
        "recent": (times >= _recent_since(snapshot, recent_days)).tolist(),
        "past": describe_statuses(judged, rule.streak),
        "forgotten": (judged.lapsed & ~judged.recently_wrong & ~judged.doubtful).tolist(),
        "missing": missing.astype(np.int64).tolist(),
        "contradicted": contradicted.tolist(),
    }
    return tuple(itertools.starmap(SkillForecast, zip(*(columns[name] for name in SkillForecast._fields), strict=True)))


def _null_where(missing: npt.NDArray[np.bool_], values: npt.NDArray[np.float64]) -> list[float | None]:
    return [None if absent else value for absent, value in zip(missing.tolist(), values.tolist(), strict=True)]


def _moment_of(time: int) -> datetime | None:
    return None if time == NO_TIME else datetime.fromtimestamp(time / 1_000_000, tz=UTC)


def _recent_since(snapshot: Snapshot, days: int) -> npt.NDArray[np.int64] | int:
    if snapshot.data_as_of is None:
        return NO_TIME
    return int((snapshot.data_as_of - timedelta(days=days)).timestamp() * 1_000_000)
