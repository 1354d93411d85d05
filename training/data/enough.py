"""Whether a log can teach and judge a model, and how many more days or students it takes where it cannot."""

import math

import numpy as np

from features.profiles.kernel import NO_TIME
from features.profiles.timeline import Timeline
from training.config import Gate
from training.data.dataset import Dataset
from training.data.splits import DAY
from training.errors import DataGateError

FARTHEST = 10
"""How many times as much data as there is a forecast of what is missing reaches; beyond, it would be a guess."""


def require_enough(dataset: Dataset, gate: Gate) -> None:
    """Checks that there are students enough, and in every block episodes enough that ended in both ways.

    Raises:
        DataGateError: There are not; the message says what is missing in school days and in students.
    """
    students = len(dataset.timeline.students)
    if students < gate.min_students:
        raise DataGateError(
            f"{students} students are too few to train on; the gate asks for {gate.min_students}, "
            f"so that {gate.min_students - students} more are needed"
        )
    for name, block in dataset.struggle.items():
        least = gate.min_episodes if name == "train" else gate.min_later_episodes
        episodes = len(np.unique(block.episode))
        if episodes < least:
            raise DataGateError(
                f"the {name} block has {episodes} students on skills with a forecast due, and needs {least}: "
                f"{_say_missing(dataset.timeline, episodes, least)}"
            )
        if block.target.min() == block.target.max():
            raise DataGateError(f"all practice in the {name} block ended alike; it takes a longer log or more students")


def _say_missing(timeline: Timeline, episodes: int, least: int) -> str:
    """What is missing in school days or in students, if both go on as they did until now."""
    factor = least / max(episodes, 1) - 1
    if factor > FARTHEST:
        return f"more than {FARTHEST} times as much practice as there is, by more days or more students"
    days = len(np.unique(timeline.time[timeline.time != NO_TIME] // DAY))
    students = _count(factor * len(timeline.students), "more student")
    if days == 0:
        return f"it takes about {students}"
    return f"it takes about {_count(factor * days, 'more school day')}, or {students}"


def _count(number: float, noun: str) -> str:
    whole = max(1, math.ceil(number))
    return f"{whole} {noun}{'' if whole == 1 else 's'}"
