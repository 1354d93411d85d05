"""`/board/plans/{id}/sheets` and `…/day.csv`: the day to take along, one page for each adult or room."""

import csv
import io
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from serving.access.visibility import find_roster
from serving.api.dependencies import Auditor, CurrentAuditor, CurrentCaller, CurrentPlanner, PlanInPath
from serving.api.middleware.authenticate import BOARD
from serving.api.names import CurrentNames, NameReader
from serving.board.day.page import day_address
from serving.board.day.view import BlockView, Card, view_blocks
from serving.board.pages import HEADERS, render
from serving.board.route import MAY_USE_BOARD, BoardRoute
from serving.board.words import Names
from serving.plans.edits.edited_day import EditedDay, open_edit
from serving.plans.recommend import Planner

router = APIRouter(
    prefix=f"{BOARD}/plans/{{recommendation_id}}",
    route_class=BoardRoute,
    include_in_schema=False,
    dependencies=[MAY_USE_BOARD],
)

COLUMNS = ("date", "time", "session", "type", "purpose", "adults", "room", "student_id", "student")

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""First characters by which a spreadsheet takes a text for a formula."""


def _open(
    planner: Planner, caller: CurrentCaller, auditor: Auditor, names: NameReader, recommendation_id: str
) -> tuple[EditedDay, Names]:
    edited = open_edit(planner.database, caller, recommendation_id)
    team_id = edited.day.answer.team_id
    auditor.note("read_recommendation", team_id=team_id, subject=recommendation_id)
    team, _ = find_roster(planner.rosters, caller, team_id)
    return edited, Names.of(names.of_team(team))


@router.get("/sheets")
def show_sheets(
    request: Request,
    recommendation_id: PlanInPath,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    planner: CurrentPlanner,
    names: CurrentNames,
    by: Annotated[Literal["adult", "room"], Query()] = "adult",
) -> Response:
    """A sheet for each adult, or for each room, to print."""
    edited, called = _open(planner, caller, auditor, names, recommendation_id)
    answer = edited.day.answer
    return render(
        request,
        "sheets.html",
        answer=answer,
        by=by,
        sheets=_make_sheets(view_blocks(edited, called), by),
        decided=edited.decision is not None,
        back=day_address(answer.team_id, answer.date),
    )


def _make_sheets(blocks: list[BlockView], by: str) -> list[tuple[str, list[tuple[str, Card]]]]:
    """The sessions of the day by who leads or supervises them, or by where they are."""
    sheets: dict[str, list[tuple[str, Card]]] = {}
    for block in blocks:
        for card in (*block.led, *block.lane):
            for whose in card.adults if by == "adult" else [card.room] if card.room is not None else []:
                sheets.setdefault(whose, []).append((block.time, card))
    return sorted(sheets.items(), key=lambda sheet: sheet[0].casefold())


@router.get("/day.csv")
def read_csv(
    recommendation_id: PlanInPath,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    planner: CurrentPlanner,
    names: CurrentNames,
) -> Response:
    """The day as a table with a row for each seat; names are empty without a vault."""
    edited, called = _open(planner, caller, auditor, names, recommendation_id)
    answer = edited.day.answer
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(COLUMNS)
    for block in view_blocks(edited, called):
        for card in (*block.led, *block.lane):
            shared = (
                answer.date,
                block.time,
                card.title,
                card.kind,
                card.purpose,
                " and ".join(card.adults),
                card.room,
            )
            for seat in card.seats:
                table.writerow(
                    [_no_formula(cell) for cell in (*shared, seat.student_id, called.students.get(seat.student_id))]
                )
    file = f'attachment; filename="day-{answer.date}.csv"'
    return Response(
        text.getvalue(), media_type="text/csv; charset=utf-8", headers=HEADERS | {"Content-Disposition": file}
    )


def _no_formula(cell: object) -> str:
    """A cell that no spreadsheet computes.

    Example:
        >>> _no_formula("=1+1"), _no_formula(None), _no_formula("Mia")
        ("'=1+1", '', 'Mia')
    """
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(FORMULA) else text
