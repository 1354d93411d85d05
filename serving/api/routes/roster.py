"""`/v1/rosters`: the roster over HTTP, as `python -m features roster` loads it from files."""

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request

from features.errors import InputError
from features.roster.changes import Load, ManyGoneError, UnansweredError, load_roster, preview_roster
from features.roster.files.archive import Files, unpack_files
from features.roster.policy.keys import SKILL_IDS
from serving.access.caller import Scope
from serving.api.dependencies import CurrentAuditor, CurrentCaller, CurrentDatabase, CurrentSettings, require_scope
from serving.api.gated_route import RosterRoute
from serving.api.problems import problem_responses
from serving.audit.entries import add_entries
from serving.errors import ForbiddenError, RequestError
from serving.schemas.common import SchoolDate
from serving.schemas.school import RosterChangeOut, RosterOut

router = APIRouter(prefix="/v1/rosters", route_class=RosterRoute, tags=["roster"])

NAME = "the body"

MOST_UNPACKED = 2**28
"""Bytes that the files of an archive may have together; sixteen times the largest archive."""

MOST_TOLD = 1000
"""Ids of each kind that a preview names."""

BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A zip archive of the files, maybe with a `policy.toml`; or one file: a class list as CSV, or a "
        "CASE package as JSON. A folder of roster files, OneRoster 1.1 and 1.2 and Microsoft School Data Sync come as "
        "archives, with skills and prerequisites beside them or without.",
        # told apart by what they hold, whatever their media type says; clients are generated for this one
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


async def get_files(request: Request) -> bytes:
    """The body as it came, whose size was judged."""
    return await request.body()


@router.put(
    "",
    dependencies=[require_scope(Scope.LOAD)],
    responses=problem_responses(413, 503),
    openapi_extra=BODY,
)
def replace_roster(
    body: Annotated[bytes, Depends(get_files)],
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    database: CurrentDatabase,
    settings: CurrentSettings,
    preview: Annotated[
        bool, Query(description="only answer what would change, and what the roster cannot say")
    ] = False,
    yes: Annotated[bool, Query(description="load it though more than 5 % of the stored students are gone")] = False,
    skill_id: Annotated[
        Literal[SKILL_IDS] | None,  # type: ignore[valid-type]
        Query(description="field of a CASE standard that is the id of its skill in events; as said before without it"),
    ] = None,
    as_of: Annotated[SchoolDate | None, Query(description="day from which enrollments count; today without it")] = None,
) -> RosterOut:
    """Puts a roster in place of the one that is stored, all or nothing, or answers what that would change.

    The body is read and checked as by `python -m features roster`. The key has to be for all schools, since a roster is
    of all of them. A roster with problems, or that leaves open which classes make a team, is refused and changes
    nothing. Skills and prerequisites alone leave everything else as it is.
    """
    if not caller.sees_all:
        bound = "schools" if caller.schools is not None else "teams"
        raise ForbiddenError("all_schools_needed", f"a roster is of all schools, and this key is bound to some {bound}")
    day = as_of or dt.datetime.now().astimezone().date()
    try:
        files = _unpack(body)
        if preview:
            auditor.note("preview_roster")
            return _to_roster(preview_roster(files, NAME, database, day, skill_id=skill_id), day, loaded=False)
        load = load_roster(
            files,
            NAME,
            settings.home,
            database,
            day,
            yes=yes,
            skill_id=skill_id,
            note=lambda connection: add_entries(connection, [auditor.entry("load_roster")]),
        )
    except ManyGoneError as error:
        hint = "look at it with preview=true, and load it with yes=true if it is right"
        raise RequestError("many_students_gone", f"{error}; {hint}") from None
    except UnansweredError as error:
        hint = "ask with preview=true, fill in `questions`, and send it as policy.toml in the archive"
        raise RequestError("roster_questions", f"{error}; {hint}") from None
    except InputError as error:
        raise RequestError("roster_refused", str(error)) from None
    return _to_roster(load, day, loaded=True)


def _unpack(body: bytes) -> Files:
    if body.startswith(b"PK"):
        return unpack_files(body, NAME, MOST_UNPACKED)
    if not body.strip():
        raise InputError("the body is empty; send a zip archive of the files, or a class list as CSV")
    is_json = body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"["))
    return {"roster.json" if is_json else "roster.csv": body}


def _to_roster(load: Load, day: dt.date, *, loaded: bool) -> RosterOut:
    roster, most = load.found.roster, 0 if loaded else MOST_TOLD
    return RosterOut(
        shape=load.found.shape,
        loaded=loaded,
        as_of=day,
        rows={part: len(getattr(roster, part)) for part in load.found.parts},
        changes=[
            RosterChangeOut(
                kind=change.kind,
                stored=change.before,
                new=len(change.new),
                changed=len(change.changed),
                gone=len(change.gone),
                new_ids=list(change.new[:most]),
                changed_ids=list(change.changed[:most]),
                gone_ids=list(change.gone[:most]),
            )
            for change in load.changes
        ],
        erased_members=load.erased,
        warnings=[*roster.warnings, *load.refused],
        questions=load.questions,
    )
