"""Ways into a pinned place: each session that could hold the student, in place of what its lead holds now."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import product

import numpy as np

from serving.grouping.problem.places import Pin
from serving.grouping.problem.plan import Session
from serving.grouping.problem.policy import ADULT_LED
from serving.grouping.search.greedy import draw_blocks, to_draft, to_seats
from serving.grouping.state.arrays import PINNED_LED, ProblemData, Slot
from serving.grouping.state.draft import Draft


def build_start(data: ProblemData, groups: Iterable[tuple[Slot, Sequence[int]]]) -> Draft:
    """Returns the groups with those students who may sit there, as a partial solution.

    Students go whom a rule does not let sit there: absent, in an earlier group of the block or on the skill, not in
    need of it, to be kept apart from somebody, pinned elsewhere, or beyond the largest size. A session goes that its
    lead may not or cannot hold. A session may be left too small, and whether blocks are feasible is not asked: the
    search fills up the one and repairs the other.
    """
    draft = Draft(data)
    for slot, students in groups:
        sizes = data.sizes[slot.adult][slot.session_type]
        if data.may_lead(slot) and not draft.leads[slot.adult, slot.block]:
            kept = _keep(draft, slot, students)[: sizes[-1]]
            if kept:
                draft.open(slot, tuple(sorted(kept)))
    return draft


def read_groups(data: ProblemData, sessions: Sequence[Session]) -> Iterator[tuple[Slot, list[int]]]:
    """Yields the led sessions of a plan, whose ids are known, by positions, each with its students."""
    problem = data.problem
    students = {part.id: at for at, part in enumerate(problem.students)}
    blocks = {part.id: at for at, part in enumerate(problem.blocks)}
    adults = {part.id: at for at, part in enumerate(problem.adults)}
    skills = {part.id: at for at, part in enumerate(problem.skills)}
    for session in sessions:
        if session.led:
            place = blocks[session.block], adults[session.adults[0]]
            slot = Slot(*place, ADULT_LED.index(session.session_type), skills[session.skill or ""])
            yield slot, [students[name] for name in dict.fromkeys(session.students)]


def _keep(draft: Draft, slot: Slot, students: Sequence[int]) -> list[int]:
    """The students who may stay in a session, those with a pinned place first and then by what they add."""
    data = draft.data
    allowed, points = data.candidates(slot)
    worth = dict(zip(allowed.tolist(), points.tolist(), strict=True))
    free = dict(zip(students, draft.may_join(slot, np.array(students, np.int64)).tolist(), strict=True))
    kept: list[int] = []
    for student in sorted(
        (at for at in students if at in worth and free[at]),
        key=lambda at: (data.arrays.pin[at, slot.block] != PINNED_LED, -worth[at], at),
    ):
        if not np.isneginf(data.arrays.between[student, kept]).any():
            kept.append(student)
    return kept


Groups = Sequence[tuple[Slot, list[int]]]


def find_warm_start(data: ProblemData, groups: Groups, pin: Pin) -> Draft:
    """Returns the groups with the student in the best place that a pin leaves open, others moved as little as needed.

    Args:
        data: a problem with the pin.
        groups: led sessions of the present plan, with their students.
        pin: to one led place.

    Returns:
        The groups without the student in the block where no way in leaves every block feasible.
    """
    arrays = data.arrays
    best, most = build_start(data, groups), -float("inf")
    for slot in _slots(data, pin):
        draft = build_start(data, _enter(data, groups, pin, slot))
        seats = to_seats(arrays, draft)
        points = draw_blocks(arrays, seats, [slot.block])
        if points > most:
            best, most = to_draft(data, seats), points
    return best


def _slots(data: ProblemData, pin: Pin) -> Iterator[Slot]:
    """Yields the sessions of the block that the student may sit in, each taken alone."""
    problem = data.problem
    student = next(at for at, part in enumerate(problem.students) if part.id == pin.student)
    block = next(at for at, part in enumerate(problem.blocks) if part.id == pin.block)
    for adult, kind, skill in product(range(len(problem.adults)), range(len(ADULT_LED)), range(len(problem.skills))):
        slot = Slot(block, adult, kind, skill)
        if data.may_lead(slot) and student in data.candidates(slot)[0]:
            yield slot


def _enter(data: ProblemData, groups: Groups, pin: Pin, slot: Slot) -> Iterator[tuple[Slot, list[int]]]:
    """Yields the session with the student and all whom its lead has there now, then the other sessions."""
    student = next(at for at, part in enumerate(data.problem.students) if part.id == pin.student)
    there = [students for held, students in groups if (held.block, held.adult) == (slot.block, slot.adult)]
    yield slot, [student, *(at for students in there for at in students if at != student)]
    for held, students in groups:
        if (held.block, held.adult) != (slot.block, slot.adult):
            yield held, students
