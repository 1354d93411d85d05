"""Says whether a day has a plan at all, and says so where it does not know."""

from collections.abc import Collection
from dataclasses import replace
from enum import StrEnum

from serving.grouping.check import find_violations
from serving.grouping.conflicts import find_conflicts
from serving.grouping.draft import Draft
from serving.grouping.index import Index
from serving.grouping.layout import index_problem
from serving.grouping.problem import Problem
from serving.grouping.sketch import sketch_plan
from serving.grouping.standing import NODES, find_sessions, hold_sessions

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
        index = index_problem(problem)
        draft = sketch_plan(index)
        verdict = Verdict.FEASIBLE if draft is not None and _holds(problem, draft) else self._ask(index)
        self.unknown += verdict is Verdict.UNKNOWN
        return verdict

    def _ask(self, index: Index) -> Verdict:
        if self.left <= 0:
            return Verdict.UNKNOWN
        blocks = range(len(index.problem.blocks))
        groups, proven = find_sessions(Draft(index), blocks, nodes=self.nodes)
        self.charge(answered=groups is not None or proven)
        if groups is None:
            return Verdict.INFEASIBLE if proven else Verdict.UNKNOWN
        draft = hold_sessions(Draft(index), groups, blocks)
        return Verdict.FEASIBLE if draft is not None and _holds(index.problem, draft) else Verdict.UNKNOWN


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
    return all(draft.obstacle(at) is None for at in blocks) and not find_violations(problem, draft.finish())
