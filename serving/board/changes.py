"""`/board/plans/{id}/…`: moves, locks, undo, repairs, new suggestions and the decision."""

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import Field

from serving.access.visibility import find_roster
from serving.api.dependencies import Auditor, CurrentAuditor, CurrentCaller, CurrentPlanner, PlanInPath
from serving.api.middleware.authenticate import BOARD
from serving.api.names import CurrentNames
from serving.api.responses.recommendations import to_recommendation
from serving.audit.entries import AuditEntry
from serving.board.day_view import describe_seat
from serving.board.days import CurrentDayPage, DayPage, day_address
from serving.board.pages import render
from serving.board.route import MAY_USE_BOARD, BoardRoute, CurrentForm, FormBody
from serving.board.words import Names, list_effects
from serving.errors import ConflictError, NoPlanError, RequestError
from serving.grouping import Session, read_seats
from serving.grouping.changes.seat_options import SeatOption
from serving.plans.edits import (
    EditedDay,
    changed_meanwhile,
    check_sessions,
    decide_edit,
    find_current,
    lock_session,
    move_student,
    open_edit,
    save_steps,
    suggest_again,
    suggest_first,
    take_sessions,
    to_bodies,
)
from serving.plans.latecomer import find_seat_options
from serving.plans.stored_plan import judge_edit
from serving.schemas.changes import SeatOptionsRequest
from serving.schemas.common import SchoolDate
from serving.schemas.edits import EditStep
from serving.schemas.recommendations import Absence
from serving.schemas.texts import Identity, Note

router = APIRouter(prefix=BOARD, route_class=BoardRoute, include_in_schema=False, dependencies=[MAY_USE_BOARD])

REPAIR_S = 2.0
"""Seconds in which the smallest repair is looked for."""


class Step(FormBody):
    """A step, made on a page that showed a version of the edit."""

    version: int = Field(ge=0)


class MoveForm(Step):
    """One student to another session of the block."""

    student_id: Identity
    block_id: Identity
    session_id: Identity


class LockForm(Step):
    """One session locked or not."""

    session_id: Identity
    locked: Literal["yes", "no"]


class SuggestForm(Step):
    """Who is absent for the next suggestion."""

    student_id: list[Identity] = Field(default_factory=list)
    staff_id: list[Identity] = Field(default_factory=list)


class FirstForm(FormBody):
    """A day without a plan."""

    team_id: Identity
    date: SchoolDate


class DecideForm(Step):
    """What is decided."""

    decision: Literal["accept", "reject"]
    note: Note | None = None


@router.get("/plans/{recommendation_id}/seats")
def show_seats(
    request: Request,
    recommendation_id: PlanInPath,
    student_id: Annotated[Identity, Query()],
    block_id: Annotated[Identity, Query()],
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    planner: CurrentPlanner,
    names: CurrentNames,
) -> Response:
    """The sessions to which a student can move in a block, the best first, and those that would break a rule."""
    edited = open_edit(planner.database, caller, recommendation_id)
    problem, answer = edited.day.problem, edited.day.answer
    body = SeatOptionsRequest(student_id=student_id, block_ids=[block_id], sessions=to_bodies(edited.sessions))
    _, found = find_seat_options(planner, caller, edited.day, body)
    auditor.note("rank_seat_options", team_id=answer.team_id, student_id=student_id, subject=recommendation_id)
    team, _ = find_roster(planner.rosters, caller, answer.team_id)
    called = Names.of(names.of_team(team))
    here = next((each for each in edited.sessions if each.block == block_id and student_id in each.students), None)
    options = found.blocks[0]
    now = next((option for option in options if here is not None and option.session.id == here.id), None)
    met = next((term.value for term in answer.terms if term.name == "benefit"), 0.0)
    allowed = {option.session.id for option in options} | {"" if here is None else here.id}
    skills = {skill.id: skill.name for skill in problem.skills}

    def title(session: Session) -> str:
        if session.skill is None:
            return "Independent work"
        return f"{skills.get(session.skill, session.skill)} with {called.adult(session.adults[0])}"

    return render(
        request,
        "seats.html",
        answer=answer,
        edited=edited,
        student_id=student_id,
        block_id=block_id,
        name=called.student(student_id),
        time=next(block.label for block in problem.blocks if block.id == block_id),
        here=describe_seat(read_seats(edited.sessions).get((student_id, block_id)), edited, called),
        options=[
            {
                "session_id": option.session.id,
                "title": title(option.session),
                "size": len(option.session.students),
                "effects": "; ".join(list_effects(_against(option, now), met)),
            }
            for option in options
            if here is None or option.session.id != here.id
        ],
        others=[
            {"session_id": each.id, "title": title(each), "size": len(each.students) + 1}
            for each in edited.sessions
            if each.block == block_id and each.id not in allowed
        ],
        back=day_address(answer.team_id, answer.date),
    )


