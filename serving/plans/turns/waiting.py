"""Who has waited for any time with an adult, so that it is due today."""

from datetime import date
from math import inf

from features.roster import Team


def find_adult_time_due(team: Team, today: date, days: int, history_days: int, most: float = inf) -> frozenset[str]:
    """The members who have to have adult time today, or they have none within so many school days.

    School days are those with sessions on record. Where fewer are on record than the promise spans, nobody is due yet.

    Args:
        team: Members and past sessions.
        today: The day that is planned.
        days: School days within which everybody should have had adult time.
        history_days: Days for which past sessions count.
        most: Students in a past session that counts, at most; the roster does not have its type.

    Example:
        With 2 days, whoever had no session with an adult on the last school day; with 1, everybody.
    """
    recent = [past for past in team.past_sessions if 0 < (today - past.date).days <= history_days]
    school_days = sorted({past.date for past in recent}, reverse=True)[: days - 1]
    if len(school_days) < days - 1:
        return frozenset()
    led = [past for past in recent if past.date in school_days and past.staff_id and len(past.students) <= most]
    return frozenset(team.members) - {student for past in led for student in past.students}
