"""The team's board: the day, the students and what to take along, as pages for browsers under `/board`."""

from fastapi import FastAPI

from serving.board import balance, growth, insight, practice, sign_in, students, week
from serving.board.changes import decide, help_requests, report, seats, sessions, steps, suggest
from serving.board.day import page
from serving.board.takeaways import calendar, sheets


def add_board(app: FastAPI) -> None:
    """Answers the addresses of the board."""
    for part in (sign_in, calendar):
        app.include_router(part.open_router)
    days = (page, seats, steps, sessions, suggest, decide, report, help_requests)
    for part in (sign_in, *days, sheets, calendar, week, growth, practice, students, balance, insight):
        app.include_router(part.router)
