"""Given groups as a draft to search from, as far as the hard rules let them stand."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from serving.grouping.draft import Draft
from serving.grouping.gains import best_group
from serving.grouping.index import Index, Slot
from serving.grouping.plan import Session
from serving.grouping.policy import LED


def start_draft(index: Index, groups: Iterable[tuple[Slot, Sequence[int]]]) -> Draft:
    """Returns the groups with those students who may sit there, in numbers that are allowed.

    Students go whom a rule does not let sit there: absent, in an earlier group of the block or on the skill, not in
    need of it, to be kept apart from somebody, pinned elsewhere, or beyond the largest size. A session that is too
    small then is filled up from those who are free, and goes where that cannot be, or where its lead may not or cannot
    hold it. Whether blocks stand is not asked.
    """
    draft = Draft(index)
    small: list[tuple[Slot, tuple[int, ...]]] = []
    held: set[tuple[int, int]] = set()
    for slot, students in groups:
        sizes = index.sizes[slot.adult][slot.modality]
        able = index.adult_in[slot.adult, slot.block] and index.qualified[slot.adult, slot.skill] > 0
        if not (able and sizes) or (slot.adult, slot.block) in held:
            continue
        held.add((slot.adult, slot.block))
        kept = _keep(draft, slot, students)[: sizes[-1]]
        if len(kept) in sizes:
            draft.open(slot, tuple(sorted(kept)))
        elif kept:
            small.append((slot, tuple(kept)))
    for slot, few in small:
        sizes = index.sizes[slot.adult][slot.modality]
        first = tuple(_keep(draft, slot, few))
        group = best_group(draft, slot, first=first)
        fewer = max((size for size in sizes if size <= len(first)), default=0)
        if group is not None:
            draft.open(slot, tuple(sorted(group.students)))
        elif fewer:
            draft.open(slot, tuple(sorted(first[:fewer])))
    return draft


def given_groups(index: Index, sessions: Sequence[Session]) -> Iterator[tuple[Slot, list[int]]]:
    """Yields the led sessions of a plan, whose ids are known, by positions, each with its students."""
    problem = index.problem
    students = {part.id: at for at, part in enumerate(problem.students)}
    blocks = {part.id: at for at, part in enumerate(problem.blocks)}
    adults = {part.id: at for at, part in enumerate(problem.adults)}
    skills = {part.id: at for at, part in enumerate(problem.skills)}
    for session in sessions:
        if session.led:
            place = blocks[session.block], adults[session.adults[0]]
            slot = Slot(*place, LED.index(session.modality), skills[session.skill or ""])
            yield slot, [students[name] for name in dict.fromkeys(session.students)]


def _keep(draft: Draft, slot: Slot, students: Sequence[int]) -> list[int]:
    """The students who may stay in a session, those with a pinned place first and then by what they add."""
    index = draft.index
    allowed, points = index.candidates(slot)
    worth = dict(zip(allowed.tolist(), points.tolist(), strict=True))
    free = dict(zip(students, draft.may_join(slot, np.array(students, np.int64)).tolist(), strict=True))
    kept: list[int] = []
    for student in sorted(
        (at for at in students if at in worth and free[at]),
        key=lambda at: ((at, slot.block) not in index.pins, -worth[at], at),
    ):
        if not index.apart[student, kept].any():
            kept.append(student)
    return kept
