"""`python -m experiments benchmark outcomes`: skills mastered by our plans and by plain policies, in simulated schools.

The schools, days and judge are those of `benchmark policies`, asked what a school asks: how many skills students come
to master in a week, and what the lowest quartile knows. Every school is a seed; intervals are of the paired difference
over seeds (Student's t).
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from experiments.benchmarks.figures import print_tables
from experiments.benchmarks.planner.policies.benchmark import (
    FIRST_SEED,
    compare_with_each,
    mean_outcome,
    plan_schools,
    require_schools,
    say_ahead,
    show_against,
    show_means,
    show_rows,
)
from experiments.benchmarks.planner.policies.compare import OURS, Compared
from experiments.benchmarks.registry import DAILY_SCHOOLS
from experiments.simulation.teaching import Level
from features.console import OUT, write_json

MAIN = ("skills_a_week", "lowest_quartile")
"""Figures in which ours is to be ahead of each policy, named before anything was measured."""

SHOWN = (*MAIN, "skills_a_week_well", "gap", "adult_minutes", "lowest_adult_minutes")

NOT_PLAIN = ("before",)
"""Policies that no school follows by hand."""

ASSUMED = (
    "A simulation, which proves nothing about real children. It assumes that students learn from a session as much as "
    "published trials of tutoring and groups found on average (experiments/simulation/teaching.py), more the smaller "
    "the group, nothing where they are not ready and little where they know the skill; that every planned session is "
    "held and every student comes but for absences; that students practice, forget and answer by rules of our own that "
    "resemble one real log; and that the forecasts are trained on a school of the same kind."
)


def benchmark_outcomes(
    seeds: int,
    days: int,
    *,
    kinds: Sequence[str] | None = None,
    models: Path | None = None,
    workers: int | None = None,
    json_path: Path | None = None,
) -> int:
    """Prints and writes all figures; the exit code is 1 unless ours is ahead of each plain policy in both main figures.

    Args:
        seeds: Simulated schools of each kind.
        days: School days that are planned.
        kinds: Kinds of school; null = that of the demo.
        models: A folder where the trained models are kept, or taken from; null = trained anew.
        workers: Processes that plan schools at once; 1 = this one; null = as many as there are cores.
        json_path: Where the figures are written too.

    Raises:
        InputError: Fewer than two seeds, of which no interval could be told, or nothing to plan.
    """
    require_schools("--seeds", seeds, days, workers)
    OUT.print(ASSUMED, style="bold", markup=False, highlight=False)
    work = [
        (kind, FIRST_SEED + number, (Level.MIDDLE,)) for number in range(seeds) for kind in kinds or DAILY_SCHOOLS[:1]
    ]
    compared = plan_schools(work, days, models, workers, without=NOT_PLAIN, every_team=True)
    against = compare_with_each(compared)
    policies = {policy: mean_outcome(compared, policy) for policy in compared[0].outcomes}
    figures = {"assumed": ASSUMED, "seeds": seeds, "days": days, "main": MAIN, "teams": _compare_teams(compared)}
    print_tables(
        show_means("means over simulated schools", policies, SHOWN),
        show_against("ours less each policy (95 % interval over seeds)", against, SHOWN),
        show_rows("the same by team", "team", figures, MAIN),
    )
    ahead = say_ahead(against, MAIN)
    write_json(json_path, {**figures, "against": against, "policies": policies})
    return 0 if ahead else 1


def _compare_teams(compared: Sequence[Compared]) -> list[dict[str, Any]]:
    """Returns the differences of each team; every school has as many."""
    return [
        {"team": str(at + 1), **row}
        for at in range(len(compared[0].teams[OURS]))
        for row in compare_with_each(
            [replace(one, teams={policy: [each[at]] for policy, each in one.teams.items()}) for one in compared]
        )
    ]
