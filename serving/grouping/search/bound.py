"""An upper bound on every plan's score, so that a plan can say how much better any other could be.

Lagrangian relaxation (Geoffrion 1974; Fisher 1981): that a student sits in one session of a block, meets a skill once
a day, and counts once as covered and as met by an adult, is priced instead of asked for. What is left falls apart into
the best session of each adult and block, which sorting solves, and the choice of who leads. Prices are moved along
subgradients (Held, Wolfe and Crowder 1974; step by Polyak 1969). The lowest bound seen is valid whatever the prices.

That adults have to monitor those online is kept, in part by a price on seats. A block in which nobody is online
is apart from the others: each student has a seat there at a price of its own, and only skills are held that together
suit everybody, which is looked for branch by branch. Left out, which can only raise the bound: rooms, supervision, even
loads, subgroups' shares. Recent groupmates cost each student half of what the most favorable others of the skill
would, or, where that is asked for, what they do. Pairs to keep together count as kept, coaching as held, and
teacher time that is due as given.
"""

import math
import time
from typing import NamedTuple

import numba as nb
import numpy as np

from serving.grouping.search.kernel import BENEFIT, COACHING, KEEP_TOGETHER, NOT_LED, PERTURBATION, RELATIONSHIPS
from serving.grouping.state.arrays import ANY, ONLINE, PINNED_LED, Floats, Ints, ProblemArrays

FIRST_STEP = 1.5
"""Share of the way to a plan's score by which prices are first moved."""

NODES = 3000
"""Parts of the search for one session's best group, after which what is left is bounded."""

BRANCHES = 200
"""Parts of the search for skills that suit everybody of a block, after which what is left is bounded."""

PATIENCE, SLOWER, LAST_STEP = 8, 0.7, 1e-4
"""Rounds without a lower bound after which steps become shorter, by how much, and when they are too short to help."""

PARTS = 10
"""Parts of the time that is left; the clock is read after each."""

LOWEST, STEP, WAITED = range(3)
"""Positions in the pace: the lowest bound seen, the share of the way to a plan's score, rounds without a lower one."""

ENOUGH = 1e-9
"""Share of its score by which a plan may miss the bound, which is then its score: no plan is better by more."""

NO_NODES = NO_SEATS = np.int64(0)
"""NumPy integers, since numba compiles a function once more for each plain constant that it is called with."""

_entry = nb.njit(cache=True, error_model="numpy", nogil=True)
"""Compiles a function that Python calls; machine code is kept for these only, with all that they call."""

_kernel = nb.njit(  # type: ignore[call-overload]  # numba knows these options, its types do not
    error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True
)
"""Compiles a function that only compiled code may call: Python would jump to an address that is not there."""


class Prices(NamedTuple):
    """What each relaxed rule costs a seat, or gives it.

    Attributes:
        block: N x B, the price of sitting in one more session of the block; below 0 it pays.
        skill: N x K, the price of meeting the skill once more.
        covered: N, what a seat is given for covering.
        met: N x A, what a seat is given for meeting the adult.
    """

    block: Floats
    skill: Floats
    covered: Floats
    met: Floats


class Offers(NamedTuple):
    """Whom each session could seat, and what a seat is worth: `points`, and what prices make of them in one block.

    Attributes:
        start: B x A x C x K, and one more: where the seats of each block, adult, kind and skill begin.
        place: Each seat's student, as a place in `arena.eligible`.
        points: Each seat's points.
        halves: Per place and n, half the points beside the n students of the skill who suit best.
        priced: Per place, what prices add whoever leads.
        met: N x A, what they add for meeting the adult.
    """

    start: Ints
    place: Ints
    points: Floats
    halves: Floats
    priced: Floats
    met: Floats


