"""The team's board: the day, the students and what to take along, as pages for browsers under `/board`."""

from fastapi import FastAPI

from serving.board import sign_in, students
from serving.board.changes import decide, seats, sessions, steps, suggest
from serving.board.day import page
from serving.board.takeaways import sheets


def add_board(app: FastAPI) -> None:
    """Answers the addresses of the board."""
    app.include_router(sign_in.open_router)
    for part in (sign_in, page, seats, steps, sessions, suggest, decide, sheets, students):
        app.include_router(part.router)
