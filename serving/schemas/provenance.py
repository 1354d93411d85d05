"""What an answer rests on."""

import datetime as dt

from pydantic import Field

from serving.schemas.body import Body


class ModelVersion(Body):
    """What forecast; every figure of one answer is of this one version."""

    run_id: str
    struggle_version: int
    mastery_version: int


class Provenance(Body):
    """What an answer rests on."""

    model: ModelVersion
    data_as_of: dt.datetime | None = Field(description="UTC; null for a log without a clock")
    data_version: str
    live_events_through: int | None = Field(
        default=None,
        description="number of the last live event that was looked at; null where only the night's profiles are known",
        examples=[4711],
    )
    profiles: str = Field(description="name of the published profiles")
