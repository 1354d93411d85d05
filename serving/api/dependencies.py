"""What routes ask FastAPI for: the caller, the audit log, and the parts of the running service."""

import time
from typing import Annotated, Any

from fastapi import Depends, Path, Request, Security
from fastapi.security import HTTPBearer, SecurityScopes

from features.database import Database
from serving.access.caller import Caller, Scope
from serving.api.gated_route import require_scopes
from serving.audit.entries import AuditEntry, make_entry
from serving.audit.writer import AuditLog
from serving.lifecycle import Drain
from serving.models.snapshot import Snapshot
from serving.plans.recommend import Planner
from serving.schemas.texts import Identity
from serving.settings import Settings

PlanInPath = Annotated[Identity, Path(alias="recommendation_id", description="id of the plan")]
TeamInPath = Annotated[Identity, Path(alias="team_id", description="id of the team; write a slash in it as `%2F`")]
StudentInPath = Annotated[
    Identity, Path(alias="student_id", description="id of the student; write a slash in it as `%2F`")
]

_BEARER = HTTPBearer(
    scheme_name="api_key",
    bearerFormat="rg_<key_id>_<secret>",
    description="An API key with scopes, from `python -m serving keys issue`. "
    "A key is for all schools or for some; what belongs to other schools is answered as if it did not exist.",
    auto_error=False,
)
"""Documents the key in the contract; `serving.api.middleware.authenticate.Authentication` has checked it before."""


async def get_caller(request: Request, scopes: SecurityScopes, _: Annotated[object, Security(_BEARER)]) -> Caller:
    """The caller of this request.

    Raises:
        UnauthorizedError: The request was not authenticated.
        ForbiddenError: The key lacks a scope that the route requires.
    """
    return require_scopes(request, scopes.scopes)


CurrentCaller = Annotated[Caller, Security(get_caller)]
"""For a route that also looks at schools; `require_scope` says which scope the route requires."""


def require_scope(scope: Scope) -> Any:  # noqa: ANN401 - FastAPI's own marker, for `dependencies=[...]` of a route
    """Makes a `GatedRoute` answer only callers with a scope; every route that needs a key has one."""
    return Security(get_caller, scopes=[scope.value])


class Auditor:
    """Notes in the audit log what one request reads or decides.

    Args:
        log: Where entries are kept.
        key_id: Id of the caller's key.
        request: The request, whose answer waits for the entries.
    """

    def __init__(self, log: AuditLog, key_id: str, request: Request) -> None:
        self._log = log
        self._key_id = key_id
        self._request = request

    def note(
        self, action: str, *, team_id: str | None = None, student_id: str | None = None, subject: str | None = None
    ) -> None:
        """Notes one action and returns at once; `AuditGate` holds the answer back until the entry is kept.

        Args:
            action: Such as `read_board`; a name of this code, never of the caller's.
            team_id: The team; null for none.
            student_id: The student; null where a whole team was read.
            subject: Id of the recommendation or decision; null for none.
        """
        entry = self.entry(action, team_id=team_id, student_id=student_id, subject=subject)
        self._request.scope["state"].setdefault("audit", []).append(self._log.record(entry))

    def entry(
        self, action: str, *, team_id: str | None = None, student_id: str | None = None, subject: str | None = None
    ) -> AuditEntry:
        """The entry of one action, for the transaction that keeps what it is about; arguments as of `note`."""
        request_id = self._request.scope["state"]["request_id"]
        return make_entry(self._key_id, request_id, action, team_id=team_id, student_id=student_id, subject=subject)


# functions that only look something up are async, since FastAPI would run each plain one on a thread of its own


async def get_auditor(request: Request, caller: CurrentCaller) -> Auditor:
    """The auditor of this request."""
    return Auditor(request.app.state.audit, caller.key_id, request)


async def get_settings(request: Request) -> Settings:
    """The settings that the application was made with."""
    settings: Settings = request.app.state.settings
    return settings


async def get_snapshot(request: Request) -> Snapshot:
    """The snapshot that serves now, looked up once per request so that no answer mixes two.

    Raises:
        NotReadyError: There is none yet.
    """
    snapshot: Snapshot = request.app.state.snapshots.current()
    return snapshot


async def get_database(request: Request) -> Database:
    """The database, with the connections that this process keeps open."""
    database: Database = request.app.state.database
    return database


async def get_moment() -> float:
    """When the request had been read, on the clock of `time.perf_counter`."""
    return time.perf_counter()


async def get_drain(request: Request) -> Drain:
    """Whether this process was told to stop."""
    drain: Drain = request.app.state.drain
    return drain


async def get_planner(request: Request) -> Planner:
    """What planning a day needs of this process."""
    state = request.app.state
    return Planner(state.database, state.rosters, state.live, state.snapshots.current, state.queue, state.settings)


CurrentAuditor = Annotated[Auditor, Depends(get_auditor)]
CurrentDatabase = Annotated[Database, Depends(get_database)]
CurrentDrain = Annotated[Drain, Depends(get_drain)]
CurrentMoment = Annotated[float, Depends(get_moment)]
CurrentPlanner = Annotated[Planner, Depends(get_planner)]
CurrentSettings = Annotated[Settings, Depends(get_settings)]
CurrentSnapshot = Annotated[Snapshot, Depends(get_snapshot)]
