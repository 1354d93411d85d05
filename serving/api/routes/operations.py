"""`/v1/models`: what serves now."""

from datetime import UTC, datetime

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from serving.access.caller import Scope
from serving.api.dependencies import CurrentDrain, CurrentSnapshot, require_scope
from serving.api.problems import problem_responses
from serving.api.responses.recommendations import to_provenance
from serving.schemas.common import ModelsOut, ReadyOut
from serving.telemetry.metrics import render_metrics

health_router = APIRouter(tags=["operations"])


@health_router.get("/livez")
async def live() -> dict[str, str]:
    """Whether the process answers at all."""
    return {"status": "alive"}


@health_router.get("/readyz", responses=problem_responses(503))
def ready(snapshot: CurrentSnapshot, drain: CurrentDrain) -> ReadyOut:
    """Whether a model and profiles are loaded and the process is not about to stop; an old model is still ready."""
    drain.require_not_begun()
    as_of = snapshot.data_as_of
    return ReadyOut(
        run_id=snapshot.champion.run_id,
        source=snapshot.source,
        profiles=snapshot.publication,
        data_as_of=as_of,
        profiles_age_seconds=None if as_of is None else int((datetime.now(UTC) - as_of).total_seconds()),
    )


@health_router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics() -> Response:
    """Prometheus metrics of all processes of this service; no label holds an id."""
    return Response(render_metrics(), media_type=CONTENT_TYPE_LATEST)


models_router = APIRouter(prefix="/v1/models", tags=["models"])


@models_router.get("", dependencies=[require_scope(Scope.READ)], responses=problem_responses(503))
def read_models(snapshot: CurrentSnapshot) -> ModelsOut:
    """Versions, data and meaning of the forecasts that serve now."""
    return ModelsOut(
        provenance=to_provenance(snapshot),
        students=len(snapshot.students),
        meaning={
            name: str(model.manifest["meaning"])
            for name, model in (("struggle", snapshot.struggle), ("mastery", snapshot.mastery))
        },
    )
