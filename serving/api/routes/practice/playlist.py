"""`/v1/students/{id}/next` and `…/choices`: what a student could do next alone, and what they choose."""

from fastapi import APIRouter

from serving.access.caller import Scope
from serving.api.dependencies import CurrentAuditor, CurrentCaller, CurrentPlanner, StudentInPath, require_scope
from serving.api.gated_route import GatedRoute
from serving.api.problems import problem_responses
from serving.api.responses.recommendations import to_provenance
from serving.plans.practice.playlist import choose_skill, make_playlist
from serving.schemas.practice import ChoiceOut, ChoiceRequest, NextOut, OfferOut

router = APIRouter(prefix="/v1/students/{student_id:path}", route_class=GatedRoute, tags=["students"])


@router.get("/next", dependencies=[require_scope(Scope.READ)], responses=problem_responses(404))
def read_next(
    student_id: StudentInPath, caller: CurrentCaller, auditor: CurrentAuditor, planner: CurrentPlanner
) -> NextOut:
    """Reads the playlist: up to three skills that a student could do next alone, and why.

    They are ready, since what they build on is proficient, and not proficient themselves; the one from which most is
    expected comes first. Two are those that the product's own order and the team's unit most likely give next; the
    third is drawn anew each day among all others, and `probability` says with which chance.
    """
    playlist = make_playlist(planner, caller, student_id)
    auditor.note("read_next", team_id=playlist.team_id, student_id=student_id)
    return NextOut(
        student_id=student_id,
        offers=[
            OfferOut(
                skill_id=offer.skill,
                skill=offer.name,
                why=offer.why,
                expected_progress=offer.expected_progress,
                probability=offer.probability,
                item_ids=list(offer.item_ids),
            )
            for offer in playlist.offers
            if offer.offered
        ],
        choices=[ChoiceOut.model_validate(choice) for choice in playlist.choices],
        provenance=to_provenance(playlist.snapshot),
    )


@router.post(
    "/choices", status_code=201, dependencies=[require_scope(Scope.PLAN)], responses=problem_responses(404, 409)
)
def choose(
    student_id: StudentInPath,
    body: ChoiceRequest,
    caller: CurrentCaller,
    auditor: CurrentAuditor,
    planner: CurrentPlanner,
) -> ChoiceOut:
    """Stores which skill a student chose, with the probability of its offer."""
    choice = choose_skill(
        planner,
        caller,
        student_id,
        body.skill_id,
        lambda team_id: auditor.entry("choose", team_id=team_id, student_id=student_id),
    )
    return ChoiceOut.model_validate(choice)
