"""The team's board: the day, the students and what to take along, as pages for browsers under `/board`."""

from fastapi import FastAPI

from serving.board import changes, days, sheets, sign_in, students


def add_board(app: FastAPI) -> None:
    """Answers the addresses of the board."""
    for router in (sign_in.open_router, sign_in.router, days.router, changes.router, sheets.router, students.router):
        app.include_router(router)
