"""A problem as arrays by position, in the problem's own order: one form for the compiled search and for Python."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from serving.grouping.problem.people import Adult, Aim, Student
from serving.grouping.problem.places import Block, Room
from serving.grouping.problem.plan import Session
from serving.grouping.problem.policy import ADULT_LED, GROUPS, SessionType
from serving.grouping.problem.problem import Problem

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NOT_PINNED, PINNED_LED = 0, 1
NO_SEAT, ONLINE = -2, -1
"""In an earlier plan: the student had no seat in the block that counts, or worked online; else the adult's position."""

ANY = -1
"""In a pin: it does not name this."""

WEIGHTS = ("benefit", "relationships", "keep_together", "perturbation", "load", "share", "coaching", "observations")
"""The weights that `ProblemArrays.weights` holds, in this order; the others are in the points they weigh."""


class Slot(NamedTuple):
    """An adult-led session that could be held, by positions; `skill` is a topic, the type one of `ADULT_LED`."""

    block: int
    adult: int
    session_type: int
    skill: int


class ProblemArrays(NamedTuple):
    """A problem of N students, A adults, B blocks, K topics, G subgroups and P pairs to keep together, by position.

    A topic is a skill with the aim of a session on it. A student has one need of a skill, and so one topic of it; with
    topics in place of skills, the rule `one_aim` needs no further care.

    Attributes:
        present: N x B. `seatable` is the same without those pinned to online work. `adult_in` is A x B.
        adult_blocks: A, the blocks in which each adult is there, counted.
        may_monitor, trainee, teacher: A.
        may_teach: N x A, whether the adult may lead the student, by certification and exclusions.
        held: B x K, whether the topic may be taught in the block. `offered`: C x K, whether in sessions of the kind.
        need: N x K, null where the pair is not eligible. `low_evidence` marks those without a forecast.
        urgent: N x K, points of a seat on an urgent need, 0 elsewhere.
        crowding: by number of students, the share of the effect that each gets; 1 at 0.
        most_effects: by number of students, the most full effects that a session of so many or fewer gives in sum.
        eligible: students who need a skill, those of skill k from `eligible_start[k]` to `eligible_start[k + 1]`.
        effect: A x 3 x 2, the share of a need met, usual and where there is little evidence; null: may not lead it.
        qualified: A x K, 0: may not lead it.
        size_allowed: A x 3 x sizes. `least` and `most` (A x 3) are its ends, both 0 without any.
        between: N x N, points of two students in one session, minus infinity where they must not share one.
            `has_pairs`: whether it says anything.
        wished: P x 2. `wishes_start` and `wishes`: the pairs that each student is in.
        relation: N x A, what a first meeting today is worth before its weight.
        coverage: N, what the first adult-led seat today is worth: `coverage`, and `adult_time_due` where it is due.
        group: N, the subgroup, -1 without. `group_share`: G, its share of labelled students' blocks.
        before: N x B, see `NO_SEAT`; A where the earlier seat cannot come back. `before_kind` and `before_skill`: what
            an adult-led one was.
        pin: N x B. `pin_kind`, `pin_skill`, `pin_adult`: what it names, see `ANY`.
        reserved: N x K, the block for which the pair is kept, -1 without.
        rooms: B x R, capacities of ordinary rooms, ascending, of which `rooms_free` (B) count; `stations` and
            `stations_free`: the same, descending, for rooms kept for online work. `rooms_planned`: whether rooms are.
        ratio: students online whom one adult may supervise.
        ahead: A, blocks by which duties of the days before lie above an even share.
        group_time_due: N, what the first seat in a small group or tutoring today is worth, with its weight.
            `any_group_time_due`: whether it says anything. `is_group`: K, whether a kind of session is one of these.
        coaching: C x 4, both adults of a pair, how many sessions they should and could share, and 1 where only
            those count that the first leads and the second joins.
        weights: those of `WEIGHTS`.
    """

    present: Bools
    seatable: Bools
    adult_in: Bools
    adult_blocks: Ints
    may_monitor: Bools
    trainee: Bools
    teacher: Bools
    may_teach: Bools
    held: Bools
    offered: Bools
    need: Floats
    low_evidence: Bools
    urgent: Floats
    crowding: Floats
    most_effects: Floats
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
    group_time_due: Floats
    any_group_time_due: bool
    is_group: Bools
    coaching: Ints
    weights: Floats


