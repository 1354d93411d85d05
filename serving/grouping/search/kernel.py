"""The compiled search: draws a day greedily, then takes parts of it down and draws them anew, keeping what is better.

Large-neighbourhood search (Shaw 1998; Ropke and Pisinger 2006) over led sessions and their students, accepting as
simulated annealing does. Every session is drawn by what each student would add to the score; every hard rule is kept
from step to step, and a finished trial is scored whole. Counted in rounds it gives the same plan everywhere.

One file on purpose: numba does not notice changes in functions of another file, so a split kernel could keep old
machine code.
"""

import math
from typing import NamedTuple

import numba as nb
import numpy as np

from serving.grouping.state.arrays import ANY, NO_SEAT, ONLINE, PINNED_LED, Bools, Floats, Ints, ProblemArrays

LEAST_POINTS = 1e-9
"""A session that adds less is not worth an adult's time."""

BENEFIT, RELATIONSHIPS, KEEP_TOGETHER, PERTURBATION, LOAD, SHARE, COACHING = range(7)
"""Positions in `ProblemArrays.weights`."""

MOVES = 14
"""Ways to take part of a day down."""

PAIRING = 2
"""Further ways, where pairs of adults are asked to coach and to learn."""

SETTLINGS = 3
"""Times that each session of a block is gone through for students who had better change places."""

NOT_LED = -1
IMPOSSIBLE = -np.inf


class Seats(NamedTuple):
    """A day in the making, with what is counted of it.

    Attributes:
        kind: B x A, what each adult leads, -1 nothing. `skill` likewise. `size`: B x A, students there.
        seat: N x B, the adult who leads the student, -1 online or away.
        roster: B x A x most, students of each session, in any order. `slot`: N x B, a led student's place in it.
        done: N x K, whether the skill is on the student's day. `met`: N x A, led seats. `led`: N, led seats.
        together: P, sessions that the pair shares. `group`: G, led seats.
        worth: B + 1, points of each block when it was last scored; last: of the load.
        beside: B x A, the lead beside whom each adult sits, -1 none.
        taught: N, led seats with supervising adults.
    """

    kind: Ints
    skill: Ints
    size: Ints
    seat: Ints
    roster: Ints
    slot: Ints
    done: Bools
    met: Ints
    led: Ints
    together: Ints
    group: Floats
    worth: Floats
    beside: Ints
    taught: Ints


class Desk(NamedTuple):
    """Room to work in, so that no step has to ask for memory.

    Attributes:
        students, fixed: N, those who may join a session, and what each adds to any kind of it.
        left, points: N, those not picked yet, and what each adds to one kind.
        order: N, students picked. `best`: N, those of the best session so far.
        keys: A, what a free adult's best session was worth at the last look.
        touched: B, blocks to draw anew.
        duties: A. `crew`: A. `relief`: G + 1.
    """

    students: Ints
    left: Ints
    points: Floats
    fixed: Floats
    order: Ints
    best: Ints
    keys: Floats
    touched: Bools
    duties: Floats
    crew: Ints
    relief: Floats


def empty_seats(arena: ProblemArrays) -> Seats:
    """Everybody online."""
    students, blocks = arena.present.shape
    adults, skills = arena.qualified.shape
    return Seats(
        kind=np.full((blocks, adults), NOT_LED, np.int16),
        skill=np.full((blocks, adults), NOT_LED, np.int16),
        size=np.zeros((blocks, adults), np.int16),
        seat=np.full((students, blocks), ONLINE, np.int16),
        roster=np.zeros((blocks, adults, arena.size_allowed.shape[2]), np.int16),
        slot=np.zeros((students, blocks), np.int16),
        done=np.zeros((students, skills), np.bool_),
        met=np.zeros((students, adults), np.int16),
        led=np.zeros(students, np.int16),
        together=np.zeros(len(arena.wished), np.int64),
        group=np.zeros(len(arena.group_share)),
        worth=np.zeros(blocks + 1),
        beside=np.full((blocks, adults), NOT_LED, np.int16),
        taught=np.zeros(students, np.int16),
    )


def new_desk(arena: ProblemArrays) -> Desk:
    """An empty desk for an arena."""
    students, blocks = arena.present.shape
    adults = len(arena.qualified)
    return Desk(
        students=np.empty(students, np.int64),
        left=np.empty(students, np.int64),
        points=np.empty(students),
        fixed=np.empty(students),
        order=np.empty(students, np.int64),
        best=np.empty(students, np.int64),
        keys=np.empty(adults),
        touched=np.zeros(blocks, np.bool_),
        duties=np.zeros(adults),
        crew=np.empty(adults, np.int64),
        relief=np.zeros(len(arena.group_share) + 1),
    )


def copy_seats(seats: Seats) -> Seats:
    """The same day in memory of its own."""
    return Seats(**{name: part.copy() for name, part in seats._asdict().items()})


