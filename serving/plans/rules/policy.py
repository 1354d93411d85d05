"""What the planner assumes until a team knows better, read from `policy.toml` beside this module."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

from features.roster import Settings
from serving.grouping import Effect, SessionType, SizeBound, Weights


@dataclass(frozen=True)
class NeedPolicy:
    """How need is computed; all values 0-1 but days, attempts, `furthest_behind` and `waiting_more`.

    Attributes:
        check_in: Chance of not getting there alone that is assumed where no forecast is given.
        introduce: The same for a skill not begun.
        extend: The same for a skill in which the student is proficient, where no forecast is given.
        unsure: The same where one is given, times the chance of two wrong answers in a row.
        urgent_risk: Struggle risk from which a need is urgent, wherever and whenever it arose; a prerequisite with such
            a risk comes before what builds on it.
        urgent_review: How urgent a proficiency is that was lost at a lower risk, where 1 is as urgent as that risk.
        review_from: Mastery from which it is.
        review_until: Mastery from which it no longer is.
        urgent_from: How urgent a need is at least that a student waits with or is far behind with.
        furthest_behind: How many times more an urgent need counts for the student of a team who has most of them; half
            of it for one who has half as many.
        waiting_days: School days without a seat on any urgent need, after which it is a student's turn.
        waiting_more: How many urgent needs of others one then counts for on top, and again after as many days.
        often_tried: Where the team names no unit, attempts on a skill from which its need is as urgent as its risk.
        full_risk: The risk from which it is fully urgent then.
        fading_days: Days without practice in which half of a need is gone then.
        taught_lately: Share of a need that is left then after a session on it with an adult, until the student answers
            on the skill again.
        check_in_after_days: Days without practice after which a failure asks for a check-in first.
        long_ago: Share of its need that such a failure keeps.
        total_days: Days for which a total of another product counts.
        total_mastered: Share of a skill from which a total asks for nothing.
        total_weak: Share below which a total asks to reteach, where it is below it even with its uncertainty.
        goal_more: Share by which a need counts more where its skill is the student's own goal.
        outside_focus: Weight of a skill outside the team's current unit at no risk; it grows to 1 with the risk.
        least_weight: The same where the team names no unit.
        catch_up_share: Share of the members with evidence whose mastery makes a skill one to catch up on.
        next_share: Share of the team practicing a skill that makes it one the team works on.
    """

    check_in: float
    introduce: float
    extend: float
    unsure: float
    urgent_risk: float
    urgent_review: float
    review_from: float
    review_until: float
    urgent_from: float
    furthest_behind: float
    waiting_days: int
    waiting_more: float
    often_tried: int
    full_risk: float
    fading_days: float
    taught_lately: float
    check_in_after_days: int
    long_ago: float
    total_days: int
    total_mastered: float
    total_weak: float
    goal_more: float
    outside_focus: float
    least_weight: float
    catch_up_share: float
    next_share: float


@dataclass(frozen=True)
class PlannerPolicy:
    """Every assumption of the planner.

    Attributes:
        effects: Share of a need that a session meets, by session type and role of its lead.
        other_roles_as: The role whose effects apply to a role that the table does not have.
        need: How need is computed.
        weights: What one unit of each soft term is worth, in need points.
        sizes: Group sizes of each session type.
        watch_days: Days with nothing but intervention among past ones, from which a student is on the watch list.
        history_days: Days for which past sessions count.
        team: Choices that teams make otherwise in their `policy.toml`, beside weights and sizes.
    """

    effects: tuple[Effect, ...]
    other_roles_as: str
    need: NeedPolicy
    weights: Weights
    sizes: tuple[SizeBound, ...]
    watch_days: int
    history_days: int
    team: Settings

    def effects_for(self, roles: Iterable[str]) -> tuple[Effect, ...]:
        """The effects of the table, and of roles that it does not have.

        Example:
            >>> len(load_policy().effects_for(["reading coach"])) - len(load_policy().effects)
            3
        """
        unknown = sorted(set(roles) - {effect.role for effect in self.effects})
        like = [effect for effect in self.effects if effect.role == self.other_roles_as]
        return (*self.effects, *(replace(effect, role=role) for role in unknown for effect in like))


@cache
def load_policy() -> PlannerPolicy:
    """The assumptions as shipped, read once.

    Example:
        >>> load_policy().history_days
        21
    """
    text = resources.files("serving.plans.rules").joinpath("policy.toml").read_text("utf-8")
    stored = tomllib.loads(text)
    low_evidence = stored["effects_at_low_evidence"]
    effects = tuple(
        Effect(SessionType(session_type), role, effect, low_evidence[session_type])
        for session_type, by_role in stored["effects"].items()
        for role, effect in by_role.items()
    )
    return PlannerPolicy(
        effects=effects,
        other_roles_as=stored["roles"]["other"],
        need=NeedPolicy(**stored["need"]),
        weights=Weights(**stored["weights"]),
        sizes=tuple(SizeBound(SessionType(kind), **size) for kind, size in stored["sizes"].items()),
        watch_days=int(stored["watch"]["days"]),
        history_days=int(stored["history"]["days"]),
        team=stored["team"],
    )
