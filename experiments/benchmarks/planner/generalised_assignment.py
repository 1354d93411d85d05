"""Generalised assignment as published: what the exact layer proves, and what the planner finds of the one-seat form.

Jobs go to agents with a capacity each, one agent a job. Types C and D are drawn as Martello and Toth (1990) have them,
of the sizes of the OR-Library's gap1 to gap12 (5 to 10 agents, 15 to 60 jobs).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serving.grouping.exact.program import Program
from serving.grouping.problem.people import Adult, Need, Student
from serving.grouping.problem.places import Block, Skill
from serving.grouping.problem.policy import Effect, Modality, Role, SizeBound, Weights
from serving.grouping.problem.problem import Problem
from serving.grouping.rules.check import find_violations
from serving.grouping.rules.objective import score_plan
from serving.grouping.search.anneal import Budget
from serving.grouping.solve import suggest_groups

SIZES = ((5, 15), (5, 20), (5, 25), (5, 30), (8, 24), (8, 32), (8, 40), (8, 48), (10, 30), (10, 40), (10, 50), (10, 60))
"""Agents and jobs of the OR-Library's gap1 to gap12."""

SMALL = 3
"""Sizes of which type D is drawn, several times each: larger ones stay open for HiGHS within minutes."""

NODES = 50_000

EXACT = 1e-9
"""Share of the best value that need not be proven out of reach."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Assignment:
    """Costs to be kept low and loads within capacity, agents x jobs."""

    cost: Ints
    load: Ints
    capacity: Ints


@dataclass(frozen=True, slots=True)
class Solved:
    """One instance.

    Attributes:
        form: "C" or "D" of the literature, solved by the exact layer alone, or "one seat", where the planner searches.
        proven: Whether HiGHS proved its value.
        ratio: Of the planner's points to the best; 1 where the exact layer is alone.
    """

    form: str
    agents: int
    jobs: int
    proven: bool
    ratio: float


def draw_assignment(form: str, agents: int, jobs: int, seed: int) -> Assignment:
    """Draws an instance of type C or D.

    Loads are even from 5 to 25 (C) or 1 to 100 (D); costs even from 10 to 50 (C) or 111 less the load and even from -10
    to 10 (D); capacity is 0.8 of an agent's loads shared evenly.
    """
    lots = np.random.default_rng([ord(form), agents, jobs, seed])
    if form == "C":
        load, cost = lots.integers(5, 26, (agents, jobs)), lots.integers(10, 51, (agents, jobs))
    else:
        load = lots.integers(1, 101, (agents, jobs))
        cost = 111 - load + lots.integers(-10, 11, (agents, jobs))
    return Assignment(cost, load, (0.8 * load.sum(axis=1) / agents).astype(np.int64))


def solve_exactly(given: Assignment) -> tuple[int | None, bool]:
    """The lowest cost, None where no assignment is found, and whether that is proven, by the exact layer."""
    program = Program()
    agents, jobs = given.cost.shape
    column = np.array([[program.add(-float(cost), whole=True) for cost in row] for row in given.cost])
    for job in range(jobs):
        program.bound([(int(at), 1.0) for at in column[:, job]], 1.0, 1.0)
    for agent in range(agents):
        terms = zip(column[agent].tolist(), given.load[agent].astype(float).tolist(), strict=True)
        program.bound(terms, 0.0, float(given.capacity[agent]))
    values, proven = program.solve(gap=EXACT, nodes=NODES)
    if values is None:
        return None, False
    chosen = values[column] == 1
    assert (chosen.sum(axis=0) == 1).all()
    assert ((given.load * chosen).sum(axis=1) <= given.capacity).all()
    return int((given.cost * chosen).sum()), proven


def seat_problem(profit: NDArray[np.float64], capacity: Ints) -> Problem:
    """One-seat jobs as a day of one block: agents are adults with a session each, jobs students, profits their needs.

    Args:
        profit: Agents x jobs, 0-1.
        capacity: Students of each agent's session.
    """
    agents, jobs = profit.shape
    block = frozenset({"b"})
    return Problem(
        blocks=(Block("b", "09:00-09:45", 0),),
        students=tuple(Student(f"s{job:02}", block) for job in range(jobs)),
        adults=(
            *(_agent(f"t{agent:02}", f"k{agent:02}", int(most), block) for agent, most in enumerate(capacity)),
            Adult("watch", Role.SUPPORT_STAFF, block, frozenset({Modality.ONLINE})),
        ),
        skills=tuple(Skill(f"k{agent:02}", f"Agent {agent}") for agent in range(agents)),
        effects=(Effect(Modality.SMALL_GROUP, Role.TEACHER_LEADER, 1.0),),
        needs=tuple(
            Need(f"s{job:02}", f"k{agent:02}", float(profit[agent, job]))
            for agent in range(agents) for job in range(jobs)
        ),
        sizes=(SizeBound(Modality.SMALL_GROUP, 1, jobs),),
        weights=Weights(coverage=0.0, relationships=0.0, repeat_mates=0.0, keep_together=0.0, load=0.0, share=0.0),
        students_per_monitor=jobs,
    )  # fmt: skip


def _agent(name: str, skill: str, most: int, block: frozenset[str]) -> Adult:
    small_group = frozenset({Modality.SMALL_GROUP})
    return Adult(name, Role.TEACHER_LEADER, block, small_group, {skill: 1.0}, max_group=most)


def measure_assignment(sizes: Sequence[tuple[int, int]] = SIZES, seconds: float = 1.0) -> list[Solved]:
    """Solves as many instances of each form as there are sizes: C and D exactly, one-seat jobs by the planner too."""
    asked = [("C", *size, seed) for seed, size in enumerate(sizes)]
    asked += [("D", *size, seed) for size in sizes[:SMALL] for seed in range(len(sizes) // SMALL)]
    told = [
        Solved(form, agents, jobs, proven=solve_exactly(draw_assignment(form, agents, jobs, seed))[1], ratio=1.0)
        for form, agents, jobs, seed in asked
    ]
    return told + [_search(*size, seed, seconds) for seed, size in enumerate(sizes)]


def _search(agents: int, jobs: int, seed: int, seconds: float) -> Solved:
    """The planner without its exact seating, on profits of whole cents, so that equal is equal."""
    lots = np.random.default_rng([agents, jobs, seed])
    profit = lots.integers(1, 101, (agents, jobs))
    capacity = np.full(agents, jobs // agents, np.int64) - lots.integers(0, 2, agents)
    best, proven = solve_seats(profit, capacity)
    problem = seat_problem(profit / 100, capacity)
    plan = suggest_groups(problem, Budget(seconds=seconds, seatings=0, bound_rounds=0))
    assert not find_violations(problem, plan.sessions)
    return Solved("one seat", agents, jobs, proven, score_plan(problem, plan.sessions).total * 100 / best)


def solve_seats(profit: Ints, capacity: Ints) -> tuple[int, bool]:
    """The highest profit where each job takes one seat of an agent, or none, by the exact layer."""
    program = Program()
    column = np.array([[program.add(float(value), whole=True) for value in row] for row in profit])
    for row in column.T:
        program.bound([(int(at), 1.0) for at in row], 0.0, 1.0)
    for row, most in zip(column, capacity, strict=True):
        program.bound([(int(at), 1.0) for at in row], 0.0, float(most))
    values, proven = program.solve(gap=EXACT, nodes=NODES)
    assert values is not None
    return int((profit * values[column]).sum()), proven
