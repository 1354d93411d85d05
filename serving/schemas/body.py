"""What every body of the service holds to."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Probability = Annotated[float, Field(ge=0, le=1)]


class Body(BaseModel):
    """A body: no field beyond those named, and none changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)
