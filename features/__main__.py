"""The command `python -m features`: ingests logs, lists copied students and ids, loads rosters, and signs bundles."""

import argparse
import logging
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from features.console import OUT, check_place, describe_exit_codes, run_command, write_json
from features.errors import InputError, MissingError, TooManyRejectedError
from features.home import read_home

if TYPE_CHECKING:  # --help must not wait for pandas
    import pandas as pd

    from features.events.counts import IngestCounts

logger = logging.getLogger("regroup")

EXIT_CODES = describe_exit_codes(TooManyRejectedError.exit_code)

SKILL_IDS = ("humanCodingScheme", "identifier", "abbreviatedStatement", "alternativeLabel", "listEnumeration")
"""The same as `features.roster.policy.keys.SKILL_IDS`, repeated here since that package imports a database."""

COPIES_EXIT_CODES = describe_exit_codes(MissingError.exit_code)

FORMATS = ("mapped", "assistments", "datashop", "ednet", "xapi", "caliper", "openedx")
"""The same as `features.logs.FORMATS`, repeated here since that module imports pandas."""

EXAMPLES = """\
examples:
  python -m features ingest export.csv
  python -m features ingest answers.xlsx --sheet May --mapping answers.toml --preview
  python -m features ingest steps.txt --zone America/New_York
  python -m features ingest answers.csv > answers.toml   # a mapping to begin with, if the file needs one
  python -m features ingest answers.parquet --mapping answers.toml --json counts.json
"""

ROSTER_EXAMPLES = """\
examples:
  python -m features roster roster
  python -m features roster oneroster.zip --preview --policy policy.toml
  python -m features roster oneroster.zip --policy policy.toml
  python -m features roster standards.json             # skills and prerequisites alone, of a CASE package
  python -m features roster https://hub.example/ims/oneroster/v1p1 --hub hub.toml
"""


