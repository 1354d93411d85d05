"""What serving computes is what training computed."""

import json
from pathlib import Path

import numpy as np
import pytest

from features.profiles.arrays import read_arrays
from features.profiles.kernel import COLUMNS
from features.publications import read_publication
from serving.models.forecaster import Forecaster
from serving.models.published.registry import Registry
from tests.conftest import read_unpacked
from training.models.artifacts import read_model


@pytest.fixture(scope="module")
def profiles(trained_school):
    folder = next((trained_school.home / "published" / trained_school.run_id).iterdir())
    return read_publication(folder).skill_profiles()[list(COLUMNS)].to_numpy(np.float32)


@pytest.mark.parametrize("forecast", ["struggle", "mastery"])
def test_serving_forecasts_what_training_forecasts(trained_school, profiles, tmp_path, forecast):
    """The same bundle gives the same probabilities on both sides."""
    folder = Registry(trained_school.mlruns_uri).fetch(trained_school.run_id, forecast, tmp_path)

    served = Forecaster(folder).predict(profiles)

    np.testing.assert_allclose(served, read_model(folder).model.predict(profiles), rtol=1e-12)


def test_reasons_add_up_to_the_forecast(trained_school, profiles, tmp_path):
    """All families together, with a constant, are the score: nothing is left unexplained."""
    folder = Registry(trained_school.mlruns_uri).fetch(trained_school.run_id, "struggle", tmp_path)
    forecaster = Forecaster(folder)
    some = profiles[:50]

    explained = forecaster.weigh_families(some).sum(axis=1)
    logits = np.log(forecaster.predict(some) / (1 - forecaster.predict(some)))

    assert np.ptp(logits - explained) < 1e-6


def test_nothing_served_is_a_pickle(trained_school):
    """Every file of a version and of its profiles is text, Parquet or plain arrays."""
    files = [path for path in Path(trained_school.mlruns / "artifacts").rglob("*") if path.is_file()]
    files += [path for path in (trained_school.home / "published").rglob("*") if path.is_file()]

    assert {path.suffix for path in files} <= {".lgb", ".json", ".gz", ".zst", ".md", ".html", ".parquet", ".bin", ""}
    for path in files:
        if path.suffix in {".json", ".gz", ".zst", ""}:  # `MLmodel` has none
            json.loads(read_unpacked(path))
        if path.suffix == ".bin":
            with path.open("rb") as file:
                assert all(values.dtype != object for values in read_arrays(file, ()).values())


def test_a_row_that_was_scored_before_has_the_same_probability_again(trained_school, profiles, tmp_path):
    folder = Registry(trained_school.mlruns_uri).fetch(trained_school.run_id, "struggle", tmp_path)
    forecaster, other = Forecaster(folder), Forecaster(folder)
    forecaster.predict(profiles[10:30])

    mixed = forecaster.predict(profiles[:40])

    np.testing.assert_array_equal(mixed, other.predict(profiles[:40]))
    np.testing.assert_array_equal(forecaster.predict(profiles[:40]), mixed)
