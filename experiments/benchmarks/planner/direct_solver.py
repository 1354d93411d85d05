"""The whole day given to OR-Tools CP-SAT at once, seat by seat, where it is installed; it is no dependency.

The program is the one that proves tiny days; whatever CP-SAT has found when its time is over is judged like our plans.
"""

import math
from importlib.util import find_spec

from experiments.benchmarks.planner.tiny_optimum import read_day
from experiments.benchmarks.planner.whole_day import WholeDay
from experiments.benchmarks.planner.whole_day_terms import add_terms
from serving.grouping.problem.plan import Session
from serving.grouping.problem.problem import Problem

DIRECT = "direct CP-SAT"

PARTS = 1000
"""Of a unit: columns that may hold any number hold thousandths, and so do the factors of rows."""


def is_installed() -> bool:
    """Whether OR-Tools is there."""
    return find_spec("ortools") is not None


def plan_directly(problem: Problem, seconds: float) -> tuple[Session, ...] | None:
    """The best day found in wall-clock time on one core, None where none was."""
    from ortools.sat.python import cp_model  # noqa: PLC0415 - it may not be installed

    day = WholeDay(problem)
    add_terms(day)
    program, model = day.program, cp_model.CpModel()
    # what counts whether something is so is 0 or 1 in any best day; only shortfalls may lie between
    parts = [PARTS if not whole and most > 1 else 1 for whole, most in zip(program.whole, program.highest, strict=True)]
    columns = [model.new_int_var(0, int(most * part), "") for most, part in zip(program.highest, parts, strict=True)]
    for terms, low, high in program.rows:
        total = sum(round(factor * PARTS / parts[at]) * columns[at] for at, factor in terms)
        slack = len(terms) if any(not (factor * PARTS).is_integer() for _, factor in terms) else 0
        if low > -math.inf:
            model.add(total >= round(low * PARTS) - slack)
        if high < math.inf:
            model.add(total <= round(high * PARTS) + slack)
    points = zip(columns, program.points, parts, strict=True)
    model.maximize(sum(point / part * column for column, point, part in points if point))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = 1
    if solver.solve(model) not in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
        return None
    return read_day(day, [solver.value(column) for column in columns])
