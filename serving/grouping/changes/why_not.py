"""Explains why a student does not have a certain seat: what the best plan with it costs, or which rule forbids it."""

import math
import time
from dataclasses import dataclass, replace

from serving.grouping.changes.difference import Move, count_moved, find_moves, previous_seats
from serving.grouping.changes.repair import keep_rooms
from serving.grouping.changes.seat_options import rank_seat_options, take_seat
from serving.grouping.errors import Conflict, InfeasibleError, ProblemError
from serving.grouping.infeasible.counting import find_conflicts
from serving.grouping.infeasible.diagnosis import name_conflicts
from serving.grouping.infeasible.supply import Supply, list_feasible_slots
from serving.grouping.problem.places import Pin
from serving.grouping.problem.plan import Session
from serving.grouping.problem.problem import Problem, require_sessions
from serving.grouping.rules.check import find_violations
from serving.grouping.rules.objective import score_plan
from serving.grouping.rules.score_impact import SHOWN, ScoreImpact, measure_impact
from serving.grouping.search.anneal import Budget, search_sessions
from serving.grouping.search.warm_start import build_warm_start, find_warm_start, read_groups
from serving.grouping.state.arrays import build_data

FEW = Budget(rounds=1000, bound_rounds=0)
"""About a quarter of a second for a team of 60."""

NEAR = 0.05
"""Points that a round may lose at first: fewer than usual, with which few rounds find cheaper plans for 60 students."""


@dataclass(frozen=True, slots=True)
class WhyNot:
    """The answer for one place of one student.

    Attributes:
        sessions: the best plan found with the seat; None where no plan can have it, or none was found.
        score_impact: what that plan scores more than the present one; negative where the seat costs points.
        moves: seats of others that differ, and the student's own in other blocks.
        conflicts: the rules that forbid it, where there is no plan; `proven` says whether there is none at all.
        sentence: all that in plain words; it names no student.
    """

    pin: Pin
    sessions: tuple[Session, ...] | None
    score_impact: ScoreImpact | None
    moves: tuple[Move, ...]
    conflicts: tuple[Conflict, ...]
    sentence: str


def ask_why_not(problem: Problem, sessions: tuple[Session, ...], pin: Pin, budget: Budget = FEW) -> WhyNot:
    """Returns what it takes to put a student into a place, everything else being free to change.

    Other seats move where that gains more than the team says a moved seat costs (`Weights.perturbation`), so that the
    impact is that of a plan near the present one.

    Args:
        problem: the day.
        sessions: the present plan, which keeps every rule.
        pin: the place; what it does not name is left open.
        budget: how long to look for better plans with the seat; all that is asked ends by its deadline.

    Raises:
        ProblemError: an id is unknown, or the present plan breaks a rule.
        BrokenPlanError: the checker refuses the plan found, which is a bug of ours.
    """
    require_sessions(problem, sessions)
    broken = find_violations(problem, sessions)
    if broken:
        raise ProblemError("sessions", f"a plan that breaks the rule {broken[0].rule}", "a plan that keeps every rule")
    wanted = replace(problem, pins=(*problem.pins, pin))
    if not find_violations(wanted, sessions):
        score = score_plan(problem, sessions)
        return WhyNot(pin, sessions, measure_impact(score, score), (), (), "The student sits there already.")
    conflicts = _find_blocking_rule(wanted, pin) or find_conflicts(wanted)
    if conflicts:
        return _refuse(pin, conflicts)
    stay = problem.weights.perturbation
    near = replace(wanted, previous=previous_seats(problem, sessions))
    found = _move_student_only(problem, sessions, pin, budget.deadline)
    data, began = build_data(near), time.perf_counter()
    try:
        groups = list(read_groups(data, sessions))
        start = build_warm_start(data, groups) if pin.online else find_warm_start(data, groups, pin, budget.deadline)
        drafted, _ = search_sessions(data, budget, start, warm=NEAR)
    except InfeasibleError as error:
        if not found:
            return _refuse(pin, name_conflicts(wanted, error.conflicts, budget.until(began, 2.0)))
    else:
        found.append(keep_rooms(wanted, drafted, sessions))
    best = min(found, key=lambda plan: _cost(problem, sessions, plan, stay))
    impact = measure_impact(score_plan(problem, sessions), score_plan(problem, best))
    moves = find_moves(problem, sessions, best)
    others = tuple(move for move in moves if (move.student, move.block) != (pin.student, pin.block))
    return WhyNot(pin, best, impact, others, (), _describe(impact, len(others)))


def _find_blocking_rule(wanted: Problem, pin: Pin) -> tuple[Conflict, ...]:
    """The rule that leaves the student without such a place, whatever others do."""
    block = next(block for block in wanted.blocks if block.id == pin.block)
    supply = Supply(wanted)
    if block.id not in supply.students[pin.student].blocks:
        return (Conflict(("presence",), f"The student is absent in {block.label}.", students=(pin.student,)),)
    feasible = None if pin.online else list_feasible_slots(supply, pin, block)
    if feasible is None or feasible.rule is None:
        return ()
    return (Conflict((feasible.rule,), f"In {block.label} {feasible.why}.", students=(pin.student,)),)


def _move_student_only(
    problem: Problem, sessions: tuple[Session, ...], pin: Pin, until: float | None
) -> list[tuple[Session, ...]]:
    """The plans with the seat in which nobody but the student moves."""
    wanted = replace(problem, pins=(*problem.pins, pin))
    options = rank_seat_options(problem, sessions, pin.student, [pin.block], until).blocks[0]
    plans = (take_seat(sessions, pin.student, option) for option in options)
    return [plan for plan in plans if not find_violations(wanted, plan)]


def _cost(problem: Problem, present: tuple[Session, ...], plan: tuple[Session, ...], stay: float) -> float:
    return stay * count_moved(find_moves(problem, present, plan)) - score_plan(problem, plan).total


def _refuse(pin: Pin, conflicts: tuple[Conflict, ...]) -> WhyNot:
    first = conflicts[0]
    lead = "No plan can" if first.proven else "No plan was found that does"
    return WhyNot(pin, None, None, (), conflicts, f"{lead}: {first.sentence}")


def _describe(impact: ScoreImpact, others: int) -> str:
    moved = "no other seat moves" if not others else f"{others} other seat{'s' if others > 1 else ''} would move"
    need = math.fsum(term.points for term in impact.terms if term.name in {"benefit", "urgent"})
    if need >= SHOWN and impact.points < 0:
        cost = impact.sentence.replace("costs ", "cost ", 1)
        return f"The seat would meet {need:.2f} more need, and was given up since in all it would {cost}; {moved}."
    effect = "would " + impact.sentence.replace("costs ", "cost ", 1).replace("gains ", "gain ", 1)
    return f"The seat {effect}; {moved}."
