"""A school with two runs that can serve."""

import pytest

from features.home import Home
from training.config import load_config
from training.nightly import run_nightly
from training.records.tracking import Tracking


@pytest.fixture
def two_versions(own_school, tmp_path):
    """The school's champion, and a second run with other settings whose profiles are published too."""
    other = tmp_path / "other.toml"
    other.write_text(own_school.config.read_text().replace("rounds = 30", "rounds = 8\nseed = 5"))
    tracking = Tracking(own_school.mlruns_uri)
    first = tracking.champion()
    # without its alias there is no champion to keep, so the second run is promoted and published
    for forecast in ("struggle", "mastery"):
        tracking._client.delete_registered_model_alias(f"regroup-{forecast}", "champion")
    second = run_nightly(Home(own_school.home), load_config(other)).run_id
    tracking.promote(first)
    return own_school, tracking, first, second
