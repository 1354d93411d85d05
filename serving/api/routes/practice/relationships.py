"""`/v1/students/{id}/relationships` and `/v1/teams/{id}/relationships`: which adults know which student."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query

from serving.access.caller import Scope
from serving.access.visibility import find_roster
from serving.api.dependencies import (
    CurrentAuditor,
    CurrentCaller,
    CurrentPlanner,
    StudentInPath,
    TeamInPath,
    require_scope,
)
from serving.api.gated_route import GatedRoute
from serving.api.problems import problem_responses
from serving.plans.practice.relationships import list_relationships, mark_known
from serving.schemas.practice import RelationshipMark, RelationshipOut, RelationshipsOut

router = APIRouter(prefix="/v1", route_class=GatedRoute)


@router.post(
    "/students/{student_id:path}/relationships",
    tags=["students"],
    dependencies=[require_scope(Scope.PLAN)],
    responses=problem_responses(404),
)
def mark_relationship(
    student_id: StudentInPath,
    body: RelationshipMark,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    planner: CurrentPlanner,
) -> RelationshipMark:
    """Stores that an adult says to know a student, or takes that back."""
    mark_known(
        planner,
        caller,
        student_id,
        body.staff_id,
        lambda team_id: auditor.entry("mark_relationship", team_id=team_id, student_id=student_id),
        known=body.known,
    )
    return body


@router.get(
    "/teams/{team_id:path}/relationships",
    tags=["teams"],
    dependencies=[require_scope(Scope.READ)],
    responses=problem_responses(404),
)
def read_relationships(
    team_id: TeamInPath,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    planner: CurrentPlanner,
    at_most: Annotated[int | None, Query(ge=0, le=100, description="only students whom so few adults know")] = None,
) -> RelationshipsOut:
    """Reads which adults know each student, those whom the fewest know first.

    An adult knows a student after a session with the student in the last four weeks, help that the student asked for
    included, or by saying so.
    """
    team, _ = find_roster(planner.rosters, caller, team_id)
    auditor.note("read_relationships", team_id=team_id)
    found = list_relationships(planner.database, team, date.today())  # noqa: DTZ011 - the school's own day
    return RelationshipsOut(
        students=[
            RelationshipOut(
                student_id=each.student_id,
                adults=len(each.adults),
                sat_with=sorted(each.sat_with),
                marked_by=sorted(each.marked_by),
            )
            for each in found
            if at_most is None or len(each.adults) <= at_most
        ]
    )
