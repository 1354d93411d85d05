"""A new suggestion of a day: the first, or again around what people locked and changed."""

import time
from collections.abc import Callable, Collection, Sequence
from datetime import date

from sqlalchemy import Connection

from serving.access.caller import Caller
from serving.audit.entries import AuditEntry
from serving.grouping import Session, SessionType
from serving.plans.edits.edited_day import EditedDay, open_edit, save_steps
from serving.plans.edits.steps import make_step
from serving.plans.recommend import PlannedDay, Planner, Render, plan_day
from serving.schemas.edits import EditStep
from serving.schemas.recommendations import Absence, DayRule, RecommendationRequest

SUGGEST_S = 2.0
"""Seconds within which a day is suggested from the board, while somebody waits before the page."""

ALTERNATIVES, ALTERNATIVES_S = 2, 8.0
"""Other good plans that are looked for where somebody asks for a choice, and seconds for all of them."""


def suggest_again(
    planner: Planner,
    caller: Caller,
    edited: EditedDay,
    absences: Sequence[Absence],
    came: float,
    *,
    render: Render,
    note: Callable[[str], AuditEntry],
    alternatives: bool = False,
) -> PlannedDay:
    """Plans the day again: around locked sessions and students whom people moved to an adult, with others absent.

    Args:
        planner: What planning needs of a running service.
        caller: Who asks.
        edited: The day as it is now.
        absences: Who is absent; no longer those of the request before.
        came: When it was asked, on the clock of `time.perf_counter`.
        render: Builds the answer.
        note: Gives, for the id of the new plan, its audit entry.
        alternatives: Whether to look for other good plans too, which takes longer.

    Raises:
        RequestError: The day has no plan like this; errors as of `plan_day`.
    """
    before = RecommendationRequest.model_validate_json(edited.request)
    blocks = [block.id for block in edited.day.problem.blocks]
    away = {(each.student_id or each.staff_id, block) for each in absences for block in each.block_ids or blocks}
    held = {each.id for each in edited.day.current if away.isdisjoint((adult, each.block) for adult in each.adults)}
    unchanged = held & edited.locked - set(_changed_sessions(edited))
    pins = [
        DayRule(
            kind="pinned",
            student_ids=students,
            staff_id=session.adults[0],
            block_id=session.block,
            skill_id=session.skill,
        )
        for session, pinned in _hand_seats(edited, unchanged)
        if (session.adults[0], session.block) not in away
        and (students := [student for student in pinned if (student, session.block) not in away])
    ]
    moved = {(student, pin.block_id) for pin in pins for student in pin.student_ids} | away
    body = RecommendationRequest(
        team_id=before.team_id,
        date=before.date,
        absences=list(absences),
        rules=[*_keep_rules(before.rules, moved), *pins],
        previous=edited.day.answer.id,
        keep_sessions=sorted(unchanged),
        policy=before.policy,
        series=before.series,
        alternatives=ALTERNATIVES if alternatives else 0,
        seconds=ALTERNATIVES_S if alternatives else SUGGEST_S,
    )
    planned = plan_day(
        planner, caller, body, came, render=render, note=lambda answer: note(answer.id), finish=_finish_nothing
    )
    _carry_aims(planner, caller, edited, planned.id)
    return planned


def suggest_first(
    planner: Planner,
    caller: Caller,
    team_id: str,
    day: date,
    *,
    render: Render,
    note: Callable[[str], AuditEntry],
) -> PlannedDay:
    """Plans a day that has no plan yet; errors as of `plan_day`."""
    body = RecommendationRequest(team_id=team_id, date=day, seconds=SUGGEST_S)
    return plan_day(
        planner,
        caller,
        body,
        time.perf_counter(),
        render=render,
        note=lambda answer: note(answer.id),
        finish=_finish_nothing,
    )


def take_plan(edited: EditedDay, sessions: Sequence[Session]) -> EditStep:
    """The step that takes over the sessions of another plan; aims and locks stay where it has the same session."""
    locks = {_place(session) for session in edited.sessions if session.id in edited.locked}
    locked = [session.id for session in sessions if _place(session) in locks]
    return make_step(edited, "alternative", sessions, locked=locked, aims=_match_aims(edited, sessions))


def _finish_nothing(connection: Connection, plan_id: str) -> None:
    """Nothing more is stored with a plan."""
    del connection, plan_id


def _keep_rules(rules: Sequence[DayRule], moved: Collection[tuple[str | None, str | None]]) -> list[DayRule]:
    """The rules without fixed assignments of who was moved since, or is away; those of before would contradict them."""
    kept = [rule for rule in rules if rule.kind != "pinned"]
    for rule in rules:
        students = [student for student in rule.student_ids if (student, rule.block_id) not in moved]
        if rule.kind == "pinned" and students and (rule.staff_id, rule.block_id) not in moved:
            kept.append(rule.model_copy(update={"student_ids": students}))
    return kept


def _carry_aims(planner: Planner, caller: Caller, edited: EditedDay, plan_id: str) -> None:
    """Gives sessions of a new plan the aims of those before."""
    if not edited.aims:
        return
    new = open_edit(planner.database, caller, plan_id)
    if found := _match_aims(edited, new.sessions):
        step = make_step(new, "aim", new.sessions, aims=found)
        save_steps(planner.database, new, new.version, [step], lambda: None)


def _match_aims(edited: EditedDay, sessions: Sequence[Session]) -> dict[str, str]:
    """The aims of a day's sessions, by the ids that the same sessions have in another plan."""
    aims = {_place(session): edited.aims[session.id] for session in edited.sessions if session.id in edited.aims}
    return {session.id: aims[_place(session)] for session in sessions if _place(session) in aims}


def _place(session: Session) -> tuple[str, str | None, str | None]:
    """What makes a session the same in another plan: its block, lead and skill."""
    return session.block, session.adults[0] if session.adults else None, session.skill


def _changed_sessions(edited: EditedDay) -> list[str]:
    """Ids of sessions that differ from those suggested or decided on."""
    before = {session.id: session for session in edited.day.current}

    def content(session: Session | None) -> tuple[object, ...] | None:
        return None if session is None else (*_place(session), session.session_type, set(session.students))

    return [session.id for session in edited.sessions if content(before.get(session.id)) != content(session)]


def _hand_seats(edited: EditedDay, unchanged: set[str]) -> list[tuple[Session, list[str]]]:
    """Adult-led sessions with the students who have to stay: all where it is locked, else those moved by hand."""
    before = {student: _place(session) for session in edited.day.current for student in _seats_of(session)}
    return [
        (
            session,
            [
                student
                for student, block in _seats_of(session)
                if session.id in edited.locked or before.get((student, block)) != _place(session)
            ],
        )
        for session in edited.sessions
        if session.session_type is not SessionType.ONLINE and session.id not in unchanged
    ]


def _seats_of(session: Session) -> list[tuple[str, str]]:
    return [(student, session.block) for student in session.students]
