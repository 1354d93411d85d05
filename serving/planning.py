"""What a planner assumes until a team knows better, read from `planning.toml` beside this module."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from serving.grouping.policy import Effect, Modality, Role


@dataclass(frozen=True)
class NeedPolicy:
    """How need is reckoned where a forecast or the team's word is missing; all 0-1.

    Attributes:
        unknown: Need of a skill whose forecast is null.
        outside_focus: Weight of a skill outside the team's current unit.
        least_weight: Weight of a skill that few of the team practise.
        next_share: Share of the team that makes a skill one the team works on.
    """

    unknown: float
    outside_focus: float
    least_weight: float
    next_share: float


@dataclass(frozen=True)
class Planning:
    """Every assumption of the planner.

    Attributes:
        effects: Share of a need that a session meets, by kind and role.
        need: How need is reckoned.
        history_days: How far back past sessions count.
    """

    effects: tuple[Effect, ...]
    need: NeedPolicy
    history_days: int


@cache
def load_planning() -> Planning:
    """The assumptions as shipped.

    Example:
        >>> load_planning().history_days
        21
    """
    text = resources.files("serving").joinpath("planning.toml").read_text("utf-8")
    stored = tomllib.loads(text)
    thin = stored["effects_when_evidence_is_thin"]
    effects = tuple(
        Effect(Modality(modality), Role(role), effect, thin[modality])
        for modality, by_role in stored["effects"].items()
        for role, effect in by_role.items()
    )
    return Planning(effects, NeedPolicy(**stored["need"]), int(stored["history"]["days"]))
