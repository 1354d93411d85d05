"""`/board/week`: the days of a week, cycles and series with what ends when, coaching, and who knows which student."""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from features.roster import SkillMap, Team
from features.roster.records import WEEKDAYS
from features.roster.series_checks import minutes_of
from serving.access.visibility import find_roster
from serving.api.middleware.authenticate import BOARD
from serving.board.day.page import CurrentDayPage, DayPage, TeamQuery, day_address
from serving.board.day.view import name_session
from serving.board.pages import render
from serving.board.route import MAY_USE_BOARD, BoardRoute
from serving.board.words import Names
from serving.plans.coverage import KNOWN_WEEKS, count_minutes, measure_doses, sum_coached
from serving.plans.edits.edited_day import EditedDay, open_days
from serving.plans.practice.coaching import read_observations
from serving.plans.practice.relationships import list_relationships
from serving.plans.problem import NOTHING, skill_name
from serving.plans.rules.policy import load_policy
from serving.plans.rules.team_policy import settle_policy
from serving.schemas.common import SchoolDate
from serving.store.recommendations import PlanRow, find_current_plans

router = APIRouter(prefix=BOARD, route_class=BoardRoute, include_in_schema=False, dependencies=[MAY_USE_BOARD])

WEEK = dt.timedelta(days=7)

SOON_DAYS = 14
"""Days from the beginning of the week in which an end is worth a word."""

FEW = 2
"""Adults whom a student should know at least."""


@router.get("/week")
def show_week(
    page: CurrentDayPage,
    team_id: TeamQuery,
    day: Annotated[SchoolDate | None, Query(alias="date")] = None,
) -> Response:
    """A team's week."""
    planner, caller = page.planner, page.caller
    team, roster = find_roster(planner.rosters, caller, team_id)
    page.auditor.note("read_board", team_id=team_id)
    called = Names.of(page.names.of_team(team))
    day = day or dt.date.today()  # noqa: DTZ011 - the school's own day
    monday = day - dt.timedelta(days=day.weekday())
    sunday = monday + WEEK - dt.timedelta(days=1)
    rows = find_current_plans(planner.database, team_id, monday, sunday)
    plans = open_days(planner.database, caller, rows)
    cycles = _list_cycles(plans, called)
    doses = measure_doses(team, monday, sunday)
    minutes = count_minutes(team, monday, sunday)
    known = list_relationships(planner.database, team, sunday)
    few = sorted(
        (len(each.adults), called.student(each.student_id), each.student_id) for each in known if len(each.adults) < FEW
    )
    chosen = settle_policy(team, NOTHING, load_policy()).settings
    return render(
        page.request,
        "week.html",
        team=team,
        day=day,
        monday=monday,
        before=monday - WEEK,
        after=monday + WEEK,
        sunday=sunday,
        day_address=day_address,
        days=[_view_day(team, monday + dt.timedelta(days=at), rows, plans) for at in range(7)],
        cycles=cycles,
        ends=_list_ends(team, cycles, monday, roster.skills, called),
        doses=[
            {
                "unit": ", ".join(skill_name(roster.skills, skill) for skill in dose.series.skills),
                "adult": called.adult(dose.series.staff_id),
                "students": ", ".join(sorted(map(called.student, dose.series.students), key=str.casefold)),
                "wanted": dose.wanted,
                "is_met": dose.is_met,
            }
            for dose in doses
        ],
        coaching=_list_coaching(team, plans, called),
        observations=_list_observations(page, team, monday, called),
        per_week=chosen["coaching_per_week"],
        observed_per_week=chosen["observations_per_week"],
        few=few,
        met=len(team.members) - len(few),
        without=sum(not each for each in minutes.values()),
        average=round(sum(minutes.values()) / max(1, len(minutes))),
        weeks=KNOWN_WEEKS,
    )