class Topic(NamedTuple):
    """A skill and the aim of sessions on it: what students have to share to sit in one session."""

    skill: str
    aim: Aim


class Positions:
    """The position of every id of a problem.

    Attributes:
        topics: each skill with every aim that a need of it has, at least one of each skill, by position.
        of_need: the topic of each pair of student and skill that is a need. `of_skill`: those of each skill.
    """

    def __init__(self, problem: Problem) -> None:
        self.student = {student.id: at for at, student in enumerate(problem.students)}
        self.adult = {adult.id: at for at, adult in enumerate(problem.adults)}
        self.block = {block.id: at for at, block in enumerate(problem.blocks)}
        aims: dict[str, set[Aim]] = {skill.id: set() for skill in problem.skills}
        for need in problem.needs:
            aims[need.skill].add(need.aim)
        self.topics = [Topic(skill, aim) for skill, its in aims.items() for aim in Aim if aim in (its or {Aim.SUPPORT})]
        topic = {each: at for at, each in enumerate(self.topics)}
        self.of_need = {(need.student, need.skill): topic[Topic(need.skill, need.aim)] for need in problem.needs}
        self.of_skill: dict[str, list[int]] = {skill: [] for skill in aims}
        for at, each in enumerate(self.topics):
            self.of_skill[each.skill].append(at)

    def topic(self, skill: str, students: Iterable[str]) -> int:
        """Returns the topic of a skill that most of some students need, and any of the skill's where none does."""
        needed = Counter(self.of_need[name, skill] for name in students if (name, skill) in self.of_need)
        return min(needed, key=lambda at: (-needed[at], at), default=self.of_skill[skill][0])


@dataclass(frozen=True, slots=True)
class ProblemData:
    """A problem with its arrays, and what only Python asks for.

    Attributes:
        at: positions by id.
        sizes: for each adult and kind, the allowed numbers of students, ascending; empty: may not lead it.
        rooms: for each block, those free in it; None where the team plans none.
        wished_seats: N x K, the points of wishes for a skill, which are in `ProblemArrays.urgent`; None without any.
        known: what `candidates` has answered, to answer it again.
    """

    problem: Problem
    arrays: ProblemArrays
    at: Positions
    sizes: tuple[tuple[tuple[int, ...], ...], ...]
    rooms: tuple[tuple[Room, ...] | None, ...]
    wished_seats: Floats | None = None
    known: dict[Slot, Ints] = field(default_factory=dict)

    @property
    def can_lead(self) -> bool:
        """Whether there is anybody to lead, anybody to teach, and anything to learn."""
        return bool(self.arrays.adult_in.any() and self.arrays.seatable.any() and self.problem.skills)

    def slot(self, session: Session) -> Slot:
        """Returns an adult-led session of a plan by positions; its ids have to be known."""
        kind, topic = ADULT_LED.index(session.session_type), self.at.topic(session.skill or "", session.students)
        return Slot(self.at.block[session.block], self.at.adult[session.adults[0]], kind, topic)

    def eligible(self, skill: int) -> Ints:
        """Returns the students who need a topic."""
        return self.arrays.eligible[self.arrays.eligible_start[skill] : self.arrays.eligible_start[skill + 1]]

    def may_lead(self, slot: Slot) -> bool:
        """Says whether the slot's adult is there and may lead such a session of any students."""
        arrays = self.arrays
        there = arrays.adult_in[slot.adult, slot.block] and arrays.qualified[slot.adult, slot.skill] > 0
        offered = arrays.held[slot.block, slot.skill] and arrays.offered[slot.session_type, slot.skill]
        return bool(there and offered and self.sizes[slot.adult][slot.session_type])

    def candidates(self, slot: Slot) -> Ints:
        """Returns the students whom the hard rules let sit in a session, each taken alone."""
        if slot not in self.known:
            arrays, students = self.arrays, self.eligible(slot.skill)
            reserved = arrays.reserved[students, slot.skill]
            fits = self.fits_pins(students, slot) & ((reserved < 0) | (reserved == slot.block))
            fits &= arrays.held[slot.block, slot.skill] & arrays.offered[slot.session_type, slot.skill]
            self.known[slot] = students[fits & arrays.may_teach[students, slot.adult]]
        return self.known[slot]

    def fits_pins(self, students: Ints, slot: Slot) -> Bools:
        """Says whose pin in the slot's block, if any, allows the slot; of nobody who is away."""
        arrays = self.arrays
        fits: Bools = arrays.seatable[students, slot.block]
        pins = (arrays.pin_kind, slot.session_type), (arrays.pin_skill, slot.skill), (arrays.pin_adult, slot.adult)
        for table, value in pins:
            named = table[students, slot.block]
            fits = fits & ((named == ANY) | (named == value))
        return fits

    def seat_points(self, slot: Slot, students: Ints, size: int) -> Floats:
        """Returns what seats in a session of a size add to the score, in the terms that add up seat by seat."""
        weights, arrays = self.problem.weights, self.arrays
        low_evidence = arrays.low_evidence[students, slot.skill].astype(np.int64)
        effect = arrays.effect[slot.adult, slot.session_type][low_evidence]
        quality = arrays.qualified[slot.adult, slot.skill] * arrays.crowding[size]
        points: Floats = weights.benefit * quality * effect * arrays.need[students, slot.skill]
        points += arrays.urgent[students, slot.skill]
        place = students, slot.block
        kept = (arrays.before[place] == slot.adult) & (arrays.before_kind[place] == slot.session_type)
        kept &= arrays.before_skill[place] == slot.skill
        points += weights.perturbation * (1.0 * kept - (arrays.before[place] == ONLINE))
        return points


