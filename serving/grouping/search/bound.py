"""An upper bound on every plan's score, so that a plan can say how much better any other could be.

Lagrangian relaxation (Geoffrion 1974; Fisher 1981): that a student sits in one session of a block, meets a skill once
a day, and counts once as covered, as given the group time due and as met by an adult, and that a pair to keep
together counts once as kept, is priced instead of asked for. What is left falls apart by block: each adult's best
session of every size, which sorting finds, and a dynamic program over adults for who leads how many and who monitors.
Prices are moved along subgradients (Held, Wolfe and Crowder 1974; step by Polyak 1969). The lowest bound seen is valid
whatever the prices.

So adults monitor those online in whole numbers, and sessions have the crowding of their size. A block in which nobody
is online is apart from the others: each student has a seat there at a price of its own, and only skills are held that
together suit everybody, which is looked for branch by branch. Left out, which can only raise the bound: rooms,
supervision, even loads, subgroups' shares. Recent groupmates cost each student half of what the most favorable others
of the skill would, or, where that is asked for, what they do; a pair to keep together gives each of its students half
of its points wherever both may sit. Coaching counts as held.
"""

import math
import time
from typing import NamedTuple

import numba as nb
import numpy as np

from serving.grouping.search.kernel import (
    BENEFIT,
    COACHING,
    KEEP_TOGETHER,
    NOT_LED,
    OBSERVATIONS,
    PERTURBATION,
    RELATIONSHIPS,
)
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

EXACT_SHARE, SLOWNESS = 0.5, 100
"""Share of the time after which groupmates may count exactly, where that leaves time for a round so many times as long
as one before."""

LOWEST, STEP, WAITED = range(3)
"""Positions in the pace: the lowest bound seen, the share of the way to a plan's score, rounds without a lower one."""

ENOUGH = 1e-9
"""Share of its score by which a plan may miss the bound, which is then its score: no plan is better by more."""

NO_NODES, NOBODY_MONITORS = np.int64(0), np.bool_(False)
"""NumPy constants, since numba compiles a function once more for each plain constant that it is called with."""

IDLE, MONITORS = 0, -1
"""What an adult does who leads nobody; else the number of students led."""

_entry = nb.njit(cache=True, error_model="numpy", nogil=True)
"""Compiles a function that Python calls; machine code is kept for these only, with all that they call."""

_kernel = nb.njit(  # type: ignore[call-overload]  # numba knows these options, its types do not
    error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True
)
"""Compiles a function that only compiled code may call: Python would jump to an address that is not there."""


_inlined = nb.njit(error_model="numpy", inline="always")
"""Compiles a function as part of its callers."""


class Prices(NamedTuple):
    """What each relaxed rule costs a seat, or gives it.

    Attributes:
        block: N x B, the price of sitting in one more session of the block; below 0 it pays.
        skill: N x K, the price of meeting the skill once more.
        covered: N, what a seat is given for covering.
        grouped: N, what a seat in a small group or tutoring is given for the time due.
        met: N x A, what a seat is given for meeting the adult.
        kept: P, what a session with both of a pair to keep together is given.
    """

    block: Floats
    skill: Floats
    covered: Floats
    grouped: Floats
    met: Floats
    kept: Floats


class Offers(NamedTuple):
    """Whom each session could seat, and what a seat is worth before prices.

    Attributes:
        start: B x A x C x K, and one more: where the seats of each block, adult, kind and skill begin.
        place: Each seat's student, as a place in `arena.eligible`.
        gain: Each seat's points for need met, in a session where each gets the full effect.
        points: Each seat's other points.
        wish_start: Seats, and one more: where the pairs to keep together of each seat begin, if both may sit there.
        wish: Those pairs.
        halves: Per place in `arena.eligible` and n, half the points beside the n students of the skill who suit best.
    """

    start: Ints
    place: Ints
    gain: Floats
    points: Floats
    wish_start: Ints
    wish: Ints
    halves: Floats


