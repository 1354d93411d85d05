"""Chooses the students of one further session, by what each adds to the score of a plan in the making."""

from dataclasses import dataclass

import numpy as np

from serving.grouping.draft import Draft
from serving.grouping.index import Floats, Ints, Slot


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
