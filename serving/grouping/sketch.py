"""Draws a plan in which every block stands, session by session, without going back: soon, and not always found.

Pinned places come first, then blocks that cannot stand yet (too few monitors or rooms for everybody online).
"""

from itertools import product

from serving.grouping.draft import Draft
from serving.grouping.gains import Group, best_group
from serving.grouping.index import Index, Slot
from serving.grouping.loosening import leave_out
from serving.grouping.policy import LED


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
