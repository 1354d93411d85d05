"""`/board/plans` and `/board/plans/{id}/…`: new suggestions, who is away or late, other good plans side by side."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Literal

from fastapi import Response
from fastapi.responses import RedirectResponse
from pydantic import Field

from serving.access.visibility import find_roster
from serving.api.dependencies import Auditor, PlanInPath
from serving.api.middleware.authenticate import BOARD
from serving.api.responses.recommendations import to_recommendation
from serving.audit.entries import AuditEntry
from serving.board.changes.take_step import (
    SEE_OTHER,
    Step,
    make_router,
    refuse,
    require_current,
    show,
    take_step,
)
from serving.board.day.page import CurrentDayPage, day_address, list_partly_away
from serving.board.day.view import list_reached, name_session
from serving.board.pages import render
from serving.board.route import CurrentForm, FormBody
from serving.board.words import Names
from serving.errors import ConflictError, RequestError
from serving.grouping import Session, find_moves, score_plan
from serving.plans.edits.edited_day import EditedDay, check_sessions, open_edit
from serving.plans.edits.suggest import suggest_again, suggest_first, take_plan
from serving.plans.sessions import to_session
from serving.schemas.common import SchoolDate
from serving.schemas.edits import EditStep
from serving.schemas.recommendations import Absence
from serving.schemas.texts import Identity
from serving.store.recommendations import find_current_plan

router = make_router()

LETTERS = "ABC"
"""What other plans are called."""


class SuggestForm(Step):
    """Who is away, comes later or is partly there, for the next suggestion."""

    student_id: list[Identity] = Field(default_factory=list)
    staff_id: list[Identity] = Field(default_factory=list)
    late_student_id: Identity | None = None
    late_block_id: Identity | None = None
    partly: list[int] = Field(default_factory=list)
    choice: Literal["yes", "no"] = "no"


class FirstForm(FormBody):
    """A day without a plan."""

    team_id: Identity
    date: SchoolDate


class AlternativeForm(Step):
    """Another plan that is taken over."""

    at: int = Field(ge=0)


@router.post("/{recommendation_id}/suggestion")
def suggest(recommendation_id: PlanInPath, form: CurrentForm, page: CurrentDayPage) -> Response:
    """Suggests the day again: around what is locked and moved by hand, without who is absent."""
    came = time.perf_counter()
    sent: SuggestForm = form.read(SuggestForm)
    edited = open_edit(page.planner.database, page.caller, recommendation_id)
    team_id = edited.day.answer.team_id
    choice = sent.choice == "yes"
    try:
        require_current(page, edited, sent.version)
        planned = suggest_again(
            page.planner,
            page.caller,
            edited,
            _read_absences(edited, sent),
            came,
            render=to_recommendation,
            note=_note_suggested(page.auditor, team_id),
            alternatives=choice,
        )
    except (ConflictError, RequestError) as error:
        return refuse(page, edited, error)
    if choice:
        return RedirectResponse(f"{BOARD}/plans/{planned.id}/alternatives", status_code=SEE_OTHER)
    return show(edited, "&done=0")


def _read_absences(edited: EditedDay, sent: SuggestForm) -> list[Absence]:
    """Who is away all day, who comes later, and who was partly away before and still is."""
    away = [Absence(student_id=each) for each in sent.student_id]
    away += [Absence(staff_id=each) for each in sent.staff_id]
    partly = list_partly_away(edited)
    away += [partly[at] for at in sent.partly if at < len(partly)]
    if sent.late_student_id is not None:
        blocks = [block.id for block in edited.day.problem.blocks]
        if sent.late_block_id not in blocks:
            detail = "late_block_id: choose from when the student is there"
            raise RequestError("unknown_block", detail, field="late_block_id")
        missed = blocks[: blocks.index(sent.late_block_id)]
        away = [each for each in away if each.student_id != sent.late_student_id]
        away += [Absence(student_id=sent.late_student_id, block_ids=missed)] if missed else []
    return away


@router.post("")
def suggest_day(form: CurrentForm, page: CurrentDayPage) -> Response:
    """Suggests a day that has no plan yet."""
    sent: FirstForm = form.read(FirstForm)
    find_roster(page.planner.rosters, page.caller, sent.team_id)  # else who may not see the team learns of its plan
    try:
        if find_current_plan(page.planner.database, sent.team_id, sent.date) is None:
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
    return RedirectResponse(day_address(sent.team_id, sent.date), status_code=SEE_OTHER)


@router.get("/{recommendation_id}/alternatives")
def show_alternatives(recommendation_id: PlanInPath, page: CurrentDayPage) -> Response:
    """Other good plans of the day beside the one that the team works on."""
    edited, called = page.open(recommendation_id)
    answer = edited.day.answer
    page.auditor.note("read_recommendation", team_id=answer.team_id, subject=recommendation_id)
    others = [tuple(map(to_session, each.sessions)) for each in answer.alternatives]
    now = score_plan(edited.day.problem, edited.sessions).terms
    plans: list[dict[str, Any]] = [{"title": "As it is now", "reaches": list_reached(now), "moved": 0}]
    for at, (each, sessions) in enumerate(zip(answer.alternatives, others, strict=True)):
        moved = len(find_moves(edited.day.problem, edited.sessions, sessions))
        plans.append({"title": f"Plan {LETTERS[at]}", "reaches": list_reached(each.terms), "moved": moved, "at": at})
    return render(
        page.request,
        "alternatives.html",
        answer=answer,
        edited=edited,
        plans=plans,
        blocks=[
            (block.label, [_list_sessions(block.id, each, edited, called) for each in (edited.sessions, *others)])
            for block in edited.day.problem.blocks
        ],
        back=day_address(answer.team_id, answer.date),
    )


@router.post("/{recommendation_id}/alternatives")
def take_alternative(recommendation_id: PlanInPath, form: CurrentForm, page: CurrentDayPage) -> Response:
    """Takes over another good plan, as one step that can be undone."""
    sent: AlternativeForm = form.read(AlternativeForm)

    def make(edited: EditedDay) -> EditStep:
        others = edited.day.answer.alternatives
        if sent.at >= len(others):
            raise RequestError("unknown_alternative", "at: the plan has no such alternative", field="at")
        sessions = tuple(map(to_session, others[sent.at].sessions))
        return take_plan(edited, check_sessions(edited.day.problem, sessions))

    return take_step(page, recommendation_id, sent.version, make)


def _list_sessions(
    block_id: str, sessions: Sequence[Session], edited: EditedDay, called: Names
) -> list[tuple[str, int, bool]]:
    """Sessions of a block: their words, how many students, and whether the day as it is now has none like it."""
    now = {_place(each) for each in edited.sessions}
    here = [each for each in sessions if each.block == block_id]
    return sorted(
        (name_session(each, edited, called), len(each.students), each.led and _place(each) not in now) for each in here
    )


def _place(session: Session) -> tuple[str, str | None, tuple[str, ...]]:
    return session.block, session.skill, session.adults[:1]


def _note_suggested(auditor: Auditor, team_id: str) -> Callable[[str], AuditEntry]:
    return lambda plan_id: auditor.entry("suggest", team_id=team_id, subject=plan_id)
