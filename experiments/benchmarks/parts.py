"""How a forecast does on parts of the rows: on groups of them, and on those it is surest of."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from features.catalog import SEPARATOR, Catalog
from features.history import COLUMNS
from training.dataset import Block
from training.evaluation import calibration_error

FEWEST = 500
"""Groups with fewer rows are not reported: their error would be chance."""

LARGEST = 20
"""Skills that are reported."""

FAMILIAR = 10
"""Training responses from which an item counts as familiar."""

DRAWS = 100
"""Of outcomes as forecast, for the calibration error that chance alone makes."""

COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)

Floats = npt.NDArray[np.float64]
Chosen = npt.NDArray[np.bool_]


def group_errors(
    block: Block, probability: Floats, catalog: Catalog, item_responses: Floats | None = None
) -> list[dict[str, Any]]:
    """Calibration error of each group of rows that has enough of them.

    Args:
        block: Rows with targets.
        probability: Their forecasts.
        catalog: Names the skills.
        item_responses: How many training responses each row's item has; null = no such groups.

    Returns:
        For each group `rows`, `ece`, and `by_chance`: what the error of forecasts that mean exactly what they say
        would stay under in 95 of 100 draws of so many answers.
    """
    return [
        {
            "group": name,
            "rows": int(mine.sum()),
            "ece": calibration_error(probability[mine], block.target[mine].astype(np.float64)),
            "by_chance": _chance_error(probability[mine]),
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


def _chance_error(probability: Floats) -> float:
    rng = np.random.default_rng(0)
    drawn = [
        calibration_error(probability, (rng.random(len(probability)) < probability).astype(np.float64))
        for _ in range(DRAWS)
    ]
    return float(np.quantile(drawn, 0.95))


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
