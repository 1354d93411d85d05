"""What the struggle forecast says of episodes whose outcome is not known, and what became of them when one came."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.benchmarks.scores import to_number
from training.config import TrainingConfig
from training.data.dataset import Block, StudentSplit
from training.data.labels import INDETERMINATE, MASTERED, STRUGGLING, label_episodes
from training.evaluation.metrics import evaluate
from training.models.boosting import Model

SEEN_SHARE = 0.70
"""Of each test student's first attempts; what comes later tells what became of episodes that were undecided then."""


def judge_indeterminate(
    split: StudentSplit, known: npt.NDArray[np.float64], model: Model, config: TrainingConfig
) -> dict[str, Any]:
    """How often rows without a known outcome are flagged, and how flagged and other episodes ended later.

    Args:
        split: Whose test students are judged.
        known: Forecasts of their rows with a known outcome; a row is flagged from the forecast that places begin at
            among these.
        model: The struggle forecast.
        config: Places and mastery rule.
    """
    threshold = float(np.quantile(known, 1 - config.evaluation.places_share))
    block = split.indeterminate["test"]
    told = model.predict(block.rows)
    return {
        "rows": len(block),
        "episodes": len(np.unique(block.episode)),
        "flagged_share": _share(told >= threshold),
        "known_flagged_share": float((known >= threshold).mean()),
        "later": _follow_up(find_undecided(split, config), model, threshold, config),
    }


def find_undecided(split: StudentSplit, config: TrainingConfig) -> Block:
    """The last open row, at the cut, of each test student's episode that is undecided there.

    The cut is where each student has given `SEEN_SHARE` of their first attempts. The targets are the outcomes in the
    whole log, -1 where there is still none.
    """
    timeline, at, catalog = split.timeline, split.positions["test"], split.statistics.catalog
    block = split.mastery["test"]
    _, start, codes, counts = np.unique(block.student, return_index=True, return_inverse=True, return_counts=True)
    place = np.arange(len(block)) - start[codes]
    before = place < SEEN_SHARE * counts[codes]
    seen = np.zeros(len(timeline.row), bool)
    seen[at[before]] = True
    then = label_episodes(timeline, catalog, config.mastery_rule, seen)
    whole = label_episodes(timeline, catalog, config.mastery_rule)
    undecided = np.flatnonzero(before & then.open[at] & (then.outcome[at] == INDETERMINATE))
    backwards = undecided[::-1]
    last = np.zeros(len(block), bool)
    last[backwards[np.unique(block.episode[backwards], return_index=True)[1]]] = True
    return replace(block.take(last), target=whole.outcome[at[last]])


def _follow_up(undecided: Block, model: Model, threshold: float, config: TrainingConfig) -> dict[str, Any]:
    decided = undecided.take(undecided.target != INDETERMINATE)
    told = model.predict(decided.rows)
    flagged, struggled = told >= threshold, decided.target == STRUGGLING
    area = evaluate(decided, told, config.evaluation).get("auc") if len(decided) else None
    return {
        "seen_share": SEEN_SHARE,
        "episodes": len(undecided),
        "struggling": int(struggled.sum()),
        "mastered": int((decided.target == MASTERED).sum()),
        "unknown": len(undecided) - len(decided),
        "flagged": int(flagged.sum()),
        "flagged_struggling_share": _share(struggled[flagged]),
        "others_struggling_share": _share(struggled[~flagged]),
        "auc": None if area is None else area.value,
        "auc_low": None if area is None else to_number(area.low),
        "auc_high": None if area is None else to_number(area.high),
    }


def tell_later(later: dict[str, Any]) -> str:
    """What became of them, as a sentence."""
    return (
        f"of {later['episodes']:,} episodes undecided at {later['seen_share']:.0%} of a student's answers, "
        f"{later['struggling']:,} struggled later and {later['mastered']:,} mastered;\n"
        f"of those, {later['flagged_struggling_share'] or 0:.0%} of {later['flagged']:,} flagged struggled and "
        f"{later['others_struggling_share'] or 0:.0%} of the others, "
        f"AUC {later['auc']:.4f} ({later['auc_low']:.4f} to {later['auc_high']:.4f})"
    )


def _share(hits: npt.NDArray[np.bool_]) -> float | None:
    return float(hits.mean()) if len(hits) else None
