"""`/board/students`: what the team's students need and can, and one student."""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from features.roster import PastSession, SkillMap, Team
from serving.access.visibility import find_roster
from serving.api.dependencies import CurrentAuditor, CurrentCaller, CurrentPlanner, StudentInPath
from serving.api.middleware.authenticate import BOARD
from serving.api.names import CurrentNames
from serving.api.routes.students import make_profile
from serving.api.routes.teams import make_board
from serving.board.day.page import CurrentDayPage, TeamQuery, day_address
from serving.board.pages import render
from serving.board.practice import describe_goal, describe_student
from serving.board.route import MAY_USE_BOARD, BoardRoute
from serving.board.words import STATUS, Names, name_purpose
from serving.plans.afterwards import count_after, read_answers
from serving.plans.coverage import count_minutes, measure_doses
from serving.plans.practice.goals import read_goals
from serving.plans.practice.relationships import list_relationships
from serving.plans.problem import skill_name
from serving.plans.recommend import Planner
from serving.schemas.forecasts import Board, BoardRow

router = APIRouter(
    prefix=f"{BOARD}/students", route_class=BoardRoute, include_in_schema=False, dependencies=[MAY_USE_BOARD]
)

MOST_SESSIONS = 12
"""Sessions with an adult that the page of a student lists, the newest first."""

MOST_NEEDS = 3
"""Needs of each student that the list shows, the greatest first."""

Order = Literal["need", "name", "seen", "known"]


@router.get("")
def show_students(
    request: Request,
    team_id: TeamQuery,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    planner: CurrentPlanner,
    names: CurrentNames,
    order: Annotated[Order, Query()] = "need",
    skill: Annotated[str, Query(max_length=500)] = "",
) -> Response:
    """The team's students: strengths, needs, and when an adult last sat with them."""
    served = planner.served()
    team, roster = find_roster(planner.rosters, caller, team_id)
    auditor.note("read_board", team_id=team_id)
    snapshot = planner.live.restrict(served, team.members, roster.school_students, roster.latest_event)
    board = names.add_to(make_board(planner, snapshot, team, roster), team)
    called = Names.of(board.names)
    contacts = _list_contacts(planner, team, roster.skills)
    rows = [row for row in board.students if not skill or any(need.skill_id == skill for need in row.needs)]
    return render(
        request,
        "students.html",
        team=team,
        day=None,
        day_address=day_address,
        rows=_sort(rows, order, called, contacts["known"]),
        order=order,
        skill=skill,
        skills=_list_skills(board),
        names=called,
        statuses=STATUS,
        purpose=name_purpose,
        most=MOST_NEEDS,
        as_of=board.provenance.data_as_of,
        goals=_list_goals(planner, team, roster.skills, called),
        **contacts,
    )


def _list_goals(planner: Planner, team: Team, skills: SkillMap, called: Names) -> dict[str, list[str]]:
    """The open goals of each student who has any, in words."""
    today = dt.date.today()  # noqa: DTZ011 - the school's own day
    found: dict[str, list[str]] = {}
    for goal in read_goals(planner.database, *team.members):
        if goal.is_open(today):
            found.setdefault(goal.student_id, []).append(describe_goal(goal, skills, called))
    return found


def _list_contacts(planner: Planner, team: Team, skills: SkillMap) -> dict[str, Any]:
    """Minutes with an adult in this week so far, doses of series against what is wanted, and adults who know each."""
    today = dt.date.today()  # noqa: DTZ011 - the school's own day
    monday = today - dt.timedelta(days=today.weekday())
    sunday = monday + dt.timedelta(days=6)
    known = list_relationships(planner.database, team, sunday)
    doses: dict[str, list[str]] = {}
    for dose in measure_doses(team, monday, sunday):
        unit = ", ".join(skill_name(skills, skill) for skill in dose.series.skills)
        for student in dose.series.students:
            doses.setdefault(student, []).append(f"{unit}: {dose.received_by(student)}")
    return {
        "doses": doses,
        "minutes": count_minutes(team, monday, sunday),
        "known": {each.student_id: len(each.adults) for each in known},
    }


def _sort(rows: list[BoardRow], order: Order, names: Names, known: Mapping[str, int]) -> list[BoardRow]:
    if order == "name":
        return sorted(rows, key=lambda row: names.student(row.student_id).casefold())
    if order == "seen":  # who was never seen comes first
        return sorted(rows, key=lambda row: "" if row.last_seen_by_adult is None else str(row.last_seen_by_adult))
    if order == "known":
        return sorted(rows, key=lambda row: known[row.student_id])
    return rows


def _list_skills(board: Board) -> list[tuple[str, str]]:
    return sorted(
        {(need.skill_id, need.skill) for row in board.students for need in row.needs}, key=lambda each: each[1]
    )


@router.get("/{student_id:path}")
def show_student(
    request: Request,
    student_id: StudentInPath,
    page: CurrentDayPage,
) -> Response:
    """One student: strengths first, then what is being learned and next, goals, and the adults."""
    planner = page.planner
    profile = make_profile(planner, page.caller, page.auditor, student_id)
    team, called, sessions, skills = None, Names(), [], SkillMap({}, {})
    if profile.team_id is not None:
        team, roster = find_roster(planner.rosters, page.caller, profile.team_id)
        called, skills = Names.of(page.names.of_team(team)), roster.skills
        past = [each for each in team.past_sessions if student_id in each.students and each.staff_id is not None]
        sessions = _list_sessions(past, planner, student_id, skills, called)
    strengths = [skill for skill in profile.skills if skill.status == "proficient"]
    return render(
        request,
        "student.html",
        team=team,
        day=None,
        day_address=day_address,
        name=called.student(student_id),
        profile=profile,
        strengths=strengths,
        working=[skill for skill in profile.skills if skill.status not in {"proficient", "not_begun"}],
        statuses=STATUS,
        sessions=sessions[:MOST_SESSIONS],
        more_sessions=max(0, len(sessions) - MOST_SESSIONS),
        streak=planner.served().struggle.thresholds.streak,
        called=called,
        **describe_student(page, student_id, team, skills, called),
    )


def _list_sessions(
    past: list[PastSession], planner: Planner, student_id: str, skills: SkillMap, called: Names
) -> list[dict[str, Any]]:
    """A student's sessions in words, the newest first, each with what the student answered on its skill later."""
    answers = read_answers(planner.settings.home, planner.database, student_id) if past else None
    after = count_after(past, answers) if answers is not None else [None] * len(past)
    found = [
        {
            "date": session.date,
            "skill": None if session.skill_id is None else skill_name(skills, session.skill_id),
            "adult": called.adult(session.staff_id or ""),
            "after": later,
        }
        for session, later in zip(past, after, strict=True)
    ]
    return sorted(found, key=lambda each: each["date"], reverse=True)