class Blocks(NamedTuple):
    """The best of each block at the prices of the last round, and scratch memory.

    Attributes:
        worth, kind, skill: B x A x sizes, the most that an adult's session of each size can be worth, and which it is.
        does: B x A, how many students each adult leads, see also `IDLE` and `MONITORS`.
        chosen: B x A x sizes, those students.
        rest, values, top, order: Each seat's points after prices, with all that the size brings, and the highest.
        reach: What a session of each size could reach.
        reached, choice, origin: What adults up to one can be worth together, by whether anybody monitors and how many
            students are taken care of; what the last of them does, and from where that was reached.
    """

    worth: Floats
    kind: Ints
    skill: Ints
    does: Ints
    chosen: Ints
    rest: Floats
    values: Floats
    top: Floats
    reach: Floats
    order: Ints
    reached: Floats
    choice: Ints
    origin: Ints


def bound_day(arena: ProblemArrays, value: float, rounds: int, exact: int = 0, until: float | None = None) -> float:
    """Returns a score that no plan exceeds.

    Args:
        arena: the problem.
        value: the score of a plan, which steers the search for a low bound and is no part of it.
        rounds: how often prices are moved, unless moving them helps no more.
        exact: how often after that, with groupmates' points exact; lower, and some twenty to fifty times as slow. With
            a clock, only where it leaves time enough.
        until: when to stop, on the clock of `time.perf_counter`; None: without a clock, and equal problems give equal
            bounds.
    """
    began = time.perf_counter()
    exact = exact if arena.has_pairs else 0
    prices = Prices(
        block=np.zeros(arena.present.shape),
        skill=np.zeros(arena.need.shape),
        covered=arena.coverage / 2,
        grouped=arena.group_time_due / 2,
        met=arena.weights[RELATIONSHIPS] * arena.relation / 2,
        kept=np.full(len(arena.wished), arena.weights[KEEP_TOGETHER] / 2),
    )
    nobody_online = prices._replace(block=np.zeros(arena.present.shape))
    start, place, gain, points = _list_offers(arena)
    wish_start, wish = _list_wishes(arena, start, place)
    offers = Offers(start, place, gain, points, wish_start, wish, _favorable(arena))
    blocks = _new_blocks(arena)
    pace = np.array([np.inf, FIRST_STEP, 0.0])
    state = arena, offers, prices, nobody_online, value
    first_until = began + EXACT_SHARE * (until - began) if until is not None and exact else until
    pace_s = _lower_until(state, rounds, 0, pace, blocks, first_until)
    if exact and pace[LOWEST] > value and (until is None or until - time.perf_counter() > SLOWNESS * pace_s):
        pace[STEP], pace[WAITED] = FIRST_STEP, 0.0
        _lower_until(state, exact, NODES, pace, blocks, until)
    return float(pace[LOWEST])


def _lower_until(
    state: tuple[ProblemArrays, Offers, Prices, Prices, float],
    rounds: int,
    nodes: int,
    pace: Floats,
    blocks: Blocks,
    until: float | None,
) -> float:
    """Lowers the bound for some rounds, fewer where it is settled or the clock ends; returns seconds for each."""
    began, done = time.perf_counter(), 0
    while done < rounds and not _is_settled(pace, state[-1]):
        part = rounds - done
        if until is not None:
            now = time.perf_counter()
            fit = done * (until - now) / max(now - began, 1e-9)  # rounds until then
            if done and fit < 1.0:
                break
            part = min(part, max(1, int(fit / PARTS)))
        _lower(*state, part, nodes, pace, blocks)
        done += part
    return (time.perf_counter() - began) / max(1, done)


def _new_blocks(arena: ProblemArrays) -> Blocks:
    """Returns memory for the best of each block."""
    (students, blocks), adults, sizes = arena.present.shape, len(arena.qualified), arena.size_allowed.shape[2]
    return Blocks(
        worth=np.zeros((blocks, adults, sizes)),
        kind=np.full((blocks, adults, sizes), NOT_LED, np.int64),
        skill=np.full((blocks, adults, sizes), NOT_LED, np.int64),
        does=np.zeros((blocks, adults), np.int64),
        chosen=np.zeros((blocks, adults, sizes), np.int64),
        rest=np.empty(students),
        values=np.empty(students),
        top=np.empty(sizes),
        reach=np.empty(sizes),
        order=np.empty(sizes, np.int64),
        reached=np.empty((adults + 1, 2, students + 1)),
        choice=np.empty((adults + 1, 2, students + 1), np.int64),
        origin=np.empty((adults + 1, 2, students + 1), np.int64),
    )


