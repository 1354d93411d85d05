"""Teams as the roster holds them now, kept in memory until somebody changes the roster.

Each read asks the database for the roster's version, which every change increments, and reads a team again only where
the version has moved: a decision of another process is in the next plan of this one. While the database is away, the
last snapshot read serves, with its age.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from features.database import Database, DatabaseAwayError
from features.errors import BusyError, MissingError
from features.events.evidence import Evidence, Of, read_evidence
from features.events.live.answers import Change, latest_change
from features.roster import (
    SkillMap,
    Team,
    TeamName,
    find_gone,
    find_teams_of,
    list_teams,
    read_skills,
    read_team,
    students_of_schools,
)
from features.roster.tables import Version, read_version
from serving.lifecycle import CircuitBreaker, PeriodicTask
from serving.store.practice.of_team import NO_PRACTICE, Practice, read_practice

logger = logging.getLogger("regroup")

TRUSTED_S = 60.0
"""Seconds after which a team is read again at the same version too, in case somebody changed the database by hand."""

Value = TypeVar("Value")


@dataclass(frozen=True)
class TeamSnapshot:
    """A team as the roster held it at one moment.

    Attributes:
        team: The team; None where the roster has none with the id.
        skills: Names and prerequisites of skills.
        version: The version of both; what is computed from them is valid until it moves.
        school_students: Ids of all students of the team's school.
        evidence: What totals of other products say of a member's skill, where there is no answer.
        practice: What the team does around its plans, such as goals.
        latest_event: The last change of the live events at that moment, so that nobody has to ask for later ones; None
            where the database was not asked.
        stale_seconds: Age of the last confirmation by the database; None where it just confirmed the snapshot.
    """

    team: Team | None
    skills: SkillMap
    version: Version = (0, 0)
    school_students: frozenset[str] = frozenset()
    evidence: Mapping[Of, Evidence] = field(default_factory=dict)
    practice: Practice = NO_PRACTICE
    latest_event: Change | None = None
    stale_seconds: float | None = None


@dataclass(frozen=True)
class _Entry:
    snapshot: TeamSnapshot
    version: Version
    restarts: int
    read_at: float
    confirmed_at: float


class RosterCache:
    """The roster's teams for all threads of one process.

    Args:
        database: The service's database.
        every_s: Seconds between two readings of all changed teams, which the cache then has when the database goes
            away.
    """

    def __init__(self, database: Database, every_s: float) -> None:
        self._database = database
        self._entries: dict[str, _Entry] = {}
        self._schools: dict[str, frozenset[str]] = {}
        self._breaker = CircuitBreaker()
        self._refresh = PeriodicTask("roster-cache", self.refresh, every_s)

    def start(self) -> None:
        """Starts to read changed teams periodically."""
        self._refresh.start()

    def stop(self) -> None:
        """Stops the periodic reading."""
        self._refresh.stop()

    def fresh(self, team_id: str) -> TeamSnapshot:
        """A team as the roster holds it at this moment.

        Raises:
            MissingError: No roster is loaded.
            BusyError: The database stayed locked.
            DatabaseAwayError: The database cannot be used.
        """
        if not _may_be_id(team_id):
            return TeamSnapshot(None, read_skills(self._database))
        with self._database.reading() as connection:
            version, latest = read_version(connection, team_id), latest_change(connection)
        now, restarts = time.monotonic(), self._database.restarts
        entry = self._entries.get(team_id)
        known = None if entry is None else (entry.version, entry.restarts)
        if entry is None or known != (version, restarts) or now - entry.read_at > TRUSTED_S:
            entry = _Entry(self._read(team_id, version), version, restarts, now, now)
        else:
            entry = replace(entry, confirmed_at=now)
        if entry.snapshot.team is not None:  # ids of no team are not kept: callers could fill the memory with them
            self._entries[team_id] = entry
        return replace(entry.snapshot, latest_event=latest)

    def recent(self, team_id: str) -> TeamSnapshot:
        """A team as `fresh` returns it, or the last snapshot of it while the database is away.

        Raises:
            MissingError: No roster is loaded.
            BusyError: The database stayed locked, and the team was not read before.
            DatabaseAwayError: The database cannot be used, and the team was not read before.
        """
        return self._fetch(lambda: self.fresh(team_id), lambda: self._last(team_id))

    def teams_of(self, student_id: str) -> tuple[TeamName, ...]:
        """The teams of a student, with their schools, sorted by id.

        Raises:
            MissingError: No roster is loaded.
            BusyError: The database stayed locked, and no team of the student was read before.
            DatabaseAwayError: The database cannot be used, and no team of the student was read before.
        """
        if not _may_be_id(student_id):
            return ()
        return self._fetch(lambda: find_teams_of(self._database, student_id), lambda: self._last_teams_of(student_id))

    def is_gone(self, student_id: str) -> bool:
        """Whether a student without a team was erased.

        Raises:
            BusyError: The database stayed locked.
            DatabaseAwayError: The database cannot be used.
        """
        if not _may_be_id(student_id):
            return False
        try:
            with self._database.reading() as connection:
                return bool(find_gone(connection, [student_id]))
        except MissingError:
            return False

    def refresh(self) -> None:
        """Reads every team that changed since it was read; the next call tries again what failed."""
        try:
            teams = list_teams(self._database)
            team_ids = {team.team_id for team in teams}
            for team_id in sorted(team_ids):
                self.fresh(team_id)
            for team_id in self._entries.keys() - team_ids:
                self._entries.pop(team_id, None)
            for school in self._schools.keys() - {team.school for team in teams}:
                self._schools.pop(school, None)
        except (MissingError, BusyError, DatabaseAwayError) as error:
            logger.debug("teams are not read ahead: %s", error)

    def _read(self, team_id: str, version: Version) -> TeamSnapshot:
        skills = read_skills(self._database)
        try:
            team = read_team(self._database, team_id)
            with self._database.reading() as connection:
                evidence = read_evidence(connection, team.members)
                practice = read_practice(connection, team)
            return TeamSnapshot(team, skills, version, self._read_school(team.school), evidence, practice)
        except MissingError:
            return TeamSnapshot(None, skills, version)

    def _read_school(self, school: str) -> frozenset[str]:
        """The students of a school, as one set for all of its teams."""
        students = students_of_schools(self._database, [school])
        known = self._schools.get(school)
        if known != students:
            self._schools[school] = known = students
        return known

    def _fetch(self, read: Callable[[], Value], find_last: Callable[[], Value | None]) -> Value:
        """What the database says, or what it said last while it is away."""
        if self._breaker.is_open and (last := find_last()) is not None:
            return last
        try:
            return read()
        except (MissingError, BusyError, DatabaseAwayError) as error:
            last = find_last()
            if last is None:
                raise
            self._breaker.trip()
            logger.warning("going on with the roster that was read last: %s", error)
            return last

    def _last(self, team_id: str) -> TeamSnapshot | None:
        entry = self._entries.get(team_id)
        if entry is None:
            return None
        return replace(entry.snapshot, stale_seconds=time.monotonic() - entry.confirmed_at)

    def _last_teams_of(self, student_id: str) -> tuple[TeamName, ...] | None:
        """The teams read last that have the student; None where none of them does."""
        teams = sorted(
            (entry.snapshot.team for entry in list(self._entries.values()) if entry.snapshot.team is not None),
            key=lambda team: team.team_id,
        )
        found = (TeamName(team.team_id, team.school, team.name) for team in teams if student_id in team.members)
        return tuple(found) or None


def _may_be_id(text: str) -> bool:
    """Whether a database can hold the text; some refuse even to compare with another."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)
