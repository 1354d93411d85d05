"""What long runs found of the made-up days, stored so that a usual run measures against it in minutes.

One entry per day: its seed, the best value of any run, a bound that no plan exceeds, and whether the two are proven to
meet. Values are what a plan adds to a day that everybody spends online. A checksum of the day shows when it is another.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from features.errors import InputError
from serving.grouping.problem.problem import Problem

FAMILY = 2
"""Of the days that `days.py` draws; to be raised whenever it draws others from the same seeds."""

STORED = Path(__file__).with_name("known_days.json")

DECIMALS = 9
"""Of numbers in a checksum."""

DIGITS = 12
"""Of a checksum: enough to tell days apart, few enough to read."""

Place = tuple[int, int]
"""Students and seed."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a day.

    Attributes:
        best: The highest value of any run.
        bound: A value that no plan exceeds.
        proven: Whether no plan has a higher value than `best`.
        checksum: Of the problem.
    """

    best: float
    bound: float
    proven: bool
    checksum: str

    def joined(self, best: float, bound: float, *, proven: bool) -> "Known":
        """The same with another run's figures where they are better."""
        return Known(
            best=max(self.best, best),
            bound=min(self.bound, bound),
            proven=self.proven or proven,
            checksum=self.checksum,
        )


def checksum(problem: Problem) -> str:
    """What tells a day from another; the same day has the same one on every machine.

    Processors differ in the last digit of an exponential, so numbers are rounded first.
    """
    told = json.loads(problem.to_json(), parse_float=lambda text: round(float(text), DECIMALS))
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:DIGITS]


def read_known(path: Path) -> dict[Place, Known]:
    """The stored figures; none where there is no file.

    Raises:
        InputError: The file is no such figures, or of days of another family.
    """
    if not path.exists():
        return {}
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        family, days = told["family"], told["days"]
        known = {
            (day["students"], day["seed"]): Known(day["best"], day["bound"], day["proven"], day["checksum"])
            for day in days
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} cannot be read as figures of made-up days: {error!r}") from None
    if family != FAMILY:
        raise InputError(f"{path} holds days of family {family}, not {FAMILY}; remove it and run with --reference")
    return known


def write_known(path: Path, known: Mapping[Place, Known]) -> None:
    """Stores figures, in the order of size and seed."""
    days = [{"students": place[0], "seed": place[1]} | asdict(each) for place, each in sorted(known.items())]
    lines = ",\n".join("  " + json.dumps(day) for day in days)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{{"family": {FAMILY}, "days": [\n{lines}\n]}}\n', encoding="utf-8")


def look_up(known: Mapping[Place, Known], place: Place, problem: Problem) -> Known | None:
    """What is stored of a day, None where nothing is.

    Raises:
        InputError: The day is not the one that the figures are of.
    """
    found = known.get(place)
    if found is not None and found.checksum != checksum(problem):
        raise InputError(
            f"the day of {place[0]} students and seed {place[1]} has checksum {checksum(problem)}, but the stored "
            f"figures are of {found.checksum}: the days or the problem's fields changed; raise FAMILY in known_days.py "
            "and run with --reference"
        )
    return found
