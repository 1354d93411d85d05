"""Whether a day was a school day with enough data, by school: by the calendar, and by who was there."""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd

from features.errors import MissingError
from features.roster import list_teams, read_team
from training.config import Checks
from training.nightly.checks.measures import ALL, Measures

SEASON = timedelta(days=98)
"""How far back school days are looked for. A school needs `min_nights` of them, two weeks', so a season without school
stays one for twelve weeks, longer than a summer; what is quiet for longer is the new usual."""

SCHOOL_DAYS = 20
"""School days, the last ones, that say what is usual: those of four weeks, so that it follows a term."""

USUAL_DAYS = timedelta(days=28)
"""How far back all days are looked at, with or without school, where there are too few school days."""

BUSY = 0.75
"""Quantile of the students of these days that is a usual school day: most of a week are, even around a break."""


class Roster:
    """Who belongs to which school, and on which days it is closed."""

    def __init__(self, url: str) -> None:
        """Reads what the roster says; without a roster nobody belongs to a school, and none is ever closed."""
        try:
            teams = [read_team(url, team.team_id) for team in list_teams(url)]
        except MissingError:
            teams = []
        self._teams = teams
        pairs = sorted({(student, team.school) for team in teams for student in team.members})
        self.school_of = dict(reversed(pairs))
        """The school of each student; the first by name, of a student in several."""

    def members(self, day: date) -> dict[str, int]:
        """How many students each school has on a day, all of them under `ALL`; empty without a roster."""
        found: dict[str, set[str]] = {}
        for team in self._teams:
            there = team.on(day).members
            found.setdefault(ALL, set()).update(there)
            found.setdefault(team.school, set()).update(there)
        return {school: len(students) for school, students in found.items()}

    def closed(self, day: date) -> frozenset[str]:
        """The schools without school on a day, `ALL` among them where none has."""
        by_school: dict[str, list[bool]] = {}
        for team in self._teams:
            by_school.setdefault(team.school, []).append(team.has_school(day))
        closed = {school for school, has_school in by_school.items() if not any(has_school)}
        return frozenset(closed | ({ALL} if closed and len(closed) == len(by_school) else set()))

    def schools(self, students: "pd.Series[str]") -> np.ndarray[tuple[int], np.dtype[np.object_]]:
        """The school of each student; empty where the roster has none."""
        codes, ids = pd.factorize(students)
        return np.array([self.school_of.get(student, ALL) for student in ids], dtype=object)[codes]


def count_students(students: "pd.Series[str]", schools: np.ndarray[tuple[int], np.dtype[np.object_]]) -> dict[str, int]:
    """How many students there are in each school, and in all.

    Example:
        >>> count_students(pd.Series(["a", "a", "b"]), np.array(["North", "North", ""], dtype=object))
        {'': 2, 'North': 1}
    """
    table = pd.DataFrame({"school": schools, "student": students.to_numpy()}).drop_duplicates()
    by_school = table["school"].value_counts()
    return {
        ALL: int(table["student"].nunique()),
        **{str(name): int(by_school[name]) for name in by_school.index if name},
    }


def explain_quiet_day(
    school: str, students: int, history: Sequence[Measures], tonight: Measures, closed: frozenset[str], checks: Checks
) -> str | None:
    """Why a school's day has not enough data to be looked at; null where it has.

    Args:
        school: The school, or `ALL`.
        students: How many of it answered on the day.
        history: Earlier nights.
        tonight: The night.
        closed: Schools without school on the day.
        checks: The limits.
    """
    if school in closed or ALL in closed:
        return "there was no school"
    if students < checks.min_students:
        return f"{students} students answered, and {checks.min_students} are needed"
    usual = find_usual(school, history, tonight, checks)
    if usual is not None and students < checks.min_activity * usual:
        return f"{students} students answered, of {usual:.0f} on a usual school day"
    return None


def find_usual(school: str, history: Sequence[Measures], tonight: Measures, checks: Checks) -> float | None:
    """How many students of a school answer on a usual school day; null without earlier nights.

    It is usual by the last days that were school days themselves, so that it does not sink with a summer. A new school,
    or one that was quiet for a whole season, has too few of them, and all of its last days count. Where the roster has
    lost students since, so has the usual day.

    Args:
        school: The school, or `ALL`.
        history: Earlier nights, the oldest first.
        tonight: The night.
        checks: The limits.
    """
    season = [night for night in history if tonight.moment - night.moment <= SEASON]
    days = [night for night in season if school in night.figures][-SCHOOL_DAYS:]
    if len(days) < checks.min_nights:
        days = [night for night in season if tonight.moment - night.moment <= USUAL_DAYS]
    there = [night.students.get(school, 0) * _share_left(school, night, tonight) for night in days]
    return float(np.quantile(there, BUSY)) if there else None


def _share_left(school: str, night: Measures, tonight: Measures) -> float:
    """The share of a school's roster on a night that is left tonight; 1 where there is no roster."""
    before = night.members.get(school, 0)
    return min(1.0, tonight.members.get(school, 0) / before) if before and tonight.members else 1.0
