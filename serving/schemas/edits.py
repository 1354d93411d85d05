"""What adults change in a plan, step by step, before they decide on it."""

from typing import Literal

from pydantic import Field

from serving.schemas.common import Body, StudentId
from serving.schemas.sessions import SessionSeats

MOST_STEPS = 40
"""Steps that are kept, so that they can be undone."""

Action = Literal["move", "swap", "change", "split", "merge", "aim", "lock", "unlock", "repair", "alternative"]


class EditStep(Body):
    """One change, and the day after it."""

    action: Action
    student_id: StudentId | None = Field(default=None, description="who was moved; null: nobody by name")
    other_student_id: StudentId | None = Field(default=None, description="with whom; null: with nobody by name")
    block_id: str | None = Field(default=None, description="block of what was changed")
    session_id: str | None = Field(default=None, description="session that was changed; null: several, or a student")
    sessions: list[SessionSeats] = Field(description="all sessions of the day")
    locked: list[str] = Field(description="ids of sessions that a new suggestion keeps")


class Edit(Body):
    """All that was changed in a plan, the newest last; undoing takes the last step away."""

    steps: list[EditStep] = Field(default_factory=list)
