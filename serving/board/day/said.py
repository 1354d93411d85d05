"""What the last step did, in a sentence for the page that follows it."""

from serving.board.day.view import name_session
from serving.board.words import Names
from serving.plans.edits.edited_day import EditedDay
from serving.schemas.edits import EditStep

DONE = {
    "lock": "The session is locked.",
    "unlock": "The session is open again.",
    "repair": "The repair is made.",
    "aim": "What you want of the session is written down.",
    "alternative": "The other plan is taken over; Undo brings yours back.",
}
"""Sentences for steps that are about nobody by name."""


def describe_last(edited: EditedDay, names: Names, done: int | None) -> str | None:
    """What the last step did; null where the page does not follow one.

    Args:
        edited: The day after it.
        names: Of its people.
        done: The version of the edit that the step made; null: none.
    """
    if done is None or done != edited.version:
        return None
    if edited.decision is not None:
        return _describe_decision(edited)
    if not edited.steps:
        return "This is a new suggestion." if edited.day.answer.previous else "This is the day as it was suggested."
    step = edited.steps[-1]
    return DONE.get(step.action) or _describe_step(step, edited, names)


def _describe_decision(edited: EditedDay) -> str:
    if edited.awaits_signature:
        return "The day is accepted. It counts once the team's leader has signed it."
    return "The day is accepted." if edited.decision != "rejected" else "The suggestion is put aside."


def _describe_step(step: EditStep, edited: EditedDay, names: Names) -> str:
    at = next((f" at {block.label}" for block in edited.day.problem.blocks if block.id == step.block_id), "")
    if step.action == "swap" and step.student_id and step.other_student_id:
        return f"{names.student(step.student_id)} and {names.student(step.other_student_id)} changed places{at}."
    if step.action == "move":
        seat = next((s for s in edited.sessions if s.block == step.block_id and step.student_id in s.students), None)
        where = "no seat" if seat is None else name_session(seat, edited, names)
        return f"{names.student(step.student_id or '')} is now in {where}{at}."
    session = next((each for each in edited.sessions if each.id == step.session_id), None)
    if session is None:
        return "The day is changed."
    words, size = name_session(session, edited, names), len(session.students)
    words = f"{words[:1].upper()}{words[1:]}"
    room = f" in {session.room}" if session.room is not None else ""
    return {
        "change": f"{words}{room} is set{at}.",
        "split": f"The group is split: {size} stay in {words}{at}.",
    }.get(step.action, f"{words} has {size} students now{at}.")