def bound_day(arena: ProblemArrays, value: float, rounds: int, exact: int = 0, until: float | None = None) -> float:
    """Returns a score that no plan exceeds.

    Args:
        arena: the problem.
        value: the score of a plan, which steers the search for a low bound and is no part of it.
        rounds: how often prices are moved, unless moving them helps no more.
        exact: how often after that, with groupmates' points exact; lower, and some twenty to fifty times as slow.
        until: when to stop, on the clock of `time.perf_counter`; None: without a clock, and equal problems give equal
            bounds.
    """
    prices = Prices(
        block=np.zeros(arena.present.shape),
        skill=np.zeros(arena.need.shape),
        covered=arena.coverage / 2,
        met=arena.weights[RELATIONSHIPS] * arena.relation / 2,
    )
    nobody_online = prices._replace(block=np.zeros(arena.present.shape))
    start, place, points = _list_offers(arena)
    offers = Offers(start, place, points, _favorable(arena), np.empty(0), prices.met)
    pace, bonus = np.array([np.inf, FIRST_STEP, 0.0]), np.full(arena.present.shape[1], 0.1)
    began, done = time.perf_counter(), 0
    while done < rounds and not _is_settled(pace, value):
        part = rounds - done
        if until is not None:
            now = time.perf_counter()
            fit = done * (until - now) / max(now - began, 1e-9)  # rounds until then
            if done and fit < 1.0:
                break
            part = min(part, max(1, int(fit / PARTS)))
        _lower(arena, offers, prices, nobody_online, value, part, 0, pace, bonus)
        done += part
    if exact and arena.has_pairs and pace[LOWEST] > value:
        pace[STEP], pace[WAITED] = FIRST_STEP, 0.0
        _lower(arena, offers, prices, nobody_online, value, exact, NODES, pace, bonus)
    return float(pace[LOWEST])


def _is_settled(pace: Floats, value: float) -> bool:
    """Whether the bound is reached, or prices hardly move any more."""
    return bool(pace[LOWEST] <= value or pace[STEP] < LAST_STEP)


def _favorable(arena: ProblemArrays) -> Floats:
    """Returns, per eligible pair and n, half the points beside the n students of the skill who suit best."""
    widest = int(arena.most.max(initial=0))
    halves = np.zeros((len(arena.eligible), widest + 1))
    if not arena.has_pairs:
        return halves
    for skill in range(len(arena.eligible_start) - 1):
        first, last = arena.eligible_start[skill], arena.eligible_start[skill + 1]
        among = arena.eligible[first:last]
        between = arena.between[np.ix_(among, among)]
        np.fill_diagonal(between, -np.inf)
        best = -np.sort(-between, axis=1)[:, :widest]
        halves[first:last, 1 : best.shape[1] + 1] = best.cumsum(axis=1) / 2
        halves[first:last, best.shape[1] + 1 :] = -np.inf
    return halves


@_entry
def _list_offers(arena):
    """Returns `start`, `place` and `points` of `Offers`."""
    options = arena.present.shape[1] * arena.qualified.size * arena.most.shape[1]
    start, no_places, no_points = np.zeros(options + 1, np.int64), np.empty(0, np.int64), np.empty(0)
    for option in range(options):
        start[option + 1] = start[option] + _list_seats(arena, option, no_places, no_points)
    place, points = np.empty(start[-1], np.int64), np.empty(start[-1])
    for option in range(options):
        first, last = start[option], start[option + 1]
        if first < last:
            _list_seats(arena, option, place[first:last], points[first:last])
    return start, place, points


