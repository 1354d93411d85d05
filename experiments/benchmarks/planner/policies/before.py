"""The planner's objective of commit 908ad8d, frozen: needs, weights, cap and sizes.

This module keeps what that commit's needs.py, planning.toml and defaults said, in the terms of today's problem. It is a
policy to compare with and never changes in what it does; where today's problem has dials that there were not, they are
set so that they do nothing. One hard rule is today's: an adult's own bound on groups holds for tables too.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date

from features.roster import PastSession, SkillMap, Team
from serving.grouping import Effect, Need, Problem, SessionType, SizeBound, Skill, Weights
from serving.grouping.problem.policy import SizeCurve
from serving.models.forecasts import SkillForecast

UNKNOWN = 0.12
"""Need of a skill without a forecast."""

OUTSIDE_FOCUS, LEAST_WEIGHT = 0.30, 0.25
"""Weight of a skill outside the current unit; the least weight where the team names none."""

CATCH_UP_SHARE, NEXT_SHARE = 0.60, 0.20
"""Share of the members with evidence that makes a mastered skill one to catch up on; share that makes one worked on."""

MOST_CATCH_UP_DAYS = 4
"""Days in a row in groups on skills to catch up on, after which there is none."""

HANDFUL = 6
"""Needs of a student."""

STUDENTS_PER_MONITOR = 30

WEIGHTS = Weights(
    benefit=1.0,
    coverage=0.3,
    relationships=0.05,
    repeat_groupmates=0.02,
    keep_together=0.2,
    perturbation=0.1,
    load=0.02,
    share=0.05,
    group_time_due=0.0,  # nobody was due for anything then
    coaching=0.5,
    urgent=0.0,
    adult_time_due=0.0,
)

SIZES = (
    SizeBound(SessionType.SMALL_GROUP, 3, 8),
    SizeBound(SessionType.TUTORING, 1, 2),
    SizeBound(SessionType.COLLABORATIVE, 4, 6, tables=3),
)

EFFECTS = tuple(
    Effect(session_type, role, effect, low_evidence)
    for session_type, low_evidence, by_role in (
        (SessionType.SMALL_GROUP, 0.40, (0.42, 0.42, 0.33, 0.30)),
        (SessionType.TUTORING, 0.50, (0.50, 0.50, 0.42, 0.36)),
        (SessionType.COLLABORATIVE, 0.15, (0.20, 0.20, 0.16, 0.16)),
    )
    for role, effect in zip(
        ("teacher_leader", "collaborating_teacher", "support_staff", "teacher_in_training"), by_role, strict=True
    )
)

MASTERED = frozenset({"proficient", "review_due"})
"""Mastery was three in a row once, and could not be lost."""


def state_before(
    problem: Problem, team: Team, skills: SkillMap, forecasts: Sequence[SkillForecast], day: date
) -> Problem:
    """Returns a day of today's planner as the planner of before would have stated it.

    Args:
        problem: The day as the service states it, whose people, places, rules and history are kept.
        team: Members, unit and past sessions.
        skills: Prerequisites.
        forecasts: The team's.
        day: The date.
    """
    to_catch_up = find_mostly_mastered(forecasts)
    row = count_days_in_a_row([session for session in team.past_sessions if session.date < day], to_catch_up)
    needs = [
        need
        for need in list_needs_before(team, skills, forecasts)
        if need.skill not in to_catch_up or row[need.student] < MOST_CATCH_UP_DAYS
    ]
    known = {skill.id: skill for skill in problem.skills}
    known |= {need.skill: Skill(need.skill, need.skill) for need in needs if need.skill not in known}
    return replace(
        problem,
        skills=tuple(known.values()),
        needs=tuple(needs),
        students=tuple(replace(student, adult_time_due=False) for student in problem.students),
        weights=WEIGHTS,
        sizes=SIZES,
        size_curve=SizeCurve(loss=0.0),
        effects=EFFECTS,
        students_per_monitor=STUDENTS_PER_MONITOR,
        most_social_cost=1.0,
    )


def list_needs_before(team: Team, skills: SkillMap, forecasts: Sequence[SkillForecast]) -> list[Need]:
    """Returns a handful of needs of each student: struggle risk x (1 - mastery) x readiness x weight.

    Args:
        team: Members and unit.
        skills: Prerequisites.
        forecasts: The team's.
    """
    by_student: dict[str, dict[str, SkillForecast]] = defaultdict(dict)
    for forecast in forecasts:
        if forecast.status != "not_begun":
            by_student[forecast.student][forecast.skill] = forecast
    counts = Counter(forecast.skill for forecast in forecasts if forecast.recent)
    share = {skill: count / max(1, len(team.members)) for skill, count in counts.items()}
    weights = _weigh_skills(team, share)
    worked_on = set(team.focus) or {skill for skill, part in share.items() if part >= NEXT_SHARE}
    needs = []
    for student in team.members:
        mine = by_student[student]
        options = [
            _need(forecast, _readiness(forecast.skill, mine, skills), weights[forecast.skill])
            for forecast in mine.values()
            if forecast.status not in MASTERED and (forecast.recent or forecast.skill in team.focus)
        ]
        options += [
            _unknown(student, skill, weights[skill])
            for skill in sorted((worked_on | skills.requires.keys()) - mine.keys())
            if all(one in mine and mine[one].status in MASTERED for one in skills.requires.get(skill, ()))
        ]
        options.sort(key=lambda need: (-need.need, need.skill))
        needs += [need for need in options if need.need > 0][:HANDFUL]
    return needs


def find_mostly_mastered(forecasts: Sequence[SkillForecast]) -> set[str]:
    """Returns the skills that most of the members with evidence have mastered, which the others catch up on."""
    known = Counter(forecast.skill for forecast in forecasts if forecast.status not in {"thin_evidence", "not_begun"})
    mastered = Counter(forecast.skill for forecast in forecasts if forecast.status in MASTERED)
    return {skill for skill, count in mastered.items() if count >= CATCH_UP_SHARE * known[skill]}


def _weigh_skills(team: Team, share: Mapping[str, float]) -> Mapping[str, float]:
    if team.focus:
        return defaultdict(lambda: OUTSIDE_FOCUS, team.focus)
    most = max(share.values(), default=1.0)
    relative = {skill: max(LEAST_WEIGHT, part / most) for skill, part in share.items()}
    return defaultdict(lambda: LEAST_WEIGHT, relative)


def _readiness(skill: str, mine: Mapping[str, SkillForecast], skills: SkillMap) -> float:
    known = [mine[required].mastery for required in skills.requires.get(skill, ()) if required in mine]
    return min((mastery for mastery in known if mastery is not None), default=1.0)


def _need(forecast: SkillForecast, readiness: float, weight: float) -> Need:
    risk, mastery = forecast.struggle_risk, forecast.mastery
    if risk is None or mastery is None:
        return _unknown(forecast.student, forecast.skill, weight, readiness)
    return Need(
        forecast.student, forecast.skill, risk * (1.0 - mastery) * readiness * weight, risk, mastery, readiness, weight
    )


def _unknown(student: str, skill: str, weight: float, readiness: float = 1.0) -> Need:
    return Need(student, skill, UNKNOWN * readiness * weight, None, None, readiness, weight)


def count_days_in_a_row(past: Collection[PastSession], to_catch_up: Collection[str]) -> Counter[str]:
    """Returns for how many days in a row all seats of a student that an adult led were catching up.

    A day without such a seat neither adds to the row nor ends it.

    Args:
        past: Past sessions.
        to_catch_up: Skills to catch up on, as of today.
    """
    row = Counter[str]()
    for date_of in sorted({session.date for session in past}):
        led = [session for session in past if session.date == date_of and session.staff_id is not None]
        new = {student for session in led for student in session.students if session.skill_id not in to_catch_up}
        for student in {student for session in led for student in session.students}:
            row[student] = 0 if student in new else row[student] + 1
    return row
