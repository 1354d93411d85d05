"""`/board/plans/{id}/reports` and `…/observations`: after a session: attendance, exit check, and what a coach saw."""

from typing import Annotated, Any

from fastapi import Query, Response
from pydantic import Field

from serving.api.dependencies import PlanInPath
from serving.board.changes.take_step import make_router
from serving.board.day.page import CurrentDayPage, DayPage, day_address
from serving.board.day.view import name_session
from serving.board.pages import render
from serving.board.route import CurrentForm, FormBody
from serving.errors import ConflictError, RequestError
from serving.plans.edits.steps import require_session
from serving.plans.practice.coaching import may_observe, note_observation
from serving.plans.practice.session_reports import store_report
from serving.schemas.practice import (
    MOST_QUESTIONS,
    AttendeeIn,
    ExitAnswer,
    Happened,
    ObservationRequest,
    SessionReportRequest,
)
from serving.schemas.texts import Address, Identity, Note
from serving.store.practice.session_reports import find_report, read_reports

router = make_router()


class ReportForm(FormBody):
    """What happened; of each student with an exit check, how many of the questions were right, as `2:s0412`."""

    session_id: Identity
    happened: Happened
    asked: int = Field(default=0, ge=0, le=MOST_QUESTIONS)
    present: list[Identity] = Field(default_factory=list)
    right: list[Address] = Field(default_factory=list)


@router.get("/{recommendation_id}/reports")
def show_report(
    recommendation_id: PlanInPath, session_id: Annotated[Identity, Query()], page: CurrentDayPage
) -> Response:
    """The form of one session, with what was reported so far."""
    return _render(page, recommendation_id, session_id)


@router.post("/{recommendation_id}/reports")
def report(recommendation_id: PlanInPath, form: CurrentForm, page: CurrentDayPage) -> Response:
    """Stores the report, as the API does."""
    sent: ReportForm = form.read(ReportForm)
    edited, _ = page.open(recommendation_id)
    try:
        students = _read_students(sent, require_session(edited, sent.session_id).students)
        body = SessionReportRequest(session_id=sent.session_id, happened=sent.happened, students=students)
        store_report(
            page.planner.database,
            page.caller,
            recommendation_id,
            body,
            lambda team_id: page.auditor.entry("report_session", team_id=team_id, subject=recommendation_id),
        )
    except (ConflictError, RequestError) as error:
        return _render(page, recommendation_id, sent.session_id, problem=str(error), status=error.status)
    return _render(page, recommendation_id, sent.session_id, said="It is written down.")


class ObservationForm(FormBody):
    """What one adult saw of another."""

    session_id: Identity
    observer_id: Identity
    observed_id: Identity
    aim: Annotated[Note, Field(min_length=1)]
    feedback: Note | None = None
    next_step: Note | None = None


@router.post("/{recommendation_id}/observations")
def observe(recommendation_id: PlanInPath, form: CurrentForm, page: CurrentDayPage) -> Response:
    """Stores an observation, as the API does."""
    sent: ObservationForm = form.read(ObservationForm)
    try:
        note_observation(
            page.planner,
            page.caller,
            recommendation_id,
            ObservationRequest.model_validate(sent.model_dump()),
            lambda team_id: page.auditor.entry("observe", team_id=team_id, subject=recommendation_id),
        )
    except (ConflictError, RequestError) as error:
        return _render(page, recommendation_id, sent.session_id, problem=str(error), status=error.status)
    said = "The observation is kept. The pair and the leader find it on the week's page; nobody else does."
    return _render(page, recommendation_id, sent.session_id, said=said)


def _read_students(sent: ReportForm, students: tuple[str, ...]) -> list[AttendeeIn]:
    """The students of a session as the form says.

    Raises:
        RequestError: More answers were right than questions were asked, or an absent student has a check.
    """
    if sent.right and sent.happened == "not_done":
        raise RequestError("not_held", "a session that was not held has no exit check; change one of the two")
    right: dict[str, int] = {}
    for each in sent.right:
        count, _, student = each.partition(":")
        if not count.isdecimal() or int(count) > sent.asked:
            detail = f"more answers are right than the {sent.asked} questions that were asked; change one of the two"
            raise RequestError("too_many_right", detail, field="right")
        if student not in sent.present:
            raise RequestError("absent", "a student who was absent has no exit check; change one of the two")
        right[student] = int(count)
    return [
        AttendeeIn(
            student_id=student,
            present=student in sent.present,
            exit_check=[ExitAnswer(correct=at < right[student]) for at in range(sent.asked)]
            if student in right
            else [],
        )
        for student in students
    ]


def _render(
    page: DayPage,
    recommendation_id: str,
    session_id: str,
    *,
    said: str | None = None,
    problem: str | None = None,
    status: int = 200,
) -> Response:
    edited, called = page.open(recommendation_id)
    session, answer = require_session(edited, session_id), edited.day.answer
    page.auditor.note("read_reports", team_id=answer.team_id, subject=recommendation_id)
    with page.planner.database.reading() as connection:
        known = find_report(read_reports(connection, recommendation_id), session_id)
    told = {} if known is None else {each.student_id: each for each in known.students}
    checks = [each.exit_check for each in told.values() if each.exit_check]
    rows: list[dict[str, Any]] = [
        {
            "student_id": student,
            "name": called.student(student),
            "present": student not in told or told[student].present,
            "right": sum(answer.correct for answer in told[student].exit_check)
            if student in told and told[student].exit_check
            else None,
        }
        for student in session.students
    ]
    adults = [adult.id for adult in edited.day.problem.adults if may_observe(page.caller, adult.id)]
    suggested = next((each for each in answer.sessions if each.id == session.id), None)
    return render(
        page.request,
        "report.html",
        status=status,
        answer=answer,
        session=session,
        title=name_session(session, edited, called),
        time=next(block.label for block in edited.day.problem.blocks if block.id == session.block),
        counts=edited.decision in {"accepted", "edited"} and not edited.awaits_signature,
        teach=None if suggested is None or suggested.teach is None else suggested.teach.exit_check,
        known=known,
        asked=max(map(len, checks), default=0),
        most=MOST_QUESTIONS,
        rows=sorted(rows, key=lambda row: row["name"].casefold()),
        observers=[(one, called.adult(one)) for one in adults],
        observed=[(one, called.adult(one)) for one in session.adults if adults != [one]],
        said=said,
        problem=problem,
        back=day_address(answer.team_id, answer.date),
    )