@_kernel
def _list_seats(arena, option, place, points):
    """Counts the seats that a session could have, none if they are too few, and writes them where there is room."""
    (adults, skills), kinds = arena.qualified.shape, arena.most.shape[1]
    skill, kind, adult = option % skills, option // skills % kinds, option // (skills * kinds) % adults
    block = option // (skills * kinds * adults)
    if not arena.adult_in[adult, block] or arena.qualified[adult, skill] <= 0.0 or not arena.held[block, skill]:
        return 0
    quality, stay = arena.weights[BENEFIT] * arena.qualified[adult, skill], arena.weights[PERTURBATION]
    quality *= arena.crowding[arena.least[adult, kind]]  # as if no session had more students than it has to
    count = 0
    for at in range(arena.eligible_start[skill], arena.eligible_start[skill + 1]):
        student = arena.eligible[at]
        if not arena.seatable[student, block] or not arena.may_teach[student, adult]:
            continue
        if arena.reserved[student, skill] >= 0 and arena.reserved[student, skill] != block:
            continue
        if arena.pin[student, block] == PINNED_LED and not (
            arena.pin_skill[student, block] in (ANY, skill)
            and arena.pin_adult[student, block] in (ANY, adult)
            and arena.pin_kind[student, block] in (ANY, kind)
        ):
            continue
        if len(place):
            worth = (
                quality
                * arena.effect[adult, kind, int(arena.low_evidence[student, skill])]
                * arena.need[student, skill]
            )
            worth += arena.urgent[student, skill]
            before, before_kind = arena.before[student, block], arena.before_kind[student, block]
            if before == ONLINE:
                worth -= stay
            if before == adult and before_kind == kind and arena.before_skill[student, block] == skill:
                worth += stay
            place[count], points[count] = at, worth
        count += 1
    return count if min(count, arena.most[adult, kind]) >= max(1, arena.least[adult, kind]) else 0


@_entry
def _lower(arena, offers, prices, nobody_online, value, rounds, nodes, pace, bonus):
    """Moves prices, of which blocks with nobody online have their own; `pace` has the lowest bound and goes on."""
    students, blocks = arena.present.shape
    adults = len(arena.qualified)
    fixed = online_score(arena) + arena.weights[KEEP_TOGETHER] * len(arena.wished)
    fixed += arena.teacher_time_due.sum()  # as if everybody got the teacher time due
    fixed += arena.weights[COACHING] * arena.coaching[:, 2].sum()
    last = np.full((blocks, adults, 2), NOT_LED, np.int64)
    chosen = np.empty((blocks, adults, arena.size_allowed.shape[2]), np.int64)
    sizes = np.zeros((blocks, adults), np.int64)
    worth = np.zeros((blocks, adults))
    leads = np.zeros((blocks, adults), np.bool_)
    seats_in_block = np.zeros(prices.block.shape)
    seats_on_skill = np.zeros(prices.skill.shape)
    seats_with = np.zeros(prices.met.shape)
    seats = np.zeros(students)
    nobody = np.zeros(blocks, np.bool_)  # online
    for _ in range(rounds):
        bound = fixed + prices.skill.sum()
        for block in range(blocks):
            free, short = _best_block(arena, offers, prices, block, 0.0, nodes, last, chosen, sizes, worth, leads)
            if short > 0:
                priced, still = _best_block(
                    arena, offers, prices, block, bonus[block], nodes, last, chosen, sizes, worth, leads
                )
                bonus[block] *= 1.2 if still > 0 else 0.9
                if priced > free:
                    free, _ = _best_block(arena, offers, prices, block, 0.0, nodes, last, chosen, sizes, worth, leads)
                free = min(free, priced)
            free += prices.block[:, block].sum()
            given = nobody_online.block[:, block].sum()
            full = given + _nobody_online(
                arena, offers, nobody_online, block, free - given, last, chosen, sizes, leads[block]
            )
            nobody[block] = full > free
            bound += max(free, full)
        seats_in_block[:] = 0.0
        seats_on_skill[:] = 0.0
        seats_with[:] = 0.0
        seats[:] = 0.0
        for block in range(blocks):
            for adult in range(adults):
                if leads[block, adult]:
                    for student in chosen[block, adult, : sizes[block, adult]]:
                        seats_in_block[student, block] += 1.0
                        seats_on_skill[student, last[block, adult, 1]] += 1.0
                        seats_with[student, adult] += 1.0
                        seats[student] += 1.0
        length = 0.0
        for student in range(students):
            bound += max(0.0, arena.coverage[student] - prices.covered[student])
            for adult in range(adults):
                meeting = arena.weights[RELATIONSHIPS] * arena.relation[student, adult]
                bound += max(0.0, meeting - prices.met[student, adult])
        if bound < pace[LOWEST] - 1e-12:
            pace[LOWEST], pace[WAITED] = bound, 0.0
        else:
            pace[WAITED] += 1.0
            if pace[WAITED] >= PATIENCE:
                pace[STEP], pace[WAITED] = pace[STEP] * SLOWER, 0.0
        if pace[LOWEST] <= value + ENOUGH * abs(value):
            pace[LOWEST] = value
            return
        if pace[STEP] < LAST_STEP:
            return
        # a price at zero that would fall does not move, and so is no part of the step's length
        for student in range(students):
            for block in range(blocks):
                over = seats_in_block[student, block] - 1.0
                if nobody[block]:
                    length += over * over * arena.present[student, block]
                else:
                    length += over * over * (over > 0.0 or prices.block[student, block] > 0.0)
            for skill in range(prices.skill.shape[1]):
                over = seats_on_skill[student, skill] - 1.0
                length += over * over * (over > 0.0 or prices.skill[student, skill] > 0.0)
            over = seats[student] - (1.0 if prices.covered[student] < arena.coverage[student] else 0.0)
            length += over * over
            for adult in range(adults):
                meeting = arena.weights[RELATIONSHIPS] * arena.relation[student, adult]
                over = seats_with[student, adult] - (1.0 if prices.met[student, adult] < meeting else 0.0)
                length += over * over
        move = pace[STEP] * (bound - value) / max(length, 1e-9)
        for student in range(students):
            for block in range(blocks):
                over = seats_in_block[student, block] - 1.0
                if nobody[block]:
                    nobody_online.block[student, block] += move * over * arena.present[student, block]
                else:
                    prices.block[student, block] = max(0.0, prices.block[student, block] + move * over)
            for skill in range(prices.skill.shape[1]):
                over = seats_on_skill[student, skill] - 1.0
                prices.skill[student, skill] = max(0.0, prices.skill[student, skill] + move * over)
            most = arena.coverage[student]
            over = seats[student] - (1.0 if prices.covered[student] < most else 0.0)
            prices.covered[student] = min(most, max(0.0, prices.covered[student] - move * over))
            for adult in range(adults):
                most = arena.weights[RELATIONSHIPS] * arena.relation[student, adult]
                over = seats_with[student, adult] - (1.0 if prices.met[student, adult] < most else 0.0)
                prices.met[student, adult] = min(most, max(0.0, prices.met[student, adult] - move * over))


