"""What a planner assumes until a team knows better, read from `policy.toml` beside this module."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

from serving.grouping import Effect, SessionType


@dataclass(frozen=True)
class NeedPolicy:
    """How need is computed where a forecast or the team's word is missing; all 0-1.

    Attributes:
        unknown: Need of a skill whose forecast is null.
        outside_focus: Weight of a skill outside the team's current unit.
        least_weight: Weight of a skill that few of the team practise.
        catch_up_share: Share of the members with evidence whose mastery makes a skill one to catch up on.
        next_share: Share of the team that makes a skill one the team works on.
    """

    unknown: float
    outside_focus: float
    least_weight: float
    catch_up_share: float
    next_share: float


@dataclass(frozen=True)
class Planning:
    """Every assumption of the planner.

    Attributes:
        effects: Share of a need that a session meets, by kind and role.
        other_roles_as: The role whose effects a role of the school's own has.
        need: How need is computed.
        most_catch_up_days: Days in a row in groups on skills to catch up on, after which a day has none.
        coaching_per_week: Led sessions that a coach and who is coached share.
        history_days: How far back past sessions count.
    """

    effects: tuple[Effect, ...]
    other_roles_as: str
    need: NeedPolicy
    most_catch_up_days: int
    coaching_per_week: int
    history_days: int

    def effects_for(self, roles: Iterable[str]) -> tuple[Effect, ...]:
        """The effects of the table, and those of further roles.

        Example:
            >>> len(load_planning().effects_for(["reading coach"])) - len(load_planning().effects)
            3
        """
        known = {each.role for each in self.effects}
        like = [each for each in self.effects if each.role == self.other_roles_as]
        return (*self.effects, *(replace(each, role=role) for role in sorted(set(roles) - known) for each in like))


@cache
def load_planning() -> Planning:
    """The assumptions as shipped.

    Example:
        >>> load_planning().history_days
        21
    """
    text = resources.files("serving.plans").joinpath("policy.toml").read_text("utf-8")
    stored = tomllib.loads(text)
    low_evidence = stored["effects_at_low_evidence"]
    effects = tuple(
        Effect(SessionType(session_type), role, effect, low_evidence[session_type])
        for session_type, by_role in stored["effects"].items()
        for role, effect in by_role.items()
    )
    return Planning(
        effects=effects,
        other_roles_as=stored["roles"]["other"],
        need=NeedPolicy(**stored["need"]),
        most_catch_up_days=int(stored["catch_up"]["most_days"]),
        coaching_per_week=int(stored["coaching"]["per_week"]),
        history_days=int(stored["history"]["days"]),
    )
