"""Why a student does not sit in a certain place: what the best plan with that seat costs, or the rule in the way."""

from dataclasses import dataclass, replace

from serving.grouping.changes.difference import Move, Price, count_moved, find_moves, previous_seats, price_change
from serving.grouping.changes.placements import rank_places, take_place
from serving.grouping.changes.repair import keep_rooms
from serving.grouping.changes.start import build_start, find_warm_start, read_groups
from serving.grouping.errors import BrokenPlanError, Conflict, InfeasibleError, ProblemError
from serving.grouping.infeasible.counting import find_conflicts
from serving.grouping.infeasible.diagnosis import name_conflicts
from serving.grouping.infeasible.supply import Supply, list_feasible_slots
from serving.grouping.problem.places import Pin
from serving.grouping.problem.plan import Session
from serving.grouping.problem.problem import Problem, require_sessions
from serving.grouping.rules.check import find_violations
from serving.grouping.rules.objective import score_plan
from serving.grouping.search.anneal import Budget, search_day
from serving.grouping.state.arrays import build_data

FEW = Budget(rounds=1000, bound_rounds=0)
"""About a quarter of a second for a team of 60."""

NEAR = 0.05
"""Points that a round may lose at first: with fewer than usual, few rounds find cheaper plans on made-up days of 60."""


@dataclass(frozen=True, slots=True)
class WhyNot:
    """The answer for one place of one student.

    Attributes:
        sessions: the best plan found with the seat; None where no plan can have it, or none was found.
        price: what that plan scores more than the present one; negative: what the seat costs.
        moves: seats of others that differ, and the student's own in other blocks.
        conflicts: the rules in the way, where there is no plan; `proven` tells whether there is none at all.
        sentence: all that in plain words; it names no student.
    """

    pin: Pin
    sessions: tuple[Session, ...] | None
    price: Price | None
    moves: tuple[Move, ...]
    conflicts: tuple[Conflict, ...]
    sentence: str


def ask_why_not(problem: Problem, sessions: tuple[Session, ...], pin: Pin, budget: Budget = FEW) -> WhyNot:
    """Returns what it takes to put a student into a place, everything else being free to change.

    Other seats move where that gains more than the team says a moved seat costs (`Weights.perturbation`), so that the
    price is that of a plan near the present one.

    Args:
        problem: the day.
        sessions: the present plan, which keeps every rule.
        pin: the place; what it does not name is left open.
        budget: how long to look for better plans with the seat.

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
        return WhyNot(pin, sessions, price_change(score, score), (), (), "The student sits there already.")
    conflicts = _in_the_way(wanted, pin) or find_conflicts(wanted)
    if conflicts:
        return _refuse(pin, conflicts)
    stay = problem.weights.perturbation
    near = replace(wanted, previous=previous_seats(problem, sessions))
    found = _place_alone(problem, sessions, pin)
    data = build_data(near)
    try:
        groups = list(read_groups(data, sessions))
        start = build_start(data, groups) if pin.online else find_warm_start(data, groups, pin)
        drafted = search_day(data, budget, start, warm=NEAR)[0].finish()
    except InfeasibleError as error:
        return _refuse(pin, name_conflicts(wanted, error.conflicts))
    unlawful = find_violations(wanted, drafted)
    if unlawful:
        raise BrokenPlanError(tuple(violation.rule for violation in unlawful))
    found.append(keep_rooms(wanted, drafted, sessions))
    best = min(found, key=lambda plan: _cost(problem, sessions, plan, stay))
    price = price_change(score_plan(problem, sessions), score_plan(problem, best))
    moves = find_moves(problem, sessions, best)
    others = tuple(move for move in moves if (move.student, move.block) != (pin.student, pin.block))
    return WhyNot(pin, best, price, others, (), _tell(price, len(others)))


def _in_the_way(wanted: Problem, pin: Pin) -> tuple[Conflict, ...]:
    """The rule that leaves the student without such a place, whatever others do."""
    block = next(block for block in wanted.blocks if block.id == pin.block)
    supply = Supply(wanted)
    if block.id not in supply.students[pin.student].blocks:
        return (Conflict(("presence",), f"The student is absent in {block.label}.", students=(pin.student,)),)
    feasible = None if pin.online else list_feasible_slots(supply, pin, block)
    if feasible is None or feasible.rule is None:
        return ()
    return (Conflict((feasible.rule,), f"In {block.label} {feasible.why}.", students=(pin.student,)),)


def _place_alone(problem: Problem, sessions: tuple[Session, ...], pin: Pin) -> list[tuple[Session, ...]]:
    """The plans with the seat in which nobody but the student moves."""
    wanted = replace(problem, pins=(*problem.pins, pin))
    places = rank_places(problem, sessions, pin.student, [pin.block]).blocks[0]
    plans = (take_place(sessions, pin.student, place) for place in places)
    return [plan for plan in plans if not find_violations(wanted, plan)]


def _cost(problem: Problem, present: tuple[Session, ...], plan: tuple[Session, ...], stay: float) -> float:
    return stay * count_moved(find_moves(problem, present, plan)) - score_plan(problem, plan).total


def _refuse(pin: Pin, conflicts: tuple[Conflict, ...]) -> WhyNot:
    first = conflicts[0]
    lead = "No plan can" if first.proven else "No plan was found that does"
    return WhyNot(pin, None, None, (), conflicts, f"{lead}: {first.sentence}")


def _tell(price: Price, others: int) -> str:
    moved = "no other seat moves" if not others else f"{others} other seat{'s' if others > 1 else ''} would move"
    gone = "would " + price.sentence.replace("costs ", "cost ", 1).replace("gains ", "gain ", 1)
    return f"The seat {gone}; {moved}."
