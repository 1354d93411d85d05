"""The bodies that tell which models serve."""

from pydantic import Field

from serving.schemas.body import Body
from serving.schemas.provenance import Provenance


class ModelsOut(Body):
    """What serves now."""

    provenance: Provenance
    students: int
    meaning: dict[str, str] = Field(description="what each forecast is the probability of")
