"""`/v1/models`: what serves now."""

from fastapi import APIRouter

from serving.access.caller import Scope
from serving.answers import tell_provenance
from serving.dependencies import CurrentSnapshot, require
from serving.refusals import tell_problems
from serving.schemas.models import ModelsOut

router = APIRouter(prefix="/v1/models", tags=["models"])


@router.get("", dependencies=[require(Scope.READ)], responses=tell_problems(503))
def read_models(snapshot: CurrentSnapshot) -> ModelsOut:
    """Versions, data and meaning of the forecasts that serve now."""
    return ModelsOut(
        provenance=tell_provenance(snapshot),
        students=len(snapshot.students),
        meaning={
            name: str(model.manifest["meaning"])
            for name, model in (("struggle", snapshot.struggle), ("mastery", snapshot.mastery))
        },
    )
