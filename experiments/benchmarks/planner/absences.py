"""A day planned again after an adult called in sick: how many seats move, and what of the value is kept."""

from dataclasses import dataclass, replace

from experiments.benchmarks.planner.days import draw_day
from experiments.benchmarks.planner.known_days import Place
from experiments.benchmarks.planner.long_runs import online_value
from serving.grouping.errors import InfeasibleError
from serving.grouping.improve import Budget
from serving.grouping.objective import score_plan
from serving.grouping.places import Seat
from serving.grouping.solve import suggest_groups

PRICES = (0.05, 0.2)
"""Points that a moved seat costs; the first is the default."""

BUDGET = Budget(seconds=1, bound_rounds=0)


@dataclass(frozen=True, slots=True)
class Absence:
    """A day planned again after an adult called in sick.

    Attributes:
        students: Size of the team.
        seed: Of the day.
        price: Of a moved seat, in points.
        moved: Share of seats that differ from the morning's plan.
        forced: Share of seats that the adult led.
        kept_value: Of the value of a plan from nothing, without the price of moving.
    """

    students: int
    seed: int
    price: float
    moved: float
    forced: float
    kept_value: float


def call_in_sick(place: Place) -> list[Absence]:
    """The teacher who is last in the roster is away all day, after the day was planned; once for each price."""
    problem = draw_day(*place)
    morning = suggest_groups(problem, BUDGET).sessions
    away = [adult.id for adult in problem.adults if adult.certified][-1]
    adults = tuple(replace(a, blocks=frozenset()) if a.id == away else a for a in problem.adults)
    without = replace(problem, adults=adults)
    seats = tuple(
        Seat(student, s.block, s.modality, s.skill, s.adults[0] if s.led else None)
        for s in morning
        for student in s.students
    )
    online = online_value(without)
    try:
        cold = score_plan(without, suggest_groups(without, BUDGET).sessions).total - online
    except InfeasibleError:
        return []  # too few are left to watch over the students
    told = []
    for price in PRICES:
        given = replace(without, previous=seats, weights=replace(problem.weights, perturbation=price))
        again = suggest_groups(given, BUDGET).sessions
        changed = next(term.value for term in score_plan(given, again).terms if term.name == "perturbation")
        told.append(
            Absence(
                students=place[0],
                seed=place[1],
                price=price,
                moved=changed / len(seats),
                forced=sum(seat.adult == away for seat in seats) / len(seats),
                kept_value=(score_plan(without, again).total - online) / cold,
            )
        )
    return told
