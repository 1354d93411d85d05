"""Lays a problem out as the arrays of `index.Index`."""

from collections.abc import Mapping

import numpy as np

from serving.grouping.index import Bools, Floats, Index, Ints, Slot
from serving.grouping.places import Pin, Room
from serving.grouping.policy import LED, Modality
from serving.grouping.problem import Problem


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
    pins, pinned_block = _pins(problem, student_at, block_at, skill_at)
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


def _pins(
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
