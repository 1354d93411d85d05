"""Builds the application: connects settings, stores, periodic tasks, middleware and routes."""

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from features.database import Database
from features.errors import RegroupError
from features.memory import collect_garbage
from features.restore import ReturnGuard
from features.roster.people.vault import find_vault
from serving.access.key_cache import KeyCache
from serving.access.rate import RateLimit
from serving.api.docs import add_docs
from serving.api.gated_route import Bodies
from serving.api.middleware.audit_gate import AuditGate
from serving.api.middleware.authenticate import Authentication
from serving.api.middleware.request_log import RequestLog
from serving.api.problems import Service, install_error_handlers, name_operation, problem_responses
from serving.api.routes import (
    changes,
    decisions,
    events,
    operations,
    recommendations,
    roster,
    school,
    statements,
    students,
    teams,
)
from serving.api.routes.practice import (
    coaching,
    goals,
    growth,
    help_requests,
    insight,
    playlist,
    relationships,
    session_reports,
    wishes,
)
from serving.audit.spool import Spool
from serving.audit.writer import AuditLog
from serving.board import add_board
from serving.board.signed_in import Sessions
from serving.errors import NotReadyError
from serving.grouping import warm_up
from serving.lifecycle import Drain, PeriodicTask
from serving.models.hot_swap import HotSwap, LastGood
from serving.models.live import LiveEvents
from serving.models.published.sources import source_of
from serving.models.published.trial import Trials
from serving.plans.turns.queue import SolverQueue
from serving.settings import Settings, read_settings
from serving.store.retention import Retention
from serving.store.roster_cache import RosterCache
from serving.telemetry.metrics import forget_ended_processes

logger = logging.getLogger("regroup")