@_entry
def online_score(arena):
    """The score of a day that everybody spends online: what plans are measured from."""
    score = 0.0
    for student in range(len(arena.present)):
        there = False
        for block in range(arena.present.shape[1]):
            there |= arena.present[student, block]
            if arena.before[student, block] > ONLINE:
                score -= arena.weights[PERTURBATION]
        if there:
            score -= arena.coverage[student]
        score -= arena.teacher_time_due[student]
    return score


@_kernel
def _best_block(arena, offers, prices, block, bonus, nodes, last, chosen, sizes, worth, leads):
    """Finds each adult's best session, kept in `last`, `chosen` and `sizes`; returns what `_best_leads` does."""
    offers = _price(arena, offers, prices, block)
    for adult in range(len(arena.qualified)):
        worth[block, adult], sizes[block, adult] = 0.0, 0
        if arena.adult_in[adult, block]:
            worth[block, adult], sizes[block, adult] = _best_session(
                arena, offers, block, adult, bonus, nodes, last[block, adult], chosen[block, adult]
            )
    return _best_leads(arena, block, worth[block], sizes[block], bonus, leads[block])


@_kernel
def _price(arena, offers, prices, block):
    """Returns the offers at the prices of a block."""
    priced = np.empty(len(arena.eligible))
    for skill in range(len(arena.eligible_start) - 1):
        for at in range(arena.eligible_start[skill], arena.eligible_start[skill + 1]):
            student = arena.eligible[at]
            priced[at] = prices.covered[student] - prices.block[student, block] - prices.skill[student, skill]
    return Offers(offers.start, offers.place, offers.points, offers.halves, priced, prices.met)


