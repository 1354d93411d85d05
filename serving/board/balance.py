"""`/board/balance`: who had how much of which adult over some weeks; adults stand by name and are never ranked."""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from features.roster import Team
from serving.access.visibility import find_roster
from serving.api.dependencies import CurrentAuditor, CurrentCaller, CurrentPlanner
from serving.api.middleware.authenticate import BOARD
from serving.api.names import CurrentNames
from serving.board.day.page import TeamQuery, day_address
from serving.board.pages import render
from serving.board.route import MAY_USE_BOARD, BoardRoute
from serving.board.words import Names
from serving.plans.coverage import Balance, Share, balance_adults
from serving.schemas.common import SchoolDate

router = APIRouter(prefix=BOARD, route_class=BoardRoute, include_in_schema=False, dependencies=[MAY_USE_BOARD])

WEEKS = 4
"""Weeks that the page counts where nobody says how many."""

MOST_WEEKS = 40
"""Weeks of a school year."""

LEFT_TEAM = "no longer in the team"

By = Literal["adult", "role"]
Order = Literal["least", "name"]


@router.get("/balance")
def show_balance(
    request: Request,
    team_id: TeamQuery,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    planner: CurrentPlanner,
    names: CurrentNames,
    day: Annotated[SchoolDate | None, Query(alias="date")] = None,
    weeks: Annotated[int, Query(ge=1, le=MOST_WEEKS)] = WEEKS,
    by: Annotated[By, Query()] = "adult",
    order: Annotated[Order, Query()] = "least",
    labels: Annotated[bool, Query()] = False,
) -> Response:
    """A team's adult time by student; labels of students are shown only where they are asked for, which is noted."""
    team, _ = find_roster(planner.rosters, caller, team_id)
    auditor.note("read_board", team_id=team_id)
    if labels:
        auditor.note("show_labels", team_id=team_id)
    called = Names.of(names.of_team(team))
    last = day or dt.date.today()  # noqa: DTZ011 - the school's own day
    first = last - dt.timedelta(weeks=weeks, days=-1)
    balance = balance_adults(team, first, last)
    columns = _name_columns(team, balance, called, by)
    rows = _list_students(team, balance, called, columns)
    return render(
        request,
        "balance.html",
        team=team,
        day=day,
        day_address=day_address,
        first=first,
        last=last,
        weeks=weeks,
        choices=sorted({1, 2, WEEKS, 8, 12, weeks}),
        by=by,
        order=order,
        labels=labels,
        certified={student for layer in team.policies for student in layer.needs_certified} if labels else set(),
        columns=sorted(set(columns.values()), key=str.casefold),
        rows=sorted(rows, key=lambda row: row["minutes"]) if order == "least" else rows,
        loads=_list_loads(team, balance, columns),
    )


def _name_columns(team: Team, balance: Balance, called: Names, by: By) -> Mapping[str, str]:
    """What the column of each adult is called, by the adult's id; adults of one role share one where roles are shown.

    Adults who never led keep their column, so that an empty one is seen too.
    """
    roles = {adult.staff_id: adult.role.replace("_", " ") for adult in team.staff}
    adults = [*roles, *(adult for adult in balance.of_adults if adult not in roles)]
    if by == "role":
        return {adult: roles.get(adult, LEFT_TEAM) for adult in adults}
    return {adult: called.adult(adult) for adult in adults}


def _list_students(team: Team, balance: Balance, called: Names, columns: Mapping[str, str]) -> list[dict[str, Any]]:
    """What each student had, in order of name."""
    had: dict[str, dict[str, Share]] = {student: {} for student in team.members}
    for (student, adult), share in balance.of_students.items():
        before = had[student].get(columns[adult], Share())
        had[student][columns[adult]] = Share(before.sessions + share.sessions, before.minutes + share.minutes)
    return [
        {
            "student_id": student,
            "name": called.student(student),
            "shares": had[student],
            "minutes": sum(share.minutes for share in had[student].values()),
            "sessions": sum(share.sessions for share in had[student].values()),
        }
        for student in sorted(team.members, key=lambda one: called.student(one).casefold())
    ]


def _list_loads(team: Team, balance: Balance, columns: Mapping[str, str]) -> list[dict[str, Any]]:
    """What adults led, in order of name, which is no ranking."""
    own = {adult.staff_id for adult in team.staff}
    loads = []
    for words in sorted(set(columns.values()), key=str.casefold):
        adults = [adult for adult, its in columns.items() if its == words]
        shares = [balance.of_adults.get(adult, Share()) for adult in adults]
        loads.append(
            {
                "words": words,
                "adults": len(adults),
                "left": not own.intersection(adults),
                "sessions": sum(share.sessions for share in shares),
                "minutes": sum(share.minutes for share in shares),
                "students": len(frozenset().union(*(balance.met.get(adult, frozenset()) for adult in adults))),
            }
        )
    return loads
