"""`python -m training`: the nightly job."""

import argparse
import logging
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from features.console import OUT, describe_exit_codes, run_command
from features.dates import require_school_date
from features.home import read_home

KEPT, REFUSED_FILES = 10, 11
"""Exit codes when the champion stays, and when the night went through but files of the inbox were refused."""

EPILOG = (
    describe_exit_codes(
        own={
            0: "the challenger was promoted, or there was nothing to do",
            1: "the training broke off",
            3: "data gate: too little data, or data unlike what the models need",
            4: "quality gate: a limit is broken and there is no champion; or there is no event log yet",
            KEPT: "the champion was kept",
            REFUSED_FILES: "as 0 or 10, and files of the inbox were refused; look at them in inbox/refused",
        }
    )
    + """
The champion has profiles of today after every exit code but 2 and 75, and a record in `decisions` says why it ended so.
A file of the inbox that is wrong itself is moved to the folder refused beside it and counted. With exit code 75 the
others stay in the inbox for the next night.

example:
  python -m training nightly --as-of 2026-03-09
"""
)

logger = logging.getLogger("regroup")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training", epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    nightly = commands.add_parser(
        "nightly",
        help="ingest the inbox, train, evaluate, gate, promote, publish",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    nightly.add_argument("--config", type=Path, help="TOML laid over the defaults in training/default.toml")
    nightly.add_argument(
        "--as-of",
        type=_parse_moment,
        help="ignore events from this moment on, UTC: 2026-03-09[T06:00]; newer profiles go on serving",
    )
    options = parser.parse_args(arguments)
    return _nightly(options.config, options.as_of)


def _nightly(config: Path | None, as_of: datetime | None) -> int:
    # on a machine with other work, LightGBM's threads that wait by spinning make training many times slower
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    home = read_home()
    waiting = sum(path.is_file() for folder in home.inbox_folders() for path in folder.iterdir())
    moment = f"as of {as_of:%Y-%m-%d %H:%M} UTC" if as_of else "as of the midnight after the last event"
    logger.info("nightly: %s, %d files in the inbox", moment, waiting)
    from training.config import load_config  # noqa: PLC0415 - --help must not wait for LightGBM and MLflow
    from training.nightly import run_nightly  # noqa: PLC0415

    outcome = run_nightly(home, load_config(config), as_of)
    sentences = {
        "promoted": "the challenger is the new champion",
        "kept": "the champion stays",
        "nothing": "nothing to do: this data, configuration and code were already processed",
    }
    OUT.print(f"{sentences[outcome.did]} (run {outcome.run_id})\nwhy: {outcome.record}", markup=False, highlight=False)
    if outcome.refused:
        OUT.print(f"files of the inbox that were refused: {outcome.refused}; they are in refused beside them")
        return REFUSED_FILES
    return KEPT if outcome.did == "kept" else 0


def _parse_moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a moment such as 2026-03-09 or 2026-03-09T06:00") from None
    try:
        require_school_date(moment.date())
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


if __name__ == "__main__":
    run_command(main)
