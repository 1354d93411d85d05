"""`/v1/recommendations/{id}/reports`: what happened in the sessions of an accepted plan, and their exit checks."""

from fastapi import APIRouter

from serving.access.caller import Scope
from serving.api.dependencies import CurrentAuditor, CurrentCaller, CurrentDatabase, PlanInPath, require_scope
from serving.api.gated_route import GatedRoute
from serving.api.problems import problem_responses
from serving.errors import NotFoundError
from serving.plans.practice.session_reports import store_report
from serving.plans.stored_plan import open_day
from serving.schemas.practice import SessionReportOut, SessionReportRequest, SessionReportsOut
from serving.store.practice.session_reports import find_report, read_reports

router = APIRouter(
    prefix="/v1/recommendations/{recommendation_id}/reports", route_class=GatedRoute, tags=["recommendations"]
)


@router.post("", dependencies=[require_scope(Scope.PLAN)], responses=problem_responses(404, 409))
def report_session(
    recommendation_id: PlanInPath,
    body: SessionReportRequest,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    database: CurrentDatabase,
) -> SessionReportOut:
    """Stores what happened in a session: who was there, whether it was held, and what the exit check showed.

    Who was absent has not had the session, and one that was not done counts for nobody. Answers of the exit check are
    in the event log when this answers. A later report on the session takes the place of this one, also in the log.
    """
    store_report(
        database,
        caller,
        recommendation_id,
        body,
        lambda team_id: auditor.entry("report_session", team_id=team_id, subject=recommendation_id),
    )
    with database.reading() as connection:  # anew: somebody may have been erased meanwhile
        stored = find_report(read_reports(connection, recommendation_id), body.session_id)
    if stored is None:
        raise NotFoundError("unknown_report", "the report is gone: the plan was removed meanwhile")
    return SessionReportOut.model_validate(stored)


@router.get("", dependencies=[require_scope(Scope.READ)], responses=problem_responses(404, 409))
def read_session_reports(
    recommendation_id: PlanInPath, caller: CurrentCaller, auditor: CurrentAuditor, database: CurrentDatabase
) -> SessionReportsOut:
    """Reads what happened in the sessions of a plan, as far as somebody reported it."""
    day = open_day(database, caller, recommendation_id)
    auditor.note("read_reports", team_id=day.answer.team_id, subject=recommendation_id)
    with database.reading() as connection:
        reports = read_reports(connection, recommendation_id)
    return SessionReportsOut(reports=[SessionReportOut.model_validate(report) for report in reports])
