"""Whether a promoted model learns from everything before it serves, the holdout included: what past nights say.

Nobody can judge a model by rows that it has learned from. So the question is asked of the night on which the holdout
began: its challenger learned from the training block, and refitted it would have learned from the calibration block
too. Both forecast the holdout, which neither has seen. Where the refitted one is better by the gate's margin, both
forecasts together, and neither is clearly worse, the model of tonight is refitted in the same way, with as many trees
and the calibration that it has. The whole interval needs not be better, as it needs against a champion: neither of the
two serves yet, so the likelier one is taken.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from training.config import TrainingConfig
from training.data.dataset import Dataset, build_dataset
from training.evaluation.behavior import observe_behavior
from training.evaluation.gate import check_behavior
from training.evaluation.metrics import Interval, paired_difference
from training.models.boosting import Model, refit_model

Keep = Callable[[Model, Dataset], tuple[Model, int]]
"""Keeps a refitted model, and returns it as it is read back, with the bytes of its files."""


@dataclass(frozen=True)
class Log:
    """What a dataset was built from.

    Attributes:
        events: Rows of `Events`.
        item_skills: Rows of `ItemSkills`.
        config: Every choice of the training.
    """

    events: pd.DataFrame
    item_skills: pd.DataFrame
    config: TrainingConfig


def check_refit(models: Mapping[str, Model], dataset: Dataset, log: Log) -> dict[str, Interval]:
    """Log-loss on the holdout of models that were refitted when it began, minus that of the models as they are.

    Args:
        models: Trained on the dataset, by forecast.
        dataset: Whose holdout is forecast.
        log: What it was built from.
    """
    later = build_dataset(log.events, log.item_skills, log.config, until="calibration")
    differences = {}
    for name, model in models.items():
        theirs, ours = getattr(dataset, name)["holdout"], getattr(later, name)
        refitted = refit_model(model, ours["train"], log.config.boosting).predict(ours["holdout"].rows)
        differences[name] = paired_difference(theirs, refitted, model.predict(theirs.rows), log.config.evaluation)
    return differences


def refit(models: Mapping[str, Model], dataset: Dataset, log: Log, keep: Keep) -> tuple[bool, str]:
    """Refits models on everything where that pays, and says whether and why.

    Args:
        models: Models that were promoted, by forecast.
        dataset: What they learned from.
        log: What it was built from.
        keep: What becomes of each refitted model.
    """
    gate, differences = log.config.gate, check_refit(models, dataset, log)
    helps = -sum(each.value for each in differences.values()) >= gate.min_gain
    harms = any(each.low > 0 for each in differences.values())
    said = "; ".join(
        f"{name} {each.value:+.5f} (95 % interval {each.low:+.5f} to {each.high:+.5f})"
        for name, each in differences.items()
    )
    said = f"log-loss on the holdout of models refitted when it began, against those not refitted: {said}"
    if harms or not helps:
        return False, f"not refitted, since that would {'have done harm' if harms else 'not have helped'}; {said}"
    everything = build_dataset(log.events, log.item_skills, log.config, until="holdout")
    refitted, size = {}, 0
    for name, model in models.items():
        train = getattr(everything, name)["train"]
        refitted[name], added = keep(refit_model(model, train, log.config.boosting), everything)
        size += added
    behavior = observe_behavior(refitted, replace(dataset, statistics=everything.statistics), size)
    broken = [sentence for kept, sentence in check_behavior(behavior, gate) if not kept]
    if broken:
        return False, f"not refitted, since the refitted models were above a limit: {'; '.join(broken)}"
    return True, f"refitted on everything, holdout included; {said}"
