"""`/board/plans/{id}/sessions`: one session, to change its adult, skill or room, to split or merge it, and its aim."""

from collections import Counter
from typing import Annotated

from fastapi import Query, Response
from pydantic import Field

from serving.api.dependencies import PlanInPath
from serving.board.changes.take_step import Step, make_router, take_step
from serving.board.day.page import CurrentDayPage, day_address
from serving.board.day.view import name_session, name_work
from serving.board.pages import render
from serving.board.route import CurrentForm
from serving.board.words import Names
from serving.grouping import Session
from serving.plans.edits.edited_day import EditedDay
from serving.plans.edits.session_steps import change_session, merge_sessions, set_aim, split_session
from serving.plans.edits.steps import require_session
from serving.schemas.edits import EditStep
from serving.schemas.texts import Identity, Note

router = make_router()

Choice = tuple[str, str, bool]
"""Value and words of an option, and whether it is chosen now."""


class ChangeForm(Step):
    """A session with another adult, skill or room; what is left out stays."""

    session_id: Identity
    staff_id: Identity | None = None
    skill_id: Identity | None = None
    room_id: Identity | None = None


class SplitForm(Step):
    """Students of a session who get one of their own."""

    session_id: Identity
    student_id: list[Identity] = Field(default_factory=list)
    staff_id: Identity
    skill_id: Identity | None = None
    room_id: Identity | None = None


class MergeForm(Step):
    """A session that joins another one of its block."""

    session_id: Identity
    into_id: Identity


class AimForm(Step):
    """What the team wants of a session."""

    session_id: Identity
    aim: Note | None = None


@router.get("/{recommendation_id}/sessions")
def show_session(
    recommendation_id: PlanInPath, session_id: Annotated[Identity, Query()], page: CurrentDayPage
) -> Response:
    """One session, with everything that can be changed about it."""
    edited, called = page.open(recommendation_id)
    session, answer = require_session(edited, session_id), edited.day.answer
    page.auditor.note("read_recommendation", team_id=answer.team_id, subject=recommendation_id)
    students = sorted(((one, called.student(one)) for one in session.students), key=lambda each: each[1].casefold())
    here = [each for each in edited.sessions if each.block == session.block and each.id != session.id]
    return render(
        page.request,
        "session.html",
        answer=answer,
        edited=edited,
        session=session,
        title=name_session(session, edited, called),
        time=next(block.label for block in edited.day.problem.blocks if block.id == session.block),
        aim=edited.aims.get(session.id, ""),
        students=students,
        leaving=[one for one, _ in students[(len(students) + 1) // 2 :]],
        adults=_list_adults(edited, session, here, called),
        skills=_list_skills(edited, session),
        rooms=_list_rooms(edited, session, here, called),
        others=[(each.id, name_session(each, edited, called), len(each.students)) for each in here],
        back=day_address(answer.team_id, answer.date),
    )


@router.post("/{recommendation_id}/changes")
def change(recommendation_id: PlanInPath, form: CurrentForm, page: CurrentDayPage) -> Response:
    """Gives a session another adult, skill or room."""
    sent: ChangeForm = form.read(ChangeForm)

    def make(edited: EditedDay) -> EditStep:
        return change_session(edited, sent.session_id, adult=sent.staff_id, skill=sent.skill_id, room=sent.room_id)

    return take_step(page, recommendation_id, sent.version, make)


@router.post("/{recommendation_id}/splits")
def split(recommendation_id: PlanInPath, form: CurrentForm, page: CurrentDayPage) -> Response:
    """Gives some students of a session one of their own."""
    sent: SplitForm = form.read(SplitForm)

    def make(edited: EditedDay) -> EditStep:
        return split_session(edited, sent.session_id, sent.student_id, sent.staff_id, sent.skill_id, sent.room_id)

    return take_step(page, recommendation_id, sent.version, make)


@router.post("/{recommendation_id}/merges")
def merge(recommendation_id: PlanInPath, form: CurrentForm, page: CurrentDayPage) -> Response:
    """Lets the students of a session join another one of the block."""
    sent: MergeForm = form.read(MergeForm)

    def make(edited: EditedDay) -> EditStep:
        return merge_sessions(edited, sent.session_id, sent.into_id)

    return take_step(page, recommendation_id, sent.version, make)


@router.post("/{recommendation_id}/aims")
def write_aim(recommendation_id: PlanInPath, form: CurrentForm, page: CurrentDayPage) -> Response:
    """Writes down what the team wants of a session, or takes it away."""
    sent: AimForm = form.read(AimForm)

    def make(edited: EditedDay) -> EditStep:
        return set_aim(edited, sent.session_id, sent.aim)

    return take_step(page, recommendation_id, sent.version, make)


def _list_adults(edited: EditedDay, session: Session, here: list[Session], called: Names) -> list[Choice]:
    """Adults who are there in the block, those without a session first."""
    busy = {adult: each for each in here for adult in each.adults}
    choices = []
    for adult in edited.day.problem.adults:
        if session.block not in adult.blocks:
            continue
        taken = busy.get(adult.id)
        words = called.adult(adult.id)
        if taken is not None:
            words = f"{words}, who has {name_work(taken, edited)} now: they change places"
        elif adult.id not in session.adults:
            words = f"{words}, who is free"
        choices.append((taken is not None, words, adult.id, adult.id in session.adults[:1]))
    return [(identity, words, chosen) for _, words, identity, chosen in sorted(choices)]


def _list_skills(edited: EditedDay, session: Session) -> list[Choice]:
    """Skills that students of the session need, with how many, those that most need first."""
    problem = edited.day.problem
    block = next(each for each in problem.blocks if each.id == session.block)
    members = set(session.students)
    needed = Counter(need.skill for need in problem.needs if need.student in members)
    choices = []
    for skill in problem.skills:
        may = block.skills is None or skill.id in block.skills
        if (needed[skill.id] and may) or skill.id == session.skill:
            words = f"{skill.name}, which {needed[skill.id]} of {len(members)} here need"
            choices.append((-needed[skill.id], words, skill.id, skill.id == session.skill))
    return [(identity, words, chosen) for _, words, identity, chosen in sorted(choices)]


def _list_rooms(edited: EditedDay, session: Session, here: list[Session], called: Names) -> list[Choice]:
    """Rooms that are free in the block, then those of other sessions; none where the team plans none."""
    taken = {each.room: each for each in here if each.room is not None}
    choices = []
    for room in edited.day.problem.rooms or ():
        if room.blocks is not None and session.block not in room.blocks:
            continue
        words = f"{room.id}, holds {room.capacity}"
        if room.id in taken:
            words = f"{words}, where {name_session(taken[room.id], edited, called)} is now: they change places"
        choices.append((room.id in taken, words, room.id, room.id == session.room))
    return [(identity, words, chosen) for _, words, identity, chosen in sorted(choices)]