CORS: dict[str, Any] = {
    "allow_methods": ["GET", "POST", "PUT"],
    "allow_headers": ["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "X-Request-ID"],
    "expose_headers": ["ETag", "Location", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID"],
}
"""What web pages of the allowed origins may send and read."""

SWITCH_S = 0.001
"""Seconds after which a computing thread lets another run; with Python's 5 ms, a thread that queries the database would
wait that long after every query."""

THRESHOLDS = 5_000, 20, 1_000_000
"""Thresholds of Python's garbage collector; with the usual ones, every twentieth request would wait 20 ms for a full
collection, which a periodic task runs instead."""

COLLECT_S = 60.0
"""Seconds between two full garbage collections."""

CHECKPOINT_S = 2.0
"""Seconds between two checkpoints of a SQLite file."""

RETENTION_S = 600.0
"""Seconds between two looks for what is older than it may be kept; also how soon after its start a process looks."""

ABOUT = """Suggests which students of a team to bring together, on which skill, with which adult, when and where, and
why. The adults decide. Errors are `application/problem+json`; times are UTC; null means not observed."""


def create_app(settings: Settings | None = None, say: Callable[[str], None] = logger.debug) -> FastAPI:
    """Builds the service; nothing but its settings is read before it starts.

    Args:
        settings: The settings of the service; None reads them from the environment.
        say: A function that is called with each step of the start, in a few words.
    """
    settings = settings or read_settings()
    home = settings.home
    database = Database(home.database_url(), settings.connections, home.database_marker, ReturnGuard(home))
    rosters = RosterCache(database, settings.poll_seconds)
    live = LiveEvents(home, database)
    snapshots = HotSwap(
        source_of(settings),
        settings.poll_seconds,
        live.prepare,
        Trials(home),
        LastGood(home),
    )
    keys = KeyCache(database, settings.keys_fresh_seconds, settings.keys_stale_seconds)
    rate = RateLimit(settings.per_minute, settings.bytes_per_minute, settings.at_once)
    bodies = Bodies(rate)
    drain = Drain(settings.drain_seconds)
    audit = AuditLog(Spool(home.audit), database)

    def fold_ahead() -> None:
        with suppress(NotReadyError):
            live.look_ahead(snapshots.current())

    days = [timedelta(days=kept) for kept in (settings.plans_kept_days, settings.audit_kept_days)]
    retention = Retention(days[0], timedelta(hours=settings.kept_hours), days[1])

    tasks = (
        PeriodicTask("live-events", fold_ahead, settings.fold_seconds),
        PeriodicTask("database", database.checkpoint, CHECKPOINT_S),
        PeriodicTask("garbage", collect_garbage, COLLECT_S),
        PeriodicTask("retention", lambda: retention.try_to_remove_old(database, datetime.now(UTC)), RETENTION_S),
    )

    @asynccontextmanager
    async def run(_: FastAPI) -> AsyncIterator[None]:
        sys.setswitchinterval(SWITCH_S)
        drain.listen()
        await asyncio.to_thread(_load, say, settings, database, keys, audit, snapshots)
        gc.collect()
        gc.freeze()  # a full collection leaves out what is loaded now; going through it would delay a request by 0.2 s
        usual_thresholds = gc.get_threshold()
        gc.set_threshold(*THRESHOLDS)
        for started in (snapshots, rosters, *tasks):
            started.start()
        yield
        gc.set_threshold(*usual_thresholds)
        gc.unfreeze()
        for part in (*tasks, snapshots, rosters, keys, audit, bodies):
            part.stop()
        database.close()

    app = Service(
        title="regroup",
        version="1",
        description=ABOUT,
        lifespan=run,
        responses=problem_responses(422),
        redirect_slashes=False,  # a redirect would repeat the Host header, which the caller chose
        docs_url=None,  # the framework's pages load scripts from the internet; `add_docs` has one that does not
        redoc_url=None,
        generate_unique_id_function=name_operation,
    )
    app.state.settings = settings
    app.state.snapshots = snapshots
    app.state.database = database
    app.state.vault = find_vault()
    app.state.audit = audit
    app.state.board = Sessions(keys, rate, open_here=settings.open)
    app.state.bodies = bodies
    app.state.live = live
    app.state.drain = drain
    app.state.rosters = rosters
    app.state.queue = SolverQueue(settings.solvers, settings.queue, settings.queue_seconds)
    install_error_handlers(app)
    for router in (
        recommendations.router,
        changes.router,
        decisions.router,
        session_reports.router,
        coaching.router,
        growth.router,
        help_requests.router,
        school.router,
        roster.router,
        teams.router,
        students.router,
        goals.router,
        insight.router,
        playlist.router,
        relationships.router,
        wishes.router,
        events.router,
        statements.router,
        operations.models_router,
    ):
        app.include_router(router, responses=problem_responses(401, 403, 413, 429, 503))
    app.include_router(operations.health_router)
    add_board(app)
    add_docs(app, "/docs")
    _add_middleware(app, settings, keys, rate)
    return app


def _load(
    say: Callable[[str], None],
    settings: Settings,
    database: Database,
    keys: KeyCache,
    audit: AuditLog,
    snapshots: HotSwap,
) -> None:
    """Loads everything that takes long, so that no request waits for it."""
    settings.home.make()
    forget_ended_processes()
    say("loading the planner")
    warm_up()
    say("opening the database")
    try:
        database.migrate()
    except RegroupError as error:
        logger.warning("the database will be opened by the first request that writes: %s", error)
    keys.start()
    audit.start()
    say("loading the model")
    snapshots.refresh()


def _add_middleware(app: FastAPI, settings: Settings, keys: KeyCache, rate: RateLimit) -> None:
    """Adds what every request passes through before a route; the middleware added last is the first to be passed."""
    app.add_middleware(AuditGate)
    app.add_middleware(Authentication, keys=keys, rate=rate, open_here=settings.open)
    if settings.cors_origins:
        app.add_middleware(CORSMiddleware, allow_origins=settings.cors_origins, **CORS)
    app.add_middleware(RequestLog)
