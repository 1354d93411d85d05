"""The first champion of a school: a prior model, so that there is a plan from the first log on."""

import tempfile
from pathlib import Path

from training.models.artifacts import read_model
from training.models.boosting import FORECASTS
from training.models.prior import KIND, write_prior
from training.nightly.facts import Night
from training.nightly.profiles import publish
from training.records.entities import KINDS
from training.records.report import write_prior_card
from training.records.tracking import Tracking


def install_prior(night: Night, tracking: Tracking) -> str:
    """Registers a prior model, publishes profiles for it and makes it champion; returns its run.

    Raises:
        InputError: The folder that `REGROUP_PRIOR` names cannot be used.
    """
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        origin = write_prior(folder, night.config)
        models = {forecast.name: folder / forecast.name for forecast in FORECASTS}
        statistics = read_model(models["struggle"]).statistics
        tags = {**night.facts, **KIND, "prior": origin}
        card = {"model_card.md": write_prior_card(origin)}
        run_id = tracking.log_run(f"prior {night.key}", tags, {}, {}, models, card, "prior model", KINDS["prior"])
    tracking.register(run_id, tuple(models), kind="prior")
    publish(night, run_id, statistics)
    tracking.promote(run_id, f"night: there was no champion, so that the prior serves, {origin}")
    return run_id
