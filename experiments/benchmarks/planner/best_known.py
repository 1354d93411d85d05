"""The best that long runs found of the instance set, stored so that a benchmark run compares with it in minutes.

Values are what a plan adds to a day that everybody spends online. A checksum tells when a day is another, because the
draw, the service's needs or its weights changed; a long run then begins it anew.
"""

import hashlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from experiments.benchmarks.planner.instances.team import draw_family
from experiments.benchmarks.planner.verify.optimum import prove_optimum
from features.console import OUT, track
from features.errors import InputError
from serving.grouping.problem.problem import Problem
from serving.grouping.search.anneal import Budget
from serving.grouping.search.bound import online_score
from serving.grouping.solve import prove_plan, suggest_groups, warm_up
from serving.grouping.state.arrays import build_data

STORED = Path(__file__).with_name("best_known.json")

DECIMALS, DIGITS = 9, 12
"""Decimals of the numbers that a checksum covers, and digits of the checksum."""

STARTS = 3
"""Runs with other random seeds that share the time, since one may get stuck."""

TINY = 24
"""Students up to which the optimum is proven."""

PROOF = 20
"""Times the long run that a proof may take, after which the bound reached so far has to do."""

PROCESSES = 2
"""Long runs at a time."""

Place = tuple[str, int]
"""A family of `instances/team.py`, and a seed."""


@dataclass(frozen=True, slots=True)
class Known:
    """The best figures known for a day.

    Attributes:
        best: The highest value of any run.
        bound: A value that no plan exceeds.
        proven: Whether no plan has a higher value than `best`.
        seconds: The longest run so far, in seconds.
        checksum: Checksum of the problem.
    """

    best: float
    bound: float
    proven: bool
    seconds: float
    checksum: str

    def joined(self, other: "Known") -> "Known":
        """Returns the figures with another run's of the same day where those are better."""
        return Known(
            max(self.best, other.best),
            min(self.bound, other.bound),
            self.proven or other.proven,
            max(self.seconds, other.seconds),
            self.checksum,
        )


def checksum(problem: Problem) -> str:
    """Returns a checksum of a day, the same on every machine.

    Processors differ in the last digit of an exponential, so numbers are rounded first. What is empty or zero does not
    count, so that a new kind of part, which the day has none of, leaves it the day that it was.
    """
    fields = json.loads(problem.to_json(), parse_float=lambda text: round(float(text), DECIMALS))
    return hashlib.sha256(json.dumps(_drop_empty(fields), sort_keys=True).encode()).hexdigest()[:DIGITS]


def _drop_empty(part: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    if isinstance(part, dict):
        return {name: _drop_empty(value) for name, value in part.items() if value}
    return [_drop_empty(value) for value in part] if isinstance(part, list) else part


def read_known(path: Path) -> dict[Place, Known]:
    """Returns the stored figures; none where there is no file.

    Raises:
        InputError: The file does not hold such figures.
    """
    if not path.exists():
        return {}
    try:
        days = json.loads(path.read_text(encoding="utf-8"))["days"]
        return {(day.pop("family"), day.pop("seed")): Known(**day) for day in days}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} cannot be read as figures of synthetic days: {error!r}") from None


def write_known(path: Path, known: Mapping[Place, Known]) -> None:
    """Stores the figures by family and seed."""
    days = [{"family": place[0], "seed": place[1]} | asdict(figures) for place, figures in sorted(known.items())]
    lines = ",\n".join("  " + json.dumps(day) for day in days)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{{"days": [\n{lines}\n]}}\n', encoding="utf-8")


def look_up(known: Mapping[Place, Known], place: Place, problem: Problem) -> Known | None:
    """Returns the stored figures of a day, null where there are none.

    Raises:
        InputError: The stored figures are of another day.
    """
    found = known.get(place)
    if found is not None and found.checksum != checksum(problem):
        raise InputError(
            f"the day of family {place[0]!r} and seed {place[1]} has checksum {checksum(problem)}, but the stored "
            f"figures are of {found.checksum}: the days or the problem's fields changed; run with --reference"
        )
    return found


def improve_known(places: Sequence[Place], seconds: float, path: Path, proof: float = PROOF) -> None:
    """Runs so many seconds on each day, two days at a time, and stores what is better than before, day by day.

    Days that were run as long before, or whose optimum is proven, are left out, so that a run that was stopped goes on
    where it was; figures of days that have changed since are dropped.
    """
    known = {
        place: figures
        for place, figures in read_known(path).items()
        if place not in places or figures.checksum == checksum(draw_family(*place))
    }
    waiting = [p for p in places if p not in known or not (known[p].proven or known[p].seconds >= seconds)]
    with ProcessPoolExecutor(PROCESSES, get_context("spawn"), initializer=warm_up) as pool:
        runs = {pool.submit(run_long, place, seconds, proof): place for place in waiting}
        for run in track(as_completed(runs), "long runs", total=len(runs)):
            place, found = runs[run], run.result()
            known[place] = known[place].joined(found) if place in known else found
            write_known(path, known)
    OUT.print(f"stored figures of {len(known)} days in {path}", markup=False, highlight=False)


def run_long(place: Place, seconds: float, proof: float = PROOF) -> Known:
    """Returns what a long run finds of one day, and a bound that takes a third of its time."""
    problem = draw_family(*place)
    data, online = build_data(problem), online_value(problem)
    plans = [
        suggest_groups(problem, Budget(seconds=seconds / STARTS, seed=seed, bound_rounds=0)) for seed in range(STARTS)
    ]
    plan = max(plans, key=lambda plan: plan.score.total)
    bound = prove_plan(data, plan, sys.maxsize, time.perf_counter() + seconds / STARTS, exact=sys.maxsize).bound
    best, proven = plan.score.total, False
    if len(problem.students) <= TINY:
        optimum = prove_optimum(problem, proof * seconds, best)
        best, bound, proven = max(best, optimum.value), min(bound, optimum.bound), optimum.proven
    return Known(best - online, bound - online, proven, seconds, checksum(problem))


def online_value(problem: Problem) -> float:
    """Returns the score of a day that everybody spends online."""
    return float(online_score(build_data(problem).arrays))
