"""Explains a day without a plan: which rules conflict, a smallest such set, and what to give up at what price."""

from dataclasses import dataclass

from serving.grouping.errors import Conflict
from serving.grouping.infeasible.concessions import Step
from serving.grouping.infeasible.counting import find_conflicts
from serving.grouping.infeasible.minimal_set import MinimalSet, Oracle, Verdict, excerpt, find_minimal_set, list_rules
from serving.grouping.infeasible.relaxations import Relaxation, find_relaxations
from serving.grouping.infeasible.relaxed_problem import give_up
from serving.grouping.problem.problem import Problem

NODES = 20
"""Parts of each exact search; counted, not timed, so that equal days get equal answers."""

QUESTIONS = 40
"""Exact searches in all; one without an answer counts for several."""


FEW_QUESTIONS = 10
"""Exact searches to name the rules in conflict at once; `explain_conflict` says more to those who wait for it."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why a day has no plan.

    Attributes:
        verdict: whether it has one, as far as is known.
        conflicts: what counting shows, or what the caller knows already.
        minimal_set: rules that no plan keeps together, beside those that always hold; empty where none was found.
        minimal: whether it is proven that giving up any one of them leaves a plan, of the blocks at issue.
        relaxations: what to give up, the cheapest first; each is proven to be enough.
        notes: wishes that contradict rules and give way by themselves.
    """

    verdict: Verdict
    conflicts: tuple[Conflict, ...] = ()
    minimal_set: tuple[Step, ...] = ()
    minimal: bool = False
    relaxations: tuple[Relaxation, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def proven(self) -> bool:
        """Whether it is proven that no plan keeps every rule."""
        return self.verdict is Verdict.INFEASIBLE


def name_conflicts(problem: Problem, known: tuple[Conflict, ...]) -> tuple[Conflict, ...]:
    """Returns the rules of which each, given up for everybody, would leave a plan; so each is part of any conflict.

    It is for a day of which an exact program has shown no more than that there is no plan.

    Args:
        problem: a day without a plan.
        known: conflicts of the `InfeasibleError` that the search raised; where they are not proven, they stay.
    """
    if not all(conflict.proven for conflict in known):
        return known
    oracle = Oracle(NODES, FEW_QUESTIONS)
    failing = _find_failing(problem, oracle)
    part = excerpt(problem, failing[0]) if failing else problem
    # blocks that are feasible one by one share nothing but that a student meets a skill once a day
    rules: tuple[str, ...] = () if failing else ("skill_once",)
    rules += _find_sufficient(part, Oracle(questions=0)) or _find_sufficient(part, oracle)
    where = next((block.label for block in problem.blocks if failing and block.id in failing[0]), "The day")
    sentence = f"{where} has no sessions that keep every rule"
    if rules:
        sentence += f"; giving up any one of these would do: {', '.join(rule.replace('_', ' ') for rule in rules)}"
    return (Conflict(rules or ("one_session",), f"{sentence}."),)


def _find_sufficient(problem: Problem, oracle: Oracle) -> tuple[str, ...]:
    """Returns the rules of which each, given up for everybody, is shown to leave a plan."""
    steps = list_rules(problem)
    names = dict.fromkeys(step.rule for step in steps)
    freed = {name: give_up(problem, [step for step in steps if step.rule == name]) for name in names}
    return tuple(name for name, given in freed.items() if oracle.judge(given) is Verdict.FEASIBLE)


def explain_conflict(
    problem: Problem, known: tuple[Conflict, ...] = (), *, nodes: int = NODES, questions: int = QUESTIONS
) -> Diagnosis:
    """Explains why a day has no plan.

    Args:
        problem: the day.
        known: conflicts that an `InfeasibleError` of the day has told.
        nodes: parts of each exact search.
        questions: exact searches in all.
    """
    oracle = Oracle(nodes, questions)
    conflicts = known or find_conflicts(problem)
    notes = tuple(_notes(problem))
    proven = any(conflict.proven for conflict in conflicts)
    verdict = Verdict.INFEASIBLE if proven else oracle.judge(problem)
    if verdict is Verdict.FEASIBLE:
        return Diagnosis(verdict, notes=notes)
    whole = frozenset(block.id for block in problem.blocks)
    failing = _find_failing(problem, oracle)
    found = MinimalSet((), minimal=False)
    if failing or proven:
        found = find_minimal_set(excerpt(problem, failing[0]) if failing else problem, oracle)
    # A set that was found is one that any answer has to break somewhere; without one, every rule is asked.
    at_issue = frozenset(step.rule for step in found.steps) or None
    parts = failing or [whole]
    relaxations = find_relaxations(problem, parts, at_issue, oracle)
    if not relaxations and parts != [whole]:
        relaxations = find_relaxations(problem, [whole], None, oracle)
    return Diagnosis(verdict, conflicts, found.steps, found.minimal, relaxations, notes)


def _find_failing(problem: Problem, oracle: Oracle) -> list[frozenset[str]]:
    """Returns the blocks that have no plan even on their own, each as a set."""
    alone = {block.id: oracle.judge(excerpt(problem, [block.id])) for block in problem.blocks}
    return [frozenset({block}) for block, verdict in alone.items() if verdict is Verdict.INFEASIBLE]


def _notes(problem: Problem) -> list[str]:
    both = len(set(problem.keep_apart) & set(problem.keep_together))
    pairs = "1 pair of students is" if both == 1 else f"{both} pairs of students are"
    return [f"{pairs} to be kept apart and together; apart holds, together is a wish."] if both else []
