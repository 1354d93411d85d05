"""The bodies by which one late or new student is given a place."""

from typing import Literal

from pydantic import Field

from serving.schemas.body import Body
from serving.schemas.changes import PriceOut
from serving.schemas.sessions import MOST_SESSIONS, SessionIn, SessionSeats


class PlacementRequest(Body):
    """One student who came late, or is new."""

    student_id: str = Field(
        min_length=1, description="of the team, absent or not, or new to the school", examples=["s0412"]
    )
    block_ids: list[str] | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="blocks in which to find a place, the student being there; null: all in which the plan has the "
        "student, and all of the day for a student who was away or is new",
        examples=[["mon-2", "mon-3"]],
    )
    sessions: list[SessionIn] | None = Field(
        default=None,
        max_length=MOST_SESSIONS,
        description="the day as it is held; null: as it was decided, or else as it was suggested",
    )


class PlaceOut(Body):
    """One session that the hard rules let the student join."""

    session: SessionSeats = Field(description="with the student in it")
    opened: bool = Field(description="whether it is a further online station", examples=[False])
    price: PriceOut = Field(description="what the place adds to the day without the student in these blocks")
    sentence: str = Field(
        description="what it does, in plain words", examples=["Online in 09:00-09:45: changes no term of the score."]
    )


class BlockPlacesOut(Body):
    """The places of one block."""

    block_id: str = Field(description="of the day", examples=["mon-2"])
    time: str = Field(description="the school's wall clock", examples=["09:50-10:35"])
    places: list[PlaceOut] = Field(description="the best first; empty where no session may be joined")


class PlacementsOut(Body):
    """All places of one student while nobody else moves."""

    recommendation_id: str = Field(description="of the plan", examples=["6f1c0f4f0d0e4a0e8a3a1f1e2d3c4b5a"])
    student_id: str = Field(description="who", examples=["s0412"])
    needs_from: Literal["plan", "forecasts", "nothing"] = Field(
        description="where the student's needs come from; nothing: every skill of the day is a moderate need",
        examples=["plan"],
    )
    blocks: list[BlockPlacesOut] = Field(description="in the order of the day")
    best: list[str] | None = Field(
        description="for each block the id of a session, together the best; null where none go together, and then "
        "`explanations` tells what moving others would cost",
        examples=[["mon-2-small_group-1"]],
    )
    price: PriceOut | None = Field(description="of the best together; null likewise")
    sessions: list[SessionSeats] | None = Field(description="the day with the student in the best; null likewise")
