"""Answers before and after sessions with an adult, beside those of similar students who waited.

It is an association. Who sits down with an adult was chosen, often after bad days, and whoever was chosen then does
better afterwards by chance alone; so each student is compared with one of the team who was forecast to do as well on
the same skill and waited. What nobody recorded, such as why one of the two was chosen, may still make the difference.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

import numpy as np

from features.roster import SkillMap, Team
from serving.access.caller import Caller
from serving.grouping import SessionType
from serving.models.insight.comparison import LEAST_STUDENTS
from serving.models.insight.residuals import Ints, Residuals
from serving.plans.edits.edited_day import open_days
from serving.plans.problem import skill_name
from serving.plans.recommend import Planner
from serving.store.recommendations import find_current_plans

DAY_US = 86_400 * 1_000_000

AFTER_DAYS = 7
"""Days after a session in which answers on its skill are looked at."""

ANSWERS = 5
"""Answers on the skill that are looked at, before the session and after it, at most."""

NEAR = 0.1
"""How far apart the forecasts of two similar students may be."""

UNKNOWN_KIND, WAITED = "session outside the plans", "without a session"

SESSION_KINDS: Mapping[str, str] = {
    SessionType.SMALL_GROUP: "small group",
    SessionType.TUTORING: "tutoring",
    SessionType.COLLABORATIVE: "collaborative work",
}


class HeldSession(NamedTuple):
    """A session with an adult that was held; the adult is left out on purpose.

    Attributes:
        day: Its date.
        kind: What kind of session it was, in words.
        skill: Id of its skill.
        students: Who was there.
    """

    day: date
    kind: str
    skill: str
    students: tuple[str, ...]


@dataclass(frozen=True)
class Contrast:
    """Sessions of one kind, of one skill or of all, beside students who waited.

    Attributes:
        kind: The kind of session, in words.
        skill: Name of the skill; null for all together.
        students: How many different students are compared, at least `LEAST_STUDENTS`.
        seats: How many places in sessions.
        before: Share of right answers on the skill before the session, 0-1.
        after: The same after it.
        waited_before: Of the similar students who waited, until the same day.
        waited_after: The same from the next day on.
        low: Lower end of the 95 % interval of how much more the first rose.
        high: Its upper end.
    """

    kind: str
    skill: str | None
    students: int
    seats: int
    before: float
    after: float
    waited_before: float
    waited_after: float
    low: float
    high: float

    @property
    def difference(self) -> float:
        """By how much more the share of right answers rose than that of the students who waited, -2 to 2."""
        return (self.after - self.before) - (self.waited_after - self.waited_before)


def list_held(planner: Planner, caller: Caller, team: Team, first: date, last: date) -> list[HeldSession]:
    """The sessions with an adult on a known skill that a team held, with their kinds where its plans say them."""
    rows = find_current_plans(planner.database, team.team_id, first, last)
    accepted = {day: row for day, row in rows.items() if row.decision is not None and not row.awaits_signature}
    kinds = {
        (day, session.block, session.adults[0]): SESSION_KINDS[session.session_type]
        for day, edited in open_days(planner.database, caller, accepted).items()
        for session in edited.sessions
        if session.led
    }
    return [
        HeldSession(
            each.date,
            kinds.get((each.date, each.block_id, each.staff_id), UNKNOWN_KIND),
            each.skill_id,
            each.students,
        )
        for each in team.past_sessions
        if each.staff_id is not None and each.skill_id is not None and first <= each.date <= last
    ]


def group_by_session(answers: Residuals, held: Sequence[HeldSession]) -> dict[str, Ints]:
    """Positions of answers by the kind of the latest session that the student had on the skill in the days before."""
    position = {student: at for at, student in enumerate(answers.students)}
    sessions: dict[tuple[int, str], list[tuple[int, str]]] = defaultdict(list)
    for each in sorted(held):
        for student in each.students:
            if student in position:
                sessions[position[student], each.skill].append((_midnight_after(each.day), each.kind))
    found: dict[str, list[int]] = defaultdict(list)
    if not sessions:
        return {}
    for at, (student, node, moment) in enumerate(
        zip(answers.student.tolist(), answers.node.tolist(), answers.moment.tolist(), strict=True)
    ):
        kind, latest = WAITED, moment - AFTER_DAYS * DAY_US
        for skill in answers.nodes[node]:
            for began, what in sessions.get((student, skill), ()):
                if latest <= began <= moment:
                    kind, latest = what, began
        found[kind].append(at)
    return {kind: np.array(places, np.int64) for kind, places in sorted(found.items())}


class _Seat(NamedTuple):
    """A student before and after a moment, on one skill."""

    student: int
    forecast: float
    before: float
    after: float


def contrast_sessions(answers: Residuals, held: Sequence[HeldSession], skills: SkillMap) -> tuple[Contrast, ...]:
    """Answers before and after sessions by kind, and by kind and skill, beside those of similar students who waited.

    Args:
        answers: The team's, beside their forecasts.
        held: The sessions.
        skills: Names of skills.
    """
    position = {student: at for at, student in enumerate(answers.students)}
    by_pair: dict[str, dict[int, Ints]] = {
        skill: {student: at[answers.student[at] == student] for student in np.unique(answers.student[at]).tolist()}
        for skill, at in answers.by_skill().items()
    }
    days: dict[tuple[str, int], list[int]] = defaultdict(list)
    for each in held:
        for student in each.students:
            days[each.skill, position.get(student, -1)].append(_midnight_after(each.day))
    matched: dict[tuple[str, str | None], list[tuple[_Seat, _Seat]]] = defaultdict(list)
    for each in sorted(held):
        moment, of_skill = _midnight_after(each.day), by_pair.get(each.skill, {})
        waiting = [
            seat
            for student, at in of_skill.items()
            if not any(abs(other - moment) <= AFTER_DAYS * DAY_US for other in days.get((each.skill, student), ()))
            and (seat := _look(answers, student, at, moment)) is not None
        ]
        for student in each.students:
            at = of_skill.get(position.get(student, -1))
            seat = None if at is None else _look(answers, position[student], at, moment)
            if seat is None or not waiting:
                continue
            other = min(waiting, key=lambda one: abs(one.forecast - seat.forecast))
            if abs(other.forecast - seat.forecast) <= NEAR:
                matched[each.kind, None].append((seat, other))
                matched[each.kind, each.skill].append((seat, other))
    found = [_sum_up(kind, skill, pairs, skills) for (kind, skill), pairs in matched.items()]
    enough = [each for each in found if each.students >= LEAST_STUDENTS]
    return tuple(sorted(enough, key=lambda each: (each.kind, each.skill is not None, -each.seats)))


def _look(answers: Residuals, student: int, at: Ints, moment: int) -> _Seat | None:
    """A student's answers around a moment; null where there are none before it, or none after."""
    before = at[answers.moment[at] < moment][-ANSWERS:]
    after = at[(answers.moment[at] >= moment) & (answers.moment[at] < moment + AFTER_DAYS * DAY_US)][:ANSWERS]
    if len(before) == 0 or len(after) == 0:
        return None
    return _Seat(
        student,
        float(answers.forecast[after[0]]),
        float(answers.right[before].mean()),
        float(answers.right[after].mean()),
    )


