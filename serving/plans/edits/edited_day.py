"""A stored plan with what adults changed in it on the board before they decide.

A change names the version of the edit that its page showed. Where somebody else changed the plan meanwhile it is not
made, so that nobody overwrites what they have not seen.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from features.database import Database
from serving.access.caller import Caller
from serving.audit.entries import AuditEntry, add_entries
from serving.errors import ConflictError
from serving.grouping import Problem, Session
from serving.plans.sessions import read_aims, read_sessions, to_session, to_session_seats
from serving.plans.stored_plan import StoredDay, read_day, require_plan
from serving.schemas.edits import MOST_STEPS, Edit, EditStep
from serving.schemas.sessions import SessionIn
from serving.store.recommendations import PlanRow, keep_edit

Note = Callable[[], AuditEntry | None]
"""Gives the audit entry that is stored with a change; null for none, where another one says it already."""


@dataclass(frozen=True)
class EditedDay:
    """A stored plan with what was changed in it.

    Attributes:
        day: The plan as it was suggested or decided on.
        decision: `accepted`, `edited` or `rejected`; null while nobody decided.
        request: JSON of the body that asked for the plan.
        version: How often the plan was changed.
        steps: The changes that were not undone, the newest last.
        awaits_signature: Whether it was accepted and counts only once the team's leader has signed it.
    """

    day: StoredDay
    decision: str | None
    request: str
    version: int
    steps: tuple[EditStep, ...]
    awaits_signature: bool = False

    @cached_property
    def sessions(self) -> tuple[Session, ...]:
        """The sessions of the day as they are now: decided on, else changed, else suggested."""
        if self.decision is not None or not self.steps:
            return self.day.current
        return tuple(to_session(session) for session in self.steps[-1].sessions)

    @cached_property
    def aims(self) -> Mapping[str, str]:
        """What the team wants of sessions, by their ids."""
        if self.decision is not None or not self.steps:
            return self.day.aims
        return read_aims(self.steps[-1].sessions)

    @property
    def locked(self) -> frozenset[str]:
        """Ids of sessions that a new suggestion keeps."""
        return frozenset(self.steps[-1].locked if self.steps else ())

    @property
    def is_changed(self) -> bool:
        """Whether anything differs from what was suggested, without a decision."""
        if self.decision is not None:
            return False
        return self.aims != self.day.aims or _content(self.sessions) != _content(self.day.suggested)


def _content(sessions: Sequence[Session]) -> list[tuple[object, ...]]:
    """What sessions are, whatever their order and that of their students."""
    parts = ((each, tuple(sorted(each.students))) for each in sessions)
    return sorted((s.id, s.block, s.session_type, s.skill or "", s.adults, s.room or "", who) for s, who in parts)


def open_edit(database: Database, caller: Caller, recommendation_id: str) -> EditedDay:
    """A stored plan with what was changed in it.

    Raises:
        NotFoundError: There is no plan with this id, or none that the caller may know of.
        ConflictError: The plan was stored by a version that did not store days.
    """
    stored = require_plan(database, caller, recommendation_id)
    day = read_day(stored)
    steps = () if stored.edit is None else tuple(Edit.model_validate_json(stored.edit).steps)
    return EditedDay(day, stored.decision, stored.request, stored.edit_version, steps, stored.awaits_signature)


def open_days(database: Database, caller: Caller, rows: Mapping[date, PlanRow]) -> dict[date, EditedDay]:
    """The plans of several days, in their order, without those of versions that did not store days."""
    days = {}
    for day, row in sorted(rows.items()):
        with suppress(ConflictError):
            days[day] = open_edit(database, caller, row.id)
    return days


def save_steps(database: Database, edited: EditedDay, version: int, steps: Sequence[EditStep], note: Note) -> None:
    """Stores other steps in place of those of an edit.

    Args:
        database: The service's database.
        edited: The day.
        version: The version that the page showed on which the change was made.
        steps: All steps from now on.
        note: Gives the audit entry that is stored with them.

    Raises:
        ConflictError: Somebody changed the plan since, or decided on it.
    """
    edit = Edit(steps=list(steps[-MOST_STEPS:]))
    with database.changing() as connection:
        if edited.decision is not None or not keep_edit(connection, edited.day.answer.id, version, edit):
            raise changed_meanwhile()
        entry = note()
        add_entries(connection, [] if entry is None else [entry])


def changed_meanwhile() -> ConflictError:
    """The error for a change that was made on a page that is not current any more."""
    return ConflictError(
        "changed_meanwhile",
        "somebody else changed or decided this plan after your page was made, so your last step was not done",
    )


def to_bodies(edited: EditedDay) -> list[SessionIn]:
    """The sessions of a day as bodies that may be sent."""
    return [SessionIn.model_validate(seats.model_dump()) for seats in to_session_seats(edited.sessions, edited.aims)]


def check_sessions(problem: Problem, sessions: Sequence[Session]) -> tuple[Session, ...]:
    """The sessions where all of them are of the day; raises `RequestError` where not."""
    return read_sessions(problem, [SessionIn.model_validate(each.model_dump()) for each in to_session_seats(sessions)])
