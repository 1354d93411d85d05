"""Measures every night of a year with all students, by the functions that the product measures a night with.

The day's events are folded into the state of the night before, so that a year costs about two passes over its log.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.profiles.columns import OF_STUDENTS
from features.profiles.difficulty import Statistics
from features.profiles.fold import fold, read_skill_rows, read_student_rows
from features.profiles.kernel import Student
from features.profiles.state import State
from features.profiles.timeline import Timeline, sort_events
from training.data.splits import fold_of_students
from training.models.artifacts import StoredModel
from training.nightly.checks.bridge import measure_bridge
from training.nightly.checks.measures import (
    DAY,
    LATELY,
    OF_SKILLS,
    Answers,
    Figures,
    Measures,
    Sums,
    join_figures,
    measure_answers,
    measure_events,
)
from training.nightly.checks.night import count_days
from training.nightly.checks.school_days import count_students

logger = logging.getLogger("regroup")

BOTH = timedelta(days=7)
"""For so long the champion before is asked too: the first school night is among these, unless a break began."""

SCHOOLS = 10
"""Schools that students are hashed into."""

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Replayed:
    """One night as it was measured, with the answers that faults are planted into."""

    measures: Measures
    answers: Answers


@dataclass(frozen=True)
class Serving:
    """Models that serve from a moment on."""

    since: datetime
    run_id: str
    model: StoredModel


def name_schools(students: "pd.Index[str]") -> npt.NDArray[np.object_]:
    """The school of each student, by a hash of the id."""
    return np.array([f"school-{number}" for number in fold_of_students(students, SCHOOLS, "school")], dtype=object)


def replay_year(
    events: pd.DataFrame, item_skills: pd.DataFrame, serving: Sequence[Serving], end: datetime
) -> Iterator[Replayed]:
    """Measures each night from the first model on.

    Args:
        events: Rows of `Events`, all responses with a time.
        item_skills: Rows of `ItemSkills`.
        serving: The models, by the moment from which each serves.
        end: The last night, in UTC.
    """
    events = events.sort_values("occurred_at", kind="stable", ignore_index=True)
    items = pd.Index(events["item_id"].dropna().unique())
    times = events["occurred_at"].astype("datetime64[us, UTC]").to_numpy("datetime64[us]").astype(np.int64)
    changes = [each.since for each in serving[1:]] + [end + DAY]
    before: _Champion | None = None
    for each, until in zip(serving, changes, strict=True):
        now = _Champion(each, events, item_skills, items)
        now.folded.fold_until(_microseconds(each.since), rows=False)
        of_both: tuple[Figures, Figures] = {}, {}
        if before is not None:
            before.folded.fold_until(_microseconds(each.since), rows=False)
            of_both = before.measure_profiles(each.since), now.measure_profiles(each.since)
        moment = each.since + DAY
        while moment <= end and moment - DAY < until:
            begin, stop = np.searchsorted(times, [_microseconds(moment - DAY), _microseconds(moment)])
            first = np.searchsorted(times, _microseconds(moment - LATELY))
            if stop > begin:
                lately = events["occurred_at"].iloc[first:stop]
                if moment - each.since > BOTH:
                    before = None
                yield _measure(now, before, of_both, events.iloc[begin:stop], lately, moment)
                of_both = {}, {}
            moment += DAY
        before = now
        logger.info("replayed until %s", moment.date())


def _measure(
    champion: "_Champion",
    before: "_Champion | None",
    of_both: tuple[Figures, Figures],
    today: pd.DataFrame,
    lately: "pd.Series[pd.Timestamp]",
    moment: datetime,
) -> Replayed:
    """Measures a night; the profiles of both champions, of one moment, are measured already."""
    answers = champion.ask(moment)
    forecasts = measure_answers(answers)
    asked = measure_answers(before.ask(moment)) if before is not None else {}
    bridge = measure_bridge(join_figures(asked, of_both[0]), join_figures(forecasts, of_both[1]))
    folded = champion.folded
    of_today = champion.schools[folded.codes][
        pd.Index(folded.state.students).get_indexer(pd.Index(today["student_id"]))
    ]
    figures = join_figures(measure_events(today, of_today), forecasts, champion.measure_profiles(moment))
    students, days = count_students(today["student_id"], of_today), count_days(lately)
    return Replayed(Measures(moment, champion.run_id, students, {}, days, figures, {}, bridge), answers)


class _Champion:
    """Models that serve, and the state of the log by their statistics."""

    def __init__(
        self, serving: Serving, events: pd.DataFrame, item_skills: pd.DataFrame, items: "pd.Index[str]"
    ) -> None:
        known = serving.model.statistics.extend(item_skills, events["item_id"], events["skills"])
        timeline = sort_events(events, known)
        self.run_id = serving.run_id
        self.schools = name_schools(timeline.students)
        self.folded = _Folded(timeline, known)
        self._model = serving.model.model
        self._of_item = items.get_indexer(known.vocabulary.items)

    def ask(self, moment: datetime) -> Answers:
        """The answers until a moment that were not folded yet, beside the forecasts of them."""
        day, rows = self.folded.fold_until(_microseconds(moment), rows=True)
        known = self.folded.known
        asked = (day.correct >= 0) & (day.item >= 0)
        student = day.student[asked]
        return Answers(
            correct=day.correct[asked],
            forecast=self._model.predict(rows[asked]),
            student=student,
            item=self._of_item[day.item[asked]],  # the same whichever model serves
            known_item=known.item_responses[day.item[asked]] > 0,
            known_skill=known.node_responses[day.node[asked]] > 0,
            school=self.schools[self.folded.codes][student],
        )

    def measure_profiles(self, moment: datetime) -> Figures:
        """Measures the profiles of a moment, until which the log was folded."""
        known, state = self.folded.known, self.folded.state
        of_student = self.schools[self.folded.codes]
        sums, of_skills = Sums(OF_STUDENTS, moment), Sums(OF_SKILLS, moment)
        sums.add(read_student_rows(state, known, moment), state.student[:, Student.LAST_TIME], of_student)
        skills = read_skill_rows(state, known, moment)
        of_skills.add(skills.columns[:, len(OF_STUDENTS) :], skills.last_practiced, of_student[skills.student])
        return join_figures(sums.figures(), of_skills.figures())


class _Folded:
    """The state of a log, folded up to a moment that only moves on."""

    def __init__(self, timeline: Timeline, known: Statistics) -> None:
        self.known, self.state = known, State.empty()
        self.codes: Codes = np.empty(0, np.int64)
        self._timeline, self._student = timeline, timeline.student
        self._order = np.argsort(timeline.time, kind="stable")
        self._times = timeline.time[self._order]
        self._done = 0

    def fold_until(self, moment: int, *, rows: bool) -> tuple[Timeline, npt.NDArray[np.float32]]:
        """Folds the events before a moment; returns them and a row of columns before each, if wanted."""
        stop = int(np.searchsorted(self._times, moment))
        events = np.sort(self._order[self._done : stop])  # by student, then time, as the timeline is
        self._done = stop
        student = self._student[events]
        self.codes = np.concatenate([self.codes, np.setdiff1d(student, self.codes)])
        place = np.empty(len(self._timeline.students), np.int64)
        place[self.codes] = np.arange(len(self.codes))
        order = np.argsort(place[student], kind="stable")
        events, counts = events[order], np.bincount(place[student], minlength=len(self.codes))
        whole = self._timeline
        part = Timeline(
            students=whole.students[self.codes],
            start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            **{
                name: getattr(whole, name)[events]
                for name in ("row", "time", "item", "node", "correct", "hints", "duration")
            },
        )
        out, self.state = fold(part, self.known, self.state, rows=rows)
        return part, out


def _microseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1e6)


def find_breaks(students: "pd.Series[int]") -> list[tuple[datetime, datetime]]:
    """Runs of three or more weekdays with less than a tenth of the usual activity, as first and last day.

    Args:
        students: Students of every day of the year, by day, with zeros.
    """
    weekdays = students[pd.DatetimeIndex(students.index).weekday < 5]  # noqa: PLR2004 - Saturday
    quiet = weekdays < 0.1 * weekdays.quantile(0.75)
    runs = (quiet != quiet.shift()).cumsum()
    found = [part.index for _, part in quiet.groupby(runs) if part.iloc[0] and len(part) >= 3]  # noqa: PLR2004 - as above
    return [(part[0].to_pydatetime(), (part[-1] + timedelta(days=1)).to_pydatetime()) for part in found]
