"""The body that tells what a process serves."""

import datetime as dt
from typing import Literal

from pydantic import Field

from serving.schemas.body import Body
from serving.snapshots.parts import Source


class ReadyOut(Body):
    """A process that can answer."""

    status: Literal["ready"] = "ready"
    run_id: str = Field(description="of the models that serve", examples=["6f1c0f4f0d0e4a0e8a3a1f1e2d3c4b5a"])
    source: Source = Field(
        description="`last_good`: the registry gave nothing at the start, and a copy of what served before serves"
    )
    profiles: str = Field(description="name of the published profiles", examples=["20260315T215807Z-12"])
    data_as_of: dt.datetime | None = Field(
        description="the moment that the profiles stand for, UTC; null for a log without a clock",
        examples=["2026-03-15T21:58:07Z"],
    )
    profiles_age_seconds: int | None = Field(
        description="since that moment; below 0 before the midnight that a night takes as its own", examples=[28800]
    )