@nb.njit(cache=True, error_model="numpy", inline="always")
def _draw(lots):
    """A number from 0 to 1 (xorshift64*, Vigna 2016): the same everywhere, whatever else draws lots."""
    state = lots[0]
    state ^= state >> np.uint64(12)
    state ^= state << np.uint64(25)
    state ^= state >> np.uint64(27)
    lots[0] = state
    return ((state * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@nb.njit(cache=True, error_model="numpy", inline="always")
def _pick(lots, count):
    return int(_draw(lots) * count)


@nb.njit(cache=True, error_model="numpy")
def _overwrite(into, seats):
    into.kind[:] = seats.kind
    into.skill[:] = seats.skill
    into.size[:] = seats.size
    into.seat[:] = seats.seat
    into.roster[:] = seats.roster
    into.slot[:] = seats.slot
    into.done[:] = seats.done
    into.met[:] = seats.met
    into.led[:] = seats.led
    into.together[:] = seats.together
    into.group[:] = seats.group
    into.worth[:] = seats.worth
    into.beside[:] = seats.beside
    into.taught[:] = seats.taught


@nb.njit(cache=True, error_model="numpy", inline="always")
def _allows(
    student, block, adult, kind, skill,
    need, certified, needs_certified, reserved, pin, pin_kind, pin_skill, pin_adult,
):  # fmt: skip
    """Whether the hard rules let a student who is there sit in a session, taken alone; arrays are the arena's."""
    return (
        not math.isnan(need[student, skill])
        and (certified[adult] or not needs_certified[student])
        and (reserved[student, skill] < 0 or reserved[student, skill] == block)
        and (
            pin[student, block] != PINNED_LED
            or (
                (pin_kind[student, block] == ANY or pin_kind[student, block] == kind)
                and (pin_skill[student, block] == ANY or pin_skill[student, block] == skill)
                and (pin_adult[student, block] == ANY or pin_adult[student, block] == adult)
            )
        )
    )


@nb.njit(cache=True, error_model="numpy", inline="always")
def _may_sit(arena, student, block, adult, kind, skill):
    """Whether the hard rules let a student sit in a session, taken alone."""
    return arena.seatable[student, block] and _allows(
        student, block, adult, kind, skill,
        arena.need, arena.certified, arena.needs_certified, arena.reserved,
        arena.pin, arena.pin_kind, arena.pin_skill, arena.pin_adult,
    )  # fmt: skip


@nb.njit(cache=True, error_model="numpy", inline="always")
def _seat_worth(
    student, block, adult, kind, skill, benefit, stay,
    need, thin, effect, qualified, before, before_kind, before_skill,
):  # fmt: skip
    """What a seat adds to the score, against online work, in the terms that add up seat by seat."""
    points = benefit * qualified[adult, skill] * effect[adult, kind, int(thin[student, skill])] * need[student, skill]
    earlier = before[student, block]
    if earlier == ONLINE:
        points -= stay
    elif earlier == adult and before_kind[student, block] == kind and before_skill[student, block] == skill:
        points += stay
    return points


@nb.njit(cache=True, error_model="numpy", inline="always")
def _seat_points(arena, student, block, adult, kind, skill):
    """See `_seat_worth`."""
    return _seat_worth(
        student, block, adult, kind, skill, arena.weights[BENEFIT], arena.weights[PERTURBATION],
        arena.need, arena.thin, arena.effect, arena.qualified, arena.before, arena.before_kind, arena.before_skill,
    )  # fmt: skip


@nb.njit(cache=True, error_model="numpy", inline="always")
def _first_points(arena, seats, student, adult, urgency, relief):
    """What a further led seat adds by being the first today, the first with the adult, or one for a subgroup."""
    points = relief[arena.group[student]]
    if seats.led[student] == 0:
        points += urgency * arena.coverage[student]
    if seats.met[student, adult] == 0:
        points += arena.weights[RELATIONSHIPS] * arena.relation[student, adult]
    if arena.any_owed and arena.teacher[adult] and seats.taught[student] == 0:
        points += urgency * arena.owed[student]
    return points


@nb.njit(cache=True, error_model="numpy", inline="always")
def _wish_points(arena, seats, student, block, adult):
    """What pairs to keep together add when a student joins a session."""
    points = 0.0
    for at in range(arena.wishes_start[student], arena.wishes_start[student + 1]):
        wish = arena.wishes[at]
        other = arena.wished[wish, 0] + arena.wished[wish, 1] - student
        if seats.together[wish] == 0 and seats.seat[other, block] == adult:
            points += arena.weights[KEEP_TOGETHER]
    return points


@nb.njit(cache=True, error_model="numpy")
def _put(arena, seats, student, block, adult):
    """Seats a student in a session that an adult leads."""
    for at in range(arena.wishes_start[student], arena.wishes_start[student + 1]):
        wish = arena.wishes[at]
        other = arena.wished[wish, 0] + arena.wished[wish, 1] - student
        if seats.seat[other, block] == adult:
            seats.together[wish] += 1
    seats.seat[student, block] = adult
    seats.roster[block, adult, seats.size[block, adult]] = student
    seats.slot[student, block] = seats.size[block, adult]
    seats.size[block, adult] += 1
    seats.done[student, seats.skill[block, adult]] = True
    seats.met[student, adult] += 1
    seats.led[student] += 1
    if arena.teacher[adult]:
        seats.taught[student] += 1
    if arena.group[student] >= 0:
        seats.group[arena.group[student]] += 1.0


@nb.njit(cache=True, error_model="numpy")
def _take(arena, seats, student, block):
    """Sends a student from a led session to online work."""
    adult = seats.seat[student, block]
    seats.seat[student, block] = ONLINE
    for at in range(arena.wishes_start[student], arena.wishes_start[student + 1]):
        wish = arena.wishes[at]
        other = arena.wished[wish, 0] + arena.wished[wish, 1] - student
        if seats.seat[other, block] == adult:
            seats.together[wish] -= 1
    seats.size[block, adult] -= 1
    last, slot = seats.roster[block, adult, seats.size[block, adult]], seats.slot[student, block]
    seats.roster[block, adult, slot], seats.slot[last, block] = last, slot
    seats.done[student, seats.skill[block, adult]] = False
    seats.met[student, adult] -= 1
    seats.led[student] -= 1
    if arena.teacher[adult]:
        seats.taught[student] -= 1
    if arena.group[student] >= 0:
        seats.group[arena.group[student]] -= 1.0


@nb.njit(cache=True, error_model="numpy")
def open_session(arena, seats, block, adult, kind, skill, students):
    """Holds a session with these students, who are all online in the block."""
    seats.kind[block, adult] = kind
    seats.skill[block, adult] = skill
    for student in students:
        _put(arena, seats, student, block, adult)


@nb.njit(cache=True, error_model="numpy")
def _close_session(arena, seats, block, adult):
    for student in range(len(seats.led)):
        if seats.seat[student, block] == adult:
            _take(arena, seats, student, block)
    seats.kind[block, adult] = NOT_LED
    seats.skill[block, adult] = NOT_LED
    if len(arena.coaching):
        for other in range(len(arena.qualified)):
            if seats.beside[block, other] == adult:
                seats.beside[block, other] = NOT_LED


@nb.njit(cache=True, error_model="numpy")
def _relieve(arena, seats, relief):
    """Points by which subgroups' shortfall falls with one more led seat for each in turn; last: for none of them."""
    groups = len(seats.group)
    relief[groups] = 0.0
    total = seats.group.sum()
    now = 0.0
    for group in range(groups):
        now += max(0.0, arena.group_share[group] * total - seats.group[group])
    for more in range(groups):
        after = 0.0
        for group in range(groups):
            here = seats.group[group] + (1.0 if group == more else 0.0)
            after += max(0.0, arena.group_share[group] * (total + 1.0) - here)
        relief[more] = arena.weights[SHARE] * (now - after)


@nb.njit(cache=True, error_model="numpy")
def _watch(rooms, count, online, ratio, free):
    """Monitors for the fewest of some rooms, ordered from the largest, that hold everybody online; -1: there are none.

    See `stations._stations`, which says so with rooms of names.
    """
    for used in range(min(count, free, online) + 1):
        full = 0
        parts = np.empty(used, np.int64)
        for at in range(used):
            held = min(rooms[at], online)
            full += held // ratio
            parts[at] = held % ratio
        if full * ratio >= online:
            needed = -(-online // ratio)
        else:
            left = online - full * ratio
            needed = full
            parts.sort()
            for at in range(used):
                if left > 0:
                    left -= parts[used - 1 - at]
                    needed += 1
            if left > 0:
                continue
        if needed <= free:
            return needed
    return -1


@nb.njit(cache=True, error_model="numpy")
def _count_monitors(arena, seats, block, online, free):
    """Monitors that a block needs with rooms for all its sessions, -1 where rooms or monitors do not suffice."""
    if not arena.rooms_planned:
        needed = -(-online // arena.ratio)
        return needed if needed <= free else -1
    count = arena.rooms_free[block]
    spare = arena.rooms[block, :count].copy()  # ascending
    sizes = np.sort(seats.size[block])
    for size in sizes[::-1]:
        if size == 0:
            break
        at = 0
        while at < count and spare[at] < size:
            at += 1
        if at == count:
            return -1
        spare[at : count - 1] = spare[at + 1 : count]
        count -= 1
    kept = arena.stations_free[block]
    needed = _watch(arena.stations[block], kept, online, arena.ratio, free)
    if needed >= 0:
        return needed
    rooms = np.sort(np.concatenate((arena.stations[block, :kept], spare[:count])))[::-1]
    return _watch(rooms, len(rooms), online, arena.ratio, free)


@nb.njit(cache=True, error_model="numpy")
def _choose_crew(arena, seats, block, duties, crew):
    """Fills in the monitors of a block, the least busy, trainees last; their number, -1 where a rule stands against it.

    See `Draft.finish`, which chooses the same ones.
    """
    online, free = 0, 0
    for student in range(len(seats.led)):
        if arena.present[student, block] and seats.seat[student, block] == ONLINE:
            online += 1
    trainees, teachers = False, False
    for adult in range(len(duties)):
        if seats.kind[block, adult] != NOT_LED or seats.beside[block, adult] != NOT_LED:
            trainees |= arena.trainee[adult]
            teachers |= arena.teacher[adult]
        elif arena.adult_in[adult, block] and arena.may_monitor[adult]:
            crew[free] = adult
            free += 1
    needed = _count_monitors(arena, seats, block, online, free)
    if needed < 0:
        return -1
    for at in range(1, free):  # insertion sort: a handful of adults, and equal ones stay in order
        adult = crew[at]
        to = at
        while to > 0 and _rank(arena, duties, adult) < _rank(arena, duties, crew[to - 1]):
            crew[to] = crew[to - 1]
            to -= 1
        crew[to] = adult
    for at in range(needed):
        trainees |= arena.trainee[crew[at]]
    if trainees and not teachers:
        first = 0
        while first < free and not arena.teacher[crew[first]]:
            first += 1
        if first == free or needed == 0:
            return -1
        teacher = crew[first]
        for at in range(first, 0, -1):
            crew[at] = crew[at - 1]
        crew[0] = teacher
    return needed


@nb.njit(cache=True, error_model="numpy", inline="always")
def _rank(arena, duties, adult):
    there = max(1, arena.adult_in[adult].sum())
    return (1.0 if arena.trainee[adult] else 0.0, (duties[adult] + arena.ahead[adult]) / there)


@nb.njit(cache=True, error_model="numpy")
def _stands(arena, seats, block, desk):
    """Whether rooms, monitors and teachers suffice for a block as it is."""
    desk.duties[:] = 0.0
    return _choose_crew(arena, seats, block, desk.duties, desk.crew) >= 0


@nb.njit(cache=True, error_model="numpy")
def score_seats(arena, seats, desk):
    """The score of a day, as `objective.score_plan` has it; minus infinity where it breaks a rule.

    Blocks that are not touched keep the figure in `seats.worth`.
    """
    seats.worth[-1] = _load_points(arena, seats, desk)
    return _score_alike(arena, seats, desk) if seats.worth[-1] != IMPOSSIBLE else IMPOSSIBLE


@nb.njit(cache=True, error_model="numpy")
def _score_alike(arena, seats, desk):
    """The score of a day whose sessions have as many students as when it was last scored whole."""
    students, blocks = arena.present.shape
    adults = len(desk.duties)
    met, led, relation, coverage, present = seats.met, seats.led, arena.relation, arena.coverage, arena.present
    meetings, value = 0.0, 0.0
    for block in range(blocks):
        if desk.touched[block]:
            seats.worth[block] = _score_block(arena, seats, block, desk.order)
        value += seats.worth[block]
    for student in range(students):
        if led[student] == 0:
            there = False
            for block in range(blocks):
                there |= present[student, block]
            if there:
                value -= coverage[student]
        else:
            for adult in range(adults):
                if met[student, adult]:
                    meetings += relation[student, adult]
    value += arena.weights[RELATIONSHIPS] * meetings
    for wish in range(len(seats.together)):
        if seats.together[wish]:
            value += arena.weights[KEEP_TOGETHER]
    if arena.any_owed:
        for student in range(students):
            if seats.taught[student] == 0:
                value -= arena.owed[student]
    for pair in range(len(arena.coaching)):
        value += arena.weights[COACHING] * min(arena.coaching[pair, 2], _count_shared(arena, seats, pair))
    total = seats.group.sum()
    for group in range(len(seats.group)):
        value -= arena.weights[SHARE] * max(0.0, arena.group_share[group] * total - seats.group[group])
    return value + seats.worth[-1]


@nb.njit(cache=True, error_model="numpy", inline="always")
def _share_session(seats, block, one, other):
    """Whether one of two adults sits beside the other, or both beside a third."""
    beside, facing = seats.beside[block, one], seats.beside[block, other]
    return beside == other or facing == one or (beside != NOT_LED and beside == facing)


@nb.njit(cache=True, error_model="numpy")
def _count_shared(arena, seats, pair):
    """Blocks in which a pair asked to coach and to learn shares a session."""
    count = 0
    for block in range(len(seats.kind)):
        count += _share_session(seats, block, arena.coaching[pair, 0], arena.coaching[pair, 1])
    return count


@nb.njit(cache=True, error_model="numpy")
def _score_block(arena, seats, block, inside):
    """Benefit, repeat mates and perturbation of a block; minus infinity where a pinned student has no led seat."""
    need, thin, effect, qualified = arena.need, arena.thin, arena.effect, arena.qualified
    seat, present, pin, between, has_pairs = seats.seat, arena.present, arena.pin, arena.between, arena.has_pairs
    before, before_kind, before_skill = arena.before, arena.before_kind, arena.before_skill
    adults = len(qualified)
    start = np.zeros(adults + 1, np.int64)
    for adult in range(adults):
        start[adult + 1] = start[adult] + seats.size[block, adult]
    count = np.zeros(adults, np.int64)
    benefit, changed, mates = 0.0, 0, 0.0
    for student in range(len(seat)):
        if not present[student, block]:
            continue
        adult, earlier = seat[student, block], before[student, block]
        if adult == ONLINE:
            if pin[student, block] == PINNED_LED:
                return IMPOSSIBLE
            changed += earlier not in (NO_SEAT, ONLINE)
            continue
        kind, skill = seats.kind[block, adult], seats.skill[block, adult]
        benefit += qualified[adult, skill] * effect[adult, kind, int(thin[student, skill])] * need[student, skill]
        if earlier != NO_SEAT:
            same = earlier == adult and before_kind[student, block] == kind and before_skill[student, block] == skill
            changed += not same
        if has_pairs:
            first = start[adult]
            for at in range(first, first + count[adult]):
                mates += between[student, inside[at]]
            inside[first + count[adult]] = student
            count[adult] += 1
    return arena.weights[BENEFIT] * benefit + mates - arena.weights[PERTURBATION] * changed


@nb.njit(cache=True, error_model="numpy")
def _load_points(arena, seats, desk):
    """What duties off an even load cost; minus infinity where a block does not stand or a session has no right size."""
    blocks, adults = seats.kind.shape
    desk.duties[:] = 0.0
    for block in range(blocks):
        for adult in range(adults):
            if seats.kind[block, adult] != NOT_LED:
                if not arena.size_allowed[adult, seats.kind[block, adult], seats.size[block, adult]]:
                    return IMPOSSIBLE
                desk.duties[adult] += 1.0
            elif seats.beside[block, adult] != NOT_LED:
                desk.duties[adult] += 1.0
    for block in range(blocks):
        monitors = _choose_crew(arena, seats, block, desk.duties, desk.crew)
        if monitors < 0:
            return IMPOSSIBLE
        for at in range(monitors):
            desk.duties[desk.crew[at]] += 1.0
    there = arena.adult_in.sum()
    rate = desk.duties.sum() / there if there else 0.0
    off = 0.0
    for adult in range(adults):
        off += abs(desk.duties[adult] + arena.ahead[adult] - rate * arena.adult_in[adult].sum())
    return -arena.weights[LOAD] * off


@nb.njit(cache=True, error_model="numpy")
def _best_session(arena, seats, block, adult, kind_wanted, skill_wanted, urgency, blur, lots, desk):
    """The best session that a free adult could lead: points, kind, skill, number; students in `desk.best`.

    Students are picked one by one, by what each adds beside those picked before. Arrays are named at the top because
    taking them out of a tuple within a loop costs more than the loop.
    """
    need, thin, effect, qualified = arena.need, arena.thin, arena.effect, arena.qualified
    eligible, eligible_start, size_allowed, most = arena.eligible, arena.eligible_start, arena.size_allowed, arena.most
    seatable, certified, needs_certified, reserved = (
        arena.seatable, arena.certified[adult], arena.needs_certified, arena.reserved,
    )  # fmt: skip
    pin, pin_kind, pin_skill, pin_adult = arena.pin, arena.pin_kind, arena.pin_skill, arena.pin_adult
    before, before_kind, before_skill = arena.before, arena.before_kind, arena.before_skill
    group, coverage, relation, between = arena.group, arena.coverage, arena.relation, arena.between
    wished, wishes, wishes_start, together = arena.wished, arena.wishes, arena.wishes_start, seats.together
    seat, done, led, met = seats.seat, seats.done, seats.led, seats.met
    students, left, points, fixed, order, chosen, relief = (
        desk.students, desk.left, desk.points, desk.fixed, desk.order, desk.best, desk.relief,
    )  # fmt: skip
    weights = arena.weights
    benefit, meeting, wish_worth, stay = (
        weights[BENEFIT], weights[RELATIONSHIPS], weights[KEEP_TOGETHER], weights[PERTURBATION],
    )  # fmt: skip
    has_pairs = arena.has_pairs
    owing, owed, taught = arena.any_owed and arena.teacher[adult], arena.owed, seats.taught
    _relieve(arena, seats, relief)
    best, best_kind, best_skill, best_size = 0.0, NOT_LED, NOT_LED, 0
    for skill in range(qualified.shape[1]):
        quality = benefit * qualified[adult, skill]
        if qualified[adult, skill] <= 0.0 or skill_wanted not in (ANY, skill):
            continue
        open_to = 0
        for at in range(eligible_start[skill], eligible_start[skill + 1]):
            student = eligible[at]
            if seat[student, block] != ONLINE or done[student, skill] or not seatable[student, block]:
                continue
            if needs_certified[student] and not certified:
                continue
            if reserved[student, skill] >= 0 and reserved[student, skill] != block:
                continue
            if pin[student, block] == PINNED_LED and not (
                pin_skill[student, block] in (ANY, skill) and pin_adult[student, block] in (ANY, adult)
            ):
                continue
            extra = relief[group[student]]
            if led[student] == 0:
                extra += urgency * coverage[student]
            if met[student, adult] == 0:
                extra += meeting * relation[student, adult]
            if owing and taught[student] == 0:
                extra += urgency * owed[student]
            if before[student, block] == ONLINE:
                extra -= stay
            students[open_to] = student
            fixed[open_to] = extra
            open_to += 1
        for kind in range(most.shape[1]):
            if most[adult, kind] == 0 or open_to < arena.least[adult, kind] or kind_wanted not in (ANY, kind):
                continue
            usual, unsure = quality * effect[adult, kind, 0], quality * effect[adult, kind, 1]
            reach, top, count = 0.0, 0, 0
            for at in range(open_to):
                student = students[at]
                worth = fixed[at] + need[student, skill] * (unsure if thin[student, skill] else usual)
                kept = before[student, block] == adult and before_kind[student, block] == kind
                if kept and before_skill[student, block] == skill:
                    worth += stay
                if pin[student, block] == PINNED_LED and pin_kind[student, block] not in (ANY, kind):
                    continue
                left[count], points[count] = student, worth
                if worth > points[top]:
                    top = count
                count += 1
                reach += max(worth, 0.0)
            if count < arena.least[adult, kind]:
                continue
            factor = 1.0 + blur * _draw(lots) if blur else 1.0
            reach = min(reach, most[adult, kind] * points[top]) + wish_worth * len(wished)
            if reach * factor <= best:
                continue
            total, high, size = 0.0, best / factor, 0
            for turn in range(min(most[adult, kind], count)):
                student, worth = left[top], points[top]
                if worth <= 0.0 and (worth == -np.inf or size_allowed[adult, kind, turn]):
                    break  # the others add nothing either
                total += worth
                order[turn] = student
                if size_allowed[adult, kind, turn + 1] and total > high:
                    high, size = total, turn + 1
                count -= 1
                left[top], points[top] = left[count], points[count]
                for near in range(wishes_start[student], wishes_start[student + 1]):
                    other = wished[wishes[near], 0] + wished[wishes[near], 1] - student
                    if together[wishes[near]] == 0:
                        for at in range(count):
                            if left[at] == other:
                                points[at] += wish_worth
                top = 0
                if has_pairs:
                    for at in range(count):
                        points[at] += between[student, left[at]]
                        if points[at] > points[top]:
                            top = at
                else:
                    for at in range(1, count):
                        if points[at] > points[top]:
                            top = at
            if size:
                best, best_kind, best_skill, best_size = high * factor, kind, skill, size
                chosen[:size] = order[:size]
    return best, best_kind, best_skill, best_size


@nb.njit(cache=True, error_model="numpy")
def _may_lead(arena, seats, block, adult):
    """Whether enough monitors could be left, however many students the adult takes."""
    online, free, taken = 0, 0, 0
    for kind in range(arena.most.shape[1]):
        taken = max(taken, arena.most[adult, kind])
    for student in range(len(seats.led)):
        online += arena.present[student, block] and seats.seat[student, block] == ONLINE
    for other in range(len(arena.may_monitor)):
        if arena.adult_in[other, block] and arena.may_monitor[other] and seats.kind[block, other] == NOT_LED:
            free += other != adult and seats.beside[block, other] == NOT_LED
    return online - taken <= free * arena.ratio


@nb.njit(cache=True, error_model="numpy")
def _fill(arena, seats, urgency, blur, lots, desk):
    """Lets free adults of each touched block lead, the best session first, while something adds anything.

    Lazily: a session's points mostly fall as others open, so that an old figure which still leads after a fresh look
    is the best one (Minoux 1978).
    """
    blocks, adults = seats.kind.shape
    keys = desk.keys
    for block in range(blocks):
        if not desk.touched[block]:
            continue
        for adult in range(adults):
            free = arena.adult_in[adult, block] and seats.kind[block, adult] == NOT_LED
            free = free and seats.beside[block, adult] == NOT_LED
            keys[adult] = np.inf if free else -np.inf
        while True:
            adult = keys.argmax()
            if keys[adult] <= LEAST_POINTS:
                break
            keys[adult] = -np.inf
            if not _may_lead(arena, seats, block, adult):
                continue
            points, kind, skill, size = _best_session(arena, seats, block, adult, ANY, ANY, urgency, blur, lots, desk)
            if points <= LEAST_POINTS:
                continue
            if points < keys.max():
                keys[adult] = points
                continue
            stood = _stands(arena, seats, block, desk)
            open_session(arena, seats, block, adult, kind, skill, desk.best[:size])
            if stood and not _stands(arena, seats, block, desk):
                _close_session(arena, seats, block, adult)


@nb.njit(cache=True, error_model="numpy")
def _top_up(arena, seats, block, adult, urgency, desk):
    """Adds students to a session while that adds points, or until its size is right; whether it is right then."""
    kind, skill = seats.kind[block, adult], seats.skill[block, adult]
    most, size_allowed, relief = arena.most[adult, kind], arena.size_allowed[adult, kind], desk.relief
    eligible, start, stop = arena.eligible, arena.eligible_start[skill], arena.eligible_start[skill + 1]
    seat, done, between, has_pairs = seats.seat, seats.done, arena.between, arena.has_pairs
    inside, count = desk.order, 0
    for student in range(len(seat)):
        if seat[student, block] == adult:
            inside[count] = student
            count += 1
    while True:
        right = size_allowed[count]
        if count >= most or (right and not size_allowed[count + 1]):
            return right
        _relieve(arena, seats, relief)
        best, chosen = LEAST_POINTS if right else -np.inf, -1
        for at in range(start, stop):
            student = eligible[at]
            if seat[student, block] != ONLINE or done[student, skill]:
                continue
            if not _may_sit(arena, student, block, adult, kind, skill):
                continue
            points = _seat_points(arena, student, block, adult, kind, skill)
            points += _first_points(arena, seats, student, adult, urgency, relief)
            points += _wish_points(arena, seats, student, block, adult)
            if points <= best:
                continue
            if has_pairs:
                for other in range(count):
                    points += between[student, inside[other]]
            if points > best:
                best, chosen = points, student
        if chosen < 0:
            return right
        stood = _stands(arena, seats, block, desk)
        _put(arena, seats, chosen, block, adult)
        inside[count] = chosen
        count += 1
        if stood and not _stands(arena, seats, block, desk):
            _take(arena, seats, chosen, block)
            return right


@nb.njit(cache=True, error_model="numpy")
def _mend(arena, seats, urgency, blur, lots, desk):
    """Draws anew what is missing in the touched blocks: sessions that lost students, free adults, free seats."""
    blocks, adults = seats.kind.shape
    for block in range(blocks):
        if desk.touched[block]:
            for adult in range(adults):
                kind, size = seats.kind[block, adult], seats.size[block, adult]
                if kind == NOT_LED or arena.size_allowed[adult, kind, size]:
                    continue
                if size == 0 or not _top_up(arena, seats, block, adult, urgency, desk):
                    _close_session(arena, seats, block, adult)
    _fill(arena, seats, urgency, blur, lots, desk)
    first = _pick(lots, adults)
    for block in range(blocks):
        if desk.touched[block]:
            for step in range(adults):
                adult = (first + step) % adults
                if seats.kind[block, adult] != NOT_LED:
                    _top_up(arena, seats, block, adult, urgency, desk)


@nb.njit(cache=True, error_model="numpy", nogil=True)
def draw_day(arena, seats, lots, desk):
    """Draws every block greedily beside the sessions there are; the score, minus infinity where one does not stand."""
    desk.touched[:] = True
    _fill(arena, seats, 1.0, 0.0, lots, desk)
    _mend(arena, seats, 1.0, 0.0, lots, desk)
    return score_seats(arena, seats, desk)


@nb.njit(cache=True, error_model="numpy")
def _random_session(seats, lots):
    """The place of a led session, drawn evenly; -1 without any."""
    count = 0
    for kind in seats.kind.flat:
        count += kind != NOT_LED
    if count == 0:
        return -1
    wanted = _pick(lots, count)
    for place, kind in enumerate(seats.kind.flat):
        if kind != NOT_LED:
            if wanted == 0:
                return place
            wanted -= 1
    return -1


@nb.njit(cache=True, error_model="numpy")
def _shut(arena, seats, block, adult, desk):
    if seats.kind[block, adult] != NOT_LED:
        _close_session(arena, seats, block, adult)
    desk.touched[block] = True


@nb.njit(cache=True, error_model="numpy")
def _force(arena, seats, block, adult, kind, skill, urgency, lots, desk):
    """Holds the best session of a kind on a skill, if the adult may and somebody gains."""
    if kind != NOT_LED and arena.adult_in[adult, block] and seats.beside[block, adult] == NOT_LED:
        _, _, _, size = _best_session(arena, seats, block, adult, kind, skill, urgency, 0.0, lots, desk)
        if size:
            open_session(arena, seats, block, adult, kind, skill, desk.best[:size])


@nb.njit(cache=True, error_model="numpy")
def _force_any(arena, seats, block, adult, urgency, lots, desk):
    """Holds the best session on a skill drawn from all that the adult may lead."""
    skills = arena.qualified.shape[1]
    skill = _pick(lots, skills)
    for _ in range(skills):
        if arena.qualified[adult, skill] > 0.0 and arena.eligible_start[skill] < arena.eligible_start[skill + 1]:
            break
        skill = (skill + 1) % skills
    kind = _pick(lots, 2 * arena.most.shape[1])
    if kind >= arena.most.shape[1]:
        kind = ANY
    if arena.qualified[adult, skill] > 0.0 and arena.adult_in[adult, block]:
        _, its_kind, its_skill, size = _best_session(arena, seats, block, adult, kind, skill, urgency, 0.0, lots, desk)
        if size:
            open_session(arena, seats, block, adult, its_kind, its_skill, desk.best[:size])


@nb.njit(cache=True, error_model="numpy")
def _fits(arena, seats, student, block, adult):
    """Whether a student who is not in the session of an adult may join it, but for its size."""
    kind, skill = seats.kind[block, adult], seats.skill[block, adult]
    here = seats.seat[student, block]
    if seats.done[student, skill] and (here == ONLINE or seats.skill[block, here] != skill):
        return False
    return _may_sit(arena, student, block, adult, kind, skill)


@nb.njit(cache=True, error_model="numpy")
def _stretch(arena, seats, block, urgency, desk):
    """Seats students of a block wherever they lose least, until those online can be watched over; whether they can."""
    while not _stands(arena, seats, block, desk):
        best, chosen, place = -np.inf, -1, -1
        _relieve(arena, seats, desk.relief)
        for student in range(len(seats.led)):
            if seats.seat[student, block] != ONLINE or not arena.seatable[student, block]:
                continue
            for adult in range(len(desk.duties)):
                kind, size = seats.kind[block, adult], seats.size[block, adult]
                if kind == NOT_LED or size >= arena.most[adult, kind]:
                    continue
                if not _fits(arena, seats, student, block, adult):
                    continue
                points = _seat_points(arena, student, block, adult, kind, seats.skill[block, adult])
                points += _first_points(arena, seats, student, adult, urgency, desk.relief)
                if arena.has_pairs:
                    for other in range(len(seats.led)):
                        if seats.seat[other, block] == adult:
                            points += arena.between[student, other]
                if points > best:
                    best, chosen, place = points, student, adult
        if chosen < 0:
            return False
        _put(arena, seats, chosen, block, place)
    return True


@nb.njit(cache=True, error_model="numpy")
def _pair_up(arena, seats, urgency, lots, desk):
    """Sets one of a pair that shares fewer sessions than asked beside the other, in a block where both are there.

    The lead keeps a session, or draws the best; the other gives up what is in the way, and so do third ones where the
    block would not stand.
    """
    pairs, blocks, pair = len(arena.coaching), len(seats.kind), -1
    first = _pick(lots, pairs)
    for step in range(pairs):
        at = (first + step) % pairs
        if pair < 0 and _count_shared(arena, seats, at) < arena.coaching[at, 2]:
            pair = at
    if pair < 0:
        return
    turn, first = _pick(lots, 2), _pick(lots, blocks)
    lead, other = arena.coaching[pair, turn], arena.coaching[pair, 1 - turn]
    for step in range(blocks):
        block = (first + step) % blocks
        if not (arena.adult_in[lead, block] and arena.adult_in[other, block]):
            continue
        if _share_session(seats, block, lead, other):
            continue
        _shut(arena, seats, block, other, desk)
        seats.beside[block, lead] = seats.beside[block, other] = NOT_LED
        if seats.kind[block, lead] == NOT_LED:
            _, kind, skill, size = _best_session(arena, seats, block, lead, ANY, ANY, urgency, 0.0, lots, desk)
            if size == 0:
                return
            open_session(arena, seats, block, lead, kind, skill, desk.best[:size])
        seats.beside[block, other] = lead
        adults = len(desk.duties)
        first = _pick(lots, adults)
        for more in range(adults):  # who led may have to watch over those whom the other taught
            adult = (first + more) % adults
            if _stands(arena, seats, block, desk):
                return
            if adult != lead and arena.may_monitor[adult]:
                _shut(arena, seats, block, adult, desk)
        return


@nb.njit(cache=True, error_model="numpy")
def _swap_blocks(arena, seats, one, other, desk):
    """All sessions of two blocks change places, with those of their students who may come along."""
    if one == other:
        return
    kinds, skills, students = seats.kind.copy(), seats.skill.copy(), seats.seat.copy()
    adults = seats.kind.shape[1]
    for block in (one, other):
        for adult in range(adults):
            _shut(arena, seats, block, adult, desk)
    for here, there in ((one, other), (other, one)):
        for adult in range(adults):
            if kinds[there, adult] != NOT_LED:
                came = np.flatnonzero(students[:, there] == adult)
                _reopen(arena, seats, here, adult, kinds[there, adult], skills[there, adult], came)


@nb.njit(cache=True, error_model="numpy")
def _reopen(arena, seats, block, adult, kind, skill, students):
    """Holds a session as it was in another block, with those of its students who may come along."""
    if not arena.adult_in[adult, block] or seats.beside[block, adult] != NOT_LED:
        return
    seats.kind[block, adult], seats.skill[block, adult] = kind, skill
    for student in students:
        free = seats.seat[student, block] == ONLINE and not seats.done[student, skill]
        if free and _may_sit(arena, student, block, adult, kind, skill):
            _put(arena, seats, student, block, adult)


@nb.njit(cache=True, error_model="numpy")
def _ruin(arena, seats, move, urgency, lots, desk):
    """Takes part of a day down, and says which blocks to draw anew."""
    blocks, adults = seats.kind.shape
    desk.touched[:] = False
    place = _random_session(seats, lots)
    if place < 0:
        desk.touched[:] = True
        return
    block, adult = place // adults, place % adults
    desk.touched[block] = True
    kind, skill = seats.kind[block, adult], seats.skill[block, adult]
    if move == 0:  # one to three sessions, anywhere
        for _ in range(1 + _pick(lots, 3)):
            _shut(arena, seats, block, adult, desk)
            again = _random_session(seats, lots)
            if again >= 0:
                block, adult = again // adults, again % adults
    elif move == 1:  # several of a block
        for other in range(adults):
            if other == adult or _draw(lots) < 0.5:
                _shut(arena, seats, block, other, desk)
    elif move == 2:  # the day of an adult
        for when in range(blocks):
            if when == block or _draw(lots) < 0.7:
                _shut(arena, seats, when, adult, desk)
    elif move == 3:  # a skill
        for when in range(blocks):
            for other in range(adults):
                if seats.skill[when, other] == skill and (other == adult or _draw(lots) < 0.7):
                    _shut(arena, seats, when, other, desk)
    elif move == 4:  # students of a few sessions
        share = 0.15 + 0.5 * _draw(lots)
        for _ in range(1 + _pick(lots, 4)):
            for student in range(len(seats.led)):
                if seats.seat[student, block] == adult and _draw(lots) < share:
                    _take(arena, seats, student, block)
            desk.touched[block] = True
            again = _random_session(seats, lots)
            block, adult = again // adults, again % adults
    elif move == 5:  # the whole day of some students
        share = (1.0 + 5.0 * _draw(lots)) / max(1, len(seats.led))
        for student in range(len(seats.led)):
            if _draw(lots) < share:
                for when in range(blocks):
                    if seats.seat[student, when] != ONLINE:
                        _take(arena, seats, student, when)
                        desk.touched[when] = True
    elif move == 6:  # an adult's sessions of two blocks change places
        other = _pick(lots, blocks)
        other_kind, other_skill = seats.kind[other, adult], seats.skill[other, adult]
        if other != block:
            _shut(arena, seats, block, adult, desk)
            _shut(arena, seats, other, adult, desk)
            _force(arena, seats, other, adult, kind, skill, urgency, lots, desk)
            _force(arena, seats, block, adult, other_kind, other_skill, urgency, lots, desk)
    elif move == 7:  # two adults change skills, or one takes over from another
        other = _pick(lots, adults)
        other_kind, other_skill = seats.kind[block, other], seats.skill[block, other]
        if other != adult:
            _shut(arena, seats, block, adult, desk)
            _shut(arena, seats, block, other, desk)
            _force(arena, seats, block, other, kind, skill, urgency, lots, desk)
            _force(arena, seats, block, adult, other_kind, other_skill, urgency, lots, desk)
    elif move == 8:  # the duty roster of a block: another one leads
        free = _pick(lots, adults)
        for step in range(adults):
            other = (free + step) % adults
            if arena.adult_in[other, block] and seats.kind[block, other] == seats.beside[block, other] == NOT_LED:
                _shut(arena, seats, block, adult, desk)
                _, its_kind, its_skill, size = _best_session(
                    arena, seats, block, other, ANY, ANY, urgency, 0.0, lots, desk
                )
                if size:
                    open_session(arena, seats, block, other, its_kind, its_skill, desk.best[:size])
                break
    elif move == 9:  # as many adults lead as can, with hardly anybody left to watch over
        for other in range(adults):
            if _draw(lots) < 0.5:
                _shut(arena, seats, block, other, desk)
        first = _pick(lots, adults)
        for step in range(adults):
            other = (first + step) % adults
            if arena.adult_in[other, block] and seats.kind[block, other] == seats.beside[block, other] == NOT_LED:
                _, its_kind, its_skill, size = _best_session(
                    arena, seats, block, other, ANY, ANY, urgency, 0.2, lots, desk
                )
                if size:
                    open_session(arena, seats, block, other, its_kind, its_skill, desk.best[:size])
        if not _stretch(arena, seats, block, urgency, desk):
            _shut(arena, seats, block, adult, desk)
    elif move == 14:  # a coach and a trainee share a session
        _pair_up(arena, seats, urgency, lots, desk)
    elif move == 15:  # whoever sits beside another is free again, here and there
        for when in range(blocks):
            for other in range(adults):
                if seats.beside[when, other] != NOT_LED and _draw(lots) < 0.3:
                    seats.beside[when, other] = NOT_LED
                    desk.touched[when] = True
    elif move == 11:  # another skill, drawn from all, in one session, and perhaps in one beside or before or after it
        when, other = (block, _pick(lots, adults)) if _draw(lots) < 0.5 else (_pick(lots, blocks), adult)
        _shut(arena, seats, block, adult, desk)
        if seats.kind[when, other] != NOT_LED and _draw(lots) < 0.5:
            _shut(arena, seats, when, other, desk)
            _force_any(arena, seats, when, other, urgency, lots, desk)
        _force_any(arena, seats, block, adult, urgency, lots, desk)
    elif move == 12:  # everything of a block, with other skills for all who lead
        for other in range(adults):
            if seats.kind[block, other] != NOT_LED:
                _shut(arena, seats, block, other, desk)
        first = _pick(lots, adults)
        for step in range(adults):
            other = (first + step) % adults
            free = arena.adult_in[other, block] and seats.kind[block, other] == seats.beside[block, other] == NOT_LED
            if free and _draw(lots) < 0.3:
                _force_any(arena, seats, block, other, urgency, lots, desk)
    elif move == 13:  # two blocks change places
        _swap_blocks(arena, seats, block, _pick(lots, blocks), desk)
    else:  # another kind of session on the same skill
        other_kind = _pick(lots, arena.most.shape[1])
        _shut(arena, seats, block, adult, desk)
        if other_kind != kind:
            _force(arena, seats, block, adult, other_kind, skill, urgency, lots, desk)


@nb.njit(cache=True, error_model="numpy")
def _exchange(arena, seats, block, one, other):
    """Lets two students of a block change places."""
    here, there = seats.seat[one, block], seats.seat[other, block]
    if here != ONLINE:
        _take(arena, seats, one, block)
    if there != ONLINE:
        _take(arena, seats, other, block)
        _put(arena, seats, one, block, there)
    if here != ONLINE:
        _put(arena, seats, other, block, here)


@nb.njit(cache=True, error_model="numpy")
def _wish_change(arena, seats, student, block, adult, partner):
    """What pairs to keep together add when a student changes to another session and a partner takes the place left."""
    points, here = 0.0, np.int64(seats.seat[student, block])
    for at in range(arena.wishes_start[student], arena.wishes_start[student + 1]):
        wish = arena.wishes[at]
        other = arena.wished[wish, 0] + arena.wished[wish, 1] - student
        if other == partner:
            continue
        times = seats.together[wish]
        after = times
        if here != ONLINE and seats.seat[other, block] == here:
            after -= 1
        if adult != ONLINE and seats.seat[other, block] == adult:
            after += 1
        points += arena.weights[KEEP_TOGETHER] * ((1.0 if after > 0 else 0.0) - (1.0 if times > 0 else 0.0))
    return points


@nb.njit(cache=True, error_model="numpy")
def _settle(arena, seats, desk):
    """Lets students of touched blocks change places in pairs while that adds points."""
    for block in range(len(desk.touched)):
        if not desk.touched[block]:
            continue
        for _ in range(SETTLINGS):
            better = False
            for adult in range(seats.kind.shape[1]):
                if seats.kind[block, adult] != NOT_LED:
                    better |= _settle_session(arena, seats, block, adult, desk)
            if not better:
                break


@nb.njit(cache=True, error_model="numpy")
def _settle_session(arena, seats, block, adult, desk):
    """Takes students into a session, each for the member beside whom that adds most; whether any.

    The newcomer's place, in another session or online, goes to that member, so that no session changes its size.
    """
    need, thin, effect, qualified = arena.need, arena.thin, arena.effect, arena.qualified
    certified, needs_certified, reserved = arena.certified, arena.needs_certified, arena.reserved
    pin, pin_kind, pin_skill, pin_adult = arena.pin, arena.pin_kind, arena.pin_skill, arena.pin_adult
    before, before_kind, before_skill = arena.before, arena.before_kind, arena.before_skill
    group, coverage, relation, between = arena.group, arena.coverage, arena.relation, arena.between
    seatable, wishes_start, group_share, has_pairs = (
        arena.seatable, arena.wishes_start, arena.group_share, arena.has_pairs,
    )  # fmt: skip
    seat, roster, done, led, met, held = seats.seat, seats.roster, seats.done, seats.led, seats.met, seats.group
    kinds, skills, sizes = seats.kind, seats.skill, seats.size
    owing, owed, taught, teacher = arena.any_owed, arena.owed, seats.taught, arena.teacher
    benefit, meeting, stay, sharing = (
        arena.weights[BENEFIT], arena.weights[RELATIONSHIPS], arena.weights[PERTURBATION], arena.weights[SHARE],
    )  # fmt: skip
    leave = desk.points
    kind, skill, size = np.int64(kinds[block, adult]), np.int64(skills[block, adult]), np.int64(sizes[block, adult])
    stale, changed = True, False
    for at in range(arena.eligible_start[skill], arena.eligible_start[skill + 1]):
        one = arena.eligible[at]
        here = np.int64(seat[one, block])
        if here == adult or not seatable[one, block]:
            continue
        if done[one, skill] and (here == ONLINE or skills[block, here] != skill):
            continue
        if not _allows(
            one, block, adult, kind, skill,
            need, certified, needs_certified, reserved, pin, pin_kind, pin_skill, pin_adult,
        ):  # fmt: skip
            continue
        if stale:  # what each member's seat is worth where it is, but for being the only one today
            for slot in range(size):
                other = np.int64(roster[block, adult, slot])
                worth = _seat_worth(
                    other, block, adult, kind, skill, benefit, stay,
                    need, thin, effect, qualified, before, before_kind, before_skill,
                )  # fmt: skip
                if met[other, adult] == 1:
                    worth += meeting * relation[other, adult]
                if owing and teacher[adult] and taught[other] == 1:
                    worth += owed[other]
                if has_pairs:
                    for near in range(size):
                        worth += between[other, roster[block, adult, near]]
                leave[slot] = worth
            stale = False
        gain = _seat_worth(
            one, block, adult, kind, skill, benefit, stay,
            need, thin, effect, qualified, before, before_kind, before_skill,
        )  # fmt: skip
        if met[one, adult] == 0:
            gain += meeting * relation[one, adult]
        if owing:
            has_now = here != ONLINE and teacher[here]
            if taught[one] == int(has_now):
                gain += owed[one] * (int(teacher[adult]) - int(has_now))
        apart, its_kind, its_skill = 0, np.int64(NOT_LED), np.int64(NOT_LED)
        if has_pairs:
            for near in range(size):
                beside = between[one, roster[block, adult, near]]
                if beside == -np.inf:
                    apart += 1
                else:
                    gain += beside
        if apart > 1:
            continue
        if here == ONLINE:
            if led[one] == 0:
                gain += coverage[one]
        else:
            its_kind, its_skill = np.int64(kinds[block, here]), np.int64(skills[block, here])
            gain -= _seat_worth(
                one, block, here, its_kind, its_skill, benefit, stay,
                need, thin, effect, qualified, before, before_kind, before_skill,
            )  # fmt: skip
            if met[one, here] == 1:
                gain -= meeting * relation[one, here]
            if has_pairs:
                for near in range(sizes[block, here]):
                    gain -= between[one, roster[block, here, near]]
        best, chosen = LEAST_POINTS, np.int64(-1)
        for slot in range(size):
            other = np.int64(roster[block, adult, slot])
            points = gain - leave[slot]
            if has_pairs:
                beside = between[one, other]
                if beside != -np.inf:
                    if apart:
                        continue
                    points -= beside
            if here == ONLINE:
                if pin[other, block] == PINNED_LED:
                    continue
                if led[other] == 1:
                    points -= coverage[other]
                if group[one] != group[other]:
                    total = held.sum()
                    after = total + (group[one] >= 0) - (group[other] >= 0)
                    for each in range(len(held)):
                        then = held[each] + (each == group[one]) - (each == group[other])
                        points += sharing * max(0.0, group_share[each] * total - held[each])
                        points -= sharing * max(0.0, group_share[each] * after - then)
            else:
                if (done[other, its_skill] and its_skill != skill) or not _allows(
                    other, block, here, its_kind, its_skill,
                    need, certified, needs_certified, reserved, pin, pin_kind, pin_skill, pin_adult,
                ):  # fmt: skip
                    continue
                points += _seat_worth(
                    other, block, here, its_kind, its_skill, benefit, stay,
                    need, thin, effect, qualified, before, before_kind, before_skill,
                )  # fmt: skip
                if met[other, here] == 0:
                    points += meeting * relation[other, here]
                if owing and teacher[here] and taught[other] == int(teacher[adult]):
                    points += owed[other]
                if has_pairs:
                    for near in range(sizes[block, here]):
                        if roster[block, here, near] != one:
                            points += between[other, roster[block, here, near]]
            if wishes_start[one] != wishes_start[one + 1] or wishes_start[other] != wishes_start[other + 1]:
                points += _wish_change(arena, seats, one, block, adult, other)
                points += _wish_change(arena, seats, other, block, here, one)
            if points > best:
                best, chosen = points, other
        if chosen >= 0:
            _exchange(arena, seats, block, one, chosen)
            stale = changed = True
    return changed


@nb.njit(cache=True, error_model="numpy", nogil=True)
def improve_day(arena, now, best, trial, values, lots, desk, rounds, heat):
    """Takes down and draws anew for a number of rounds; `values` holds the scores of `now` and `best`.

    Args:
        arena: The problem.
        now: Where the search stands.
        best: The best day so far.
        trial: Room for another day.
        values: Scores of `now` and `best`.
        lots: The state of chance.
        desk: Room to work in.
        rounds: How many.
        heat: Loss of points that a round lets pass about every third time.
    """
    for _ in range(rounds):
        _overwrite(trial, now)
        urgency = 1.0 + 3.0 * _draw(lots) if _draw(lots) < 0.3 else 1.0
        blur = 0.2 * _draw(lots) if _draw(lots) < 0.5 else 0.0
        move = _pick(lots, MOVES + PAIRING if len(arena.coaching) else MOVES)
        _ruin(arena, trial, move, urgency, lots, desk)
        _mend(arena, trial, urgency, blur, lots, desk)
        _settle(arena, trial, desk)
        value = score_seats(arena, trial, desk)
        if value > values[0] or value - values[0] > heat * math.log(max(_draw(lots), 1e-300)):
            values[0] = value
            _overwrite(now, trial)
        if values[0] > values[1]:
            values[1] = values[0]
            _overwrite(best, now)
