"""What routes ask FastAPI for: the snapshot of this request, the roster, the database, the planner."""

from typing import Annotated

from fastapi import Depends, Request

from features.database import Database
from serving.api.authorization import CurrentCaller, require_scope
from serving.api.middleware.audit_gate import CurrentAuditor
from serving.lifecycle import Drain
from serving.models.hot_swap import HotSwap
from serving.models.live import LiveEvents
from serving.models.snapshot import Snapshot
from serving.plans.queue import SolverQueue
from serving.plans.recommend import Planner
from serving.settings import Settings
from serving.store.roster_cache import RosterCache

__all__ = ["CurrentAuditor", "CurrentCaller", "require_scope"]


# what only looks something up is async: FastAPI would run each plain function on a thread of its own


async def get_settings(request: Request) -> Settings:
    """The settings that the application was made with."""
    settings: Settings = request.app.state.settings
    return settings


async def get_snapshot(request: Request) -> Snapshot:
    """The snapshot that serves now; asked once per request, so that no answer mixes two.

    Raises:
        NotReadyError: There is none yet.
    """
    served: HotSwap = request.app.state.snapshots
    return served.current()


async def get_database(request: Request) -> Database:
    """The database, with the connections that this process keeps open."""
    database: Database = request.app.state.database
    return database


async def get_rosters(request: Request) -> RosterCache:
    """Teams as this process holds them."""
    rosters: RosterCache = request.app.state.rosters
    return rosters


async def get_drain(request: Request) -> Drain:
    """Whether this process was told to end."""
    drain: Drain = request.app.state.drain
    return drain


async def get_solver_queue(request: Request) -> SolverQueue:
    """The queue for the solver of this process."""
    queue: SolverQueue = request.app.state.queue
    return queue


async def get_planner(request: Request) -> Planner:
    """What planning a day needs of this process."""
    state = request.app.state
    return Planner(state.database, state.rosters, state.live, state.snapshots.current, state.queue, state.settings)


CurrentDatabase = Annotated[Database, Depends(get_database)]
CurrentDrain = Annotated[Drain, Depends(get_drain)]
CurrentPlanner = Annotated[Planner, Depends(get_planner)]
CurrentSolverQueue = Annotated[SolverQueue, Depends(get_solver_queue)]
CurrentRosters = Annotated[RosterCache, Depends(get_rosters)]
CurrentSettings = Annotated[Settings, Depends(get_settings)]
CurrentSnapshot = Annotated[Snapshot, Depends(get_snapshot)]


async def get_live_events(request: Request) -> LiveEvents:
    """The events that came in since the night, as this process has folded them."""
    live: LiveEvents = request.app.state.live
    return live


CurrentLiveEvents = Annotated[LiveEvents, Depends(get_live_events)]
