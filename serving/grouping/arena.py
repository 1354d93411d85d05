"""A problem as plain arrays, in the form that the compiled search takes."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from serving.grouping.index import Bools, Floats, Index, Ints
from serving.grouping.policy import LED

NOT_PINNED, PINNED_LED = 0, 1
NO_SEAT, ONLINE = -2, -1
"""Of an earlier plan: the student had no seat in the block that counts, or worked online; else the adult's position."""

ANY = -1
"""Of a pin: it does not name this."""


class Arena(NamedTuple):
    """A problem of N students, A adults, B blocks, K skills, G subgroups and P pairs to keep together, by position.

    Attributes:
        present: N x B. `seatable` is the same without those pinned to online work. `adult_in` is A x B.
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
