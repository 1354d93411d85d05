"""The smallest repair of an edited plan: one that keeps every hard rule and moves the fewest seats."""

import math
from dataclasses import dataclass, fields, replace

from serving.grouping.assignment import assign_students
from serving.grouping.changes.given import require_sessions
from serving.grouping.changes.moves import Move, count_moved, find_moves, previous_seats
from serving.grouping.changes.reseating import reseat_students
from serving.grouping.changes.starting import given_groups, start_draft
from serving.grouping.changes.steady import keep_rooms
from serving.grouping.check import Violation, find_violations
from serving.grouping.conflicts import find_conflicts
from serving.grouping.errors import BrokenPlanError, InfeasibleError
from serving.grouping.improve import Budget, search_day
from serving.grouping.index import Index, Slot
from serving.grouping.layout import index_problem
from serving.grouping.objective import score_plan
from serving.grouping.plan import Score, Session
from serving.grouping.policy import Weights
from serving.grouping.problem import Problem

QUICK = Budget(rounds=1000, bound_rounds=0)
"""About half a second for a team of 60."""

AT_ONCE = 10
"""Units of a soft term that one seat moves at most, beside groupmates and wishes, which are counted."""


@dataclass(frozen=True, slots=True)
class Repair:
    """A plan near an edited one.

    Attributes:
        sessions: keep every hard rule; the edited ones themselves where nothing was broken.
        score: by the problem's own weights.
        mended: the breaches of the edited plan.
        moves: seats that differ from the edited plan; `before` is None for who had none.
        moved: how many of them change a seat that was there.
        at_least: seats that no plan could leave as they are, so that where it equals `moved` no repair is smaller.
        cut_by_clock: whether the time ran out.
    """

    sessions: tuple[Session, ...]
    score: Score
    mended: tuple[Violation, ...] = ()
    moves: tuple[Move, ...] = ()
    moved: int = 0
    at_least: int = 0
    cut_by_clock: bool = False


def repair_plan(problem: Problem, edited: tuple[Session, ...], budget: Budget = QUICK) -> Repair:
    """Returns the plan found that moves the fewest seats, and of several the one that scores highest.

    Half of the budget is spent on seats alone, where fewer could do, and again from an empty day where they still
    could; the other half on the score of such repairs.

    Raises:
        ProblemError: the edited plan names an unknown id, or a session has no meaning.
        InfeasibleError: no plan can keep every hard rule, or none was found.
        BrokenPlanError: the checker refuses the repair, which is a bug of ours.
    """
    violations = find_violations(problem, edited)
    if not violations:
        return Repair(edited, score_plan(problem, edited))
    edited = tuple(session for session in edited if session.students)
    require_sessions(problem, edited)
    conflicts = find_conflicts(problem)
    if conflicts:
        raise InfeasibleError(conflicts)
    return _Nearest(problem, edited, violations).find(budget)


class _Nearest:
    """The repair that moves the fewest seats so far, and of several the one that scores highest."""

    def __init__(self, problem: Problem, edited: tuple[Session, ...], violations: tuple[Violation, ...]) -> None:
        self.problem, self.edited, self.violations = problem, edited, violations
        self.near = replace(problem, previous=previous_seats(problem, edited))
        self.sessions = edited
        self.rank = math.inf, math.inf

    def find(self, budget: Budget) -> Repair:
        """Tries the edited plan's own sessions, then searches: for seats where fewer may do, and for score."""
        far = _seat_price(self.near)
        seats_alone = {field.name: getattr(self.problem.weights, field.name) / far for field in fields(Weights)}
        index = self._index(replace(self.problem.weights, perturbation=far))
        at_least = _forced(index)
        half = replace(
            budget,
            rounds=None if budget.rounds is None else budget.rounds // 2,
            seconds=None if budget.seconds is None else budget.seconds / 2,
        )
        reseated = reseat_students(index, self.edited)
        if reseated is not None:
            seats = reseated.finish()
            if not find_violations(self.problem, seats):  # a pinned student may have no session left to sit in
                self._offer(seats)
        cut = False
        if self.rank[0] > at_least:
            alone = self._index(replace(Weights(**seats_alone), perturbation=1.0))
            cut = self._search(alone, half)
            if self.rank[0] > at_least:  # where the edited plan leads into a dead end, seats draw back to it anyway
                cut |= self._search(alone, half, anew=True)
        cut |= self._search(index, half)
        seated = assign_students(index, self.sessions)
        if seated is not None and not find_violations(self.problem, seated[0]):
            self._offer(seated[0])
        sessions = keep_rooms(self.problem, self.sessions, self.edited)
        moves = find_moves(self.problem, self.edited, sessions)
        score = score_plan(self.problem, sessions)
        return Repair(sessions, score, self.violations, moves, count_moved(moves), at_least, cut)

    def _index(self, weights: Weights) -> Index:
        return index_problem(replace(self.near, weights=weights))

    def _search(self, index: Index, budget: Budget, *, anew: bool = False) -> bool:
        start = None if anew else start_draft(index, given_groups(index, self.sessions))
        draft, cut = search_day(index, budget, start)
        sessions = draft.finish()
        broken = find_violations(self.problem, sessions)
        if broken:
            raise BrokenPlanError(tuple(violation.rule for violation in broken))
        self._offer(sessions)
        return cut

    def _offer(self, sessions: tuple[Session, ...]) -> None:
        moved = count_moved(find_moves(self.problem, self.edited, sessions))
        rank = moved, -score_plan(self.problem, sessions).total
        if rank < self.rank:
            self.sessions, self.rank = sessions, rank


def _seat_price(problem: Problem) -> float:
    """Points above anything that moving one seat could add in all other terms together."""
    met: dict[str, int] = {}
    for mate in problem.mates:
        for student in (mate.first, mate.second):
            met[student] = met.get(student, 0) + mate.sessions
    units = AT_ONCE + len(problem.keep_together) + max(met.values(), default=0)
    return 1.0 + units * math.fsum(getattr(problem.weights, field.name) for field in fields(Weights))


def _forced(index: Index) -> int:
    """Counts earlier seats that no plan can give again: who or whose lead may not, and those beyond sizes."""
    forced = 0
    held: dict[Slot, list[int]] = {}
    for (student, block), slot in index.before.items():
        if not index.present[student, block]:
            continue
        if slot is None:
            pin = index.pins.get((student, block))
            forced += pin is not None and not pin.online
        else:
            held.setdefault(slot, []).append(student)
    for slot, students in held.items():
        able = slot.adult >= 0 and slot.skill >= 0 and index.adult_in[slot.adult, slot.block]
        sizes = index.sizes[slot.adult][slot.modality] if able and index.qualified[slot.adult, slot.skill] > 0 else ()
        allowed = set(index.candidates(slot)[0].tolist()).intersection(students) if sizes else set()
        forced += len(students) - min(len(allowed), sizes[-1] if sizes else 0)
    return forced
