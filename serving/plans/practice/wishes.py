"""Wishes: with whom a student would like to work, on what and where; need comes first."""

import uuid
from datetime import UTC, date, datetime

from features.roster import Team
from serving.access.caller import Caller
from serving.access.visibility import find_student_team, require_student
from serving.errors import ConflictError, NotFoundError, RequestError
from serving.plans.practice.student_changes import MOST_OPEN, Note, change_student, require_to_come
from serving.plans.recommend import Planner
from serving.plans.rooms import is_of_room
from serving.schemas.people.wishes import WishRequest
from serving.store.practice.wishes import StoredWish, end_wish, keep_wish, list_wishes


def wish(planner: Planner, caller: Caller, student_id: str, body: WishRequest, note: Note) -> StoredWish:
    """Stores a wish.

    Args:
        planner: With the database and the rosters.
        caller: Who sends it.
        student_id: The student.
        body: The wish.
        note: Gives the audit entry that is stored with it.

    Raises:
        NotFoundError: There is no such student, or none that the caller may know of.
        RequestError: The student's team has no such other student, adult or room, or the date has passed.
        ConflictError: The student has as many wishes already.
    """
    team_id, roster = find_student_team(planner.rosters, caller, student_id)
    team = roster.team
    others = set() if team is None else set(team.members) - {student_id}
    adults = set() if team is None else {adult.staff_id for adult in team.staff}
    if body.other_student_id is not None and body.other_student_id not in others:
        detail = "other_student_id: the student's team has no such other student"
        raise RequestError("unknown_student", detail, field="other_student_id")
    if body.staff_id is not None and body.staff_id not in adults:
        raise RequestError("unknown_staff", "staff_id: the student's team has no such adult", field="staff_id")
    rooms = [] if team is None else [room.room_id for room in team.rooms]
    if body.room_id is not None and body.room_id not in rooms:
        known = ", ".join(rooms) or "it has none"
        detail = f"room_id: {body.room_id!r} is not one of the rooms of the student's team: {known}"
        raise RequestError("unknown_room", detail, field="room_id")
    today = require_to_come(body.until)
    stored = StoredWish(
        uuid.uuid4().hex,
        student_id,
        body.other_student_id,
        body.staff_id,
        body.skill_id,
        datetime.now(UTC),
        body.until,
        caller.key_id,
        room_id=body.room_id,
    )
    with change_student(planner, caller, student_id, team_id, note) as connection:
        if body.other_student_id is not None:
            require_student(connection, caller, body.other_student_id)
        if sum(each.is_open(today) for each in list_wishes(connection, [student_id])) >= MOST_OPEN:
            raise ConflictError("too_many_wishes", f"the student has {MOST_OPEN} open wishes; end one of them first")
        keep_wish(connection, stored)
    return stored


def close_wish(planner: Planner, caller: Caller, student_id: str, wish_id: str, note: Note) -> StoredWish:
    """Ends a wish; one that was ended before stays as it is.

    Args:
        planner: With the database and the rosters.
        caller: Who ends it.
        student_id: The student.
        wish_id: The wish.
        note: Gives the audit entry that is stored with the change.

    Raises:
        NotFoundError: There is no such wish of such a student, or none that the caller may know of.
    """
    team_id, _ = find_student_team(planner.rosters, caller, student_id)
    with change_student(planner, caller, student_id, team_id, note) as connection:
        found = end_wish(connection, student_id, wish_id, datetime.now(UTC))
        mine = [each for each in list_wishes(connection, [student_id]) if each.wish_id == wish_id]
        if not found or not mine:
            raise NotFoundError("unknown_wish", "the student has no wish with this id")
        return mine[0]


def read_wishes(planner: Planner, *student_ids: str) -> tuple[StoredWish, ...]:
    """The wishes of students whom the caller may see, the newest first."""
    with planner.database.reading() as connection:
        return list_wishes(connection, student_ids)


def list_met(stored: StoredWish, team: Team | None) -> list[date]:
    """The days with a session on record that met a wish, from the day of the wish to its last day or its end."""
    first, ended = stored.wished_at.date(), stored.ended_at
    last = stored.until if ended is None else min(stored.until, ended.date())
    held = () if team is None else team.past_sessions
    return sorted(
        {
            past.date
            for past in held
            if past.staff_id is not None and first <= past.date <= last and stored.student_id in past.students
            if stored.other_student_id in (None, *past.students)
            and stored.staff_id in (None, past.staff_id)
            and stored.skill_id in (None, past.skill_id)
            and (stored.room_id is None or is_of_room(past.room_id or "", stored.room_id))
        }
    )