def _against(option: SeatOption, now: SeatOption | None) -> list[tuple[str, float, float]]:
    """What a seat does to each term, against the seat that the student has now."""
    before = {} if now is None else {term.name: term for term in now.score_impact.terms}
    after = {term.name: term for term in option.score_impact.terms}
    changes = []
    for name in [*after, *(name for name in before if name not in after)]:
        old, new = before.get(name), after.get(name)
        value = (new.value if new else 0.0) - (old.value if old else 0.0)
        points = (new.points if new else 0.0) - (old.points if old else 0.0)
        changes.append((name, value, points))
    return sorted(changes, key=lambda change: -abs(change[2]))


def _take_step(
    page: DayPage,
    recommendation_id: str,
    version: int,
    make: Callable[[EditedDay], list[EditStep]],
    student_id: str | None,
    more: str = "",
) -> Response:
    """Makes a step and shows the day, or the day as it is now where somebody else was quicker."""
    edited = open_edit(page.planner.database, page.caller, recommendation_id)
    answer = edited.day.answer
    try:
        _require_current(page, edited, version)
        save_steps(
            page.planner.database,
            edited,
            version,
            make(edited),
            lambda: page.auditor.entry(
                "change_plan", team_id=answer.team_id, student_id=student_id, subject=recommendation_id
            ),
        )
    except (ConflictError, RequestError) as error:
        return _refuse(page, edited, error)
    return _show(edited, f"&done={version + 1}{more}")


def _require_current(page: DayPage, edited: EditedDay, version: int) -> None:
    """Refuses a step on a plan that the team no longer works on, or that changed since its page was made."""
    answer = edited.day.answer
    current = find_current(page.planner.database, answer.team_id, answer.date)
    if current != answer.id or edited.version != version:
        raise changed_meanwhile()


def _refuse(page: DayPage, edited: EditedDay, error: ConflictError | RequestError) -> Response:
    answer = edited.day.answer
    sentence = str(error).removeprefix("session_id: ")
    if isinstance(error, NoPlanError):
        helps = [str(relaxation["detail"]) for relaxation in error.more.get("relaxations", ())]
        sentence = " ".join(["No plan keeps every rule like this.", *(helps[:3] or [sentence])])
    return page.respond(answer.team_id, answer.date, problem=sentence, status=error.status)


def _show(edited: EditedDay, more: str = "") -> Response:
    answer = edited.day.answer
    return RedirectResponse(day_address(answer.team_id, answer.date, more), status_code=HTTPStatus.SEE_OTHER)


@router.post("/plans/{recommendation_id}/moves")
def move(recommendation_id: PlanInPath, form: CurrentForm, page: CurrentDayPage) -> Response:
    """Moves a student to another session of a block."""
    sent: MoveForm = form.read(MoveForm)

    def make(edited: EditedDay) -> list[EditStep]:
        step = move_student(page.planner, page.caller, edited, sent.student_id, sent.block_id, sent.session_id)
        return [*edited.steps, step]

    return _take_step(page, recommendation_id, sent.version, make, sent.student_id)


@router.post("/plans/{recommendation_id}/locks")
def lock(recommendation_id: PlanInPath, form: CurrentForm, page: CurrentDayPage) -> Response:
    """Locks a session for the next suggestion, or unlocks it."""
    sent: LockForm = form.read(LockForm)

    def make(edited: EditedDay) -> list[EditStep]:
        return [*edited.steps, lock_session(edited, sent.session_id, locked=sent.locked == "yes")]

    return _take_step(page, recommendation_id, sent.version, make, None)


