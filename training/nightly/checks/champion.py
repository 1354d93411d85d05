"""What is measured of a champion: its forecasts of the day's answers, and the profiles that are published for it."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd

from features.bundle import MANIFEST
from features.errors import InputError
from features.home import Home
from features.profiles.columns import OF_STUDENTS
from features.profiles.fold import fold, read_skill_rows, read_student_rows
from features.profiles.kernel import Student
from features.profiles.state import State
from features.profiles.timeline import sort_events
from features.publications import moment_of, newest_publication, order_of, read_buckets
from training.models.artifacts import StoredModel
from training.nightly.checks.bridge import Bridge, find_compared, measure_bridge
from training.nightly.checks.measures import (
    DAY,
    OF_SKILLS,
    Answers,
    Figures,
    Measures,
    Sums,
    join_figures,
    measure_answers,
)
from training.nightly.checks.school_days import Roster

logger = logging.getLogger("regroup")


@dataclass(frozen=True)
class Champion:
    """The models that serve, and their run.

    Attributes:
        run_id: The run.
        models: By forecast.
        read_models: Those of a champion of before; None where they cannot be read.
    """

    run_id: str
    models: Mapping[str, StoredModel]
    read_models: Callable[[str], Mapping[str, StoredModel] | None] = lambda _: None


def measure_champion(
    home: Home,
    moment: datetime,
    champion: Champion,
    events: pd.DataFrame,
    item_skills: pd.DataFrame,
    roster: Roster,
    history: Sequence[Measures],
) -> tuple[Figures, Bridge]:
    """Measures the champion and, where another one served before, the bridge from that.

    Args:
        home: Whose published profiles are read.
        moment: The night's, in UTC.
        champion: Whose forecasts and profiles are measured.
        events: Rows of `Events` before the moment.
        item_skills: Rows of `ItemSkills`.
        roster: Who belongs to which school.
        history: Earlier nights, the oldest first.
    """
    forecasts = _measure_forecasts(champion.models["mastery"], events, item_skills, moment, roster)
    compared = find_compared(history)
    before = champion.read_models(compared) if forecasts and compared and compared != champion.run_id else None
    asked = _measure_forecasts(before["mastery"], events, item_skills, moment, roster) if before else {}
    of_both = _measure_both(home, history[-1].run_id, champion.run_id, roster) if history else ({}, {})
    bridge = measure_bridge(join_figures(asked, of_both[0]), join_figures(forecasts, of_both[1]))

    newest = newest_publication(home, champion.run_id)
    if newest is None or moment_of(newest.name) != moment.replace(microsecond=0):
        return forecasts, bridge  # newer profiles stand
    return join_figures(forecasts, measure_published(newest, roster)), bridge


def _measure_both(home: Home, before: str, after: str, roster: Roster) -> tuple[Figures, Figures]:
    """Measures the newest profiles that are published for two runs at one moment of one event log, if any are."""
    if before == after or not before:
        return {}, {}
    first, second = (
        {order_of(path.parent.name)[:3]: path.parent for path in (home.published / run).glob(f"[!.]*/{MANIFEST}")}
        for run in (before, after)
    )
    common = max((key for key in first.keys() & second.keys() if moment_of(first[key].name)), default=None)
    if common is None:
        return {}, {}
    try:
        return measure_published(first[common], roster), measure_published(second[common], roster)
    except InputError as error:
        logger.warning("columns of profiles have no limit for some nights, after a new champion: %s", error)
        return {}, {}


def _measure_forecasts(
    stored: StoredModel, events: pd.DataFrame, item_skills: pd.DataFrame, moment: datetime, roster: Roster
) -> Figures:
    """Measures a champion's forecasts of the day's first attempts, each from all that was known before it."""
    since = moment - DAY
    mine = events["student_id"].isin(events.loc[events["occurred_at"] >= since, "student_id"].unique())
    part = events[mine]
    if part.empty:
        return {}
    known = stored.statistics.extend(item_skills, part["item_id"], part["skills"])
    timeline = sort_events(part, known)
    rows, _ = fold(timeline, known, State.empty())
    chosen = (timeline.time >= int(since.timestamp() * 1e6)) & (timeline.correct >= 0) & (timeline.item >= 0)
    if not chosen.any():
        return {}
    student = timeline.student[chosen]
    return measure_answers(
        Answers(
            correct=timeline.correct[chosen],
            forecast=stored.model.predict(rows[chosen]),
            student=student,
            item=timeline.item[chosen],
            known_item=known.item_responses[timeline.item[chosen]] > 0,
            known_skill=known.node_responses[timeline.node[chosen]] > 0,
            school=roster.schools(pd.Series(timeline.students[student])),
        )
    )


def measure_published(folder: Path, roster: Roster) -> Figures:
    """Measures published profiles at their moment."""
    moment = moment_of(folder.name)
    assert moment is not None, "only profiles of a moment are measured"
    students, skills = Sums(OF_STUDENTS, moment), Sums(OF_SKILLS, moment)
    for part in read_buckets(folder, items=False):
        state = part.state
        schools = roster.schools(pd.Series(state.students, dtype="str"))
        of_students = read_student_rows(state, part.statistics, moment)
        students.add(of_students, state.student[:, Student.LAST_TIME], schools)
        rows = read_skill_rows(state, part.statistics, moment)
        skills.add(rows.columns[:, len(OF_STUDENTS) :], rows.last_practiced, schools[rows.student])
    return join_figures(students.figures(), skills.figures())
