"""A problem as arrays by position, in the problem's own order: one form for the compiled search and for Python."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from serving.grouping.problem.people import Adult
from serving.grouping.problem.places import Pin, Room
from serving.grouping.problem.policy import ADULT_LED, SessionType
from serving.grouping.problem.problem import Problem

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NOT_PINNED, PINNED_LED = 0, 1
NO_SEAT, ONLINE = -2, -1
"""In an earlier plan: the student had no seat in the block that counts, or worked online; else the adult's position."""

ANY = -1
"""In a pin: it does not name this."""


class Slot(NamedTuple):
    """A led session that could be held, by positions; `session_type` counts in `policy.ADULT_LED`."""

    block: int
    adult: int
    session_type: int
    skill: int


class ProblemArrays(NamedTuple):
    """A problem of N students, A adults, B blocks, K skills, G subgroups and P pairs to keep together, by position.

    Attributes:
        present: N x B. `seatable` is the same without those pinned to online work. `adult_in` is A x B.
        adult_blocks: A, the blocks in which each adult is there, counted.
        may_monitor, trainee, teacher, certified: A. `needs_certified`: N.
        need: N x K, null where the pair is not eligible. `low_evidence` marks those without a forecast.
        eligible: students who need a skill, those of skill k from `eligible_start[k]` to `eligible_start[k + 1]`.
        effect: A x 3 x 2, the share of a need met, usual and where evidence is thin; null: may not lead it.
        qualified: A x K, 0: may not lead it.
        size_allowed: A x 3 x sizes. `least` and `most` (A x 3) are its ends, both 0 without any.
        between: N x N, points of two students in one session, minus infinity to keep apart. `has_pairs`: whether it
            says anything.
        wished: P x 2. `wishes_start` and `wishes`: the pairs that each student is in.
        relation: N x A, what a first meeting today is worth before its weight.
        coverage: N, what the first led seat today is worth, with its weight.
        group: N, the subgroup, -1 without. `group_share`: G, its share of labelled students' blocks.
        before: N x B, see `NO_SEAT`. `before_kind` and `before_skill` tell the rest of it.
        pin: N x B. `pin_kind`, `pin_skill`, `pin_adult`: what it names, see `ANY`.
        reserved: N x K, the block for which the pair is kept, -1 without.
        rooms: B x R, capacities of ordinary rooms, ascending, of which `rooms_free` (B) count; `stations` likewise,
            descending, for rooms kept for online work. `rooms_planned`: whether any are asked for.
        ratio: students whom one adult may watch over.
        ahead: A, blocks by which duties of the days before lie above an even share.
        teacher_time_due: N, what the first led seat with a supervising adult today is worth, with its weight.
            `any_teacher_time_due`: whether it says anything.
        coaching: C x 3, both adults of a pair, and how many sessions they should and could share.
        weights: benefit, relationships, keep_together, perturbation, load, share, coaching.
    """

    present: Bools
    seatable: Bools
    adult_in: Bools
    adult_blocks: Ints
    may_monitor: Bools
    trainee: Bools
    teacher: Bools
    certified: Bools
    needs_certified: Bools
    need: Floats
    low_evidence: Bools
    eligible_start: Ints
    eligible: Ints
    effect: Floats
    qualified: Floats
    size_allowed: Bools
    least: Ints
    most: Ints
    between: Floats
    has_pairs: bool
    wished: Ints
    wishes_start: Ints
    wishes: Ints
    relation: Floats
    coverage: Floats
    group: Ints
    group_share: Floats
    before: Ints
    before_kind: Ints
    before_skill: Ints
    pin: Ints
    pin_kind: Ints
    pin_skill: Ints
    pin_adult: Ints
    reserved: Ints
    rooms: Ints
    rooms_free: Ints
    stations: Ints
    stations_free: Ints
    rooms_planned: bool
    ratio: int
    ahead: Floats
    teacher_time_due: Floats
    any_teacher_time_due: bool
    coaching: Ints
    weights: Floats


