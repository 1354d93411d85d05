"""`/v1/events`: what students do during the day, as it happens."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Query, Request
from pydantic import BeforeValidator, SkipValidation

from features.logs.standards.translation import Names
from serving.access.caller import Scope
from serving.api.dependencies import CurrentCaller, CurrentDatabase, CurrentSettings, require_scope
from serving.api.gated_route import EventsRoute
from serving.api.problems import problem_responses
from serving.intake.caliper import Envelope, translate_envelope
from serving.intake.store_batch import Intake
from serving.intake.xapi import Statement, store_statements, to_statements
from serving.schemas.events import EventBatch, EventsOut
from serving.schemas.texts import Address, Identity

router = APIRouter(prefix="/v1/events", route_class=EventsRoute, tags=["events"])


Atomic = Annotated[bool, Query(description="whether to store either all events or none")]


async def get_names(
    request: Request,
    source: Annotated[
        Identity | None,
        Query(
            description="the name under which files of the product are ingested; without it, that of files which no "
            "mapping gives one: `xapi` or `caliper`"
        ),
    ] = None,
    student_prefix: Annotated[Address, Query(description="removed from the start of a student's address")] = "",
    item_prefix: Annotated[Address, Query(description="removed from the start of an item's address")] = "",
    skill_prefix: Annotated[Address, Query(description="removed from the start of a skill's address")] = "",
) -> Names:
    """How the addresses of a standard become the ids of the roster and of the event log."""
    standard = "caliper" if request.url.path.endswith("/caliper") else "xapi"
    return Names(student_prefix, item_prefix, skill_prefix, source=source or standard)


CurrentNames = Annotated[Names, Depends(get_names)]


async def get_intake(caller: CurrentCaller, database: CurrentDatabase, settings: CurrentSettings) -> Intake:
    """The intake for the events of this request."""
    return Intake(database, caller, settings.events_per_batch)


CurrentIntake = Annotated[Intake, Depends(get_intake)]


@router.post("", dependencies=[require_scope(Scope.LOAD)], responses=problem_responses(413, 503))
def load_events(body: EventBatch, intake: CurrentIntake, atomic: Atomic = False) -> EventsOut:
    """Stores a batch of events; the next recommendation and the next nightly run use them.

    Once this answers, the events are durable. Sending a batch again stores nothing twice. Events that break a rule are
    rejected one by one and the others stored; where all are rejected, the answer is 422.
    """
    intake.require_few(len(body.events))
    return intake.store(dict(enumerate(body.events)), atomic=atomic)


@router.post("/xapi", dependencies=[require_scope(Scope.LOAD)], responses=problem_responses(413, 503))
def load_statements(
    body: Annotated[list[SkipValidation[Statement]], BeforeValidator(to_statements), Body(min_length=1)],
    intake: CurrentIntake,
    names: CurrentNames,
    atomic: Atomic = False,
) -> EventsOut:
    """Stores xAPI statements about answers, and about work on lessons and videos, and ignores others.

    A statement with a success or a score is an answer, whatever its verb. One that voids another takes it back, whether
    or not that one has come; both are counted as `voided`. One statement alone and the answer of a
    record store (`{"statements": [...]}`) are taken like a list. The student is the name of the actor's account, or
    else the mailbox. Skills are the context's activities of type `objective`.
    """
    intake.require_few(len(body))
    return store_statements(intake, body, names, atomic=atomic)


@router.post("/caliper", dependencies=[require_scope(Scope.LOAD)], responses=problem_responses(413, 503))
def load_envelope(body: Envelope, intake: CurrentIntake, names: CurrentNames, atomic: Atomic = False) -> EventsOut:
    """Stores the Caliper events of an envelope about grades and about use of tools and media, and ignores others.

    The student is the assignee of the graded attempt, or else the actor. Skills are the learning objectives of what
    was assigned.
    """
    intake.require_few(len(body.data))
    found = translate_envelope(body, names)
    return intake.store(found.events, atomic=atomic, unread=found.rejected, ignored=found.ignored)
