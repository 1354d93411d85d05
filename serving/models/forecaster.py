"""Forecasts of one model version for rows of a profile, their reasons, and the facts beside them."""

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
"""Most rows whose probability is kept, by their bytes: about 30 MB."""

REASON_FROM = 0.05
"""Logits from which a family is a reason; less moves no probability by more than .0125."""

FACT_COLUMNS = tuple(
    COLUMNS.index(name)
    for name in ("skill_opportunities", "skill_correct_share_5r", "skill_hints_ewm_20", "days_since_skill")
)


@dataclass(frozen=True)
class Reason:
    """One family of columns that moves a forecast; an association, not a cause.

    Attributes:
        family: A key of `features.profiles.columns.FAMILIES`.
        effect: `raises` or `lowers` the forecast.
        weight: How far it moves the forecast, in logits.
    """

    family: str
    effect: str
    weight: float


@dataclass(frozen=True)
class Thresholds:
    """When a model version takes a skill for mastered or struggling, and how much evidence it asks for.

    Attributes:
        streak: Correct first attempts in a row that are mastery.
        horizon: First attempts without mastery that are struggling.
        min_opportunities: First attempts on the skill that a forecast needs.
        min_responses: Responses of the student that a forecast needs.
    """

    streak: int
    horizon: int
    min_opportunities: int
    min_responses: int


class Forecaster:
    """One model version, read from its bundle and ready to score arrays.

    Raises:
        SnapshotError: The bundle was altered, or is of other columns than this code makes.
    """

    def __init__(self, folder: Path) -> None:
        try:
            bundle = read_model_bundle(folder)
        except RegroupError as error:
            raise SnapshotError(str(error)) from error
        self.manifest = bundle.manifest
        self._positions = [COLUMNS.index(name) for name in bundle.columns]
        self._calibration = bundle.calibration
        thresholds = bundle.read("thresholds")
        rule, evidence = thresholds["mastery_rule"], thresholds["evidence"]
        self.thresholds = Thresholds(
            rule["streak"], rule["horizon"], evidence["min_opportunities"], evidence["min_responses"]
        )
        self._booster = lgb.Booster(model_file=folder / TREES)
        self._lock = threading.Lock()
        self._scores: LRUCache[bytes, float] = LRUCache(MAX_SCORES)
        family_of = {column.name: column.family for column in REGISTRY}
        self._in_family = np.array(
            [[family_of[name] == family for family in FAMILIES] for name in bundle.columns], np.float64
        )

    def predict(self, rows: Rows) -> Floats:
        """Forecasts the probability for each row of kernel columns; a row that was scored before is looked up.

        A batch of events changes few of a team's rows, and scoring is most of what a request costs.
        """
        keys = [row.tobytes() for row in rows]
        with self._lock:
            known = [self._scores.get(key) for key in keys]
        probability = np.array(known, np.float64)  # NaN for None
        new = np.flatnonzero(np.isnan(probability))
        if len(new) > 0:
            score = self._booster.predict(rows[new][:, self._positions], raw_score=True, num_threads=1)
            probability[new] = self._calibration.apply(np.asarray(score, np.float64))
            with self._lock:
                self._scores.update((keys[at], float(probability[at])) for at in new)
        return probability

    def explain(self, rows: Rows, most: int = 3) -> list[tuple[Reason, ...]]:
        """Names the families of columns that move each row's forecast most, by LightGBM's own exact contributions.

        The contributions (Shapley values of the trees, in logits) are summed within a family and scaled as the
        calibration scales the score.
        """
        if len(rows) == 0:
            return []
        shares = np.asarray(
            self._booster.predict(rows[:, self._positions], pred_contrib=True, num_threads=1), np.float64
        )
        by_family = self._calibration.slope * (shares[:, :-1] @ self._in_family)
        return [_strongest(row, most) for row in by_family]


def _strongest(weights: Floats, most: int) -> tuple[Reason, ...]:
    order = np.argsort(-np.abs(weights), kind="stable")[:most]
    names = list(FAMILIES)
    return tuple(
        Reason(names[at], "raises" if weights[at] > 0 else "lowers", round(float(weights[at]), 3))
        for at in order
        if abs(weights[at]) >= REASON_FROM
    )


def describe_facts(row: Sequence[float] | Rows) -> list[str]:
    """Says in plain words what happened, from one row of a profile; nothing that was not observed.

    Example:
        >>> row = np.full(len(COLUMNS), np.nan, np.float32)
        >>> row[COLUMNS.index("skill_opportunities")] = 7
        >>> row[COLUMNS.index("skill_correct_share_5r")] = 0.4
        >>> describe_facts(row)
        ['3 of the last 5 wrong', '7 attempts on this skill']
    """
    attempts, share, hints, days = (float(row[at]) for at in FACT_COLUMNS)
    facts = []
    if attempts > 0:
        window = min(5, int(attempts))
        wrong = window - round(share * window)
        counted = f"{int(attempts)} {'attempt' if attempts == 1 else 'attempts'} on this skill"
        if attempts < 3:  # noqa: PLR2004 - one or two answers have no "last" among them
            facts = [f"{counted}, {'right' if wrong == 0 else 'wrong' if wrong == attempts else 'one of them wrong'}"]
        else:
            facts = [f"{wrong} of the last {window} wrong" if wrong else f"the last {window} right", counted]
    if hints >= 0.25:  # noqa: PLR2004 - a hint on every fourth answer is worth a word
        facts.append(f"hints on {hints:.0%} of them lately")
    if days >= 7:  # noqa: PLR2004 - a week without practice is worth a word
        facts.append(f"not practiced for {int(days)} days")
    return facts
