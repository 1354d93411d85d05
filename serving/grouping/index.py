"""A problem as arrays: positions for ids, and everything that a search asks thousands of times."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from serving.grouping.places import Pin, Room
from serving.grouping.policy import LED
from serving.grouping.problem import Problem

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Slot(NamedTuple):
    """A led session that could be held, by positions; `modality` counts in `policy.LED`."""

    block: int
    adult: int
    modality: int
    skill: int


@dataclass(frozen=True, slots=True)
class Index:
    """A problem's figures by position: N students, A adults, B blocks, K skills, in the problem's own order.

    Attributes:
        present: N x B. `seatable` is the same without those pinned to online work.
        adult_in: A x B.
        may_monitor, trainee, teacher, certified: A.
        need: N x K, NaN where the pair is not eligible. `thin` marks those without a forecast.
        eligible: for each skill, the positions of students who need it.
        effect: A x 3, the share of a need met, by kind in `policy.LED`; NaN: may not lead it. `effect_thin` likewise.
        qualified: A x K, 0: may not lead it.
        sizes: for each adult and kind, the allowed numbers of students, ascending; empty: may not lead it.
        apart: N x N. `mates` likewise, the number of led sessions shared lately.
        wished: one row per pair to keep together.
        relation: N x A, what a meeting is worth before its weight.
        group: N, the subgroup's position, -1 without; `group_share`: its share of labelled students' blocks.
        before: earlier seats by (student, block), as a slot, or None for online work.
        pins: by (student, block). `pinned_block`: N x K, the block for which the pair is reserved, -1 without.
        owed: N, present and owed a seat with a supervising adult.
        coaching: one row per pair of adults asked for: both, and how many sessions they should and could share.
        rooms: for each block, those free in it; None where the team plans none.
        known: what `candidates` has answered, to answer it again.
    """

    problem: Problem
    present: Bools
    seatable: Bools
    adult_in: Bools
    may_monitor: Bools
    trainee: Bools
    teacher: Bools
    certified: Bools
    needs_certified: Bools
    need: Floats
    thin: Bools
    eligible: tuple[Ints, ...]
    effect: Floats
    effect_thin: Floats
    qualified: Floats
    sizes: tuple[tuple[tuple[int, ...], ...], ...]
    apart: Bools
    wished: Ints
    mates: Floats
    relation: Floats
    group: Ints
    group_share: Floats
    before: Mapping[tuple[int, int], Slot | None]
    pins: Mapping[tuple[int, int], Pin]
    pinned_block: Ints
    owed: Bools
    coaching: Ints
    rooms: tuple[tuple[Room, ...] | None, ...]
    known: dict[Slot, tuple[Ints, Floats]]

    def candidates(self, slot: Slot) -> tuple[Ints, Floats]:
        """Returns the students whom the hard rules let sit in a session, each taken alone, and their `seat_points`."""
        known = self.known.get(slot)
        if known is None:
            students = self.eligible[slot.skill]
            fits = self.seatable[students, slot.block]
            if not self.certified[slot.adult]:
                fits = fits & ~self.needs_certified[students]
            if self.pins:
                reserved = self.pinned_block[students, slot.skill]
                matches = [self.pin_fits(int(student), slot) for student in students]
                fits = fits & ((reserved < 0) | (reserved == slot.block)) & np.asarray(matches, dtype=np.bool_)
            allowed = students[fits]
            known = self.known[slot] = (allowed, self.seat_points(slot, allowed))
        return known

    def pin_fits(self, student: int, slot: Slot) -> bool:
        """Says whether a student's pin in the slot's block, if any, allows the slot."""
        pin = self.pins.get((student, slot.block))
        return pin is None or (
            (pin.modality is None or pin.modality is LED[slot.modality])
            and (pin.skill is None or pin.skill == self.problem.skills[slot.skill].id)
            and (pin.adult is None or pin.adult == self.problem.adults[slot.adult].id)
        )

    def seat_points(self, slot: Slot, students: Ints) -> Floats:
        """Returns what seats add to the score, against online work, in the terms that add up seat by seat."""
        weights = self.problem.weights
        effect = np.where(
            self.thin[students, slot.skill],
            self.effect_thin[slot.adult, slot.modality],
            self.effect[slot.adult, slot.modality],
        )
        quality = self.qualified[slot.adult, slot.skill]
        points: Floats = weights.benefit * quality * effect * self.need[students, slot.skill]
        if self.before and weights.perturbation:
            for at, student in enumerate(students):
                earlier = self.before.get((int(student), slot.block), slot._replace(skill=-1))
                points[at] += weights.perturbation * ((earlier == slot) - (earlier is None))
        return points


def find_runs(sizes: Sequence[int]) -> list[tuple[int, int]]:
    """Returns the stretches without gaps in ascending numbers: 4, 5, 6, 8, 9 gives (4, 6) and (8, 9)."""
    runs: list[tuple[int, int]] = []
    for size in sizes:
        if runs and runs[-1][1] == size - 1:
            runs[-1] = runs[-1][0], size
        else:
            runs.append((size, size))
    return runs
