"""`/board/plans/{id}/sheets`, `…/day.csv` and `…/day.xlsx`: the day to take along, on paper or as a table."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from serving.api.dependencies import PlanInPath
from serving.api.middleware.authenticate import BOARD
from serving.board.day.page import CurrentDayPage, day_address
from serving.board.day.view import BlockView, Card, view_blocks
from serving.board.pages import HEADERS, render
from serving.board.route import MAY_USE_BOARD, BoardRoute
from serving.board.takeaways.xlsx import MEDIA_TYPE, write_workbook

router = APIRouter(
    prefix=f"{BOARD}/plans/{{recommendation_id}}",
    route_class=BoardRoute,
    include_in_schema=False,
    dependencies=[MAY_USE_BOARD],
)

COLUMNS = ("date", "time", "session", "type", "purpose", "adults", "room", "aim", "student_id", "student")

MANY_SEATS = 90
"""Seats of one sheet from which on it is printed smaller, so that it stays one page."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""First characters by which a spreadsheet takes a text for a formula."""


class OpenDay:
    """The day of a plan with the names that the caller may see; reading it is noted.

    Attributes:
        edited: The day.
        called: Names of its people.
    """

    def __init__(self, recommendation_id: PlanInPath, page: CurrentDayPage) -> None:
        self.edited, self.called = page.open(recommendation_id)
        team_id = self.edited.day.answer.team_id
        page.auditor.note("read_recommendation", team_id=team_id, subject=recommendation_id)

    def list_rows(self) -> Iterator[list[str]]:
        """Yields the head of the table of the day, and a row for each seat; names are empty without a vault."""
        yield [*COLUMNS]
        for block in view_blocks(self.edited, self.called):
            for card in (*block.led, *block.lane):
                shared = (
                    str(self.edited.day.answer.date),
                    block.time,
                    card.title,
                    card.kind,
                    card.purpose,
                    " and ".join(card.adults),
                    card.room or "",
                    card.aim or "",
                )
                for seat in card.seats:
                    yield [*shared, seat.student_id, self.called.students.get(seat.student_id, "")]


CurrentOpenDay = Annotated[OpenDay, Depends(OpenDay)]


@router.get("/sheets")
def show_sheets(
    request: Request, day: CurrentOpenDay, by: Annotated[Literal["adult", "room", "student"], Query()] = "adult"
) -> Response:
    """A sheet for each adult or each room, or one list of all students, to print."""
    answer, blocks = day.edited.day.answer, view_blocks(day.edited, day.called)
    return render(
        request,
        "sheets.html",
        answer=answer,
        by=by,
        many=MANY_SEATS,
        sheets=[] if by == "student" else _make_sheets(blocks, by),
        times=[block.time for block in blocks],
        students=_list_students(blocks) if by == "student" else [],
        decided=day.edited.decision is not None and not day.edited.awaits_signature,
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


def _list_students(blocks: Sequence[BlockView]) -> list[tuple[str, Mapping[str, Card]]]:
    """Each student's sessions by the time of their blocks."""
    found: dict[tuple[str, str], dict[str, Card]] = defaultdict(dict)
    for block in blocks:
        for card in (*block.led, *block.lane):
            for seat in card.seats:
                found[seat.name, seat.student_id][block.time] = card
    return [(name, cards) for (name, _), cards in sorted(found.items(), key=lambda each: each[0][0].casefold())]


@router.get("/day.csv")
def read_csv(day: CurrentOpenDay) -> Response:
    """The day as a table with a row for each seat."""
    text = io.StringIO()
    csv.writer(text).writerows([_no_formula(cell) for cell in row] for row in day.list_rows())
    return _attach(day, "csv", text.getvalue().encode(), "text/csv; charset=utf-8")


@router.get("/day.xlsx")
def read_workbook(day: CurrentOpenDay) -> Response:
    """The same as a workbook."""
    content = write_workbook(f"Day {day.edited.day.answer.date}", day.list_rows())
    return _attach(day, "xlsx", content, MEDIA_TYPE)


def _attach(day: OpenDay, ending: str, content: bytes, media_type: str) -> Response:
    file = f'attachment; filename="day-{day.edited.day.answer.date}.{ending}"'
    return Response(content, media_type=media_type, headers=HEADERS | {"Content-Disposition": file})


def _no_formula(text: str) -> str:
    """A cell that no spreadsheet computes.

    Example:
        >>> _no_formula("=1+1"), _no_formula("Mia")
        ("'=1+1", 'Mia')
    """
    return f"'{text}" if text.startswith(FORMULA) else text
