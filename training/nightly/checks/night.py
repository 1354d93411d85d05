"""The checks of one night: what came in, what is published, and what the champion made of the newest answers."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
import pandas as pd

from features.home import Home
from training.config import Checks
from training.nightly.checks.bridge import Bridge, keep_bridge
from training.nightly.checks.champion import Champion, measure_champion
from training.nightly.checks.history import count_late, read_history, write_measures
from training.nightly.checks.limits import judge_figures
from training.nightly.checks.measures import ALL, DAY, LATELY, Figures, Measures, join_figures, measure_events
from training.nightly.checks.school_days import Roster, count_students, explain_quiet_day, find_usual
from training.nightly.checks.words import describe_judged, name_school
from training.nightly.findings import Finding


def check_night(
    home: Home,
    moment: datetime | None,
    champion: Champion | None,
    events: pd.DataFrame,
    item_skills: pd.DataFrame,
    checks: Checks,
) -> list[Finding]:
    """Checks a night, and keeps what was measured for the nights to come.

    Args:
        home: Whose roster, published profiles and earlier nights are read.
        moment: The night's, in UTC; None for a log without a clock, of which nothing can be said by night.
        champion: Whose profiles and forecasts are measured; None without one that can be read.
        events: Rows of `Events` before the moment.
        item_skills: Rows of `ItemSkills`.
        checks: The limits.
    """
    if moment is None:
        return [Finding("checks", "ok", "the log has no clock, so that its nights cannot be compared")]
    history, roster = read_history(home, moment), Roster(home.database_url())
    answers = events[(events["kind"] == "response") & (events["occurred_at"] >= moment - LATELY)]
    today = answers[answers["occurred_at"] >= moment - DAY]
    schools = roster.schools(today["student_id"])
    day = (moment - DAY / 2).date()
    figures, bridge = Figures(), Bridge()
    if champion is not None:
        figures, bridge = measure_champion(home, moment, champion, events, item_skills, roster, history)
    figures = join_figures(measure_events(today, schools), figures) if len(today) else {}
    tonight = Measures(
        moment=moment,
        run_id="" if champion is None else champion.run_id,
        students=count_students(today["student_id"], schools),
        members=roster.members(day),
        days=count_days(answers["occurred_at"]),
        figures=figures,
        beyond={},
        bridge=bridge,
    )
    findings, tonight = judge_night(history, tonight, roster.closed(day), checks)
    if not any(finding.level == "stop" for finding in findings):  # so that the roster compares with the last good one
        write_measures(home, tonight)
    future = float((today["occurred_at"] >= datetime.now(moment.tzinfo)).mean()) if len(today) else 0.0
    return [*findings, *_check_future(future, checks)]


def judge_night(
    history: Sequence[Measures], tonight: Measures, closed: frozenset[str], checks: Checks
) -> tuple[list[Finding], Measures]:
    """The findings about a night beside earlier ones, and the night as it is kept for those to come.

    Args:
        history: Earlier nights, the oldest first.
        tonight: The night with all its figures.
        closed: Schools without school on the day, `ALL` among them where none has.
        checks: The limits.
    """
    quiet = {
        school: why
        for school in tonight.figures.keys() | {ALL}
        if (why := explain_quiet_day(school, tonight.students.get(school, 0), history, tonight, closed, checks))
    }
    open_schools = {} if ALL in quiet else {s: named for s, named in tonight.figures.items() if s not in quiet}
    tonight = replace(tonight, figures=open_schools)
    tonight = replace(tonight, bridge=keep_bridge(history, tonight))
    judged = judge_figures(history, tonight, checks)
    tonight = replace(tonight, beyond={(each.school, each.name): each.beyond for each in judged if each.beyond})
    findings = [*_check_roster(history, tonight, checks), *_check_late(history, tonight, checks)]
    if ALL in quiet:
        said = f"not enough data on this day: {quiet[ALL]}"
        return [*findings, Finding("school day", "ok", said, float(tonight.students.get(ALL, 0)))], tonight
    return [*findings, *_find_silent(history, tonight, closed, checks), *describe_judged(judged)], tonight


def count_days(times: "pd.Series[pd.Timestamp]") -> dict[str, int]:
    """How many answers each day has, by ISO date in UTC.

    Example:
        >>> count_days(pd.Series(pd.to_datetime(["2026-03-09T10:00Z", "2026-03-09T11:00Z"])))
        {'2026-03-09': 2}
    """
    by_day = times.dt.strftime("%Y-%m-%d").value_counts()
    return {str(day): int(count) for day, count in sorted(by_day.items())}


def _check_roster(history: Sequence[Measures], tonight: Measures, checks: Checks) -> list[Finding]:
    """Compares the students of each school with those of the last night that had a roster."""
    before = next((night.members for night in reversed(history) if night.members), {})
    lost = {school: 1 - tonight.members.get(school, 0) / count for school, count in before.items() if count}
    if not lost:
        return []
    findings = [
        Finding(
            "roster",
            "stop",
            f"{name_school(school)}: {tonight.members.get(school, 0)} students are in the roster, and {before[school]} "
            "were the night before; no model was trained",
            share,
            checks.max_roster_loss,
            "load the whole roster and run the night again; if the students have really left, run it once with "
            "max_roster_loss = 1 below [checks] in the file of --config",
            school,
        )
        for school, share in sorted(lost.items())
        if share > checks.max_roster_loss and before[school] >= checks.min_students
    ]
    sentence = f"{tonight.members.get(ALL, 0)} students, {before.get(ALL, 0)} the night before"
    return findings or [Finding("roster", "ok", sentence, lost.get(ALL), checks.max_roster_loss)]


def _check_late(history: Sequence[Measures], tonight: Measures, checks: Checks) -> list[Finding]:
    """Compares what came of earlier days since the night before with a usual school day."""
    late = count_late(history, dict(tonight.days))
    if late is None or not tonight.days:
        return []
    share = late / float(np.quantile(list(tonight.days.values()), 0.75))
    if share <= checks.max_late:
        return [Finding("late data", "ok", f"{late} answers of earlier days came since", share, checks.max_late)]
    sentence = f"{late} answers of earlier days came since the night before, {share:.1f} usual school days"
    advice = "ask the source why they came late; profiles and forecasts of those days were without them"
    return [Finding("late data", "notice", sentence, share, checks.max_late, advice)]


def _find_silent(
    history: Sequence[Measures], tonight: Measures, closed: frozenset[str], checks: Checks
) -> list[Finding]:
    """Names the schools of which nothing came while others worked."""
    silent = [
        school
        for school in sorted({school for night in history for school in night.students})
        if school not in closed and not tonight.students.get(school) and find_usual(school, history, tonight, checks)
    ]
    advice = "put the day into no_school of its teams, or ask why its source sent nothing"
    return [
        Finding("school day", "notice", f"school {school}: nothing came while others worked", 0.0, None, advice, school)
        for school in silent
    ]


def _check_future(share: float, checks: Checks) -> list[Finding]:
    if share <= checks.max_future:
        return []
    advice = "look at the time zone in the mapping of the source, and at the clock of the product"
    sentence = f"{share:.0%} of the day's answers lie in the future"
    return [Finding("clock skew", "alarm", sentence, share, checks.max_future, advice)]