@dataclass(frozen=True, slots=True)
class ProblemData:
    """A problem with its arrays, and what only Python asks for.

    Attributes:
        sizes: for each adult and kind, the allowed numbers of students, ascending; empty: may not lead it.
        apart: N x N, pairs of students to keep apart.
        recent_groupmates: N x N, the number of adult-led sessions shared lately.
        before: earlier seats by (student, block), as a slot, or None for online work.
        pins: by (student, block).
        rooms: for each block, those free in it; None where the team plans none.
        known: what `candidates` has answered, to answer it again.
    """

    problem: Problem
    arrays: ProblemArrays
    sizes: tuple[tuple[tuple[int, ...], ...], ...]
    apart: Bools
    recent_groupmates: Floats
    before: Mapping[tuple[int, int], Slot | None]
    pins: Mapping[tuple[int, int], Pin]
    rooms: tuple[tuple[Room, ...] | None, ...]
    known: dict[Slot, tuple[Ints, Floats]] = field(default_factory=dict)

    @property
    def can_lead(self) -> bool:
        """Whether there is anybody to lead, anybody to teach, and anything to learn."""
        return bool(self.arrays.adult_in.any() and self.arrays.seatable.any() and self.problem.skills)

    def eligible(self, skill: int) -> Ints:
        """Returns the students who need a skill."""
        return self.arrays.eligible[self.arrays.eligible_start[skill] : self.arrays.eligible_start[skill + 1]]

    def may_lead(self, slot: Slot) -> bool:
        """Says whether the slot's adult is there and may lead such a session, whoever would sit in it."""
        arrays = self.arrays
        there = arrays.adult_in[slot.adult, slot.block] and arrays.qualified[slot.adult, slot.skill] > 0
        return bool(there and self.sizes[slot.adult][slot.session_type])

    def candidates(self, slot: Slot) -> tuple[Ints, Floats]:
        """Returns the students whom the hard rules let sit in a session, each taken alone, and their `seat_points`."""
        known = self.known.get(slot)
        if known is None:
            arrays, students = self.arrays, self.eligible(slot.skill)
            fits = arrays.seatable[students, slot.block]
            if not arrays.certified[slot.adult]:
                fits = fits & ~arrays.needs_certified[students]
            if self.pins:
                reserved = arrays.reserved[students, slot.skill]
                matches = [self.pin_fits(int(student), slot) for student in students]
                fits = fits & ((reserved < 0) | (reserved == slot.block)) & np.asarray(matches, dtype=np.bool_)
            allowed = students[fits]
            known = self.known[slot] = (allowed, self.seat_points(slot, allowed))
        return known

    def pin_fits(self, student: int, slot: Slot) -> bool:
        """Says whether a student's pin in the slot's block, if any, allows the slot."""
        arrays, place = self.arrays, (student, slot.block)
        if place not in self.pins:
            return True
        if self.pins[place].online:
            return False
        named = (arrays.pin_kind, slot.session_type), (arrays.pin_skill, slot.skill), (arrays.pin_adult, slot.adult)
        return all(table[place] in (ANY, value) for table, value in named)

    def seat_points(self, slot: Slot, students: Ints) -> Floats:
        """Returns what seats add to the score, against online work, in the terms that add up seat by seat."""
        weights, arrays = self.problem.weights, self.arrays
        effect = arrays.effect[slot.adult, slot.session_type][
            arrays.low_evidence[students, slot.skill].astype(np.int64)
        ]
        quality = arrays.qualified[slot.adult, slot.skill]
        points: Floats = weights.benefit * quality * effect * arrays.need[students, slot.skill]
        if self.before and weights.perturbation:
            for at, student in enumerate(students):
                earlier = self.before.get((int(student), slot.block), slot._replace(skill=-1))
                points[at] += weights.perturbation * ((earlier == slot) - (earlier is None))
        return points


