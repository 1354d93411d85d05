"""`/board/plans/{id}/help`: who works independently and asks for an adult, and who waits."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from fastapi import Response
from fastapi.responses import RedirectResponse

from serving.api.dependencies import PlanInPath
from serving.api.middleware.authenticate import BOARD
from serving.board.changes.take_step import make_router
from serving.board.day.page import CurrentDayPage, DayPage, day_address
from serving.board.pages import render
from serving.board.route import CurrentForm, FormBody
from serving.plans.practice.help_requests import Note, ask_for_help, end_help, find_on_call, read_help
from serving.schemas.people.help_requests import HelpRequestIn
from serving.schemas.texts import Identity

router = make_router()


class AskForm(FormBody):
    """Who asks, and in which block."""

    student_id: Identity
    block_id: Identity


class EndForm(FormBody):
    """Which request ends, and the adult who came; null: none."""

    request_id: Identity
    staff_id: Identity | None = None


@router.get("/{recommendation_id}/help")
def show_help(recommendation_id: PlanInPath, page: CurrentDayPage) -> Response:
    """Who asked and waited, and who could ask."""
    edited, called = page.open(recommendation_id)
    day, requests = read_help(page.planner, page.caller, recommendation_id)
    answer, now = day.answer, datetime.now(UTC)
    page.auditor.note("read_help", team_id=answer.team_id, subject=recommendation_id)
    times = {block.id: block.label for block in day.problem.blocks}
    waiting = {each.student_id for each in requests if each.ended_at is None}
    blocks: list[dict[str, Any]] = [
        {
            "id": block.id,
            "time": block.label,
            "students": sorted(
                (called.student(student), student)
                for session in day.current
                if session.block == block.id and not session.led
                for student in session.students
                if student not in waiting
            ),
        }
        for block in day.problem.blocks
    ]
    return render(
        page.request,
        "help.html",
        answer=answer,
        back=day_address(answer.team_id, answer.date),
        counts=edited.decision in {"accepted", "edited"} and not edited.awaits_signature and answer.date <= now.date(),
        requests=[
            {
                "id": each.request_id,
                "name": called.student(each.student_id),
                "time": times.get(each.block_id, each.block_id),
                "on_call": [called.adult(one) for one in find_on_call(day, each.student_id, each.block_id)],
                "came": None if each.staff_id is None else called.adult(each.staff_id),
                "waits": each.ended_at is None,
                "minutes": each.waited_seconds(now) // 60,
            }
            for each in requests
        ],
        blocks=[block for block in blocks if block["students"]],
        adults=sorted((called.adult(adult.id), adult.id) for adult in day.problem.adults),
    )


@router.post("/{recommendation_id}/help")
def ask(recommendation_id: PlanInPath, form: CurrentForm, page: CurrentDayPage) -> Response:
    """Stores that a student asks."""
    sent: AskForm = form.read(AskForm)
    body = HelpRequestIn(student_id=sent.student_id, block_id=sent.block_id)
    ask_for_help(page.planner, page.caller, recommendation_id, body, _note(page, "ask_for_help", recommendation_id))
    return _show(recommendation_id)


@router.post("/{recommendation_id}/help/end")
def end(recommendation_id: PlanInPath, form: CurrentForm, page: CurrentDayPage) -> Response:
    """Ends a request."""
    sent: EndForm = form.read(EndForm)
    note = _note(page, "end_help", recommendation_id)
    end_help(page.planner, page.caller, recommendation_id, sent.request_id, sent.staff_id, note)
    return _show(recommendation_id)


def _note(page: DayPage, action: str, plan_id: str) -> Note:
    return lambda team_id, student: page.auditor.entry(action, team_id=team_id, student_id=student, subject=plan_id)


def _show(plan_id: str) -> Response:
    return RedirectResponse(f"{BOARD}/plans/{plan_id}/help", status_code=HTTPStatus.SEE_OTHER)
