"""Makes a block of a given plan stand again by moving few: some who are online join a session, or a session closes."""

from collections.abc import Collection
from itertools import combinations

from serving.grouping.state.arrays import Slot
from serving.grouping.state.draft import Draft


def loosen_block(draft: Draft, block: int) -> Draft:
    """Returns the plan with a block that stands, or as it is where neither way gets there.

    One seat too many online needs one more student in a led session. An adult who is missing leaves too few to watch
    over everybody, or a trainee without a teacher; then a lead steps in, whose session closes, or two do.
    """
    if draft.obstacle(block) is None:
        return draft
    stretched, closed = _stretch(draft, block), _close(draft, block)
    ways = [way for way in (stretched, closed) if way is not None]
    return min(ways, key=lambda way: way[1])[0] if ways else draft


def leave_out(draft: Draft, closed: Collection[Slot]) -> Draft:
    """Returns the same sessions but some, to go on from while the draft given stays as it is."""
    others = Draft(draft.index)
    for slot, students in draft.groups.items():
        if slot not in closed:
            others.open(slot, students)
    return others


def _stretch(draft: Draft, block: int) -> tuple[Draft, int] | None:
    """Lets those who are online join sessions, each where it is worth most, and counts them."""
    index, joined = draft.index, 0
    while draft.obstacle(block) is not None:
        joins: list[tuple[float, Slot, int]] = []
        for slot, students in draft.groups.items():
            if slot.block == block and len(students) + 1 in index.sizes[slot.adult][slot.modality]:
                allowed, points = index.candidates(slot)
                free = draft.may_join(slot, allowed) & ~index.apart[allowed][:, list(students)].any(axis=1)
                joins += [(float(points[at]), slot, int(allowed[at])) for at in free.nonzero()[0]]
        if not joins:
            return None
        _, slot, student = max(joins)
        students = draft.groups[slot]
        draft = leave_out(draft, {slot})
        draft.open(slot, tuple(sorted((*students, student))))
        joined += 1
    return draft, joined


def _close(draft: Draft, block: int) -> tuple[Draft, int] | None:
    """Closes one or two sessions, of the fewest students and nobody pinned, and counts their students."""
    pinned = {student for (student, when), pin in draft.index.pins.items() if when == block and not pin.online}
    held = sorted(slot for slot in draft.groups if slot.block == block and not pinned & set(draft.groups[slot]))
    sizes = {
        closed: sum(len(draft.groups[slot]) for slot in closed)
        for closed in (*combinations(held, 1), *combinations(held, 2))
    }
    for closed in sorted(sizes, key=lambda closed: (sizes[closed], closed)):
        looser = leave_out(draft, closed)
        if looser.obstacle(block) is None:
            return looser, sizes[closed]
    return None
