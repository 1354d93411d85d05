"""`python -m serving`: the service, and days planned from files."""

import argparse
import json
import os
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from features.console import OUT, describe_exit_codes, run_command, write_text
from features.errors import InputError
from serving.cli.erase import add_erase, erase
from serving.cli.export import add_export, export
from serving.cli.key_options import add_audit_options, add_key_options
from serving.cli.plans import add_planning, run_planning
from serving.cli.week_options import add_week_options
from serving.telemetry.logs import LOGGING

PLAIN: dict[str, Any] = {
    "epilog": describe_exit_codes(),
    "formatter_class": argparse.RawDescriptionHelpFormatter,
}
"""Of a command without exit codes of its own."""

EPILOG = (
    describe_exit_codes(
        own={
            1: "a plan given breaks a rule, or a file that holds an erased student is left",
            2: "a setting, a file or a bundle is wrong, the port is taken, or no plan of a day keeps every rule",
            4: "there is no champion or there are no profiles yet; --wait waits for them instead",
        }
    )
    + """
examples:
  python -m serving --port 8000
  python -m serving --open
  python -m serving export bundle
  python -m serving --bundle bundle
  python -m serving keys issue --name "Untis export" --scope read --scope plan
  python -m serving plan day.json --seconds 1 --json plan.json --svg day.svg
  python -m serving evaluate day.json plan.json
  python -m serving week mon.json tue.json wed.json thu.json fri.json --teacher-seats 2 --json week.json
  python -m serving erase s0412 --yes
  python -m serving week wed.json thu.json fri.json --over week.json --teacher-seats 2 --json week.json
"""
)

LONGEST_S = 60
"""What a request may take: half a minute's wait for its turn, and the longest search that can be asked for."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the service until it is stopped, or one of the other commands."""
    parser = argparse.ArgumentParser(
        prog="python -m serving", epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (%(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="processes that answer (%(default)s)")
    parser.add_argument("--wait", action="store_true", help="start before anything was trained, and wait for it")
    parser.add_argument("--open", action="store_true", help="ask for no keys, for a first try on this machine")
    parser.add_argument("--bundle", metavar="FOLDER", help="serve what `export` wrote there, without a registry")
    commands = parser.add_subparsers(dest="command")
    add_key_options(commands.add_parser("keys", help="issue, list and revoke API keys"))
    add_audit_options(commands.add_parser("audit", help="show who read which forecasts and decided what"))
    contract = commands.add_parser("openapi", **PLAIN, help="write the OpenAPI contract to a file")
    contract.add_argument("path", type=Path)
    add_planning(commands)
    commands.add_parser("compile", **PLAIN, help="compile ahead what the service runs, so that it starts in seconds")
    add_export(commands.add_parser("export", help="write what the service needs to start without a registry"))
    add_erase(commands.add_parser("erase", help="remove every trace of a student"))
    week = commands.add_parser("week", **PLAIN, help="plan several days in a row, towards the week's targets")
    add_week_options(week)
    given = parser.parse_args(arguments)
    if "run" in given:
        return run_planning(given)
    if given.command is not None:
        return COMMANDS[given.command](given)
    # the environment is read by every process that answers
    if given.open:
        os.environ["REGROUP_OPEN"] = "true"
    if given.bundle is not None:
        os.environ["REGROUP_BUNDLE"] = given.bundle
    return _serve(given.host, given.port, given.workers, wait=given.wait)


def _serve(host: str, port: int, workers: int, *, wait: bool) -> int:
    from serving.cli.opening import check_opening, require_something  # noqa: PLC0415 - as uvicorn below

    check_opening(host)
    _require_free(host, port)
    if not wait:
        require_something()
    import uvicorn  # noqa: PLC0415 - --help must not wait for it

    where = f"http://{host}:{port}"
    OUT.print(f"listening on {where}; API docs: {where}/docs; stop with Ctrl-C", markup=False, highlight=False)
    # the server's own access log would hold the ids of students that stand in addresses
    with _shared_folders() if workers > 1 else nullcontext():
        uvicorn.run(
            "serving.startup:create_startup",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            access_log=False,
            log_config=LOGGING,
            timeout_graceful_shutdown=LONGEST_S,
            timeout_worker_healthcheck=LONGEST_S,
            log_level="warning",
        )
    return 0


@contextmanager
def _shared_folders() -> Iterator[None]:
    """Folders in which the processes keep metrics, so that any of them has those of all, and note who started."""
    with (
        tempfile.TemporaryDirectory(prefix="regroup-metrics-") as metrics,
        tempfile.TemporaryDirectory(prefix="regroup-start-") as start,
    ):
        os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", metrics)  # read by every process that answers
        os.environ["REGROUP_START_FOLDER"] = start
        yield


def _require_free(host: str, port: int) -> None:
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (OSError, OverflowError) as error:
        told = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot listen on {host} port {port}: {told}; choose another with --port") from None


def _plan_week(given: argparse.Namespace) -> int:
    from serving.cli.week import run_week  # noqa: PLC0415 - --help must not wait for compiled code

    return run_week(given)


def _compile(given: argparse.Namespace) -> int:
    from serving.cli.compile import compile_service  # noqa: PLC0415 - --help must not wait for numba

    return compile_service(given)


def _audit(given: argparse.Namespace) -> int:
    from serving.cli.audit import show_audit  # noqa: PLC0415

    return show_audit(given)


def _keys(given: argparse.Namespace) -> int:
    from serving.cli.keys import run_keys  # noqa: PLC0415

    return run_keys(given)


def _write_contract(given: argparse.Namespace) -> int:
    from serving.app import create_app  # noqa: PLC0415

    path: Path = given.path
    write_text(path, json.dumps(create_app().openapi(), indent=1) + "\n")
    OUT.print(f"wrote {path}", markup=False)
    return 0


COMMANDS = {
    "audit": _audit,
    "compile": _compile,
    "erase": erase,
    "export": export,
    "keys": _keys,
    "openapi": _write_contract,
    "week": _plan_week,
}


if __name__ == "__main__":
    run_command(main)
