"""`python -m experiments benchmark ablation`: what each family of columns adds to the forecast of the next answer.

Verdict on a fifth of the training students; the test students of the log are not read.
"""

import logging
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from sklearn.metrics import roc_auc_score

from experiments.benchmarks.figures import make_table, print_tables
from experiments.benchmarks.forecasts.data.datasets import BenchmarkLog, read_data_set, split_training_students
from experiments.benchmarks.forecasts.figures.scores import paired_auc
from features.console import track, write_json
from features.profiles.columns import REGISTRY
from features.profiles.kernel import COLUMNS
from training.config import TrainingConfig, load_config
from training.data.columns import BETTER
from training.models.boosting import MASTERY, Forecast, train_model

logger = logging.getLogger("regroup")

SMALL_FAMILIES = {
    "rasch": ("rasch_item_logit", "rasch_expected"),
    "transition": ("transition_ease",),
    "item pair": ("item_pair_residual", "item_pair_responses"),
    "item count": ("item_known_responses",),
    "item": ("item_ease", "rasch_item_logit", "item_responses", "item_last_correct", "days_since_item"),
    "skill as a category": ("skill",),
}
"""Families besides those that reasons are grouped by."""


@dataclass(frozen=True)
class Loss:
    """The AUC of a forecast that is trained another way, and its difference to that of the whole.

    The interval from `low` to `high` holds 95 % of the differences over resampled students.
    """

    change: str
    auc: float
    difference: float
    low: float
    high: float


def benchmark_ablation(
    data_set: str, *, data: Path | None = None, config: Path | None = None, json_path: Path | None = None
) -> int:
    """Prints the table, writes the figures, and returns the exit code 0; options as in `report.run_benchmark`.

    Raises:
        InputError: The data set or the configuration cannot be read, or the file cannot be written.
    """
    log = read_data_set(data_set, data)
    losses = measure_losses(log, load_config(config))
    title = f"next response, a fifth of the training students, {log.name}"
    table = make_table(title, ["change"], ["AUC", "difference", "95 %"])
    for loss in losses:
        table.add_row(loss.change, f"{loss.auc:.4f}", f"{loss.difference:+.4f}", f"{loss.low:+.4f} to {loss.high:+.4f}")
    print_tables(table)
    write_json(json_path, {"dataset": log.name, "changes": [asdict(loss) for loss in losses]})
    return 0


def measure_losses(log: BenchmarkLog, config: TrainingConfig) -> list[Loss]:
    """Returns the whole forecast first, then one row for each change."""
    split = split_training_students(log, config)
    train, test = split.mastery["train"], split.mastery["test"]
    whole, losses = None, []
    changes = _changes()
    for name, forecast in track(changes.items(), "changes", total=len(changes)):
        probability = train_model(forecast, train, None, config.boosting).predict(test.rows)
        whole = probability if whole is None else whole
        difference = paired_auc(test, probability, whole, config.evaluation)
        auc = float(roc_auc_score(test.target, probability))
        logger.info("%s: %.4f", name, auc)
        losses.append(Loss(name, auc, difference.value, difference.low, difference.high))
    return losses


def _changes() -> dict[str, Forecast]:
    families: dict[str, tuple[str, ...]] = {}
    for column in REGISTRY:
        families[column.family] = (*families.get(column.family, ()), column.name)
    families |= SMALL_FAMILIES
    without = {
        f"without {family}": replace(MASTERY, columns=tuple(name for name in COLUMNS if name not in columns))
        for family, columns in families.items()
    }
    return {"whole": MASTERY, **without, "all results monotone": replace(MASTERY, monotone=BETTER)}
