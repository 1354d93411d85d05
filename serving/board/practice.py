"""`/board/students/{id}/goals`, `…/relationships`, `…/wishes` and `…/choices`: what is noted on a student's page."""

from collections.abc import Callable
from datetime import date
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from features.roster import SkillMap, Team
from serving.api.dependencies import StudentInPath
from serving.api.middleware.authenticate import BOARD
from serving.audit.entries import AuditEntry
from serving.board.day.page import CurrentDayPage, DayPage
from serving.board.route import MAY_USE_BOARD, BoardRoute, CurrentForm, FormBody
from serving.board.words import Names
from serving.errors import RequestError
from serving.plans.practice.goals import close_goal, read_goals, set_goal
from serving.plans.practice.playlist import choose_skill, make_playlist
from serving.plans.practice.relationships import list_relationships, mark_known
from serving.plans.practice.wishes import close_wish, list_met, read_wishes, wish
from serving.plans.problem import skill_name
from serving.schemas.common import SchoolDate
from serving.schemas.people.wishes import WishRequest
from serving.schemas.practice import GoalKind, GoalRequest
from serving.schemas.texts import Identity, Note
from serving.store.practice.goals import Goal
from serving.store.practice.wishes import StoredWish

router = APIRouter(
    prefix=f"{BOARD}/students", route_class=BoardRoute, include_in_schema=False, dependencies=[MAY_USE_BOARD]
)


class GoalForm(FormBody):
    """A goal; what is not of its kind is left out."""

    kind: GoalKind
    skill_id: Identity | None = None
    habit: Note | None = None
    minutes_per_week: int | None = None
    staff_id: Identity
    until: SchoolDate


class GoalEndForm(FormBody):
    """A goal that ended, and how."""

    goal_id: Identity
    reached: Literal["yes", "no"]


class MarkForm(FormBody):
    """Who knows the student, or no longer says so."""

    staff_id: Identity
    known: Literal["yes", "no"]


class WishForm(FormBody):
    """A wish for sessions: one of the four."""

    other_student_id: Identity | None = None
    staff_id: Identity | None = None
    skill_id: Identity | None = None
    room_id: Identity | None = None
    until: SchoolDate


class WishEndForm(FormBody):
    """A wish that ended."""

    wish_id: Identity


class ChoiceForm(FormBody):
    """What the student chose."""

    skill_id: Identity


@router.post("/{student_id:path}/goals")
def add_goal(student_id: StudentInPath, form: CurrentForm, page: CurrentDayPage) -> Response:
    """Stores a goal."""
    sent: GoalForm = form.read(GoalForm)
    own = {"skill": "skill_id", "habit": "habit", "minutes": "minutes_per_week"}[sent.kind]
    try:
        body = GoalRequest.model_validate(
            {"kind": sent.kind, "staff_id": sent.staff_id, "until": sent.until, own: getattr(sent, own)}
        )
    except ValueError as error:
        detail = "a goal needs its skill, the habit in words, or 5 to 1,200 minutes a week"
        raise RequestError("invalid_request", detail, field=own) from error
    set_goal(page.planner, page.caller, student_id, body, _note(page, "set_goal", student_id))
    return _show(student_id, "goals")


@router.post("/{student_id:path}/goals/end")
def end_goal(student_id: StudentInPath, form: CurrentForm, page: CurrentDayPage) -> Response:
    """Ends a goal."""
    sent: GoalEndForm = form.read(GoalEndForm)
    note = _note(page, "end_goal", student_id, sent.goal_id)
    close_goal(page.planner, page.caller, student_id, sent.goal_id, note, reached=sent.reached == "yes")
    return _show(student_id, "goals")


@router.post("/{student_id:path}/relationships")
def mark(student_id: StudentInPath, form: CurrentForm, page: CurrentDayPage) -> Response:
    """Stores that an adult knows the student, or takes that back."""
    sent: MarkForm = form.read(MarkForm)
    note = _note(page, "mark_relationship", student_id)
    mark_known(page.planner, page.caller, student_id, sent.staff_id, note, known=sent.known == "yes")
    return _show(student_id, "known")


@router.post("/{student_id:path}/wishes")
def make_wish(student_id: StudentInPath, form: CurrentForm, page: CurrentDayPage) -> Response:
    """Stores a wish."""
    sent: WishForm = form.read(WishForm)
    try:
        body = WishRequest.model_validate(sent.model_dump())
    except ValueError as error:
        raise RequestError(
            "invalid_request", "choose one: somebody to work with, an adult, a skill, or a room"
        ) from error
    wish(page.planner, page.caller, student_id, body, _note(page, "wish", student_id))
    return _show(student_id, "wishes")


