"""`/livez`, `/readyz`, `/metrics` and `/v1/models`: the state of the service."""

from datetime import UTC, datetime

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from serving.access.caller import Scope
from serving.api.dependencies import CurrentDrain, CurrentSnapshot, require_scope
from serving.api.gated_route import GatedRoute
from serving.api.problems import problem_responses
from serving.api.responses.recommendations import to_provenance
from serving.schemas.common import ModelsOut, ReadyOut
from serving.telemetry.metrics import render_metrics

health_router = APIRouter(tags=["operations"])


@health_router.get("/livez")
async def live() -> dict[str, str]:
    """Answers while the process is alive."""
    return {"status": "alive"}


@health_router.get("/readyz", responses=problem_responses(503))
def ready(snapshot: CurrentSnapshot, drain: CurrentDrain) -> ReadyOut:
    """Answers 200 while models and profiles are loaded and the process is not about to stop, however old they are."""
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
    """Reads the Prometheus metrics of all processes of this service; no label holds an id."""
    return Response(render_metrics(), media_type=CONTENT_TYPE_LATEST)


models_router = APIRouter(prefix="/v1/models", route_class=GatedRoute, tags=["models"])


@models_router.get("", dependencies=[require_scope(Scope.READ)], responses=problem_responses(503))
def read_models(snapshot: CurrentSnapshot) -> ModelsOut:
    """Reads the versions, the data and the meaning of the forecasts that serve now."""
    return ModelsOut(
        provenance=to_provenance(snapshot),
        students=len(snapshot.students),
        meaning={
            name: str(model.manifest["meaning"])
            for name, model in (("struggle", snapshot.struggle), ("mastery", snapshot.mastery))
        },
    )
