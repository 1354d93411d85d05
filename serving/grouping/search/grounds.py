"""Names the rules that leave a day without any plan: those of which each one, given up, would leave one."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from serving.grouping.errors import Conflict
from serving.grouping.exact.feasible_sessions import find_sessions
from serving.grouping.problem.places import Room
from serving.grouping.problem.policy import LED, SizeBound
from serving.grouping.problem.problem import Problem
from serving.grouping.search.sketch import carry_block, seat_pins
from serving.grouping.state.arrays import Index, index_problem
from serving.grouping.state.draft import Draft


def find_grounds(index: Index, obstacle: str) -> tuple[Conflict, ...]:
    """Returns a conflict for each block that cannot stand even on its own, or one for the day.

    Args:
        index: a problem that is proven to have no plan.
        obstacle: the rule to name where no single rule, given up, would do.
    """
    alone = [block for block in range(len(index.problem.blocks)) if not _stands(index, [block])]
    if alone:
        return tuple(_tell(index, [block], (), obstacle) for block in alone)
    return (_tell(index, list(range(len(index.problem.blocks))), ("skill_once",), obstacle),)


def _stands(index: Index, blocks: list[int]) -> bool:
    """Whether blocks may stand together; a search that ends without an answer speaks for it."""
    groups, proven = find_sessions(Draft(index), blocks)
    return groups is not None or not proven


def _tell(index: Index, blocks: list[int], rules: tuple[str, ...], obstacle: str) -> Conflict:
    rules += _sufficient(index, blocks, rules, _sketched) or _sufficient(index, blocks, rules, _found)
    problem, block = index.problem, blocks[0]
    if len(blocks) == 1:
        rooms = index.rooms[block]
        there = f"{index.present[:, block].sum()} students, {index.adult_in[:, block].sum()} adults"
        there += "" if rooms is None else f" and {len(rooms)} free rooms"
        sentence = f"{problem.blocks[block].label}, with {there}, has no sessions that keep every rule"
    else:
        sentence = "Each block could be held on its own, but not all of them on one day"
    if rules:
        sentence += f"; giving up any one of these would do: {', '.join(WORDS[rule] for rule in rules)}"
    return Conflict(rules or (obstacle,), f"{sentence}.")


def _sufficient(
    index: Index, blocks: list[int], rules: tuple[str, ...], possible: Callable[[Index, list[int]], bool]
) -> tuple[str, ...]:
    """Returns the rules of which each, given up, would do, as far as one way of asking shows it."""
    found: tuple[str, ...] = ()
    for rule, relax in RELAXED.items():
        if (rule not in COVERED or COVERED[rule] not in (*rules, *found)) and possible(relax(index), blocks):
            found += (rule,)
    return found


def _sketched(index: Index, blocks: list[int]) -> bool:
    draft = seat_pins(index)
    return draft is not None and all(carry_block(draft, block) is None for block in blocks)


def _found(index: Index, blocks: list[int]) -> bool:
    return find_sessions(Draft(index), blocks)[0] is not None


def _restate(change: Callable[[Problem], Problem]) -> Callable[[Index], Index]:
    return lambda index: index_problem(change(index.problem))


def _large_rooms(problem: Problem) -> Problem:
    if problem.rooms is None:
        return problem
    return replace(problem, rooms=tuple(Room(r.id, len(problem.students), r.blocks, r.station) for r in problem.rooms))


def _any_size(problem: Problem) -> Problem:
    offered = {bound.modality for bound in problem.sizes}
    return replace(
        problem,
        sizes=tuple(SizeBound(kind, 1, max(1, len(problem.students))) for kind in LED if kind in offered),
        adults=tuple(replace(adult, max_group=None) for adult in problem.adults),
    )


RELAXED: dict[str, Callable[[Index], Index]] = {
    "pinned": _restate(lambda problem: replace(problem, pins=())),
    "keep_apart": _restate(lambda problem: replace(problem, keep_apart=())),
    "certified": _restate(
        lambda problem: replace(problem, students=tuple(replace(s, needs_certified=False) for s in problem.students))
    ),
    "catch_up_days": _restate(lambda problem: replace(problem, most_catch_up_days=None)),
    "supervision": lambda index: replace(index, trainee=np.zeros_like(index.trainee)),
    "permission": lambda index: replace(index, may_monitor=np.ones_like(index.may_monitor)),
    "monitors": _restate(lambda problem: replace(problem, students_per_monitor=max(1, len(problem.students)))),
    "room_capacity": _restate(_large_rooms),
    "rooms": _restate(lambda problem: replace(problem, rooms=None)),
    "group_size": _restate(_any_size),
}
COVERED = {"rooms": "room_capacity"}  # a rule that is not asked about once the other, which asks less, would do
WORDS = {
    "skill_once": "each skill once a day for a student",
    "pinned": "the pinned places",
    "keep_apart": "the pairs to be kept apart",
    "certified": "certified adults for those who need them",
    "catch_up_days": "the cap on days in a row in catch-up groups",
    "supervision": "a supervising adult on duty with those in training",
    "permission": "who may monitor online work",
    "monitors": "the number of students whom one adult watches over",
    "room_capacity": "the size of the rooms",
    "rooms": "the number of the rooms",
    "group_size": "the sizes of groups",
}
