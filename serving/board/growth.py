"""`/board/growth`: the stages of a team's adults, such as a teacher's residency; the coach signs the next one."""

from datetime import date
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from serving.access.visibility import find_roster
from serving.api.middleware.authenticate import BOARD
from serving.board.day.page import CurrentDayPage, DayPage, TeamQuery, day_address
from serving.board.pages import render
from serving.board.route import MAY_USE_BOARD, BoardRoute, CurrentForm, FormBody
from serving.board.words import Names
from serving.errors import RequestError
from serving.plans.practice.growth import Growth, may_sign, plan_growth, read_growth, sign_stage
from serving.schemas.common import SchoolDate
from serving.schemas.people.growth import GrowthRequest, StageName, StageSignature
from serving.schemas.texts import Identity
from serving.store.practice.growth import Stage

router = APIRouter(
    prefix=f"{BOARD}/growth", route_class=BoardRoute, include_in_schema=False, dependencies=[MAY_USE_BOARD]
)

STEPS = ("observe", "co_lead", "lead:2", "lead:4", "lead:6", "own_groups")
"""The stages that the page offers; a timeline of other ones is written over HTTP."""

WORDS = {
    "observe": "observes the coach",
    "co_lead": "leads beside the coach",
    "own_groups": "leads groups of their own",
}


class TimelineForm(FormBody):
    """Stages of an adult, each with its planned first day; blank for those that are left out."""

    team_id: Identity
    staff_id: Identity
    observe: SchoolDate | None = None
    co_lead: SchoolDate | None = None
    lead_2: SchoolDate | None = None
    lead_4: SchoolDate | None = None
    lead_6: SchoolDate | None = None
    own_groups: SchoolDate | None = None


class SignForm(FormBody):
    """The stage that is signed."""

    team_id: Identity
    staff_id: Identity
    stage: StageName
    most: int | None = None


@router.get("")
def show_growth(page: CurrentDayPage, team_id: TeamQuery) -> Response:
    """The timelines of a team's adults."""
    team, _ = find_roster(page.planner.rosters, page.caller, team_id)
    page.auditor.note("read_growth", team_id=team_id)
    called = Names.of(page.names.of_team(team))
    found = read_growth(page.planner, team, date.today())  # noqa: DTZ011 - the school's own day
    return render(
        page.request,
        "growth.html",
        team=team,
        day=None,
        day_address=day_address,
        adults=[_view(page, each, called) for each in found],
        steps=[(step.replace(":", "_"), describe_stage(*_read_step(step))) for step in STEPS],
    )


@router.post("/timeline")
def write_timeline(form: CurrentForm, page: CurrentDayPage) -> Response:
    """Stores the timeline of an adult."""
    sent: TimelineForm = form.read(TimelineForm)
    stages = [
        {"stage": name, "most": most, "from_date": first}
        for name, most, first in ((*_read_step(step), getattr(sent, step.replace(":", "_"))) for step in STEPS)
        if first is not None
    ]
    try:
        body = GrowthRequest.model_validate({"staff_id": sent.staff_id, "stages": stages})
    except ValueError as error:
        detail = "a stage must not begin before the one above it; change its day"
        raise RequestError("invalid_request", detail, field="stages") from error
    plan_growth(
        page.planner,
        page.caller,
        sent.team_id,
        body,
        lambda adult: page.auditor.entry("plan_growth", team_id=sent.team_id, subject=adult),
    )
    return _show(sent.team_id)


@router.post("/sign")
def sign(form: CurrentForm, page: CurrentDayPage) -> Response:
    """Signs the next stage of an adult."""
    sent: SignForm = form.read(SignForm)
    try:
        body = StageSignature(staff_id=sent.staff_id, stage=sent.stage, most=sent.most)
    except ValueError as error:
        raise RequestError("invalid_request", "stage: there is no such stage; read the page again") from error
    sign_stage(
        page.planner,
        page.caller,
        sent.team_id,
        body,
        lambda adult: page.auditor.entry("sign_stage", team_id=sent.team_id, subject=adult),
    )
    return _show(sent.team_id)


def describe_stage(stage: StageName, most: int | None) -> str:
    """A stage in words.

    Example:
        >>> describe_stage("lead", 2)
        'leads up to 2 students'
    """
    return f"leads up to {most} students" if stage == "lead" else WORDS[stage]


def _read_step(step: str) -> tuple[Any, int | None]:
    stage, _, most = step.partition(":")
    return stage, int(most) if most else None


def _view(page: DayPage, growth: Growth, called: Names) -> dict[str, Any]:
    """An adult with their stages in words."""
    coach = growth.adult.coach

    def signature(stage: Stage) -> str:
        by = "" if stage.signed_by is None else f" by {called.adult(stage.signed_by)}"
        return (
            f"signed on {stage.signed_on:%a} {stage.signed_on.day} {stage.signed_on:%b}{by}" if stage.signed_on else ""
        )

    return {
        "id": growth.adult.staff_id,
        "name": called.adult(growth.adult.staff_id),
        "coach": None if coach is None else called.adult(coach),
        "may_sign": may_sign(page.caller, growth.adult),
        "now": growth.now,
        "next": growth.next,
        "stages": [(each, describe_stage(*each.stage.name), signature(each.stage)) for each in growth.stages],
        "dates": dict.fromkeys((step.replace(":", "_") for step in STEPS), None)
        | {"_".join(str(part) for part in each.stage.name if part): each.stage.from_date for each in growth.stages},
    }


def _show(team_id: str) -> Response:
    return RedirectResponse(f"{BOARD}/growth?team_id={quote(team_id, safe='')}", status_code=HTTPStatus.SEE_OTHER)