def _sum_up(kind: str, skill: str | None, pairs: Sequence[tuple[_Seat, _Seat]], skills: SkillMap) -> Contrast:
    sat, waited = (np.array([(one.before, one.after) for one in part]) for part in zip(*pairs, strict=True))
    student = np.unique([seat.student for seat, _ in pairs], return_inverse=True)[1]
    more = (sat[:, 1] - sat[:, 0]) - (waited[:, 1] - waited[:, 0])
    off = np.bincount(student, more - more.mean())
    reach = 1.96 * float(np.sqrt((off**2).sum())) / len(pairs)
    middle, name = float(more.mean()), None if skill is None else skill_name(skills, skill)
    (before, after), (waited_before, waited_after) = (part.mean(axis=0).tolist() for part in (sat, waited))
    return Contrast(
        kind=kind,
        skill=name,
        students=int(student.max()) + 1,
        seats=len(pairs),
        before=before,
        after=after,
        waited_before=waited_before,
        waited_after=waited_after,
        low=middle - reach,
        high=middle + reach,
    )


def _midnight_after(day: date) -> int:
    """The end of a school day in microseconds since 1970 UTC: answers of the day itself may have come before."""
    return int(datetime.combine(day + timedelta(days=1), time(), UTC).timestamp() * 1_000_000)