def _list_wishes(arena: ProblemArrays, start: Ints, place: Ints) -> tuple[Ints, Ints]:
    """Returns `wish_start` and `wish` of `Offers`."""
    found: list[tuple[int, int]] = []
    if len(arena.wished):
        at_place, option = arena.eligible[place], np.repeat(np.arange(len(start) - 1), np.diff(start))
        for pair, (one, other) in enumerate(arena.wished.tolist()):
            here, there = np.flatnonzero(at_place == one), np.flatnonzero(at_place == other)
            _, first, second = np.intersect1d(option[here], option[there], return_indices=True)
            found += [(seat, pair) for seat in (*here[first].tolist(), *there[second].tolist())]
    found.sort()
    seats = np.array([seat for seat, _ in found], np.int64)
    wish_start = np.searchsorted(seats, np.arange(len(place) + 1)).astype(np.int64)
    return wish_start, np.array([pair for _, pair in found], np.int64)


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
    """Returns `start`, `place`, `gain` and `points` of `Offers`."""
    options = arena.present.shape[1] * arena.qualified.size * arena.most.shape[1]
    start, no_places, no_points = np.zeros(options + 1, np.int64), np.empty(0, np.int64), np.empty(0)
    for option in range(options):
        start[option + 1] = start[option] + _list_seats(arena, option, no_places, no_points, no_points)
    place, gain, points = np.empty(start[-1], np.int64), np.empty(start[-1]), np.empty(start[-1])
    for option in range(options):
        first, last = start[option], start[option + 1]
        if first < last:
            _list_seats(arena, option, place[first:last], gain[first:last], points[first:last])
    return start, place, gain, points


@_kernel
def _list_seats(arena, option, place, gain, points):
    """Counts the seats that a session could have, none if they are too few, and writes them where there is room."""
    (adults, skills), kinds = arena.qualified.shape, arena.most.shape[1]
    skill, kind, adult = option % skills, option // skills % kinds, option // (skills * kinds) % adults
    block = option // (skills * kinds * adults)
    if not arena.adult_in[adult, block] or arena.qualified[adult, skill] <= 0.0 or not arena.held[block, skill]:
        return 0
    if not arena.offered[kind, skill]:
        return 0
    quality, stay = arena.weights[BENEFIT] * arena.qualified[adult, skill], arena.weights[PERTURBATION]
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
            effect = arena.effect[adult, kind, int(arena.low_evidence[student, skill])]
            worth = arena.urgent[student, skill]
            before, before_kind = arena.before[student, block], arena.before_kind[student, block]
            if before == ONLINE:
                worth -= stay
            if before == adult and before_kind == kind and arena.before_skill[student, block] == skill:
                worth += stay
            place[count], gain[count], points[count] = at, quality * effect * arena.need[student, skill], worth
        count += 1
    return count if min(count, arena.most[adult, kind]) >= max(1, arena.least[adult, kind]) else 0


