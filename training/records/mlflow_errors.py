"""What MLflow raises, as sentences."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from features.errors import REASONS, BusyError, InputError, UnavailableError, explain_os_error

MISTAKES = {
    "BAD_REQUEST",
    "ENDPOINT_NOT_FOUND",
    "INVALID_PARAMETER_VALUE",
    "RESOURCE_DOES_NOT_EXIST",
}
"""MLflow's codes for a wrong address or something that is not there; any other code is the store's own trouble."""


@contextmanager
def plain_errors(uri: str) -> Iterator[None]:
    """Turns what MLflow raises into sentences, without the password of an address.

    Raises:
        BusyError: The database stayed locked.
        InputError: The address names no store, or the store lacks what is asked for.
        UnavailableError: The store does not answer, is full, or refuses this user.
    """
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 - takes seconds, and --help must not wait for it
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    try:
        yield
    except (MlflowException, SQLAlchemyError) as error:
        if "database is locked" in str(error):
            raise BusyError("MLflow's database stayed locked; try again when the other job is done") from error
        if "disk is full" in str(error):
            full = f"MLflow's store {_public(uri)} cannot be written: {REASONS[errno.ENOSPC]}"
            raise UnavailableError(full) from error
        code = getattr(error, "error_code", type(error).__name__)
        kind = InputError if code in MISTAKES else UnavailableError
        raise kind(f"MLflow's store {_public(uri)} cannot be used: {code}; check MLFLOW_TRACKING_URI") from error
    except OSError as error:
        raise explain_os_error(error, f"MLflow's store {_public(uri)} cannot be read or written") from error


def _public(uri: str) -> str:
    """Returns the address without a password."""
    before, at, after = uri.rpartition("@")
    return f"{before.split('://')[0]}://…@{after}" if at else uri
