"""Calibration of a forecast on groups of rows: by ability, opportunity, familiarity of the item, and skill."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from features.profiles.kernel import COLUMNS
from features.profiles.vocabulary import SEPARATOR, Vocabulary
from training.data.dataset import Block
from training.evaluation.metrics import calibration_error, chance_error

FEWEST = 500
"""Groups with fewer rows are not reported: their error would be chance."""

LARGEST = 20
"""Skills that are reported."""

FAMILIAR = 10
"""Training responses from which an item counts as familiar."""

Floats = npt.NDArray[np.float64]
Chosen = npt.NDArray[np.bool_]


def group_errors(
    block: Block,
    probability: Floats,
    vocabulary: Vocabulary,
    item_responses: Floats | None = None,
    *,
    by_episode: bool = False,
) -> list[dict[str, Any]]:
    """Returns the calibration error of each group of rows that has enough of them.

    Args:
        block: Rows with targets.
        probability: Their forecasts.
        vocabulary: Names the skills.
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
        for name, mine in _groups(block, vocabulary, item_responses)
        if mine.sum() >= FEWEST
    ]


def _groups(block: Block, vocabulary: Vocabulary, item_responses: Floats | None) -> Iterator[tuple[str, Chosen]]:
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
        yield f"skill {vocabulary.nodes[code].replace(SEPARATOR, ' + ')}", skill == code
