"""`python -m training`: the nightly job, who is champion, and a prior model for elsewhere."""

import argparse
import logging
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from features.console import OUT, describe_exit_codes, run_command
from features.dates import require_school_date
from features.errors import MissingError, UnavailableError
from features.home import read_home

KEPT, REFUSED_FILES, ALARM = 10, 11, 12
"""Exit codes when the champion stays, when files of the inbox were refused, and when a check raised an alarm."""

MOST_WORDS = 500
"""Longest reason for a change of the champion, in characters."""

EPILOG = (
    describe_exit_codes(
        own={
            0: "the challenger was promoted, or there was nothing to do",
            1: "the training broke off",
            3: "data gate: too little data, or data unlike what the models need",
            4: "quality gate: a limit is broken and there is no champion; or there is no event log yet",
            KEPT: "the champion was kept",
            5: "a check stopped the night: the roster has lost too many students since the night before",
            REFUSED_FILES: "as 0 or 10, and files of the inbox were refused; look at them in inbox/refused",
            ALARM: "as 0 or 10, and a check raised an alarm, which the record names with what to do",
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

PRETRAIN = """Writes the champion's models to a folder that REGROUP_PRIOR may name in another installation: there they
serve as its prior model until its own log can teach better ones. What is known of single items and skills is left out,
and no file holds the id of a student, an item, a skill or a school."""

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
    pretrain = commands.add_parser(
        "pretrain",
        help="export the champion's models as a prior for elsewhere, without ids",
        description=PRETRAIN,
        epilog=describe_exit_codes(own={4: "there is no champion that was trained on the own log"}),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    prune = commands.add_parser(
        "prune",
        help="remove what no alias, stored plan or promotion needs any more, as every night does",
        epilog=f"{describe_exit_codes()}\nexample:\n  python -m training prune --dry-run\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    prune.add_argument("--config", type=Path, help="TOML laid over the defaults, of which [retention] counts")
    prune.add_argument("--dry-run", action="store_true", help="say what would be removed, and remove nothing")
    pretrain.add_argument("folder", type=Path, help="appears complete; an older export in its place is replaced")
    nightly.add_argument(
        "--backend",
        choices=("local", "dask"),
        default="local",
        help="where profiles are folded (default: this machine)",
    )
    nightly.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="of --backend dask, such as tcp://10.0.0.5:8786; workers see the same home",
    )
    nightly.add_argument("--dry-run", action="store_true", help="say which steps would run, and change nothing")
    for name, what, example in (
        ("history", "list the champions, the newest first: when, which run, of which data, and why", "history"),
        ("promote", "make a run champion, with profiles of today", 'promote RUN --because "holds in spring as well"'),
        ("rollback", "make the champion of before champion again", 'rollback --because "too many alarms in grade 4"'),
    ):
        command = commands.add_parser(
            name,
            help=what,
            epilog=f"{describe_exit_codes(4)}\nexample:\n  python -m training {example}\n",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name == "promote":
            command.add_argument("run", metavar="RUN", help="MLflow's id of the run")
        if name != "history":
            command.add_argument(
                "--because", metavar="TEXT", type=_parse_reason, required=True, help="why; kept in MLflow"
            )
    options = parser.parse_args(arguments)
    if options.command == "nightly":
        from training.nightly.backend import use_backend  # noqa: PLC0415 - --help must not wait for tables

        with use_backend(options.backend, options.scheduler):
            return _nightly(options.config, options.as_of, dry_run=options.dry_run)
    if options.command == "prune":
        return _prune(options.config, dry_run=options.dry_run)
    if options.command == "pretrain":
        return _pretrain(options.folder)
    return (
        _history() if options.command == "history" else _change_champion(getattr(options, "run", None), options.because)
    )


def _pretrain(folder: Path) -> int:
    from training.models.prior import write_pretrained  # noqa: PLC0415 - --help must not wait for LightGBM and MLflow
    from training.records.tracking import Tracking  # noqa: PLC0415

    tracking = Tracking()
    run_id = tracking.champion()
    models = {} if run_id is None else {name: tracking.fetch_model(run_id, name) for name in ("struggle", "mastery")}
    if run_id is None or any(model.kind == "prior" for model in models.values()):
        raise MissingError("there is no champion that was trained on the own log yet, so that nothing can be exported")
    write_pretrained(folder, models)
    OUT.print(
        f"wrote the models of run {run_id} without ids to {folder}", markup=False, highlight=False, soft_wrap=True
    )
    return 0


def _prune(config: Path | None, *, dry_run: bool) -> int:
    from training.config import load_config  # noqa: PLC0415 - --help must not wait for MLflow
    from training.nightly import prune_home  # noqa: PLC0415

    pruned = prune_home(read_home(), load_config(config).retention, dry_run=dry_run)
    for each in pruned.removed:
        OUT.print(f"{'would remove' if dry_run else 'removed'} {each}", markup=False, highlight=False)
    for sentence in pruned.failed:
        OUT.print(sentence, style="red", markup=False, highlight=False)
    return UnavailableError.exit_code if pruned.failed else 0


def _history() -> int:
    from training.nightly import list_champions  # noqa: PLC0415 - --help must not wait for MLflow

    changes = list_champions()
    for change in changes:
        said = f"{change.at}  {change.run_id}  {change.alias or '-':<8}  data as of {change.as_of}  {change.reason}"
        OUT.print(said, markup=False, highlight=False)
    if not changes:
        OUT.print("no run was promoted yet")
    return 0


def _change_champion(run_id: str | None, because: str) -> int:
    from training.nightly import promote_run, roll_back  # noqa: PLC0415 - as above

    home = read_home()
    if run_id is None:
        run_id, profiles = roll_back(home, because)
    else:
        profiles = promote_run(home, run_id, because)
    OUT.print(f"the champion is now run {run_id}\nprofiles: {profiles}", markup=False, highlight=False)
    return 0


def _nightly(config: Path | None, as_of: datetime | None, *, dry_run: bool) -> int:
    # on a machine with other work, LightGBM's threads that wait by spinning make training many times slower
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    home = read_home()
    waiting = len(home.inbox_files())
    moment = f"as of {as_of:%Y-%m-%d %H:%M} UTC" if as_of else "as of the midnight after the last event"
    logger.info("nightly: %s, %d files in the inbox", moment, waiting)
    from training.config import load_config  # noqa: PLC0415 - --help must not wait for LightGBM and MLflow
    from training.nightly import plan_nightly, run_nightly  # noqa: PLC0415

    if dry_run:
        for step, what in plan_nightly(home, load_config(config), as_of):
            OUT.print(f"{step:<15} {what}".rstrip(), markup=False, highlight=False)
        return 0
    outcome = run_nightly(home, load_config(config), as_of)
    sentences = {
        "promoted": "the challenger is the new champion",
        "kept": "the champion stays",
        "nothing": "nothing to do: this data, configuration and code were already processed",
    }
    OUT.print(f"{sentences[outcome.did]} (run {outcome.run_id})\nwhy: {outcome.record}", markup=False, highlight=False)
    alarms = [finding for finding in outcome.findings if finding.level == "alarm"]
    for finding in alarms:
        OUT.print(f"alarm, {finding.name}: {finding.sentence}; {finding.advice}", markup=False, highlight=False)
    if outcome.refused:
        OUT.print(f"files of the inbox that were refused: {outcome.refused}; they are in refused beside them")
        return REFUSED_FILES
    if alarms:
        return ALARM
    return KEPT if outcome.did == "kept" else 0


def _parse_reason(text: str) -> str:
    if not text.strip() or len(text) > MOST_WORDS:
        raise argparse.ArgumentTypeError(f"a reason has 1 to {MOST_WORDS} characters")
    return " ".join(text.split())


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
