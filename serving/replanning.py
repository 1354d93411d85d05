"""A day planned again after an earlier plan of it, which it should differ from in few seats."""

from dataclasses import replace

from features.database import Database
from serving.access.caller import Caller
from serving.day import DayRequest
from serving.errors import NotFoundError, RequestError
from serving.grouping.changes.moves import read_seats
from serving.schemas.recommendations import RecommendationRequest
from serving.stored_days import open_day


def carry_seats(database: Database, caller: Caller, body: RecommendationRequest, wanted: DayRequest) -> DayRequest:
    """What is asked for with the seats of the earlier plan that the body names, if it names one.

    Raises:
        RequestError: There is no such plan of this team and date, or it has no such session.
        ConflictError: The plan was kept by a version that did not keep days.
    """
    if body.previous is None:
        return wanted
    try:
        earlier = open_day(database, caller, body.previous)
    except NotFoundError:
        earlier = None
    if earlier is None or (earlier.answer.team_id, earlier.answer.date) != (body.team_id, body.date):
        told = f"previous: there is no plan {body.previous!r} of this team and date"
        raise RequestError("unknown_previous", told, field="previous")
    sessions = {session.id: session for session in earlier.in_force}
    for at, name in enumerate(body.keep_sessions):
        if name not in sessions:
            told = f"keep_sessions[{at}]: the earlier plan has no session {name!r}"
            raise RequestError("unknown_session", told, field=f"keep_sessions[{at}]")
    kept = [sessions[name] for name in dict.fromkeys(body.keep_sessions)]
    return replace(
        wanted,
        previous=tuple(read_seats(earlier.in_force).values()),
        kept=tuple(read_seats(kept).values()),
    )
