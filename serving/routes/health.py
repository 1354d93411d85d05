"""Liveness, readiness and metrics."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from serving.dependencies import CurrentSnapshot
from serving.refusals import tell_problems

router = APIRouter(tags=["operations"])


@router.get("/livez")
async def live() -> dict[str, str]:
    """Whether the process answers at all."""
    return {"status": "alive"}


@router.get("/readyz", responses=tell_problems(503))
def ready(snapshot: CurrentSnapshot) -> dict[str, str]:
    """Whether a model and profiles are loaded; an old model is still ready."""
    return {"status": "ready", "run_id": snapshot.champion.run_id}


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics() -> Response:
    """Prometheus metrics; no label holds an id."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