@_entry
def _lower(arena, offers, prices, nobody_online, value, rounds, nodes, pace, blocks):
    """Moves prices, of which blocks with nobody online have their own; `pace` has the lowest bound and goes on."""
    students, count = arena.present.shape
    adults = len(arena.qualified)
    fixed = online_score(arena)
    for pair in range(len(arena.coaching)):
        fixed += arena.weights[OBSERVATIONS if arena.coaching[pair, 3] else COACHING] * arena.coaching[pair, 2]
    seats_in_block = np.zeros(prices.block.shape)
    seats_on_skill = np.zeros(prices.skill.shape)
    seats_with = np.zeros(prices.met.shape)
    seats = np.zeros(students)
    seats_grouped = np.zeros(students)
    halves_kept = np.zeros(len(prices.kept))
    nobody = np.zeros(count, np.bool_)  # online
    for _ in range(rounds):
        bound = fixed
        seats_in_block[:] = 0.0
        seats_on_skill[:] = 0.0
        seats_with[:] = 0.0
        seats[:] = 0.0
        seats_grouped[:] = 0.0
        halves_kept[:] = 0.0
        for block in range(count):
            bound += _best_block(arena, offers, prices, nobody_online, block, nodes, blocks, nobody)
            for adult in range(adults):
                size = blocks.does[block, adult]
                if size <= 0:
                    continue
                kind, skill = blocks.kind[block, adult, size], blocks.skill[block, adult, size]
                for turn in range(size):
                    seat = blocks.chosen[block, adult, turn]
                    student = arena.eligible[offers.place[seat]]
                    seats_in_block[student, block] += 1.0
                    seats_on_skill[student, skill] += 1.0
                    seats_with[student, adult] += 1.0
                    seats[student] += 1.0
                    if arena.is_group[kind]:
                        seats_grouped[student] += 1.0
                    for at in range(offers.wish_start[seat], offers.wish_start[seat + 1]):
                        halves_kept[offers.wish[at]] += 0.5
        for student in range(students):
            for skill in range(prices.skill.shape[1]):
                bound += prices.skill[student, skill]
            bound += max(0.0, arena.coverage[student] - prices.covered[student])
            bound += max(0.0, arena.group_time_due[student] - prices.grouped[student])
            for adult in range(adults):
                meeting = arena.weights[RELATIONSHIPS] * arena.relation[student, adult]
                bound += max(0.0, meeting - prices.met[student, adult])
        for pair in range(len(prices.kept)):
            bound += max(0.0, arena.weights[KEEP_TOGETHER] - prices.kept[pair])
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
        length, move = 0.0, 0.0
        for _turn in range(2):  # first how long the subgradient is, then the step along it
            for student in range(students):
                for block in range(count):
                    over = seats_in_block[student, block] - 1.0
                    if nobody[block]:
                        if arena.present[student, block]:
                            length += over * over
                            nobody_online.block[student, block] += move * over
                    else:
                        length += _step(prices.block[student], block, over, move, np.inf)
                for skill in range(prices.skill.shape[1]):
                    length += _step(prices.skill[student], skill, seats_on_skill[student, skill] - 1.0, move, np.inf)
                length += _gift_step(prices.covered, student, seats[student], move, arena.coverage[student])
                length += _gift_step(
                    prices.grouped, student, seats_grouped[student], move, arena.group_time_due[student]
                )
                for adult in range(adults):
                    meeting = arena.weights[RELATIONSHIPS] * arena.relation[student, adult]
                    length += _gift_step(prices.met[student], adult, seats_with[student, adult], move, meeting)
            for pair in range(len(prices.kept)):
                length += _gift_step(prices.kept, pair, halves_kept[pair], move, arena.weights[KEEP_TOGETHER])
            move = pace[STEP] * (bound - value) / max(length, 1e-9)


@_kernel
def _step(prices, at, over, move, most):
    """Moves a price at least 0 by its subgradient; returns the square of that, 0 where the price cannot move."""
    if over <= 0.0 and prices[at] <= 0.0:
        return 0.0
    prices[at] = min(most, max(0.0, prices[at] + move * over))
    return over * over


@_kernel
def _gift_step(prices, at, count, move, most):
    """Moves what a seat is given for something that counts once and is worth `most`; returns as `_step`."""
    if most <= 0.0:
        return 0.0
    over = count - (1.0 if prices[at] < most else 0.0)
    prices[at] = min(most, max(0.0, prices[at] - move * over))
    return over * over


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
        score -= arena.group_time_due[student]
    return score


@_kernel
def _best_block(arena, offers, prices, nobody_online, block, nodes, blocks, nobody):
    """The most that a block is worth with what its prices ask back, and whether that is with nobody online.

    `blocks.does` and `blocks.chosen` tell what the adults do and whom they teach then.
    """
    present, places, back, back_full = np.int64(0), 0, 0.0, 0.0
    for student in range(len(arena.present)):
        present += arena.present[student, block]
        back += prices.block[student, block]
        back_full += nobody_online.block[student, block]
    for adult in range(len(arena.qualified)):
        if arena.adult_in[adult, block]:
            largest = 0
            for kind in range(arena.most.shape[1]):
                largest = max(largest, arena.most[adult, kind])
            places += largest
    full = -np.inf
    if 0 < present <= places:
        _find_sessions(arena, offers, nobody_online, block, nodes, blocks)
        full = _share_out(arena, block, present, NOBODY_MONITORS, blocks) + back_full
    _find_sessions(arena, offers, prices, block, nodes, blocks)
    free = _share_out(arena, block, present, present > 0, blocks) + back
    if full > free:
        suiting = _suit_everybody(arena, offers, nobody_online, block, present, free - back_full, blocks)
        full = min(full, suiting + back_full)
    nobody[block] = full > free
    if full > free:
        _find_sessions(arena, offers, nobody_online, block, nodes, blocks)
        _share_out(arena, block, present, NOBODY_MONITORS, blocks)
        _choose(arena, offers, nobody_online, block, nodes, blocks)
        return full
    if free == -np.inf:  # the block has too few monitors, so that there is no plan at all
        blocks.does[block, :] = IDLE
        return back
    _choose(arena, offers, prices, block, nodes, blocks)
    return free


