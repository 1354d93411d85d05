"""Finds the cheapest of some rules to give up so that a day has a plan, in the time there is."""

import time
from collections.abc import Callable, Sequence

from serving.grouping.clock import is_over
from serving.grouping.errors import Conflict
from serving.grouping.infeasible.concessions import SoftConstraint, list_soft_constraints
from serving.grouping.infeasible.minimal_set import FeasibilityOracle, Verdict, restrict_to_blocks
from serving.grouping.infeasible.relaxations import Relaxation, RelaxationSearch
from serving.grouping.problem.problem import Problem

EXACT_SHARE = 0.5
"""Share of the time that exact programs have."""

FEW = 12
"""Rules up to which exact programs look for the cheapest of them."""


def give_way(
    problem: Problem,
    may_give_way: Callable[[SoftConstraint], bool],
    known: Sequence[Conflict] = (),
    *,
    nodes: int,
    programs: int,
    until: float | None = None,
) -> Relaxation | None:
    """Returns what gives way so that the day has a plan, which is proven; None where that is not enough or not shown.

    The cheapest set is looked for by exact programs; where they have no answer, or there is no time for them, each rule
    is kept with which a plan is constructed, the dearest first, until the time is up.

    Args:
        problem: a day without a plan.
        may_give_way: says which of the rules of `list_soft_constraints` may.
        known: conflicts of an `InfeasibleError` of the day; rules of those whom they concern give way before others.
        nodes: parts of the search of each exact program.
        programs: exact programs in all.
        until: when to stop, on the clock of `time.perf_counter`; None: without a clock.
    """
    began = time.perf_counter()
    allowed = [constraint for constraint in list_soft_constraints(problem) if may_give_way(constraint)]
    quick = FeasibilityOracle(programs=0)
    students = {student for conflict in known for student in conflict.students}
    concerned = [constraint for constraint in allowed if students.issuperset(constraint.students)]
    if not quick.is_enough(problem, concerned):
        concerned = allowed
        if not quick.is_enough(problem, concerned):
            return None
    parts, here = _find_parts(problem, concerned, quick)
    exact_until = None if until is None else began + EXACT_SHARE * (until - began)
    if len(here) <= FEW and not is_over(exact_until):
        search = RelaxationSearch(problem, parts, FeasibilityOracle(nodes, programs, exact_until))
        found = search.relax_some(here)
        if found is not None:
            return found
    dropped = list(concerned)
    for constraint in sorted(concerned, key=lambda constraint: -constraint.penalty):
        if is_over(until):
            break
        others = [other for other in dropped if other is not constraint]
        if quick.is_enough(problem, others):
            dropped = others
    return RelaxationSearch(problem, parts, quick).prove(dropped)


def _find_parts(
    problem: Problem, allowed: Sequence[SoftConstraint], quick: FeasibilityOracle
) -> tuple[list[frozenset[str]], list[SoftConstraint]]:
    """Returns the blocks that counting shows to have no plan, or else all, and the rules that matter there."""
    alone = [frozenset({block.id}) for block in problem.blocks]
    parts = [part for part in alone if quick.judge(restrict_to_blocks(problem, part)) is Verdict.INFEASIBLE]
    if not parts:
        return [frozenset(block.id for block in problem.blocks)], list(allowed)
    blocks = frozenset().union(*parts)
    here = [
        constraint for constraint in allowed if constraint.rule != "pinned" or constraint.subject[0].block in blocks
    ]
    return parts, here
