"""Stores a batch of live events: durable when the call returns, each event stored once."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pandas as pd
from prometheus_client import Counter
from sqlalchemy import Connection

from features.database import Database
from features.errors import MissingError
from features.events.checks import check_rows, keep_distinct
from features.events.identity.ids import statement_hash
from features.events.identity.odd_ids import IdWatch
from features.events.identity.repeats import Tried, count_attempts_of_few, number_copies, order_ties
from features.events.identity.voided import find_statements, void_statements
from features.events.live.answers import (
    Change,
    drop_events,
    keep_events,
    known_events,
    latest_change,
    lock_writers,
    to_table,
    tries_since,
)
from features.roster import students_of_schools
from features.schema import Event, list_events
from features.tombstones import find_erased
from serving.access.caller import Caller
from serving.errors import RequestError, TooLargeError
from serving.intake.read_batch import ReadBatch, read_batch, to_rejected
from serving.intake.school_ids import to_school_ids
from serving.intake.statements import NO_STATEMENTS, Statements
from serving.schemas.events import EventsOut, RejectedEvent

AHEAD = timedelta(minutes=15)
"""How far in the future a live event may be: what is yet to come must not move a school's moment."""

LONGEST_SESSION_US = 4 * 3_600_000_000
"""Microseconds back of a batch in which answers are looked for that its answers may be retries after."""

NOTHING: Mapping[str, int] = {}

EVENTS = Counter("regroup_live_events_total", "Live events by what became of them.", ["outcome"])


@dataclass(frozen=True)
class _Tries:
    """What was answered before on the items of a batch, in its sessions.

    Attributes:
        before: Answers that the table held.
        seen: The last change that the table had seen; null where it was not looked at.
    """

    before: Sequence[Tried] = ()
    seen: Change | None = None


@dataclass(frozen=True)
class Intake:
    """Stores the batches of one caller.

    Attributes:
        database: Where events are stored.
        caller: Who sends the batches.
        max_events: Most events of one batch.
    """

    database: Database
    caller: Caller
    max_events: int

    def require_few(self, count: int) -> None:
        """Refuses a batch of too many events.

        Raises:
            TooLargeError: The batch has more than `max_events`.
        """
        if count > self.max_events:
            message = f"the batch has {count} events; send at most {self.max_events} at a time"
            raise TooLargeError("too_many_events", message)

    def store(
        self,
        documents: Mapping[int, object],
        *,
        atomic: bool = False,
        unread: Sequence[RejectedEvent] = (),
        ignored: Mapping[str, int] = NOTHING,
        statements: Statements = NO_STATEMENTS,
        notes: Sequence[str] = (),
        finish: Callable[[Connection], None] | None = None,
    ) -> EventsOut:
        """Stores the good events of a batch in one transaction and says why the others are rejected.

        Args:
            documents: The events as JSON held them, by their place in the batch.
            atomic: Whether one rejected event rejects the batch.
            unread: Events of the batch that a translation rejected.
            ignored: How many events a translation ignored, by verb or type.
            statements: What is known of the statements that the events were.
            notes: What a translation found odd.
            finish: Called in the transaction that stores the batch, at its end; raising undoes it. The transaction then
                is one of `changing(alone=True)`.

        Raises:
            RequestError: Every event is rejected or, with `atomic`, one is; nothing was stored.
            BusyError: The database stayed locked.
            DatabaseAwayError: The database cannot be used.
        """
        batch = read_batch(documents)
        raw, unmatched = to_school_ids(self.database, batch)
        rejected = [*unread, *batch.rejected]
        count = len(documents) + len(unread) + len(statements.voiding)
        students = raw["student_id"].dropna().unique()
        allowed = may_load(self.database, self.caller, students)
        unknown = unmatched | (raw["student_id"].notna() & ~raw["student_id"].isin(allowed))
        rejected += [to_rejected(int(index), "unknown_student") for index in raw.index[unknown]]
        now = datetime.now(UTC)
        events, nulled, broken = _check(batch, raw[~unknown] if unknown.any() else raw, now)
        rejected += broken
        used = raw if raw.index.equals(events.index) else raw.loc[events.index]
        numbered = (used["event_key"].notna() | used["attempt"].notna()).to_numpy(dtype=bool)
        ids, _ = number_copies(events, ~numbered)
        events = events.assign(event_id=ids)
        events = events.assign(sequence=order_ties(events))
        watch = IdWatch()
        watch.add(batch.raw)
        may_void = self._may_void(statements, used["event_key"])
        valid = dict(zip(events.index.tolist(), list_events(events), strict=True))
        tries = self._read_tries(valid.values())
        # other writers wait meanwhile, so everything else was done before
        with self.database.changing(alone=finish is not None) as connection:
            lock_writers(connection)
            gone = find_erased(connection, students)
            left = {at: event for at, event in valid.items() if event.student_id not in gone}
            erased = len(valid) - len(left)
            sorted_out = statements.sort_out(connection, batch, left, may_void)
            if tries.seen != latest_change(connection):  # somebody else has stored a batch meanwhile
                tries = _find_tries(connection, valid.values())
            counted = count_attempts_of_few([left[at] for at in sorted_out.left], tries.before)
            new, retagged, contradicting = _distinct(connection, dict(zip(sorted_out.left, counted, strict=True)))
            broken_rules = sorted_out.broken | contradicting
            rejected += [to_rejected(int(index), str(rule)) for index, rule in broken_rules.items()]
            rejected.sort(key=lambda event: event.index)
            if rejected and (atomic or len(rejected) == count):
                # the exception rolls the transaction back
                EVENTS.labels("rejected").inc(len(rejected))
                raise _nothing_stored(rejected, count)
            drop_events(connection, [event.event_id for event in retagged])
            keep_events(connection, [*new, *retagged], now, self.caller.key_id, sorted_out.origins)
            void_statements(connection, statements.source, sorted_out.voiding, now)
            if finish is not None:
                finish(connection)
        counts = {"stored": len(new), "erased": erased, "voided": sorted_out.voided}
        counts["known"] = count - len(rejected) - sum(counts.values())
        for outcome, number in {**counts, "rejected": len(rejected)}.items():
            EVENTS.labels(outcome).inc(number)
        return EventsOut(
            **counts,
            nulled=nulled,
            ignored=sum(ignored.values()),
            ignored_kinds=dict(ignored),
            notes=[*watch.notes(), *notes],
            rejected=rejected,
        )

    def _read_tries(self, events: Iterable[Event]) -> _Tries:
        """Looks for earlier tries before the transaction that stores the batch, in which others would wait."""
        try:
            with self.database.reading() as connection:
                return _find_tries(connection, events)
        except MissingError:
            return _Tries()  # no tables: nothing came in yet

    def _may_void(self, statements: Statements, keys: "pd.Series[str]") -> set[str]:
        """Returns the ids of the statements that this batch voids and that the caller may void.

        Whoever may load every student may void what has not come yet; others only what is there, and of their teams.
        """
        named = set(statements.voiding.values())
        if self.caller.sees_all or not named:
            return named
        by_hash = {statement_hash(statements.source, name): name for name in named}
        with self.database.reading() as connection:
            held = find_statements(connection, sorted(by_hash))
        mine = may_load(self.database, self.caller, [one.student_id for one in held.values()])
        return {by_hash[digest] for digest, one in held.items() if one.student_id in mine} | (named & set(keys))


