"""Builds a plan that keeps every hard rule, session by session, the most valuable first.

Pinned places come first, then blocks that cannot stand yet (too few monitors or rooms for everybody online), then
whatever adds most. Where that leaves a block that does not stand, exact programs take over. Lazily: a session's points
mostly fall as others open, so an old figure that still leads after a fresh look is the best one (Minoux 1978,
accelerated greedy algorithms for maximising submodular set functions).
"""

import heapq
from collections.abc import Iterable
from itertools import product

import numpy as np

from serving.grouping.draft import Draft
from serving.grouping.gains import Group, best_group, best_possible, most_possible
from serving.grouping.index import Floats, Index, Slot
from serving.grouping.policy import LED
from serving.grouping.rescue import rescue_block, rescue_day

LEAST_POINTS = 1e-9  # a session that adds less is not worth an adult's time


def draft_plan(index: Index) -> Draft:
    """Returns a plan in the making in which every block stands.

    Raises:
        InfeasibleError: there is none, or none was found; its conflicts say which.
    """
    draft = _make_stand(index)
    _fill(draft, range(len(index.problem.blocks)))
    return draft


def _make_stand(index: Index) -> Draft:
    draft = _seat_pins(index)
    if draft is None:
        return rescue_day(index, "pinned")
    for block in range(len(index.problem.blocks)):
        obstacle = _carry(draft, block)
        if obstacle is not None:
            rescued = rescue_block(draft, block)
            if rescued is None:
                return rescue_day(index, obstacle)
            draft = rescued
    return draft


def _slots(index: Index, block: int) -> list[Slot]:
    """Returns the sessions that a block could hold, each adult taken alone."""
    return [
        Slot(block, adult, kind, skill)
        for adult, kind, skill in product(range(len(index.problem.adults)), range(len(LED)), range(len(index.eligible)))
        if index.adult_in[adult, block] and index.sizes[adult][kind] and index.qualified[adult, skill] > 0
    ]


def _seat_pins(index: Index) -> Draft | None:
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


def _carry(draft: Draft, block: int) -> str | None:
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


def _fill(draft: Draft, blocks: Iterable[int]) -> None:
    """Opens whatever adds most, while something adds anything."""
    heap = [
        (-float(bounds[at]), Slot(block, *at))
        for block in blocks
        for bounds in [most_possible(draft, block)]
        for at in map(tuple, np.argwhere(bounds > LEAST_POINTS).tolist())
    ]
    heapq.heapify(heap)
    parked: dict[int, list[tuple[float, Slot]]] = {}
    looked: dict[Slot, tuple[int, Group | None]] = {}  # when, by sessions held, and what was found
    while heap:
        points, slot = heapq.heappop(heap)
        if draft.leads[slot.adult, slot.block]:
            continue
        # A cheap look settles most of those whose points fell; only what still leads gets a full one.
        points = min(-points, best_possible(draft, slot))
        if points <= LEAST_POINTS:
            continue
        if heap and points < -heap[0][0]:
            heapq.heappush(heap, (-points, slot))
            continue
        if slot not in looked or looked[slot][0] != len(draft.groups):
            looked[slot] = len(draft.groups), best_group(draft, slot)
        group = looked[slot][1]
        if group is None:
            # Fewer students online may free a monitor or fit a smaller room: look again once the block changes.
            parked.setdefault(slot.block, []).append((-points, slot))
        elif heap and group.points < -heap[0][0]:
            heapq.heappush(heap, (-group.points, slot))
        elif group.points > LEAST_POINTS:
            draft.open(slot, group.students)
            for again in parked.pop(slot.block, []):
                heapq.heappush(heap, again)


def redraft_block(draft: Draft, block: int, patience: float) -> Draft | None:
    """Returns the plan with one block drawn anew, with students held back for their own best sessions.

    Greedy fills a first session with whoever gains anything; students held back leave their seats to a second one.

    Args:
        draft: a plan in which every block stands.
        block: its position; pinned places in it must be online ones.
        patience: points that a seat loses per point by which it is below the student's best in the block.

    Returns:
        None where the block does not stand in this way.
    """
    anew = draft.without(block)
    if _carry(anew, block) is not None:
        return None
    anew.hopes = _hopes(draft.index, block)
    anew.patience = patience
    _fill(anew, [block])
    anew.patience = 0.0
    _fill(anew, [block])
    return anew


def _hopes(index: Index, block: int) -> Floats:
    """Returns N x kinds: the most points that a seat of the block could be worth to a student."""
    hopes = np.zeros((len(index.present), len(LED)))
    for slot in _slots(index, block):
        students, points = index.candidates(slot)
        hopes[students, slot.modality] = np.maximum(hopes[students, slot.modality], points)
    return hopes
