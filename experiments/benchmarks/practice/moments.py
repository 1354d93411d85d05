"""Mornings of students of a real log: what was known then, what the playlist would have offered, and what came next."""

import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.benchmarks.forecasts.data.splits import StudentSplit
from experiments.benchmarks.planner.days.schools import RUN, take_snapshot
from features.logs.rows import SKILL_MARK
from serving.models.forecasts import SkillForecast, forecast_students
from serving.settings import Settings
from training.data.labels import label_outcomes
from training.models.artifacts import write_model
from training.models.boosting import FORECASTS, train_model

NOW = pd.Timestamp("2013-01-07", tz="UTC")
"""The moment to which every morning is moved, so that one snapshot holds all: only time that passed since counts."""

LEAST_ANSWERS = 10
"""Answers before a morning from which on it counts."""


@dataclass(frozen=True)
class Morning:
    """The first answer of a student's day, and what came before.

    Attributes:
        student: Position of the student in the timeline.
        event: Position of the day's first answer in the timeline.
        last: The skill that was practiced last before.
        next: The skill of the day's first answer: what the product's own order gave, or the student or teacher chose.
        before: Skills by how often they were practiced before.
        recent: Skills that were practiced before, the latest first.
    """

    student: int
    event: int
    last: str
    next: str
    before: Mapping[str, int]
    recent: tuple[str, ...]

    @property
    def name(self) -> str:
        """An id of the student on this morning."""
        return f"{self.student}@{self.event}"


def list_mornings(split: StudentSplit, part: str) -> list[Morning]:
    """Every morning of the students of `train` or `test`, after the first answers of each."""
    timeline, nodes = split.timeline, split.statistics.vocabulary.nodes.to_numpy(dtype=object)
    day = timeline.time // (86_400 * 1_000_000)
    mornings = []
    inside = np.zeros(len(timeline.row), bool)
    inside[split.positions[part]] = True
    for student, (begin, end) in enumerate(zip(timeline.start[:-1], timeline.start[1:], strict=True)):
        if not inside[begin:end].any():
            continue
        before: Counter[str] = Counter()
        recent: dict[str, None] = {}
        for event in range(begin, end):
            skill = str(nodes[timeline.node[event]])
            if event - begin >= LEAST_ANSWERS and day[event] > day[event - 1] and skill and recent:
                order = tuple(reversed(recent))
                mornings.append(Morning(student, event, order[0], skill, dict(before), order))
            if skill:
                before[skill] += 1
                recent.pop(skill, None)
                recent[skill] = None
    return mornings


def draw_mornings(mornings: Sequence[Morning], most: int, seed: int) -> list[Morning]:
    """So many of the mornings, drawn at random."""
    if len(mornings) <= most:
        return list(mornings)
    drawn = np.random.default_rng(seed).choice(len(mornings), most, replace=False)
    return [mornings[at] for at in sorted(drawn.tolist())]


def train_on(split: StudentSplit, folder: Path) -> None:
    """Trains both models on the training students and writes their bundles into a folder."""
    for forecast in FORECASTS:
        block = (split.struggle if forecast.name == "struggle" else split.mastery)["train"]
        model = train_model(forecast, block, None, split.config.boosting)
        write_model(folder / forecast.name, model, split.statistics, split.config, {"run_id": RUN})


def forecast_mornings(
    split: StudentSplit, events: pd.DataFrame, item_skills: pd.DataFrame, mornings: Sequence[Morning], models: Path
) -> dict[str, list[SkillForecast]]:
    """What the service would have forecast on each morning, from the answers until then alone, by its name.

    Args:
        split: The students; nothing of those who are asked about was learned.
        events: The rows of `Events` that the split was made of.
        item_skills: Rows of `ItemSkills`.
        mornings: The mornings.
        models: The folder that `train_on` wrote.
    """
    timeline = split.timeline
    at = [np.arange(timeline.start[morning.student], morning.event) for morning in mornings]
    rows = events.iloc[timeline.row[np.concatenate(at)]].reset_index(drop=True)
    owner = np.repeat(np.arange(len(mornings)), [len(one) for one in at])
    moved = NOW.value // 1000 - timeline.time[[morning.event for morning in mornings]]
    names = np.array([morning.name for morning in mornings], object)
    rows["student_id"] = pd.array(names[owner], dtype=rows["student_id"].dtype)
    rows["event_id"] = pd.Series(np.arange(len(rows))).astype("str").astype(rows["event_id"].dtype)
    rows["occurred_at"] += pd.to_timedelta(moved[owner], unit="us")
    with tempfile.TemporaryDirectory(prefix="regroup-"):
        snapshot = take_snapshot(models, rows, item_skills, split.statistics, NOW.to_pydatetime())
    found: dict[str, list[SkillForecast]] = defaultdict(list)
    for forecast in forecast_students(snapshot, names.tolist(), Settings.model_fields["recent_days"].default):
        found[forecast.student].append(forecast)
    return found


def find_outcomes(split: StudentSplit, part: str) -> dict[int, dict[str, list[tuple[int, float]]]]:
    """The later attempts at which progress is known, by student and skill, in order of time.

    Each is the position of the attempt in the timeline, and whether the mastery rule was met within the horizon from
    it on: 1 or 0, or between them the chance where practice ended before either was seen.
    """
    timeline, vocabulary = split.timeline, split.statistics.vocabulary
    at = split.positions[part]
    at = at[label_outcomes(timeline, vocabulary, split.config.mastery_rule).open[at]]
    student, nodes = timeline.student[at], vocabulary.nodes.to_numpy(dtype=object)
    found: dict[int, dict[str, list[tuple[int, float]]]] = defaultdict(lambda: defaultdict(list))
    for event, owner, node, target in zip(
        at.tolist(), student.tolist(), timeline.node[at].tolist(), split.struggle[part].target.tolist(), strict=True
    ):
        for skill in str(nodes[node]).split(SKILL_MARK):
            found[owner][skill].append((event, 1.0 - target))
    return found
