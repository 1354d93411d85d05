"""What routes ask for: the snapshot of this request, the roster, the settings."""

from typing import Annotated

from fastapi import Depends, Request

from features.database import Database
from features.errors import MissingError
from features.roster import SkillMap, Team, read_skills, read_team
from serving.errors import NotFoundError, NotReadyError
from serving.live import LiveEvents
from serving.settings import Settings
from serving.snapshot import Snapshot, SnapshotHolder


def get_settings(request: Request) -> Settings:
    """The settings that the application was made with."""
    settings: Settings = request.app.state.settings
    return settings


def get_snapshot(request: Request) -> Snapshot:
    """The snapshot that serves now; asked once per request, so that no answer mixes two."""
    holder: SnapshotHolder = request.app.state.snapshots
    return holder.current()


def get_database(request: Request) -> Database:
    """The database, with the connections that this process keeps open."""
    database: Database = request.app.state.database
    return database


def get_live(request: Request) -> LiveEvents:
    """What came in since the night, as this process has seen it."""
    live: LiveEvents = request.app.state.live
    return live


CurrentDatabase = Annotated[Database, Depends(get_database)]
CurrentLive = Annotated[LiveEvents, Depends(get_live)]
CurrentSettings = Annotated[Settings, Depends(get_settings)]
CurrentSnapshot = Annotated[Snapshot, Depends(get_snapshot)]


def find_roster(database: Database, team_id: str) -> tuple[Team, SkillMap]:
    """The team, and the names and prerequisites of skills.

    Raises:
        NotReadyError: No roster is loaded.
        NotFoundError: The roster has no such team.
    """
    try:
        skills = read_skills(database)
    except MissingError as error:
        raise NotReadyError("no_roster", str(error)) from error
    try:
        return read_team(database, team_id), skills
    except MissingError as error:
        raise NotFoundError("unknown_team", str(error)) from error
