"""`python -m serving keys`: issues, lists and revokes API keys, and links that sign in to the board."""

import argparse
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING

from features.console import ERR, OUT
from features.errors import InputError, MissingError
from features.home import read_home
from serving.access.caller import Scope
from serving.cli import Commands, add_command, write_epilog

if TYPE_CHECKING:
    from features.database import Database
    from serving.store.keys import StoredKey

ISSUE = """keys issue --name "Untis export" --scope read --scope plan --expires 2027-06-30
keys issue --name "one school's tool" --scope read --school Simulated --per-minute 120
keys issue --name "Ms Rivera's own" --scope read --scope plan --adult a.rivera"""
LINK = """keys link --name "Ms Rivera" --team team-1 --days 30 --address https://regroup.example.org"""
REVOKE = "keys revoke 0f3a5c7e9b1d2f4a"
LINK_DAYS, MOST_LINK_DAYS = 7, 366
"""Days for which a link works where nobody says otherwise, and at most."""
HERE = "http://127.0.0.1:8000"
EXITS = {2: "a value is wrong, or there is no such key"}


def add_keys(commands: Commands) -> None:
    """Adds the commands that issue, list and revoke keys and links."""
    keys = commands.add_parser(
        "keys",
        help="issue, list and revoke API keys",
        epilog=write_epilog(f"{ISSUE}\n{LINK}\nkeys list\n{REVOKE}", EXITS),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = keys.add_subparsers(required=True, metavar="{issue,link,list,revoke}")
    issue = add_command(actions, "issue", partial(_run, _issue), "make a key and print it, once", ISSUE, EXITS)
    issue.add_argument("--name", required=True, help="who will hold it, for people")
    issue.add_argument("--scope", action="append", required=True, choices=[*Scope], help="may be given several times")
    link = add_command(
        actions, "link", partial(_run, _link), "make a link that signs one adult in to the board", LINK, EXITS
    )
    link.add_argument("--name", required=True, help="who will hold it; the board shows it")
    for command in (issue, link):
        command.add_argument(
            "--school",
            action="append",
            metavar="S",
            help="a school of the roster; may be given several times; all schools without it",
        )
        command.add_argument(
            "--team",
            action="append",
            metavar="TEAM_ID",
            help="a team of the roster; may be given several times; all teams of the schools without it",
        )
        command.add_argument(
            "--adult", metavar="STAFF_ID", help="whose own it is, for what only this adult may see and do"
        )
    link.add_argument("--days", type=int, default=LINK_DAYS, metavar="N", help="how long it works, %(default)s days")
    link.add_argument("--address", default=HERE, metavar="URL", help="where the service is reached, %(default)s")
    link.add_argument(
        "--leader", action="store_true", help="also signs days, where a team asks for its leader's signature"
    )
    link.add_argument("--no-names", action="store_true", help="show ids, also where there is a vault of names")
    issue.add_argument("--expires", metavar="DATE", help="YYYY-MM-DD, the last day it works, UTC; never without it")
    issue.add_argument("--per-minute", type=int, metavar="N", help="requests; the service's own limit without it")
    add_command(actions, "list", partial(_run, _list), "show every key, without its secret", "keys list")
    revoke = add_command(actions, "revoke", partial(_run, _revoke), "revoke a key", REVOKE, EXITS)
    revoke.add_argument("key_id", metavar="KEY_ID", help="as `keys list` shows it")


def _run(act: Callable[["Database", argparse.Namespace], None], options: argparse.Namespace) -> int:
    from features.database import Database

    with Database(read_home().database_url()) as database:
        act(database, options)
    return 0


def _issue(database: "Database", options: argparse.Namespace) -> None:
    from serving.access.keys import issue_key

    if not options.name.strip():
        raise InputError("--name is blank; write who will hold the key")
    if options.per_minute is not None and options.per_minute < 1:
        raise InputError(f"--per-minute {options.per_minute} must be 1 or more")
    expires_at = None if options.expires is None else _end_of(options.expires)
    _require_known(database, options)
    key = issue_key(
        database,
        options.name,
        [Scope(name) for name in options.scope],
        options.school,
        expires_at=expires_at,
        per_minute=options.per_minute,
        staff_id=options.adult,
        teams=options.team,
    )
    # the key alone on standard output, so that a script can take it
    OUT.print(key.reveal(), markup=False, highlight=False)
    ERR.print(f"Keep it now: it is not shown again. Its id is {key.key_id}.", markup=False, highlight=False)


def _link(database: "Database", options: argparse.Namespace) -> None:
    from serving.access.keys import issue_key

    if not options.name.strip():
        raise InputError("--name is blank; write who will hold the link")
    if not 1 <= options.days <= MOST_LINK_DAYS:
        raise InputError(f"--days {options.days} must be from 1 to {MOST_LINK_DAYS}")
    if not options.address.startswith(("https://", "http://")):
        raise InputError(f"--address {options.address!r} is none; write https://HOST")
    _require_known(database, options)
    scopes = [Scope.BOARD, *([] if options.no_names else [Scope.NAMES]), *([Scope.SIGN] if options.leader else [])]
    expires_at = datetime.now(UTC) + timedelta(days=options.days)
    key = issue_key(
        database,
        options.name,
        scopes,
        options.school,
        expires_at=expires_at,
        staff_id=options.adult,
        teams=options.team,
    )
    # the key stands after a `#`, which no browser sends, so that no log of a proxy has it
    OUT.print(f"{options.address.rstrip('/')}/board/sign-in#{key.reveal()}", markup=False, highlight=False)
    until = f"until {expires_at:%Y-%m-%d %H:%M} UTC, or until `keys revoke {key.key_id}`"
    said = f"Give it to nobody else: it signs in {until}."
    ERR.print(said, markup=False, highlight=False)


def _end_of(text: str) -> datetime:
    try:
        last = date.fromisoformat(text)
        ends = datetime.combine(last + timedelta(days=1), time(), UTC)
    except (ValueError, OverflowError):
        raise InputError(f"--expires {text!r} is not a day; write YYYY-MM-DD, such as 2027-06-30") from None
    if ends <= datetime.now(UTC):
        raise InputError(f"--expires {text} is past; write the last day on which the key should work")
    return ends


def _require_known(database: "Database", options: argparse.Namespace) -> None:
    """Refuses an adult and schools that the roster has not, and teams that it has not in these schools."""
    from features.roster import list_teams

    if options.adult is not None:
        _require_adult(database, options.adult)
    schools, ids = options.school or (), options.team or ()
    try:
        teams = list_teams(database)
    except MissingError:
        return  # keys may be issued before the roster is loaded
    within = {team.team_id for team in teams if not schools or team.school in schools}
    for option, named, known in (("--school", schools, {team.school for team in teams}), ("--team", ids, within)):
        for name in named:
            if name not in known:
                of_schools = " in these schools" if option == "--team" and schools else ""
                has = ", ".join(map(repr, sorted(known)))
                raise InputError(f"{option} {name!r} is not in the roster{of_schools}; it has {has}")


def _require_adult(database: "Database", staff_id: str) -> None:
    from features.roster import list_teams, read_team

    teams = list_teams(database)
    if not any(adult.staff_id == staff_id for team in teams for adult in read_team(database, team.team_id).staff):
        raise InputError(f"--adult {staff_id!r} is no adult of the roster; `GET /v1/staff` lists their ids")


def _list(database: "Database", _: argparse.Namespace) -> None:
    from rich.table import Table

    from serving.store.keys import list_keys

    keys = list_keys(database)
    now = datetime.now(UTC)
    table = Table()
    for name in ("key id", "name", "scopes", "schools", "teams", "a minute", "expires", "state"):
        table.add_column(name, no_wrap=name in {"key id", "expires", "state"}, overflow="fold")
    for key in keys:
        table.add_row(*_cells(key, now))
    OUT.print(table, markup=False, highlight=False, soft_wrap=False)
    if not keys:
        ERR.print("no key was issued yet; see `python -m serving keys issue --help`", markup=False, highlight=False)


def _cells(key: "StoredKey", now: datetime) -> tuple[str, ...]:
    return (
        key.key_id,
        key.name,
        ", ".join(key.scopes),
        *("all" if ids is None else ", ".join(ids) for ids in (key.schools, key.teams)),
        "" if key.per_minute is None else str(key.per_minute),
        "never" if key.expires_at is None else f"{key.expires_at - timedelta(days=1):%Y-%m-%d}",
        key.state(now),
    )


def _revoke(database: "Database", options: argparse.Namespace) -> None:
    from serving.store.keys import revoke_key

    if not revoke_key(database, options.key_id, datetime.now(UTC)):
        # the value is not repeated: it may be a whole key
        raise InputError("there is no key with this id; `python -m serving keys list` shows the ids")
    ERR.print("revoked; running services notice within seconds", markup=False, highlight=False)
