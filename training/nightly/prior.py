"""The first champion of a school: a prior model, so that there is a plan from the first log on."""

import tempfile
from pathlib import Path

import pandas as pd

from features.profiles.difficulty import Statistics
from training.models.artifacts import read_model
from training.models.boosting import FORECASTS
from training.models.prior import KIND, write_prior
from training.nightly.facts import Night
from training.nightly.profiles import publish
from training.records.report import write_prior_card
from training.records.tracking import Tracking


def install_prior(night: Night, tracking: Tracking, events: pd.DataFrame, item_skills: pd.DataFrame) -> str:
    """Registers a prior model, publishes profiles for it and makes it champion; returns its run.

    Raises:
        InputError: The folder that `REGROUP_PRIOR` names cannot be used.
    """
    names = tuple(forecast.name for forecast in FORECASTS)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        origin = write_prior(folder, night.config)
        statistics: Statistics = read_model(folder / names[0]).statistics
        (folder / "model_card.md").write_text(write_prior_card(origin), encoding="utf-8")
        run_id = tracking.log_run({**night.facts, **KIND, "prior": origin}, {}, {}, folder)
    tracking.register(run_id, names, kind="prior")
    publish(night, run_id, statistics, events, item_skills)
    tracking.promote(run_id)
    return run_id
