"""`python -m experiments benchmark pykt-protocol`: the next answer on `pykt-assist2015` as pyKT's authors measure it.

Each of five models learns from four of the five training folds, none of them from all, and what is printed is the mean.
Histories are cut into stretches of 200 answers, of which each begins anew and has its first answer unscored; a rest of
one or two answers is left out.

Source: Liu et al. (2022), "pyKT: a Python library to benchmark deep learning based knowledge tracing models".
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from experiments.benchmarks.figures import make_table, print_tables
from experiments.benchmarks.forecasts.data.datasets import DATA_SETS, DataSet, read_rows, to_log
from experiments.benchmarks.forecasts.data.splits import build_student_split
from experiments.benchmarks.forecasts.figures.report import add_caption
from experiments.benchmarks.memory import peak_mb
from features.console import track, write_json
from training.config import TrainingConfig, load_config
from training.models.boosting import MASTERY, train_model

LENGTH, SHORTEST = 200, 3
"""Answers of a stretch; shorter rests are left out."""

TEST_FOLD = -1

DATA_SET = "pykt-assist2015"


def cut_histories(table: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows with each stretch of a student's answers as a student of its own.

    Args:
        table: Rows with `user_id` and `seq`, as `datasets.to_log` takes them.
    """
    table = table.sort_values(["user_id", "seq"], ignore_index=True)
    place = table.groupby("user_id").cumcount()
    stretch = table["user_id"].astype("str") + "-" + (place // LENGTH).astype("str")
    table = table.assign(user_id=stretch, seq=place)
    return table[table.groupby("user_id")["seq"].transform("size") >= SHORTEST].reset_index(drop=True)


def measure_fold(about: DataSet, table: pd.DataFrame, left_out: int, config: TrainingConfig) -> dict[str, Any]:
    """Returns the figures of a model that does not learn from one of the training folds.

    Args:
        about: The data set.
        table: Its rows, cut.
        left_out: The training fold that is not read.
        config: Choices of the training.
    """
    log = to_log(about, table[table["fold"] != left_out])
    split = build_student_split(log.events, log.item_skills, log.test_students, config)
    model = train_model(MASTERY, split.mastery["train"], None, config.boosting)
    scored = log.scored[split.timeline.row[split.positions["test"]]]
    test = split.mastery["test"].take(scored)
    area = roc_auc_score(test.target, model.predict(test.rows))
    return {"left_out": left_out, "rows": len(test), "learned_rows": len(split.mastery["train"]), "auc": float(area)}


def benchmark_pykt_protocol(
    *, data: Path | None = None, config: Path | None = None, json_path: Path | None = None
) -> int:
    """Prints and writes the area of each of the five models and their mean; returns the exit code 0.

    Args:
        data: The folder that holds the data sets; null = the default one.
        config: TOML laid over the training defaults.
        json_path: Where the figures go; null = nowhere.

    Raises:
        InputError: The data set, the configuration or a place to write to is not as it should be.
    """
    settings, about = load_config(config), DATA_SETS[DATA_SET]
    table = cut_histories(read_rows(about, data))
    folds = sorted(set(table["fold"]) - {TEST_FOLD})
    results = [measure_fold(about, table, fold, settings) for fold in track(folds, "folds", total=len(folds))]
    areas = [result["auc"] for result in results]
    figures = {
        "dataset": DATA_SET,
        "results": results,
        "auc": float(np.mean(areas)),
        "auc_deviation": float(np.std(areas)),
        "published": {figure.model: figure.auc for figure in about.published},
        "peak_mb": peak_mb(),
    }
    shown = make_table(f"next response, {DATA_SET} by pyKT's protocol", ["model"], ["learned from", "scored", "AUC"])
    for result in results:
        name = f"regroup without fold {result['left_out']}"
        shown.add_row(name, f"{result['learned_rows']:,}", f"{result['rows']:,}", f"{result['auc']:.4f}")
    shown.add_row("mean", "", "", f"{figures['auc']:.4f}")
    shown.add_section()
    for figure in about.published:
        shown.add_row(f"{figure.model}, published", "", "", f"{figure.auc:.4f}", style="dim")
    print_tables(add_caption(shown, [f"standard deviation of the five {figures['auc_deviation']:.4f}"]))
    write_json(json_path, figures)
    return 0
