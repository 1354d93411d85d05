"""Long runs over the made-up days: the best known, a valid bound, and the proven optimum of tiny days."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from experiments.benchmarks.planner.days import draw_day
from experiments.benchmarks.planner.known_days import Known, Place, checksum, look_up, read_known, write_known
from experiments.benchmarks.planner.tiny_optimum import prove_optimum
from features.console import OUT, track
from serving.grouping.problem.problem import Problem
from serving.grouping.search.anneal import Budget
from serving.grouping.search.bound import bound_day, online_score
from serving.grouping.solve import suggest_groups
from serving.grouping.state.arrays import build_data

BOUND_ROUNDS, EXACT_ROUNDS = 400, 60
"""Of a day's bound: with groupmates' points priced loosely, and then exactly."""

STARTS = 4
"""Runs with other lots that share the time, since one may get stuck."""

TINY = 24
"""Students up to which the optimum is proven."""

PROOF = 10
"""Times the long run that a proof may take, after which the bound reached so far has to do."""


def improve_known(places: Sequence[Place], seconds: float, path: Path, jobs: int) -> None:
    """Runs long on every day and stores what is better than before, day by day.

    Args:
        places: Sizes and seeds.
        seconds: Of a day's long run.
        path: Of the stored figures.
        jobs: Processes; the figures are no timings, so they may share the machine.

    Raises:
        InputError: The stored figures are of other days.
    """
    known = read_known(path)
    for place in places:
        look_up(known, place, draw_day(*place))
    open_places = [place for place in places if place not in known or not known[place].proven]
    for place, found in track(_run_all(open_places, seconds, known, jobs), "long runs", total=len(open_places)):
        before = known.get(place)
        known[place] = found if before is None else before.joined(found.best, found.bound, proven=found.proven)
        write_known(path, known)
    OUT.print(f"stored figures of {len(known)} days in {path}", markup=False, highlight=False)


def run_long(place: Place, seconds: float, best: float = 0.0) -> Known:
    """What a long run finds of one day.

    Args:
        place: Size and seed.
        seconds: Of the search.
        best: A value known to be reached.
    """
    problem = draw_day(*place)
    online = online_value(problem)
    for seed in range(1, STARTS + 1):
        plan = suggest_groups(problem, Budget(seconds=seconds / STARTS, seed=seed, bound_rounds=0))
        best = max(best, plan.score.total - online)
    bound, proven = bound_value(problem, best), False
    if place[0] <= TINY:
        optimum = prove_optimum(problem, PROOF * seconds, best + online)
        best, bound = max(best, optimum.value - online), min(bound, optimum.bound - online)
        proven = optimum.proven
    return Known(best, bound, proven, checksum(problem))


def online_value(problem: Problem) -> float:
    """The score of a day that everybody spends online."""
    return float(online_score(build_data(problem).arrays))


def bound_value(problem: Problem, best: float, rounds: int = BOUND_ROUNDS, exact: int = EXACT_ROUNDS) -> float:
    """What no plan adds to a day online; `best` only steers the search for it."""
    arena = build_data(problem).arrays
    online = float(online_score(arena))
    return float(bound_day(arena, best + online, rounds, exact)) - online


def _run_all(
    places: Sequence[Place], seconds: float, known: dict[Place, Known], jobs: int
) -> Iterator[tuple[Place, Known]]:
    starts = [known[place].best if place in known else 0.0 for place in places]
    run = partial(_run, seconds=seconds)
    if jobs == 1:
        yield from zip(places, map(run, places, starts), strict=True)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from zip(places, pool.map(run, places, starts), strict=True)


def _run(place: Place, best: float, *, seconds: float) -> Known:
    return run_long(place, seconds, best)
