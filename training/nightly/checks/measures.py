"""What is measured of one night: figures of each school and of all together, without an id.

| figure | of | value |
|---|---|---|
| `volume` | the day's answers | logarithm of their number |
| `duplicates` | the day's answers | share that repeats another one of the student within a minute |
| `clock` | the day's answers | mean hour of the day, UTC, on the circle of 24 |
| `filled COLUMN` | the day's answers | share in which the column says something |
| `unknown_items`, `unknown_skills` | the day's first attempts | share on which the champion has learned nothing |
| `base_rate` | the day's first attempts | share right minus the mean forecast |
| `forecast` | the day's first attempts | mean forecast |
| `champion_loss` | the day's first attempts | log-loss minus what it would be were the forecasts right |
| `champion_ranking` | the day's first attempts | AUC |
| `column NAME` | the published profiles | mean of a column of students, or of skills, practiced lately |

Columns that run with the calendar are measured where the day's practice has set them, since a break moves all others.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.profiles.columns import OF_STUDENTS, REGISTRY
from features.profiles.kernel import COLUMNS
from training.evaluation.metrics import area_under_curve, log_losses

DAY, LATELY = timedelta(days=1), timedelta(days=28)
"""What counts as the night's own, and as practiced lately."""

ALL = ""
"""Stands for all schools together; no school has this name."""

COLUMN = "column "
"""What the names of figures of profiles begin with."""

BY_CALENDAR = frozenset(column.name for column in REGISTRY if column.unit == "days" or column.name.endswith("_7d"))
"""Columns that change while nobody practices."""

LEFT_OUT = frozenset({"session_responses"})
"""Columns that stand still at night, when every session has ended."""

FILLED = ("duration_s", "hints", "attempt", "skills")
"""Columns of events that a source may leave empty, and should not begin or cease to."""

SHARED_ITEM, SHARED_NEW_ITEM, SHARED_STUDENT = 0.05, 0.20, 0.10
"""How much answers to one item, to one that the champion does not know, and of one student resemble each other, beyond
what is forecast: correlations, chosen on the first third of the 2012 log."""

OF_SKILLS = COLUMNS[len(OF_STUDENTS) :]
"""Columns of profiles of skills that are not the student's."""

Texts = npt.NDArray[np.object_]
Codes = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]
Marks = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Figure:
    """One figure of one night.

    Attributes:
        value: The figure.
        spread: Standard deviation of the single values where it is their mean and has no natural unit, else 1. A
            difference of two nights in this unit is an effect size.
    """

    value: float
    spread: float = 1.0


Figures = dict[str, dict[str, Figure]]
"""Figures by school, `ALL` among them, and by name."""


@dataclass(frozen=True)
class Measures:
    """What is kept of one night; it names no student.

    Attributes:
        moment: The moment of the night, in UTC.
        run_id: The run of the champion whose profiles and forecasts were measured.
        students: Students who answered on the day, by school.
        members: Students of the roster, by school; empty without a roster.
        days: Answers of each of the last days, as they were known at night, by ISO date.
        figures: By school and name; none of a school with too few students on the day.
        beyond: Figures beyond their limits, by school and name: 1 if too high, -1 if too low.
        bridge: By how much figures are higher than those of the nights before only because another champion serves, by
            school and name; of forecasts on the first school night of the champion, of columns on the first of all.
    """

    moment: datetime
    run_id: str
    students: Mapping[str, int]
    members: Mapping[str, int]
    days: Mapping[str, int]
    figures: Mapping[str, Mapping[str, Figure]]
    beyond: Mapping[tuple[str, str], int]
    bridge: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def measure_events(events: pd.DataFrame, schools: Texts) -> Figures:
    """Measures the day's answers.

    Args:
        events: Rows of `Events` that are responses, of one day.
        schools: The school of each row; empty where none is known.
    """
    hour = events["occurred_at"].dt
    angle = (hour.hour + hour.minute / 60).to_numpy(dtype=np.float64) * (2 * np.pi / 24)
    repeated = _mark_duplicates(events)
    filled = {name: events[name].notna().to_numpy() for name in FILLED}
    found: Figures = {}
    for school, mine in _each(schools):
        mean = np.arctan2(np.sin(angle[mine]).mean(), np.cos(angle[mine]).mean()) * (24 / (2 * np.pi))
        shares = {"duplicates": repeated, **{f"filled {name}": marks for name, marks in filled.items()}}
        found[school] = {
            "volume": Figure(float(np.log(mine.sum()))),
            "clock": Figure(float(mean % 24)),
            **{name: Figure(float(marks[mine].mean())) for name, marks in shares.items()},
        }
    return found


@dataclass(frozen=True)
class Answers:
    """The day's first attempts beside the champion's forecasts of them; each array has one entry per answer.

    Attributes:
        correct: 1 or 0.
        forecast: The chance of a correct answer that the champion gave before it.
        student: Any code of the student.
        item: Any code of the item.
        known_item: Whether the champion has learned from answers to the item.
        known_skill: Whether it has learned from answers on the skill.
        school: The school; empty where none is known.
    """

    correct: npt.NDArray[np.int8]
    forecast: Floats
    student: Codes
    item: Codes
    known_item: Marks
    known_skill: Marks
    school: Texts


