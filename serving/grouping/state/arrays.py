"""A problem as plain arrays, in the form that the compiled search takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from serving.grouping.problem.places import Pin, Room
from serving.grouping.problem.policy import LED, Modality
from serving.grouping.problem.problem import Problem

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


def index_problem(problem: Problem) -> Index:
    """Lays a problem out as arrays."""
    student_at = {student.id: at for at, student in enumerate(problem.students)}
    adult_at = {adult.id: at for at, adult in enumerate(problem.adults)}
    block_at = {block.id: at for at, block in enumerate(problem.blocks)}
    skill_at = {skill.id: at for at, skill in enumerate(problem.skills)}
    students, adults, blocks, skills = len(student_at), len(adult_at), len(block_at), len(skill_at)

    present = _table([[block in s.blocks for block in block_at] for s in problem.students], (students, blocks))
    adult_in = _table([[block in a.blocks for block in block_at] for a in problem.adults], (adults, blocks))

    need = np.full((students, skills), np.nan)
    thin = np.zeros((students, skills), dtype=np.bool_)
    for item in problem.open_needs():
        need[student_at[item.student], skill_at[item.skill]] = item.need
        thin[student_at[item.student], skill_at[item.skill]] = item.thin

    qualified = np.ones((adults, skills))
    for at, adult in enumerate(problem.adults):
        if adult.skills is not None:
            qualified[at] = [adult.skills.get(skill, 0.0) for skill in skill_at]

    relation = np.ones((students, adults))
    for contact in problem.contacts:
        relation[student_at[contact.student], adult_at[contact.adult]] = 1 / (1 + contact.sessions)

    mates = np.zeros((students, students))
    for mate in problem.mates:
        first, second = student_at[mate.first], student_at[mate.second]
        mates[first, second] = mates[second, first] = mate.sessions

    group, group_share = _subgroups(problem)
    pins, pinned_block = _pins_by_place(problem, student_at, block_at, skill_at)
    seatable = present.copy()
    for (student, block), pin in pins.items():
        seatable[student, block] &= not pin.online
    before: dict[tuple[int, int], Slot | None] = {}
    for seat in problem.previous:
        block = block_at[seat.block]
        slot = None
        if seat.led:
            adult_position = adult_at[seat.adult] if seat.adult is not None else -1
            slot = Slot(block, adult_position, LED.index(seat.modality), skill_at.get(seat.skill or "", -1))
        before[student_at[seat.student], block] = slot

    effect, effect_thin = _effects(problem)
    return Index(
        problem=problem,
        present=present,
        seatable=seatable,
        adult_in=adult_in,
        may_monitor=np.array([Modality.ONLINE in a.modalities for a in problem.adults], dtype=np.bool_),
        trainee=np.array([a.trainee for a in problem.adults], dtype=np.bool_),
        teacher=np.array([a.supervisor for a in problem.adults], dtype=np.bool_),
        certified=np.array([a.certified for a in problem.adults], dtype=np.bool_),
        needs_certified=np.array([s.needs_certified for s in problem.students], dtype=np.bool_),
        need=need,
        thin=thin,
        eligible=tuple(np.flatnonzero(~np.isnan(need[:, skill])) for skill in range(skills)),
        effect=effect,
        effect_thin=effect_thin,
        qualified=qualified,
        sizes=_sizes(problem),
        apart=_pairs(problem.keep_apart, student_at),
        wished=np.array(
            [(student_at[one], student_at[other]) for one, other in problem.keep_together], dtype=np.int64
        ).reshape(-1, 2),
        mates=mates,
        relation=relation,
        group=group,
        group_share=group_share,
        before=before,
        pins=pins,
        pinned_block=pinned_block,
        owed=np.array([s.owed_teacher and bool(s.blocks) for s in problem.students], dtype=np.bool_),
        coaching=_coaching(problem, adult_at, adult_in),
        rooms=tuple(_free_rooms(problem, block.id) for block in problem.blocks),
        known={},
    )


def _table(rows: list[list[bool]], shape: tuple[int, int]) -> Bools:
    return np.array(rows, dtype=np.bool_).reshape(shape)  # keeps the shape where there are no rows


def _free_rooms(problem: Problem, block: str) -> tuple[Room, ...] | None:
    if problem.rooms is None:
        return None
    return tuple(room for room in problem.rooms if room.blocks is None or block in room.blocks)


def _pairs(pairs: tuple[tuple[str, str], ...], student_at: Mapping[str, int]) -> Bools:
    table = np.zeros((len(student_at), len(student_at)), dtype=np.bool_)
    for first, second in pairs:
        table[student_at[first], student_at[second]] = table[student_at[second], student_at[first]] = True
    return table


def _effects(problem: Problem) -> tuple[Floats, Floats]:
    by = {(effect.modality, effect.role): effect for effect in problem.effects}
    usual, thin = np.full((2, len(problem.adults), len(LED)), np.nan)
    for at, adult in enumerate(problem.adults):
        for kind, modality in enumerate(LED):
            effect = by.get((modality, adult.role))
            if effect is not None:
                usual[at, kind] = effect.effect
                thin[at, kind] = effect.effect if effect.thin is None else effect.thin
    return usual, thin


def _sizes(problem: Problem) -> tuple[tuple[tuple[int, ...], ...], ...]:
    bounds = {bound.modality: bound for bound in problem.sizes}
    rows = []
    for adult in problem.adults:
        row = []
        for modality in LED:
            bound = bounds.get(modality)
            allowed: set[int] = set()
            if bound is not None and modality in adult.modalities:
                for tables in range(1, bound.tables + 1):
                    allowed.update(range(tables * bound.least, tables * bound.most + 1))
                if modality is not Modality.COLLABORATIVE and adult.max_group is not None:
                    allowed = {size for size in allowed if size <= adult.max_group}
            row.append(tuple(sorted(allowed)))
        rows.append(tuple(row))
    return tuple(rows)


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


def _pins_by_place(
    problem: Problem, student_at: Mapping[str, int], block_at: Mapping[str, int], skill_at: Mapping[str, int]
) -> tuple[dict[tuple[int, int], Pin], Ints]:
    pins: dict[tuple[int, int], Pin] = {}
    reserved = np.full((len(student_at), len(skill_at)), -1, dtype=np.int64)
    for pin in problem.pins:
        key = student_at[pin.student], block_at[pin.block]
        other = pins.get(key, pin)
        # Two pins of one place add up; that they do not contradict each other, `conflicts.py` has seen to.
        pins[key] = Pin(
            student=pin.student,
            block=pin.block,
            modality=pin.modality or other.modality,
            skill=pin.skill or other.skill,
            adult=pin.adult or other.adult,
        )
        if pin.skill is not None and not pin.online:
            reserved[key[0], skill_at[pin.skill]] = key[1]
    return pins, reserved


NOT_PINNED, PINNED_LED = 0, 1
NO_SEAT, ONLINE = -2, -1
"""Of an earlier plan: the student had no seat in the block that counts, or worked online; else the adult's position."""

