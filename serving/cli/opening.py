"""Before the service starts: that it has something to serve, and does not show it to a network without keys."""

import ipaddress
from contextlib import suppress

from features.bundle import MANIFEST
from features.console import ERR
from features.database import Database
from features.errors import InputError, MissingError, RegroupError
from serving.models.bundle import read_artifacts
from serving.settings import read_settings
from serving.store.keys import list_keys


def check_opening(host: str) -> None:
    """Says what has to be known about keys before the first request.

    Raises:
        InputError: The service would be open without keys to others than this machine.
    """
    settings = read_settings()
    if settings.open:
        if not _is_loopback(host):
            raise InputError(
                f"--open (REGROUP_OPEN) needs a host that only this machine reaches, not {host}; "
                "leave --open out and issue keys with `python -m serving keys issue`"
            )
        _say("open: everybody on this machine may ask without a key")
        return
    with suppress(RegroupError), Database(settings.home.database_url()) as database:
        if not list_keys(database):
            _say(
                "no API key was issued yet, so nobody can ask; `python -m serving keys issue --help` tells how, "
                "and --open serves this machine without keys"
            )


def require_something() -> None:
    """Looks for models and profiles, so that nothing listens without any.

    Whether the registry gives a champion is seen when the service loads it: to ask takes seconds of importing MLflow.

    Raises:
        InputError: The bundle that the settings name is none, or a file of it was altered.
        MissingError: Nothing was ever published in this home, and nothing served before.
    """
    settings = read_settings()
    if settings.bundle is not None:
        try:
            read_artifacts(settings.bundle, "bundle")
        except RegroupError as error:
            raise InputError(str(error)) from error
        return
    home = settings.home
    if not any(home.published.glob(f"*/*/{MANIFEST}")) and not any(home.served.glob(f"*/{MANIFEST}")):
        raise MissingError(
            "there is nothing to serve yet: no model was trained and published in this home; "
            "run `python -m training nightly`, or start with --wait"
        )


def _say(sentence: str) -> None:
    ERR.print(sentence, markup=False, highlight=False)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
