"""What is known on each morning: forecasts of models trained on days before the first, and plain facts of answers."""

import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.benchmarks.planner.days.schools import forecast_team, take_snapshot, write_models
from features.console import track
from features.roster import Team
from serving.models.forecasts import SkillForecast
from serving.settings import Settings
from training.config import TrainingConfig

RECENT_DAYS: int = Settings.model_fields["recent_days"].default
"""Days for which practice counts as recent, as in the service."""

Pair = tuple[str, str]
"""A student and a skill."""


@dataclass(frozen=True)
class Fact:
    """The answers of a student on a skill so far, as a school sees them without forecasts.

    Attributes:
        answers: First attempts, oldest first.
        last_score: Share that was right on the last day of practice, 0-1.
    """

    answers: tuple[bool, ...]
    last_score: float

    @property
    def wrong_in_a_row(self) -> int:
        """How many of the last answers were wrong, without a right one between.

        Example:
            >>> Fact((True, False, False), 0.0).wrong_in_a_row
            2
        """
        return next((at for at, right in enumerate(reversed(self.answers)) if right), len(self.answers))

    @property
    def wrong(self) -> int:
        """How many answers were wrong."""
        return len(self.answers) - sum(self.answers)


@dataclass(frozen=True)
class Morning:
    """What is known of a team on a morning.

    Attributes:
        moment: Midnight before the day, UTC as the log has it.
        forecasts: By models that have seen no answer since the first day.
        facts: Of skills practiced in the last `RECENT_DAYS`.
    """

    moment: pd.Timestamp
    forecasts: Sequence[SkillForecast]
    facts: Mapping[Pair, Fact]


def list_school_days(events: pd.DataFrame, first: pd.Timestamp, count: int) -> list[pd.Timestamp]:
    """Returns so many weekdays from the first on, without those on which hardly anybody of the log practiced."""
    students = events.groupby(events["occurred_at"].dt.floor("D"))["student_id"].nunique()
    days = pd.DatetimeIndex(students.index)
    weekday = days.day_of_week < 5  # noqa: PLR2004 - Saturday
    at_school = weekday & (students >= 0.1 * students[weekday].quantile(0.75)).to_numpy()
    return list(days[at_school & (days >= first)][:count])


def know_mornings(
    events: pd.DataFrame,
    item_skills: pd.DataFrame,
    teams: Sequence[Team],
    days: Sequence[pd.Timestamp],
    students: int,
    config: TrainingConfig,
) -> list[list[Morning]]:
    """Returns what is known of each team on each morning.

    Args:
        events: Rows of `Events`.
        item_skills: Rows of `ItemSkills`.
        teams: The teams.
        days: The days to plan, in order.
        students: How many are learned from at most, drawn at random.
        config: Choices of the training.
    """
    earlier = events[events["occurred_at"] < days[0]]
    ids = np.sort(earlier["student_id"].unique())
    chosen = np.random.default_rng(config.boosting.seed).permutation(ids)[:students]
    learned = earlier[earlier["student_id"].isin(chosen)].reset_index(drop=True)
    members = {student for team in teams for student in team.members}
    theirs = events[events["student_id"].isin(members)].reset_index(drop=True)
    mornings: list[list[Morning]] = [[] for _ in teams]
    with tempfile.TemporaryDirectory(prefix="regroup-") as place:
        statistics = write_models(Path(place), learned, item_skills, config)
        for day in track(days, "mornings", total=len(days)):
            before = theirs[theirs["occurred_at"] < day].reset_index(drop=True)
            snapshot = take_snapshot(Path(place), before, item_skills, statistics, day.to_pydatetime())
            facts = find_facts(before, day)
            for team, found in zip(teams, mornings, strict=True):
                inside = set(team.members)
                own = {pair: fact for pair, fact in facts.items() if pair[0] in inside}
                found.append(Morning(day, forecast_team(snapshot, team), own))
    return mornings


def find_facts(events: pd.DataFrame, moment: pd.Timestamp) -> dict[Pair, Fact]:
    """Returns the facts of every student and skill practiced in the last `RECENT_DAYS` before a moment.

    Args:
        events: Rows of `Events` before the moment, each on one skill, by student and time.
        moment: UTC.
    """
    answers: dict[Pair, list[tuple[pd.Timestamp, bool]]] = defaultdict(list)
    times, right = events["occurred_at"].tolist(), events["correct"].tolist()
    for student, skill, time, correct in zip(events["student_id"], events["skills"], times, right, strict=True):
        answers[student, skill].append((time, correct))
    since, facts = moment - pd.Timedelta(days=RECENT_DAYS), {}
    for pair, given in answers.items():
        last = given[-1][0]
        if last >= since:
            of_the_day = [correct for time, correct in given if time.date() == last.date()]
            facts[pair] = Fact(tuple(correct for _, correct in given), sum(of_the_day) / len(of_the_day))
    return facts
