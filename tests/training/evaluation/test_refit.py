"""Whether a promoted model learns from the holdout too: only where that would have paid on past nights."""

from functools import partial

import numpy as np
import pandas as pd
import pytest

from training.data.dataset import build_dataset
from training.evaluation.refit import Log, check_refit, refit
from training.models.boosting import FORECASTS, train_model

SKILLS, ITEMS, DAYS = 3, 45, 100


def make_log(events_of, config, learn):
    """Sixty students with an answer a day to items that come up one after the other, each as hard as it is.

    Args:
        events_of: Turns rows into events.
        config: Every choice of the training.
        learn: Whether items differ at all.
    """
    random = np.random.default_rng(5)
    hard, able = random.normal(0, 2 * learn, ITEMS), random.normal(0, 0.5, 60)
    rows = []
    for student in range(60):
        for day in range(DAYS):
            item = int(random.integers(5 + day * (ITEMS - 5) // DAYS))
            chance = 1 / (1 + np.exp(hard[item] - able[student] - 0.5))
            rows.append((f"s{student}", day + student / 100, f"i{item}", bool(random.random() < chance)))
    items = pd.DataFrame({"item_id": [f"i{item}" for item in range(ITEMS)]})
    return Log(events_of(rows), items.assign(skill_id=[f"k{item % SKILLS}" for item in range(ITEMS)]), config)


def train(log):
    dataset = build_dataset(log.events, log.item_skills, log.config)
    blocks = {forecast: getattr(dataset, forecast.name) for forecast in FORECASTS}
    models = {
        forecast.name: train_model(forecast, each["train"], each["calibration"], log.config.boosting)
        for forecast, each in blocks.items()
    }
    return models, dataset


@pytest.fixture
def log_with(events_of, quick_config):
    """A log in which items differ, or none does."""
    return partial(make_log, events_of, quick_config)


def keep_in(kept):
    def keep(model, dataset):
        kept[model.forecast.name] = model, dataset
        return model, 1000

    return keep


def test_where_newer_answers_tell_of_new_items_models_are_refitted_on_all_of_them(log_with):
    """With as many trees and the calibration of before; every answer is counted, those of the holdout too."""
    log, kept = log_with(learn=True), {}
    models, dataset = train(log)

    done, why = refit(models, dataset, log, keep_in(kept))

    assert done, why
    assert why.startswith("refitted on everything, holdout included; log-loss on the holdout of models refitted")
    assert kept.keys() == models.keys()
    for name, (model, everything) in kept.items():
        assert model.booster.num_trees() == models[name].booster.num_trees()
        assert model.booster.model_to_string() != models[name].booster.model_to_string()
        assert model.calibration == models[name].calibration
        assert everything.statistics.item_responses.sum() == len(log.events)
    assert dataset.statistics.item_responses.sum() < 0.7 * len(log.events)


def test_where_there_is_nothing_to_learn_the_models_that_were_judged_serve(log_with):
    """Coins, a little better for some than for others, later as before."""
    log, kept = log_with(learn=False), {}
    models, dataset = train(log)

    done, why = refit(models, dataset, log, keep_in(kept))

    assert (done, kept) == (False, {})
    assert why.startswith("not refitted, since ")


def test_the_check_reads_no_answer_of_the_holdout_but_to_judge(log_with):
    """Whatever the holdout's answers are, both models forecast the same of it: only the judgment moves."""
    log = log_with(learn=True)
    models, dataset = train(log)
    held = log.events["occurred_at"] >= log.events["occurred_at"].quantile(0.8)
    turned = log.events.assign(correct=log.events["correct"].where(~held, ~log.events["correct"]))

    plain = check_refit(models, dataset, log)
    later, other = (
        build_dataset(events, log.item_skills, log.config, until="calibration") for events in (log.events, turned)
    )

    assert plain["mastery"].high < 0
    assert later.statistics.to_json() == other.statistics.to_json()
    np.testing.assert_array_equal(later.mastery["train"].rows, other.mastery["train"].rows)


def test_refitted_models_above_a_limit_do_not_serve(log_with):
    """Behavior and size are looked at once more: the models that were judged serve then."""
    log = log_with(learn=True)
    models, dataset = train(log)

    done, why = refit(models, dataset, log, lambda model, _: (model, 10**9))

    assert (done, why) == (
        False,
        "not refitted, since the refitted models were above a limit: the models take 2000.0 MB; the limit is 200",
    )
