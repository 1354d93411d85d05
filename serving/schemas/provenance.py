"""What an answer rests on."""

import datetime as dt

from pydantic import Field

from serving.schemas.body import Body


class ModelVersion(Body):
    """What forecast; every figure of one answer is of this one version."""

    run_id: str = Field(description="of the training that made both", examples=["6f1c0f4f0d0e4a0e8a3a1f1e2d3c4b5a"])
    struggle_version: int = Field(description="in the registry", examples=[3])
    mastery_version: int = Field(description="in the registry", examples=[3])


class Provenance(Body):
    """What an answer rests on."""

    model: ModelVersion = Field(description="what forecast")
    data_as_of: dt.datetime | None = Field(
        description="UTC; null for a log without a clock", examples=["2026-03-15T21:58:07Z"]
    )
    data_version: str = Field(description="of the event log", examples=["12"])
    live_events_through: int | None = Field(
        default=None,
        description="number of the last live event that was looked at; null where only the night's profiles are known",
        examples=[4711],
    )
    profiles: str = Field(
        description="name of the published profiles; another model than the one that serves sees the same students at "
        "the same moment, in profiles of its own",
        examples=["20260315T215807Z-12"],
    )
