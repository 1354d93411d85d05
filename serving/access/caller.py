"""The caller of a request, and what the caller may see and do."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class SchoolTeam(Protocol):
    """A team of a school, as much of it as says who may know of it."""

    @property
    def team_id(self) -> str:
        """Its id."""

    @property
    def school(self) -> str:
        """The name of its school."""


class Scope(StrEnum):
    """What a key may be used for; none of them includes another."""

    READ = "read"  # boards, profiles, plans, forecasts, models
    PLAN = "plan"  # suggest, evaluate and decide on plans, rank seats of a late student
    LOAD = "load"  # send events and rosters
    NAMES = "names"  # read display names, where the installation keeps them
    ADMIN = "admin"  # see who read and decided what
    BOARD = "board"  # sign in to the team's pages: see the day, change it and decide
    SIGN = "sign"  # as a team's leader: what is accepted counts, where the team asks for a signature


@dataclass(frozen=True, slots=True)
class Caller:
    """The holder of one API key.

    Attributes:
        key_id: The part of the key that identifies it; no secret.
        scopes: What the key may be used for.
        schools: The schools that the caller may know of; None for all.
        teams: The ids of the teams of these schools that the caller may know of; None for all.
        per_minute: Requests allowed in a minute; None for as many as the service allows any key.
        staff_id: The adult whose own key it is; None where it is of no certain one.
    """

    key_id: str
    scopes: frozenset[Scope]
    schools: frozenset[str] | None = None
    per_minute: int | None = None
    staff_id: str | None = None
    teams: frozenset[str] | None = None

    @property
    def sees_all(self) -> bool:
        """Whether the caller may know of everybody, students without a team and teams of before too."""
        return self.schools is None and self.teams is None

    def may_see(self, team: SchoolTeam) -> bool:
        """Whether the caller may know of a team.

        Example:
            >>> from features.roster import TeamName
            >>> Caller("k", frozenset(), teams=frozenset({"t1"})).may_see(TeamName("t2", "North"))
            False
        """
        of_school = self.schools is None or team.school in self.schools
        return of_school and (self.teams is None or team.team_id in self.teams)


ANYBODY = Caller("open", frozenset(Scope))
"""The caller of a service that was started without keys."""
