"""The best that long runs found of the synthetic days, stored so that a benchmark run compares with it in minutes.

Values are what a plan adds to a day that everybody spends online. A checksum of the day shows when it is another.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from experiments.benchmarks.planner.instances.team import draw_day
from experiments.benchmarks.planner.verify.optimum import prove_optimum
from features.console import OUT, track
from features.errors import InputError
from serving.grouping.problem.problem import Problem
from serving.grouping.search.anneal import Budget
from serving.grouping.search.bound import bound_day, online_score
from serving.grouping.solve import suggest_groups
from serving.grouping.state.arrays import build_data

FAMILY = 2
"""Number of the family of days that `instances/team.py` draws; raised whenever equal seeds give other days."""

STORED = Path(__file__).with_name("best_known.json")

DECIMALS, DIGITS = 9, 12
"""Decimals of the numbers that a checksum covers, and digits of the checksum."""

BOUND_ROUNDS, EXACT_ROUNDS = 400, 60
"""Rounds of a day's bound: with groupmates' points relaxed loosely, and then exactly."""

STARTS = 4
"""Runs with other random seeds that share the time, since one may get stuck."""

TINY = 24
"""Students up to which the optimum is proven."""

PROOF = 10
"""Times the long run that a proof may take, after which the bound reached so far has to do."""

Place = tuple[int, int]
"""Students and seed."""


@dataclass(frozen=True, slots=True)
class Known:
    """The best figures known for a day.

    Attributes:
        best: The highest value of any run.
        bound: A value that no plan exceeds.
        proven: Whether no plan has a higher value than `best`.
        checksum: Checksum of the problem.
    """

    best: float
    bound: float
    proven: bool
    checksum: str

    def joined(self, best: float, bound: float, *, proven: bool) -> "Known":
        """Returns the figures with another run's where those are better."""
        return Known(max(self.best, best), min(self.bound, bound), self.proven or proven, self.checksum)


def checksum(problem: Problem) -> str:
    """Returns a checksum of a day, the same on every machine.

    Processors differ in the last digit of an exponential, so numbers are rounded first.
    """
    fields = json.loads(problem.to_json(), parse_float=lambda text: round(float(text), DECIMALS))
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:DIGITS]


def read_known(path: Path) -> dict[Place, Known]:
    """Returns the stored figures; none where there is no file.

    Raises:
        InputError: The file does not hold such figures, or those of another family of days.
    """
    if not path.exists():
        return {}
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        family, days = stored["family"], stored["days"]
        known = {
            (day["students"], day["seed"]): Known(day["best"], day["bound"], day["proven"], day["checksum"])
            for day in days
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} cannot be read as figures of synthetic days: {error!r}") from None
    if family != FAMILY:
        raise InputError(f"{path} holds days of family {family}, not {FAMILY}; remove it and run with --reference")
    return known


def write_known(path: Path, known: Mapping[Place, Known]) -> None:
    """Stores the figures by size and seed."""
    days = [{"students": place[0], "seed": place[1]} | asdict(figures) for place, figures in sorted(known.items())]
    lines = ",\n".join("  " + json.dumps(day) for day in days)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{{"family": {FAMILY}, "days": [\n{lines}\n]}}\n', encoding="utf-8")


def look_up(known: Mapping[Place, Known], place: Place, problem: Problem) -> Known | None:
    """Returns the stored figures of a day, null where there are none.

    Raises:
        InputError: The stored figures are of another day.
    """
    found = known.get(place)
    if found is not None and found.checksum != checksum(problem):
        raise InputError(
            f"the day of {place[0]} students and seed {place[1]} has checksum {checksum(problem)}, but the stored "
            f"figures are of {found.checksum}: the days or the problem's fields changed; raise FAMILY in best_known.py "
            "and run with --reference"
        )
    return found


def improve_known(places: Sequence[Place], seconds: float, path: Path) -> None:
    """Runs so many seconds on each day and stores what is better than before, day by day.

    Raises:
        InputError: The stored figures are of other days.
    """
    known = read_known(path)
    for place in places:
        look_up(known, place, draw_day(*place))
    open_places = [place for place in places if place not in known or not known[place].proven]
    for place in track(open_places, "long runs", total=len(open_places)):
        before = known.get(place)
        found = run_long(place, seconds, 0.0 if before is None else before.best)
        known[place] = found if before is None else before.joined(found.best, found.bound, proven=found.proven)
        write_known(path, known)
    OUT.print(f"stored figures of {len(known)} days in {path}", markup=False, highlight=False)


def run_long(place: Place, seconds: float, best: float = 0.0) -> Known:
    """Returns what a long run finds of one day; `best` is a value known to be reached."""
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
    """Returns the score of a day that everybody spends online."""
    return float(online_score(build_data(problem).arrays))


def bound_value(problem: Problem, best: float, rounds: int = BOUND_ROUNDS, exact: int = EXACT_ROUNDS) -> float:
    """Returns a value that no plan exceeds; `best` only steers the search for it."""
    arrays = build_data(problem).arrays
    online = float(online_score(arrays))
    return float(bound_day(arrays, best + online, rounds, exact)) - online
