"""Series: the same students with the same adult on the same unit, held from day to day and given up only in words."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from types import MappingProxyType
from typing import TypeVar

from features.roster import Series, Team
from features.roster.records import WEEKDAYS
from features.roster.series_checks import list_blocks, minutes_of
from serving.grouping import Adult, InfeasibleError, Need, Problem, Purpose, SessionType, SizeBound
from serving.models.forecasts import SkillForecast
from serving.plans.rules.standing_rules import Note
from serving.plans.together import Group, fix_groups, list_places

Found = TypeVar("Found")

HALF = 0.5
"""Share of the students with whom a past session counts for its series, and of a session by which its dose is due."""

TRIES = 3
"""Blocks that are tried for a series before it gives way."""

TYPES = (SessionType.TUTORING, SessionType.SMALL_GROUP, SessionType.COLLABORATIVE)
"""Types of session that a series may have, the first that fits."""


@dataclass(frozen=True)
class Unit:
    """What is known of the students on the skills of series.

    Attributes:
        forecasts: Forecasts by student and skill.
        least: Need, 0-1, of a student who is in a series without a need in its skill.
        skill_names: Names of skills, by id.
    """

    forecasts: Mapping[tuple[str, str], SkillForecast]
    least: float
    skill_names: Mapping[str, str]

    def is_done(self, student: str, skills: Sequence[str]) -> bool:
        """Whether a student is proficient in all of these skills."""
        known = (self.forecasts.get((student, skill)) for skill in skills)
        return all(forecast is not None and forecast.status == "proficient" for forecast in known)

    def add_need(self, student: str, skill: str) -> Need:
        """The need of a student who has none listed in the skill."""
        forecast = self.forecasts.get((student, skill))
        risk, mastery = (None, None) if forecast is None else (forecast.struggle_risk, forecast.mastery)
        return Need(student, skill, self.least, struggle_risk=risk, mastery=mastery)


@dataclass(frozen=True)
class SeriesDay:
    """A day with its series.

    Attributes:
        problem: The day, with the series as fixed assignments.
        held: The group of each series that is held, by its id.
        notes: One for each series that is not.
    """

    problem: Problem
    held: Mapping[str, Group]
    notes: tuple[Note, ...]


def give_note(series_id: str, sentence: str) -> Note:
    """Why a series that is due is not held, or not any more, without a student's id."""
    return Note(None, (), sentence, series_id)


def find_due(
    series: Sequence[Series], team: Team, day: date, unit: Unit
) -> tuple[tuple[Series, ...], tuple[Note, ...]]:
    """The series that want a session on a day, each with the students who have not left it, and notes on those over.

    A dose is spread evenly over the days of the week on which the series may take place; what a day missed is made up
    for on the next. Past sessions count that its adult led on one of its skills with half of its students or more.

    Args:
        series: Series of the team; of two with one id the last counts.
        team: Blocks and past sessions.
        day: The date at the school.
        unit: What is known of the students.
    """
    due, notes = [], []
    for each in sorted({each.series_id: each for each in series}.values(), key=lambda each: each.series_id):
        if not each.students or day < each.from_date or (each.until is not None and each.until < day):
            continue
        staying = each.students
        if each.until is None:
            staying = tuple(student for student in each.students if not unit.is_done(student, each.skills))
        if not staying:
            notes.append(give_note(each.series_id, "Everybody in it is proficient in the whole unit: it is over."))
        elif _wants_session(replace(each, students=staying), team, day):
            due.append(replace(each, students=staying))
    return tuple(due), tuple(notes)


def _wants_session(series: Series, team: Team, day: date) -> bool:
    blocks = list_blocks(series, team.blocks)
    days = sorted({WEEKDAYS.index(block.weekday) for block in blocks})
    if day.weekday() not in days:
        return False
    dose = series.sessions_per_week or series.minutes_per_week
    if dose is None:
        return True
    lengths = {block.block_id: minutes_of(block) for block in team.blocks}
    monday = day - timedelta(days=day.weekday())
    held = {
        past.date: lengths.get(past.block_id, 0)
        for past in team.past_sessions
        if monday <= past.date < day
        and past.staff_id == series.staff_id
        and past.skill_id in series.skills
        and len(set(past.students).intersection(series.students)) >= HALF * len(series.students)
    }
    wanted = dose * (days.index(day.weekday()) + 1) / len(days)
    if series.sessions_per_week is not None:
        return wanted - len(held) >= HALF
    today = max(minutes_of(block) for block in blocks if block.weekday == WEEKDAYS[day.weekday()])
    return wanted - sum(held.values()) >= HALF * today


def hold_series(
    problem: Problem, due: Sequence[Series], unit: Unit, tried: Mapping[str, Collection[str]] = MappingProxyType({})
) -> SeriesDay:
    """The day with all series that can be held; who is absent leaves the rest together.

    A series takes the block, of those in which it may take place, in which most of its students are there with its
    adult, and the skill of its unit that most of them need.

    Args:
        problem: The day.
        due: The series that want a session.
        unit: What is known of the students.
        tried: Blocks by series in which it cannot be.
    """
    held: dict[str, Group] = {}
    notes = []
    taken = list_places(problem)
    skills = {(pin.student, pin.skill) for pin in problem.pins}
    choices = {each.series_id: _list_open_blocks(problem, each, tried.get(each.series_id, ())) for each in due}
    for each in sorted(due, key=lambda each: (len(choices[each.series_id]), each.series_id)):
        found = _place(problem, each, choices[each.series_id], taken, skills)
        if isinstance(found, str):
            notes.append(give_note(each.series_id, found))
            continue
        held[each.series_id] = found
        taken |= {(found.adult, found.block), *((student, found.block) for student in found.students)}
        skills |= {(student, found.skill) for student in found.students}
    if not held:
        return SeriesDay(problem, held, tuple(notes))
    return SeriesDay(fix_groups(problem, tuple(held.values()), unit.add_need, unit.skill_names), held, tuple(notes))