@_kernel
def _price_seats(arena, offers, prices, block, adult, kind, skill, rest):
    """Fills in what seats of a session are worth after prices but for need met; returns the first seat and how many."""
    option = ((block * len(arena.most) + adult) * arena.most.shape[1] + kind) * arena.qualified.shape[1] + skill
    first, count = offers.start[option], offers.start[option + 1] - offers.start[option]
    for at in range(count):
        seat = first + at
        student = arena.eligible[offers.place[seat]]
        worth = offers.points[seat] + prices.covered[student] + prices.met[student, adult]
        worth -= prices.block[student, block] + prices.skill[student, skill]
        if arena.is_group[kind]:
            worth += prices.grouped[student]
        for wish in range(offers.wish_start[seat], offers.wish_start[seat + 1]):
            worth += prices.kept[offers.wish[wish]] / 2
        rest[at] = worth
    return first, count


@_kernel
def _best_of_size(arena, offers, first, count, size, floor, nodes, blocks):
    """The most that a session of a size can be worth at these prices, at least `floor`; `blocks.order` tells who."""
    crowding, values, rest = arena.crowding[size], blocks.values, blocks.rest
    for at in range(count):
        values[at] = rest[at] + crowding * offers.gain[first + at]
    if arena.has_pairs:
        if nodes:
            return _best_set(arena, offers, first, count, size, floor, nodes, blocks)
        for at in range(count):
            values[at] += offers.halves[offers.place[first + at], size - 1]
    _take_most(values, count, size, blocks.top, blocks.order)
    total = 0.0
    for turn in range(size):
        total += blocks.top[turn]
    return -np.inf if math.isnan(total) else total


@_kernel
def _find_sessions(arena, offers, prices, block, nodes, blocks):
    """Fills in the best session of each adult of a block for every size."""
    skills, kinds = arena.qualified.shape[1], arena.most.shape[1]
    for adult in range(len(arena.qualified)):
        worth, kind_of, skill_of = blocks.worth[block, adult], blocks.kind[block, adult], blocks.skill[block, adult]
        for size in range(1, len(worth)):
            worth[size] = -np.inf
        if not arena.adult_in[adult, block]:
            continue
        # the best session of the round before is looked at first, since it most often is the best again
        for size in range(1, len(worth)):
            kind, skill = kind_of[size], skill_of[size]
            if kind != NOT_LED:
                first, count = _price_seats(arena, offers, prices, block, adult, kind, skill, blocks.rest)
                worth[size] = _best_of_size(arena, offers, first, count, size, -np.inf, nodes, blocks)
        for skill in range(skills):
            for kind in range(kinds):
                least, most = arena.least[adult, kind], arena.most[adult, kind]
                if most == 0:
                    continue
                first, count = _price_seats(arena, offers, prices, block, adult, kind, skill, blocks.rest)
                most = min(most, count)
                if most < max(1, least):
                    continue
                # company and crowding only take from what the best students give at the crowding of the least
                for at in range(count):
                    blocks.values[at] = blocks.rest[at] + arena.crowding[least] * offers.gain[first + at]
                _take_most(blocks.values, count, most, blocks.top, blocks.order)
                total = 0.0
                for turn in range(most):
                    total += blocks.top[turn]
                    blocks.reach[turn + 1] = total
                for size in range(max(1, least), most + 1):
                    if not arena.size_allowed[adult, kind, size] or blocks.reach[size] <= worth[size]:
                        continue
                    best = _best_of_size(arena, offers, first, count, size, worth[size], nodes, blocks)
                    if best > worth[size]:
                        worth[size], kind_of[size], skill_of[size] = best, kind, skill


