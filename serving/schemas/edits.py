"""What adults change in a plan, step by step, before they decide on it."""

from typing import Literal

from pydantic import Field

from serving.schemas.common import Body, StudentId
from serving.schemas.sessions import SessionSeats

MOST_STEPS = 40
"""Steps that are kept, so that they can be undone."""


class EditStep(Body):
    """One change, and the day after it."""

    action: Literal["move", "lock", "unlock", "repair"]
    student_id: StudentId | None = Field(default=None, description="who was moved; null: nobody by name")
    block_id: str | None = Field(default=None, description="block of the moved seat or the locked session")
    sessions: list[SessionSeats] = Field(description="all sessions of the day")
    locked: list[str] = Field(description="ids of sessions that a new suggestion keeps")


class Edit(Body):
    """All that was changed in a plan, the newest last; undoing takes the last step away."""

    steps: list[EditStep] = Field(default_factory=list)
