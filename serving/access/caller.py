"""The caller of a request, and what the caller may see and do."""

from dataclasses import dataclass
from enum import StrEnum


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
        schools: The schools that the caller may know of; None for all, and for students without a team too.
        per_minute: Requests allowed in a minute; None for as many as the service allows any key.
        staff_id: The adult whose own key it is; None where it is of no certain one.
    """

    key_id: str
    scopes: frozenset[Scope]
    schools: frozenset[str] | None = None
    per_minute: int | None = None
    staff_id: str | None = None

    def may_see(self, school: str | None) -> bool:
        """Whether the caller may know of a school; None stands for students and teams without a known school.

        Example:
            >>> Caller("k", frozenset(), frozenset({"North"})).may_see(None)
            False
        """
        return self.schools is None or school in self.schools


ANYBODY = Caller("open", frozenset(Scope))
"""The caller of a service that was started without keys."""
