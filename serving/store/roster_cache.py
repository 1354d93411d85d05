"""Teams as the roster holds them now, kept in memory until somebody changes it.

Each question asks the database for the roster's version, which every change counts, and reads a team again only where
that has moved: a decision of another process is in the next plan of this one. While the database is away, what was
read before goes on being told, with its age.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from features.database import Database, DatabaseAwayError
from features.errors import BusyError, MissingError
from features.events.live import latest_number
from features.roster import SkillMap, Team, TeamName, find_team_of, list_teams, read_skills, read_team
from features.roster.tables import Version, read_version
from serving.lifecycle import CircuitBreaker, Watcher

logger = logging.getLogger("regroup")

TRUSTED_S = 60.0
"""After which a team is read again all the same, should somebody have changed the database by hand."""

Part = TypeVar("Part")


@dataclass(frozen=True)
class TeamSnapshot:
    """A team as the roster held it at one moment.

    Attributes:
        team: Null where the roster has none with the id.
        skills: Names and prerequisites.
        version: Of both; whatever is computed from them holds as long as it stays.
        latest_event: Number of the last live event at that moment, so that nobody has to ask for later ones; null where
            the database was not asked.
        stale_seconds: Since the database last confirmed it; null where it just did.
    """

    team: Team | None
    skills: SkillMap
    version: Version = (0, 0)
    latest_event: int | None = None
    stale_seconds: float | None = None


@dataclass(frozen=True)
class _Kept:
    snapshot: TeamSnapshot
    version: Version
    read_at: float
    confirmed_at: float


class RosterCache:
    """The roster's teams for all threads of one process.

    Args:
        database: Of the service.
        every_s: How often all teams are looked through, so that they are at hand when the database goes away.
    """

    def __init__(self, database: Database, every_s: float) -> None:
        self._database = database
        self._kept: dict[str, _Kept] = {}
        self._breaker = CircuitBreaker()
        self._watcher = Watcher("roster-watcher", self.look_through, every_s)

    def start(self) -> None:
        """Starts looking through all teams."""
        self._watcher.start()

    def stop(self) -> None:
        """Stops."""
        self._watcher.stop()

    def fresh(self, team_id: str) -> TeamSnapshot:
        """A team as the roster holds it at this moment.

        Raises:
            MissingError: No roster is loaded.
            BusyError: The database stayed locked.
            DatabaseAwayError: It cannot be used.
        """
        if not _may_be_id(team_id):
            return TeamSnapshot(None, read_skills(self._database))
        with self._database.reading() as connection:
            version, latest = read_version(connection, team_id), latest_number(connection)
        now = time.monotonic()
        kept = self._kept.get(team_id)
        if kept is None or kept.version != version or now - kept.read_at > TRUSTED_S:
            kept = _Kept(self._read(team_id, version), version, now, now)
        else:
            kept = _Kept(kept.snapshot, version, kept.read_at, now)
        if kept.snapshot.team is not None:  # what does not exist is not kept: anybody may name it
            self._kept[team_id] = kept
        return replace(kept.snapshot, latest_event=latest)

    def recent(self, team_id: str) -> TeamSnapshot:
        """A team as `fresh` gives it; while the database is away, as it was seen last.

        Raises:
            MissingError: No roster is loaded.
            BusyError: The database stayed locked, and the team was not seen before.
            DatabaseAwayError: It cannot be used, and the team was not seen before.
        """
        return self._or_kept(lambda: self.fresh(team_id), lambda: self._last(team_id))

    def team_of(self, student_id: str) -> TeamName | None:
        """The team of a student, with its school; null for one in none.

        Raises:
            MissingError: No roster is loaded.
            BusyError: The database stayed locked, and the student was not seen before.
            DatabaseAwayError: It cannot be used, and the student was not seen before.
        """
        if not _may_be_id(student_id):
            return None
        return self._or_kept(lambda: find_team_of(self._database, student_id), lambda: self._last_team_of(student_id))

    def look_through(self) -> None:
        """Reads every team that changed since it was read; what fails is tried again the next time."""
        try:
            teams = {each.team_id for each in list_teams(self._database)}
            for team_id in sorted(teams):
                self.fresh(team_id)
            for gone in self._kept.keys() - teams:
                self._kept.pop(gone, None)
        except (MissingError, BusyError, DatabaseAwayError) as error:
            logger.debug("teams are not read ahead: %s", error)

    def _read(self, team_id: str, version: Version) -> TeamSnapshot:
        skills = read_skills(self._database)
        try:
            return TeamSnapshot(read_team(self._database, team_id), skills, version)
        except MissingError:
            return TeamSnapshot(None, skills, version)

    def _or_kept(self, ask: Callable[[], Part], remember: Callable[[], Part | None]) -> Part:
        if self._breaker.is_open and (kept := remember()) is not None:
            return kept
        try:
            return ask()
        except (MissingError, BusyError, DatabaseAwayError) as error:
            kept = remember()
            if kept is None:
                raise
            self._breaker.trip()
            logger.warning("going on with the roster as it was read: %s", error)
            return kept

    def _last(self, team_id: str) -> TeamSnapshot | None:
        kept = self._kept.get(team_id)
        if kept is None:
            return None
        return replace(kept.snapshot, stale_seconds=time.monotonic() - kept.confirmed_at)

    def _last_team_of(self, student_id: str) -> TeamName | None:
        for kept in list(self._kept.values()):
            team = kept.snapshot.team
            if team is not None and student_id in team.members:
                return TeamName(team.team_id, team.school, team.name)
        return None


def _may_be_id(text: str) -> bool:
    """Whether a database could hold the text at all; some refuse even the question."""
    return "\0" not in text and not any("\ud800" <= each <= "\udfff" for each in text)