def _view_day(
    team: Team, day: dt.date, rows: Mapping[dt.date, PlanRow], plans: Mapping[dt.date, EditedDay]
) -> dict[str, Any]:
    """One day in words, with how many groups and students it has."""
    row, edited = rows.get(day), plans.get(day)
    if row is None:
        has_blocks = any(block.weekday == WEEKDAYS[day.weekday()] for block in team.blocks)
        state = "no school" if not team.has_school(day) else "no plan yet" if has_blocks else "no blocks"
        return {"day": day, "state": state, "groups": None, "students": None}
    state = "suggested"
    if row.decision is not None:
        state = "accepted, not signed yet" if row.awaits_signature else "accepted"
    if edited is None:
        return {"day": day, "state": state, "groups": None, "students": None}
    led = [session for session in edited.sessions if session.led]
    students = {student for session in led for student in session.students}
    return {"day": day, "state": state, "groups": len(led), "students": len(students)}


def _list_cycles(plans: Mapping[dt.date, EditedDay], called: Names) -> list[dict[str, Any]]:
    """The cycles of which a day of the week is part, each with its groups as they are on that day."""
    found: dict[str, dict[str, Any]] = {}
    for edited in plans.values():
        cycle = edited.day.answer.cycle
        if cycle is None or cycle.id in found:
            continue
        times = {block.id: block.label for block in edited.day.problem.blocks}
        found[cycle.id] = {
            "first": cycle.days[0].date,
            "last": cycle.days[-1].date,
            "days": len(cycle.days),
            "groups": [
                (
                    times[session.block],
                    name_session(session, edited, called),
                    ", ".join(sorted(map(called.student, session.students), key=str.casefold)),
                )
                for session in sorted(edited.sessions, key=lambda each: (times[each.block], each.adults))
                if session.led
            ],
        }
    return list(found.values())


def _list_ends(
    team: Team, cycles: list[dict[str, Any]], monday: dt.date, skills: SkillMap, called: Names
) -> list[tuple[dt.date, str]]:
    """What ends within two weeks, the soonest first."""
    until = monday + dt.timedelta(days=SOON_DAYS)
    ends = [(cycle["last"], "the cycle: the groups are made anew after it") for cycle in cycles]
    for series in team.series:
        if series.until is not None and monday <= series.until < until:
            unit = ", ".join(skill_name(skills, skill) for skill in series.skills)
            ends.append((series.until, f"the series on {unit} with {called.adult(series.staff_id)}"))
    return sorted(ends)


def _list_coaching(
    team: Team, plans: Mapping[dt.date, EditedDay], called: Names
) -> list[tuple[str, str, int, int, int]]:
    """Each coach and whom they coach: sessions of this week's plans that they share, observed ones, and minutes."""
    pairs = [(adult.coach, adult.staff_id) for adult in team.staff if adult.coach is not None]
    lengths = {block.block_id: minutes_of(block) for block in team.blocks}
    led = [session for edited in plans.values() for session in edited.sessions if session.led]
    shared = sum_coached(pairs, [(session.adults, 1) for session in led])
    minutes = sum_coached(pairs, [(session.adults, lengths.get(session.block, 0)) for session in led])
    return [
        (
            called.adult(coach),
            called.adult(other),
            count,
            sum(session.adults[0] == other and coach in session.adults for session in led),
            minutes[coach, other],
        )
        for (coach, other), count in shared.items()
    ]


def _list_observations(page: DayPage, team: Team, monday: dt.date, called: Names) -> list[dict[str, Any]]:
    """The observations of the week that whoever asks may read."""
    sunday = monday + WEEK - dt.timedelta(days=1)
    return [
        {
            "date": each.date,
            "who": f"{called.adult(each.observer_id)} observed {called.adult(each.observed_id)}",
            "parts": [("Aim", each.aim), ("Feedback", each.feedback), ("Next step", each.next_step)],
        }
        for each in read_observations(page.planner, page.caller, team.team_id, monday, sunday)
    ]
