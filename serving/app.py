"""The application: settings in, routes and watcher wired together."""

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from features.database import Database
from features.errors import RegroupError
from serving.access.key_cache import Keyring
from serving.access.rate import RateLimit
from serving.api.middleware.audit_gate import AuditGate
from serving.api.middleware.authenticate import Authentication
from serving.api.middleware.body_limit import BodyLimit
from serving.api.middleware.request_log import RequestLog
from serving.api.problems import Service, install_error_handlers, name_operation, problem_responses
from serving.api.routes import changes, decisions, events, operations, recommendations, students, teams
from serving.audit.spool import Spool
from serving.audit.writer import AuditLog
from serving.errors import NotReadyError
from serving.grouping import warm_up
from serving.lifecycle import Draining, Watcher
from serving.models.hot_swap import HotSwap, LastGood
from serving.models.live import LiveEvents
from serving.models.sources import source_of
from serving.plans.queue import SolverQueue
from serving.settings import Settings, read_settings
from serving.store.roster_cache import RosterCache
from serving.telemetry.metrics import forget_ended_processes

logger = logging.getLogger("regroup")

CORS: dict[str, Any] = {
    "allow_methods": ["GET", "POST"],
    "allow_headers": ["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "X-Request-ID"],
    "expose_headers": ["ETag", "Location", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID"],
}
"""What a web page of an origin that is allowed may send and see."""

EVENTS = ("/v1/events", "/v1/events/xapi", "/v1/events/caliper")
"""Addresses that take large bodies."""

SWITCH_S = 0.001
"""After which a thread lets others run, instead of 5 ms: each look at the database gives way and has to come back."""

GARBAGE = 5_000, 20, 1_000_000
"""Thresholds of Python's collector: it goes through everything that is new since the start, which takes 20 ms, by the
clock and not with every twentieth request."""

TIDY_S = 60.0
"""Between two times that this is done."""

CHECKPOINT_S = 2.0
"""Seconds between two checkpoints of a SQLite file."""

ABOUT = """Suggests which students of a team to bring together, on which skill, with which adult, when and where, and
why. The adults decide. Errors are `application/problem+json`; times are UTC; null means not observed."""


def create_app(settings: Settings | None = None, say: Callable[[str], None] = logger.debug) -> FastAPI:
    """Builds the service; nothing is read before it starts.

    Args:
        settings: Where homes and stores are; from the environment if not given.
        say: Called with each step of the start, in a few words.
    """
    settings = settings or read_settings()
    database = Database(settings.home.database_url(), settings.connections)
    rosters = RosterCache(database, settings.poll_seconds)
    live = LiveEvents(settings.home, database)
    snapshots = HotSwap(
        source_of(settings),
        settings.poll_seconds,
        live.prepare,
        LastGood(settings.home) if settings.bundle is None else None,
    )
    keyring = Keyring(database, settings.keys_fresh_seconds, settings.keys_stale_seconds)
    draining = Draining(settings.drain_seconds)
    audit = AuditLog(Spool(settings.home.audit), database)

    def fold_ahead() -> None:
        with suppress(NotReadyError):
            live.look_ahead(snapshots.current())

    watchers = (
        Watcher("live-events", fold_ahead, settings.fold_seconds),
        Watcher("database", database.checkpoint, CHECKPOINT_S),
        Watcher("garbage", gc.collect, TIDY_S),
    )

    @asynccontextmanager
    async def run(_: FastAPI) -> AsyncIterator[None]:
        sys.setswitchinterval(SWITCH_S)
        draining.listen()
        await asyncio.to_thread(_load, say, database, keyring, audit, snapshots)
        gc.collect()
        gc.freeze()  # what is there now stays; to go through all of it again would hold a request up for .2 s
        usual = gc.get_threshold()
        gc.set_threshold(*GARBAGE)
        for each in (snapshots, rosters, *watchers):
            each.start()
        yield
        gc.set_threshold(*usual)
        gc.unfreeze()
        for running in (*watchers, snapshots, rosters, keyring, audit):
            running.stop()
        database.close()

    app = Service(
        title="regroup",
        version="1",
        description=ABOUT,
        lifespan=run,
        responses=problem_responses(422),
        redoc_url=None,  # one page of the contract is enough
        swagger_ui_oauth2_redirect_url=None,
        generate_unique_id_function=name_operation,
    )
    app.state.settings = settings
    app.state.snapshots = snapshots
    app.state.database = database
    app.state.audit = audit
    app.state.live = live
    app.state.draining = draining
    app.state.rosters = rosters
    app.state.solver_queue = SolverQueue(settings.planners, settings.queue, settings.queue_seconds)
    install_error_handlers(app)
    for router in (
        recommendations.router,
        changes.router,
        decisions.router,
        teams.router,
        students.router,
        events.router,
        operations.models_router,
    ):
        app.include_router(router, responses=problem_responses(401, 403, 413, 429, 503))
    app.include_router(operations.health_router)
    _stand_before(app, settings, keyring)
    return app


def _load(
    say: Callable[[str], None], database: Database, keyring: Keyring, audit: AuditLog, snapshots: HotSwap
) -> None:
    """Does what takes long before the first request, so that no request waits for it."""
    forget_ended_processes()
    say("loading the planner")
    warm_up()
    say("opening the database")
    try:
        database.migrate()
    except RegroupError as error:
        logger.warning("the database is looked for again with the first change: %s", error)
    keyring.start()
    audit.start()
    say("loading the model")
    snapshots.refresh()


def _stand_before(app: FastAPI, settings: Settings, keyring: Keyring) -> None:
    """Puts before the routes what every request goes through."""
    # the last one stands outermost: an id and a line for every request, then who asks, then how much is read
    app.add_middleware(AuditGate)
    app.add_middleware(
        BodyLimit, most_bytes=settings.body_bytes, by_path=dict.fromkeys(EVENTS, settings.events_body_bytes)
    )
    app.add_middleware(Authentication, keyring=keyring, rate=RateLimit(settings.per_minute), open_here=settings.open)
    if settings.cors_origins:
        app.add_middleware(CORSMiddleware, allow_origins=settings.cors_origins, **CORS)
    app.add_middleware(RequestLog)
