"""Finds a set of rules that cannot hold together though it could if any one of them were given up.

Source: Junker 2004, QUICKXPLAIN: preferred explanations and relaxations for over-constrained problems.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from serving.grouping.exact.blocks import NODES, find_sessions, open_sessions
from serving.grouping.infeasible.concessions import Step, list_scales, list_steps
from serving.grouping.infeasible.counting import find_conflicts
from serving.grouping.infeasible.relaxed_problem import give_up
from serving.grouping.problem.problem import Problem
from serving.grouping.rules.check import find_violations
from serving.grouping.search.greedy import draw_plan, find_violated_rule
from serving.grouping.state.arrays import ProblemData, build_data
from serving.grouping.state.draft import Draft

DEAR = 5
"""Such a program takes about so many times as long as one that ends with an answer."""


class Verdict(StrEnum):
    """What is known of a day; `unknown` is neither of the others, and nothing follows from it."""

    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"
    UNKNOWN = "unknown"


class Oracle:
    """Answers whether days have plans, until its patience is spent; from then on only what is soon told.

    Args:
        nodes: parts of the search of one exact program.
        questions: exact programs in all; one that ends without an answer counts for `DEAR` of them.
    """

    def __init__(self, nodes: int = NODES, questions: int = 1_000) -> None:
        self.nodes, self.left = nodes, questions
        self.unknown = 0

    def charge(self, *, answered: bool) -> None:
        """Counts an exact program."""
        self.left -= 1 if answered else DEAR

    def judge(self, problem: Problem) -> Verdict:
        """Counts, sketches a plan, and only then asks a program; a plan is one only if the checker accepts it."""
        if find_conflicts(problem):
            return Verdict.INFEASIBLE
        data = build_data(problem)
        draft = draw_plan(data, data.arrays)
        verdict = Verdict.FEASIBLE if _holds(problem, draft) else self._ask(data)
        self.unknown += verdict is Verdict.UNKNOWN
        return verdict

    def _ask(self, data: ProblemData) -> Verdict:
        if self.left <= 0:
            return Verdict.UNKNOWN
        blocks = range(len(data.problem.blocks))
        groups, proven = find_sessions(Draft(data), blocks, nodes=self.nodes)
        self.charge(answered=groups is not None or proven)
        if groups is None:
            return Verdict.INFEASIBLE if proven else Verdict.UNKNOWN
        draft = open_sessions(Draft(data), groups, blocks)
        return Verdict.FEASIBLE if draft is not None and _holds(data.problem, draft) else Verdict.UNKNOWN


def excerpt(problem: Problem, blocks: Collection[str]) -> Problem:
    """Returns the day with these blocks only; where that has no plan, neither has the day."""
    kept = frozenset(blocks)
    return replace(
        problem,
        blocks=tuple(block for block in problem.blocks if block.id in kept),
        students=tuple(replace(student, blocks=student.blocks & kept) for student in problem.students),
        adults=tuple(replace(adult, blocks=adult.blocks & kept) for adult in problem.adults),
        rooms=None
        if problem.rooms is None
        else tuple(replace(room, blocks=kept if room.blocks is None else room.blocks & kept) for room in problem.rooms),
        pins=tuple(pin for pin in problem.pins if pin.block in kept),
        previous=tuple(seat for seat in problem.previous if seat.block in kept),
    )


def _holds(problem: Problem, draft: Draft) -> bool:
    blocks = range(len(problem.blocks))
    return all(find_violated_rule(draft, at) is None for at in blocks) and not find_violations(problem, draft.finish())


@dataclass(frozen=True, slots=True)
class MinimalSet:
    """Rules that no plan keeps together; without any, not even a day without all rules that may give way has a plan.

    Attributes:
        minimal: whether it is proven that a plan exists once any one of them is given up.
    """

    steps: tuple[Step, ...]
    minimal: bool


def list_rules(problem: Problem) -> tuple[Step, ...]:
    """Returns the named rules of a problem, each as the step that gives it up altogether; those asked for come first.

    What holds beside them always: one session a block, a skill once a day, one duty for an adult.
    """
    scales = [scale.whole for scale in list_scales(problem) if not scale.covered]
    return (*list_steps(problem), *scales)


def find_minimal_set(problem: Problem, oracle: Oracle) -> MinimalSet:
    """Returns a minimal set of rules in conflict; the problem must be proven to have no plan.

    Whatever the exact search leaves open is taken for neither answer: a set stays one that no plan keeps, and only
    `minimal` becomes False.

    Args:
        problem: a day without a plan.
        oracle: answers whether days have plans.
    """
    rules = list_rules(problem)
    unknown = oracle.unknown

    def contradicts(held: Sequence[Step]) -> bool:
        kept = {id(rule) for rule in held}
        given = give_up(problem, [rule for rule in rules if id(rule) not in kept])
        return oracle.judge(given) is Verdict.INFEASIBLE

    def counted(held: Sequence[Step]) -> bool:
        kept = {id(rule) for rule in held}
        return bool(find_conflicts(give_up(problem, [rule for rule in rules if id(rule) not in kept])))

    # A set that counting shows to be in conflict is found at once and leaves little to ask of exact programs.
    few = rules
    if counted(rules):
        few = () if counted(()) else _explain(counted, (), (), rules)
    if not few or contradicts(()):
        return MinimalSet((), minimal=True)
    found = few if len(few) == 1 else _explain(contradicts, (), (), few)
    return MinimalSet(tuple(rule for rule in rules if any(rule is each for each in found)), oracle.unknown == unknown)


def _explain(
    contradicts: Callable[[Sequence[Step]], bool],
    held: tuple[Step, ...],
    added: tuple[Step, ...],
    rules: tuple[Step, ...],
) -> tuple[Step, ...]:
    """Returns the rules that are needed, beside those held, for a contradiction; all of them together are one."""
    if added and contradicts(held):
        return ()
    if len(rules) == 1:
        return rules
    first, second = rules[: len(rules) // 2], rules[len(rules) // 2 :]
    of_second = _explain(contradicts, (*held, *first), first, second)
    of_first = _explain(contradicts, (*held, *of_second), of_second, first)
    return (*of_first, *of_second)
