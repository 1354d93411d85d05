"""What a team does around its plans that plans have to know, read at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection

from features.events.evidence import Of
from features.roster import Team
from serving.store.practice.goals import list_goals
from serving.store.practice.growth import Timeline, read_timelines
from serving.store.practice.relationships import Mark, read_marks
from serving.store.practice.wishes import StoredWish, list_wishes


@dataclass(frozen=True)
class Practice:
    """What plans know of a team beside its roster.

    Attributes:
        goals: Members with the skills that are their open goals.
        timelines: Stages of growth of adults who have any, by the adult's id.
        marks: Members, each with an adult who says to know the student.
        wishes: Open wishes of members.
    """

    goals: frozenset[Of] = frozenset()
    timelines: Mapping[str, Timeline] = field(default_factory=dict)
    marks: frozenset[Mark] = frozenset()
    wishes: tuple[StoredWish, ...] = ()


NO_PRACTICE = Practice()


def read_practice(connection: Connection, team: Team) -> Practice:
    """What is known of a team at this moment."""
    today = date.today()  # noqa: DTZ011 - the school's own day
    goals = list_goals(connection, team.members)
    return Practice(
        goals=frozenset((goal.student_id, goal.skill_id) for goal in goals if goal.skill_id and goal.is_open(today)),
        timelines=read_timelines(connection, team.team_id),
        marks=read_marks(connection, team.members),
        wishes=tuple(wish for wish in list_wishes(connection, team.members) if wish.is_open(today)),
    )
