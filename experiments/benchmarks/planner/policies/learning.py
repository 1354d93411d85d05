"""Students of a simulated school who learn from what is planned, and forecasts that follow what they answer.

The truth is the simulator's (`experiments.simulation.days`). Every morning the profiles are brought up to date with all
answers of the days before, by the same fold as live events of the service; models and difficulties of items stay those
of the first day.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time

import pandas as pd

from experiments.benchmarks.planner.days.run import HeldDay
from experiments.benchmarks.planner.days.schools import OpenSchool, forecast_team
from experiments.simulation.days import FollowingDays, Taught
from experiments.simulation.knowledge import Grid
from experiments.simulation.people import focus_of
from experiments.simulation.teaching import Level
from experiments.simulation.writing import to_events
from features.profiles.fold import build_profiles
from features.profiles.incremental import IncrementalState
from features.schema import list_events
from serving.models.forecasts import SkillForecast
from serving.models.live import restrict_snapshot

SOURCE = "following-days"


@dataclass(frozen=True)
class Lesson:
    """A student's place in a session that was held.

    Attributes:
        taught: What the student knew before and after, by the truth.
        risk: Struggle risk of the pair by the morning's forecasts; null where none is given, or for a new skill.
    """

    taught: Taught
    risk: float | None


class LearningLife:
    """The students of a school's planned team; see `experiments.benchmarks.planner.days.run.Life`.

    Args:
        school: The school on the morning of the first day.
        level: Which third of the published effects of teaching applies.

    Attributes:
        truth: What the students know.
        lessons: Places in sessions by day, in order.
    """

    def __init__(self, school: OpenSchool, level: Level) -> None:
        self._school = school
        number = int(school.team.team_id.removeprefix("t")) - 1
        self.truth = FollowingDays(school.simulated, number, level)
        self.lessons: list[tuple[Lesson, ...]] = []
        members = set(school.team.members)
        events = school.events[school.events["student_id"].isin(members)]
        statistics = school.statistics.extend(school.item_skills, school.events["item_id"], school.events["skills"])
        _, state = build_profiles(events, statistics, school.as_of)
        self._state = IncrementalState(
            state, statistics, lambda students: list_events(events[events["student_id"].isin(set(students))])
        )
        self._told = 0
        self._morning: dict[tuple[str, str], float | None] = {}

    def forecast(self, number: int, day: date) -> Sequence[SkillForecast]:  # noqa: ARG002 - the date says it
        """Returns the forecasts on the morning of a school day."""
        members = self._school.team.members
        moment = datetime.combine(day, time(), UTC)
        snapshot = restrict_snapshot(self._school.snapshot, self._state, members, moment)
        found = forecast_team(snapshot, self._school.team)
        self._morning = {(forecast.student, forecast.skill): forecast.struggle_risk for forecast in found}
        return found

    def school_on(self, day: date) -> OpenSchool:
        """Returns the school on the morning of a day: the unit has moved on, and the clock."""
        snapshot = replace(self._school.snapshot, data_as_of=datetime.combine(day, time(), UTC))
        focus = focus_of(self.truth.middle(day), self.truth.skill_ids)
        return replace(self._school, snapshot=snapshot, team=replace(self._school.team, focus=focus))

    def hold(self, held: HeldDay) -> None:
        """Lets the students live through a day that was planned."""
        problem = held.stated.problem
        blocks = {block.id: at for at, block in enumerate(problem.blocks)}
        roles = {adult.id: adult.role for adult in problem.adults}
        absent = {student.id for student in problem.students if not student.blocks}
        lived = self.truth.hold(held.stated.day, held.sessions, blocks, roles, absent)
        self._state.add(list_events(self._as_events(lived.events)))
        self.lessons.append(
            tuple(Lesson(taught, self._morning.get((taught.student, taught.skill))) for taught in lived.taught)
        )

    def known(self, day: date) -> Grid:
        """Returns logits above difficulty on a morning, by student and skill."""
        return self.truth.known(day)

    def _as_events(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Returns rows of `School.events` as the event log holds them."""
        first, self._told = self._told, self._told + len(rows)
        return to_events(rows, SOURCE, first)
