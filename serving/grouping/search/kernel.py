"""The compiled search: large-neighborhood search over adult-led sessions and their students.

A round destroys part of a day by one move, recreates it by greedy insertion, and swaps students (Shaw 1998; Ropke and
Pisinger 2006); simulated annealing decides whether the search goes on from there. Every hard rule is kept from step to
step, and a finished candidate is scored whole. Counted in rounds, the search finds the same plan on every machine.

One file on purpose: numba does not notice changes in functions of another file, so a split kernel could keep old
machine code.
"""

import math
from typing import NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from serving.grouping.state.arrays import ANY, NO_SEAT, ONLINE, PINNED_LED, Bools, Floats, Ints, ProblemArrays

LEAST_POINTS = 1e-9
"""A session that adds less is not worth an adult's time."""

BENEFIT, RELATIONSHIPS, KEEP_TOGETHER, PERTURBATION, LOAD, SHARE, COACHING, OBSERVATIONS = range(8)
"""Positions in `ProblemArrays.weights`."""

(
    RANDOM_REMOVAL,
    BLOCK_REMOVAL,
    ADULT_REMOVAL,
    SKILL_REMOVAL,
    SEAT_REMOVAL,
    STUDENT_REMOVAL,
    SWAP_BLOCKS_OF_ADULT,
    SWAP_ADULTS,
    REPLACE_ADULT,
    SATURATE_BLOCK,
    CHANGE_KIND,
    CHANGE_SKILL,
    CHANGE_SKILLS_OF_BLOCK,
    SWAP_BLOCKS,
    COACHING_INSERTION,
    COACHING_REMOVAL,
) = range(16)
"""Neighborhood moves, each a function of this name; a new one is named here and called in `_destroy`."""

MOVES, COACHING_MOVES = COACHING_INSERTION, COACHING_REMOVAL + 1
"""How many moves to draw from: without and with pairs of adults who are asked to coach and to learn."""

SWAP_PASSES = 3
"""Most passes over the sessions of a block in search of students to swap."""

NOT_LED = -1
IMPOSSIBLE = -np.inf

ANY_KIND = ANY_SKILL = np.int64(ANY)
NOBODY = np.int64(-1)
"""NumPy integers, since numba compiles a function once more for each plain constant that it is called with."""

_entry = nb.njit(  # type: ignore[call-overload]  # numba knows these options, its types do not
    cache=True, error_model="numpy", nogil=True, _nrt=False
)
"""Compiles a function that Python calls; machine code is kept for these only, with all that they call.

Without `_nrt`, numba counts no references to arrays, which saves a quarter of the time to compile, and refuses to
compile a function that allocates: buffers come from `Workspace`.
"""

_kernel = nb.njit(  # type: ignore[call-overload]  # numba knows these options, its types do not
    error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True, _nrt=False
)
"""Compiles a function that only compiled code may call: Python would jump to an address that is not there."""

_inlined = nb.njit(error_model="numpy", inline="always")
"""Compiles a function as part of each caller, which is cheaper than linking where it has one caller or few lines."""


