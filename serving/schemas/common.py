"""The bodies that tell which models serve."""

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from serving.models.bundle import Source

Probability = Annotated[float, Field(ge=0, le=1)]


class Body(BaseModel):
    """A body: no field beyond those named, and none changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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


class ModelsOut(Body):
    """What serves now."""

    provenance: Provenance
    students: int
    meaning: dict[str, str] = Field(description="what each forecast is the probability of")
