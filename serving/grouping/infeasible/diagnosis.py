"""Explains a day without a plan: which rules conflict, a smallest such set, and what to relax at what penalty."""

from dataclasses import dataclass

from serving.grouping.clock import is_over
from serving.grouping.errors import Conflict
from serving.grouping.infeasible.concessions import SoftConstraint
from serving.grouping.infeasible.counting import find_conflicts
from serving.grouping.infeasible.minimal_set import (
    FeasibilityOracle,
    MinimalSet,
    Verdict,
    find_minimal_set,
    list_constraints,
    restrict_to_blocks,
)
from serving.grouping.infeasible.relaxations import Relaxation, find_relaxations
from serving.grouping.problem.problem import Problem

NODES = 20
"""Parts of each exact search; counted, not timed, so that equal days get equal answers."""

PROGRAMS = 40
"""Exact searches in all; one without an answer counts for several."""

FEW_PROGRAMS = 10
"""Exact searches to name the rules in conflict at once; `explain_conflict` says more to those who wait for it."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why a day has no plan.

    Attributes:
        verdict: whether it has one, as far as is known.
        conflicts: what counting shows, or what the caller knows already.
        minimal_set: rules that no plan keeps together, beside those that always hold; empty where none was found.
        minimal: whether it is proven that relaxing any one of them leaves a plan, of the blocks at issue.
        relaxations: what to relax, the cheapest first; each is proven to be enough.
        notes: wishes that contradict rules, and are dropped without asking.
    """

    verdict: Verdict
    conflicts: tuple[Conflict, ...] = ()
    minimal_set: tuple[SoftConstraint, ...] = ()
    minimal: bool = False
    relaxations: tuple[Relaxation, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def proven(self) -> bool:
        """Whether it is proven that no plan keeps every rule."""
        return self.verdict is Verdict.INFEASIBLE


def name_conflicts(problem: Problem, known: tuple[Conflict, ...], until: float | None = None) -> tuple[Conflict, ...]:
    """Returns the rules of which each, relaxed for everybody, would leave a plan; so each is part of any conflict.

    It is for a day of which an exact program has shown no more than that there is no plan.

    Args:
        problem: a day without a plan.
        known: conflicts of the `InfeasibleError` that the search raised; where they are not proven, they stay.
        until: when to stop looking for rules, on the clock of `time.perf_counter`; None: without a clock.
    """
    if not all(conflict.proven for conflict in known):
        return known
    feasibility = FeasibilityOracle(NODES, FEW_PROGRAMS, until)
    failing = _find_failing_blocks(problem, feasibility)
    part = restrict_to_blocks(problem, failing[0]) if failing else problem
    # blocks that are feasible one by one share nothing but that a student meets a skill once a day
    rules: tuple[str, ...] = () if failing or feasibility.unknown else ("skill_once",)
    rules += _find_sufficient(part, feasibility.hurry()) or _find_sufficient(part, feasibility)
    if not rules and is_over(until):
        return known
    where = next((block.label for block in problem.blocks if failing and block.id in failing[0]), "The day")
    sentence = f"{where} has no sessions that keep every rule"
    if rules:
        sentence += f"; giving up any one of these would do: {', '.join(rule.replace('_', ' ') for rule in rules)}"
    return (Conflict(rules or ("one_session",), f"{sentence}."),)


def explain_conflict(
    problem: Problem,
    known: tuple[Conflict, ...] = (),
    *,
    nodes: int = NODES,
    programs: int = PROGRAMS,
    until: float | None = None,
) -> Diagnosis:
    """Explains why a day has no plan.

    Args:
        problem: the day.
        known: conflicts of an `InfeasibleError` of the day.
        nodes: parts of each exact search.
        programs: exact searches in all.
        until: when to say what is known by then, on the clock of `time.perf_counter`; None: without a clock.
    """
    feasibility = FeasibilityOracle(nodes, programs, until)
    conflicts = known or find_conflicts(problem)
    notes = _note_contradicted_wishes(problem)
    proven = any(conflict.proven for conflict in conflicts)
    verdict = Verdict.INFEASIBLE if proven else feasibility.judge(problem)
    if verdict is Verdict.FEASIBLE:
        return Diagnosis(verdict, notes=notes)
    whole = frozenset(block.id for block in problem.blocks)
    failing = _find_failing_blocks(problem, feasibility)
    found = MinimalSet((), minimal=False)
    if failing or proven:
        found = find_minimal_set(restrict_to_blocks(problem, failing[0]) if failing else problem, feasibility)
    # Any answer has to relax a rule of the set that was found; without a set, every rule is tried.
    at_issue = frozenset(constraint.rule for constraint in found.constraints) or None
    parts = failing or [whole]
    relaxations = find_relaxations(problem, parts, at_issue, feasibility)
    if not relaxations and parts != [whole]:
        relaxations = find_relaxations(problem, [whole], None, feasibility)
    return Diagnosis(verdict, conflicts, found.constraints, found.minimal, relaxations, notes)


def _find_failing_blocks(problem: Problem, feasibility: FeasibilityOracle) -> list[frozenset[str]]:
    """Returns the blocks that have no plan even on their own, each as a set."""
    alone = [frozenset({block.id}) for block in problem.blocks]
    return [part for part in alone if feasibility.judge(problem, part) is Verdict.INFEASIBLE]


def _find_sufficient(problem: Problem, feasibility: FeasibilityOracle) -> tuple[str, ...]:
    """Returns the rules of which each, relaxed for everybody, is shown to leave a plan."""
    constraints = list_constraints(problem)
    names = dict.fromkeys(constraint.rule for constraint in constraints)
    relaxed = {name: [part for part in constraints if part.rule == name] for name in names}
    return tuple(name for name, parts in relaxed.items() if feasibility.is_enough(problem, parts))


def _note_contradicted_wishes(problem: Problem) -> tuple[str, ...]:
    both = len(set(problem.keep_apart) & set(problem.keep_together))
    if not both:
        return ()
    pairs = "1 pair of students is" if both == 1 else f"{both} pairs of students are"
    return (f"{pairs} listed both to be grouped together and not to be; the second is a rule.",)
