"""The bodies of what a team's answers say of the teaching, and of the weekly digest; adults are in neither."""

import datetime as dt
from typing import Literal

from pydantic import Field

from serving.schemas.common import Body, Probability, Provenance, SchoolDate

Kind = Literal["skill", "skill in this team", "unit", "item", "block", "product", "session kind"]


class ComparedOut(Body):
    """One skill, unit, item, block, product or kind of session beside what was to be expected."""

    key: str = Field(description="id of the skill, item or product, or what else it is called", examples=["ratios"])
    name: str = Field(description="what people call it", examples=["Ratios"])
    students: int = Field(description="students who count, at least 20", examples=[61])
    answers: int = Field(description="their first attempts", examples=[840])
    points: float = Field(
        description="right answers of 100 more (or fewer, below 0) than the same students' other answers let expect "
        "(skills) or than forecast just before (all others), beside what is usual of the kind and shrunk towards 0 by "
        "how little is known",
        examples=[-4.2],
    )
    deviations: float = Field(
        description="the same in standard errors: by chance 95 % lie within 1.96 and 99.8 % within 3.09",
        examples=[-3.4],
    )
    named: bool = Field(
        description="whether it is worth saying: skills of the school beyond 2.2, items beyond 3.09, nothing else",
        examples=[True],
    )


class FunnelOut(Body):
    """Things of one kind beside each other."""

    kind: Kind = Field(
        description="`skill`, `item` and `product` are of the whole school, the others of this team", examples=["skill"]
    )
    compared: list[ComparedOut] = Field(description="those with 20 students or more, the one furthest behind first")
    inflation: float = Field(
        description="by how much wider limits are because things of this kind differ by more than chance, 1 or more",
        examples=[1.0],
    )
    too_few: int = Field(description="how many are left out, with fewer than 20 students", examples=[3])


class ContrastOut(Body):
    """Answers before and after sessions of a kind beside similar students who waited: an association, no effect."""

    kind: str = Field(description="the kind of session", examples=["small group"])
    skill: str | None = Field(description="name of the skill; null for all together", examples=[None])
    students: int = Field(description="different students, at least 20", examples=[44])
    seats: int = Field(description="their places in sessions", examples=[97])
    before: Probability = Field(description="share right on the skill before the session", examples=[0.48])
    after: Probability = Field(description="the same in the week after it", examples=[0.61])
    waited_before: Probability = Field(description="of the students who waited, until that day", examples=[0.49])
    waited_after: Probability = Field(description="the same in the week after that day", examples=[0.57])
    difference: float = Field(description="by how much more the first share rose", examples=[0.05])
    low: float = Field(description="lower end of its 95 % interval", examples=[-0.02])
    high: float = Field(description="upper end of its 95 % interval", examples=[0.12])


class InsightOut(Body):
    """What the answers of the last three weeks say of the teaching."""

    team_id: str = Field(description="id of the team", examples=["north-7"])
    until: dt.datetime | None = Field(
        description="answers before this moment count, UTC; null where there is nothing to compare",
        examples=["2026-03-14T00:00:00Z"],
    )
    funnels: list[FunnelOut] = Field(description="one for each kind")
    contrasts: list[ContrastOut] = Field(description="by kind of session, and by kind and skill")
    provenance: Provenance


class DigestOut(Body):
    """A team's week on one page, in three forms."""

    team_id: str = Field(description="id of the team", examples=["north-7"])
    monday: SchoolDate
    subject: str = Field(description="subject of an e-mail", examples=["Team Orion: week of Mon 16 Mar 2026"])
    markdown: str = Field(
        description="the page as Markdown", examples=["# Team Orion: week of Mon 16 Mar 2026\n\n## The week\n\n- ...\n"]
    )
    html: str = Field(
        description="the page as HTML without styles", examples=["<h1>Team Orion: week of Mon 16 Mar 2026</h1>\n..."]
    )
    text: str = Field(
        description="the page as plain text, ready for an e-mail",
        examples=["Team Orion: week of Mon 16 Mar 2026\n\nTHE WEEK\n- ...\n"],
    )
