"""`/v1/events`: what students did since the night, as it happens."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query

from serving.access.caller import Scope
from serving.dependencies import CurrentCaller, CurrentDatabase, CurrentSettings, require
from serving.errors import TooLargeError
from serving.intake import Loader, take_in
from serving.loading import may_load
from serving.refusals import tell_problems
from serving.schemas.events import EventBatch, EventsOut

router = APIRouter(prefix="/v1/events", tags=["events"])


@router.post("", dependencies=[require(Scope.LOAD)], responses=tell_problems(413, 503))
def load_events(
    body: EventBatch,
    caller: CurrentCaller,
    database: CurrentDatabase,
    settings: CurrentSettings,
    atomic: Annotated[bool, Query(description="store all events or none")] = False,
) -> EventsOut:
    """Stores a batch of events; the next recommendation sees them, and so does the next night.

    When this answers, the events are durable. Sending a batch again stores nothing twice. Events that break a rule
    are rejected one by one and the others stored; where all are rejected, the answer is 422.
    """
    if len(body.events) > settings.events_per_batch:
        raise TooLargeError(
            "too_many_events",
            f"the batch has {len(body.events)} events; send at most {settings.events_per_batch} at a time",
        )
    loader = Loader(key_id=caller.key_id, may_load=lambda students: may_load(database, caller.schools, students))
    return take_in(database, body.events, loader, datetime.now(UTC), atomic=atomic)
