"""What a model has to beat says what it claims to say."""

from itertools import product

import numpy as np
import pytest

from features.profiles.difficulty import fit_statistics
from features.profiles.fold import fold
from features.profiles.state import State
from features.profiles.timeline import sort_events
from features.profiles.vocabulary import build_vocabulary
from training.data.dataset import Block
from training.evaluation.metrics import evaluate
from training.models.baselines import fit_baselines, fit_majority, fit_rule


def make_block(rows, target):
    zeros = np.zeros(len(target), np.int64)
    counts = zeros.astype(np.int32)
    return Block(rows, np.array(target, np.float32), zeros, zeros, counts, counts, counts)


@pytest.mark.parametrize("wrong", [1, 2, 3])
def test_the_rule_flags_so_many_wrong_in_a_row_and_nothing_else(events_of, tags, wrong):
    """After every possible history of seven answers on a skill, the flag is up when the last ones were all wrong."""
    histories = list(product([True, False], repeat=7))
    rows = [
        (f"s{n}", day, "plus", right) for n, each in enumerate(histories) for day, right in enumerate((*each, True))
    ]
    statistics = fit_statistics(
        build_vocabulary(tags), np.zeros(9, np.int32), np.arange(9) < 1
    )  # hard: few are expected to be right
    timeline = sort_events(events_of(rows), statistics)
    table, _ = fold(timeline, statistics, State.empty())
    wrongs = np.array([not right for *_, right in rows])[timeline.row]
    place = np.array([day for _, day, *_ in rows])[timeline.row]
    due = np.array([day >= wrong and wrongs[at - wrong : at].all() for at, day in enumerate(place)])

    rule = fit_rule(make_block(table, due), wrong)

    assert 0 < due.sum() < len(due)
    assert ((rule.predict(table) > 0.5) == due).all()


def test_majority_says_the_share_to_everyone():
    """Three of four happened, so everyone is told .75."""
    majority = fit_majority(make_block(np.zeros((4, 1), np.float32), [1, 1, 1, 0]))

    assert majority.predict(np.zeros((2, 1), np.float32)).tolist() == [0.75, 0.75]


def test_counts_beat_the_rule_and_the_rule_beats_the_majority(school_dataset, quick_config):
    """On the small school each baseline is worth its lines."""
    train, holdout = (school_dataset.mastery[name] for name in ("train", "holdout"))

    loss = {
        each.name: evaluate(holdout, each.predict(holdout.rows), quick_config.evaluation)["log_loss"].value
        for each in fit_baselines(train, quick_config.evaluation)
    }

    assert loss["logistic"] < loss["rule"] < loss["majority"]


def test_a_block_of_one_outcome_still_has_all_baselines(school_dataset, quick_config):
    """A logistic model cannot be fitted there, and says what the majority says."""
    block = school_dataset.mastery["train"]
    right = block.take(block.target == 1)

    told = {each.name: each.predict(right.rows[:5]) for each in fit_baselines(right, quick_config.evaluation)}

    assert set(told) == {"majority", "rule", "logistic"}
    np.testing.assert_array_equal(told["logistic"], told["majority"])