def may_load(database: Database, caller: Caller, student_ids: Iterable[str]) -> set[str]:
    """Returns the students whom the caller may know of; students of others and unknown ones are left out alike.

    Args:
        database: Holds the roster.
        caller: Who sends the batch; one for all teams may load events of students who are in no roster yet.
        student_ids: Students of the batch.

    Raises:
        BusyError: The database stayed locked.
        DatabaseAwayError: The database cannot be used.
    """
    if caller.sees_all:
        return set(student_ids)
    try:
        return set(student_ids) & students_of_schools(database, caller.schools, caller.teams)
    except MissingError:
        return set()


def _check(batch: ReadBatch, raw: pd.DataFrame, now: datetime) -> tuple[pd.DataFrame, int, list[RejectedEvent]]:
    """Returns the valid events by their place in the batch, how many lost their duration, and the rejected ones."""
    parts, nulled, rejected = [], 0, list[RejectedEvent]()
    for name, rows in batch.by_source(raw):
        checked = check_rows(rows, name, now, AHEAD)
        rejects = len(checked.rejected)
        valid = rows.index.difference(checked.rejected.index, sort=False) if rejects else rows.index
        parts.append(checked.events.set_axis(valid))
        nulled += sum(checked.nulled.values())
        rejected += [
            to_rejected(index, str(rule))
            for index, rule in zip(checked.rejected.index.tolist(), checked.rejected["rejected"], strict=True)
        ]
    return pd.concat(parts) if len(parts) > 1 else parts[0], nulled, rejected


def _find_tries(connection: Connection, events: Iterable[Event]) -> _Tries:
    """Looks for the tries before those events whose attempt is not said.

    Events that have not come yet are not seen: an earlier try that arrives later counts as a first one too.
    """
    begin, answered = math.inf, defaultdict[str, set[str]](set)
    for event in events:
        if event.kind == "response" and event.attempt is None and event.occurred_at is not None and event.item_id:
            begin = min(begin, event.occurred_at)
            answered[event.student_id].add(event.item_id)
    before = tries_since(connection, answered, int(begin) - LONGEST_SESSION_US) if answered else ()
    return _Tries(before, latest_change(connection))


def _distinct(
    connection: Connection, events: Mapping[int, Event]
) -> tuple[Sequence[Event], Sequence[Event], dict[int, str]]:
    """Returns the new events, the known ones with further skills, and the rule that others break by their place."""
    ids = list({event.event_id: None for event in events.values()})
    known = known_events(connection, ids)
    if not known and len(ids) == len(events):
        return list(events.values()), (), {}  # true of most batches
    held = to_table(known)
    distinct = keep_distinct(
        to_table(events.values()).set_axis(list(events)),
        held[["event_id", "occurred_at", "item_id", "score", "skills"]],
    )
    retagged = held.drop(columns="skills").merge(distinct.retagged, on="event_id")
    broken = distinct.rejected["rejected"]
    return list_events(distinct.events), list_events(retagged), dict(zip(broken.index.tolist(), broken, strict=True))


def _nothing_stored(rejected: Sequence[RejectedEvent], count: int) -> RequestError:
    return RequestError(
        "rejected_events",
        f"{len(rejected)} of {count} events are rejected, so nothing was stored; `rejected` says why",
        rejected=[event.model_dump() for event in rejected],
    )
