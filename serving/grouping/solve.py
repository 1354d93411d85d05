"""Solves a problem: counts conflicts, searches, seats students exactly, checks the rules, bounds and explains."""

import math
import sys
import time
from dataclasses import dataclass, replace

from serving.grouping.clock import is_over
from serving.grouping.errors import InfeasibleError
from serving.grouping.exact.seating import assign_students
from serving.grouping.exact.wished_rooms import grant_rooms, list_room_wishes
from serving.grouping.infeasible.counting import find_conflicts
from serving.grouping.infeasible.diagnosis import name_conflicts
from serving.grouping.problem.people import Adult, Need, Student
from serving.grouping.problem.places import Block, Pin, Skill
from serving.grouping.problem.plan import Plan, Session, Status
from serving.grouping.problem.policy import ADULT_LED, Effect, Role, SessionType
from serving.grouping.problem.problem import Problem
from serving.grouping.rules.check import find_violations
from serving.grouping.rules.exchange import Exchanges
from serving.grouping.rules.explain import explain_seats, explain_sessions, explain_unmet
from serving.grouping.rules.objective import Ledger, score_ledger, score_plan
from serving.grouping.search.anneal import Budget
from serving.grouping.search.bound import bound_day, online_score
from serving.grouping.search.kernel import empty_seats, make_feasible, new_workspace
from serving.grouping.search.starts import search_starts
from serving.grouping.state.arrays import ProblemData, build_data

DEFAULT_BUDGET = Budget()

SEARCHED: Status = "searched"

SEARCH, SEATS = 0.6, 0.2
"""Shares of the seconds of a budget for the search and for seating exactly; reasons and the bound have the rest."""

EXPLAINED = 0.9
"""Share of the seconds after which reasons look at no more changes."""


@dataclass(frozen=True, slots=True)
class Solution:
    """Sessions that keep every hard rule, without reasons.

    Attributes:
        most_need: what the best plan found for need alone adds to a day online, in need points.
        cut: whether the clock ended the search.
    """

    data: ProblemData
    sessions: tuple[Session, ...]
    status: Status
    most_need: float
    cut: bool


def suggest_groups(problem: Problem, budget: Budget = DEFAULT_BUDGET) -> Plan:
    """Returns a plan that keeps every hard rule; without a clock, the same problem and budget give the same plan.

    Raises:
        InfeasibleError: no plan can keep every hard rule, or none was found; its `proven` says which.
        BrokenPlanError: the checker refuses the plan, which is a bug of ours.
    """
    began = time.perf_counter()
    found = find_sessions(problem, budget)
    plan = describe_plan(problem, found.sessions, found.status, budget.until(began, EXPLAINED))
    most_need = max(found.most_need, plan.score.need_points - online_score(found.data.arrays))
    plan = replace(plan, most_need_gain=most_need, cut_by_clock=found.cut)
    timed = budget.seconds is not None and budget.bound_rounds > 0
    return prove_plan(
        found.data,
        plan,
        sys.maxsize if timed else budget.bound_rounds,
        budget.until(began),
        exact=sys.maxsize if timed else 0,
    )


def find_sessions(problem: Problem, budget: Budget = DEFAULT_BUDGET) -> Solution:
    """Returns the sessions of that plan, checked, without its score, reasons and bound.

    Raises:
        InfeasibleError: as `suggest_groups`.
        BrokenPlanError: as `suggest_groups`.
    """
    began = time.perf_counter()
    conflicts = find_conflicts(problem)
    if conflicts:
        raise InfeasibleError(conflicts)
    data = build_data(problem)
    share = SEARCH if budget.bound_rounds else 1.0 - SEATS
    try:
        found = search_starts(data, replace(budget, seconds=budget.left(began, share)))
    except InfeasibleError as error:
        raise InfeasibleError(name_conflicts(problem, error.conflicts, budget.until(began, share + SEATS))) from None
    sessions = grant_rooms(problem, found.sessions, budget.until(began, share + SEATS))
    status, cut = SEARCHED, found.cut
    least_need = found.least_need + online_score(data.arrays)
    earlier: list[tuple[Session, ...]] = []
    for _ in range(budget.seatings):
        until = budget.until(began, share + SEATS)
        if is_over(until):
            cut = True
            break
        seated = assign_students(data, found.sessions, earlier, until, few=budget.seconds is None)
        if seated is None:
            break
        placed = grant_rooms(problem, seated[0], until)
        sessions, status = _pick_better(problem, sessions, placed, seated[1], least_need) or (sessions, status)
        if status == "seats_optimal":
            break
        earlier.append(seated[0])
    if list_room_wishes(problem):
        status = SEARCHED  # seats were proven best without them
    return Solution(data, sessions, status, found.most_need, cut)


