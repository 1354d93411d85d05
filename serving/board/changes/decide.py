"""`/board/plans/{id}/decision` and `…/signature`: the day is accepted, put aside, or signed by the team's leader."""

from typing import Literal

from fastapi import Response

from serving.access.caller import Scope
from serving.api.dependencies import PlanInPath
from serving.board.changes.take_step import Step, make_router, refuse, require_current, show
from serving.board.day.page import CurrentDayPage
from serving.board.route import CurrentForm
from serving.errors import ConflictError, ForbiddenError, RequestError
from serving.plans.edits.decide import decide_edit
from serving.plans.edits.edited_day import open_edit
from serving.plans.stored_plan import sign_plan
from serving.schemas.texts import Note

router = make_router()


class DecideForm(Step):
    """What is decided."""

    decision: Literal["accept", "reject"]
    note: Note | None = None


@router.post("/{recommendation_id}/decision")
def decide(recommendation_id: PlanInPath, form: CurrentForm, page: CurrentDayPage) -> Response:
    """Accepts the day as it is now, or puts a suggestion aside so that the one before it is back."""
    sent: DecideForm = form.read(DecideForm)
    edited = open_edit(page.planner.database, page.caller, recommendation_id)
    try:
        require_current(page, edited, sent.version)
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
        return refuse(page, edited, error)
    return show(edited, f"&done={sent.version + 1}" if sent.decision == "accept" else "")


@router.post("/{recommendation_id}/signature")
def sign(recommendation_id: PlanInPath, form: CurrentForm, page: CurrentDayPage) -> Response:
    """Signs an accepted day as the team's leader, so that it counts."""
    sent: Step = form.read(Step)
    edited = open_edit(page.planner.database, page.caller, recommendation_id)
    if Scope.SIGN not in page.caller.scopes:
        detail = "only the team's leader signs a day; ask whoever runs regroup for a link made with --leader"
        raise ForbiddenError("scope_missing", detail)
    try:
        require_current(page, edited, sent.version)
        sign_plan(
            page.planner.database,
            page.caller,
            recommendation_id,
            note=lambda team_id: page.auditor.entry("sign", team_id=team_id, subject=recommendation_id),
        )
    except (ConflictError, RequestError) as error:
        return refuse(page, edited, error)
    return show(edited, f"&done={sent.version}")
