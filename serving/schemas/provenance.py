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
    profiles: str = Field(description="name of the published profiles")