@_kernel
def _best_leads(arena, block, worth, sizes, bonus, leads):
    """The most that led sessions of a block are worth with enough adults left to monitor those online, if any are.

    The more lead, the fewer may be online, so the more students the sessions have to hold. With a `bonus` in each
    seat's worth that is asked for by a price; without one, only by what the largest sessions could hold.

    Returns:
        The worth, and the seats that it is short of what its number of monitors asks for.
    """
    adults = len(worth)
    present, able, reach, seats, total = 0, 0, 0, 0, 0.0
    for student in range(len(arena.present)):
        present += arena.present[student, block]
    monitors = np.empty(adults, np.int64)
    leads[:] = False
    for adult in range(adults):
        if not arena.adult_in[adult, block]:
            continue
        if arena.may_monitor[adult]:
            monitors[able] = adult
            able += 1
        else:
            leads[adult] = worth[adult] > 0.0
            total += worth[adult]
            seats += sizes[adult]
            reach += arena.most[adult].max()
    monitors = monitors[:able]
    by_worth = monitors[np.argsort(-worth[monitors])]
    largest = np.zeros(able, np.int64)
    for at in range(able):
        largest[at] = arena.most[monitors[at]].max()
    largest = np.sort(largest)[::-1]
    best, best_count, short = -np.inf, 0, 0
    for count in range(able + (present == 0)):  # of those who may monitor and lead instead
        if count:
            total += worth[by_worth[count - 1]]
            seats += sizes[by_worth[count - 1]]
            reach += largest[count - 1]
        asked = max(0, present - (able - count) * arena.ratio)
        if asked <= reach and total - bonus * asked > best:
            best, best_count, short = total - bonus * asked, count, asked - seats
    for at in range(best_count):
        leads[by_worth[at]] = worth[by_worth[at]] > 0.0
    return max(best, 0.0), short


@_kernel
def _nobody_online(arena, offers, prices, block, floor, last, chosen, sizes, leads):
    """The most that led sessions with all students of a block are worth, at least `floor` if that may be exceeded.

    Depth-first over what each adult leads. A branch ends where it could not exceed the best so far, where too few
    seats are left, or where too few students are left whom one of the sessions suits. Prices take the place of the
    rule that nobody has two seats. Where it exceeds the floor, `last`, `chosen`, `sizes` and `leads` tell the sessions.

    Returns:
        The worth; minus infinity where nothing exceeds the floor.
    """
    students, adults = len(arena.present), len(arena.qualified)
    skills, kinds = arena.qualified.shape[1], arena.most.shape[1]
    present, places = 0, 0
    for student in range(students):
        present += arena.present[student, block]
    for adult in range(adults):
        places += arena.most[adult].max() * arena.adult_in[adult, block]
    if present == 0 or places < present:
        return -np.inf
    offers = _price(arena, offers, prices, block)
    options = skills * kinds
    worth, seats = np.full((adults, options + 1), -np.inf), np.zeros((adults, options + 1), np.int64)
    worth[:, options] = 0.0  # to lead nothing
    suits = np.zeros((adults, skills + 1, students), np.bool_)
    session, group = np.empty(2, np.int64), np.empty(chosen.shape[2], np.int64)
    most_worth, most_seats = np.zeros(adults + 1), np.zeros(adults + 1, np.int64)
    order = np.empty((adults, options + 1), np.int64)
    for adult in range(adults):
        for skill in range(skills):
            if not arena.adult_in[adult, block] or arena.qualified[adult, skill] <= 0.0 or not arena.held[block, skill]:
                continue
            count = 0
            for at in range(arena.eligible_start[skill], arena.eligible_start[skill + 1]):
                student = arena.eligible[at]
                fits = arena.seatable[student, block] and arena.may_teach[student, adult]
                suits[adult, skill, student] = fits
                count += fits
            for kind in range(kinds):
                most = min(count, arena.most[adult, kind])
                if most:
                    option = skill * kinds + kind
                    worth[adult, option], _ = _session_worth(
                        arena, offers, block, adult, 0.0, NO_NODES, kind, skill, -np.inf, NO_SEATS, session, group
                    )
                    seats[adult, option] = most
        for at, option in enumerate(np.argsort(-worth[adult])):
            order[adult, at] = option
    for adult in range(adults - 1, -1, -1):
        most_worth[adult] = most_worth[adult + 1] + worth[adult].max()
        most_seats[adult] = most_seats[adult + 1] + seats[adult].max()
    tried, value, held = np.zeros(adults + 1, np.int64), np.zeros(adults + 1), np.zeros(adults + 1, np.int64)
    suited = np.zeros((adults + 1, students), np.bool_)
    best, looks, depth = floor, 0, 0
    taken, best_taken = np.empty(adults, np.int64), np.empty(adults, np.int64)
    while depth >= 0:
        if depth == adults:
            best = value[depth]
            for adult in range(adults):
                best_taken[adult] = taken[adult]
            depth -= 1
            continue
        if tried[depth] > options:
            depth -= 1
            continue
        option = order[depth, tried[depth]]
        reach = value[depth] + worth[depth, option] + most_worth[depth + 1]
        if reach <= best + 1e-12:  # so are the options after it
            depth -= 1
            continue
        tried[depth] += 1
        if held[depth] + seats[depth, option] + most_seats[depth + 1] < present:
            continue
        skill, count = option // kinds, 0
        for student in range(students):
            suited[depth + 1, student] = suited[depth, student] or suits[depth, skill, student]
            count += suited[depth + 1, student]
        if count + most_seats[depth + 1] < present:
            continue
        looks += 1
        taken[depth] = option
        if looks > BRANCHES:  # as if the best of what is left fitted
            best = reach
            for adult in range(adults):
                best_taken[adult] = taken[adult] if adult <= depth else order[adult, 0]
            continue
        value[depth + 1] = value[depth] + worth[depth, option]
        held[depth + 1] = held[depth] + seats[depth, option]
        tried[depth + 1] = 0
        depth += 1
    if best <= floor:
        return -np.inf
    for adult in range(adults):
        option = best_taken[adult]
        leads[adult] = option < options
        if leads[adult]:
            skill, kind = option // kinds, option % kinds
            _, sizes[block, adult] = _session_worth(
                arena,
                offers,
                block,
                adult,
                0.0,
                NO_NODES,
                kind,
                skill,
                -np.inf,
                NO_SEATS,
                last[block, adult],
                chosen[block, adult],
            )
    return best