def _list_open_blocks(problem: Problem, series: Series, tried: Collection[str]) -> list[str]:
    """The blocks of the day in which a series may take place and its adult is there, in order, but for those tried."""
    there: frozenset[str] = next((adult.blocks for adult in problem.adults if adult.id == series.staff_id), frozenset())
    return [
        block.id
        for block in problem.blocks
        if block.id in there - set(tried) and (series.block_ids is None or block.id in series.block_ids)
    ]


def _place(
    problem: Problem,
    series: Series,
    blocks: Sequence[str],
    taken: set[tuple[str, str]],
    skills: set[tuple[str, str | None]],
) -> Group | str:
    """The group of a series today, or a sentence that says why there is none."""
    adult = next(adult for adult in problem.adults if adult.id == series.staff_id)
    if not blocks:
        where = "in none of its blocks" if adult.blocks else "not"
        return f"It gives way today: {adult.id} is {where} there."
    there = {student.id: student.blocks for student in problem.students}
    if not any(there.get(student) for student in series.students):
        return "It gives way today: nobody of it is there."
    why = f"in no block are {adult.id} and somebody of it both there and free"
    free = (
        (block, [s for s in series.students if block in there.get(s, ()) and (s, block) not in taken])
        for block in blocks
        if (adult.id, block) not in taken
    )
    for block, students in sorted(free, key=lambda place: -len(place[1])):
        if not students:
            break
        skill = _choose_skill(problem, series, block, students, adult, skills)
        session_type = _choose_type(len(students), adult, problem.sizes)
        if skill is not None and session_type is not None:
            return Group(block, adult.id, skill, session_type, tuple(students))
        why = f"{adult.id} may lead no session of {len(students)} students"
        if skill is None:
            why = f"{adult.id} can teach none of its skills when somebody of it is there"
    return f"It gives way today: {why}."


def _choose_skill(
    problem: Problem,
    series: Series,
    block: str,
    students: Sequence[str],
    adult: Adult,
    taken: set[tuple[str, str | None]],
) -> str | None:
    """The skill of the unit that most of them need, of several the one that they need most."""
    needs = {(need.student, need.skill): need for need in problem.needs}
    held = next(place.skills for place in problem.blocks if place.id == block)
    best: tuple[int, float] = (-1, 0.0)
    chosen = None
    for skill in series.skills:
        if any(skills is not None and skill not in skills for skills in (adult.skills, held)):
            continue
        if any((student, skill) in taken for student in students):
            continue
        mine = [needs[student, skill] for student in students if (student, skill) in needs]
        mine = [need for need in mine if need.purpose is not Purpose.EXTEND]
        value = len(mine), sum(need.need for need in mine)
        if value > best:
            best, chosen = value, skill
    return chosen


def _choose_type(count: int, adult: Adult, sizes: Sequence[SizeBound]) -> SessionType | None:
    """The type of session for so many students; one too small for all types is filled with others."""
    offered = [bound for kind in TYPES for bound in sizes if bound.session_type is kind and kind in adult.session_types]
    if adult.max_group is not None and count > adult.max_group:
        return None
    fitting = [bound for bound in offered if bound.least <= count <= bound.most * bound.tables]
    larger = [bound for bound in offered if count <= bound.most * bound.tables]
    return next((bound.session_type for bound in (*fitting, *larger)), None)


def plan_with_series(
    problem: Problem,
    due: Sequence[Series],
    unit: Unit,
    solve: Callable[[Problem], Found],
    is_late: Callable[[], bool] = lambda: False,
) -> tuple[SeriesDay, Found]:
    """The day with its series and what was found for it; where it has no plan, series give way one after another.

    Before a series gives way, other blocks are tried for it.

    Args:
        problem: The day without series.
        due: The series that want a session.
        unit: What is known of the students.
        solve: Finds a plan, or raises `InfeasibleError`.
        is_late: Says whether the time is up, so that all series give way at once.

    Raises:
        InfeasibleError: The day has no plan without any series either.
    """
    left, notes = list(due), list[Note]()
    tried: dict[str, list[str]] = defaultdict(list)
    while True:
        day = hold_series(problem, left, unit, tried)
        try:
            found = solve(day.problem)
        except InfeasibleError as error:
            if not day.held:
                raise
            if is_late():
                notes += [
                    give_note(each, "It gives way today: no plan with it was found in time.") for each in day.held
                ]
                left = [each for each in left if each.series_id not in day.held]
                continue
            conflicting = _find_conflicting(day.held, error)
            tried[conflicting].append(day.held[conflicting].block)
            (series,) = (each for each in left if each.series_id == conflicting)
            others = _list_open_blocks(problem, series, tried[conflicting])
            if not others or len(tried[conflicting]) == TRIES:
                sentence = f"It gives way today, since the day has no plan with it: {error.sentence}"
                notes.append(give_note(conflicting, sentence))
                left.remove(series)
        else:
            return replace(day, notes=(*day.notes, *notes)), found


def _find_conflicting(held: Mapping[str, Group], error: InfeasibleError) -> str:
    """The series that most of the students of the conflicts are in; the last one where the conflicts name nobody."""
    named = {student for conflict in error.conflicts for student in conflict.students}
    return max(held, key=lambda series_id: (len(named.intersection(held[series_id].students)), series_id))
