"""Cycles: one grouping for some school days, in which moving a seat has a price."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import islice

from features.roster import PastSession, Team
from features.roster.records import WEEKDAYS
from serving.grouping import Need, Problem, Purpose, Seat, Session
from serving.plans.cycles.series import Unit
from serving.plans.together import Group, expect_groups, list_places

MOVE_PENALTY = 0.12
"""Need points that moving a seat within a cycle must gain; a seat on an urgent need is worth a quarter to one."""


@dataclass(frozen=True)
class Grouping:
    """The grouping of a cycle: the plan of its first day.

    Attributes:
        blocks: Ids of the first day's blocks, in order.
        sessions: Its sessions, without those of series, which have days of their own.
        needs: Its needs, by student and skill.
    """

    blocks: tuple[str, ...]
    sessions: tuple[Session, ...]
    needs: Mapping[tuple[str, str], Need]


def list_school_days(team: Team, first: date, count: int) -> list[date]:
    """The days from the first on, so many of them, with school and on whose weekday the team has blocks.

    The first is always among them; none is more than a year after it.
    """
    weekdays = {WEEKDAYS.index(block.weekday) for block in team.blocks}
    later = (first + timedelta(days=ahead) for ahead in range(1, 366))
    return [first, *islice((day for day in later if day.weekday() in weekdays and team.has_school(day)), count - 1)]


def read_grouping(problem: Problem, sessions: Sequence[Session], series: Collection[str]) -> Grouping:
    """The grouping of a cycle.

    Args:
        problem: The first day.
        sessions: What is held on it.
        series: Ids of the sessions that are of series.
    """
    return Grouping(
        tuple(block.id for block in problem.blocks),
        tuple(session for session in sessions if session.id not in series),
        {(need.student, need.skill): need for need in problem.needs},
    )


def remember_sessions(team: Team, day: date, sessions: Sequence[Session]) -> Team:
    """The team with planned sessions as if they had been held, for the days after it in the same cycle."""
    held = (
        PastSession(day, team.team_id, session.block, session.adults[0], session.skill, session.students)
        for session in sessions
        if session.led
    )
    return replace(team, past_sessions=(*team.past_sessions, *held))


def carry_grouping(problem: Problem, grouping: Grouping | None, unit: Unit) -> Problem:
    """A day of a cycle: the first day's groups are wanted in the blocks at the same place of the day.

    Moving a seat costs `MOVE_PENALTY`. A student leaves a group when proficient in its skill. Who is in trouble, with
    an urgent need that was not there or not urgent on the first day, may take any seat, and so may whoever has no seat
    to keep: one who was absent on the first day, or whose adult is away.

    Args:
        problem: The day, with its series and rules.
        grouping: The first day's; null for a day that is in no cycle, or the first of one: it stays as it is.
        unit: What is known of the students.
    """
    if grouping is None:
        return problem
    there = {student.id: student.blocks for student in problem.students}
    adults = {adult.id: adult.blocks for adult in problem.adults}
    blocks = dict(zip(grouping.blocks, (block.id for block in problem.blocks), strict=False))
    taken, moving = list_places(problem), find_trouble(problem, grouping)
    pinned = {(pin.student, pin.skill) for pin in problem.pins}
    seats, groups = list[Seat](), list[Group]()
    for session in grouping.sessions:
        block = blocks.get(session.block)
        if block is None:
            continue
        here = [
            student
            for student in session.students
            if student not in moving and block in there.get(student, ()) and (student, block) not in taken
        ]
        if session.skill is None:
            seats += [Seat(student, block, session.session_type) for student in here]
            continue
        lead, skill = session.adults[0], session.skill
        if block not in adults.get(lead, ()) or (lead, block) in taken:
            continue
        staying = tuple(
            student
            for student in here
            if (student, skill) not in pinned and not _is_done(grouping, unit, student, skill)
        )
        seats += [Seat(student, block, session.session_type, skill, lead) for student in staying]
        if staying:
            groups.append(Group(block, lead, skill, session.session_type, staying))
    weights = replace(problem.weights, perturbation=MOVE_PENALTY)

    def first_need(student: str, skill: str) -> Need:
        return grouping.needs.get((student, skill)) or unit.add_need(student, skill)

    day = replace(problem, previous=tuple(seats), weights=weights)
    return expect_groups(day, groups, first_need, unit.skill_names)


def find_trouble(problem: Problem, grouping: Grouping) -> set[str]:
    """The students with an urgent need that was not there, or not urgent, on the first day."""
    return {
        need.student
        for need in problem.needs
        if is_urgent(need) and not is_urgent(grouping.needs.get((need.student, need.skill)))
    }


def is_urgent(need: Need | None) -> bool:
    """Whether a need is urgent."""
    return need is not None and need.urgent > 0


def _is_done(grouping: Grouping, unit: Unit, student: str, skill: str) -> bool:
    """Whether a student got there since the first day; who came to extend the skill was there already."""
    need = grouping.needs.get((student, skill))
    came_to_extend = need is not None and need.purpose is Purpose.EXTEND
    return unit.is_done(student, (skill,)) and not came_to_extend
