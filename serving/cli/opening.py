"""Before the service starts: that it has something to serve, and does not show it to a network without keys."""

import ipaddress
from contextlib import suppress

from features.console import ERR
from features.database import Database
from features.errors import InputError, MissingError, RegroupError, UnavailableError
from serving.models.hot_swap import LastGood
from serving.models.sources import source_of
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

    Raises:
        InputError: The bundle that the settings name is none, or a file of it was altered.
        MissingError: There is no champion, or none that can be served, and nothing served before.
        UnavailableError: The registry does not answer, and nothing served before.
    """
    settings = read_settings()
    source = source_of(settings)
    try:
        offer = source.look()
        if offer is not None and settings.bundle is not None:
            with source.open(offer):
                pass
    except RegroupError as error:
        if settings.bundle is not None:
            raise InputError(str(error)) from error
        if LastGood(settings.home).is_there():
            return  # the service says so in its log
        if isinstance(error, UnavailableError):
            raise
        raise MissingError(f"{error}; or start with --wait") from error
    if offer is None:
        raise MissingError("there is no champion to serve yet; run `python -m training nightly`, or start with --wait")


def _say(sentence: str) -> None:
    ERR.print(sentence, markup=False, highlight=False)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
