"""Which days a request asks for, and the cycle that they are of."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from features.database import Database
from features.roster import Team
from features.roster.records import WEEKDAYS
from serving.access.caller import Caller
from serving.errors import RequestError
from serving.plans.cycles.cycle import Grouping, list_school_days, read_grouping
from serving.plans.stored_plan import open_day
from serving.schemas.recommendations import (
    MOST_CYCLE_DAYS,
    CycleDayOut,
    CycleOut,
    RecommendationOut,
    RecommendationRequest,
)
from serving.store.recommendations import PlanQuery, PlanRow, find_recommendation, list_plans

MOST_PLANS = 1000
"""Plans of one cycle that are looked at, the newest first."""


@dataclass(frozen=True)
class RequestedDays:
    """The days that a request asks for.

    Attributes:
        days: In order; one, unless a cycle begins.
        cycle: Id of their cycle; null for a day by itself.
        grouping: What the cycle began with; null where it begins, and without one.
        planned: Ids of the current plans of the cycle's days so far.
    """

    days: tuple[date, ...]
    cycle: str | None = None
    grouping: Grouping | None = None
    planned: Mapping[date, str] = field(default_factory=dict)

    def name_cycle(self, answers: Sequence[RecommendationOut]) -> CycleOut | None:
        """The cycle with the plans made now; null without one."""
        if self.cycle is None:
            return None
        plans = {**self.planned, **{answer.date: answer.id for answer in answers}}
        days = [CycleDayOut(date=day, recommendation_id=plan) for day, plan in sorted(plans.items())]
        return CycleOut(id=self.cycle, days=days)


def find_days(
    database: Database, caller: Caller, team: Team, body: RecommendationRequest, regroup: str | int
) -> RequestedDays:
    """The days that a body asks for.

    Where it says nothing of cycles, the team's rhythm decides: a day in a cycle that goes on continues it, and any
    other begins one.

    Args:
        database: The service's database.
        caller: Who asks.
        team: The team.
        body: What is asked for.
        regroup: The team's rhythm: `daily`, `weekly`, or the number of school days for which a grouping holds.

    Raises:
        RequestError: There is no such cycle of the team, or the date is none of its days.
        ConflictError: The first day of the cycle was stored by a version that did not store days.
    """
    cycle = body.continue_cycle
    if cycle is not None:
        return _continue(database, caller, body, cycle)
    if body.previous is not None:
        earlier = find_recommendation(database, body.previous)
        if earlier is None or earlier.answer.cycle is None:
            return RequestedDays((body.date,))
        cycle = earlier.answer.cycle.id
        return RequestedDays((body.date,), cycle, None, list_current(database, body.team_id, cycle))
    keeps = body.cycle_days is None and regroup not in ("daily", 1)
    if keeps and (running := find_running(database, body)) is not None:
        return _continue(database, caller, body, running)
    count = body.cycle_days or count_days(team, body.date, regroup)
    if count == 1:
        return RequestedDays((body.date,))
    return RequestedDays(tuple(list_school_days(team, body.date, count)), uuid.uuid4().hex)


def count_days(team: Team, first: date, regroup: str | int) -> int:
    """The days of a cycle that begins on a day, by the team's rhythm; one of a week ends with it."""
    if regroup == "daily":
        return 1
    if regroup == "weekly":
        weekdays = {WEEKDAYS.index(block.weekday) for block in team.blocks}
        rest = (first + timedelta(days=ahead) for ahead in range(7 - first.weekday()))
        return max(1, sum(day.weekday() in weekdays and team.has_school(day) for day in rest))
    return min(int(regroup), MOST_CYCLE_DAYS)


def find_running(database: Database, body: RecommendationRequest) -> str | None:
    """The id of the cycle that the team's newest plan of the day, not rejected, is of; null: of none."""
    rows, _ = list_plans(database, PlanQuery(body.team_id, body.date), MOST_PLANS)
    return next((row.cycle for row in rows if row.decision != "rejected"), None)


def list_current(database: Database, team_id: str, cycle: str) -> dict[date, str]:
    """The id of the current plan of each day of a cycle: of several the one decided last, or else made last."""
    rows, _ = list_plans(database, PlanQuery(team_id, cycle=cycle), MOST_PLANS)
    current: dict[date, PlanRow] = {}
    for row in rows:  # the newest first
        if row.date is None:
            continue
        best = current.get(row.date)
        if best is None or _rank(row) > _rank(best):
            current[row.date] = row
    return {day: row.id for day, row in sorted(current.items())}


def _rank(row: PlanRow) -> int:
    return {None: 1, "rejected": 0}.get(row.decision, 2)


def _continue(database: Database, caller: Caller, body: RecommendationRequest, cycle: str) -> RequestedDays:
    planned = list_current(database, body.team_id, cycle)
    name = "continue_cycle"
    if not planned:
        raise RequestError("unknown_cycle", f"{name}: there is no cycle {cycle!r} of this team", field=name)
    if body.date not in planned:
        days = ", ".join(map(str, planned))
        raise RequestError("not_in_cycle", f"{name}: {body.date} is none of the cycle's days: {days}", field=name)
    first = open_day(database, caller, planned[min(planned)])
    series = {session.id for session in first.answer.sessions if session.series_id is not None}
    return RequestedDays((body.date,), cycle, read_grouping(first.problem, first.current, series), planned)
