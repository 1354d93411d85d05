"""Which teams and students a caller may know of; a team of others is answered like one that does not exist."""

from sqlalchemy import Connection

from features.database import Database
from features.errors import MissingError
from features.roster import SkillMap, Team, find_gone, find_teams_of, list_teams, read_team
from features.roster.tables import WHOLE, read_version
from features.tombstones import find_erased
from serving.access.caller import Caller
from serving.errors import NotFoundError, NotReadyError, RosterChangedError
from serving.store.roster_cache import RosterCache, TeamSnapshot


def find_roster(rosters: RosterCache, caller: Caller, team_id: str, *, now: bool = False) -> tuple[Team, TeamSnapshot]:
    """The team, and the snapshot that it is part of.

    Args:
        rosters: The roster cache of this process.
        caller: The caller, who has to be allowed to see the team.
        team_id: The team's id.
        now: Whether only the roster of this moment will do; else the last one read serves while the database is away.

    Raises:
        NotReadyError: No roster is loaded.
        NotFoundError: The roster has no such team, or the caller may not know of it: the answers are the same.
        BusyError: The database stayed locked.
        DatabaseAwayError: The database cannot be used.
    """
    try:
        roster = rosters.fresh(team_id) if now else rosters.recent(team_id)
    except MissingError as error:
        raise NotReadyError("no_roster", str(error)) from error
    if roster.team is None or not caller.may_see(roster.team):
        raise unknown_team()
    return roster.team, roster


def require_team(database: Database, caller: Caller, team_id: str) -> None:
    """Refuses a team that the caller may not know of, whether there is one or not.

    Raises:
        NotReadyError: No roster is loaded.
        NotFoundError: There is no such team for this caller.
    """
    try:
        teams = list_teams(database)
    except MissingError as error:
        raise NotReadyError("no_roster", str(error)) from error
    if not any(team.team_id == team_id and caller.may_see(team) for team in teams):
        raise unknown_team()


def find_student_team(rosters: RosterCache, caller: Caller, student_id: str) -> tuple[str | None, TeamSnapshot]:
    """The id of the student's team, and its snapshot; the id is None for a student without a team.

    Of several teams it is the first that the caller may see.

    Only callers for all teams may know of a student without a team, and nobody of one who was erased.

    Raises:
        NotFoundError: The caller may not know of the student, whether there is one or not.
    """
    try:
        teams = rosters.teams_of(student_id)
    except MissingError:
        teams = ()
    team = next((team for team in teams if caller.may_see(team)), None)
    if team is None and (teams or not caller.sees_all):
        raise unknown_student()
    if team is None and rosters.is_gone(student_id):  # the profiles that serve may be of before the erasure
        raise unknown_student()
    team_id = None if team is None else team.team_id
    try:
        return team_id, rosters.recent(team_id or WHOLE)
    except MissingError:
        return team_id, TeamSnapshot(None, SkillMap({}, {}))


def require_student(connection: Connection, caller: Caller, student_id: str) -> None:
    """Refuses a student who was erased, or left what the caller may see, before something of them is changed.

    Args:
        connection: The transaction that makes the change, of `Database.changing`.
        caller: Who asked for it.
        student_id: The student, who has to be in a team.

    Raises:
        NotFoundError: The caller may not know of the student, whether there is one or not.
    """
    try:
        teams = find_teams_of(connection, student_id)
    except MissingError:
        teams = ()
    if find_gone(connection, [student_id]) or not any(caller.may_see(team) for team in teams):
        raise unknown_student()


def require_unchanged(connection: Connection, caller: Caller, team: Team, roster: TeamSnapshot) -> None:
    """Refuses to keep what was made of a team while somebody of it was erased, or it left what the caller may see.

    Args:
        connection: The transaction that keeps it, of `Database.changing`.
        caller: Who asked for it.
        team: The team of which it was made.
        roster: The snapshot that the team was part of.

    Raises:
        RosterChangedError: Students of the team were erased or have left it since.
        NotFoundError: The caller may not know of the team any more.
    """
    whole, _ = read_version(connection, team.team_id)
    if whole == roster.version[0]:
        return  # no roster was loaded and nobody erased since
    try:
        now = read_team(connection, team.team_id)
    except MissingError:
        raise unknown_team() from None
    if not caller.may_see(now):
        raise unknown_team()
    if not set(team.members) <= set(now.members) or find_erased(connection, team.members):
        raise RosterChangedError("the roster changed while the day was planned; ask again")


def may_see_team(database: Database | Connection, caller: Caller, team_id: str) -> bool:
    """Whether the caller may know of a team; only callers for all teams know of one that has left the roster."""
    if caller.sees_all:
        return True
    try:
        return any(team.team_id == team_id and caller.may_see(team) for team in list_teams(database))
    except MissingError:
        return False


def unknown_team() -> NotFoundError:
    """The error for a team that does not exist or that the caller may not know of; both read the same."""
    return NotFoundError("unknown_team", "there is no team with this id")


def unknown_student() -> NotFoundError:
    """The error for a student who does not exist or whom the caller may not know of; both read the same."""
    return NotFoundError("unknown_student", "no student with this id is in the roster or the event log")
