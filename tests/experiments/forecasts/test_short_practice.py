"""A log of long practice is cut as short sets would have given it, and judged by what the uncut log shows."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from experiments.benchmarks.forecasts import short_practice
from experiments.benchmarks.forecasts.data.datasets import DATA_SETS, to_log
from experiments.benchmarks.forecasts.short_practice import CUTS, Cut, cut_short, find_long_practice
from training.config import load_config

NOBODY_LONG = Cut("nobody long", 0.0)


@pytest.fixture(scope="module")
def quick():
    """Few trees, and a rule of three in a row."""
    config = load_config()
    return config.model_copy(
        update={"boosting": config.boosting.model_copy(update={"rounds": 10, "min_rows_per_leaf": 20, "threads": 1})}
    )


@pytest.fixture(scope="module")
def log():
    """160 students answer 24 questions on each of two skills; half of them know little."""
    random = np.random.default_rng(1)
    students, answers = 160, 24
    chance = np.where(np.arange(students) % 2 == 0, 0.35, 0.75)
    table = pd.DataFrame(
        {
            "user_id": np.repeat(np.arange(students), 2 * answers),
            "seq": np.tile(np.arange(2 * answers), students),
            "item_id": np.tile(np.arange(2 * answers), students),
            "skill_id": np.tile(np.arange(2 * answers) % 2, students),
            "correct": (random.random((students, 2 * answers)) < chance[:, None]).astype(np.int64).ravel(),
            "split": np.repeat(np.where(np.arange(students) % 3 == 0, "test", "train"), 2 * answers),
        }
    )
    return to_log(DATA_SETS["gervet-assistments09"], table)


def test_practice_stops_at_mastery_at_the_end_of_a_set_or_before(log, quick):
    events, practice = find_long_practice(log)
    kept = cut_short(events, practice, NOBODY_LONG, quick)

    correct = events["correct"].to_numpy(dtype=bool)
    stops = set()
    for code in range(practice.max() + 1):
        left = kept[practice == code]
        answers = "".join(map(str, correct[practice == code][left].astype(int)))
        assert left[: len(answers)].all()  # the first answers stay, and no later one
        assert 3 <= len(answers) <= 8
        assert "111" not in answers[:-1]
        stops.add("mastery" if answers.endswith("111") else "set" if len(answers) >= 5 else "dropped out")
    assert stops == {"mastery", "set", "dropped out"}


def test_short_practice_of_a_student_takes_no_part(log):
    few = replace(log, events=log.events[log.events["sequence"] % 48 < 20].reset_index(drop=True))

    events, _ = find_long_practice(few)

    assert len(events) == 0


def test_figures_have_every_variant_and_the_median(log, quick, monkeypatch):
    monkeypatch.setattr(short_practice, "LARGE_CELL", 30)

    figures = short_practice.measure_short_practice(log, quick)

    assert [part["variant"] for part in figures["variants"]] == [cut.name for cut in CUTS]
    for part in figures["variants"]:
        assert part["auc_loss"] == pytest.approx(part["uncut"]["auc"] - part["auc"])
        assert part["undecided_share"] > 0
        assert abs(part["all_wrong"]["forecast"] - part["all_wrong"]["observed"]) < 0.15
    assert figures["auc_loss"] == np.median([part["auc_loss"] for part in figures["variants"]])
