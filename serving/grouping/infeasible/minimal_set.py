"""Finds a set of rules that cannot hold together though it could if any one of them were relaxed.

Source: Junker 2004, QUICKXPLAIN: preferred explanations and relaxations for over-constrained problems.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from serving.grouping.clock import is_over
from serving.grouping.exact.blocks import NODES, find_sessions, open_sessions
from serving.grouping.infeasible.concessions import SoftConstraint, list_graded_constraints, list_soft_constraints
from serving.grouping.infeasible.counting import has_conflicts
from serving.grouping.infeasible.relaxed_problem import relax
from serving.grouping.problem.problem import Problem
from serving.grouping.rules.check import find_violations
from serving.grouping.search.greedy import draw_plan, find_violated_rule
from serving.grouping.state.arrays import ProblemData, build_data
from serving.grouping.state.draft import Draft

UNANSWERED = 5
"""Programs that one without an answer counts for, since it takes about so many times as long."""


class Verdict(StrEnum):
    """What is known of a day; `unknown` is neither of the others, and nothing follows from it."""

    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"
    UNKNOWN = "unknown"


class FeasibilityOracle:
    """Answers whether days have plans: by exact programs until so many were solved, and then by quick means only.

    Args:
        nodes: parts of the search of one exact program.
        programs: exact programs in all; one that ends without an answer counts for `UNANSWERED` of them.
        until: when every further answer is unknown, on the clock of `time.perf_counter`; None: without a clock.
    """

    def __init__(self, nodes: int = NODES, programs: int = 1_000, until: float | None = None) -> None:
        self.nodes, self.programs_left, self.until = nodes, programs, until
        self.unknown = 0

    def hurry(self) -> "FeasibilityOracle":
        """Returns one with the same clock that solves no program."""
        return FeasibilityOracle(self.nodes, 0, self.until)

    def charge(self, *, answered: bool) -> None:
        """Counts an exact program."""
        self.programs_left -= 1 if answered else UNANSWERED

    def judge(self, problem: Problem, blocks: Collection[str] | None = None) -> Verdict:
        """Counts, constructs a plan, and only then solves a program; a plan is one only if the checker accepts it.

        Args:
            problem: the day.
            blocks: the blocks that count, by id; None: all.
        """
        if is_over(self.until):
            self.unknown += 1
            return Verdict.UNKNOWN
        problem = problem if blocks is None else restrict_to_blocks(problem, blocks)
        if has_conflicts(problem):
            return Verdict.INFEASIBLE
        data = build_data(problem)
        draft = draw_plan(data, data.arrays, until=self.until)
        verdict = Verdict.FEASIBLE if _keeps_rules(problem, draft) else self._solve(data)
        self.unknown += verdict is Verdict.UNKNOWN
        return verdict

    def is_enough(
        self, problem: Problem, constraints: Sequence[SoftConstraint], blocks: Collection[str] | None = None
    ) -> bool:
        """Says whether a problem, or some blocks of it, is shown to have a plan without some constraints."""
        return not is_over(self.until) and self.judge(relax(problem, constraints), blocks) is Verdict.FEASIBLE

    def _solve(self, data: ProblemData) -> Verdict:
        if self.programs_left <= 0:
            return Verdict.UNKNOWN
        blocks = range(len(data.problem.blocks))
        groups, proven = find_sessions(Draft(data), blocks, nodes=self.nodes, until=self.until)
        self.charge(answered=groups is not None or proven)
        if groups is None:
            return Verdict.INFEASIBLE if proven else Verdict.UNKNOWN
        draft = open_sessions(Draft(data), groups, blocks)
        return Verdict.FEASIBLE if draft is not None and _keeps_rules(data.problem, draft) else Verdict.UNKNOWN


def _keeps_rules(problem: Problem, draft: Draft) -> bool:
    rules = (find_violated_rule(draft, block) for block in range(len(problem.blocks)))
    return all(rule is None for rule in rules) and not find_violations(problem, draft.finish())


def restrict_to_blocks(problem: Problem, blocks: Collection[str]) -> Problem:
    """Returns the day with these blocks only; where that has no plan, neither has the day."""
    kept = frozenset(blocks)
    rooms = problem.rooms
    if rooms is not None:
        rooms = tuple(replace(room, blocks=kept if room.blocks is None else room.blocks & kept) for room in rooms)
    return replace(
        problem,
        blocks=tuple(block for block in problem.blocks if block.id in kept),
        students=tuple(replace(student, blocks=student.blocks & kept) for student in problem.students),
        adults=tuple(replace(adult, blocks=adult.blocks & kept) for adult in problem.adults),
        rooms=rooms,
        pins=tuple(pin for pin in problem.pins if pin.block in kept),
        previous=tuple(seat for seat in problem.previous if seat.block in kept),
    )


@dataclass(frozen=True, slots=True)
class MinimalSet:
    """Rules that no plan keeps together; without any, not even a day with all that may be relaxed has a plan.

    Attributes:
        minimal: whether it is proven that a plan exists once any one of them is relaxed.
    """

    constraints: tuple[SoftConstraint, ...]
    minimal: bool


def list_constraints(problem: Problem) -> tuple[SoftConstraint, ...]:
    """Returns the rules of a problem that may be relaxed, each altogether; those that a person asked for come first.

    What holds beside them always: one session a block, a skill once a day, one duty for an adult.
    """
    graded = [constraint.whole for constraint in list_graded_constraints(problem) if not constraint.covered]
    return (*list_soft_constraints(problem), *graded)


def find_minimal_set(problem: Problem, feasibility: FeasibilityOracle) -> MinimalSet:
    """Returns a minimal set of rules in conflict; the problem must be proven to have no plan.

    What the oracle leaves unknown is taken for neither answer: the set stays one that no plan keeps, and only `minimal`
    becomes False. Where the clock ends before it is small, there is none.
    """
    constraints = list_constraints(problem)
    unknown = feasibility.unknown

    def keep_only(kept: Sequence[SoftConstraint]) -> Problem:
        ids = {id(constraint) for constraint in kept}
        return relax(problem, [constraint for constraint in constraints if id(constraint) not in ids])

    def is_contradiction(kept: Sequence[SoftConstraint]) -> bool:
        if is_over(feasibility.until):
            feasibility.unknown += 1
            return False
        return feasibility.judge(keep_only(kept)) is Verdict.INFEASIBLE

    def is_counted_out(kept: Sequence[SoftConstraint]) -> bool:
        return not is_over(feasibility.until) and has_conflicts(keep_only(kept))

    # A set that counting shows to be in conflict is found at once and leaves little to ask of exact programs.
    few = constraints
    if is_over(feasibility.until):
        return MinimalSet((), minimal=False)
    if is_counted_out(constraints):
        few = () if is_counted_out(()) else _quick_xplain(is_counted_out, (), (), constraints)
    if not few or is_contradiction(()):
        return MinimalSet((), minimal=True)
    found = few if len(few) == 1 else _quick_xplain(is_contradiction, (), (), few)
    if is_over(feasibility.until):
        return MinimalSet((), minimal=False)
    ids = {id(constraint) for constraint in found}
    in_order = tuple(constraint for constraint in constraints if id(constraint) in ids)
    return MinimalSet(in_order, feasibility.unknown == unknown)


def _quick_xplain(
    is_contradiction: Callable[[Sequence[SoftConstraint]], bool],
    background: tuple[SoftConstraint, ...],
    added: tuple[SoftConstraint, ...],
    constraints: tuple[SoftConstraint, ...],
) -> tuple[SoftConstraint, ...]:
    """Returns the constraints needed, beside the background, for a contradiction; all of them together are one."""
    if added and is_contradiction(background):
        return ()
    if len(constraints) == 1:
        return constraints
    first, second = constraints[: len(constraints) // 2], constraints[len(constraints) // 2 :]
    of_second = _quick_xplain(is_contradiction, (*background, *first), first, second)
    of_first = _quick_xplain(is_contradiction, (*background, *of_second), of_second, first)
    return (*of_first, *of_second)
