"""A day planned again after an adult called in sick: how many seats move, and what of the value is kept.

A seat is one student's place in one block of the morning's plan, online work included; every student is still there. It
moves where the kind of session, the skill or the adult is another then, whether it had to or not; a new room or another
supervising adult moves nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from rich.table import Table

from experiments.benchmarks.figures import make_table
from experiments.benchmarks.planner.best_known import Place, online_value
from experiments.benchmarks.planner.instances.team import draw_family
from features.console import track
from serving.grouping.errors import InfeasibleError
from serving.grouping.infeasible.supply import Supply
from serving.grouping.problem.places import Block, Seat
from serving.grouping.problem.plan import Session
from serving.grouping.problem.policy import ADULT_LED
from serving.grouping.problem.problem import Problem
from serving.grouping.rules.objective import score_plan
from serving.grouping.search.anneal import Budget
from serving.grouping.solve import suggest_groups

BUDGET = Budget(seconds=1, bound_rounds=0)


@dataclass(frozen=True, slots=True)
class Absence:
    """A day planned again after an adult called in sick.

    Attributes:
        family: Family of the day; `seed`: its seed.
        moved: Share of seats that differ from the morning's plan, those that had to included.
        forced: Share of seats that the adult led.
        fewest: Share of seats that every plan moves, by counting.
        kept_value: Share of the value of a plan made from nothing, without the penalty for moving.
    """

    family: str
    seed: int
    moved: float
    forced: float
    fewest: float
    kept_value: float


def measure_absences(places: Sequence[Place]) -> list[Absence]:
    """Plans each day again; days on which too few adults are left to supervise the students are left out."""
    days = [call_in_sick(place) for place in track(places, "absences", total=len(places))]
    return [day for day in days if day is not None]


def call_in_sick(place: Place) -> Absence | None:
    """Plans a day again after the last teacher of the roster called in sick; null where that leaves no plan."""
    problem = draw_family(*place)
    morning = suggest_groups(problem, BUDGET).sessions
    away = [adult.id for adult in problem.adults if adult.certified][-1]
    without = send_home(problem, away)
    seats = list_seats(morning)
    online = online_value(without)
    try:
        cold = score_plan(without, suggest_groups(without, BUDGET).sessions).total - online
    except InfeasibleError:
        return None
    sessions = suggest_groups(replace(without, previous=seats), BUDGET).sessions
    return Absence(
        *place,
        moved=len(set(seats) - set(list_seats(sessions))) / len(seats),
        forced=sum(seat.adult == away for seat in seats) / len(seats),
        fewest=fewest_moves(without, morning) / len(seats),
        kept_value=(score_plan(without, sessions).total - online) / cold,
    )


def send_home(problem: Problem, adult: str) -> Problem:
    """Returns a day without an adult; all fixed assignments give way, since who is left has to supervise."""
    adults = tuple(replace(a, blocks=frozenset()) if a.id == adult else a for a in problem.adults)
    return replace(problem, adults=adults, pins=())


def list_seats(sessions: Sequence[Session]) -> tuple[Seat, ...]:
    """Returns every seat of a plan, online ones too."""
    return tuple(
        Seat(student, s.block, s.session_type, s.skill, s.adults[0] if s.led else None)
        for s in sessions
        for student in s.students
    )


def show_absences(absences: Sequence[Absence]) -> Table:
    """Returns the table of days planned again."""
    names = ("days", "forced", "fewest", "moved", "most", "value kept", "least")
    table = make_table("an adult called in sick, and the day was planned again in 1 s", ["family"], names)
    for family in dict.fromkeys(absence.family for absence in absences):
        mine = [absence for absence in absences if absence.family == family]
        moved, kept, forced, fewest = (
            np.array([getattr(absence, name) for absence in mine])
            for name in ("moved", "kept_value", "forced", "fewest")
        )
        shares = (np.median(forced), np.median(fewest), np.median(moved), moved.max())
        cells = (*(f"{share:.0%}" for share in shares), f"{np.median(kept):.3f}", f"{kept.min():.3f}")
        table.add_row(family, str(len(mine)), *cells)
    return table


def fewest_moves(problem: Problem, sessions: Sequence[Session]) -> int:
    """Returns a number of seats that every plan of the day moves, counted block by block.

    Whatever is kept of a block's led sessions, the students of the others move. Those who stay online need adults to
    supervise them, who lead nothing then; if those left in led sessions are too many for the sessions kept as they
    were, the rest move there from online work.

    Args:
        problem: The day as it is now, with every student of the earlier plan there.
        sessions: The earlier plan.
    """
    supply = Supply(problem)
    return sum(_fewest_in(supply, block, [s for s in sessions if s.block == block.id]) for block in problem.blocks)


def _fewest_in(supply: Supply, block: Block, sessions: Sequence[Session]) -> int:
    there = {adult.id: adult for adult in supply.there(block)}
    led = [session for session in sessions if session.led]
    held = [session for session in led if session.adults[0] in there]
    students, seated = len(supply.present(block)), sum(len(session.students) for session in led)
    fewest = students
    for kept in (kept for count in range(len(held) + 1) for kept in combinations(held, count)):
        free = [adult for name, adult in there.items() if name not in {session.adults[0] for session in kept}]
        seats = sum(len(session.students) for session in kept)
        most = sum(supply.most(there[session.adults[0]], session.session_type) for session in kept)
        largest = sorted((max(supply.most(adult, kind) for kind in ADULT_LED) for adult in free), reverse=True)
        for monitors in range(len(free) + 1):
            wanted = max(0, students - monitors * supply.problem.students_per_monitor)
            if wanted <= most + sum(largest[: len(free) - monitors]):
                fewest = min(fewest, max(seated - seats, wanted - seats))
    return fewest
