"""Draws a plan in which every block stands, session by session, without going back: soon, and not always found.

Pinned places come first, then blocks that cannot stand yet (too few monitors or rooms for everybody online).
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

from serving.grouping.problem.policy import LED
from serving.grouping.search.loosening import leave_out
from serving.grouping.state.arrays import Floats, Index, Ints, Slot
from serving.grouping.state.draft import Draft


@dataclass(frozen=True, slots=True)
class Group:
    """Students for a session and the points that they would add."""

    slot: Slot
    students: tuple[int, ...]
    points: float


def open_points(draft: Draft, slot: Slot) -> tuple[Ints, Floats]:
    """Returns who may join a session and each one's points in it, before anybody sits next to them."""
    index, weights = draft.index, draft.index.problem.weights
    students, fixed = index.candidates(slot)
    free = draft.may_join(slot, students)
    students, points = students[free], fixed[free]
    points += weights.coverage * ~draft.covered[students]
    points += weights.relationships * index.relation[students, slot.adult] * ~draft.met[students, slot.adult]
    if len(index.group_share) and weights.share:
        points += weights.share * draft.relief()[index.group[students]]
    return students, points


def best_group(draft: Draft, slot: Slot, *, first: tuple[int, ...] = (), fill: bool = False) -> Group | None:
    """Returns the best students for a session, one by one, in a number that the rules and the block allow.

    Args:
        draft: the plan so far.
        slot: the session.
        first: students who have to be among them.
        fill: whether more students count before more points, as where a block has too few adults.

    Returns:
        None where no allowed number of students is to be had.
    """
    sizes = draft.index.sizes[slot.adult][slot.modality]
    students, points = open_points(draft, slot)
    if not sizes or len(students) < sizes[0] or not set(first) <= set(students.tolist()):
        return None
    order, sums = _pick(draft, students, points, sizes[-1], first)
    ranked = sorted(
        (size for size in sizes if max(1, len(first)) <= size <= len(order)),
        key=lambda size: (-size if fill else 0.0, -sums[size - 1], size),
    )
    allowed = (size for size in ranked if draft.obstacle(slot.block, (slot, size)) is None)
    size = next(allowed, None)
    if size is None and ranked and draft.obstacle(slot.block) is not None:
        size = ranked[0]  # the block does not stand yet, so that it cannot be brought down
    if size is None:
        return None
    return Group(slot, tuple(order[:size]), sums[size - 1] + _load_points(draft, slot))


def _pick(
    draft: Draft, students: Ints, points: Floats, most: int, first: tuple[int, ...]
) -> tuple[list[int], list[float]]:
    """Picks students greedily, with the points of each pair once its second student comes, and running sums."""
    between = draft.between[students][:, students]
    order: list[int] = []
    sums: list[float] = []
    total = 0.0
    must = [at for at, student in enumerate(students.tolist()) if student in first]
    for turn in range(min(most, len(students))):
        at = must[turn] if turn < len(must) else int(points.argmax())
        if points[at] == -np.inf:
            break
        total += float(points[at])
        order.append(int(students[at]))
        sums.append(total)
        points[at] = -np.inf
        points += between[at]
    return order, sums


def _load_points(draft: Draft, slot: Slot) -> float:
    """Returns what one more duty of the adult does to the balance of loads, with monitors not counted yet."""
    weight = draft.index.problem.weights.load
    if not weight:
        return 0.0
    there = draft.index.adult_in.sum(axis=1)
    ahead = np.array([adult.load_ahead for adult in draft.index.problem.adults])
    held = draft.duties()
    more = held + (np.arange(len(held)) == slot.adult)
    off = [float(np.abs(duty + ahead - there * duty.sum() / there.sum()).sum()) for duty in (held, more)]
    return weight * (off[0] - off[1])


def sketch_plan(index: Index) -> Draft | None:
    """Returns a plan in the making in which every block stands; None where none came of it, though one may exist."""
    draft = seat_pins(index)
    if draft is None or any(carry_block(draft, block) is not None for block in range(len(index.problem.blocks))):
        return None
    return draft


def _slots(index: Index, block: int) -> list[Slot]:
    """Returns the sessions that a block could hold, each adult taken alone."""
    return [
        Slot(block, adult, kind, skill)
        for adult, kind, skill in product(range(len(index.problem.adults)), range(len(LED)), range(len(index.eligible)))
        if index.adult_in[adult, block] and index.sizes[adult][kind] and index.qualified[adult, skill] > 0
    ]


def seat_pins(index: Index) -> Draft | None:
    """Opens the sessions that pins ask for, None if not all; one without a place is tried again before all others."""
    waiting = sorted(
        (place for place, pin in index.pins.items() if not pin.online),
        key=lambda place: (index.pins[place].adult is None, index.pins[place].skill is None, place),
    )
    for _ in range(len(waiting) + 1):
        draft = Draft(index)
        failed = [place for place in waiting if not _seat_pin(draft, *place)]
        if not failed:
            return draft
        waiting = failed[:1] + [place for place in waiting if place != failed[0]]
    return None


def seat_pins_beside(start: Draft) -> Draft | None:
    """Opens the sessions that pins ask for beside those there are, or in their stead in a block with no room for both.

    None if not all; the start itself is left as it is.
    """
    draft = leave_out(start, ())
    waiting = [place for place, pin in draft.index.pins.items() if not pin.online]
    for student, block in waiting:
        if not _seat_pin(draft, student, block):
            draft = draft.without(block)
            if not all(_seat_pin(draft, each, when) for each, when in waiting if when == block):
                return None
    return draft


def _seat_pin(draft: Draft, student: int, block: int) -> bool:
    """Opens the best session for a pinned student and for others pinned to it, if one can be had."""
    if draft.taken[student, block]:
        return True
    index = draft.index
    pinned = [at for (at, when), pin in index.pins.items() if when == block and not pin.online]
    found: list[tuple[int, float, Group]] = []
    for slot in _slots(index, block):
        if draft.leads[slot.adult, block] or not index.pin_fits(student, slot):
            continue
        name = index.problem.adults[slot.adult].id
        must = {student, *(at for at in pinned if index.pins[at, block].adult == name)}
        students = index.candidates(slot)[0]
        free = set(students[draft.may_join(slot, students)].tolist())
        if not must <= free:
            continue
        may = [at for at in pinned if at in free - must and index.pins[at, block].adult is None]
        largest = index.sizes[slot.adult][slot.modality][-1]
        for first in ((*sorted(must), *may)[:largest], tuple(sorted(must))):
            group = best_group(draft, slot, first=first)
            if group is not None and must <= set(group.students):
                found.append((len(set(pinned) & set(group.students)), group.points, group))
                break
    if not found:
        return False
    best = max(found, key=lambda entry: entry[:2])[2]
    draft.open(best.slot, best.students)
    return True


def carry_block(draft: Draft, block: int) -> str | None:
    """Opens the fullest sessions until a block stands; returns the rule in the way where it does not get there."""
    index = draft.index
    while (obstacle := draft.obstacle(block)) is not None:
        slots = (slot for slot in _slots(index, block) if not draft.leads[slot.adult, block])
        groups = [group for slot in slots if (group := best_group(draft, slot, fill=True)) is not None]
        if not groups:
            return obstacle
        best = max(
            groups,
            key=lambda group: (
                draft.obstacle(block, (group.slot, len(group.students))) is None,
                not index.may_monitor[group.slot.adult],
                len(group.students),
                group.points,
            ),
        )
        draft.open(best.slot, best.students)
    return None
