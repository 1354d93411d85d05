"""`/v1/recommendations/{id}/reports`: what happened in the sessions of an accepted plan, and their exit checks."""

from fastapi import APIRouter

from features.database import Database
from serving.access.caller import Caller, Scope
from serving.api.dependencies import (
    Auditor,
    CurrentAuditor,
    CurrentCaller,
    CurrentDatabase,
    PlanInPath,
    require_scope,
)
from serving.api.gated_route import GatedRoute
from serving.api.problems import problem_responses
from serving.errors import NotFoundError
from serving.intake.statements import Statements
from serving.intake.store_batch import Intake
from serving.plans.practice.session_reports import SOURCE, draft_report
from serving.plans.stored_plan import open_day
from serving.schemas.practice import MOST_QUESTIONS, SessionReportOut, SessionReportRequest, SessionReportsOut
from serving.schemas.sessions import MOST_PEOPLE
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
    store_report(database, caller, auditor, recommendation_id, body)
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


def store_report(
    database: Database, caller: Caller, auditor: Auditor, recommendation_id: str, body: SessionReportRequest
) -> None:
    """Stores a report, with the answers of its exit check as live events.

    Raises:
        NotFoundError: There is no plan with this id, or none that the caller may know of.
        ConflictError: The plan does not count, or somebody else reported on the session meanwhile.
        RequestError: The report names what the session does not have.
    """
    draft = draft_report(database, caller, recommendation_id, body)
    Intake(database, caller, MOST_PEOPLE * MOST_QUESTIONS).store(
        dict(enumerate(draft.list_events())),
        atomic=True,
        statements=Statements(SOURCE, draft.hash_events()),
        finish=lambda connection: draft.keep(
            connection,
            lambda team_id: auditor.entry("report_session", team_id=team_id, subject=recommendation_id),
            caller,
        ),
    )
