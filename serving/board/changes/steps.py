"""`/board/plans/{id}/…`: moves, swaps, locks, undo and repairs."""

from typing import Literal

from fastapi import Response

from serving.access.caller import Caller
from serving.api.dependencies import PlanInPath
from serving.board.changes.take_step import Step, change_steps, make_router, take_step
from serving.board.day.page import CurrentDayPage, day_address
from serving.board.day.view import describe_move
from serving.board.pages import render
from serving.board.route import CurrentForm
from serving.errors import RequestError
from serving.grouping import Repair, find_violations
from serving.plans.edits.edited_day import EditedDay, check_sessions
from serving.plans.edits.steps import lock_session, make_step, move_student, swap_students
from serving.plans.recommend import Planner
from serving.plans.stored_plan import judge_edit
from serving.schemas.edits import EditStep
from serving.schemas.texts import Identity

router = make_router()

REPAIR_S = 2.0
"""Seconds in which the smallest repair is looked for."""


class MoveForm(Step):
    """One student to another session of the block."""

    student_id: Identity
    block_id: Identity
    session_id: Identity


class SwapForm(Step):
    """Two students of a block change places."""

    student_id: Identity
    other_student_id: Identity
    block_id: Identity


class LockForm(Step):
    """One session locked or not."""

    session_id: Identity
    locked: Literal["yes", "no"]


@router.post("/{recommendation_id}/moves")
def move(recommendation_id: PlanInPath, form: CurrentForm, page: CurrentDayPage) -> Response:
    """Moves a student to another session of a block."""
    sent: MoveForm = form.read(MoveForm)

    def make(edited: EditedDay) -> EditStep:
        return move_student(page.planner, page.caller, edited, sent.student_id, sent.block_id, sent.session_id)

    return take_step(page, recommendation_id, sent.version, make, sent.student_id)


@router.post("/{recommendation_id}/swaps")
def swap(recommendation_id: PlanInPath, form: CurrentForm, page: CurrentDayPage) -> Response:
    """Lets two students of a block change places."""
    sent: SwapForm = form.read(SwapForm)

    def make(edited: EditedDay) -> EditStep:
        return swap_students(edited, sent.student_id, sent.other_student_id, sent.block_id)

    return take_step(page, recommendation_id, sent.version, make, sent.student_id)


@router.post("/{recommendation_id}/locks")
def lock(recommendation_id: PlanInPath, form: CurrentForm, page: CurrentDayPage) -> Response:
    """Locks a session for the next suggestion, or unlocks it."""
    sent: LockForm = form.read(LockForm)

    def make(edited: EditedDay) -> EditStep:
        return lock_session(edited, sent.session_id, locked=sent.locked == "yes")

    return take_step(page, recommendation_id, sent.version, make)


@router.post("/{recommendation_id}/undo")
def undo(recommendation_id: PlanInPath, form: CurrentForm, page: CurrentDayPage) -> Response:
    """Takes the last step back."""
    sent: Step = form.read(Step)
    return change_steps(page, recommendation_id, sent.version, lambda edited: list(edited.steps[:-1]), more="&undone=1")


@router.get("/{recommendation_id}/repair")
def show_repair(recommendation_id: PlanInPath, page: CurrentDayPage) -> Response:
    """The smallest repair of broken rules, of which the page of the day takes the part that says it."""
    edited, called = page.open(recommendation_id)
    answer = edited.day.answer
    page.auditor.note("evaluate", team_id=answer.team_id, subject=recommendation_id)
    found = _find_repair(page.planner, page.caller, edited)
    return render(
        page.request,
        "repair.html",
        answer=answer,
        edited=edited,
        is_broken=found is not None or bool(find_violations(edited.day.problem, edited.sessions)),
        moves=None if found is None else [describe_move(move, edited, called) for move in found.moves],
        back=day_address(answer.team_id, answer.date),
    )


def _find_repair(planner: Planner, caller: Caller, edited: EditedDay) -> Repair | None:
    """The smallest repair; null where nothing is broken, or none was found in time."""
    day = edited.day
    with planner.take_turn(caller, day.answer.team_id):
        return judge_edit(day.problem, edited.sessions, day.suggested, repair=True, seconds=REPAIR_S, singly=False)[2]


@router.post("/{recommendation_id}/repair")
def repair(recommendation_id: PlanInPath, form: CurrentForm, page: CurrentDayPage) -> Response:
    """Takes over the smallest repair of broken rules."""
    sent: Step = form.read(Step)

    def make(edited: EditedDay) -> EditStep:
        found = _find_repair(page.planner, page.caller, edited)
        if found is None:
            raise RequestError("no_repair", "no repair was found; undo the last step, or suggest again")
        return make_step(edited, "repair", check_sessions(edited.day.problem, found.sessions))

    return take_step(page, recommendation_id, sent.version, make)
