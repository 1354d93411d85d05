"""How a forecast does on parts of the rows: on groups of them, and on those it is surest of."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from features.profiles.kernel import COLUMNS
from features.profiles.vocabulary import SEPARATOR, Catalog
from training.config import Evaluation
from training.data.dataset import Block
from training.evaluation.metrics import Interval, calibration_error, chance_error, resample_students
from training.models.boosting import Trial

FEWEST = 500
"""Groups with fewer rows are not reported: their error would be chance."""

LARGEST = 20
"""Skills that are reported."""

FAMILIAR = 10
"""Training responses from which an item counts as familiar."""

COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)

DISTANCES = tuple(step / 100 for step in range(50))
"""From one half, that an abstention rule may ask for."""

Floats = npt.NDArray[np.float64]
Chosen = npt.NDArray[np.bool_]


def group_errors(
    block: Block,
    probability: Floats,
    catalog: Catalog,
    item_responses: Floats | None = None,
    *,
    by_episode: bool = False,
) -> list[dict[str, Any]]:
    """Calibration error of each group of rows that has enough of them.

    Args:
        block: Rows with targets.
        probability: Their forecasts.
        catalog: Names the skills.
        item_responses: How many training responses each row's item has; null = no such groups.
        by_episode: Whether the rows of an episode share one outcome.

    Returns:
        For each group `rows`, `ece`, and `by_chance`: what the error of forecasts that mean exactly what they say
        would stay under in 95 of 100 draws of so many answers.
    """
    return [
        {
            "group": name,
            "rows": int(mine.sum()),
            "ece": calibration_error(probability[mine], block.target[mine].astype(np.float64)),
            "by_chance": chance_error(probability[mine], block.episode[mine] if by_episode else None),
        }
        for name, mine in _groups(block, catalog, item_responses)
        if mine.sum() >= FEWEST
    ]


def abstain(block: Block, probability: Floats) -> list[dict[str, Any]]:
    """What remains when no forecast is given where it is least sure, which is nearest to one half.

    Returns:
        For each share of rows that keep their forecast: `auc` (null where one class only is left), `log_loss`, and
        `error`, the share of rows where the likelier outcome did not come.
    """
    target = block.target == 1
    clipped = np.clip(probability, 1e-6, 1 - 1e-6)
    loss, wrong = -np.log(np.where(target, clipped, 1 - clipped)), (probability >= 1 / 2) != target
    surest_first = np.argsort(-np.abs(probability - 1 / 2), kind="stable")
    told = []
    for coverage in COVERAGES:
        kept = surest_first[: max(1, round(coverage * len(target)))]
        both = 0 < target[kept].sum() < len(kept)
        told.append(
            {
                "coverage": coverage,
                "auc": float(roc_auc_score(target[kept], probability[kept])) if both else None,
                "log_loss": float(loss[kept].mean()),
                "error": float(wrong[kept].mean()),
            }
        )
    return told


def abstain_by_rule(
    trial: Trial | None, test: Block, probability: Floats, most_error: float, settings: Evaluation
) -> dict[str, Any]:
    """Says nothing nearer to one half than a distance that training students chose, and judges that on test students.

    The distance is the smallest of 0, .01, .02 and so on at which the error of the students left out of the trial is
    at most `most_error` with its whole 95 % interval over resampled students. The trial's number of trees and the two
    numbers of its calibration were fitted to the same students.

    Args:
        trial: Who was left out, and the model that has not seen them; null leaves nothing to choose by.
        test: Rows that are judged.
        probability: Their forecasts.
        most_error: The share of forecasts given whose likelier outcome may fail to come.
        settings: Resamples.

    Returns:
        `most_error`, `least_distance` (null where no distance serves), and on test rows `coverage`, `error` with
        `error_low` and `error_high`, and `held`, whether the error is at most `most_error`; the last four are null
        where no forecast is given.

    Source: Chow (1970), "On optimum recognition error and reject tradeoff", shows that with true probabilities no other
    rule keeps more rows at the same error; Geifman and El-Yaniv (2017), "Selective classification for deep neural
    networks", choose by an upper bound.
    """
    chosen = None
    if trial is not None:
        told = trial.model.predict(trial.left_out.rows)
        found = ((least, _error(trial.left_out, told, least, settings)) for least in DISTANCES)
        chosen = next((least for least, error in found if error.high <= most_error), None)
    kept = np.abs(probability - 1 / 2) >= (np.inf if chosen is None else chosen)
    error = _error(test, probability, chosen, settings) if chosen is not None and kept.any() else None
    return {
        "most_error": most_error,
        "least_distance": chosen,
        "coverage": float(kept.mean()),
        "error": None if error is None else error.value,
        "error_low": None if error is None else error.low,
        "error_high": None if error is None else error.high,
        "held": None if error is None else error.value <= most_error,
    }


def tell_rule(rule: dict[str, Any]) -> str:
    """What the rule does, as a sentence."""
    goal = f"error at most {rule['most_error']:g}"
    if rule["error"] is None:
        return f"abstention for an {goal}: no distance from one half serves"
    return (
        f"abstention for an {goal}, nearer than {rule['least_distance']:.2f} to one half: speaks on "
        f"{rule['coverage']:.0%}, error {rule['error']:.3f} ({rule['error_low']:.3f} to {rule['error_high']:.3f}), "
        f"{'held' if rule['held'] else 'not held'}"
    )


def _error(block: Block, probability: Floats, least: float, settings: Evaluation) -> Interval:
    """The share of wrong forecasts among those so far from one half; NaN where there are none."""
    kept = np.abs(probability - 1 / 2) >= least
    wrong = (probability >= 1 / 2) != (block.target == 1)
    codes = np.unique(block.student, return_inverse=True)[1]
    students = int(codes.max()) + 1
    rows = np.bincount(codes, kept, minlength=students)
    failed = np.bincount(codes, kept & wrong, minlength=students)
    if not kept.any():
        return Interval(np.nan, np.nan, np.nan)
    draws = resample_students(students, settings.bootstrap)
    low, high = np.quantile((draws @ failed) / np.maximum(draws @ rows, 1), [0.025, 0.975])
    return Interval(float(failed.sum() / rows.sum()), float(low), float(high))


def _groups(block: Block, catalog: Catalog, item_responses: Floats | None) -> Iterator[tuple[str, Chosen]]:
    ability = block.rows[:, COLUMNS.index("student_ability")]
    quarter = np.searchsorted(np.quantile(ability, [0.25, 0.5, 0.75]), ability)
    for code, name in enumerate(("lowest", "second", "third", "highest")):
        yield f"ability so far: {name} quarter", quarter == code
    for low, high, name in ((0, 0, "0"), (1, 2, "1-2"), (3, 9, "3-9"), (10, np.inf, "10+")):
        yield f"opportunity {name}", (block.opportunity >= low) & (block.opportunity <= high)
    if item_responses is not None:
        yield f"item with {FAMILIAR}+ training responses", item_responses >= FAMILIAR
        yield f"item with fewer than {FAMILIAR}", item_responses < FAMILIAR
    skill = np.nan_to_num(block.rows[:, COLUMNS.index("skill")], nan=-1).astype(np.int64)
    codes, counts = np.unique(skill[skill >= 0], return_counts=True)
    for code in codes[np.argsort(-counts, kind="stable")][:LARGEST].tolist():
        yield f"skill {catalog.nodes[code].replace(SEPARATOR, ' + ')}", skill == code