def build_data(problem: Problem) -> ProblemData:
    """Returns a problem with its arrays."""
    at, weights = Positions(problem), problem.weights
    students, adults, topics = len(at.student), len(at.adult), len(at.topics)
    present, adult_in = _presence(problem.students, problem.blocks), _presence(problem.adults, problem.blocks)
    need = np.full((students, topics), np.nan)
    low_evidence, urgent = np.zeros(need.shape, dtype=np.bool_), np.zeros(need.shape)
    for item in problem.needs:
        place = at.student[item.student], at.of_need[item.student, item.skill]
        need[place], low_evidence[place] = item.need, item.low_evidence
        urgent[place] = weights.urgent * item.urgent
    eligible = [np.flatnonzero(~np.isnan(need[:, topic])) for topic in range(topics)]
    qualified = np.ones((adults, topics))
    for row, adult in enumerate(problem.adults):
        if adult.skills is not None:
            qualified[row] = [adult.skills.get(topic.skill, 0.0) for topic in at.topics]
    held = [[block.skills is None or topic.skill in block.skills for topic in at.topics] for block in problem.blocks]
    lessons = {bound.session_type for bound in problem.sizes if not bound.support}
    offered = [[kind not in lessons or topic.aim is not Aim.SUPPORT for topic in at.topics] for kind in ADULT_LED]
    certified = np.array([adult.certified for adult in problem.adults], dtype=np.bool_)
    needs_certified = np.array([student.needs_certified for student in problem.students], dtype=np.bool_)
    may_teach: Bools = certified[None, :] | ~needs_certified[:, None]
    for student, excluded in problem.adult_exclusions:
        may_teach[at.student[student], at.adult[excluded]] = False
    relation = np.ones((students, adults))
    for contact in problem.contacts:
        relation[at.student[contact.student], at.adult[contact.adult]] = 1 / (1 + contact.times)
    between = np.zeros((students, students))
    for mate in problem.recent_groupmates:
        first, second = at.student[mate.first], at.student[mate.second]
        between[first, second] = between[second, first] = -weights.repeat_groupmates * mate.sessions
    wished_seats, meeting = _wishes(problem, at, urgent, between, relation)
    for one, other in problem.keep_apart:
        first, second = at.student[one], at.student[other]
        between[first, second] = between[second, first] = -np.inf
    wished = np.array([(at.student[one], at.student[other]) for one, other in problem.keep_together], np.int64)
    wished = wished.reshape(-1, 2)
    owner = np.argsort(wished.ravel(), kind="stable")
    due = [weights.group_time_due * (s.group_time_due and bool(s.blocks)) for s in problem.students]
    adult_time_due = np.array([s.adult_time_due and bool(s.blocks) for s in problem.students], dtype=np.bool_)
    sizes = tuple(tuple(_sizes(problem, adult, kind) for kind in ADULT_LED) for adult in problem.adults)
    free = tuple(_free_rooms(problem, block) for block in at.block)
    arrays = ProblemArrays(
        present=present,
        adult_in=adult_in,
        adult_blocks=adult_in.sum(axis=1),
        may_monitor=np.array([SessionType.ONLINE in a.session_types for a in problem.adults], dtype=np.bool_),
        trainee=np.array([a.trainee for a in problem.adults], dtype=np.bool_),
        teacher=np.array([a.supervisor for a in problem.adults], dtype=np.bool_),
        may_teach=may_teach,
        held=np.array(held, dtype=np.bool_).reshape(len(at.block), topics),
        offered=np.array(offered, dtype=np.bool_).reshape(len(ADULT_LED), topics),
        need=need,
        low_evidence=low_evidence,
        urgent=urgent,
        eligible_start=np.cumsum([0, *map(len, eligible)], dtype=np.int64),
        eligible=np.concatenate([*eligible, np.empty(0, np.int64)]),
        effect=_effects(problem),
        qualified=qualified,
        between=between,
        has_pairs=bool(between.any()),
        wished=wished,
        wishes_start=np.searchsorted(wished.ravel()[owner], np.arange(students + 1)).astype(np.int64),
        wishes=(owner // 2).astype(np.int64),
        relation=relation,
        coverage=np.where(adult_time_due, weights.coverage + weights.adult_time_due, weights.coverage),
        rooms_planned=problem.rooms is not None,
        ratio=problem.students_per_monitor,
        ahead=np.array([adult.load_ahead for adult in problem.adults], np.float64),
        group_time_due=np.array(due, np.float64),
        any_group_time_due=any(due),
        is_group=np.array([kind in GROUPS for kind in ADULT_LED]),
        coaching=_coaching(problem, at, adult_in),
        weights=np.array([meeting if name == "relationships" else getattr(weights, name) for name in WEIGHTS]),
        **_size_tables(problem, sizes),
        **_subgroups(problem, present),
        **_earlier_seats(problem, at, present),
        **_pins(problem, at, present),
        **_capacities(free),
    )
    return ProblemData(problem, arrays, at, sizes, free, wished_seats)


def _wishes(
    problem: Problem, at: Positions, urgent: Floats, between: Floats, relation: Floats
) -> tuple[Floats | None, float]:
    """Adds what wishes are worth to seats on skills, pairs of students and first meetings, in place.

    Returns:
        The points added to seats, None without any; and the weight of `relation`, which meetings are worth times it.
    """
    worth, meeting = problem.weights.wishes, problem.weights.relationships
    if not worth or not problem.wishes:
        return None, meeting
    seats = np.zeros_like(urgent)
    if not meeting:
        relation[:], meeting = 0.0, 1.0
    for wish in problem.wishes:
        student = at.student[wish.student]
        if wish.other is not None:
            other = at.student[wish.other]
            between[student, other] += worth
            between[other, student] += worth
        elif wish.adult is not None:
            relation[student, at.adult[wish.adult]] += worth / meeting
        elif (wish.student, wish.skill) in at.of_need:
            seats[student, at.of_need[wish.student, wish.skill or ""]] += worth
    urgent += seats
    return (seats if seats.any() else None), meeting


def find_runs(sizes: Sequence[int]) -> list[tuple[int, int]]:
    """Returns the stretches without gaps in ascending numbers: 4, 5, 6, 8, 9 gives (4, 6) and (8, 9)."""
    runs: list[tuple[int, int]] = []
    for size in sizes:
        if runs and runs[-1][1] == size - 1:
            runs[-1] = runs[-1][0], size
        else:
            runs.append((size, size))
    return runs


def _presence(people: Sequence[Student | Adult], blocks: Sequence[Block]) -> Bools:
    there = np.array([[block.id in person.blocks for block in blocks] for person in people], dtype=np.bool_)
    return there.reshape(len(people), len(blocks))  # keeps the shape where there are no people


def _free_rooms(problem: Problem, block: str) -> tuple[Room, ...] | None:
    if problem.rooms is None:
        return None
    return tuple(room for room in problem.rooms if room.blocks is None or block in room.blocks)


def _capacities(free: Sequence[tuple[Room, ...] | None]) -> dict[str, Any]:
    tables: dict[str, Any] = {}
    for name, station in (("rooms", False), ("stations", True)):
        found = [sorted((r.capacity for r in rooms or () if r.station is station), reverse=station) for rooms in free]
        table = np.zeros((len(free), max(map(len, found), default=0)), np.int64)
        for block, capacities in enumerate(found):
            table[block, : len(capacities)] = capacities
        tables |= {name: table, f"{name}_free": np.array([len(capacities) for capacities in found], np.int64)}
    return tables


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
    own = adult.max_group
    tables = range(1, bound.tables + 1)
    sizes = {size for count in tables for size in range(count * bound.least, count * bound.most + 1)}
    return tuple(sorted(size for size in sizes if own is None or size <= own))


def _size_tables(problem: Problem, sizes: Sequence[Sequence[Sequence[int]]]) -> dict[str, Any]:
    shape = len(sizes), len(ADULT_LED)
    least = np.array([min(allowed, default=0) for kinds in sizes for allowed in kinds], np.int64).reshape(shape)
    most = np.array([max(allowed, default=0) for kinds in sizes for allowed in kinds], np.int64).reshape(shape)
    size_allowed = np.zeros((*shape, most.max(initial=0) + 1), np.bool_)
    for row, kinds in enumerate(sizes):
        for kind, allowed in enumerate(kinds):
            size_allowed[row, kind, list(allowed)] = True
    crowding = np.array([problem.size_curve.share(count) for count in range(size_allowed.shape[2])])
    most_effects = np.maximum.accumulate(crowding * np.arange(len(crowding)))
    tables = {"least": least, "most": most, "size_allowed": size_allowed}
    return tables | {"crowding": crowding, "most_effects": most_effects}


def _coaching(problem: Problem, at: Positions, adult_in: Bools) -> Ints:
    rows = []
    for pair in problem.coaching:
        one, other = pair.roles[0] if pair.observes else (pair.coach, pair.trainee)
        places = at.adult[one], at.adult[other]
        asked = min(pair.sessions, int((adult_in[places[0]] & adult_in[places[1]]).sum()))
        if asked:
            rows.append((*places, asked, int(pair.observes)))
    return np.array(rows, dtype=np.int64).reshape(-1, 4)


def _subgroups(problem: Problem, present: Bools) -> dict[str, Any]:
    labels = sorted({student.subgroup for student in problem.students if student.subgroup is not None})
    positions: dict[str | None, int] = {label: at for at, label in enumerate(labels)}
    group = np.array([positions.get(student.subgroup, -1) for student in problem.students], dtype=np.int64)
    blocks = np.array([present[group == at].sum() for at in range(len(labels))], np.float64)
    return {"group": group, "group_share": blocks / max(1.0, blocks.sum())}


def _earlier_seats(problem: Problem, at: Positions, present: Bools) -> dict[str, Any]:
    """Returns the earlier seats as tables, without those of students who are away."""
    before = np.full(present.shape, NO_SEAT, np.int64)
    kind, skill = np.full_like(before, -1), np.full_like(before, -1)
    for seat in problem.previous:
        place = at.student[seat.student], at.block[seat.block]
        if present[place]:
            before[place] = ONLINE
            if seat.led:
                known = seat.skill in at.of_skill
                kind[place] = ADULT_LED.index(seat.session_type)
                skill[place] = at.topic(seat.skill or "", (seat.student,)) if known else -1
                # a seat that cannot come back, without an adult or on a skill that is gone, is one nobody can keep
                adult = seat.adult if skill[place] >= 0 else None
                before[place] = at.adult.get(adult or "", len(at.adult))
    return {"before": before, "before_kind": kind, "before_skill": skill}


def _pins(problem: Problem, at: Positions, present: Bools) -> dict[str, Any]:
    """Returns who may sit in adult-led sessions beside those pinned to online work, and the other pins as tables."""
    seatable, pin = present.copy(), np.full(present.shape, NOT_PINNED, np.int64)
    kind, skill, adult = (np.full_like(pin, ANY) for _ in range(3))
    reserved = np.full((len(at.student), len(at.topics)), -1, dtype=np.int64)
    for asked in problem.pins:
        place = at.student[asked.student], at.block[asked.block]
        if asked.online:
            seatable[place] = False
            continue
        # two pins of one place add up; `infeasible/counting.py` sees to it that they do not contradict each other
        pin[place] = PINNED_LED
        if asked.session_type is not None:
            kind[place] = ADULT_LED.index(asked.session_type)
        if asked.skill is not None:
            skill[place] = at.topic(asked.skill, (asked.student,))
            reserved[place[0], skill[place]] = place[1]
        if asked.adult is not None:
            adult[place] = at.adult[asked.adult]
    return {
        "seatable": seatable,
        "pin": pin,
        "pin_kind": kind,
        "pin_skill": skill,
        "pin_adult": adult,
        "reserved": reserved,
    }
