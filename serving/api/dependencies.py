"""What routes ask for: the snapshot of this request, the roster, the settings."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.concurrency import run_in_threadpool

from features.database import Database
from features.errors import MissingError
from features.roster import Team, list_teams
from serving.access.caller import Caller
from serving.api.authorization import CurrentCaller, require
from serving.api.middleware.audit_gate import CurrentAuditor
from serving.errors import NotFoundError, NotReadyError
from serving.lifecycle import Draining
from serving.models.hot_swap import SnapshotHolder
from serving.models.snapshot import Snapshot
from serving.plans.queue import Planners
from serving.settings import Settings
from serving.snapshots.views import View, Views
from serving.store.roster_cache import Rosters, Seen

__all__ = [
    "CurrentAuditor",
    "CurrentCaller",
    "CurrentDatabase",
    "CurrentDraining",
    "CurrentPlanners",
    "CurrentRosters",
    "CurrentSettings",
    "CurrentSnapshot",
    "CurrentView",
    "Model",
    "find_roster",
    "find_student_team",
    "get_database",
    "get_draining",
    "get_planners",
    "get_rosters",
    "get_settings",
    "get_snapshot",
    "get_view",
    "may_see_team",
    "require",
    "require_team",
    "snapshot_of",
    "unknown_student",
    "unknown_team",
]


# what only looks something up is async: FastAPI would run each plain function on a thread of its own


async def get_settings(request: Request) -> Settings:
    """The settings that the application was made with."""
    settings: Settings = request.app.state.settings
    return settings


def snapshot_of(request: Request) -> Snapshot:
    """The snapshot that serves now.

    Raises:
        NotReadyError: There is none yet.
    """
    holder: SnapshotHolder = request.app.state.snapshots
    return holder.current()


async def get_snapshot(request: Request) -> Snapshot:
    """The snapshot that serves now; asked once per request, so that no answer mixes two."""
    return snapshot_of(request)


async def get_database(request: Request) -> Database:
    """The database, with the connections that this process keeps open."""
    database: Database = request.app.state.database
    return database


async def get_rosters(request: Request) -> Rosters:
    """Teams as this process holds them."""
    rosters: Rosters = request.app.state.rosters
    return rosters


async def get_draining(request: Request) -> Draining:
    """Whether this process was told to end."""
    draining: Draining = request.app.state.draining
    return draining


async def get_planners(request: Request) -> Planners:
    """Turns to plan in this process."""
    planners: Planners = request.app.state.planners
    return planners


CurrentDatabase = Annotated[Database, Depends(get_database)]
CurrentDraining = Annotated[Draining, Depends(get_draining)]
CurrentPlanners = Annotated[Planners, Depends(get_planners)]
CurrentRosters = Annotated[Rosters, Depends(get_rosters)]
CurrentSettings = Annotated[Settings, Depends(get_settings)]
CurrentSnapshot = Annotated[Snapshot, Depends(get_snapshot)]

Model = Annotated[
    str | None,
    Query(
        pattern=r"^[0-9A-Za-z_-]{1,64}$",
        description="forecasts of another model than the one that serves: `champion`, `challenger`, `previous`, or the "
        "id of a registered run; the students, the moment and the events stay the same",
        examples=["challenger"],
    ),
]


async def get_view(request: Request, snapshot: CurrentSnapshot, model: Model = None) -> AsyncIterator[View]:
    """What this request reads, with the model that it names; a model that is not in memory yet is read first.

    Raises:
        RequestError: There is no such model.
        NotReadyError: It cannot be had now.
    """
    views: Views = request.app.state.views
    if model is None:
        view = views.open(snapshot, None)
    else:
        view = await run_in_threadpool(views.open, snapshot, model)
    yield view
    view.end()


CurrentView = Annotated[View, Depends(get_view)]


def find_roster(rosters: Rosters, caller: Caller, team_id: str, *, now: bool = False) -> tuple[Team, Seen]:
    """The team, and how it was seen, with the names and prerequisites of skills.

    Args:
        rosters: As this process holds them.
        caller: Who asks.
        team_id: Of the team.
        now: Whether only the roster of this moment will do; else, while the database is away, it is as it was read.

    Raises:
        NotReadyError: No roster is loaded.
        NotFoundError: The roster has no such team, or the caller may not know of it: the answers are the same.
        BusyError: The database stayed locked.
        DatabaseAwayError: It cannot be used.
    """
    try:
        seen = rosters.fresh(team_id) if now else rosters.recent(team_id)
    except MissingError as error:
        raise NotReadyError("no_roster", str(error)) from error
    if seen.team is None or not caller.may_see(seen.team.school):
        raise unknown_team()
    return seen.team, seen


def require_team(database: Database, caller: Caller, team_id: str) -> None:
    """Refuses a team that the caller may not know of, whether there is one or not.

    Raises:
        NotReadyError: No roster is loaded.
        NotFoundError: There is none for this caller.
    """
    try:
        teams = list_teams(database)
    except MissingError as error:
        raise NotReadyError("no_roster", str(error)) from error
    if not any(each.team_id == team_id and caller.may_see(each.school) for each in teams):
        raise unknown_team()


def find_student_team(rosters: Rosters, caller: Caller, student_id: str) -> str | None:
    """The student's team; null for a student in none, whom only callers for all schools may know of.

    Raises:
        NotFoundError: The caller may not know of the student, whether there is one or not.
    """
    try:
        team = rosters.team_of(student_id)
    except MissingError:
        team = None
    if not caller.may_see(None if team is None else team.school):
        raise unknown_student()
    return None if team is None else team.team_id


def may_see_team(database: Database, caller: Caller, team_id: str) -> bool:
    """Whether the caller may know of a team; of one that has left the roster, only callers for all schools."""
    if caller.schools is None:
        return True
    try:
        return any(team.team_id == team_id and caller.may_see(team.school) for team in list_teams(database))
    except MissingError:
        return False


def unknown_team() -> NotFoundError:
    """The one answer about a team that is not there, or that the caller may not know of."""
    return NotFoundError("unknown_team", "there is no team with this id")


def unknown_student() -> NotFoundError:
    """The one answer about a student who is not there, or whom the caller may not know of."""
    return NotFoundError("unknown_student", "no student with this id is in the roster or the event log")
