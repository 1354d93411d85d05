"""Removes what is older than an installation keeps it: plans with what was decided on them, answers, audit entries."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, CursorResult, Select, and_, delete, select

from features.database import Database
from features.errors import RegroupError
from features.roster import forget_old_sessions
from features.roster.people.id_table import forget_old
from serving.store.idempotency import prune_keys
from serving.store.tables import (
    AUDIT,
    CHOICES,
    DECISIONS,
    GOALS,
    HELP_REQUESTS,
    OBSERVATIONS,
    RECOMMENDATION_STUDENTS,
    RECOMMENDATIONS,
    RELATIONSHIP_MARKS,
    SESSION_REPORT_STUDENTS,
    SESSION_REPORTS,
    WISHES,
)

logger = logging.getLogger("regroup")

AT_ONCE = 200
"""The most rows of a kind that one transaction removes, so that no request waits long for it."""


@dataclass(frozen=True)
class Retention:
    """For how long an installation keeps what it stored.

    Attributes:
        plans: Plans, counted from when they were made, with their decisions, the reports on their sessions and
            observations in them, requests for help, and the sessions recorded from those; goals and wishes, counted
            from their last day; choices and marks.
        answers: What a request with an Idempotency-Key was answered with.
        audit: Entries of the audit log; the database itself refuses to give up those of the last 180 days.
    """

    plans: timedelta
    answers: timedelta
    audit: timedelta

    def remove_old(self, database: Database, now: datetime) -> int:
        """Removes what is too old at a moment, in UTC, and returns how many rows of all kinds that were.

        Several processes may do so at the same time.

        Raises:
            BusyError: The database stayed locked.
            DatabaseAwayError: The database cannot be used.
        """
        steps: tuple[Callable[[Connection], int], ...] = (
            lambda connection: _remove_plans(connection, now - self.plans),
            lambda connection: forget_old_sessions(connection, (now - self.plans).date(), AT_ONCE),
            lambda connection: _remove_noted(connection, now - self.plans),
            lambda connection: forget_old(connection, now),
            lambda connection: prune_keys(connection, now - self.answers),
            lambda connection: _remove_entries(connection, now - self.audit),
        )
        return sum(_repeat(database, step) for step in steps)

    def try_to_remove_old(self, database: Database, now: datetime) -> None:
        """Does the same, and leaves what fails to the next time."""
        try:
            removed = self.remove_old(database, now)
        except RegroupError as error:
            logger.warning("what is too old stays for now: %s", error)
            return
        if removed:
            logger.info("removed %d rows that were older than this installation keeps them", removed)


def _repeat(database: Database, step: Callable[[Connection], int]) -> int:
    """Repeats a step in transactions of its own until it finds nothing more."""
    removed = 0
    while True:
        with database.changing() as connection:
            found = step(connection)
        if not found:
            return removed
        removed += found


def _remove_plans(connection: Connection, before: datetime) -> int:
    plans = RECOMMENDATIONS.c
    old = _lock(select(plans.id).where(plans.created_at < before))
    ids = connection.execute(old).scalars().all()
    if ids:
        students = RECOMMENDATION_STUDENTS
        connection.execute(delete(students).where(students.c.recommendation_id.in_(ids)))
        for table in (DECISIONS, SESSION_REPORTS, SESSION_REPORT_STUDENTS, OBSERVATIONS, HELP_REQUESTS):
            connection.execute(delete(table).where(table.c.recommendation_id.in_(ids)))
        connection.execute(delete(RECOMMENDATIONS).where(plans.id.in_(ids)))
    return len(ids)


def _remove_noted(connection: Connection, before: datetime) -> int:
    """Removes goals and wishes whose last day was before a moment, and choices and marks of before it."""
    old = (
        (GOALS, (GOALS.c.goal_id,), GOALS.c.until < before.date()),
        (WISHES, (WISHES.c.wish_id,), WISHES.c.until < before.date()),
        (CHOICES, (CHOICES.c.choice_id,), CHOICES.c.chosen_at < before),
        (
            RELATIONSHIP_MARKS,
            (RELATIONSHIP_MARKS.c.student_id, RELATIONSHIP_MARKS.c.staff_id),
            RELATIONSHIP_MARKS.c.marked_at < before,
        ),
    )
    removed = 0
    for table, key, is_old in old:
        found = connection.execute(_lock(select(*key).where(is_old))).all()
        for row in found:
            mine = and_(*(column == value for column, value in zip(key, row, strict=True)))
            removed += connection.execute(delete(table).where(mine)).rowcount
    return removed


def _remove_entries(connection: Connection, before: datetime) -> int:
    numbers = _lock(select(AUDIT.c.sequence).where(AUDIT.c.at < before))
    removed: CursorResult[tuple[()]] = connection.execute(delete(AUDIT).where(AUDIT.c.sequence.in_(numbers)))
    return removed.rowcount


def _lock(old: Select[tuple[object]]) -> Select[tuple[object]]:
    """The first of some rows; PostgreSQL skips those that another process is removing."""
    return old.limit(AT_ONCE).with_for_update(skip_locked=True)
