"""`python -m experiments benchmark survival`: does a discrete-time survival model foretell struggle better.

The direct forecast learns from open rows whose outcome is known. The survival form learns from every open row: at each
step ahead that was seen, did the student master the skill there, given that they had not before? A student who stopped
early counts for the steps until then. The risk of a row is the product of not mastering over the steps to the limit.

Both are judged on a fifth of the training students; the test students of the log are not read.
"""

from dataclasses import asdict, dataclass, fields, replace

import numpy as np
import numpy.typing as npt
from rich.box import SIMPLE_HEAD
from rich.table import Table

from experiments.benchmarks.benchmark_log import BenchmarkLog, read_data_set, split_training_students
from experiments.benchmarks.hazard import fit_survival, to_logits
from experiments.benchmarks.report import Order, print_wide
from experiments.benchmarks.scores import clock
from features.console import write_json
from features.errors import InputError
from training.config import TrainingConfig, load_config
from training.data.dataset import Block
from training.evaluation.metrics import evaluate, paired_auc
from training.models.boosting import STRUGGLE, train_model

Floats = npt.NDArray[np.float64]

AFTER = (None, 2, 3, 5)
"""Opportunities behind the judged rows; null = all open rows."""


@dataclass(frozen=True)
class Judged:
    """How one form does on some rows of the students held out.

    Attributes:
        after: Opportunities behind the rows; null = all open rows.
        rows: How many.
        form: `direct`, the same `not monotone`, `survival`, or that `calibrated` on rows of known outcome.
        auc: Of that form.
        difference: Its AUC minus that of the direct form; with `low` and `high`, 95 % over resampled students.
        low: The lower end.
        high: The upper end.
        log_loss: Mean.
        said: Mean forecast.
        happened: Share that struggled.
        ece: Expected calibration error.
        fit_s: Seconds to learn.
    """

    after: int | None
    rows: int
    form: str
    auc: float
    difference: float
    low: float
    high: float
    log_loss: float
    said: float
    happened: float
    ece: float
    fit_s: float


def benchmark_survival(order: Order) -> int:
    """Prints the table, writes the figures, and returns the exit code 0.

    Raises:
        InputError: The data set or the configuration cannot be read, or the file cannot be written.
    """
    log = read_data_set(order.data_set, order.data)
    judged = compare_forms(log, load_config(order.config))
    print_wide(_show(log.name, judged))
    try:
        write_json(order.json_path, {"dataset": log.name, "results": [asdict(each) for each in judged]})
    except OSError as error:
        raise InputError(f"{order.json_path} cannot be written: {error.strerror}") from None
    return 0


def compare_forms(log: BenchmarkLog, config: TrainingConfig) -> list[Judged]:
    """The direct form first, for each number of opportunities."""
    split = split_training_students(log, config)
    train, test = split.struggle["train"], split.struggle["test"]
    open_rows = _join(train, split.indeterminate["train"])

    direct, direct_s = clock(lambda: train_model(STRUGGLE, train, None, config.boosting))
    free, free_s = clock(
        lambda: train_model(replace(STRUGGLE, monotone=frozenset()), train, None, config.boosting).predict(test.rows)
    )
    (survival, calibration), survival_s = clock(lambda: fit_survival(open_rows, config.mastery_rule, config.boosting))
    told = {
        "direct": (direct.predict(test.rows), direct_s),
        "not monotone": (free, free_s),
        "survival": (survival.predict(test), survival_s),
        "calibrated": (calibration.apply(to_logits(survival.predict(test))), survival_s),
    }
    return [
        _judge(after, test.take(mine), form, probability[mine], told["direct"][0][mine], fit_s, config)
        for after in AFTER
        for mine in [test.opportunity == after if after is not None else np.ones(len(test), bool)]
        for form, (probability, fit_s) in told.items()
    ]


def _join(one: Block, other: Block) -> Block:
    pairs = ((getattr(one, each.name), getattr(other, each.name)) for each in fields(Block))
    return Block(*(np.concatenate(pair) for pair in pairs))


def _judge(
    after: int | None,
    block: Block,
    form: str,
    probability: Floats,
    direct: Floats,
    fit_s: float,
    config: TrainingConfig,
) -> Judged:
    difference = paired_auc(block, probability, direct, config.evaluation)
    found = evaluate(block, probability, config.evaluation)
    return Judged(
        after=after,
        rows=len(block),
        form=form,
        auc=found["auc"].value,
        difference=difference.value,
        low=difference.low,
        high=difference.high,
        log_loss=found["log_loss"].value,
        said=float(probability.mean()),
        happened=float(block.target.mean()),
        ece=found["ece"].value,
        fit_s=fit_s,
    )


def _show(name: str, judged: list[Judged]) -> Table:
    table = Table(title=f"struggle, a fifth of the training students, {name}", box=SIMPLE_HEAD, collapse_padding=True)
    for column in ("after", "form"):
        table.add_column(column, no_wrap=True)
    for column in ("rows", "AUC", "difference (95 %)", "loss", "said", "came", "ECE", "fit s"):
        table.add_column(column, justify="right", no_wrap=True)
    for each in judged:
        table.add_row(
            "all" if each.after is None else str(each.after),
            each.form,
            f"{each.rows:,}",
            f"{each.auc:.4f}",
            f"{each.difference:+.4f} ({each.low:+.4f} to {each.high:+.4f})",
            f"{each.log_loss:.4f}",
            f"{each.said:.3f}",
            f"{each.happened:.3f}",
            f"{each.ece:.4f}",
            f"{each.fit_s:.1f}",
        )
    return table
