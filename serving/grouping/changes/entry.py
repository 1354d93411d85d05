"""Ways into a pinned place: each session that could hold the student, in place of what its lead holds now."""

from collections.abc import Iterator, Sequence
from itertools import product

from serving.grouping.arena import build_arena
from serving.grouping.changes.starting import start_draft
from serving.grouping.draft import Draft
from serving.grouping.improve import to_seats
from serving.grouping.index import Index, Slot
from serving.grouping.places import Pin
from serving.grouping.policy import LED
from serving.grouping.search import new_desk, score_seats

Groups = Sequence[tuple[Slot, list[int]]]


def best_entry(index: Index, groups: Groups, pin: Pin) -> Draft:
    """Returns the groups with the student in the best place that a pin leaves open, others moved as little as needed.

    Args:
        index: a problem with the pin.
        groups: led sessions of the present plan, with their students.
        pin: to one led place.

    Returns:
        The groups without the student in the block where no way in leaves every block standing.
    """
    arena = build_arena(index)
    desk = new_desk(arena)
    best, most = start_draft(index, groups), -float("inf")
    for slot in _slots(index, pin):
        draft = start_draft(index, _enter(index, groups, pin, slot))
        if all(draft.obstacle(block) is None for block in range(len(index.problem.blocks))):
            desk.touched[:] = True
            points = float(score_seats(arena, to_seats(arena, draft), desk))
            if points > most:
                best, most = draft, points
    return best


def _slots(index: Index, pin: Pin) -> Iterator[Slot]:
    """Yields the sessions of the block that the student may sit in, each taken alone."""
    problem = index.problem
    student = next(at for at, part in enumerate(problem.students) if part.id == pin.student)
    block = next(at for at, part in enumerate(problem.blocks) if part.id == pin.block)
    for adult, kind, skill in product(range(len(problem.adults)), range(len(LED)), range(len(problem.skills))):
        slot = Slot(block, adult, kind, skill)
        able = index.adult_in[adult, block] and index.qualified[adult, skill] > 0 and index.sizes[adult][kind]
        if able and student in index.candidates(slot)[0]:
            yield slot


def _enter(index: Index, groups: Groups, pin: Pin, slot: Slot) -> Iterator[tuple[Slot, list[int]]]:
    """Yields the session with the student and all whom its lead has there now, then the other sessions."""
    student = next(at for at, part in enumerate(index.problem.students) if part.id == pin.student)
    there = [students for each, students in groups if (each.block, each.adult) == (slot.block, slot.adult)]
    yield slot, [student, *(at for students in there for at in students if at != student)]
    for each, students in groups:
        if (each.block, each.adult) != (slot.block, slot.adult):
            yield each, students
