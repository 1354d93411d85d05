"""Constructs a plan that keeps every hard rule: drawn by the compiled search, or by exact programs where that fails."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from serving.grouping.clock import is_over
from serving.grouping.exact.blocks import solve_blocks, solve_day
from serving.grouping.search.kernel import (
    NOT_LED,
    PERTURBATION,
    Seats,
    construct_day,
    empty_seats,
    insert_sessions,
    make_feasible,
    new_workspace,
    open_session,
)
from serving.grouping.state.arrays import NO_SEAT, ONLINE, PINNED_LED, Bools, ProblemArrays, ProblemData, Slot
from serving.grouping.state.draft import Draft

PULL = 1e6
"""Points of a wanted seat while a day is constructed, above anything else that a seat adds."""

ATTEMPTS = 4
"""Draws of the pinned students, each of them beginning with those who found no seat before."""

REDRAWS, SUBSETS, NOISE = 20, 8, 0.5
"""Further draws of a day with infeasible blocks, sets of adults in each of whom all lead, and by how much the worth of
their sessions strays."""


def construct_plan(
    data: ProblemData, arrays: ProblemArrays, start: Draft | None = None, until: float | None = None
) -> Draft:
    """Returns a partial solution in which every block is feasible and every pinned student is seated.

    Args:
        data: the problem.
        arrays: the problem as arrays, which may have other weights than its own.
        start: sessions to keep where they can be; None: none.
        until: when to stop looking, on the clock of `time.perf_counter`; None: without a clock.

    Raises:
        InfeasibleError: there is no plan, or none was found; `proven` tells which.
    """
    draft = draw_plan(data, arrays, start, REDRAWS, until)
    broken = _find_broken(draft)
    if not broken:
        return draft
    rule = find_violated_rule(draft, broken[0]) or ""
    return solve_blocks(draft, broken, until) or solve_day(data, rule, until)


def draw_plan(
    data: ProblemData,
    arrays: ProblemArrays,
    start: Draft | None = None,
    redraws: int = 0,
    until: float | None = None,
) -> Draft:
    """Returns a partial solution drawn greedily, in which some blocks may be infeasible.

    Pinned students are seated first, beside the sessions of the start or, where that fails, in place of those of their
    block. A block that is infeasible after that is repaired by the fewest changes, or drawn with as many seats as fit.

    Args:
        data: the problem.
        arrays: the problem as arrays, which may have other weights than its own.
        start: sessions to keep where they can be; None: none.
        redraws: how often a day that is still infeasible is drawn once more, at random and with those blocks first,
            since a student meets a skill only once.
        until: when to stop looking, on the clock of `time.perf_counter`; None: without a clock.
    """
    draft = Draft(data) if start is None else start
    if not data.can_lead:
        return draft  # nobody to lead, nobody to teach, or nothing
    small = sorted({slot.block for slot in _find_wrong_sizes(draft)})
    if small:
        seats = to_seats(arrays, draft)
        draw_blocks(arrays, seats, small)
        draft = to_draft(data, seats)
    pinned = arrays.pin == PINNED_LED
    drawn = _seat_pins(draft, arrays, pinned)
    waiting = pinned & ~drawn.taken
    if start is not None and waiting.any():
        drawn = _seat_pins(draft.without(np.flatnonzero(waiting.any(axis=0)).tolist()), arrays, pinned)
    order = list(range(len(data.problem.blocks)))
    best = draft = _repair(drawn, arrays, order, until)
    broken = fewest = _find_broken(best)
    rng = np.random.default_rng(0)
    for _ in range(redraws):
        if not broken or is_over(until):
            break
        others = [block for block in order if block not in broken]
        order = [*rng.permutation(broken).tolist(), *rng.permutation(others).tolist()]
        draft = _repair(drawn, arrays, order, until, rng)
        broken = _find_broken(draft)
        if len(broken) < len(fewest):
            best, fewest = draft, broken
    return best


def _find_broken(draft: Draft) -> list[int]:
    """Returns the blocks that are infeasible or lack an adult-led seat of a pinned student."""
    blocks = range(len(draft.data.problem.blocks))
    return [block for block in blocks if find_violated_rule(draft, block) is not None]


def _repair(
    draft: Draft,
    arrays: ProblemArrays,
    order: list[int],
    until: float | None,
    rng: np.random.Generator | None = None,
) -> Draft:
    """Returns the plan with its infeasible blocks repaired one after the other, where that was possible.

    With a generator, several adults may begin to lead at once, chosen at random.
    """
    for block in order:
        if draft.violated_rule(block) is not None and not is_over(until):
            drawn = None if rng is None else _let_several_lead(draft, arrays, block, rng)
            draft = drawn or _make_feasible(draft, arrays, block)
    return draft


def find_violated_rule(draft: Draft, block: int) -> str | None:
    """Returns the rule that a block breaks, also by a pinned student without an adult-led seat; else None."""
    if ((draft.data.arrays.pin[:, block] == PINNED_LED) & ~draft.taken[:, block]).any():
        return "pinned"
    return draft.violated_rule(block)


def to_seats(arrays: ProblemArrays, draft: Draft) -> Seats:
    """Returns a partial solution in the form that the compiled search takes."""
    seats = empty_seats(arrays)
    for slot, students in draft.groups.items():
        open_session(arrays, seats, slot.block, slot.adult, slot.session_type, slot.skill, np.array(students, np.int64))
    seats.co_teacher[:] = draft.co_teacher.T
    return seats


def to_draft(data: ProblemData, seats: Seats) -> Draft:
    """Returns the seats of the compiled search as a partial solution."""
    draft = Draft(data)
    for block, adult in np.argwhere(seats.kind != NOT_LED).tolist():
        students = sorted(seats.roster[block, adult, : seats.size[block, adult]].tolist())
        draft.open(Slot(block, adult, int(seats.kind[block, adult]), int(seats.skill[block, adult])), tuple(students))
    for block, adult in np.argwhere(seats.co_teacher != NOT_LED).tolist():
        draft.add_co_teacher(block, adult, int(seats.co_teacher[block, adult]))
    return draft


def draw_blocks(arrays: ProblemArrays, seats: Seats, blocks: list[int], noise: float = 0.0, seed: int = 1) -> float:
    """Draws some blocks greedily beside the sessions there are; returns the score, minus infinity if infeasible.

    With noise, the worth of each session that may open strays by up to that share, as the seed has it.
    """
    seatable = np.zeros_like(arrays.seatable)
    seatable[:, blocks] = arrays.seatable[:, blocks]
    there, workspace, rng = arrays._replace(seatable=seatable), new_workspace(arrays), np.array([seed], np.uint64)
    if noise:
        workspace.touched[:] = True
        insert_sessions(there, seats, 1.0, noise, rng, workspace)
    score: float = construct_day(there, seats, rng, workspace)
    return score


def _seat_pins(start: Draft, arrays: ProblemArrays, pinned: Bools) -> Draft:
    """Returns the start with sessions for pinned students; those left without a seat are tried first the next time."""
    first, draft = np.zeros_like(pinned), start
    for _ in range(ATTEMPTS):
        draft = start
        for seats in (first, pinned):
            wanted = seats & ~draft.taken
            if wanted.any():
                drawn = _draw(draft, arrays, wanted, np.flatnonzero(wanted.any(axis=0)).tolist())
                idle = [slot for slot, group in drawn.groups.items() if not pinned[list(group), slot.block].any()]
                draft = drawn.closing([slot for slot in idle if slot not in start.groups])
        waiting = pinned & ~draft.taken
        if not waiting.any():
            break
        first |= waiting
    return draft


def _find_wrong_sizes(draft: Draft) -> list[Slot]:
    """Returns the sessions whose number of students is not allowed."""
    sizes = draft.data.sizes
    return [
        slot for slot, students in draft.groups.items() if len(students) not in sizes[slot.adult][slot.session_type]
    ]


def _draw(
    draft: Draft, arrays: ProblemArrays, wanted: Bools, blocks: list[int], noise: float = 0.0, seed: int = 1
) -> Draft:
    """Draws some blocks with the wanted seats, N x B, before all others; `noise` and `seed` as in `draw_blocks`.

    The only weight of the compiled search on single seats is the penalty of leaving online work in an earlier plan; a
    negative penalty draws students into adult-led sessions.
    """
    weights = arrays.weights.copy()
    weights[PERTURBATION] = -PULL
    pulled = arrays._replace(before=np.where(wanted, ONLINE, NO_SEAT), weights=weights)
    seats = to_seats(arrays, draft)
    draw_blocks(pulled, seats, blocks, noise, seed)
    return to_draft(draft.data, seats)


def _make_feasible(draft: Draft, arrays: ProblemArrays, block: int) -> Draft:
    """Returns the plan with a feasible block of the fewest changed seats, or with as many adult-led seats as it holds.

    One seat too many online needs one more student in an adult-led session. An adult who is missing leaves too few
    monitors, or a trainee without a teacher; then a lead steps in, whose session closes, or two do.
    """
    best, fewest = None, len(draft.taken) + 1
    for closed in _closings(draft, block):
        others = draft.closing(closed)
        seats = to_seats(arrays, others)
        if make_feasible(arrays, seats, block, 1.0, new_workspace(arrays)):
            trial = to_draft(draft.data, seats)
            changed = int((trial.taken[:, block] != draft.taken[:, block]).sum())
            if changed < fewest and not _find_wrong_sizes(trial):
                best, fewest = trial, changed
    if best is not None:
        return best
    wanted = np.zeros_like(arrays.present)
    wanted[:, block] = arrays.present[:, block]
    return _draw(_without_loose(draft, block), arrays, wanted, [block])


def _let_several_lead(draft: Draft, arrays: ProblemArrays, block: int, rng: np.random.Generator) -> Draft | None:
    """Returns the plan with a block in which some adults, chosen at random, lead as many as they can; None if it fails.

    Nobody else may lead, so that several may begin at once who leave too few monitors one by one.
    """
    kept = _without_loose(draft, block)
    free = np.flatnonzero(arrays.adult_in[:, block] & ~kept.on_duty(block))
    wanted = np.zeros_like(arrays.present)
    wanted[:, block] = arrays.present[:, block]
    largest = np.sort(arrays.most.max(axis=1)[free])[::-1]
    for _ in range(SUBSETS):
        count = int(rng.integers(1, len(free) + 1)) if len(free) else 0
        waiting = len(kept.online(block)) - int(largest[:count].sum())
        if waiting > arrays.ratio * (len(free) - count):
            continue
        qualified = np.zeros_like(arrays.qualified)
        leads = rng.choice(free, count, replace=False)
        qualified[leads] = arrays.qualified[leads]
        freely = arrays._replace(qualified=qualified, ratio=len(wanted), may_monitor=np.ones_like(arrays.may_monitor))
        trial = _draw(kept, freely, wanted, [block], NOISE, int(rng.integers(1, 2**32)))
        if find_violated_rule(trial, block) is None and not _find_wrong_sizes(trial):
            return trial
    return None


def _without_loose(draft: Draft, block: int) -> Draft:
    """Returns the plan without those sessions of a block in which nobody is pinned."""
    pinned = {*np.flatnonzero(draft.data.arrays.pin[:, block] == PINNED_LED).tolist()}
    return draft.closing([slot for slot in draft.groups if slot.block == block and not pinned & {*draft.groups[slot]}])


def _closings(draft: Draft, block: int) -> Iterator[tuple[Slot, ...]]:
    """Yields the sessions of a block to close: none, then every one and every two without a pinned student."""
    pinned = set(np.flatnonzero(draft.data.arrays.pin[:, block] == PINNED_LED).tolist())
    held = sorted(slot for slot in draft.groups if slot.block == block and not pinned & set(draft.groups[slot]))
    for count in range(3):
        yield from combinations(held, count)
