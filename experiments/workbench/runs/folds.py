"""Which rows of a fold train, which calibrate and which are scored, whatever model comes to them.

The rows and their targets depend on data, split and mastery rules alone: not on the model, its columns or its seed. So
two experiments that name the same of these are scored on the same rows with the same targets.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from experiments.benchmarks.forecasts.data.splits import build_student_split, fill_outcomes
from experiments.workbench.runs.experiment import Experiment
from experiments.workbench.runs.numbers import Numbers
from experiments.workbench.runs.source import Source
from features.events.identity.copies import find_copies, surely_copied
from training.config import TrainingConfig, load_config
from training.data.dataset import Block, build_dataset
from training.data.labels import label_outcomes
from training.errors import DataGateError

Marks = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Fold:
    """What is scored together.

    Attributes:
        moment: Position of its moment in `as_of`; 0 for a whole log.
        as_of: The moment in UTC; null for a whole log.
        number: Of the fold of students, the number of folds for the reserved students; 0 where the split is by time.
    """

    moment: int
    as_of: datetime | None
    number: int

    @property
    def name(self) -> str:
        """What it is called in tables.

        Example:
            >>> Fold(0, None, 2).name
            'whole log, fold 2'
        """
        when = "whole log" if self.as_of is None else f"as of {self.as_of:%Y-%m-%d %H:%M}".removesuffix(" 00:00")
        return f"{when}, fold {self.number}"


@dataclass(frozen=True)
class Rows:
    """The rows of a fold.

    Attributes:
        blocks: `train`, `calibration` and `holdout`.
        row: Salted number of each row of the holdout.
        student: Salted number of its student.
        seen: Rows of the holdout that anything was learned from; 0, or no comparison is fair.
        left_out: Rows that are not scored, since a student who is learned from gave the same answers.
    """

    blocks: Mapping[str, Block]
    row: Numbers
    student: Numbers
    seen: int
    left_out: int


def list_folds(experiment: Experiment) -> list[Fold]:
    """The folds of an experiment, by moment."""
    numbers = range(experiment.split.folds if experiment.split.by == "students" else 1)
    moments = experiment.data.as_of or (None,)
    return [Fold(place, as_of, number) for place, as_of in enumerate(moments) for number in numbers]


def reserved_fold(experiment: Experiment) -> Fold:
    """The students who are in no fold, as of the last moment; models of all folds but the second score them."""
    moment = experiment.data.as_of[-1] if experiment.data.as_of else None
    return Fold(max(len(experiment.data.as_of) - 1, 0), moment, experiment.split.folds)


def build_rows(source: Source, experiment: Experiment, fold: Fold, threads: int = 1) -> Rows:
    """Builds the rows of a fold.

    Args:
        source: The log.
        experiment: Split, forecast and mastery rules.
        fold: Which rows.
        threads: For the trees that fill in undecided outcomes.

    Raises:
        InputError: No event lies before the moment.
        DataGateError: A block has no rows, or rows of one outcome only, or the log cannot be split by time.
    """
    events = source.before(fold.as_of)
    if experiment.split.reserved and fold.number < experiment.split.folds:
        reserved = _find_reserved(source, pd.Index(events["student_id"].unique()), experiment)
        events = events[~events["student_id"].isin(reserved)].reset_index(drop=True)
    boosting = load_config().boosting.model_copy(update={"threads": threads})  # targets are everybody's, not a model's
    config = experiment.training.model_copy(update={"boosting": boosting})
    if experiment.split.by == "time":
        blocks, at, learned, row_of = _split_time(source, events, experiment, config)
        scored = np.ones(len(at), bool)
    else:
        blocks, at, learned, row_of, scored = _split_students(source, events, experiment, fold, config)
    for name, block in blocks.items():
        if len(block) == 0 or block.target.min() == block.target.max():
            raise DataGateError(
                f"{fold.name}: the {name} block has {len(block)} rows of the {experiment.forecast} forecast, and they "
                "show one outcome at most; it takes a longer log, more students or fewer folds"
            )
    ids = events["event_id"].to_numpy()[row_of[at]]
    row = source.number(ids, f"row {fold.as_of}")
    students = events["student_id"].to_numpy()[row_of[at]]
    codes, distinct = pd.factorize(students)
    student = source.number(distinct, "student")[codes]
    order = np.argsort(row, kind="stable")
    order = order[scored[order]]
    holdout = Block(**{name: values[order] for name, values in vars(blocks["holdout"]).items()})
    return Rows(
        blocks={**blocks, "holdout": holdout},
        row=row[order],
        student=student[order],
        seen=int(learned[at].sum()),
        left_out=int((~scored).sum()),
    )


def _split_time(
    source: Source, events: pd.DataFrame, experiment: Experiment, config: TrainingConfig
) -> tuple[dict[str, Block], Numbers, Marks, Numbers]:
    dataset = build_dataset(events, source.item_skills, config, experiment.judge)
    blocks = getattr(dataset, experiment.forecast)
    learned = dataset.blocks.axis < dataset.blocks.calibration_end
    return blocks, np.flatnonzero(dataset.due[experiment.forecast]), learned, dataset.timeline.row


def _split_students(
    source: Source, events: pd.DataFrame, experiment: Experiment, fold: Fold, config: TrainingConfig
) -> tuple[dict[str, Block], Numbers, Marks, Numbers, Marks]:
    """A fold of the students is scored, the next one calibrates, and the others train."""
    folds = experiment.split.folds
    ids = pd.Index(events["student_id"].unique())
    fold_of = pd.Series(source.number(ids, "fold") % folds, index=ids)
    fold_of[_find_reserved(source, ids, experiment)] = folds
    scored, calibrating = fold.number, (fold.number + 1) % folds
    held = ids[fold_of.isin([scored, calibrating])]
    split = build_student_split(events, source.item_skills, held, config)
    timeline, at = split.timeline, split.positions["test"]
    train, test = split.mastery["train"], split.mastery["test"]
    if experiment.forecast == "struggle":
        vocabulary = split.statistics.vocabulary
        judged = config.model_copy(update={"mastery_rule": experiment.judge})
        train, test = split.fill("train"), fill_outcomes(test, timeline, at, vocabulary, judged)
        at = at[label_outcomes(timeline, vocabulary, experiment.judge).open[at]]
    fold_of_code = fold_of.reindex(timeline.students).to_numpy()
    is_scored = fold_of_code[test.student] == scored
    blocks = {"train": train, "calibration": test.take(~is_scored), "holdout": test.take(is_scored)}
    at = at[is_scored]

    copied = timeline.students.isin(_find_copied(events, fold_of == scored))
    learned = fold_of_code[timeline.student] != scored
    return blocks, at, learned, timeline.row, ~copied[timeline.student[at]]


def _find_reserved(source: Source, ids: "pd.Index[str]", experiment: Experiment) -> "pd.Index[str]":
    return ids[source.number(ids, "reserved") < experiment.split.reserved * 2.0**63]


def _find_copied(events: pd.DataFrame, is_scored: "pd.Series[bool]") -> set[str]:
    """The students who are scored and whose answers one who is not has given as well."""
    pairs = surely_copied(find_copies(events))
    both = [*zip(pairs["student_id"], pairs["copy_id"], strict=True)]
    both += [(other, one) for one, other in both]
    return {one for one, other in both if is_scored[one] and not is_scored[other]}