def measure_answers(answers: Answers) -> Figures:
    """Measures the day's first attempts beside the champion's forecasts.

    In the base rate and the loss, answers of one student and to one item count the less the more of them there are, so
    that a class with a new and hard exercise is no change of the base rate (design effect, Kish 1965).
    """
    chance = answers.forecast
    surprise = answers.correct - chance
    loss = log_losses(answers.correct.astype(np.float64), chance) - log_losses(chance, chance)
    found: Figures = {}
    for school, mine in _each(answers.school):
        alike = np.where(answers.known_item[mine], SHARED_ITEM, SHARED_NEW_ITEM) * (_counts(answers.item[mine]) - 1)
        weight = 1 / (1 + alike + SHARED_STUDENT * (_counts(answers.student[mine]) - 1))
        right = answers.correct[mine].astype(np.float64)
        found[school] = {
            "base_rate": Figure(float(np.average(surprise[mine], weights=weight))),
            "forecast": Figure(float(chance[mine].mean()), max(float(chance[mine].std()), 1e-3)),
            "champion_loss": Figure(float(np.average(loss[mine], weights=weight))),
            "unknown_items": Figure(float(1 - answers.known_item[mine].mean())),
            "unknown_skills": Figure(float(1 - answers.known_skill[mine].mean())),
        }
        if 0 < right.sum() < len(right):
            found[school]["champion_ranking"] = Figure(area_under_curve(right, chance[mine]))
    return found


class Sums:
    """What the figures of some columns of profiles are made of, added up part by part, such as by student bucket.

    Attributes:
        names: The columns.
    """

    def __init__(self, names: Sequence[str], moment: datetime) -> None:
        """Begins with no row; `moment` is that of the profiles, in UTC."""
        self.names = tuple(names)
        self._now = moment.timestamp() * 1e6
        self._by_calendar = np.array([name in BY_CALENDAR for name in names])
        self._sums: dict[str, Floats] = {}

    def add(self, rows: npt.NDArray[np.floating], last: Floats, schools: Texts) -> None:
        """Adds profiles.

        Args:
            rows: One row per profile, with the columns.
            last: When each was last active or practiced, in microseconds since 1970, UTC.
            schools: The school of each profile's student.
        """
        lately = np.flatnonzero(last >= self._now - LATELY / timedelta(microseconds=1))
        if len(lately) == 0:
            return
        found_in, school = np.unique(schools[lately].astype(str), return_inverse=True)
        lately = lately[np.argsort(school, kind="stable")]
        begins = np.concatenate([[0], np.cumsum(np.bincount(school))[:-1]])
        value = rows[lately].astype(np.float64)
        there = ~np.isnan(value)
        value[~there] = 0.0
        today = (last[lately] >= self._now - DAY / timedelta(microseconds=1))[:, None]
        parts = (there, value, value**2, there & today, value * today)
        sums = np.stack([np.add.reduceat(part.astype(np.float64), begins, axis=0) for part in parts], axis=1)
        for name, added in zip(found_in, sums, strict=True):
            self._sums[str(name)] = self._sums.get(str(name), 0.0) + added

    def figures(self) -> Figures:
        """The mean of each column; of those that run with the calendar, over what the day's practice has set."""
        if not self._sums:
            return {}
        whole = np.sum(list(self._sums.values()), axis=0)
        schools = {name: sums for name, sums in sorted(self._sums.items()) if name != ALL}
        told = {ALL: whole} | (schools if len(schools) > 1 else {})  # one school is all
        return {name: self._of_school(sums) for name, sums in told.items()}

    def _of_school(self, sums: Floats) -> dict[str, Figure]:
        count, total, squares, count_today, total_today = sums
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = np.sqrt(np.maximum(squares / count - (total / count) ** 2, 0.0))
            mean = np.where(self._by_calendar, total_today / count_today, total / count)
        return {
            COLUMN + name: Figure(float(mean[at]), float(spread[at]))
            for at, name in enumerate(self.names)
            if np.isfinite(mean[at]) and spread[at] > 0 and name not in LEFT_OUT
        }


def join_figures(*parts: Mapping[str, Mapping[str, Figure]]) -> Figures:
    """The figures of several parts of one night; of a school that one of them lacks, those of the others."""
    schools = {school for part in parts for school in part}
    return {school: {name: kept for part in parts for name, kept in part.get(school, {}).items()} for school in schools}


def _each(schools: Texts) -> Iterator[tuple[str, Marks]]:
    """All rows, and those of each school where there are several."""
    yield ALL, np.ones(len(schools), bool)
    names = sorted(set(schools) - {ALL})
    for name in names if len(names) > 1 else ():
        yield name, schools == name


def _counts(codes: Codes) -> npt.NDArray[np.int64]:
    """How many entries have the code of each."""
    _, place, counts = np.unique(codes, return_inverse=True, return_counts=True)
    return counts[place]


def _mark_duplicates(events: pd.DataFrame) -> Marks:
    """Marks answers that repeat the one before of the same student, item, attempt and score within a minute."""
    keys = ["student_id", "item_id", "attempt", "score", "occurred_at"]
    ordered = events[keys].fillna({"attempt": 1}).reset_index(drop=True).sort_values(keys, kind="stable")
    same = (ordered[keys[:-1]] == ordered[keys[:-1]].shift()).all(axis=1)
    near = ordered["occurred_at"].diff() < pd.Timedelta(minutes=1)
    marks = np.zeros(len(events), bool)
    marks[ordered.index.to_numpy()] = (same & near).to_numpy(dtype=bool)
    return marks