@_kernel
def _share_out(arena, block, present, monitored, blocks):
    """The most that led sessions of a block are worth if all students are taught or can be monitored.

    A dynamic program over adults: each leads a session of some size, monitors as many as one adult may, or is idle.
    Fills in `blocks.does`.

    If `monitored`, somebody monitors; else nobody does, and sessions have to hold all students. The worth is minus
    infinity where adults do not suffice.
    """
    adults, sizes = blocks.worth.shape[1], blocks.worth.shape[2]
    reached, choice, origin = blocks.reached, blocks.choice, blocks.origin
    for adult in range(adults + 1):
        for watched in range(2):
            for held in range(present + 1):
                reached[adult, watched, held] = -np.inf
    reached[0, 0, 0] = 0.0
    for adult in range(adults):
        there = arena.adult_in[adult, block]
        for watched in range(2 if monitored else 1):
            for held in range(present + 1):
                value = reached[adult, watched, held]
                if value == -np.inf:
                    continue
                _reach(blocks, adult, watched, held, value, watched, held, IDLE)
                if not there:
                    continue
                if monitored and arena.may_monitor[adult]:
                    to = min(present, held + arena.ratio)
                    _reach(blocks, adult, watched, held, value, 1, to, MONITORS)
                for size in range(1, sizes):
                    worth = blocks.worth[block, adult, size]
                    if worth > -np.inf:
                        _reach(blocks, adult, watched, held, value + worth, watched, min(present, held + size), size)
    watched, held = int(monitored), present
    best = reached[adults, watched, held]
    if best == -np.inf:
        return best
    for adult in range(adults - 1, -1, -1):
        blocks.does[block, adult] = choice[adult + 1, watched, held]
        before = origin[adult + 1, watched, held]
        watched, held = before % 2, before // 2
    return best


@_inlined
def _reach(blocks, adult, watched, held, value, watched_then, held_then, does):
    """Notes what one adult more leads to, where nothing better does; `blocks.origin` tells from where."""
    if value > blocks.reached[adult + 1, watched_then, held_then]:
        blocks.reached[adult + 1, watched_then, held_then] = value
        blocks.choice[adult + 1, watched_then, held_then] = does
        blocks.origin[adult + 1, watched_then, held_then] = 2 * held + watched


@_kernel
def _choose(arena, offers, prices, block, nodes, blocks):
    """Fills in the seats of each session that is led in a block."""
    for adult in range(blocks.does.shape[1]):
        size = blocks.does[block, adult]
        if size > 0:
            kind, skill = blocks.kind[block, adult, size], blocks.skill[block, adult, size]
            first, count = _price_seats(arena, offers, prices, block, adult, kind, skill, blocks.rest)
            _best_of_size(arena, offers, first, count, size, -np.inf, nodes, blocks)
            for turn in range(size):
                blocks.chosen[block, adult, turn] = first + blocks.order[turn]