@router.post("/plans/{recommendation_id}/undo")
def undo(recommendation_id: PlanInPath, form: CurrentForm, page: CurrentDayPage) -> Response:
    """Takes the last step back."""
    sent: Step = form.read(Step)
    return _take_step(page, recommendation_id, sent.version, lambda edited: list(edited.steps[:-1]), None, "&undone=1")


@router.post("/plans/{recommendation_id}/repair")
def repair(recommendation_id: PlanInPath, form: CurrentForm, page: CurrentDayPage) -> Response:
    """Takes over the smallest repair of broken rules."""
    sent: Step = form.read(Step)

    def make(edited: EditedDay) -> list[EditStep]:
        day = edited.day
        with page.planner.take_turn(page.caller, day.answer.team_id):
            found = judge_edit(day.problem, edited.sessions, day.suggested, repair=True, seconds=REPAIR_S)[2]
        if found is None:
            raise RequestError("no_repair", "no repair was found; undo the last step, or suggest again")
        return [*edited.steps, take_sessions(edited, check_sessions(day.problem, found.sessions))]

    return _take_step(page, recommendation_id, sent.version, make, None)


@router.post("/plans/{recommendation_id}/suggestion")
def suggest(recommendation_id: PlanInPath, form: CurrentForm, page: CurrentDayPage) -> Response:
    """Suggests the day again: around what is locked and moved by hand, without who is absent."""
    came = time.perf_counter()
    sent: SuggestForm = form.read(SuggestForm)
    edited = open_edit(page.planner.database, page.caller, recommendation_id)
    team_id = edited.day.answer.team_id
    absences = [Absence(student_id=each) for each in sent.student_id]
    absences += [Absence(staff_id=each) for each in sent.staff_id]
    try:
        _require_current(page, edited, sent.version)
        suggest_again(
            page.planner,
            page.caller,
            edited,
            absences,
            came,
            render=to_recommendation,
            note=_note_suggested(page.auditor, team_id),
        )
    except (ConflictError, RequestError) as error:
        return _refuse(page, edited, error)
    return _show(edited, "&done=0")


@router.post("/plans")
def suggest_day(form: CurrentForm, page: CurrentDayPage) -> Response:
    """Suggests a day that has no plan yet."""
    sent: FirstForm = form.read(FirstForm)
    find_roster(page.planner.rosters, page.caller, sent.team_id)  # else who may not see the team learns of its plan
    try:
        if find_current(page.planner.database, sent.team_id, sent.date) is None:
            suggest_first(
                page.planner,
                page.caller,
                sent.team_id,
                sent.date,
                render=to_recommendation,
                note=_note_suggested(page.auditor, sent.team_id),
            )
    except RequestError as error:
        return page.respond(sent.team_id, sent.date, problem=str(error), status=error.status)
    return RedirectResponse(day_address(sent.team_id, sent.date), status_code=HTTPStatus.SEE_OTHER)


@router.post("/plans/{recommendation_id}/decision")
def decide(recommendation_id: PlanInPath, form: CurrentForm, page: CurrentDayPage) -> Response:
    """Accepts the day as it is now, or puts a suggestion aside so that the one before it is back."""
    sent: DecideForm = form.read(DecideForm)
    edited = open_edit(page.planner.database, page.caller, recommendation_id)
    try:
        _require_current(page, edited, sent.version)
        decide_edit(
            page.planner.database,
            page.caller,
            edited,
            sent.version,
            accept=sent.decision == "accept",
            text=sent.note,
            note=lambda team_id: page.auditor.entry("decide", team_id=team_id, subject=recommendation_id),
        )
    except (ConflictError, RequestError) as error:
        return _refuse(page, edited, error)
    return _show(edited, f"&done={sent.version + 1}" if sent.decision == "accept" else "")


def _note_suggested(auditor: Auditor, team_id: str) -> Callable[[str], AuditEntry]:
    return lambda plan_id: auditor.entry("suggest", team_id=team_id, subject=plan_id)
