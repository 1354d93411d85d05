"""`python -m serving` without a command: checks what has to be there, and runs the service until it is stopped."""

import argparse
import ipaddress
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING

from features.bundle import MANIFEST, read_signing_key
from features.console import ERR, OUT
from features.errors import InputError, MissingError, RegroupError
from serving.telemetry.logs import LOGGING

if TYPE_CHECKING:
    from serving.settings import Settings

LONGEST_S = 60
"""Seconds that a request may take: half a minute in the solver's queue, and the longest search a body can ask for."""


def add_serve_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the service."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (%(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="processes that answer (%(default)s)")
    parser.add_argument("--wait", action="store_true", help="start before anything was trained, and wait for it")
    parser.add_argument("--open", action="store_true", help="ask for no keys, to look around on this machine")
    parser.add_argument("--bundle", metavar="FOLDER", help="serve what `export` wrote there, without a registry")
    parser.set_defaults(run=serve)


def serve(options: argparse.Namespace) -> int:
    """Runs the service until it is stopped.

    Raises:
        InputError: The port is taken, a setting is wrong, or the service would be open to other machines.
        MissingError: There is nothing to serve yet.
    """
    from serving.settings import read_settings

    # the environment is read by every process that answers
    if options.open:
        os.environ["REGROUP_OPEN"] = "true"
    if options.bundle is not None:
        os.environ["REGROUP_BUNDLE"] = options.bundle
    settings = read_settings()
    read_signing_key()
    _check_access(settings, options.host)
    _require_free(options.host, options.port)
    if not options.wait:
        _require_models(settings)
    import uvicorn

    from serving.connections import Connections, allow_connections

    where = f"http://{options.host}:{options.port}"
    OUT.print(f"listening on {where}; API docs: {where}/docs; stop with Ctrl-C", markup=False, highlight=False)
    # the server's own access log would hold the ids of students that are part of addresses
    with _shared_folders() if options.workers > 1 else nullcontext():
        uvicorn.run(
            "serving.startup:create_startup",
            factory=True,
            host=options.host,
            port=options.port,
            workers=options.workers,
            access_log=False,
            log_config=LOGGING,
            timeout_graceful_shutdown=LONGEST_S,
            timeout_worker_healthcheck=LONGEST_S,
            log_level="error",  # a caller could fill the disk with warnings about what is no HTTP
            http=Connections(allow_connections(settings.http_connections)),  # type: ignore[arg-type]
            ws="none",
        )
    return 0


@contextmanager
def _shared_folders() -> Iterator[None]:
    """Folders in which the processes share their metrics and note which of them has started."""
    with (
        tempfile.TemporaryDirectory(prefix="regroup-metrics-") as metrics,
        tempfile.TemporaryDirectory(prefix="regroup-start-") as start,
    ):
        os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", metrics)  # read by every process that answers
        os.environ["REGROUP_START_FOLDER"] = start
        yield


def _check_access(settings: "Settings", host: str) -> None:
    """Refuses to serve a network without keys, and warns where nobody has a key yet."""
    from features.database import Database
    from serving.store.keys import list_keys

    if settings.open:
        if not _is_loopback(host):
            raise InputError(
                f"--open (REGROUP_OPEN) needs a host that only this machine reaches, not {host}; "
                "leave --open out and issue keys with `python -m serving keys issue`"
            )
        ERR.print("open: everybody on this machine may ask without a key", markup=False, highlight=False)
        return
    with suppress(RegroupError), Database(settings.home.database_url()) as database:
        if not list_keys(database):
            ERR.print(
                "no API key was issued yet, so nobody can ask; see `python -m serving keys issue --help`, "
                "or start with --open to serve this machine without keys",
                markup=False,
                highlight=False,
            )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _require_free(host: str, port: int) -> None:
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot listen on {host} port {port}: {reason}; choose another with --port") from None


def _require_models(settings: "Settings") -> None:
    """Refuses to listen without models and profiles.

    Whether the registry gives a champion is seen when the service loads it: to ask takes seconds of importing MLflow.
    """
    from serving.models.published.bundle import read_artifacts

    home = settings.home
    has_copy = any(home.served.glob(f"*/{MANIFEST}"))
    if settings.bundle is not None:
        try:
            read_artifacts(settings.bundle, "bundle")
        except RegroupError as error:
            if not has_copy:
                raise InputError(str(error)) from error
            ERR.print(f"{error}; the copy of what served last will serve", markup=False, highlight=False)
    elif not has_copy and not any(home.published.glob(f"*/*/{MANIFEST}")):
        raise MissingError(
            "there is nothing to serve yet: no model was trained and published in this home; "
            "run `python -m training nightly`, or start with --wait"
        )