def build_data(problem: Problem) -> ProblemData:
    """Returns a problem with its arrays."""
    at = _Positions(problem)
    weights, shape = problem.weights, (len(at.student), len(at.block))
    present = _table([[block in s.blocks for block in at.block] for s in problem.students], shape)
    adult_in = _table(
        [[block in a.blocks for block in at.block] for a in problem.adults], (len(at.adult), len(at.block))
    )
    need = np.full((len(at.student), len(at.skill)), np.nan)
    low_evidence = np.zeros(need.shape, dtype=np.bool_)
    for item in problem.open_needs():
        need[at.student[item.student], at.skill[item.skill]] = item.need
        low_evidence[at.student[item.student], at.skill[item.skill]] = item.low_evidence
    eligible = [np.flatnonzero(~np.isnan(need[:, skill])) for skill in range(len(at.skill))]
    qualified = np.ones((len(at.adult), len(at.skill)))
    for row, adult in enumerate(problem.adults):
        if adult.skills is not None:
            qualified[row] = [adult.skills.get(skill, 0.0) for skill in at.skill]
    relation = np.ones((len(at.student), len(at.adult)))
    for contact in problem.contacts:
        relation[at.student[contact.student], at.adult[contact.adult]] = 1 / (1 + contact.sessions)
    recent_groupmates = np.zeros((len(at.student), len(at.student)))
    for mate in problem.recent_groupmates:
        first, second = at.student[mate.first], at.student[mate.second]
        recent_groupmates[first, second] = recent_groupmates[second, first] = mate.sessions
    apart = np.zeros(recent_groupmates.shape, dtype=np.bool_)
    for one, other in problem.keep_apart:
        apart[at.student[one], at.student[other]] = apart[at.student[other], at.student[one]] = True
    wished = np.array([(at.student[one], at.student[other]) for one, other in problem.keep_together], np.int64)
    wished = wished.reshape(-1, 2)
    owner = np.argsort(wished.ravel(), kind="stable")
    group, group_share = _subgroups(problem)
    before, seats_before = _seats_before(problem, at, present)
    pins, seatable, pin_tables = _pins(problem, at, present)
    teacher_time_due = np.array([s.teacher_time_due and bool(s.blocks) for s in problem.students], dtype=np.bool_)
    sizes = tuple(tuple(_sizes(problem, adult, kind) for kind in ADULT_LED) for adult in problem.adults)
    size_allowed = np.zeros(
        (len(sizes), len(ADULT_LED), max((s for a in sizes for k in a for s in k), default=0) + 1), np.bool_
    )
    for row, kinds in enumerate(sizes):
        for kind, allowed in enumerate(kinds):
            size_allowed[row, kind, list(allowed)] = True
    reach = np.arange(size_allowed.shape[2])
    most = np.where(size_allowed, reach, 0).max(axis=2, initial=0)
    least = np.where(size_allowed, reach, reach[-1]).min(axis=2, initial=reach[-1]) * (most > 0)
    free = tuple(_free_rooms(problem, block) for block in at.block)
    rooms, rooms_free = _capacities(free, station=False)
    stations, stations_free = _capacities(free, station=True)
    arrays = ProblemArrays(
        present=present,
        seatable=seatable,
        adult_in=adult_in,
        adult_blocks=adult_in.sum(axis=1),
        may_monitor=np.array([SessionType.ONLINE in a.session_types for a in problem.adults], dtype=np.bool_),
        trainee=np.array([a.trainee for a in problem.adults], dtype=np.bool_),
        teacher=np.array([a.supervisor for a in problem.adults], dtype=np.bool_),
        certified=np.array([a.certified for a in problem.adults], dtype=np.bool_),
        needs_certified=np.array([s.needs_certified for s in problem.students], dtype=np.bool_),
        need=need,
        low_evidence=low_evidence,
        eligible_start=np.cumsum([0, *map(len, eligible)], dtype=np.int64),
        eligible=np.concatenate([*eligible, np.empty(0, np.int64)]),
        effect=_effects(problem),
        qualified=qualified,
        size_allowed=size_allowed,
        least=least,
        most=most,
        between=np.where(apart, -np.inf, -weights.repeat_groupmates * recent_groupmates),
        has_pairs=bool(apart.any() or (weights.repeat_groupmates and recent_groupmates.any())),
        wished=wished,
        wishes_start=np.searchsorted(wished.ravel()[owner], np.arange(len(at.student) + 1)).astype(np.int64),
        wishes=(owner // 2).astype(np.int64),
        relation=relation,
        coverage=np.full(len(at.student), weights.coverage),
        group=group,
        group_share=group_share,
        **seats_before,
        **pin_tables,
        rooms=rooms,
        rooms_free=rooms_free,
        stations=stations,
        stations_free=stations_free,
        rooms_planned=problem.rooms is not None,
        ratio=problem.students_per_monitor,
        ahead=np.array([adult.load_ahead for adult in problem.adults], np.float64),
        teacher_time_due=np.where(teacher_time_due, weights.teacher_time_due, 0.0),
        any_teacher_time_due=bool(weights.teacher_time_due and teacher_time_due.any()),
        coaching=_coaching(problem, at.adult, adult_in),
        weights=np.array(
            [
                weights.benefit,
                weights.relationships,
                weights.keep_together,
                weights.perturbation,
                weights.load,
                weights.share,
                weights.coaching,
            ]
        ),
    )
    return ProblemData(problem, arrays, sizes, apart, recent_groupmates, before, pins, free)


def find_runs(sizes: Sequence[int]) -> list[tuple[int, int]]:
    """Returns the stretches without gaps in ascending numbers: 4, 5, 6, 8, 9 gives (4, 6) and (8, 9)."""
    runs: list[tuple[int, int]] = []
    for size in sizes:
        if runs and runs[-1][1] == size - 1:
            runs[-1] = runs[-1][0], size
        else:
            runs.append((size, size))
    return runs


class _Positions:
    """The position of every id of a problem."""

    def __init__(self, problem: Problem) -> None:
        self.student = {student.id: at for at, student in enumerate(problem.students)}
        self.adult = {adult.id: at for at, adult in enumerate(problem.adults)}
        self.block = {block.id: at for at, block in enumerate(problem.blocks)}
        self.skill = {skill.id: at for at, skill in enumerate(problem.skills)}


def _table(rows: list[list[bool]], shape: tuple[int, int]) -> Bools:
    return np.array(rows, dtype=np.bool_).reshape(shape)  # keeps the shape where there are no rows


def _free_rooms(problem: Problem, block: str) -> tuple[Room, ...] | None:
    if problem.rooms is None:
        return None
    return tuple(room for room in problem.rooms if room.blocks is None or block in room.blocks)


def _capacities(free: Sequence[tuple[Room, ...] | None], *, station: bool) -> tuple[Ints, Ints]:
    found = [sorted(room.capacity for room in rooms or () if room.station is station) for rooms in free]
    table = np.zeros((len(free), max(map(len, found), default=0)), np.int64)
    for block, capacities in enumerate(found):
        table[block, : len(capacities)] = capacities[::-1] if station else capacities
    return table, np.array([len(capacities) for capacities in found], np.int64)


def _effects(problem: Problem) -> Floats:
    by = {(effect.session_type, effect.role): effect for effect in problem.effects}
    table = np.full((len(problem.adults), len(ADULT_LED), 2), np.nan)
    for at, adult in enumerate(problem.adults):
        for kind, session_type in enumerate(ADULT_LED):
            effect = by.get((session_type, adult.role))
            if effect is not None:
                table[at, kind] = effect.effect, effect.effect if effect.low_evidence is None else effect.low_evidence
    return table


def _sizes(problem: Problem, adult: Adult, kind: SessionType) -> tuple[int, ...]:
    bound = next((bound for bound in problem.sizes if bound.session_type is kind), None)
    if bound is None or kind not in adult.session_types:
        return ()
    own = adult.max_group if kind is not SessionType.COLLABORATIVE else None
    tables = range(1, bound.tables + 1)
    sizes = {size for count in tables for size in range(count * bound.least, count * bound.most + 1)}
    return tuple(sorted(size for size in sizes if own is None or size <= own))


def _coaching(problem: Problem, adult_at: Mapping[str, int], adult_in: Bools) -> Ints:
    pairs = [(adult_at[pair.coach], adult_at[pair.trainee], pair.sessions) for pair in problem.coaching]
    shared = [(one, other, min(asked, int((adult_in[one] & adult_in[other]).sum()))) for one, other, asked in pairs]
    return np.array([pair for pair in shared if pair[2]], dtype=np.int64).reshape(-1, 3)


def _subgroups(problem: Problem) -> tuple[Ints, Floats]:
    labels = sorted({student.subgroup for student in problem.students if student.subgroup is not None})
    group = np.array([labels.index(s.subgroup) if s.subgroup else -1 for s in problem.students], dtype=np.int64)
    blocks = np.zeros(len(labels))
    for at, student in zip(group, problem.students, strict=True):
        if at >= 0:
            blocks[at] += len(student.blocks)
    return group, blocks / max(1.0, blocks.sum())


def _seats_before(
    problem: Problem, at: _Positions, present: Bools
) -> tuple[dict[tuple[int, int], Slot | None], dict[str, Ints]]:
    """Returns the earlier seats by student and block, and as tables without those of students who are away."""
    slots: dict[tuple[int, int], Slot | None] = {}
    seat = np.full(present.shape, NO_SEAT, np.int64)
    kind, skill = np.full_like(seat, -1), np.full_like(seat, -1)
    for earlier in problem.previous:
        place = at.student[earlier.student], at.block[earlier.block]
        slots[place] = None
        if earlier.led:
            adult = at.adult[earlier.adult] if earlier.adult is not None else -1
            named = ADULT_LED.index(earlier.session_type), at.skill.get(earlier.skill or "", -1)
            slots[place] = Slot(place[1], adult, *named)
        if present[place]:
            seat[place] = ONLINE
            slot = slots[place]
            if slot is not None:
                # a seat that cannot come back, with an adult or on a skill that is gone, is one nobody can keep
                seat[place] = len(at.adult) if slot.adult < 0 or slot.skill < 0 else slot.adult
                kind[place], skill[place] = slot.session_type, slot.skill
    return slots, {"before": seat, "before_kind": kind, "before_skill": skill}


def _pins(
    problem: Problem, at: _Positions, present: Bools
) -> tuple[dict[tuple[int, int], Pin], Bools, dict[str, Ints]]:
    """Returns the pins by student and block, who may sit in led sessions beside those pinned online, and tables."""
    pins: dict[tuple[int, int], Pin] = {}
    reserved = np.full((len(at.student), len(at.skill)), -1, dtype=np.int64)
    for given in problem.pins:
        place = at.student[given.student], at.block[given.block]
        other = pins.get(place, given)
        # two pins of one place add up; that they do not contradict each other, `conflicts.py` has seen to
        pins[place] = Pin(
            student=given.student,
            block=given.block,
            session_type=given.session_type or other.session_type,
            skill=given.skill or other.skill,
            adult=given.adult or other.adult,
        )
        if given.skill is not None and not given.online:
            reserved[place[0], at.skill[given.skill]] = place[1]
    seatable = present.copy()
    pin = np.full(present.shape, NOT_PINNED, np.int64)
    kind, skill, adult = (np.full_like(pin, ANY) for _ in range(3))
    for place, asked in pins.items():
        if asked.online:
            seatable[place] = False
            continue
        pin[place] = PINNED_LED
        kind[place] = ANY if asked.session_type is None else ADULT_LED.index(asked.session_type)
        skill[place] = ANY if asked.skill is None else at.skill[asked.skill]
        adult[place] = ANY if asked.adult is None else at.adult[asked.adult]
    tables = {"pin": pin, "pin_kind": kind, "pin_skill": skill, "pin_adult": adult, "reserved": reserved}
    return pins, seatable, tables