class Seats(NamedTuple):
    """A solution: who leads what, who sits where, and counts that are kept up to date.

    Attributes:
        kind, skill: B x A, what each adult leads, and on which skill, -1 nothing. `size`: B x A, students there.
        seat: N x B, the adult who leads the student, -1 online or away.
        roster: B x A x most, students of each session, in any order. `slot`: N x B, a led student's place in it.
        done: N x K, whether the skill is on the student's day. `met`: N x A, led seats. `led`: N, led seats.
        together: P, sessions that the pair shares. `group`: G, led seats.
        worth: B + 1, points of each block when it was last scored, and after them the points of the load.
        co_teacher: B x A, the adult whose session each adult joins as a second one, -1 none.
        grouped: N, seats in small groups and tutoring.
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
    co_teacher: Ints
    grouped: Ints


class Workspace(NamedTuple):
    """Scratch buffers, so that no step allocates any; what is in them means nothing to the next step.

    Attributes:
        students, fixed: N, those who may join a session, and what each adds to any kind of it.
        left, points, gains: N, those not picked yet, what each adds to one kind, and the need met of it in full.
        order: N, students picked. `best`: N, those of the best session so far.
        keys: A, what a free adult's best session was worth at the last look, or what one more student takes from those
            of a session.
        touched: B, blocks to recreate.
        duties: A, blocks on duty. `monitors`: A, adults who may monitor, those who do first.
        share_gains: G + 1, see `_share_gains`.
        sizes, starts: A, students of each session of a block, and where those of each adult begin in `order`.
        rooms, remainders: as many as rooms of a block, their capacities, and students left over in each.
        kind, skill: B x A, sessions of blocks that change places. `seat`: N x B, their students.
    """

    students: Ints
    left: Ints
    points: Floats
    gains: Floats
    fixed: Floats
    order: Ints
    best: Ints
    keys: Floats
    touched: Bools
    duties: Floats
    monitors: Ints
    share_gains: Floats
    sizes: Ints
    starts: Ints
    rooms: Ints
    remainders: Ints
    kind: Ints
    skill: Ints
    seat: Ints


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
        co_teacher=np.full((blocks, adults), NOT_LED, np.int16),
        grouped=np.zeros(students, np.int16),
    )


def new_workspace(arena: ProblemArrays) -> Workspace:
    """Scratch buffers of the sizes that a problem needs."""
    students, blocks = arena.present.shape
    adults, rooms = len(arena.qualified), arena.stations.shape[1] + arena.rooms.shape[1]
    return Workspace(
        students=np.empty(students, np.int64),
        left=np.empty(students, np.int64),
        points=np.empty(students),
        gains=np.empty(students),
        fixed=np.empty(students),
        order=np.empty(students, np.int64),
        best=np.empty(students, np.int64),
        keys=np.empty(adults),
        touched=np.zeros(blocks, np.bool_),
        duties=np.zeros(adults),
        monitors=np.empty(adults, np.int64),
        share_gains=np.zeros(len(arena.group_share) + 1),
        sizes=np.empty(adults, np.int64),
        starts=np.empty(adults, np.int64),
        rooms=np.empty(rooms, np.int64),
        remainders=np.empty(rooms, np.int64),
        kind=np.empty((blocks, adults), np.int16),
        skill=np.empty((blocks, adults), np.int16),
        seat=np.empty((students, blocks), np.int16),
    )


def copy_seats(seats: Seats) -> Seats:
    """The same day in memory of its own."""
    return Seats(**{name: part.copy() for name, part in seats._asdict().items()})


@_kernel
def _draw(rng):
    """A random number from 0 to 1 (xorshift64*, Vigna 2016), the same on every machine."""
    state = rng[0]
    state ^= state >> np.uint64(12)
    state ^= state << np.uint64(25)
    state ^= state >> np.uint64(27)
    rng[0] = state
    return ((state * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@_inlined
def _pick(rng, count):
    """A random whole number below `count`."""
    return int(_draw(rng) * count)


@_kernel
def _copy_into(into, seats):
    """Copies a day, element by element: what numba makes of whole arrays takes seconds longer to compile."""
    students, blocks = seats.seat.shape
    adults, skills = seats.met.shape[1], seats.done.shape[1]
    for block in range(blocks):
        for adult in range(adults):
            into.kind[block, adult] = seats.kind[block, adult]
            into.skill[block, adult] = seats.skill[block, adult]
            into.size[block, adult] = seats.size[block, adult]
            into.co_teacher[block, adult] = seats.co_teacher[block, adult]
            for slot in range(seats.size[block, adult]):
                into.roster[block, adult, slot] = seats.roster[block, adult, slot]
    for student in range(students):
        into.led[student] = seats.led[student]
        into.grouped[student] = seats.grouped[student]
        for block in range(blocks):
            into.seat[student, block] = seats.seat[student, block]
            into.slot[student, block] = seats.slot[student, block]
        for skill in range(skills):
            into.done[student, skill] = seats.done[student, skill]
        for adult in range(adults):
            into.met[student, adult] = seats.met[student, adult]
    for pair in range(len(seats.together)):
        into.together[pair] = seats.together[pair]
    for group in range(len(seats.group)):
        into.group[group] = seats.group[group]
    for block in range(blocks + 1):
        into.worth[block] = seats.worth[block]


@_inlined
def _allows(
    student, block, adult, kind, skill,
    need, may_teach, reserved, pin, pin_kind, pin_skill, pin_adult,
):  # fmt: skip
    """Whether the hard rules let a student who is there sit in a session that may be held; arrays are the arena's."""
    return (
        not math.isnan(need[student, skill])
        and may_teach[student, adult]
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


@_inlined
def _may_sit(arena, student, block, adult, kind, skill):
    """Whether the hard rules let a student sit in a session that may be held, taken alone."""
    return arena.seatable[student, block] and _allows(
        student, block, adult, kind, skill,
        arena.need, arena.may_teach, arena.reserved, arena.pin, arena.pin_kind, arena.pin_skill, arena.pin_adult,
    )  # fmt: skip


@_inlined
def _seat_worth(
    student, block, adult, kind, skill, benefit, stay,
    need, urgent, low_evidence, effect, qualified, before, before_kind, before_skill,
):  # fmt: skip
    """What a seat adds to the score, against online work, in the terms that add up seat by seat.

    `benefit` is the weight of need met times the crowding of the session.
    """
    points = urgent[student, skill] + (
        benefit
        * qualified[adult, skill]
        * effect[adult, kind, int(low_evidence[student, skill])]
        * need[student, skill]
    )
    earlier = before[student, block]
    if earlier == ONLINE:
        points -= stay
    elif earlier == adult and before_kind[student, block] == kind and before_skill[student, block] == skill:
        points += stay
    return points


@_inlined
def _seat_points(arena, student, block, adult, kind, skill, size):
    """What a seat in a session of a size adds to the score, as `_seat_worth` says with arrays."""
    return _seat_worth(
        student, block, adult, kind, skill,
        arena.weights[BENEFIT] * arena.crowding[size], arena.weights[PERTURBATION],
        arena.need, arena.urgent, arena.low_evidence, arena.effect, arena.qualified,
        arena.before, arena.before_kind, arena.before_skill,
    )  # fmt: skip


@_inlined
def _gain(arena, student, adult, kind, skill):
    """What a student's need met adds in a session where each gets the full effect."""
    effect = arena.effect[adult, kind, int(arena.low_evidence[student, skill])]
    return arena.weights[BENEFIT] * arena.qualified[adult, skill] * effect * arena.need[student, skill]


@_inlined
def _first_points(arena, seats, student, adult, kind, coverage_weight, share_gains):
    """What a further led seat adds by being the first today, with the adult or in a group, or one for a subgroup."""
    points = share_gains[arena.group[student]]
    if seats.led[student] == 0:
        points += coverage_weight * arena.coverage[student]
    if seats.met[student, adult] == 0:
        points += arena.weights[RELATIONSHIPS] * arena.relation[student, adult]
    if arena.any_group_time_due and arena.is_group[kind] and seats.grouped[student] == 0:
        points += coverage_weight * arena.group_time_due[student]
    return points


@_inlined
def _wish_points(arena, seats, student, block, adult):
    """What pairs to keep together add when a student joins a session."""
    points = 0.0
    for at in range(arena.wishes_start[student], arena.wishes_start[student + 1]):
        wish = arena.wishes[at]
        other = arena.wished[wish, 0] + arena.wished[wish, 1] - student
        if seats.together[wish] == 0 and seats.seat[other, block] == adult:
            points += arena.weights[KEEP_TOGETHER]
    return points


@_kernel
def _seat(arena, seats, student, block, adult):
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
    if arena.is_group[seats.kind[block, adult]]:
        seats.grouped[student] += 1
    if arena.group[student] >= 0:
        seats.group[arena.group[student]] += 1.0


@_kernel
def _unseat(arena, seats, student, block):
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
    if arena.is_group[seats.kind[block, adult]]:
        seats.grouped[student] -= 1
    if arena.group[student] >= 0:
        seats.group[arena.group[student]] -= 1.0


@_entry
def open_session(arena, seats, block, adult, kind, skill, students):
    """Holds a session with these students, who are all online in the block."""
    seats.kind[block, adult] = kind
    seats.skill[block, adult] = skill
    for student in students:
        _seat(arena, seats, student, block, adult)


@_kernel
def _close_session(arena, seats, block, adult):
    for student in range(len(seats.led)):
        if seats.seat[student, block] == adult:
            _unseat(arena, seats, student, block)
    seats.kind[block, adult] = NOT_LED
    seats.skill[block, adult] = NOT_LED
    if len(arena.coaching):
        for other in range(len(arena.qualified)):
            if seats.co_teacher[block, other] == adult:
                seats.co_teacher[block, other] = NOT_LED


@_kernel
def _share_gains(arena, seats, share_gains):
    """Points by which subgroups' shortfall falls with one more led seat for each in turn, and at the end for none."""
    groups = len(seats.group)
    share_gains[groups] = 0.0
    total = 0.0
    for group in range(groups):
        total += seats.group[group]
    now = 0.0
    for group in range(groups):
        now += max(0.0, arena.group_share[group] * total - seats.group[group])
    for more in range(groups):
        after = 0.0
        for group in range(groups):
            here = seats.group[group] + (1.0 if group == more else 0.0)
            after += max(0.0, arena.group_share[group] * (total + 1.0) - here)
        share_gains[more] = arena.weights[SHARE] * (now - after)


@_kernel
def _sort_descending(values, count):
    """Sorts the first few of some whole numbers in place, the largest first."""
    for at in range(1, count):
        value, to = values[at], at
        while to > 0 and values[to - 1] < value:
            values[to] = values[to - 1]
            to -= 1
        values[to] = value


@_kernel
def _fewest_monitors(rooms, count, online, ratio, free, parts):
    """Monitors for the fewest of some rooms, ordered from the largest, that hold everybody online; -1: there are none.

    See `state/rooms.py`, which chooses them for rooms by name.
    """
    for used in range(min(count, free, online) + 1):
        full = 0
        for at in range(used):
            held = min(rooms[at], online)
            full += held // ratio
            parts[at] = held % ratio
        if full * ratio >= online:
            needed = -(-online // ratio)
        else:
            left = online - full * ratio
            needed = full
            _sort_descending(parts, used)
            for at in range(used):
                if left > 0:
                    left -= parts[at]
                    needed += 1
            if left > 0:
                continue
        if needed <= free:
            return needed
    return -1


@_inlined
def _count_monitors(arena, seats, block, online, free, workspace):
    """Monitors that a block needs with rooms for all its sessions, -1 where rooms or monitors do not suffice."""
    if not arena.rooms_planned:
        needed = -(-online // arena.ratio)
        return needed if needed <= free else -1
    adults, kept, count = seats.size.shape[1], arena.stations_free[block], arena.rooms_free[block]
    sizes, rooms = workspace.sizes, workspace.rooms
    for adult in range(adults):
        sizes[adult] = seats.size[block, adult]
    _sort_descending(sizes, adults)
    spare = rooms[kept:]
    for at in range(count):
        spare[at] = arena.rooms[block, at]  # ascending
    for size in sizes:
        if size == 0:
            break
        at = 0
        while at < count and spare[at] < size:
            at += 1
        if at == count:
            return -1
        count -= 1
        for to in range(at, count):
            spare[to] = spare[to + 1]
    for at in range(kept):
        rooms[at] = arena.stations[block, at]  # descending
    needed = _fewest_monitors(rooms, kept, online, arena.ratio, free, workspace.remainders)
    if needed >= 0:
        return needed
    _sort_descending(rooms, kept + count)
    return _fewest_monitors(rooms, kept + count, online, arena.ratio, free, workspace.remainders)


@_kernel
def _choose_monitors(arena, seats, block, workspace):
    """Fills in the monitors of a block, the least busy, trainees last; their number, -1 where a rule is violated.

    See `Draft.finish`, which chooses the same ones.
    """
    duties, monitors = workspace.duties, workspace.monitors
    online, free = np.int64(0), np.int64(0)
    for student in range(len(seats.led)):
        if arena.present[student, block] and seats.seat[student, block] == ONLINE:
            online += 1
    trainees, teachers = False, False
    for adult in range(len(duties)):
        if seats.kind[block, adult] != NOT_LED or seats.co_teacher[block, adult] != NOT_LED:
            trainees |= arena.trainee[adult]
            teachers |= arena.teacher[adult]
        elif arena.adult_in[adult, block] and arena.may_monitor[adult]:
            monitors[free] = adult
            free += 1
    needed = _count_monitors(arena, seats, block, online, free, workspace)
    if needed < 0:
        return -1
    for at in range(1, free):  # insertion sort: adults are few, and equal ones stay in order
        adult, to = monitors[at], at
        while to > 0 and _is_preferred(arena, duties, adult, monitors[to - 1]):
            monitors[to] = monitors[to - 1]
            to -= 1
        monitors[to] = adult
    for at in range(needed):
        trainees |= arena.trainee[monitors[at]]
    if trainees and not teachers:
        first = 0
        while first < free and not arena.teacher[monitors[first]]:
            first += 1
        if first == free or needed == 0:
            return -1
        teacher = monitors[first]
        for at in range(first, 0, -1):
            monitors[at] = monitors[at - 1]
        monitors[0] = teacher
    return needed


@_inlined
def _is_preferred(arena, duties, one, other):
    """Whether an adult should monitor before another: trainees last, then by duties per block there."""
    busy = (duties[one] + arena.ahead[one]) / max(1, arena.adult_blocks[one])
    other_busy = (duties[other] + arena.ahead[other]) / max(1, arena.adult_blocks[other])
    return busy < other_busy if arena.trainee[one] == arena.trainee[other] else arena.trainee[other]


@_inlined
def _is_feasible(arena, seats, block, workspace):
    """Whether rooms, monitors and teachers suffice for a block as it is."""
    workspace.duties[:] = 0.0
    return _choose_monitors(arena, seats, block, workspace) >= 0


@_entry
def score_seats(arena, seats, workspace):
    """The score of a day, as `objective.score_plan` has it; minus infinity where it breaks a rule.

    Blocks that are not touched keep the figure in `seats.worth`.
    """
    seats.worth[-1] = _load_points(arena, seats, workspace)
    if seats.worth[-1] == IMPOSSIBLE:
        return IMPOSSIBLE
    students, blocks = arena.present.shape
    adults = len(workspace.duties)
    met, led, relation, coverage, present = seats.met, seats.led, arena.relation, arena.coverage, arena.present
    meetings, value = 0.0, 0.0
    for block in range(blocks):
        if workspace.touched[block]:
            seats.worth[block] = _score_block(arena, seats, block, workspace)
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
    if arena.any_group_time_due:
        for student in range(students):
            if seats.grouped[student] == 0:
                value -= arena.group_time_due[student]
    for pair in range(len(arena.coaching)):
        weight = arena.weights[OBSERVATIONS if arena.coaching[pair, 3] else COACHING]
        value += weight * min(arena.coaching[pair, 2], _count_shared(arena, seats, pair))
    total = 0.0
    for group in range(len(seats.group)):
        total += seats.group[group]
    for group in range(len(seats.group)):
        value -= arena.weights[SHARE] * max(0.0, arena.group_share[group] * total - seats.group[group])
    return value + seats.worth[-1]


@_inlined
def _share_session(seats, block, one, other):
    """Whether one of two adults joins the other's session, or both a third one's."""
    leader, other_leader = seats.co_teacher[block, one], seats.co_teacher[block, other]
    return leader == other or other_leader == one or (leader != NOT_LED and leader == other_leader)


@_inlined
def _count_shared(arena, seats, pair):
    """Blocks in which a pair asked to coach and to learn shares a session, or the second observes the first."""
    count, lead, other = 0, arena.coaching[pair, 0], arena.coaching[pair, 1]
    for block in range(len(seats.kind)):
        if arena.coaching[pair, 3]:
            count += seats.co_teacher[block, other] == lead
        else:
            count += _share_session(seats, block, lead, other)
    return count


@_inlined
def _score_block(arena, seats, block, workspace):
    """Points of a block but for load; minus infinity where a student with a fixed led seat has none."""
    need, low_evidence, effect, qualified = arena.need, arena.low_evidence, arena.effect, arena.qualified
    urgent, crowding, sizes = arena.urgent, arena.crowding, seats.size
    seat, present, pin, between, has_pairs = seats.seat, arena.present, arena.pin, arena.between, arena.has_pairs
    before, before_kind, before_skill = arena.before, arena.before_kind, arena.before_skill
    start, count, inside, begin = workspace.starts, workspace.sizes, workspace.order, 0
    for adult in range(len(qualified)):
        start[adult], count[adult] = begin, 0
        begin += seats.size[block, adult]
    benefit, on_urgent, changed, recent_groupmates = 0.0, 0.0, 0, 0.0
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
        share = crowding[sizes[block, adult]] * effect[adult, kind, int(low_evidence[student, skill])]
        benefit += share * qualified[adult, skill] * need[student, skill]
        on_urgent += urgent[student, skill]
        if earlier != NO_SEAT:
            same = earlier == adult and before_kind[student, block] == kind and before_skill[student, block] == skill
            changed += not same
        if has_pairs:
            first = start[adult]
            for at in range(first, first + count[adult]):
                recent_groupmates += between[student, inside[at]]
            inside[first + count[adult]] = student
            count[adult] += 1
    return arena.weights[BENEFIT] * benefit + on_urgent + recent_groupmates - arena.weights[PERTURBATION] * changed


@_inlined
def _load_points(arena, seats, workspace):
    """What an uneven load costs; minus infinity where a block is not feasible or the size of a session not allowed."""
    blocks, adults = seats.kind.shape
    workspace.duties[:] = 0.0
    for block in range(blocks):
        for adult in range(adults):
            if seats.kind[block, adult] != NOT_LED:
                if not arena.size_allowed[adult, seats.kind[block, adult], seats.size[block, adult]]:
                    return IMPOSSIBLE
                workspace.duties[adult] += 1.0
            elif seats.co_teacher[block, adult] != NOT_LED:
                workspace.duties[adult] += 1.0
    for block in range(blocks):
        monitors = _choose_monitors(arena, seats, block, workspace)
        if monitors < 0:
            return IMPOSSIBLE
        for at in range(monitors):
            workspace.duties[workspace.monitors[at]] += 1.0
    there, total, off = 0, 0.0, 0.0
    for adult in range(adults):
        there += arena.adult_blocks[adult]
        total += workspace.duties[adult]
    rate = total / there if there else 0.0
    for adult in range(adults):
        off += abs(workspace.duties[adult] + arena.ahead[adult] - rate * arena.adult_blocks[adult])
    return -arena.weights[LOAD] * off


@_kernel
def _best_session(arena, seats, block, adult, kind_wanted, skill_wanted, coverage_weight, noise, rng, workspace):
    """The best session that a free adult could lead: points, kind, skill, number; students in `workspace.best`.

    Students are picked one by one, by what each adds to those picked before at the crowding of the smallest session
    allowed; the size is the best by exact totals. Arrays are named at the top because taking them out of a tuple within
    a loop costs more than the loop.
    """
    need, low_evidence, effect, qualified = arena.need, arena.low_evidence, arena.effect, arena.qualified
    eligible, eligible_start, size_allowed, most = arena.eligible, arena.eligible_start, arena.size_allowed, arena.most
    seatable, may_teach, held, reserved = arena.seatable, arena.may_teach, arena.held, arena.reserved
    urgent, crowding, most_effects = arena.urgent, arena.crowding, arena.most_effects
    pin, pin_kind, pin_skill, pin_adult = arena.pin, arena.pin_kind, arena.pin_skill, arena.pin_adult
    before, before_kind, before_skill = arena.before, arena.before_kind, arena.before_skill
    group, coverage, relation, between = arena.group, arena.coverage, arena.relation, arena.between
    wished, wishes, wishes_start, together = arena.wished, arena.wishes, arena.wishes_start, seats.together
    seat, done, led, met = seats.seat, seats.done, seats.led, seats.met
    students, left, points, gains, fixed, order, chosen, share_gains = (
        workspace.students, workspace.left, workspace.points, workspace.gains, workspace.fixed, workspace.order,
        workspace.best, workspace.share_gains,
    )  # fmt: skip
    weights = arena.weights
    benefit, meeting, wish_worth, stay = (
        weights[BENEFIT], weights[RELATIONSHIPS], weights[KEEP_TOGETHER], weights[PERTURBATION],
    )  # fmt: skip
    has_pairs = arena.has_pairs
    is_group_due, group_time_due, grouped, is_group = (
        arena.any_group_time_due, arena.group_time_due, seats.grouped, arena.is_group,
    )  # fmt: skip
    _share_gains(arena, seats, share_gains)
    best, best_kind, best_skill, best_size = 0.0, NOT_LED, NOT_LED, 0
    for skill in range(qualified.shape[1]):
        quality = benefit * qualified[adult, skill]
        if qualified[adult, skill] <= 0.0 or not held[block, skill] or skill_wanted not in (ANY, skill):
            continue
        open_to = 0
        for at in range(eligible_start[skill], eligible_start[skill + 1]):
            student = eligible[at]
            if seat[student, block] != ONLINE or done[student, skill] or not seatable[student, block]:
                continue
            if not may_teach[student, adult]:
                continue
            if reserved[student, skill] >= 0 and reserved[student, skill] != block:
                continue
            if pin[student, block] == PINNED_LED and not (
                pin_skill[student, block] in (ANY, skill) and pin_adult[student, block] in (ANY, adult)
            ):
                continue
            extra = share_gains[group[student]] + urgent[student, skill]
            if led[student] == 0:
                extra += coverage_weight * coverage[student]
            if met[student, adult] == 0:
                extra += meeting * relation[student, adult]
            if before[student, block] == ONLINE:
                extra -= stay
            students[open_to] = student
            fixed[open_to] = extra
            open_to += 1
        for kind in range(most.shape[1]):
            if most[adult, kind] == 0 or open_to < arena.least[adult, kind] or kind_wanted not in (ANY, kind):
                continue
            if not arena.offered[kind, skill]:
                continue
            usual, unsure = quality * effect[adult, kind, 0], quality * effect[adult, kind, 1]
            first_crowding = crowding[arena.least[adult, kind]]
            reach, top, count, others, most_gain = 0.0, 0, 0, 0.0, 0.0
            for at in range(open_to):
                student = students[at]
                gain = need[student, skill] * (unsure if low_evidence[student, skill] else usual)
                worth = fixed[at] + first_crowding * gain
                if is_group_due and is_group[kind] and grouped[student] == 0:
                    worth += coverage_weight * group_time_due[student]
                kept = before[student, block] == adult and before_kind[student, block] == kind
                if kept and before_skill[student, block] == skill:
                    worth += stay
                if pin[student, block] == PINNED_LED and pin_kind[student, block] not in (ANY, kind):
                    continue
                left[count], points[count], gains[count] = student, worth, gain
                if worth > points[top]:
                    top = count
                count += 1
                reach += max(worth, 0.0)
                others += max(worth - first_crowding * gain, 0.0)
                most_gain = max(most_gain, gain)
            if count < arena.least[adult, kind]:
                continue
            factor = 1.0 + noise * _draw(rng) if noise else 1.0
            reach = min(reach, most[adult, kind] * points[top], others + most_effects[most[adult, kind]] * most_gain)
            reach += wish_worth * len(wished)
            if reach * factor <= best:
                continue
            total, met_need, others, high, size = 0.0, 0.0, 0.0, best / factor, 0
            for turn in range(min(most[adult, kind], count)):
                student, worth = left[top], points[top]
                met_need += gains[top]
                others += worth - first_crowding * gains[top]
                after = others + crowding[turn + 1] * met_need
                if worth == -np.inf or (after <= total and size_allowed[adult, kind, turn]):
                    break  # the others add nothing either
                total = after
                order[turn] = student
                if size_allowed[adult, kind, turn + 1] and total > high:
                    high, size = total, turn + 1
                count -= 1
                left[top], points[top], gains[top] = left[count], points[count], gains[count]
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
                for at in range(size):
                    chosen[at] = order[at]
    return best, best_kind, best_skill, best_size


@_inlined
def _may_lead(arena, seats, block, adult):
    """Whether enough monitors could be left, however many students the adult takes."""
    online, free, taken = 0, 0, 0
    for kind in range(arena.most.shape[1]):
        taken = max(taken, arena.most[adult, kind])
    for student in range(len(seats.led)):
        online += arena.present[student, block] and seats.seat[student, block] == ONLINE
    for other in range(len(arena.may_monitor)):
        if arena.adult_in[other, block] and arena.may_monitor[other] and seats.kind[block, other] == NOT_LED:
            free += other != adult and seats.co_teacher[block, other] == NOT_LED
    return online - taken <= free * arena.ratio


@_kernel
def _argmax(values):
    """Where the greatest value is, the first of equal ones."""
    top = 0
    for at in range(1, len(values)):
        if values[at] > values[top]:
            top = at
    return top


@_entry
def insert_sessions(arena, seats, coverage_weight, noise, rng, workspace):
    """Greedy insertion: free adults of each touched block lead, the best session first, while one adds points.

    Lazily: a session's points mostly fall as others open, so that an old figure which still leads after a fresh look
    is the best one (Minoux 1978).
    """
    blocks, adults = seats.kind.shape
    keys = workspace.keys
    for block in range(blocks):
        if not workspace.touched[block]:
            continue
        for adult in range(adults):
            free = arena.adult_in[adult, block] and seats.kind[block, adult] == NOT_LED
            free = free and seats.co_teacher[block, adult] == NOT_LED
            keys[adult] = np.inf if free else -np.inf
        while True:
            adult = _argmax(keys)
            if keys[adult] <= LEAST_POINTS:
                break
            keys[adult] = -np.inf
            if not _may_lead(arena, seats, block, adult):
                continue
            points, kind, skill, size = _best_session(
                arena, seats, block, adult, ANY_KIND, ANY_SKILL, coverage_weight, noise, rng, workspace
            )
            if points <= LEAST_POINTS:
                continue
            if points < keys[_argmax(keys)]:
                keys[adult] = points
                continue
            was_feasible = _is_feasible(arena, seats, block, workspace)
            open_session(arena, seats, block, adult, kind, skill, workspace.best[:size])
            if was_feasible and not _is_feasible(arena, seats, block, workspace):
                _close_session(arena, seats, block, adult)


@_kernel
def _insert_students(arena, seats, block, adult, coverage_weight, workspace):
    """Adds students to a session while that adds points, or until its size is right; whether it is right then."""
    kind, skill = np.int64(seats.kind[block, adult]), np.int64(seats.skill[block, adult])
    most, size_allowed, share_gains = arena.most[adult, kind], arena.size_allowed[adult, kind], workspace.share_gains
    eligible, start, stop = arena.eligible, arena.eligible_start[skill], arena.eligible_start[skill + 1]
    seat, done, between, has_pairs = seats.seat, seats.done, arena.between, arena.has_pairs
    inside, count, met_need = workspace.order, 0, 0.0
    for student in range(len(seat)):
        if seat[student, block] == adult:
            inside[count] = student
            count += 1
            met_need += _gain(arena, student, adult, kind, skill)
    while True:
        right = size_allowed[count]
        if count >= most or (right and not size_allowed[count + 1]):
            return right
        _share_gains(arena, seats, share_gains)
        lost = met_need * (arena.crowding[count] - arena.crowding[count + 1])
        best, chosen = lost + LEAST_POINTS if right else -np.inf, NOBODY
        for at in range(start, stop):
            student = eligible[at]
            if seat[student, block] != ONLINE or done[student, skill]:
                continue
            if not _may_sit(arena, student, block, adult, kind, skill):
                continue
            points = _seat_points(arena, student, block, adult, kind, skill, count + 1)
            points += _first_points(arena, seats, student, adult, kind, coverage_weight, share_gains)
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
        was_feasible = _is_feasible(arena, seats, block, workspace)
        _seat(arena, seats, chosen, block, adult)
        inside[count] = chosen
        count += 1
        met_need += _gain(arena, chosen, adult, kind, skill)
        if was_feasible and not _is_feasible(arena, seats, block, workspace):
            _unseat(arena, seats, chosen, block)
            return right


@_entry
def recreate(arena, seats, coverage_weight, noise, rng, workspace):
    """Recreates the touched blocks greedily: sessions that lost students, then free adults, then free seats."""
    blocks, adults = seats.kind.shape
    for block in range(blocks):
        if workspace.touched[block]:
            for adult in range(adults):
                kind, size = seats.kind[block, adult], seats.size[block, adult]
                if kind == NOT_LED or arena.size_allowed[adult, kind, size]:
                    continue
                if size == 0 or not _insert_students(arena, seats, block, adult, coverage_weight, workspace):
                    _close_session(arena, seats, block, adult)
    insert_sessions(arena, seats, coverage_weight, noise, rng, workspace)
    first = _pick(rng, adults)
    for block in range(blocks):
        if workspace.touched[block]:
            for step in range(adults):
                adult = (first + step) % adults
                if seats.kind[block, adult] != NOT_LED:
                    _insert_students(arena, seats, block, adult, coverage_weight, workspace)


def construct_day(arena: ProblemArrays, seats: Seats, rng: NDArray[np.uint64], workspace: Workspace) -> float:
    """Fills every block greedily beside the sessions there are, and returns the score.

    Returns:
        The score of the day; minus infinity where a block is not feasible.
    """
    workspace.touched[:] = True
    insert_sessions(arena, seats, 1.0, 0.0, rng, workspace)
    recreate(arena, seats, 1.0, 0.0, rng, workspace)
    return float(score_seats(arena, seats, workspace))


@_kernel
def _random_session(seats, rng):
    """Block and adult of a led session, drawn evenly; both -1 without any."""
    (blocks, adults), count = seats.kind.shape, 0
    for block in range(blocks):
        for adult in range(adults):
            count += seats.kind[block, adult] != NOT_LED
    wanted = _pick(rng, count) if count else -1
    for block in range(blocks):
        for adult in range(adults):
            if seats.kind[block, adult] != NOT_LED:
                if wanted == 0:
                    return block, adult
                wanted -= 1
    return -1, -1


@_kernel
def _remove_session(arena, seats, block, adult, workspace):
    """Closes the session of an adult, if there is one, and marks the block to be recreated."""
    if seats.kind[block, adult] != NOT_LED:
        _close_session(arena, seats, block, adult)
    workspace.touched[block] = True


@_kernel
def _open_best(arena, seats, block, adult, kind, skill, coverage_weight, noise, rng, workspace):
    """Opens the best session of a kind on a skill, and returns its size, 0 where nobody gains."""
    _, its_kind, its_skill, size = _best_session(
        arena, seats, block, adult, kind, skill, coverage_weight, noise, rng, workspace
    )
    if size:
        open_session(arena, seats, block, adult, its_kind, its_skill, workspace.best[:size])
    return size


@_kernel
def _insert_session(arena, seats, block, adult, kind, skill, coverage_weight, rng, workspace):
    """Opens the best session of a kind on a skill, if the adult is free and somebody gains."""
    if kind != NOT_LED and arena.adult_in[adult, block] and seats.co_teacher[block, adult] == NOT_LED:
        _open_best(arena, seats, block, adult, kind, skill, coverage_weight, 0.0, rng, workspace)


@_kernel
def _insert_random_session(arena, seats, block, adult, coverage_weight, rng, workspace):
    """Opens the best session on a skill drawn from all that the adult may lead."""
    skills, kinds = arena.qualified.shape[1], arena.most.shape[1]
    skill = _pick(rng, skills)
    for _ in range(skills):
        needed = arena.eligible_start[skill] < arena.eligible_start[skill + 1]
        if needed and arena.qualified[adult, skill] > 0.0 and arena.held[block, skill]:
            break
        skill = (skill + 1) % skills
    drawn = _pick(rng, 2 * kinds)
    kind = drawn if drawn < kinds else ANY_KIND
    if arena.qualified[adult, skill] > 0.0 and arena.adult_in[adult, block]:
        _open_best(arena, seats, block, adult, kind, skill, coverage_weight, 0.0, rng, workspace)


@_inlined
def _is_free(arena, seats, block, adult):
    """Whether an adult is there and neither leads nor joins a session."""
    return arena.adult_in[adult, block] and seats.kind[block, adult] == seats.co_teacher[block, adult] == NOT_LED


@_inlined
def _fits(arena, seats, student, block, adult):
    """Whether a student who is not in the session of an adult may join it, but for its size."""
    kind, skill = np.int64(seats.kind[block, adult]), np.int64(seats.skill[block, adult])
    here = seats.seat[student, block]
    again = seats.done[student, skill] and (here == ONLINE or seats.skill[block, here] != skill)
    return not again and _may_sit(arena, student, block, adult, kind, skill)


@_kernel
def _crowding_losses(arena, seats, block, workspace):
    """Fills in what one more student in each session of a block takes from those who sit there."""
    for adult in range(len(workspace.keys)):
        workspace.keys[adult] = 0.0
        kind, skill, size = seats.kind[block, adult], seats.skill[block, adult], seats.size[block, adult]
        if kind != NOT_LED and size < arena.most[adult, kind]:
            for slot in range(size):
                workspace.keys[adult] += _gain(arena, seats.roster[block, adult, slot], adult, kind, skill)
            workspace.keys[adult] *= arena.crowding[size] - arena.crowding[size + 1]


@_entry
def make_feasible(arena, seats, block, coverage_weight, workspace):
    """Seats students of a block wherever they lose least, until those online can be monitored; whether they can."""
    while not _is_feasible(arena, seats, block, workspace):
        best, chosen, place = -np.inf, NOBODY, NOBODY
        _share_gains(arena, seats, workspace.share_gains)
        _crowding_losses(arena, seats, block, workspace)
        for student in range(len(seats.led)):
            if seats.seat[student, block] != ONLINE or not arena.seatable[student, block]:
                continue
            for adult in range(len(workspace.duties)):
                kind, size = seats.kind[block, adult], seats.size[block, adult]
                if kind == NOT_LED or size >= arena.most[adult, kind]:
                    continue
                if not _fits(arena, seats, student, block, adult):
                    continue
                points = _seat_points(arena, student, block, adult, kind, seats.skill[block, adult], size + 1)
                points -= workspace.keys[adult]
                points += _first_points(arena, seats, student, adult, kind, coverage_weight, workspace.share_gains)
                if arena.has_pairs:
                    for other in range(len(seats.led)):
                        if seats.seat[other, block] == adult:
                            points += arena.between[student, other]
                if points > best:
                    best, chosen, place = points, np.int64(student), np.int64(adult)
        if chosen < 0:
            return False
        _seat(arena, seats, chosen, block, place)
    return True


@_kernel
def _random_removal(arena, seats, block, adult, rng, workspace):
    """Closes one to three sessions anywhere."""
    for _ in range(1 + _pick(rng, 3)):
        _remove_session(arena, seats, block, adult, workspace)
        next_block, next_adult = _random_session(seats, rng)
        if next_block >= 0:
            block, adult = next_block, next_adult


@_kernel
def _block_removal(arena, seats, block, adult, rng, workspace):
    """Closes a session and about half of the others in its block."""
    for other in range(len(workspace.duties)):
        if other == adult or _draw(rng) < 0.5:
            _remove_session(arena, seats, block, other, workspace)


@_kernel
def _adult_removal(arena, seats, block, adult, rng, workspace):
    """Closes most of an adult's sessions."""
    for when in range(len(workspace.touched)):
        if when == block or _draw(rng) < 0.7:
            _remove_session(arena, seats, when, adult, workspace)


@_kernel
def _skill_removal(arena, seats, adult, skill, rng, workspace):
    """Closes most sessions on a skill."""
    for when in range(len(workspace.touched)):
        for other in range(len(workspace.duties)):
            if seats.skill[when, other] == skill and (other == adult or _draw(rng) < 0.7):
                _remove_session(arena, seats, when, other, workspace)


@_kernel
def _seat_removal(arena, seats, block, adult, rng, workspace):
    """Sends some students of one to four sessions to online work."""
    share = 0.15 + 0.5 * _draw(rng)
    for _ in range(1 + _pick(rng, 4)):
        for student in range(len(seats.led)):
            if seats.seat[student, block] == adult and _draw(rng) < share:
                _unseat(arena, seats, student, block)
        workspace.touched[block] = True
        block, adult = _random_session(seats, rng)


@_kernel
def _student_removal(arena, seats, rng, workspace):
    """Sends a few students to online work for the whole day."""
    share = (1.0 + 5.0 * _draw(rng)) / max(1, len(seats.led))
    for student in range(len(seats.led)):
        if _draw(rng) < share:
            for when in range(len(workspace.touched)):
                if seats.seat[student, when] != ONLINE:
                    _unseat(arena, seats, student, when)
                    workspace.touched[when] = True


@_kernel
def _swap_blocks_of_adult(arena, seats, block, adult, kind, skill, coverage_weight, rng, workspace):
    """An adult's sessions of two blocks trade kinds and skills."""
    other = _pick(rng, len(workspace.touched))
    other_kind, other_skill = np.int64(seats.kind[other, adult]), np.int64(seats.skill[other, adult])
    if other != block:
        _remove_session(arena, seats, block, adult, workspace)
        _remove_session(arena, seats, other, adult, workspace)
        _insert_session(arena, seats, other, adult, kind, skill, coverage_weight, rng, workspace)
        _insert_session(arena, seats, block, adult, other_kind, other_skill, coverage_weight, rng, workspace)


@_kernel
def _swap_adults(arena, seats, block, adult, kind, skill, coverage_weight, rng, workspace):
    """Two adults of a block trade kinds and skills, or one takes over from the other."""
    other = _pick(rng, len(workspace.duties))
    other_kind, other_skill = np.int64(seats.kind[block, other]), np.int64(seats.skill[block, other])
    if other != adult:
        _remove_session(arena, seats, block, adult, workspace)
        _remove_session(arena, seats, block, other, workspace)
        _insert_session(arena, seats, block, other, kind, skill, coverage_weight, rng, workspace)
        _insert_session(arena, seats, block, adult, other_kind, other_skill, coverage_weight, rng, workspace)


@_kernel
def _replace_adult(arena, seats, block, adult, coverage_weight, rng, workspace):
    """An adult who was free leads instead of another."""
    adults = len(workspace.duties)
    first = _pick(rng, adults)
    for step in range(adults):
        other = (first + step) % adults
        if _is_free(arena, seats, block, other):
            _remove_session(arena, seats, block, adult, workspace)
            _open_best(arena, seats, block, other, ANY_KIND, ANY_SKILL, coverage_weight, 0.0, rng, workspace)
            break


@_kernel
def _saturate_block(arena, seats, block, adult, coverage_weight, rng, workspace):
    """As many adults of a block lead as can, with hardly any student left online."""
    adults = len(workspace.duties)
    for other in range(adults):
        if _draw(rng) < 0.5:
            _remove_session(arena, seats, block, other, workspace)
    first = _pick(rng, adults)
    for step in range(adults):
        other = (first + step) % adults
        if _is_free(arena, seats, block, other):
            _open_best(arena, seats, block, other, ANY_KIND, ANY_SKILL, coverage_weight, 0.2, rng, workspace)
    if not make_feasible(arena, seats, block, coverage_weight, workspace):
        _remove_session(arena, seats, block, adult, workspace)


@_kernel
def _change_kind(arena, seats, block, adult, kind, skill, coverage_weight, rng, workspace):
    """A session on the same skill becomes one of another kind."""
    other_kind = _pick(rng, arena.most.shape[1])
    _remove_session(arena, seats, block, adult, workspace)
    if other_kind != kind:
        _insert_session(arena, seats, block, adult, other_kind, skill, coverage_weight, rng, workspace)


@_kernel
def _change_skill(arena, seats, block, adult, coverage_weight, rng, workspace):
    """A session changes its skill, and perhaps so does one of the same block or adult."""
    when, other = block, adult
    if _draw(rng) < 0.5:
        other = _pick(rng, len(workspace.duties))
    else:
        when = _pick(rng, len(workspace.touched))
    _remove_session(arena, seats, block, adult, workspace)
    if seats.kind[when, other] != NOT_LED and _draw(rng) < 0.5:
        _remove_session(arena, seats, when, other, workspace)
        _insert_random_session(arena, seats, when, other, coverage_weight, rng, workspace)
    _insert_random_session(arena, seats, block, adult, coverage_weight, rng, workspace)


@_kernel
def _change_skills_of_block(arena, seats, block, coverage_weight, rng, workspace):
    """Closes all sessions of a block, and some free adults lead another skill."""
    adults = len(workspace.duties)
    for other in range(adults):
        if seats.kind[block, other] != NOT_LED:
            _remove_session(arena, seats, block, other, workspace)
    first = _pick(rng, adults)
    for step in range(adults):
        other = (first + step) % adults
        if _is_free(arena, seats, block, other) and _draw(rng) < 0.3:
            _insert_random_session(arena, seats, block, other, coverage_weight, rng, workspace)


@_kernel
def _swap_blocks(arena, seats, block, rng, workspace):
    """All sessions of two blocks change places, with those of their students who may come along."""
    other = _pick(rng, len(workspace.touched))
    if other != block:
        kinds, skills, students = workspace.kind, workspace.skill, workspace.seat
        for when in (block, other):
            for adult in range(len(workspace.duties)):
                kinds[when, adult], skills[when, adult] = seats.kind[when, adult], seats.skill[when, adult]
            for student in range(len(students)):
                students[student, when] = seats.seat[student, when]
        for adult in range(len(workspace.duties)):
            _remove_session(arena, seats, block, adult, workspace)
        for adult in range(len(workspace.duties)):
            _remove_session(arena, seats, other, adult, workspace)
        _reopen(arena, seats, block, other, kinds, skills, students)
        _reopen(arena, seats, other, block, kinds, skills, students)


@_kernel
def _reopen(arena, seats, here, there, kinds, skills, students):
    """Opens the sessions that another block had, with those of their students who may come along."""
    for adult in range(len(arena.qualified)):
        kind, skill = np.int64(kinds[there, adult]), np.int64(skills[there, adult])
        if kind == NOT_LED or not arena.held[here, skill]:
            continue
        if arena.adult_in[adult, here] and seats.co_teacher[here, adult] == NOT_LED:
            seats.kind[here, adult], seats.skill[here, adult] = kind, skill
            for student in range(len(students)):
                free = seats.seat[student, here] == ONLINE and not seats.done[student, skill]
                came = students[student, there] == adult and free
                if came and _may_sit(arena, student, here, adult, kind, skill):
                    _seat(arena, seats, student, here, adult)


@_kernel
def _coaching_insertion(arena, seats, coverage_weight, rng, workspace):
    """One of a pair that shares fewer sessions than asked joins the other, in a block where both are there.

    The lead keeps a session, or opens the best; the other gives up what is in the way, and so do third ones where the
    block would not be feasible.
    """
    pairs, blocks, adults, pair = len(arena.coaching), len(workspace.touched), len(workspace.duties), -1
    first = _pick(rng, pairs)
    for step in range(pairs):
        at = (first + step) % pairs
        if pair < 0 and _count_shared(arena, seats, at) < arena.coaching[at, 2]:
            pair = at
    if pair < 0:
        return
    turn, first, observes = _pick(rng, 2), _pick(rng, blocks), arena.coaching[pair, 3] != 0
    if observes:
        turn = 0
    lead, other = arena.coaching[pair, turn], arena.coaching[pair, 1 - turn]
    for step in range(blocks):
        block = (first + step) % blocks
        if not (arena.adult_in[lead, block] and arena.adult_in[other, block]):
            continue
        if seats.co_teacher[block, other] == lead or (not observes and _share_session(seats, block, lead, other)):
            continue
        _remove_session(arena, seats, block, other, workspace)
        seats.co_teacher[block, lead] = seats.co_teacher[block, other] = NOT_LED
        if seats.kind[block, lead] == NOT_LED and not _open_best(
            arena, seats, block, lead, ANY_KIND, ANY_SKILL, coverage_weight, 0.0, rng, workspace
        ):
            return
        seats.co_teacher[block, other] = lead
        start = _pick(rng, adults)
        for more in range(adults):  # who led may have to monitor those whom the other taught
            adult = (start + more) % adults
            if _is_feasible(arena, seats, block, workspace):
                return
            if adult != lead and arena.may_monitor[adult]:
                _remove_session(arena, seats, block, adult, workspace)
        return


@_kernel
def _coaching_removal(seats, rng, workspace):
    """Some adults who join another's session are free again."""
    for when in range(len(workspace.touched)):
        for other in range(len(workspace.duties)):
            if seats.co_teacher[when, other] != NOT_LED and _draw(rng) < 0.3:
                seats.co_teacher[when, other] = NOT_LED
                workspace.touched[when] = True


@_inlined
def _destroy(arena, seats, move, coverage_weight, rng, workspace):
    """Makes a move around a session drawn evenly, and marks the blocks to recreate: all of them without a session."""
    workspace.touched[:] = False
    block, adult = _random_session(seats, rng)
    if block < 0:
        workspace.touched[:] = True
        return
    workspace.touched[block] = True
    kind, skill = np.int64(seats.kind[block, adult]), np.int64(seats.skill[block, adult])
    if move == RANDOM_REMOVAL:
        _random_removal(arena, seats, block, adult, rng, workspace)
    elif move == BLOCK_REMOVAL:
        _block_removal(arena, seats, block, adult, rng, workspace)
    elif move == ADULT_REMOVAL:
        _adult_removal(arena, seats, block, adult, rng, workspace)
    elif move == SKILL_REMOVAL:
        _skill_removal(arena, seats, adult, skill, rng, workspace)
    elif move == SEAT_REMOVAL:
        _seat_removal(arena, seats, block, adult, rng, workspace)
    elif move == STUDENT_REMOVAL:
        _student_removal(arena, seats, rng, workspace)
    elif move == SWAP_BLOCKS_OF_ADULT:
        _swap_blocks_of_adult(arena, seats, block, adult, kind, skill, coverage_weight, rng, workspace)
    elif move == SWAP_ADULTS:
        _swap_adults(arena, seats, block, adult, kind, skill, coverage_weight, rng, workspace)
    elif move == REPLACE_ADULT:
        _replace_adult(arena, seats, block, adult, coverage_weight, rng, workspace)
    elif move == SATURATE_BLOCK:
        _saturate_block(arena, seats, block, adult, coverage_weight, rng, workspace)
    elif move == CHANGE_KIND:
        _change_kind(arena, seats, block, adult, kind, skill, coverage_weight, rng, workspace)
    elif move == CHANGE_SKILL:
        _change_skill(arena, seats, block, adult, coverage_weight, rng, workspace)
    elif move == CHANGE_SKILLS_OF_BLOCK:
        _change_skills_of_block(arena, seats, block, coverage_weight, rng, workspace)
    elif move == SWAP_BLOCKS:
        _swap_blocks(arena, seats, block, rng, workspace)
    elif move == COACHING_INSERTION:
        _coaching_insertion(arena, seats, coverage_weight, rng, workspace)
    elif move == COACHING_REMOVAL:
        _coaching_removal(seats, rng, workspace)


@_inlined
def _swap(arena, seats, block, one, other):
    """Two students of a block trade places."""
    here, there = np.int64(seats.seat[one, block]), np.int64(seats.seat[other, block])
    if here != ONLINE:
        _unseat(arena, seats, one, block)
    if there != ONLINE:
        _unseat(arena, seats, other, block)
        _seat(arena, seats, one, block, there)
    if here != ONLINE:
        _seat(arena, seats, other, block, here)


@_kernel
def _wish_gain_of_swap(arena, seats, student, block, adult, partner):
    """Points of pairs to keep together when a student moves to another session and a partner takes the seat left."""
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


@_inlined
def _swap_students(arena, seats, workspace):
    """Swap local search: pairs of students in touched blocks trade places while that adds points."""
    for block in range(len(workspace.touched)):
        if not workspace.touched[block]:
            continue
        for _ in range(SWAP_PASSES):
            better = False
            for adult in range(seats.kind.shape[1]):
                if seats.kind[block, adult] != NOT_LED:
                    better |= _swap_into_session(arena, seats, block, adult, workspace)
            if not better:
                break


@_kernel
def _swap_into_session(arena, seats, block, adult, workspace):
    """Swaps students into a session, each for the member whose seat adds most points; whether any.

    The newcomer's place, in another session or online, goes to that member, so that no session changes its size.
    """
    need, low_evidence, effect, qualified = arena.need, arena.low_evidence, arena.effect, arena.qualified
    urgent, crowding, may_teach, reserved = arena.urgent, arena.crowding, arena.may_teach, arena.reserved
    pin, pin_kind, pin_skill, pin_adult = arena.pin, arena.pin_kind, arena.pin_skill, arena.pin_adult
    before, before_kind, before_skill = arena.before, arena.before_kind, arena.before_skill
    group, coverage, relation, between = arena.group, arena.coverage, arena.relation, arena.between
    seatable, wishes_start, group_share, has_pairs = (
        arena.seatable, arena.wishes_start, arena.group_share, arena.has_pairs,
    )  # fmt: skip
    seat, roster, done, led, met, held = seats.seat, seats.roster, seats.done, seats.led, seats.met, seats.group
    kinds, skills, sizes = seats.kind, seats.skill, seats.size
    is_group_due, group_time_due, grouped, is_group = (
        arena.any_group_time_due, arena.group_time_due, seats.grouped, arena.is_group,
    )  # fmt: skip
    weight, meeting, stay, sharing = (
        arena.weights[BENEFIT], arena.weights[RELATIONSHIPS], arena.weights[PERTURBATION], arena.weights[SHARE],
    )  # fmt: skip
    leave = workspace.points
    kind, skill, size = np.int64(kinds[block, adult]), np.int64(skills[block, adult]), np.int64(sizes[block, adult])
    benefit, its_benefit = weight * crowding[size], 0.0
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
            need, may_teach, reserved, pin, pin_kind, pin_skill, pin_adult,
        ):  # fmt: skip
            continue
        if stale:  # what each member's seat is worth where it is, but for being the only one today
            for slot in range(size):
                other = np.int64(roster[block, adult, slot])
                worth = _seat_worth(
                    other, block, adult, kind, skill, benefit, stay,
                    need, urgent, low_evidence, effect, qualified, before, before_kind, before_skill,
                )  # fmt: skip
                if met[other, adult] == 1:
                    worth += meeting * relation[other, adult]
                if is_group_due and is_group[kind] and grouped[other] == 1:
                    worth += group_time_due[other]
                if has_pairs:
                    for near in range(size):
                        worth += between[other, roster[block, adult, near]]
                leave[slot] = worth
            stale = False
        gain = _seat_worth(
            one, block, adult, kind, skill, benefit, stay,
            need, urgent, low_evidence, effect, qualified, before, before_kind, before_skill,
        )  # fmt: skip
        if met[one, adult] == 0:
            gain += meeting * relation[one, adult]
        if is_group_due:
            has_now = here != ONLINE and is_group[kinds[block, here]]
            if grouped[one] == int(has_now):
                gain += group_time_due[one] * (int(is_group[kind]) - int(has_now))
        apart, its_kind, its_skill = 0, np.int64(NOT_LED), np.int64(NOT_LED)
        if has_pairs:
            for near in range(size):
                gain_beside = between[one, roster[block, adult, near]]
                if gain_beside == -np.inf:
                    apart += 1
                else:
                    gain += gain_beside
        if apart > 1:
            continue
        if here == ONLINE:
            if led[one] == 0:
                gain += coverage[one]
        else:
            its_kind, its_skill = np.int64(kinds[block, here]), np.int64(skills[block, here])
            its_benefit = weight * crowding[sizes[block, here]]
            gain -= _seat_worth(
                one, block, here, its_kind, its_skill, its_benefit, stay,
                need, urgent, low_evidence, effect, qualified, before, before_kind, before_skill,
            )  # fmt: skip
            if met[one, here] == 1:
                gain -= meeting * relation[one, here]
            if has_pairs:
                for near in range(sizes[block, here]):
                    gain -= between[one, roster[block, here, near]]
        best, chosen = LEAST_POINTS, NOBODY
        for slot in range(size):
            other = np.int64(roster[block, adult, slot])
            points = gain - leave[slot]
            if has_pairs:
                lost_beside = between[one, other]
                if lost_beside != -np.inf:
                    if apart:
                        continue
                    points -= lost_beside
            if here == ONLINE:
                if pin[other, block] == PINNED_LED:
                    continue
                if led[other] == 1:
                    points -= coverage[other]
                if group[one] != group[other]:
                    total = 0.0
                    for subgroup in range(len(held)):
                        total += held[subgroup]
                    after = total + (group[one] >= 0) - (group[other] >= 0)
                    for subgroup in range(len(held)):
                        then = held[subgroup] + (subgroup == group[one]) - (subgroup == group[other])
                        points += sharing * max(0.0, group_share[subgroup] * total - held[subgroup])
                        points -= sharing * max(0.0, group_share[subgroup] * after - then)
            else:
                if (done[other, its_skill] and its_skill != skill) or not _allows(
                    other, block, here, its_kind, its_skill,
                    need, may_teach, reserved, pin, pin_kind, pin_skill, pin_adult,
                ):  # fmt: skip
                    continue
                points += _seat_worth(
                    other, block, here, its_kind, its_skill, its_benefit, stay,
                    need, urgent, low_evidence, effect, qualified, before, before_kind, before_skill,
                )  # fmt: skip
                if met[other, here] == 0:
                    points += meeting * relation[other, here]
                if is_group_due and is_group[its_kind] and grouped[other] == int(is_group[kind]):
                    points += group_time_due[other]
                if has_pairs:
                    for near in range(sizes[block, here]):
                        if roster[block, here, near] != one:
                            points += between[other, roster[block, here, near]]
            if wishes_start[one] != wishes_start[one + 1] or wishes_start[other] != wishes_start[other + 1]:
                points += _wish_gain_of_swap(arena, seats, one, block, adult, other)
                points += _wish_gain_of_swap(arena, seats, other, block, here, one)
            if points > best:
                best, chosen = points, other
        if chosen >= 0:
            _swap(arena, seats, block, one, chosen)
            stale = changed = True
    return changed


@_entry
def improve_day(arena, current, best, candidate, values, rng, workspace, rounds, temperature):
    """Destroys and recreates parts of a day for a number of rounds.

    Args:
        arena: The problem.
        current: The solution that the search stands at.
        best: The best solution so far.
        candidate: Memory for another solution.
        values: Scores of `current` and `best`.
        rng: The state of the random number generator.
        workspace: Scratch buffers.
        rounds: How often.
        temperature: Loss of points that a round accepts about every third time.
    """
    for _ in range(rounds):
        _copy_into(candidate, current)
        coverage_weight = 1.0 + 3.0 * _draw(rng) if _draw(rng) < 0.3 else 1.0
        noise = 0.2 * _draw(rng) if _draw(rng) < 0.5 else 0.0
        move = _pick(rng, COACHING_MOVES if len(arena.coaching) else MOVES)
        _destroy(arena, candidate, move, coverage_weight, rng, workspace)
        recreate(arena, candidate, coverage_weight, noise, rng, workspace)
        _swap_students(arena, candidate, workspace)
        value = score_seats(arena, candidate, workspace)
        if value > values[0] or value - values[0] > temperature * math.log(max(_draw(rng), 1e-300)):
            values[0] = value
            _copy_into(current, candidate)
        if values[0] > values[1]:
            values[1] = values[0]
            _copy_into(best, current)
