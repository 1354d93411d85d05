"""What models cost: the same answers for each, and figures per million of them."""

import numpy as np
import pandas as pd
import pytest

from experiments.benchmarks.cost import Cost, measure_cost
from experiments.benchmarks.datasets import DATA_SETS
from experiments.benchmarks.report import Order


@pytest.fixture
def order(tmp_path):
    """Sixty students with twenty answers each, twenty of them in test, and few trees."""
    random = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "user_id": np.repeat(np.arange(60), 20),
            "item_id": random.integers(0, 30, 1200),
            "correct": random.integers(0, 2, 1200),
            "split": np.repeat(["train", "test", "train"], 400),
            "seq": np.tile(np.arange(20), 60),
        }
    )
    table["skill_id"] = table["item_id"] % 5
    place = tmp_path / DATA_SETS["gervet-assistments09"].file
    place.parent.mkdir(parents=True)
    table.to_parquet(place)
    config = tmp_path / "quick.toml"
    config.write_text("[boosting]\nrounds = 2\nthreads = 1\n", encoding="utf-8")
    return Order("gervet-assistments09", data=tmp_path, config=config)


@pytest.mark.parametrize("model", ["regroup", "pfa"])
def test_every_model_learns_from_and_forecasts_the_same_answers(order, model):
    cost = measure_cost(model, order)

    assert (cost.model, cost.train_rows, cost.test_rows) == (model, 800, 400)
    assert min(cost.train_build_s, cost.fit_s, cost.test_build_s, cost.predict_s) > 0
    assert cost.extra_mb >= 0


def test_seconds_and_memory_are_per_million_of_the_answers_that_cause_them():
    cost = Cost("x", 500_000, 250_000, train_build_s=1, fit_s=2, test_build_s=3, predict_s=4, extra_mb=50)

    assert list(cost.per_million().values()) == [2, 4, 12, 16, 100]
