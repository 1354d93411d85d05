"""Liveness, readiness and metrics."""

from datetime import UTC, datetime

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from serving.dependencies import CurrentDraining, CurrentSnapshot
from serving.metering import tell_metrics
from serving.refusals import tell_problems
from serving.schemas.health import ReadyOut

router = APIRouter(tags=["operations"])


@router.get("/livez")
async def live() -> dict[str, str]:
    """Whether the process answers at all."""
    return {"status": "alive"}


@router.get("/readyz", responses=tell_problems(503))
def ready(snapshot: CurrentSnapshot, draining: CurrentDraining) -> ReadyOut:
    """Whether a model and profiles are loaded and the process is not about to stop; an old model is still ready."""
    draining.require_not_begun()
    as_of = snapshot.data_as_of
    return ReadyOut(
        run_id=snapshot.champion.run_id,
        source=snapshot.source,
        profiles=snapshot.publication,
        data_as_of=as_of,
        profiles_age_seconds=None if as_of is None else int((datetime.now(UTC) - as_of).total_seconds()),
    )


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics() -> Response:
    """Prometheus metrics of all processes of this service; no label holds an id."""
    return Response(tell_metrics(), media_type=CONTENT_TYPE_LATEST)
