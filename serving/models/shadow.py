"""The challenger's forecasts of students who were just answered about: their disagreement is told, and nothing else.

It happens beside the requests, one comparison at a time; those that come meanwhile are left out.
"""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from prometheus_client import Counter

from features.errors import RegroupError
from serving.models.forecasts import SkillForecast, forecast_students, make_forecasts
from serving.models.pins import Pinned, Pins
from serving.models.snapshot import Snapshot

logger = logging.getLogger("regroup")

COMPARED = Counter("regroup_shadow_forecasts_total", "Struggle forecasts that the challenger made too.")
DIFFERENCE = Counter(
    "regroup_shadow_difference_total",
    "Sum of those forecasts' absolute differences; over their number, the mean.",
)
FAR = Counter("regroup_shadow_far_total", "Of those forecasts, the ones that differ by more than a tenth.")
ASKED = Counter("regroup_shadow_comparisons_total", "Answers by what became of their comparison.", ["outcome"])

FAR_APART = 0.1
"""Of struggle risk: a difference that may move a student to another group."""


@dataclass(frozen=True)
class Disagreement:
    """How far two models are apart on the same students and skills.

    Attributes:
        compared: Forecasts that both models make.
        mean_difference: Mean absolute difference of struggle risk; null where none are compared.
        far: How many differ by more than a tenth.
        one_sided: Skills of students on which one of them makes no forecast.
    """

    compared: int
    mean_difference: float | None
    far: int
    one_sided: int


def compare_forecasts(ours: Snapshot, theirs: Snapshot, students: Sequence[str], recent_days: int) -> Disagreement:
    """Compares the struggle forecasts of two models; what both hold for a fact is left out."""
    one = _risks(forecast_students(ours, students, recent_days))
    other = _risks(make_forecasts(theirs, students, recent_days))
    both = one.keys() & other.keys()
    apart = np.abs([one[each] - other[each] for each in both])
    return Disagreement(
        compared=len(both),
        mean_difference=float(apart.mean()) if both else None,
        far=int((apart > FAR_APART).sum()),
        one_sided=len(one.keys() ^ other.keys()),
    )


def _risks(forecasts: Sequence[SkillForecast]) -> dict[tuple[str, str], float]:
    return {
        (each.student, each.skill): each.struggle_risk
        for each in forecasts
        if each.status == "forecast" and each.struggle_risk is not None
    }


class Shadow:
    """Has the challenger forecast what the champion was asked for.

    Args:
        pins: With the challenger.
        recent_days: As the answers have it.
    """

    def __init__(self, pins: Pins, recent_days: int) -> None:
        self._pins = pins
        self._recent_days = recent_days
        self._running = threading.Lock()

    def follow(self, seen: Snapshot, students: Sequence[str]) -> None:
        """Begins a comparison and returns at once; does nothing while another one runs."""
        if not self._running.acquire(blocking=False):
            ASKED.labels("left_out").inc()
            return
        threading.Thread(target=self._run, args=(seen, students), name="shadow", daemon=True).start()

    def _run(self, seen: Snapshot, students: Sequence[str]) -> None:
        try:
            challenger = self._pins.find("challenger", seen.champion)
            if challenger is None:
                ASKED.labels("same_run").inc()
                return
            self._tell(seen, challenger, students)
            ASKED.labels("compared").inc()
        except Exception as error:  # noqa: BLE001 - nobody waits for it, and no answer may depend on it
            ASKED.labels("failed").inc()
            told = str(error) if isinstance(error, RegroupError) else type(error).__name__
            logger.warning("the challenger was not compared: %s", told)
        finally:
            self._running.release()

    def _tell(self, seen: Snapshot, challenger: Pinned, students: Sequence[str]) -> None:
        theirs = self._pins.see(challenger, seen, students)
        found = compare_forecasts(seen, theirs, students, self._recent_days)
        COMPARED.inc(found.compared)
        FAR.inc(found.far)
        if found.mean_difference is not None:
            DIFFERENCE.inc(found.mean_difference * found.compared)
        logger.info(
            "shadow: run %s and challenger %s: %d forecasts compared, mean difference %s, %d far apart, %d one-sided",
            seen.champion.run_id,
            challenger.run.run_id,
            found.compared,
            "none" if found.mean_difference is None else f"{found.mean_difference:.4f}",
            found.far,
            found.one_sided,
        )
