"""What the checks of a night found: one finding for each thing that was looked at, as plain values."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "notice", "alarm", "stop"]

LEVELS: tuple[Level, ...] = ("ok", "notice", "alarm", "stop")
"""From the least to the gravest: nothing to do, worth a look, look at it today, no model was trained."""


@dataclass(frozen=True)
class Finding:
    """What one check says of one night; it names no student.

    Attributes:
        name: The check, such as `volume`, or `drift of skill_ability`.
        level: One of `LEVELS`.
        sentence: What was found, in one sentence that can be read alone.
        figure: The figure that was looked at; null where there was not enough data for one.
        limit: The limit of the figure; null where there is none.
        advice: What to do about it; empty at the level `ok`.
        school: The school that it is about; empty for all schools together.
    """

    name: str
    level: Level
    sentence: str
    figure: float | None = None
    limit: float | None = None
    advice: str = ""
    school: str = ""


def gravest(findings: Iterable[Finding]) -> Level:
    """The gravest level among the findings; `ok` without any.

    Example:
        >>> gravest([Finding("volume", "notice", "few came"), Finding("schema", "ok", "as ever")])
        'notice'
    """
    return max((finding.level for finding in findings), key=LEVELS.index, default="ok")
