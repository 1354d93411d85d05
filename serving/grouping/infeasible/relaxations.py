"""Finds what to relax so that a day without a plan gets one: the least of each rule at issue, the cheapest first."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from serving.grouping.clock import is_over
from serving.grouping.infeasible.concessions import (
    PENALTIES,
    GradedConstraint,
    SoftConstraint,
    list_graded_constraints,
    list_soft_constraints,
)
from serving.grouping.infeasible.elastic import relax_cheapest
from serving.grouping.infeasible.minimal_set import FeasibilityOracle, restrict_to_blocks
from serving.grouping.infeasible.relaxed_problem import relax
from serving.grouping.problem.policy import SessionType
from serving.grouping.problem.problem import Problem

OUTSIDE_ADULTS = 3
"""Adults of other teams, at most, who are asked for in a block."""

OUTSIDE_PENALTY = 2 * PENALTIES["adult_available"]

HELPED = frozenset({"monitors", "adult_available", "permission", "supervision", "certified"})
"""Rules beside which another adult helps."""

MANY_PINS = 6
"""Pins beyond which the fewest to drop are found one by one, since equal ones make the exact program slow."""


@dataclass(frozen=True, slots=True)
class Relaxation:
    """Constraints without which a day has a plan; that it has one is proven, by a plan that the checker accepts.

    Attributes:
        constraints: what is relaxed.
        penalty: of all of it, in dropped pins.
        sentence: what to do, as an instruction without students.
        problem: the day with the constraints relaxed.
    """

    constraints: tuple[SoftConstraint, ...]
    penalty: float
    sentence: str
    problem: Problem

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules relaxed, each once."""
        return tuple(dict.fromkeys(constraint.rule for constraint in self.constraints))


def find_relaxations(
    problem: Problem, parts: Sequence[frozenset[str]], at_issue: frozenset[str] | None, feasibility: FeasibilityOracle
) -> tuple[Relaxation, ...]:
    """Returns one relaxation for each rule that alone would do, or one of several rules; the cheapest first.

    Args:
        problem: a day without a plan.
        parts: blocks by id, in sets that have no plan even on their own.
        at_issue: rules of a minimal set in conflict, one of which any answer has to relax; None: all there are.
        feasibility: answers whether days have plans.
    """
    search = RelaxationSearch(problem, parts, feasibility)
    soft = [part for part in list_soft_constraints(problem) if at_issue is None or part.rule in at_issue]
    graded = [part for part in list_graded_constraints(problem) if at_issue is None or part.rule in at_issue]
    tried = [search.relax_some([constraint for constraint in soft if constraint.rule == rule]) for rule in PENALTIES]
    tried += [search.relax_graded(constraint) for constraint in graded]
    if at_issue is None or at_issue & HELPED:
        tried.append(search.relax_some(list_outside_adults(problem)))
    if not any(tried):
        tried = [search.relax_several()]
    return tuple(sorted(filter(None, tried), key=lambda relaxation: relaxation.penalty))


def list_outside_adults(problem: Problem) -> list[SoftConstraint]:
    """Returns the constraints that nobody but the team is there, for some adults of other teams in each block."""
    offered = frozenset({bound.session_type for bound in problem.sizes} | {SessionType.ONLINE})
    taken = {adult.id for adult in problem.adults}
    names = [name for at in range(len(taken) + OUTSIDE_ADULTS) if (name := f"another teacher {at + 1}") not in taken]
    return [
        SoftConstraint(
            rule="adult_available",
            subject=(name, block.id, offered),
            penalty=OUTSIDE_PENALTY,
            requirement=f"nobody but the team is there in {block.label}",
            remedy=f"bring in another teacher in {block.label}",
        )
        for block in problem.blocks
        for name in names[:OUTSIDE_ADULTS]
    ]


