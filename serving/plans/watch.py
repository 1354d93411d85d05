"""Who for weeks has been in nothing but intervention groups: a list for people to look at, which bars nobody."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from features.roster import Team
from serving.plans.need.needs import Candidate
from serving.plans.rules.policy import PlannerPolicy


def watch_intervention(
    team: Team, candidates: Sequence[Candidate], policy: PlannerPolicy, until: date | None = None
) -> dict[str, int]:
    """The days that students spent with an adult lately, for those who spent all of them in intervention.

    The roster does not have which skills were to be caught up on then, so that today's count.

    Args:
        team: Members and past sessions.
        candidates: The team's needs, which say what is to be caught up on.
        policy: How far back past sessions count, and from how many days on they are told.
        until: The day that is planned; null: the day after the last session on record.

    Returns:
        The number of days by student; members with a session on anything else, or with fewer days, are left out.
    """
    led = [past for past in team.past_sessions if past.staff_id is not None]
    if not led:
        return {}
    end = max(past.date for past in led).toordinal() + 1 if until is None else until.toordinal()
    recent = [past for past in led if 0 < end - past.date.toordinal() <= policy.history_days]
    catch_up = {candidate.need.skill for candidate in candidates if candidate.catch_up}
    days: dict[str, set[date]] = defaultdict(set)
    others: set[str] = set()
    for past in recent:
        for student in past.students:
            days[student].add(past.date)
        if past.skill_id not in catch_up:
            others.update(past.students)
    return {
        student: len(days[student])
        for student in team.members
        if student not in others and len(days[student]) >= policy.watch_days
    }
