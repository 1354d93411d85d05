"""The program of what makes blocks stand: which adult leads what for how many, who monitors, in rooms of what size.

Generalised assignment with session opening, in a form that is exact on the hard rules and small: students whom no rule
tells apart take seats per skill instead of per session, and an adult's load says how many of them the adult takes. What
seats are worth is near enough to choose well; `seating.py` settles them for the whole plan.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import product

import numpy as np

from serving.grouping.draft import Draft
from serving.grouping.index import Bools, Slot
from serving.grouping.policy import LED
from serving.grouping.program import Program, Terms
from serving.grouping.rooming import Rooming

GAP = 0.05  # of points that are only near enough
NODES = 2_000

Groups = dict[Slot, tuple[int, ...]]


class Standing:
    """The program of some blocks, beside the sessions of others that a draft holds.

    Attributes:
        seats: columns by (student, block, skill), of students whom no rule tells apart.
        places: columns by (student, block, adult, skill), of the others.
        loads: columns by session: how many of the former it takes.
        leads: columns by (block, adult, skill). `kinds`: by (block, adult, kind), one for each range of sizes.
    """

    def __init__(self, draft: Draft, blocks: Sequence[int]) -> None:
        self.draft, self.index, self.program = draft, draft.index, Program()
        self.seats: dict[tuple[int, int, int], int] = {}
        self.places: dict[tuple[int, int, int, int], int] = {}
        self.loads: dict[Slot, int] = {}
        self.leads: dict[tuple[int, int, int], int] = {}
        self.kinds: dict[tuple[int, int, int], list[int]] = {}
        for block in blocks:
            _Block(self, block)
        meetings: dict[tuple[int, int], Terms] = defaultdict(list)
        for (student, *_, skill), column in (*self.seats.items(), *self.places.items()):
            meetings[student, skill].append((column, 1.0))
        for terms in meetings.values():
            if len(terms) > 1:
                self.program.bound(terms, 0.0, 1.0)

    def solve(self) -> tuple[Groups | None, bool]:
        """Returns students by session, None where none were found, and whether either answer is proven."""
        values, proven = self.program.solve(gap=GAP, nodes=NODES)
        return None if values is None else self._read(values.tolist()), proven

    def _read(self, values: list[int]) -> Groups:
        """Deals out seats: who needs a skill most goes where it is taught best."""
        groups: dict[Slot, list[int]] = {}
        for (block, adult, kind), columns in self.kinds.items():
            if any(values[column] for column in columns):
                skill = next(k for b, a, k in self.leads if (b, a) == (block, adult) and values[self.leads[b, a, k]])
                groups[Slot(block, adult, kind, skill)] = []
        slots = {(slot.block, slot.adult): slot for slot in groups}
        for (student, block, adult, _), column in self.places.items():
            if values[column]:
                groups[slots[block, adult]].append(student)
        waiting: dict[tuple[int, int], list[int]] = defaultdict(list)
        for (student, block, skill), column in self.seats.items():
            if values[column]:
                waiting[block, skill].append(student)
        need, effect = self.index.need, self.index.effect
        for (_, skill), students in waiting.items():
            students.sort(key=lambda student: (-need[student, skill], student))
        for slot in sorted(groups, key=lambda slot: (-effect[slot.adult, slot.modality], slot)):
            here, count = waiting[slot.block, slot.skill], values[self.loads[slot]] if slot in self.loads else 0
            groups[slot] += here[:count]
            waiting[slot.block, slot.skill] = here[count:]
        return {slot: tuple(sorted(students)) for slot, students in groups.items()}


class _Block:
    """Adds the columns and rows of one block to a program."""

    def __init__(self, program: Standing, block: int) -> None:
        self.of, self.index, self.program, self.block = program, program.index, program.program, block
        index = self.index
        self.adults = [int(at) for at in np.flatnonzero(index.adult_in[:, block])]
        self.special: Bools = index.needs_certified | index.apart.any(axis=1)
        self.special[[student for student, held in index.pins if held == block]] = True
        effects = index.effect[self.adults]
        self.usual = float(effects[np.isfinite(effects)].mean()) if np.isfinite(effects).any() else 0.0
        self.by_skill: dict[int, Terms] = defaultdict(list)
        self.by_adult: dict[int, Terms] = defaultdict(list)
        self.by_lead: dict[tuple[int, int], Terms] = defaultdict(list)
        self.by_student: dict[int, Terms] = defaultdict(list)
        self.led: Terms = []
        self._add_duties()
        self._add_seats()
        self._add_places()
        self._bound()

    def _add_duties(self) -> None:
        ...
