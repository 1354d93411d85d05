"""Finds a set of rules that cannot hold together though it could if any one of them were given up.

Source: Junker 2004, QUICKXPLAIN: preferred explanations and relaxations for over-constrained problems.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from serving.grouping.conflicts import find_conflicts
from serving.grouping.infeasible.giving import give_up
from serving.grouping.infeasible.oracle import Oracle, Verdict
from serving.grouping.infeasible.scales import list_scales
from serving.grouping.infeasible.steps import Step, list_steps
from serving.grouping.problem import Problem


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