ANY = -1
"""Of a pin: it does not name this."""


class Arena(NamedTuple):
    """A problem of N students, A adults, B blocks, K skills, G subgroups and P pairs to keep together, by position.

    Attributes:
        present: N x B. `seatable` is the same without those pinned to online work. `adult_in` is A x B.
        adult_blocks: A, the blocks in which each adult is there, counted.
        may_monitor, trainee, teacher, certified: A. `needs_certified`: N.
        need: N x K, null where the pair is not eligible. `thin` marks those without a forecast.
        eligible: students who need a skill, those of skill k from `eligible_start[k]` to `eligible_start[k + 1]`.
        effect: A x 3 x 2, the share of a need met, usual and where evidence is thin; null: may not lead it.
        qualified: A x K, 0: may not lead it.
        size_allowed: A x 3 x sizes. `least` and `most` (A x 3) are its ends, both 0 without any.
        between: N x N, points of two students in one session, minus infinity to keep apart. `has_pairs`: whether it
            says anything.
        wished: P x 2. `wishes_start` and `wishes`: the pairs that each student is in.
        relation: N x A, what a first meeting today is worth before its weight.
        coverage: N, what the first led seat today is worth, with its weight.
        group: N, the subgroup, -1 without. `group_share`: G.
        before: N x B, see `NO_SEAT`. `before_kind` and `before_skill` tell the rest of it.
        pin: N x B. `pin_kind`, `pin_skill`, `pin_adult`: what it names, see `ANY`.
        reserved: N x K, the block for which the pair is kept, -1 without.
        rooms: B x R, capacities of ordinary rooms, ascending, of which `rooms_free` (B) count; `stations` likewise,
            descending, for rooms kept for online work. `rooms_planned`: whether any are asked for.
        ratio: students whom one adult may watch over.
        ahead: A, blocks by which duties of the days before lie above an even share.
        owed: N, what the first led seat with a supervising adult today is worth, with its weight. `any_owed`: whether
            it says anything.
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
    thin: Bools
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
    owed: Floats
    any_owed: bool
    coaching: Ints
    weights: Floats


def build_arena(index: Index) -> Arena:
    """Lays the index out flat."""
    problem, weights = index.problem, index.problem.weights
    students, blocks = index.present.shape
    largest = max((row[-1] for adult in index.sizes for row in adult if row), default=0)
    size_allowed = np.zeros((len(index.sizes), len(LED), largest + 1), np.bool_)
    for at, adult in enumerate(index.sizes):
        for kind, sizes in enumerate(adult):
            size_allowed[at, kind, list(sizes)] = True
    reach = np.arange(largest + 1)
    most = np.where(size_allowed, reach, 0).max(axis=2, initial=0)
    least = np.where(size_allowed, reach, largest).min(axis=2, initial=largest) * (most > 0)
    wish_owner = np.argsort(index.wished.ravel(), kind="stable")
    before = np.full((students, blocks), NO_SEAT, np.int64)
    before_kind, before_skill = np.full_like(before, -1), np.full_like(before, -1)
    for (student, block), slot in index.before.items():
        if not index.present[student, block]:
            continue
        before[student, block] = ONLINE
        if slot is not None:
            # a seat that cannot come back, with an adult or on a skill that is gone, is one nobody can keep
            gone = slot.adult < 0 or slot.skill < 0
            before[student, block] = len(index.sizes) if gone else slot.adult
            before_kind[student, block], before_skill[student, block] = slot.modality, slot.skill
    pin, pin_kind, pin_skill, pin_adult = _pins(index)
    rooms, rooms_free = _capacities(index, blocks, station=False)
    stations, stations_free = _capacities(index, blocks, station=True)
    return Arena(
        present=index.present,
        seatable=index.seatable,
        adult_in=index.adult_in,
        adult_blocks=index.adult_in.sum(axis=1),
        may_monitor=index.may_monitor,
        trainee=index.trainee,
        teacher=index.teacher,
        certified=index.certified,
        needs_certified=index.needs_certified,
        need=index.need,
        thin=index.thin,
        eligible_start=np.cumsum([0, *map(len, index.eligible)], dtype=np.int64),
        eligible=np.concatenate([*index.eligible, np.empty(0, np.int64)]),
        effect=np.stack([index.effect, index.effect_thin], axis=2),
        qualified=index.qualified,
        size_allowed=size_allowed,
        least=least,
        most=most,
        between=np.where(index.apart, -np.inf, -weights.repeat_mates * index.mates),
        has_pairs=bool(index.apart.any() or (weights.repeat_mates and index.mates.any())),
        wished=index.wished,
        wishes_start=np.searchsorted(index.wished.ravel()[wish_owner], np.arange(students + 1)).astype(np.int64),
        wishes=(wish_owner // 2).astype(np.int64),
        relation=index.relation,
        coverage=np.full(students, weights.coverage),
        group=index.group,
        group_share=index.group_share,
        before=before,
        before_kind=before_kind,
        before_skill=before_skill,
        pin=pin,
        pin_kind=pin_kind,
        pin_skill=pin_skill,
        pin_adult=pin_adult,
        reserved=index.pinned_block,
        rooms=rooms,
        rooms_free=rooms_free,
        stations=stations,
        stations_free=stations_free,
        rooms_planned=problem.rooms is not None,
        ratio=problem.students_per_monitor,
        ahead=np.array([adult.load_ahead for adult in problem.adults], np.float64),
        owed=np.where(index.owed, weights.owed, 0.0),
        any_owed=bool(weights.owed and index.owed.any()),
        coaching=index.coaching,
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


def _pins(index: Index) -> tuple[Ints, Ints, Ints, Ints]:
    problem = index.problem
    pin = np.full(index.present.shape, NOT_PINNED, np.int64)
    kind, skill, adult = (np.full_like(pin, ANY) for _ in range(3))
    skills = {part.id: at for at, part in enumerate(problem.skills)}
    adults = {part.id: at for at, part in enumerate(problem.adults)}
    for place, asked in index.pins.items():
        if asked.online:
            continue  # `seatable` knows
        pin[place] = PINNED_LED
        kind[place] = ANY if asked.modality is None else LED.index(asked.modality)
        skill[place] = ANY if asked.skill is None else skills[asked.skill]
        adult[place] = ANY if asked.adult is None else adults[asked.adult]
    return pin, kind, skill, adult


def _capacities(index: Index, blocks: int, *, station: bool) -> tuple[NDArray[np.int64], Ints]:
    found = [sorted(room.capacity for room in rooms or () if room.station is station) for rooms in index.rooms]
    table = np.zeros((blocks, max(map(len, found), default=0)), np.int64)
    for block, capacities in enumerate(found):
        table[block, : len(capacities)] = capacities[::-1] if station else capacities
    return table, np.array([len(each) for each in found], np.int64)
