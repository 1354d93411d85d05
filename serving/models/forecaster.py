"""What a model version says about rows of a profile, with reasons, or that it cannot say."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from cachetools import LRUCache

from features.errors import RegroupError
from features.model_bundle import TREES, read_model_bundle
from features.profiles.columns import FAMILIES, REGISTRY
from features.profiles.kernel import COLUMNS
from serving.errors import SnapshotError

Rows = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

MAX_SCORES = 100_000
"""Rows whose probability is kept, by their bytes: about 30 MB."""

FAMILY_OF = {each.name: each.family for each in REGISTRY}


@dataclass(frozen=True)
class Reason:
    """One family of columns that moves a forecast; an association, not a cause.

    Attributes:
        family: A key of `features.profiles.columns.FAMILIES`.
        effect: `raises` or `lowers` the forecast.
        weight: By how much, in logits.
    """

    family: str
    effect: str
    weight: float


@dataclass(frozen=True)
class Thresholds:
    """What a model version holds for mastered, for struggling and for enough evidence."""

    streak: int
    limit: int
    min_opportunities: int
    min_responses: int


class Forecaster:
    """One model version, read from its bundle and ready to score arrays.

    Args:
        folder: The bundle.

    Raises:
        SnapshotError: The bundle was altered, or is of other columns than this code makes.
    """

    def __init__(self, folder: Path) -> None:
        try:
            bundle = read_model_bundle(folder)
        except RegroupError as error:
            raise SnapshotError(str(error)) from error
        self.manifest = bundle.manifest
        self._columns = bundle.columns
        self._positions = [COLUMNS.index(name) for name in self._columns]
        self._calibration = bundle.calibration
        thresholds = bundle.read("thresholds")
        rule, evidence = thresholds["mastery_rule"], thresholds["evidence"]
        self.thresholds = Thresholds(
            rule["streak"], rule["limit"], evidence["min_opportunities"], evidence["min_responses"]
        )
        self._booster = lgb.Booster(model_file=folder / TREES)
        self._lock = threading.Lock()
        self._scores: LRUCache[bytes, float] = LRUCache(MAX_SCORES)
        families = list(FAMILIES)
        self._family = np.zeros((len(self._columns), len(families)))
        for position, name in enumerate(self._columns):
            self._family[position, families.index(FAMILY_OF[name])] = 1.0

    def predict(self, rows: Rows) -> Floats:
        """The probability for each row of kernel columns; a row that was scored before is looked up.

        After a batch of events most of a team's rows are what they were, and scoring is most of what a request costs.
        """
        keys = [row.tobytes() for row in rows]
        with self._lock:
            found = [self._scores.get(key) for key in keys]
        new = [at for at, score in enumerate(found) if score is None]
        if not new:
            return np.array(found, np.float64)
        fresh = self._predict(rows[new])
        scores = np.array([0.0 if score is None else score for score in found])
        scores[new] = fresh
        with self._lock:
            self._scores.update(zip((keys[at] for at in new), fresh.tolist(), strict=True))
        return scores

    def _predict(self, rows: Rows) -> Floats:
        score = np.asarray(self._booster.predict(rows[:, self._positions], raw_score=True, num_threads=1), np.float64)
        return self._calibration.apply(score)

    def explain(self, rows: Rows, most: int = 3) -> list[tuple[Reason, ...]]:
        """The families of columns that move each row's forecast most, by LightGBM's own exact contributions.

        The contributions (Shapley values of the trees, in logits) are summed within a family and scaled as the
        calibration scales the score.
        """
        if len(rows) == 0:
            return []
        shares = np.asarray(
            self._booster.predict(rows[:, self._positions], pred_contrib=True, num_threads=1), np.float64
        )
        by_family = self._calibration.slope * (shares[:, :-1] @ self._family)
        return [_strongest(row, most) for row in by_family]


def _strongest(weights: Floats, most: int) -> tuple[Reason, ...]:
    order = np.argsort(-np.abs(weights), kind="stable")[:most]
    names = list(FAMILIES)
    return tuple(
        Reason(names[at], "raises" if weights[at] > 0 else "lowers", round(float(weights[at]), 3))
        for at in order
        if abs(weights[at]) >= 0.05  # noqa: PLR2004 - a twentieth of a logit moves no probability by more than .0125
    )


def describe_facts(row: Sequence[float] | Rows) -> list[str]:
    """What happened, in plain words, from one row of a profile; nothing that was not observed.

    Example:
        >>> row = np.full(len(COLUMNS), np.nan, np.float32)
        >>> row[COLUMNS.index("skill_opportunities")] = 7
        >>> row[COLUMNS.index("skill_correct_share_5r")] = 0.4
        >>> describe_facts(row)
        ['3 of the last 5 wrong', '7 tries on this skill']
    """
    tries, share, hints, days = (float(row[at]) for at in _TOLD)
    facts = []
    if tries > 0:
        window = min(5, int(tries))
        wrong = window - round(share * window)
        facts.append(f"{wrong} of the last {window} wrong" if wrong else f"the last {window} right")
        facts.append(f"{int(tries)} {'try' if tries == 1 else 'tries'} on this skill")
    if 0 < tries < 3:  # noqa: PLR2004 - one or two answers have no "last" among them
        told = "right" if wrong == 0 else "wrong" if wrong == tries else "one of them wrong"
        facts = [f"{int(tries)} {'try' if tries == 1 else 'tries'} on this skill, {told}"]
    if hints >= 0.25:  # noqa: PLR2004 - a hint on every fourth answer is worth a word
        facts.append(f"hints on {hints:.0%} of them lately")
    if days >= 7:  # noqa: PLR2004 - a week without practice is worth a word
        facts.append(f"not practised for {int(days)} days")
    return facts


_TOLD = tuple(
    COLUMNS.index(name)
    for name in ("skill_opportunities", "skill_correct_share_5r", "skill_hints_ewm_20", "days_since_skill")
)