@router.post("/{student_id:path}/wishes/end")
def end_wish(student_id: StudentInPath, form: CurrentForm, page: CurrentDayPage) -> Response:
    """Ends a wish."""
    sent: WishEndForm = form.read(WishEndForm)
    close_wish(page.planner, page.caller, student_id, sent.wish_id, _note(page, "end_wish", student_id, sent.wish_id))
    return _show(student_id, "wishes")


@router.post("/{student_id:path}/choices")
def choose(student_id: StudentInPath, form: CurrentForm, page: CurrentDayPage) -> Response:
    """Stores what the student chose."""
    sent: ChoiceForm = form.read(ChoiceForm)
    choose_skill(page.planner, page.caller, student_id, sent.skill_id, _note(page, "choose", student_id))
    return _show(student_id, "next")


def _note(
    page: DayPage, action: str, student_id: str, subject: str | None = None
) -> Callable[[str | None], AuditEntry]:
    return lambda team_id: page.auditor.entry(action, team_id=team_id, student_id=student_id, subject=subject)


def _show(student_id: str, part: str) -> Response:
    address = f"{BOARD}/students/{quote(student_id, safe='')}#{part}"
    return RedirectResponse(address, status_code=HTTPStatus.SEE_OTHER)


def describe_student(
    page: DayPage, student_id: str, team: Team | None, skills: SkillMap, called: Names
) -> dict[str, Any]:
    """Goals, the playlist and who knows the student, for the student's page; nothing for a student without a team."""
    page.auditor.note("read_next", team_id=None if team is None else team.team_id, student_id=student_id)
    playlist = make_playlist(page.planner, page.caller, student_id)
    chosen = playlist.choices[0] if playlist.choices else None
    values: dict[str, Any] = {
        "offers": [offer for offer in playlist.offers if offer.offered],
        "chosen": None if chosen is None else (skill_name(skills, chosen.skill_id), chosen.chosen_at),
        "goals": [],
        "known": None,
        "adults": [],
        "all_skills": [],
        "wishes": [],
        "others": [],
        "rooms": [],
    }
    if team is None:
        return values
    today = date.today()  # noqa: DTZ011 - the school's own day
    known = next(
        each for each in list_relationships(page.planner.database, team, today) if each.student_id == student_id
    )
    goals = read_goals(page.planner.database, student_id)
    named = {offer.skill: offer.name for offer in playlist.offers} | {
        skill: skill_name(skills, skill) for skill in (*team.focus, *skills.skills)
    }
    return values | {
        "goals": [(goal, describe_goal(goal, skills, called), goal.is_open(today)) for goal in goals],
        "wishes": [
            (each, _describe_wish(each, skills, called), each.is_open(today), len(list_met(each, team)))
            for each in read_wishes(page.planner, student_id)
        ],
        "others": sorted(
            ((each, called.student(each)) for each in team.members if each != student_id),
            key=lambda one: one[1].casefold(),
        ),
        "rooms": [room.room_id for room in team.rooms],
        "known": known,
        "adults": sorted(((each.staff_id, called.adult(each.staff_id)) for each in team.staff), key=lambda one: one[1]),
        "all_skills": sorted(named.items(), key=lambda one: one[1].casefold()),
    }


def _describe_wish(stored: StoredWish, skills: SkillMap, called: Names) -> str:
    """A wish in words, such as `to work with Mia, until Fri 3 Apr`."""
    if stored.other_student_id is not None:
        what = f"to work with {called.student(stored.other_student_id)}"
    elif stored.staff_id is not None:
        what = f"to work with {called.adult(stored.staff_id)}"
    elif stored.room_id is not None:
        what = f"to work in {stored.room_id}"
    else:
        what = f"to work on {skill_name(skills, stored.skill_id or '')}"
    return f"{what}, until {stored.until:%a} {stored.until.day} {stored.until:%b}"


def describe_goal(goal: Goal, skills: SkillMap, called: Names) -> str:
    """A goal in words, such as `Ratios, until Fri 3 Apr, set with Ms B`."""
    what = goal.habit or f"{goal.minutes_per_week} minutes of practice a week"
    if goal.skill_id is not None:
        what = skill_name(skills, goal.skill_id)
    return f"{what}, until {goal.until:%a} {goal.until.day} {goal.until:%b}, set with {called.adult(goal.staff_id)}"
