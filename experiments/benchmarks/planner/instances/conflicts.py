"""Conflicts injected into a day that has a plan: each family breaks one rule, and only that one.

A family takes a day and a random generator, and returns the rule that a refusal should name and the day with the
conflict.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from serving.grouping.problem.people import Adult
from serving.grouping.problem.places import Block, Pin, Room
from serving.grouping.problem.policy import ADULT_LED, Role, SessionType
from serving.grouping.problem.problem import Problem

T = TypeVar("T")
Rng = np.random.Generator
Family = Callable[[Problem, Rng], tuple[str, Problem]]


def few_monitors(day: Problem, rng: Rng) -> tuple[str, Problem]:
    """One adult of a block is left and may supervise fewer than are there, or the others may only tutor."""
    block = _block(day, rng)
    kept, most = _teacher(day, block, rng), len(_present(day, block)) - 1
    if rng.random() < 0.5:
        adults = tuple(a if a.id == kept.id else replace(a, blocks=a.blocks - {block.id}) for a in day.adults)
    else:
        tutoring = frozenset({SessionType.TUTORING})
        adults = tuple(a if a.id == kept.id else replace(a, session_types=tutoring) for a in day.adults)
        most -= 2 * len(day.adults)
    return "monitors", replace(day, adults=adults, students_per_monitor=min(40, int(rng.integers(most // 2, most))))


def few_tutoring_places(day: Problem, rng: Rng) -> tuple[str, Problem]:
    """More students are pinned to tutoring in a block than its adults have places."""
    block = _block(day, rng)
    bound = next(bound for bound in day.sizes if bound.session_type is SessionType.TUTORING)
    tutors = sum(SessionType.TUTORING in adult.session_types for adult in _there(day, block))
    count = bound.most * tutors + int(rng.integers(1, 4))
    chosen = [s for s in _present(day, block) if _needs(day, s)][:count]
    return "group_size", replace(day, pins=tuple(Pin(s, block.id, SessionType.TUTORING) for s in chosen))


def few_supervisors(day: Problem, rng: Rng) -> tuple[str, Problem]:
    """No teacher is there in a block in which somebody in training has a session, by a pin or for want of others."""
    block = _block(day, rng)
    trainee = next((a for a in day.adults if a.trainee), None)
    session_types = frozenset(SessionType)
    if trainee is None:
        trainee = Adult("trainee", Role.TEACHER_IN_TRAINING, frozenset(), session_types)
    trainee = replace(trainee, blocks=trainee.blocks | {block.id}, session_types=session_types, skills=None)
    pinned = rng.random() < 0.5
    others = [
        replace(a, blocks=a.blocks - {block.id}) if a.supervisor or not pinned else a
        for a in day.adults
        if a.id != trainee.id
    ]
    certified = {student.id for student in day.students if student.needs_certified}
    student = next(s for s in _present(day, block) if _needs(day, s) and s not in certified)
    pins = (Pin(student, block.id, adult=trainee.id),) if pinned else ()
    ratio = len(day.students)
    return "supervision", replace(day, adults=(*others, trainee), pins=pins, students_per_monitor=ratio)


def few_rooms(day: Problem, rng: Rng) -> tuple[str, Problem]:
    """No room is free in a block, or fewer than the sessions that everybody needs, each of a size that is."""
    block = _block(day, rng)
    assert day.rooms is not None
    if rng.random() < 0.5:
        others = frozenset(other.id for other in day.blocks if other.id != block.id)
        return "rooms", replace(day, rooms=tuple(replace(room, blocks=others) for room in day.rooms))
    present, adults = len(_present(day, block)), len(_there(day, block))
    size = -(-present // min(adults, 2))
    return "rooms", replace(day, rooms=(Room("only", max(1, min(size, present - 1))),))


def small_rooms(day: Problem, rng: Rng) -> tuple[str, Problem]:
    """The rooms, one for each adult and more, hold fewer than are there."""
    block = _block(day, rng)
    assert day.rooms is not None
    held = (len(_present(day, block)) - 1) // len(day.adults)
    return "room_capacity", replace(day, rooms=tuple(replace(room, capacity=max(1, held)) for room in day.rooms))


def apart_against_pins(day: Problem, rng: Rng) -> tuple[str, Problem]:
    """Two students of a `keep_apart` pair are pinned to one adult, or to a skill that only one adult there may lead."""
    block = _block(day, rng)
    lead = _teacher(day, block, rng)
    skill, one, other = _shared(day, block)
    pair = ((one, other),)
    if rng.random() < 0.5:
        pins = tuple(Pin(s, block.id, skill=skill, adult=lead.id) for s in (one, other))
        return "keep_apart", replace(day, keep_apart=day.keep_apart + pair, pins=pins)
    everything = {skill.id: 1.0 for skill in day.skills}
    adults = tuple(
        replace(a, skills=None if a.id == lead.id else _without(a.skills or everything, {skill})) for a in day.adults
    )
    pins = tuple(Pin(s, block.id, skill=skill) for s in (one, other))
    return "keep_apart", replace(day, keep_apart=day.keep_apart + pair, pins=pins, adults=adults)


def absent_student(day: Problem, rng: Rng) -> tuple[str, Problem]:
    """A student is pinned to a place in a block and is away then."""
    block = _block(day, rng)
    student = _needy(day, block, rng)
    students = tuple(replace(s, blocks=s.blocks - {block.id}) if s.id == student else s for s in day.students)
    return "presence", replace(day, students=students, pins=(Pin(student, block.id),))


def absent_adult(day: Problem, rng: Rng) -> tuple[str, Problem]:
    """A student is pinned to an adult who is away then."""
    block = _block(day, rng)
    lead = _pick([a for a in _there(day, block) if not a.supervisor] or _there(day, block)[1:], rng)
    student = _needy(day, block, rng)
    adults = tuple(replace(a, blocks=a.blocks - {block.id}) if a.id == lead.id else a for a in day.adults)
    return "adult_available", replace(day, adults=adults, pins=(Pin(student, block.id, adult=lead.id),))


def no_need(day: Problem, rng: Rng) -> tuple[str, Problem]:
    """A student is pinned to a skill that is no need, or to a led session with no need at all."""
    block = _block(day, rng)
    student = _needy(day, block, rng)
    if rng.random() < 0.5:
        needs = tuple(need for need in day.needs if need.student != student)
        return "eligibility", replace(day, needs=needs, pins=(Pin(student, block.id),))
    others = sorted({skill.id for skill in day.skills} - _needs(day, student))
    if not others:
        gone = min(_needs(day, student))
        day = replace(day, needs=tuple(n for n in day.needs if (n.student, n.skill) != (student, gone)))
        others = [gone]
    return "eligibility", replace(day, pins=(Pin(student, block.id, skill=_pick(others, rng)),))


def nobody_qualified(day: Problem, rng: Rng) -> tuple[str, Problem]:
    """A student is pinned to a led session, and nobody there may lead any of the student's skills."""
    block = _block(day, rng)
    student = _needy(day, block, rng)
    mine, everything = _needs(day, student), {skill.id: 1.0 for skill in day.skills}
    adults = tuple(replace(a, skills=_without(everything if a.skills is None else a.skills, mine)) for a in day.adults)
    return "qualified", replace(day, adults=adults, pins=(Pin(student, block.id),))


