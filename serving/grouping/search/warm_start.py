"""Builds partial solutions for a search to start from: a plan's own groups, and those with a pinned student seated."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import product

import numpy as np

from serving.grouping.clock import is_over
from serving.grouping.problem.places import Pin
from serving.grouping.problem.plan import Session
from serving.grouping.problem.policy import ADULT_LED
from serving.grouping.search.greedy import draw_blocks, to_draft, to_seats
from serving.grouping.state.arrays import PINNED_LED, ProblemData, Slot
from serving.grouping.state.draft import Draft

Groups = Sequence[tuple[Slot, list[int]]]
"""Adult-led sessions with their students, by positions."""


def build_warm_start(data: ProblemData, groups: Iterable[tuple[Slot, Sequence[int]]]) -> Draft:
    """Returns the groups with those students who may sit there, as a partial solution.

    Students are left out whom a rule does not let sit there: absent, in an earlier group of the block or on the skill,
    not in need of it, apart from somebody in it, pinned elsewhere, or beyond the largest size. So are sessions that
    their lead may not or cannot hold. Sessions may be too small and blocks infeasible: the search fills the ones and
    repairs the others.
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
    """Yields the adult-led sessions of a plan, whose ids are known, by positions, each with its students."""
    for session in sessions:
        if session.led:
            yield data.slot(session), [data.at.student[name] for name in dict.fromkeys(session.students)]


def read_earlier(data: ProblemData) -> dict[Slot, list[int]]:
    """Returns the adult-led sessions of the plan given as `previous` that could be held again, with who was there."""
    arrays, groups = data.arrays, dict[Slot, list[int]]()
    for student, block in np.argwhere(arrays.before_skill >= 0).tolist():
        adult = int(arrays.before[student, block])
        if 0 <= adult < len(data.problem.adults):
            kind, topic = int(arrays.before_kind[student, block]), int(arrays.before_skill[student, block])
            groups.setdefault(Slot(block, adult, kind, topic), []).append(student)
    return groups


def _keep(draft: Draft, slot: Slot, students: Sequence[int]) -> list[int]:
    """Returns the students who may stay in a session, those with a pinned place first and then by what they add."""
    data = draft.data
    allowed = data.candidates(slot)
    points = data.seat_points(slot, allowed, min(len(students), data.sizes[slot.adult][slot.session_type][-1]))
    gains = dict(zip(allowed.tolist(), points.tolist(), strict=True))
    free = dict(zip(students, draft.may_join(slot, np.array(students, np.int64)).tolist(), strict=True))
    kept: list[int] = []
    for student in sorted(
        (at for at in students if at in gains and free[at]),
        key=lambda at: (data.arrays.pin[at, slot.block] != PINNED_LED, -gains[at], at),
    ):
        if not np.isneginf(data.arrays.between[student, kept]).any():
            kept.append(student)
    return kept


def find_warm_start(data: ProblemData, groups: Groups, pin: Pin, until: float | None = None) -> Draft:
    """Returns the groups with the student in the best place that a pin leaves open, others moved as little as needed.

    Args:
        data: a problem with the pin.
        groups: adult-led sessions of the present plan, with their students.
        pin: to one adult-led session.
        until: when to look at no further place, on the clock of `time.perf_counter`; None: without a clock.

    Returns:
        The groups without the student in the block where no session of the student leaves every block feasible.
    """
    arrays, problem = data.arrays, data.problem
    student, block = data.at.student[pin.student], data.at.block[pin.block]
    best, most = build_warm_start(data, groups), -float("inf")
    for adult, kind, topic in product(range(len(problem.adults)), range(len(ADULT_LED)), range(len(data.at.topics))):
        if is_over(until):
            break
        slot = Slot(block, adult, kind, topic)
        if data.may_lead(slot) and student in data.candidates(slot):
            seats = to_seats(arrays, build_warm_start(data, _seat_first(groups, student, slot)))
            points = draw_blocks(arrays, seats, [block])
            if points > most:
                best, most = to_draft(data, seats), points
    return best


def _seat_first(groups: Groups, student: int, slot: Slot) -> Iterator[tuple[Slot, list[int]]]:
    """Yields the session with the student and all whom its lead has there now, then the other sessions."""
    there = [students for held, students in groups if (held.block, held.adult) == (slot.block, slot.adult)]
    yield slot, [student, *(at for students in there for at in students if at != student)]
    yield from (group for group in groups if (group[0].block, group[0].adult) != (slot.block, slot.adult))
