"""Before the service starts: that it does not show children's data to a network without keys."""

import ipaddress
from contextlib import suppress

from features.console import ERR
from features.database import Database
from features.errors import InputError, RegroupError
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


def _say(sentence: str) -> None:
    ERR.print(sentence, markup=False, highlight=False)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