def main(argv: Sequence[str]) -> int:
    """Runs a sub-command; its exit code.

    Raises:
        RegroupError: With the exit code that `--help` lists.
    """
    options = build_parser().parse_args(argv)
    check_place(getattr(options, "json", None))
    if options.command == "roster":
        from features.roster import load_roster_command  # noqa: PLC0415 - ingest needs no database

        return load_roster_command(
            options.path,
            read_home(),
            policy=options.policy,
            hub=options.hub,
            preview=options.preview,
            yes=options.yes,
            as_of=options.as_of,
            skill_id=options.skill_id,
        )
    if options.command == "ids":
        from features.roster.people.command import show_ids_command  # noqa: PLC0415 - as above

        return show_ids_command(read_home(), options.source)
    if options.command == "sign":
        from features.bundle import sign_bundles  # noqa: PLC0415 - as above

        signed = sum(sign_bundles(folder) for folder in options.folders)
        OUT.print(f"signed {signed} manifests", markup=False, highlight=False)
        return 0
    from features.events.identity.copies import find_copies_in_log, warn_of_copies  # noqa: PLC0415 - takes seconds

    if options.command == "copies":
        pairs = find_copies_in_log(read_home())
        OUT.print(show_copies(pairs))
        write_json(options.json, {"pairs": pairs.to_dict("records")})
        return 0
    logger.info("ingest: %s", options.path)
    from features.events.ingest import MAX_REJECTED, ingest_file  # noqa: PLC0415 - takes seconds
    from features.events.preview import preview_file  # noqa: PLC0415 - as above
    from features.logs import suggest_mapping  # noqa: PLC0415 - as above

    said = {name: getattr(options, name) for name in ("mapping", "kc_model", "zone", "sheet")}
    said["form"] = options.format
    try:
        if options.preview:
            counts = preview_file(options.path, **said)
        else:
            limit = MAX_REJECTED if options.max_rejected is None else options.max_rejected
            counts = ingest_file(read_home(), options.path, max_rejected=limit, **said)
    except InputError:
        # alone on the standard output, so that it can be saved as it is
        if options.mapping is None and (starter := suggest_mapping(options.path, options.format, options.sheet)):
            OUT.print(starter, markup=False, highlight=False, soft_wrap=True)
            raise InputError(
                f"nothing was stored: {options.path.name} needs a mapping, which says what its columns are, and one to "
                "begin with was printed; save it, look at it, and ingest with --mapping FILE"
            ) from None
        raise
    OUT.print(show_counts(counts, "preview: nothing was stored" if options.preview else "ingest"))
    for note in counts.notes:
        OUT.print(note, markup=False, highlight=False)
    stored = counts.events_stored and not options.preview
    copied = warn_of_copies(find_copies_in_log(read_home())) if stored else None
    write_json(options.json, {**counts.to_json(), "copied_students": copied})
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The options of all sub-commands."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m features", description=__doc__, epilog=EXIT_CODES, formatter_class=raw
    )
    commands = parser.add_subparsers(dest="command", required=True)

    ingest = commands.add_parser(
        "ingest",
        help="add a log file to the event log",
        description="Adds a log file to the event log; rows that are there already change nothing.",
        epilog=EXAMPLES + "\n" + EXIT_CODES,
        formatter_class=raw,
    )
    ingest.add_argument("path", type=Path, metavar="PATH", help="the log file, or a folder of EdNet")
    ingest.add_argument("--format", choices=FORMATS, help="what the file is; without it, recognized by its header")
    ingest.add_argument("--mapping", type=Path, metavar="FILE", help="TOML file that says what each column is")
    ingest.add_argument("--kc-model", metavar="NAME", help="model whose skills are read from a DataShop export")
    ingest.add_argument("--zone", metavar="NAME", help="time zone of times that name none (default: UTC)")
    ingest.add_argument("--sheet", metavar="NAME", help="sheet of a spreadsheet (default: the one with the most cells)")
    ingest.add_argument(
        "--preview",
        action="store_true",
        help="only show what would be read, and which forecasts it allows",
    )
    ingest.add_argument("--json", type=Path, metavar="FILE", help="write the counts there too")
    ingest.add_argument(
        "--max-rejected",
        type=share,
        metavar="SHARE",
        help="largest share of rejected rows with which anything is stored (default: 0.1)",
    )

    copies = commands.add_parser(
        "copies",
        help="list students with the same answers to the same items",
        description="Lists pairs of students with the same answers to the same items: pupils with two accounts.",
        epilog="examples:\n  python -m features copies\n  python -m features copies --json pairs.json\n\n"
        "The ids are printed, or written to the file that is named, and kept nowhere else.\n\n" + COPIES_EXIT_CODES,
        formatter_class=raw,
    )
    copies.add_argument("--json", type=Path, metavar="FILE", help="write the pairs there too")

    roster = commands.add_parser(
        "roster",
        help="load teams, staff, rooms and blocks",
        description="Loads a roster: a folder of roster files, or what another system exports (OneRoster, Microsoft "
        "School Data Sync, a class list), as a folder, a zip archive or a CSV file.",
        epilog=ROSTER_EXAMPLES + "\n" + EXIT_CODES,
        formatter_class=raw,
    )
    roster.add_argument(
        "path",
        metavar="PATH",
        help="folder of CSV files (teams, members, staff, rooms, blocks and others) and maybe policy.toml; or what "
        "another system exports: a folder, a zip archive or a CSV file; or the address of a hub that speaks OneRoster; "
        "or skills alone: a CASE package, or skills.csv and prerequisites.csv",
    )
    roster.add_argument(
        "--hub",
        type=Path,
        metavar="FILE",
        help="TOML file that says how to ask the hub: token, or client_id and client_secret, and others; without it, "
        "REGROUP_HUB_TOKEN, or REGROUP_HUB_CLIENT_ID and REGROUP_HUB_CLIENT_SECRET",
    )
    roster.add_argument(
        "--preview", action="store_true", help="only show what would change, and what the roster cannot say"
    )
    roster.add_argument(
        "--policy",
        type=Path,
        metavar="FILE",
        help="TOML file that says what the roster cannot: which classes make a team, roles, rooms, bells; needed once",
    )
    roster.add_argument(
        "--as-of", type=date.fromisoformat, metavar="DATE", help="day from which enrollments count (default: today)"
    )
    roster.add_argument(
        "--skill-id",
        choices=SKILL_IDS,
        help="field of a standard of CASE whose value the log has; said once, it is stored with the roster (until then "
        f"{SKILL_IDS[0]})",
    )
    roster.add_argument("--yes", action="store_true", help="load it though more than 5%% of the students are gone")
    ids = commands.add_parser(
        "ids",
        help="list ids of other systems that stand for nobody",
        description="Shows which sources of events have other ids than the roster, and lists those of a source that "
        "stand for no student.",
        epilog="examples:\n  python -m features ids\n  python -m features ids practice-app\n\n" + COPIES_EXIT_CODES,
        formatter_class=raw,
    )
    ids.add_argument("source", nargs="?", metavar="SOURCE", help="the source whose ids are listed (default: counts)")
    sign = commands.add_parser(
        "sign",
        help="sign models and profiles that were written before there was a key",
        description="Signs the manifest of every model, set of profiles and bundle in the folders with "
        "REGROUP_SIGNING_KEY, after the hash of every file was checked. With the key set, the service and the nightly "
        "job sign what they write and refuse what is not signed.",
        epilog="example:\n  python -m features sign var mlruns/artifacts\n\n" + describe_exit_codes(),
        formatter_class=raw,
    )
    sign.add_argument("folders", type=Path, metavar="FOLDER", nargs="+", help="folder to search")
    return parser


def share(text: str) -> float:
    """A number from 0 to 1.

    Raises:
        ValueError: It is another number, or none.
    """
    number = float(text)
    if not 0 <= number <= 1:
        raise ValueError(text)
    return number


def show_counts(counts: "IngestCounts", title: str = "ingest") -> Table:
    """The counts as a table for a terminal."""
    table = Table("rows", "count", title=title)
    table.columns[1].justify = "right"
    for name, count in counts.to_json().items():
        if isinstance(count, int):
            table.add_row(name.replace("_", " "), f"{count:,}")
        elif isinstance(count, Mapping) and name not in {"data_version", "coverage"}:
            for rule, rows in count.items():
                table.add_row(f"{name}: {rule}", f"{rows:,}")
    return table


def show_copies(pairs: "pd.DataFrame") -> Table:
    """The pairs of students as a table for a terminal."""
    table = Table(
        "student", "copy", "items in common", "of all items of both", "equal answers", title="copied students"
    )
    for name in (2, 3, 4):
        table.columns[name].justify = "right"
    for pair in pairs.itertuples(index=False):
        shares = f"{pair.overlap:.0%}", f"{pair.equal_share:.1%}"
        table.add_row(escape(str(pair.student_id)), escape(str(pair.copy_id)), f"{pair.common_items:,}", *shares)
    return table


if __name__ == "__main__":
    run_command(lambda: main(sys.argv[1:]))
