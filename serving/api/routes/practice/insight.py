"""`/v1/teams/{id}/insight` and `…/digest`: what answers say of the teaching, and the week on one page."""

from typing import Annotated

from fastapi import APIRouter, Query

from serving.access.caller import Scope
from serving.api.dependencies import CurrentAuditor, CurrentCaller, CurrentPlanner, TeamInPath, require_scope
from serving.api.gated_route import GatedRoute
from serving.api.problems import problem_responses
from serving.api.responses.recommendations import to_provenance
from serving.plans.practice.insight.digest import write_digest
from serving.plans.practice.insight.parts import make_insight
from serving.schemas.common import SchoolDate
from serving.schemas.insight import ComparedOut, ContrastOut, DigestOut, FunnelOut, InsightOut

router = APIRouter(
    prefix="/v1/teams/{team_id:path}",
    route_class=GatedRoute,
    tags=["teams"],
    dependencies=[require_scope(Scope.READ)],
    responses=problem_responses(404, 503),
)


@router.get("/insight")
def read_insight(
    team_id: TeamInPath, caller: CurrentCaller, auditor: CurrentAuditor, planner: CurrentPlanner
) -> InsightOut:
    """Reads where answers lie behind or ahead of their forecasts, by skill, unit, item, block, product and session.

    Nothing of fewer than 20 students is compared, and no adult ever: what adults do is assigned by need.
    """
    auditor.note("read_insight", team_id=team_id)
    insight = make_insight(planner, caller, team_id)
    return InsightOut(
        team_id=team_id,
        until=insight.until,
        funnels=[
            FunnelOut(
                kind=part.kind,
                compared=[
                    ComparedOut(
                        key=each.key,
                        name=part.name(each),
                        students=each.students,
                        answers=each.answers,
                        points=each.points,
                        deviations=each.deviations,
                        named=each in part.named,
                    )
                    for each in part.funnel.compared
                ],
                inflation=part.funnel.inflation,
                too_few=part.funnel.too_few,
            )
            for part in insight.parts
        ],
        contrasts=[ContrastOut.model_validate(each) for each in insight.contrasts],
        provenance=to_provenance(insight.snapshot),
    )


@router.get("/digest")
def read_digest(
    team_id: TeamInPath,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    planner: CurrentPlanner,
    week: Annotated[
        SchoolDate | None,
        Query(description="a day of the week whose plans and goals count; without it, the week of the latest answers"),
    ] = None,
) -> DigestOut:
    """Reads a team's week on one page, as Markdown, HTML and plain text for an e-mail; it names no person."""
    auditor.note("read_digest", team_id=team_id)
    digest = write_digest(planner, caller, team_id, week)
    return DigestOut(
        team_id=team_id,
        monday=digest.monday,
        subject=digest.subject,
        markdown=digest.to_markdown(),
        html=digest.to_html(),
        text=digest.to_text(),
    )