def prove_plan(data: ProblemData, plan: Plan, rounds: int, until: float | None = None, *, exact: int = 0) -> Plan:
    """Returns a plan with a bound on every plan's score, and the score of a day online.

    Args:
        data: the problem of the plan.
        plan: the plan to compare with the bound.
        rounds: rounds of lowering the bound; 0: none is looked for.
        until: when to stop, on the clock of `time.perf_counter`; None: without a clock.
        exact: rounds after that with groupmates' points exact.
    """
    arrays = data.arrays
    for_rooms = data.problem.weights.wishes * len(list_room_wishes(data.problem))  # no plan meets more than all
    value = plan.score.total - for_rooms
    bound = bound_day(arrays, value, rounds, exact, until=until) if rounds else math.inf
    status: Status = "optimal" if bound <= value else plan.status
    return replace(plan, status=status, bound=bound + for_rooms, online_score=online_score(arrays))


def warm_up() -> None:
    """Plans a tiny day and bounds its score, so that no caller waits for machine code."""
    compile_search()
    compile_bound()


def compile_search() -> None:
    """Compiles the search, or loads its machine code, by planning tiny days, and by a repair."""
    for pins in ((), (Pin("p", "b"),)):
        find_sessions(replace(_tiny_day(), pins=pins), Budget(rounds=1, bound_rounds=0))
    arrays = build_data(_tiny_day()).arrays
    make_feasible(arrays, empty_seats(arrays), 0, 1.0, new_workspace(arrays))


def compile_bound() -> None:
    """Compiles the bound, or loads its machine code, by bounding the score of a tiny day."""
    arrays = build_data(_tiny_day()).arrays
    bound_day(arrays, online_score(arrays), 1)


def _tiny_day() -> Problem:
    block, half = frozenset({"b"}), 0.5
    return Problem(
        blocks=(Block("b", "09:00-09:45", 0),),
        students=tuple(Student(name, block) for name in "pqr"),
        adults=tuple(Adult(name, Role.TEACHER_LEADER, block, frozenset(SessionType)) for name in "xy"),
        skills=(Skill("k", "K"),),
        effects=tuple(Effect(kind, Role.TEACHER_LEADER, half) for kind in ADULT_LED),
        needs=tuple(Need(name, "k", half) for name in "pqr"),
    )


def describe_plan(problem: Problem, sessions: tuple[Session, ...], status: Status, until: float | None = None) -> Plan:
    """Returns sessions with their score and reasons; every id has to be known, as the rule `form` asks.

    After `until`, on the clock of `time.perf_counter`, reasons say that no more changes were looked at.
    """
    ledger = Ledger(problem, sessions)
    exchanges = Exchanges(ledger, until)
    return Plan(
        sessions=sessions,
        score=score_ledger(ledger),
        status=status,
        session_reasons=explain_sessions(ledger, exchanges),
        seat_reasons=explain_seats(ledger, exchanges),
        unmet=explain_unmet(ledger, exchanges),
    )


def _pick_better(
    problem: Problem, drafted: tuple[Session, ...], seated: tuple[Session, ...], proven: bool, least_need: float
) -> tuple[tuple[Session, ...], Status] | None:
    """Returns the seated sessions if they keep the rules and score more, or as much and are proven best; else None.

    They also have to have at least so many need points, so that what is social costs no more than it may.
    """
    score = score_plan(problem, seated)
    gain = score.total - score_plan(problem, drafted).total
    if gain < 0 or (gain == 0 and not proven) or score.need_points < least_need or find_violations(problem, seated):
        return None
    return seated, "seats_optimal" if proven else SEARCHED
