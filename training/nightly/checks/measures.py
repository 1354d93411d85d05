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

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
    """

    moment: datetime
    run_id: str
    students: Mapping[str, int]
    members: Mapping[str, int]
    days: Mapping[str, int]
    figures: Mapping[str, Mapping[str, Figure]]
    beyond: Mapping[tuple[str, str], int]


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


def measure_students(rows: npt.NDArray[np.floating], last: Floats, moment: datetime, schools: Texts) -> Figures:
    """Measures the published profiles of students.

    Args:
        rows: One row per student with the columns `features.profiles.columns.OF_STUDENTS`.
        last: When each was last active, in microseconds since 1970, UTC.
        moment: The moment of the profiles.
        schools: The school of each student.
    """
    return _measure_columns(rows, OF_STUDENTS, last, moment, schools)


def measure_skills(rows: npt.NDArray[np.floating], last: Floats, moment: datetime, schools: Texts) -> Figures:
    """Measures the published profiles of skills, by the columns that are not the student's; the arguments as above.

    Args:
        rows: One row per student and skill with the columns `features.profiles.kernel.COLUMNS`.
        last: When each was last practiced.
        moment: As above.
        schools: As above.
    """
    first = len(OF_STUDENTS)
    return _measure_columns(rows[:, first:], COLUMNS[first:], last, moment, schools)


def join_figures(*parts: Mapping[str, Mapping[str, Figure]]) -> Figures:
    """The figures of several parts of one night; of a school that one of them lacks, those of the others."""
    schools = {school for part in parts for school in part}
    return {school: {name: kept for part in parts for name, kept in part.get(school, {}).items()} for school in schools}


def _measure_columns(
    rows: npt.NDArray[np.floating], names: tuple[str, ...], last: Floats, moment: datetime, schools: Texts
) -> Figures:
    now = moment.timestamp() * 1e6
    lately = np.flatnonzero(last >= now - LATELY / timedelta(microseconds=1))
    if len(lately) == 0:
        return {}
    found_in, school = np.unique(schools[lately].astype(str), return_inverse=True)
    lately = lately[np.argsort(school, kind="stable")]
    begins = np.concatenate([[0], np.cumsum(np.bincount(school))[:-1]])

    def add_up(values: Floats) -> Floats:
        of_schools = np.add.reduceat(values, begins, axis=0)
        return np.concatenate([of_schools.sum(0, keepdims=True), of_schools])

    value = rows[lately].astype(np.float64)
    there = ~np.isnan(value)
    value[~there] = 0.0
    today = (last[lately] >= now - DAY / timedelta(microseconds=1))[:, None]
    by_calendar = np.array([name in BY_CALENDAR for name in names])
    count, total, squares = add_up(there.astype(np.float64)), add_up(value), add_up(value**2)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.sqrt(np.maximum(squares / count - (total / count) ** 2, 0.0))
        of_today = add_up(value * today) / add_up((there & today).astype(np.float64))
        mean = np.where(by_calendar, of_today, total / count)
    kept = np.isfinite(mean) & (spread > 0) & np.array([name not in LEFT_OUT for name in names])
    units = [(ALL, 0), *((str(name), at) for at, name in enumerate(found_in, 1) if name != ALL)]
    return {
        unit: {
            COLUMN + name: Figure(float(mean[row, at]), float(spread[row, at]))
            for at, name in enumerate(names)
            if kept[row, at]
        }
        for unit, row in (units if len(units) > 2 else units[:1])  # noqa: PLR2004 - all, and one school that is all
    }


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