class RelaxationSearch:
    """Finds relaxations of one kind after the other."""

    def __init__(self, problem: Problem, parts: Sequence[frozenset[str]], feasibility: FeasibilityOracle) -> None:
        self.problem, self.parts, self.feasibility = problem, parts, feasibility

    def relax_some(
        self, constraints: Sequence[SoftConstraint], relaxed: Sequence[SoftConstraint] = ()
    ) -> Relaxation | None:
        """Relaxes the cheapest of some constraints part by part; what one part relaxes is free in the next."""
        relaxed = list(relaxed)
        if not constraints and not relaxed:
            return None
        for part in self.parts:
            if self.feasibility.programs_left <= 0 or is_over(self.feasibility.until):
                return None
            here = restrict_to_blocks(relax(self.problem, relaxed), part)
            left = [constraint for constraint in _within(constraints, part) if constraint not in relaxed]
            if len(left) > MANY_PINS and all(constraint.rule == "pinned" for constraint in left):
                more = _drop_one_by_one(here, left, self.feasibility.hurry())
            else:
                more = relax_cheapest(here, left, self.feasibility.nodes, self.feasibility.until)
                self.feasibility.charge(answered=more is not None)
            if more is None:
                return None
            relaxed += more
        return self.prove(relaxed)

    def relax_graded(self, constraint: GradedConstraint) -> Relaxation | None:
        """Relaxes a rule by the least amount that is enough for every part."""
        least = 0
        for part in self.parts:
            if not self._is_enough(constraint, part, constraint.most):
                return None
            least = _find_least(least - 1, constraint.most, partial(self._is_enough, constraint, part))
        return self.prove([constraint.at(least)]) if least else None

    def _is_enough(self, constraint: GradedConstraint, part: frozenset[str], amount: int) -> bool:
        relaxed = [constraint.at(amount)] if amount else []
        return self.feasibility.is_enough(self.problem, relaxed, part)

    def relax_several(self) -> Relaxation | None:
        """Relaxes rules of several kinds: soft constraints alone, or with every graded one."""
        graded = list_graded_constraints(self.problem)
        soft = [*list_soft_constraints(self.problem), *list_outside_adults(self.problem)]
        found = self.relax_some(soft) or self.relax_some(soft, [constraint.whole for constraint in graded])
        if found is None:
            return None
        relaxed = list(found.constraints)
        for constraint in graded:
            if constraint.whole not in relaxed:
                continue
            relaxed.remove(constraint.whole)
            if self.prove(relaxed) is None:
                is_enough = partial(self._is_enough_beside, tuple(relaxed), constraint)
                relaxed.append(constraint.at(_find_least(0, constraint.most, is_enough)))
        return self.prove(relaxed)

    def _is_enough_beside(self, others: Sequence[SoftConstraint], constraint: GradedConstraint, amount: int) -> bool:
        return self.prove([*others, constraint.at(amount)]) is not None

    def prove(self, constraints: Sequence[SoftConstraint]) -> Relaxation | None:
        """Returns the relaxation if a plan of the whole day keeps all other rules."""
        if not self.feasibility.is_enough(self.problem, constraints):
            return None
        penalty = round(sum(constraint.penalty for constraint in constraints), 3)
        return Relaxation(tuple(constraints), penalty, _describe(constraints), relax(self.problem, constraints))


def _find_least(lacking: int, enough: int, is_enough: Callable[[int], bool]) -> int:
    """Returns the least amount that is enough, between one that is not and one that is."""
    while enough - lacking > 1:
        amount = (lacking + enough) // 2
        lacking, enough = (lacking, amount) if is_enough(amount) else (amount, enough)
    return enough


def _drop_one_by_one(
    problem: Problem, pins: Sequence[SoftConstraint], quick: FeasibilityOracle
) -> tuple[SoftConstraint, ...] | None:
    """Returns pins to drop, each of them needed: a pin is kept where a constructed plan keeps it too."""
    if not quick.is_enough(problem, pins):
        return None
    dropped = list(pins)
    for pin in pins:
        others = [other for other in dropped if other is not pin]
        if quick.is_enough(problem, others):
            dropped = others
    return tuple(dropped)


def _within(constraints: Sequence[SoftConstraint], part: frozenset[str]) -> list[SoftConstraint]:
    """The constraints that concern a part: pins and absences of other blocks do not."""
    block_of: dict[str, Callable[[SoftConstraint], str]] = {
        "pinned": lambda constraint: constraint.subject[0].block,
        "adult_available": lambda constraint: constraint.subject[1],
        "block_skills": lambda constraint: constraint.subject[0],
    }
    return [
        constraint
        for constraint in constraints
        if constraint.rule not in block_of or block_of[constraint.rule](constraint) in part
    ]


def _describe(constraints: Sequence[SoftConstraint]) -> str:
    """The remedies as one sentence; those in equal words are counted."""
    counts = Counter(constraint.remedy for constraint in constraints)
    parts = [remedy if times == 1 else f"{remedy} ({times} times)" for remedy, times in counts.items()]
    sentence = "; ".join(parts)
    return f"{sentence[:1].upper()}{sentence[1:]}."
