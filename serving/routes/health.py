"""Liveness, readiness and metrics."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from serving.dependencies import CurrentDraining, CurrentSnapshot
from serving.metering import tell_metrics
from serving.refusals import tell_problems

router = APIRouter(tags=["operations"])


@router.get("/livez")
async def live() -> dict[str, str]:
    """Whether the process answers at all."""
    return {"status": "alive"}


@router.get("/readyz", responses=tell_problems(503))
def ready(snapshot: CurrentSnapshot, draining: CurrentDraining) -> dict[str, str]:
    """Whether a model and profiles are loaded and the process is not about to stop; an old model is still ready."""
    draining.require_not_begun()
    return {"status": "ready", "run_id": snapshot.champion.run_id}


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics() -> Response:
    """Prometheus metrics of all processes of this service; no label holds an id."""
    return Response(tell_metrics(), media_type=CONTENT_TYPE_LATEST)
