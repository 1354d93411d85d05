"""`/v1/students/{id}/goals`: what a student wants to reach, set with an adult."""

from typing import Annotated

from fastapi import APIRouter, Path

from serving.access.caller import Scope
from serving.access.visibility import find_student_team
from serving.api.dependencies import CurrentAuditor, CurrentCaller, CurrentPlanner, StudentInPath, require_scope
from serving.api.gated_route import GatedRoute
from serving.api.problems import problem_responses
from serving.plans.practice.goals import close_goal, read_goals, set_goal
from serving.schemas.practice import GoalEnd, GoalOut, GoalRequest, GoalsOut
from serving.schemas.texts import Identity

router = APIRouter(prefix="/v1/students/{student_id:path}/goals", route_class=GatedRoute, tags=["students"])

GoalInPath = Annotated[Identity, Path(alias="goal_id", description="id of the goal")]


@router.get("", dependencies=[require_scope(Scope.READ)], responses=problem_responses(404))
def list_student_goals(
    student_id: StudentInPath, caller: CurrentCaller, auditor: CurrentAuditor, planner: CurrentPlanner
) -> GoalsOut:
    """Reads the goals of a student, ended ones too."""
    team_id, _ = find_student_team(planner.rosters, caller, student_id)
    auditor.note("read_goals", team_id=team_id, student_id=student_id)
    return GoalsOut(goals=[GoalOut.model_validate(goal) for goal in read_goals(planner.database, student_id)])


@router.post("", status_code=201, dependencies=[require_scope(Scope.PLAN)], responses=problem_responses(404, 409))
def set_student_goal(
    student_id: StudentInPath,
    body: GoalRequest,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    planner: CurrentPlanner,
) -> GoalOut:
    """Stores a goal that a student set with an adult of the team, until a date; at most five are open at a time.

    Of two needs of a student that are nearly equal, plans put the one on the goal's skill first.
    """
    goal = set_goal(
        planner,
        caller,
        student_id,
        body,
        lambda team_id: auditor.entry("set_goal", team_id=team_id, student_id=student_id),
    )
    return GoalOut.model_validate(goal)


@router.post("/{goal_id}/end", dependencies=[require_scope(Scope.PLAN)], responses=problem_responses(404))
def end_student_goal(
    student_id: StudentInPath,
    goal_id: GoalInPath,
    body: GoalEnd,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    planner: CurrentPlanner,
) -> GoalOut:
    """Ends a goal, reached or not; one that was ended before stays as it is."""
    goal = close_goal(
        planner,
        caller,
        student_id,
        goal_id,
        lambda team_id: auditor.entry("end_goal", team_id=team_id, student_id=student_id, subject=goal_id),
        reached=body.reached,
    )
    return GoalOut.model_validate(goal)
