"""What every change on the board does: it is made on the version that its page showed, or the day is shown as it is."""

from collections.abc import Callable

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse
from pydantic import Field

from serving.access.visibility import find_roster
from serving.api.middleware.authenticate import BOARD
from serving.board.day.page import DayPage, day_address
from serving.board.day.view import describe_violation
from serving.board.route import MAY_USE_BOARD, BoardRoute, FormBody
from serving.board.words import Names
from serving.errors import ConflictError, NoPlanError, RequestError
from serving.plans.edits.edited_day import EditedDay, changed_meanwhile, open_edit, save_steps
from serving.schemas.edits import EditStep
from serving.store.recommendations import find_current_plan

SEE_OTHER = 303

MOST_HELP = 3
"""Ways out that the page of a day without a plan names, the cheapest first."""


def make_router() -> APIRouter:
    """A router for pages and forms about one plan."""
    return APIRouter(
        prefix=f"{BOARD}/plans", route_class=BoardRoute, include_in_schema=False, dependencies=[MAY_USE_BOARD]
    )


class Step(FormBody):
    """A step, made on a page that showed a version of the edit."""

    version: int = Field(ge=0)


def take_step(
    page: DayPage,
    recommendation_id: str,
    version: int,
    make: Callable[[EditedDay], EditStep],
    student_id: str | None = None,
) -> Response:
    """Makes one more step; what `make` gives, and else as of `change_steps`."""
    return change_steps(
        page, recommendation_id, version, lambda edited: [*edited.steps, make(edited)], student_id=student_id
    )


def change_steps(
    page: DayPage,
    recommendation_id: str,
    version: int,
    make: Callable[[EditedDay], list[EditStep]],
    *,
    student_id: str | None = None,
    more: str = "",
) -> Response:
    """Changes the steps and shows the day, or the day as it is now where somebody else was quicker.

    Args:
        page: Renders the day.
        recommendation_id: The plan.
        version: The version that the page showed on which the change was made.
        make: Gives all steps from now on.
        student_id: The student whom the step is about, for the audit log; null for several or none.
        more: Query of the page that follows.
    """
    edited = open_edit(page.planner.database, page.caller, recommendation_id)
    answer = edited.day.answer
    try:
        require_current(page, edited, version)
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
        return refuse(page, edited, error)
    return show(edited, f"&done={version + 1}{more}")


def require_current(page: DayPage, edited: EditedDay, version: int) -> None:
    """Refuses a step on a plan that the team no longer works on, or that changed since its page was made.

    Raises:
        ConflictError: It is so.
    """
    answer = edited.day.answer
    current = find_current_plan(page.planner.database, answer.team_id, answer.date)
    if current != answer.id or edited.version != version:
        raise changed_meanwhile()


def refuse(page: DayPage, edited: EditedDay, error: ConflictError | RequestError) -> Response:
    """The day as it is now, with what could not be done and why."""
    answer = edited.day.answer
    field = getattr(error, "more", {}).get("field")
    sentence = str(error).removeprefix(f"{field}: ")
    if isinstance(error, NoPlanError):
        team, _ = find_roster(page.planner.rosters, page.caller, answer.team_id)
        called = Names.of(page.names.of_team(team))
        found = [str(relaxation["detail"]) for relaxation in error.more.get("relaxations", ())]
        helps = [describe_violation(each, edited, called) for each in found]
        sentence = " ".join(["No plan keeps every rule like this.", *(helps[:MOST_HELP] or [sentence])])
    return page.respond(answer.team_id, answer.date, problem=sentence, status=error.status)


def show(edited: EditedDay, more: str = "") -> Response:
    """Sends the browser to the day."""
    answer = edited.day.answer
    return RedirectResponse(day_address(answer.team_id, answer.date, more), status_code=SEE_OTHER)