def nobody_certified(day: Problem, rng: Rng) -> tuple[str, Problem]:
    """A student who needs a certified adult is pinned to a led session, and no adult there is one."""
    block = _block(day, rng)
    student = _needy(day, block, rng)
    students = tuple(replace(s, needs_certified=True) if s.id == student else s for s in day.students)
    adults = tuple(replace(a, certified=a.certified and block.id not in a.blocks) for a in day.adults)
    return "certified", replace(day, students=students, adults=adults, pins=(Pin(student, block.id),))


FAMILIES: dict[str, Family] = {
    "too few monitors": few_monitors,
    "too few tutoring places": few_tutoring_places,
    "too few supervisors": few_supervisors,
    "too few rooms": few_rooms,
    "too small rooms": small_rooms,
    "not together, pinned together": apart_against_pins,
    "pinned student absent": absent_student,
    "pinned adult absent": absent_adult,
    "no eligible need": no_need,
    "nobody qualified": nobody_qualified,
    "nobody certified": nobody_certified,
}


def _block(day: Problem, rng: Rng) -> Block:
    return day.blocks[int(rng.integers(len(day.blocks)))]


def _present(day: Problem, block: Block) -> list[str]:
    return [student.id for student in day.students if block.id in student.blocks]


def _there(day: Problem, block: Block) -> list[Adult]:
    return [adult for adult in day.adults if block.id in adult.blocks]


def _teacher(day: Problem, block: Block, rng: Rng) -> Adult:
    return _pick([adult for adult in _there(day, block) if adult.supervisor], rng)


def _needs(day: Problem, student: str) -> set[str]:
    return {need.skill for need in day.needs if need.student == student}


def _without(skills: Mapping[str, float], taken: set[str]) -> dict[str, float]:
    return {skill: share for skill, share in skills.items() if skill not in taken}


def _needy(day: Problem, block: Block, rng: Rng) -> str:
    return _pick([student for student in _present(day, block) if _needs(day, student)], rng)


def _shared(day: Problem, block: Block) -> tuple[str, str, str]:
    """Returns a skill that several students there need, and the first two of them."""
    there = set(_present(day, block))
    for skill in day.skills:
        needing = sorted(need.student for need in day.needs if need.skill == skill.id and need.student in there)
        if len(needing) >= len(ADULT_LED):
            return skill.id, needing[0], needing[1]
    raise AssertionError("a synthetic day has skills that several need")


def _pick(of: Sequence[T], rng: Rng) -> T:
    return of[int(rng.integers(len(of)))]
