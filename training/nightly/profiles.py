"""Profiles of today for the models of a run, which replace older ones only."""

import logging
from collections.abc import Mapping

from features.errors import InputError
from features.profiles.difficulty import Statistics
from features.publications import moment_of, name_publication, newest_publication, order_of, publish_profiles
from training.models.artifacts import StoredModel
from training.models.boosting import FORECASTS
from training.nightly.backend import current_each
from training.nightly.facts import Night, hash_code
from training.records.tracking import Tracking

logger = logging.getLogger("regroup")


def read_champion(tracking: Tracking, run_id: str, *, judged: bool = False) -> Mapping[str, StoredModel] | None:
    """The models of a run by forecast; None, with a warning, where this code cannot read them.

    Args:
        tracking: MLflow's store.
        run_id: The run.
        judged: Whether those that a gate judged are asked for, and not those that were refitted since and serve.
    """
    fetch = tracking.fetch_judged if judged else tracking.fetch_model
    try:
        return {forecast.name: fetch(run_id, forecast.name) for forecast in FORECASTS}
    except InputError as error:
        logger.warning("the champion cannot be read: %s", error)
        return None


def publish(
    night: Night,
    run_id: str,
    statistics: Statistics,
    after: str | None = None,
) -> str:
    """Publishes profiles for a run, unless newer ones are there, and says which stand.

    Args:
        night: The moment, and what is known of it.
        run_id: The run of the models that read them.
        statistics: What the run was trained with.
        after: A run whose profiles serve until now: those of this one are of no earlier moment.
    """
    home, as_of = night.home, night.as_of
    before = newest_publication(home, after) if after else None
    if before is not None and as_of and (served := moment_of(before.name)) and served > as_of:
        as_of = served
    name = name_publication(as_of, night.facts["data_version"])
    newest = newest_publication(home, run_id)
    if newest is not None and order_of(newest.name)[:3] > order_of(name)[:3]:
        return f"newer ones, {newest.name}, stay"
    publish_profiles(home, run_id, statistics, as_of, night.data, hash_code(), current_each())
    return f"published, {name}"
