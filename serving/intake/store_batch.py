"""Stores a batch of live events: durable when the call returns, each event stored once."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pandas as pd
from prometheus_client import Counter
from sqlalchemy import Connection

from features.database import Database
from features.errors import MissingError
from features.events.checks import COLUMNS, check_rows, keep_distinct
from features.events.ids import statement_hash
from features.events.live import drop_events, events_since, keep_events, known_events, lock_writers
from features.events.odd_ids import IdWatch
from features.events.repeats import count_attempts, number_copies, order_ties
from features.events.voided import find_statements, void_statements
from features.roster import students_of_schools
from features.tombstones import find_erased
from serving.access.caller import Caller
from serving.errors import RequestError, TooLargeError
from serving.intake.read_batch import read_batch, to_rejected
from serving.intake.school_ids import to_school_ids
from serving.intake.statements import NO_STATEMENTS, Statements
from serving.schemas.events import EventsOut, RejectedEvent

AHEAD = timedelta(minutes=15)
"""How far in the future a live event may be: what is yet to come must not move a school's moment."""

LONGEST_SESSION = timedelta(hours=4)
"""How far back of a batch answers are looked for that its answers may be retries after."""

NOTHING: Mapping[str, int] = {}

EVENTS = Counter("regroup_live_events_total", "Live events by what became of them.", ["outcome"])


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
    ) -> EventsOut:
        """Stores the good events of a batch in one transaction and says why the others are rejected.

        Args:
            documents: The events as JSON held them, by their place in the batch.
            atomic: Whether one rejected event rejects the batch.
            unread: Events of the batch that a translation rejected.
            ignored: How many events a translation ignored, by verb or type.
            statements: What is known of the statements that the events were.
            notes: What a translation found odd.

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
        allowed = may_load(self.database, self.caller.schools, students)
        unknown = unmatched | (raw["student_id"].notna() & ~raw["student_id"].isin(allowed))
        rejected += [to_rejected(int(index), "unknown_student") for index in raw.index[unknown]]
        now = datetime.now(UTC)
        events, nulled, broken = _check(raw[~unknown], batch.source, now)
        rejected += broken
        numbered = raw.loc[events.index, ["event_key", "attempt"]].notna().any(axis=1)
        ids, _ = number_copies(events, ~numbered.to_numpy(dtype=bool))
        events = events.assign(event_id=ids)
        events = events.assign(sequence=order_ties(events))
        watch = IdWatch()
        watch.add(batch.raw)
        may_void = self._may_void(statements, raw.loc[events.index, "event_key"])
        with self.database.changing() as connection:  # other writers wait, so everything else was done before
            lock_writers(connection)
            gone = events["student_id"].isin(find_erased(connection, students))
            erased, events = int(gone.sum()), events[~gone]
            sorted_out = statements.sort_out(connection, batch, events, may_void)
            events = _count_attempts(connection, events.loc[sorted_out.left])
            new, retagged, contradicting = _distinct(connection, events)
            broken_rules = sorted_out.broken | dict(zip(contradicting.index, contradicting, strict=True))
            rejected += [to_rejected(int(index), str(rule)) for index, rule in broken_rules.items()]
            rejected.sort(key=lambda event: event.index)
            if rejected and (atomic or len(rejected) == count):
                # the exception rolls the transaction back
                EVENTS.labels("rejected").inc(len(rejected))
                raise _nothing_stored(rejected, count)
            drop_events(connection, retagged["event_id"].tolist())
            for some in (new, retagged):
                keep_events(connection, some, now, self.caller.key_id, sorted_out.origins)
            void_statements(connection, statements.source, sorted_out.voiding, now)
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

    def _may_void(self, statements: Statements, keys: "pd.Series[str]") -> set[str]:
        """Returns the ids of the statements that this batch voids and that the caller may void.

        Whoever may load every student may void what has not come yet; others only what is there, and of their schools.
        """
        named = set(statements.voiding.values())
        if self.caller.schools is None or not named:
            return named
        by_hash = {statement_hash(statements.source, name): name for name in named}
        with self.database.reading() as connection:
            held = find_statements(connection, sorted(by_hash))
        mine = may_load(self.database, self.caller.schools, [one.student_id for one in held.values()])
        return {by_hash[digest] for digest, one in held.items() if one.student_id in mine} | (named & set(keys))


def may_load(database: Database, schools: Collection[str] | None, student_ids: Iterable[str]) -> set[str]:
    """Returns the students of the schools; students of other schools and unknown ones are left out alike.

    Args:
        database: Holds the roster.
        schools: Schools of the caller; None for all, and then also for students who are in no roster yet.
        student_ids: Students of the batch.

    Raises:
        BusyError: The database stayed locked.
        DatabaseAwayError: The database cannot be used.
    """
    if schools is None:
        return set(student_ids)
    try:
        return set(student_ids) & students_of_schools(database, schools)
    except MissingError:
        return set()


def _check(raw: pd.DataFrame, source: "pd.Series[str]", now: datetime) -> tuple[pd.DataFrame, int, list[RejectedEvent]]:
    """Returns the valid events by their place in the batch, how many lost their duration, and the rejected ones."""
    parts, nulled, rejected = [], 0, list[RejectedEvent]()
    for name, rows in raw.groupby(source.loc[raw.index], sort=False) if len(raw) else [("", raw)]:
        checked = check_rows(rows, str(name), now, AHEAD)
        valid = rows.index.difference(checked.rejected.index, sort=False)
        parts.append(checked.events.set_axis(valid))
        nulled += sum(checked.nulled.values())
        rejected += [
            to_rejected(index, str(rule))
            for index, rule in zip(checked.rejected.index.tolist(), checked.rejected["rejected"], strict=True)
        ]
    return pd.concat(parts), nulled, rejected


def _count_attempts(connection: Connection, events: pd.DataFrame) -> pd.DataFrame:
    """Returns the events with their attempt, counted where it is not said from what the table holds of their students.

    Events that have not come yet are not seen: an earlier try that arrives later counts as a first one too.
    """
    silent = events[events["kind"].eq("response") & events["attempt"].isna() & events["occurred_at"].notna()]
    if silent.empty:
        return events
    begin = silent["occurred_at"].min() - LONGEST_SESSION
    before = events_since(connection, set(zip(silent["student_id"], silent["item_id"], strict=True)), begin)
    attempt, _ = count_attempts(events, before)
    return events.assign(attempt=attempt)


def _distinct(connection: Connection, events: pd.DataFrame) -> "tuple[pd.DataFrame, pd.DataFrame, pd.Series[str]]":
    """Returns the new events, the known ones with further skills, and the rule that others break by their place."""
    known = known_events(connection, events["event_id"].unique().tolist())
    if known.empty and not events["event_id"].duplicated().any():
        return events, known, pd.Series([], dtype="str")
    distinct = keep_distinct(events, known[["event_id", "occurred_at", "item_id", "score", "skills"]])
    retagged = known.drop(columns="skills").merge(distinct.retagged, on="event_id")[COLUMNS]
    return distinct.events, retagged, distinct.rejected["rejected"]


def _nothing_stored(rejected: Sequence[RejectedEvent], count: int) -> RequestError:
    return RequestError(
        "rejected_events",
        f"{len(rejected)} of {count} events are rejected, so nothing was stored; `rejected` says why",
        rejected=[event.model_dump() for event in rejected],
    )
