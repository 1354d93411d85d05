"""The bodies of the roster: its lists, and what loading one has changed or would change."""

import datetime as dt
from typing import Annotated

from pydantic import Field, WithJsonSchema

from serving.schemas.common import BlockId, Body, StaffId, TeamId

NEXT_CURSOR = "send as `cursor` for the next page; null after the last page"


class TeamRow(Body):
    """One team of the roster."""

    team_id: TeamId
    school: str = Field(description="the school it belongs to", examples=["North Middle"])
    name: str | None = Field(description="what people call it; null where nobody said", examples=["Team Orion"])
    students: int = Field(description="students of the team, on whatever days", examples=[62])
    staff: int = Field(description="adults of the team", examples=[4])


class TeamPage(Body):
    """Some teams, in order of their ids."""

    teams: list[TeamRow] = Field(description="teams of this page, at most as many as asked for")
    next_cursor: str | None = Field(description=NEXT_CURSOR, examples=[None])


class StaffRow(Body):
    """One adult in one team."""

    staff_id: StaffId
    team_id: TeamId
    role: str = Field(description="role in the team", examples=["teacher_leader"])
    may_lead: list[str] = Field(description="session types the adult may lead", examples=[["small_group", "tutoring"]])
    skills: list[str] | None = Field(description="skills the adult may teach; null for all", examples=[None])
    max_group: int | None = Field(description="most students at once; null for no own bound", examples=[6])
    certified: bool = Field(description="may take students whose accommodations need a certified adult")
    coach: str | None = Field(description="id of the colleague who coaches the adult; null: nobody", examples=[None])


class StaffPage(Body):
    """Some adults, in order of team and id."""

    staff: list[StaffRow] = Field(description="adults of this page, at most as many as asked for")
    next_cursor: str | None = Field(description=NEXT_CURSOR, examples=[None])


WallClock = Annotated[dt.time, WithJsonSchema({"type": "string", "pattern": r"^\d\d:\d\d:\d\d"})]
"""A time of day without a zone, so not the `time` of JSON Schema, which has one."""


class BlockRow(Body):
    """One weekly block of one team, by the school's wall clock."""

    block_id: BlockId
    team_id: TeamId
    weekday: str = Field(description="`mon` to `sun`", examples=["mon"])
    start: WallClock = Field(description="when it begins", examples=["09:05:00"])
    end: WallClock = Field(description="when it ends", examples=["09:50:00"])


class BlockPage(Body):
    """Some blocks, in order of team and id."""

    blocks: list[BlockRow] = Field(description="blocks of this page, at most as many as asked for")
    next_cursor: str | None = Field(description=NEXT_CURSOR, examples=[None])


class SkillRow(Body):
    """One skill; of one that only events name, the roster says nothing."""

    skill_id: str = Field(description="id of the skill", examples=["fractions"])
    name: str | None = Field(description="what people call it; null where nobody said", examples=["Add fractions"])
    grade: str | None = Field(description="grade it belongs to; null where nobody said", examples=["7"])
    subject: str | None = Field(description="subject it belongs to; null where nobody said", examples=["Mathematics"])
    requires: list[str] = Field(description="skills that have to be ready before it", examples=[["ratios"]])


class SkillPage(Body):
    """Some skills, in order of their ids."""

    skills: list[SkillRow] = Field(description="skills of this page, at most as many as asked for")
    next_cursor: str | None = Field(description=NEXT_CURSOR, examples=[None])


class RosterChangeOut(Body):
    """What becomes of one kind of thing."""

    kind: str = Field(
        description="`teams`, `students`, `adults`, `rooms`, `blocks`, `skills` or `prerequisites`",
        examples=["students"],
    )
    stored: int = Field(description="how many were stored before", examples=[1204])
    new: int = Field(description="how many were not stored yet", examples=[12])
    changed: int = Field(description="how many are in other teams or have other facts", examples=[3])
    gone: int = Field(description="how many are stored and not in this roster", examples=[7])
    new_ids: list[str] = Field(description="ids of the new, at most 1,000; empty where it was loaded")
    changed_ids: list[str] = Field(description="ids of the changed, likewise")
    gone_ids: list[str] = Field(description="ids of the gone, likewise")


class RosterOut(Body):
    """A roster that was loaded, or what loading it would change."""

    shape: str = Field(description="what the body was taken for", examples=["OneRoster 1.2"])
    loaded: bool = Field(description="whether it is the roster now; false for a preview")
    as_of: dt.date = Field(description="day from which enrollments count", examples=["2026-09-07"])
    rows: dict[str, int] = Field(
        description="rows of each part that it says something of", examples=[{"teams": 4, "members": 248, "staff": 16}]
    )
    changes: list[RosterChangeOut] = Field(description="what becomes of each kind of thing that it says something of")
    erased_members: int = Field(description="members who were erased before; their events are still dropped")
    warnings: list[str] = Field(description="what was left out or would refuse every day, in sentences")
    questions: str | None = Field(
        description="`policy.toml` with what the roster cannot say, to fill in and send with it; null where it was "
        "loaded, and for a folder of roster files"
    )