@_kernel
def _best_session(arena, offers, block, adult, bonus, nodes, last, chosen):
    """The most that a session of an adult can be worth at these prices, and its size; `last` and `chosen` tell which.

    The best session of the round before is looked at first, since it most often is the best again.
    """
    best, size = 0.0, NO_SEATS
    kind_before, skill_before = last[0], last[1]
    if kind_before != NOT_LED:
        best, size = _session_worth(
            arena, offers, block, adult, bonus, nodes, kind_before, skill_before, best, size, last, chosen
        )
    for skill in range(arena.qualified.shape[1]):
        for kind in range(arena.most.shape[1]):
            if kind != kind_before or skill != skill_before:
                best, size = _session_worth(
                    arena, offers, block, adult, bonus, nodes, kind, skill, best, size, last, chosen
                )
    return best, size


@_kernel
def _session_worth(arena, offers, block, adult, bonus, nodes, kind, skill, best, size, last, chosen):
    """The best worth and size so far, with one more kind of session on one skill looked at."""
    at = ((block * len(arena.most) + adult) * arena.most.shape[1] + kind) * arena.qualified.shape[1] + skill
    first, count = offers.start[at], offers.start[at + 1] - offers.start[at]
    if count == 0:
        return best, size
    places, eligible, size_allowed = offers.place[first : first + count], arena.eligible, arena.size_allowed
    most, least = min(arena.most[adult, kind], count), arena.least[adult, kind]
    points = np.empty(count)
    for at in range(count):
        place = places[at]
        points[at] = offers.points[first + at] + bonus + offers.priced[place] + offers.met[eligible[place], adult]
    top, order = np.empty(most), np.empty(most, np.int64)
    _take_most(points, most, top, order)
    total, reach, reached = 0.0, -np.inf, 0
    for turn in range(most):
        total += top[turn]
        if size_allowed[adult, kind, turn + 1] and total > reach:
            reach, reached = total, turn + 1
    if reach <= best:
        return best, size
    if not arena.has_pairs:
        last[0], last[1] = kind, skill
        for turn in range(reached):
            chosen[turn] = eligible[places[order[turn]]]
        return reach, reached
    if nodes:
        ordered = np.argsort(-points)
        reach, reached = _best_set(
            arena, eligible[places[ordered]], points[ordered], adult, kind, least, most, best, nodes, chosen
        )
        if reach > best:
            last[0], last[1] = kind, skill
            return reach, reached
        return best, size
    paired, order_paired, apart = np.empty(count), np.empty(most, np.int64), 0.0
    for number in range(1, most + 1):
        apart += points[order[number - 1]]
        if not size_allowed[adult, kind, number] or apart <= best:  # company gives no points
            continue
        for at in range(count):
            paired[at] = points[at] + offers.halves[places[at], number - 1]
        _take_most(paired, number, top, order_paired)
        total = 0.0
        for turn in range(number):
            total += top[turn]
        if total > best and not math.isnan(total):
            best, size = total, number
            last[0], last[1] = kind, skill
            for turn in range(number):
                chosen[turn] = eligible[places[order_paired[turn]]]
    return best, size


