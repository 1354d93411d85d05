"""Who is champion, who was, and why; and how a person puts another run in its place, or the one before back.

Profiles by the statistics of a run are published before the alias moves: a service that is running looks every few
seconds, and must find both or neither.
"""

import re
from pathlib import Path

from features.errors import InputError, MissingError
from features.home import Home, tracking_uri
from training.config import load_config
from training.nightly.facts import BUSY, find_night
from training.nightly.profiles import publish
from training.records.tracking import FORECASTS, Change, Tracking

RUN_ID = re.compile(r"[0-9a-f]{32}")


def list_champions() -> list[Change]:
    """Every promotion and rollback of a run that is kept, the newest first.

    Raises:
        MissingError: No night has run yet.
        UnavailableError: MLflow's store is away.
    """
    return _open_store().list_changes()


def promote_run(home: Home, run_id: str, because: str) -> str:
    """Makes the models of a run champion, and says which profiles stand.

    Args:
        home: Where profiles are published.
        run_id: MLflow's id of the run.
        because: Why; kept as a tag of the run, so it names no student.

    Raises:
        InputError: There is no such run, it has no models that this version can read, or it is champion already.
        MissingError: No night has run yet, or no event was ever ingested.
        UnavailableError: MLflow's store is away, the disk is full, or a night is at work.
    """
    if not RUN_ID.fullmatch(run_id):
        raise InputError(f"{run_id!r} is no id of a run; `python -m training history` and MLflow list them")
    return _put_in_place(home, run_id, f"promote: {because}")


def roll_back(home: Home, because: str) -> tuple[str, str]:
    """Makes the champion of before champion again; returns its run, and which profiles stand.

    The arguments and errors are those of `promote_run`.

    Raises:
        MissingError: There was no champion before.
    """
    run_id = _open_store().previous()
    if run_id is None:
        raise MissingError("there was no champion before; `python -m training promote RUN` takes any run of MLflow")
    return run_id, _put_in_place(home, run_id, f"rollback: {because}")


def _put_in_place(home: Home, run_id: str, reason: str) -> str:
    tracking = _open_store()
    with home.work("nightly", busy=BUSY):
        champion = tracking.champion()
        if champion == run_id:
            raise InputError(f"the run {run_id} is champion already")
        tracking.require_versions(run_id)
        struggle, _ = (tracking.fetch_model(run_id, forecast) for forecast in FORECASTS)  # both must be readable
        stand = publish(find_night(home, load_config(), None), run_id, struggle.statistics, after=champion)
        tracking.promote(run_id, reason)
    return stand


def _open_store() -> Tracking:
    """MLflow's store, which is not made here."""
    uri = tracking_uri()
    if uri.startswith("sqlite:///") and not Path(uri.removeprefix("sqlite:///")).is_file():
        raise MissingError("MLflow's store is not there yet; run `python -m training nightly`")
    return Tracking(uri)