@_kernel
def _suit_everybody(arena, offers, prices, block, present, floor, blocks):
    """The most that led sessions with all students of a block are worth, at least `floor` if that may be exceeded.

    Depth-first over what each adult leads. A branch ends where it could not exceed the best so far, where too few
    seats are left, or where too few students are left whom one of the sessions suits. Prices take the place of the
    rule that nobody has two seats.

    Returns:
        The worth; minus infinity where nothing exceeds the floor.
    """
    students, adults = len(arena.present), len(arena.qualified)
    skills, kinds = arena.qualified.shape[1], arena.most.shape[1]
    options = skills * kinds
    worth, seats = np.full((adults, options + 1), -np.inf), np.zeros((adults, options + 1), np.int64)
    suits = np.zeros((adults, skills + 1, students), np.bool_)
    most_worth, most_seats = np.zeros(adults + 1), np.zeros(adults + 1, np.int64)
    order = np.zeros((adults, options + 1), np.int64)
    for adult in range(adults):
        worth[adult, options] = 0.0  # to lead nothing
        for skill in range(skills):
            for kind in range(kinds):
                first, count = _price_seats(arena, offers, prices, block, adult, kind, skill, blocks.rest)
                for at in range(count):
                    suits[adult, skill, arena.eligible[offers.place[first + at]]] = True
                option, most = skill * kinds + kind, min(arena.most[adult, kind], count)
                for size in range(max(1, arena.least[adult, kind]), most + 1):
                    if arena.size_allowed[adult, kind, size]:
                        seats[adult, option] = size
                        best = _best_of_size(arena, offers, first, count, size, -np.inf, NO_NODES, blocks)
                        worth[adult, option] = max(worth[adult, option], best)
        for option in range(options + 1):  # the best first
            to = option
            while to > 0 and worth[adult, order[adult, to - 1]] < worth[adult, option]:
                order[adult, to] = order[adult, to - 1]
                to -= 1
            order[adult, to] = option
    for adult in range(adults - 1, -1, -1):
        most_worth[adult] = most_worth[adult + 1] + worth[adult, order[adult, 0]]
        most_here = 0
        for option in range(options):
            most_here = max(most_here, seats[adult, option])
        most_seats[adult] = most_seats[adult + 1] + most_here
    tried, value, held = np.zeros(adults + 1, np.int64), np.zeros(adults + 1), np.zeros(adults + 1, np.int64)
    suited = np.zeros((adults + 1, students), np.bool_)
    best, looks, depth = floor, 0, 0
    while depth >= 0:
        if depth == adults:
            best = value[depth]
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
        if looks > BRANCHES:  # as if the best of what is left fitted
            best = reach
            continue
        value[depth + 1] = value[depth] + worth[depth, option]
        held[depth + 1] = held[depth] + seats[depth, option]
        tried[depth + 1] = 0
        depth += 1
    return best if best > floor else -np.inf


@_kernel
def _take_most(values, count, number, top, places):
    """Puts the greatest of some values into `top`, the greatest first, and where they are into `places`."""
    kept = 0
    for at in range(count):
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
def _best_set(arena, offers, first, count, size, floor, nodes, blocks):
    """The most that a group of a size is worth with each other's company, at least `floor`; `blocks.order` tells who.

    Depth-first over who is in it, students ordered by their points; a branch ends where the best of those left, taken
    without each other's company, could not beat the best so far. Where `nodes` do not suffice, branches not looked at
    count as they could be at most, so that the worth still bounds every group.
    """
    between = arena.between
    places, points = np.empty(count, np.int64), np.empty(count)
    _take_most(blocks.values, count, count, points, places)
    students = np.empty(count, np.int64)
    for at in range(count):
        students[at] = arena.eligible[offers.place[first + places[at]]]
    for at in range(size):
        blocks.order[at] = places[at]
    worth = np.empty((size + 1, count))  # what each adds beside those picked before, by how many these are
    for at in range(count):
        worth[0, at] = points[at]
    after, value = np.zeros(size + 1, np.int64), np.zeros(size + 1)
    picked, room = np.empty(size + 1, np.int64), np.empty(count)
    best, open_to, depth, looks = floor, floor, 0, 0
    while depth >= 0:
        at_next = after[depth]
        left = size - depth
        most_left = _most_of(worth[depth], at_next, left, room) if left else 0.0
        if value[depth] + most_left <= best + 1e-12:
            depth -= 1
            continue
        if left == 0:
            best = value[depth]
            for at in range(size):
                blocks.order[at] = picked[at]
            depth -= 1
            continue
        looks += 1
        if looks > nodes:
            open_to = max(open_to, value[depth] + most_left)
            depth -= 1
            continue
        after[depth] = at_next + 1
        if worth[depth, at_next] == -np.inf:
            continue
        picked[depth] = places[at_next]
        depth += 1
        value[depth], after[depth] = value[depth - 1] + worth[depth - 1, at_next], at_next + 1
        for at in range(at_next + 1, count):
            worth[depth, at] = worth[depth - 1, at] + between[students[at_next], students[at]]
    return max(best, open_to)


@_kernel
def _most_of(worth, first, number, room):
    """The most that so many students from a place on could add; minus infinity where they are too few."""
    count = len(worth) - first
    if count < number:
        return -np.inf
    for at in range(count):
        room[at] = worth[first + at]
    total = 0.0
    for turn in range(number):
        top = turn
        for at in range(turn + 1, count):
            if room[at] > room[top]:
                top = at
        room[turn], room[top] = room[top], room[turn]
        total += room[turn]
    return total
