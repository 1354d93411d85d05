"""The application: settings in, routes and watcher wired together."""

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from prometheus_client import Counter, Histogram

from features.database import Database
from features.errors import RegroupError
from serving.errors import install_error_handlers
from serving.grouping.solve import warm_up
from serving.live import LiveEvents
from serving.refusals import tell_problems
from serving.registry import Registry
from serving.routes import events, health, models, recommendations, students, teams
from serving.settings import Settings
from serving.snapshot import SnapshotHolder

logger = logging.getLogger("regroup")

LATENCY = Histogram("regroup_request_seconds", "Time to answer, by route template.", ["method", "route"])
ANSWERS = Counter("regroup_requests_total", "Answers, by route template and status.", ["method", "route", "status"])

ABOUT = """Suggests which students of a team to bring together, on which skill, with which adult, when and where, and
why. The adults decide. Errors are `application/problem+json`; times are UTC; null means not observed."""


def create_app(settings: Settings | None = None) -> FastAPI:
    """Builds the service; nothing is read before it starts.

    Args:
        settings: Where homes and stores are; from the environment if not given.
    """
    settings = settings or Settings()
    database = Database(settings.home.database_url(), settings.connections)
    live = LiveEvents(settings.home, database)
    snapshots = SnapshotHolder(settings.home, Registry(settings.tracking), settings.poll_seconds, live.prepare)

    @asynccontextmanager
    async def run(_: FastAPI) -> AsyncIterator[None]:
        warm_up()
        try:
            database.migrate()
        except RegroupError as error:
            logger.warning("the database is looked for again with the first change: %s", error)
        snapshots.refresh()
        snapshots.start()
        yield
        snapshots.stop()
        database.close()

    app = FastAPI(title="regroup", version="1", description=ABOUT, lifespan=run, responses=tell_problems(422))
    app.state.settings = settings
    app.state.snapshots = snapshots
    app.state.database = database
    app.state.live = live
    install_error_handlers(app)
    for resource in (recommendations, teams, students, events, models, health):
        app.include_router(resource.router)

    @app.middleware("http")
    async def measure(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        begun = time.perf_counter()
        response = await answer(request)
        route = getattr(request.scope.get("route"), "path", "unknown")
        LATENCY.labels(request.method, route).observe(time.perf_counter() - begun)
        ANSWERS.labels(request.method, route, str(response.status_code)).inc()
        return response

    return app