@_kernel
def _take_most(values, number, top, places):
    """Puts the greatest values into `top`, the greatest first, and where they are into `places`."""
    kept = 0
    for at in range(len(values)):
        value = values[at]
        if kept == number:
            if value <= top[kept - 1]:
                continue
        else:
            kept += 1
        to = kept - 1
        while to > 0 and top[to - 1] < value:
            top[to], places[to] = top[to - 1], places[to - 1]
            to -= 1
        top[to], places[to] = value, at


@_kernel
def _best_set(arena, students, points, adult, kind, least, most, floor, nodes, chosen):
    """The most that a group of these students is worth beside each other, and its size.

    Depth-first over who is in it, students ordered by their points; a branch ends where the best of those left, taken
    without each other's company, could not beat the best so far. Where `nodes` do not suffice, branches not looked at
    count as they could be at most, so that the worth still bounds every group.
    """
    between, size_allowed, count = arena.between, arena.size_allowed[adult, kind], len(students)
    worth = np.empty((most + 1, count))  # what each adds beside those picked before, by how many these are
    for at in range(count):
        worth[0, at] = points[at]
    after, value = np.zeros(most + 1, np.int64), np.zeros(most + 1)
    picked, room = np.empty(most + 1, np.int64), np.empty(count)
    best, open_to, found, depth, looks = floor, floor, 0, 0, 0
    while depth >= 0:
        first = after[depth]
        most_left = _reach(worth[depth], first, max(0, least - depth), most - depth, room)
        if value[depth] + most_left <= best + 1e-12:
            depth -= 1
            continue
        looks += 1
        if looks > nodes:
            open_to = max(open_to, value[depth] + most_left)
            depth -= 1
            continue
        after[depth] = first + 1
        if worth[depth, first] == -np.inf:
            continue
        picked[depth] = students[first]
        depth += 1
        value[depth], after[depth] = value[depth - 1] + worth[depth - 1, first], first + 1
        for at in range(first + 1, count):
            worth[depth, at] = worth[depth - 1, at] + between[students[first], students[at]]
        if size_allowed[depth] and value[depth] > best:
            best, found = value[depth], depth
            for at in range(depth):
                chosen[at] = picked[at]
    return max(best, open_to), found


@_kernel
def _reach(worth, first, least, most, room):
    """The most that students from a place on could add, at least and at most so many; minus infinity for too few."""
    count = len(worth) - first
    if count < max(1, least) or most < 1:
        return -np.inf
    for at in range(count):
        room[at] = worth[first + at]
    total = 0.0
    for turn in range(min(most, count)):
        top = turn
        for at in range(turn + 1, count):
            if room[at] > room[top]:
                top = at
        room[turn], room[top] = room[top], room[turn]
        if room[turn] <= 0.0 and turn >= least:
            break
        total += room[turn]
    return total
