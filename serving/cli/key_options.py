"""The options of `python -m serving keys` and `audit`, which `--help` shows without loading the database."""

import argparse

from features.console import describe_exit_codes
from serving.access.caller import Scope

EPILOG = """examples:
  python -m serving keys issue --name "Untis export" --scope read --scope plan --expires 2027-06-30
  python -m serving keys issue --name "North's own tool" --scope read --school "North Middle" --per-minute 120
  python -m serving keys list
  python -m serving keys revoke 0f3a5c7e9b1d2f4a

""" + describe_exit_codes(own={2: "a value is wrong, or there is no such key"})


def add_key_options(parser: argparse.ArgumentParser) -> None:
    """Adds what can be done with keys; `serving.cli.keys.run_keys` does it."""
    parser.epilog, parser.formatter_class = EPILOG, argparse.RawDescriptionHelpFormatter
    deeds = parser.add_subparsers(dest="deed", required=True)
    issue = deeds.add_parser("issue", help="make a key and print it, once")
    issue.add_argument("--name", required=True, help="who will hold it, for people")
    issue.add_argument("--scope", action="append", required=True, choices=[*Scope], help="may be given several times")
    issue.add_argument("--school", action="append", metavar="S", help="likewise; all schools without it")
    issue.add_argument("--expires", metavar="DATE", help="YYYY-MM-DD, the last day it works, UTC; never without it")
    issue.add_argument("--per-minute", type=int, metavar="N", help="requests; the service's own limit without it")
    deeds.add_parser("list", help="show every key that was issued, without its secret")
    revoke = deeds.add_parser("revoke", help="have a key refused from now on")
    revoke.add_argument("key_id", metavar="KEY_ID", help="as the list shows it")


def add_audit_options(parser: argparse.ArgumentParser) -> None:
    """Adds which entries are wanted; `serving.cli.audit.show_audit` shows them."""
    parser.epilog = f"example:\n  python -m serving audit --student s0412 --since 2026-03-01\n\n{describe_exit_codes()}"
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--student", metavar="ID", help="only of this student; the readings of a whole team name none")
    parser.add_argument("--since", metavar="DATE", help="YYYY-MM-DD, UTC; from the first entry without it")
