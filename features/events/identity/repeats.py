"""Equal rows and equal moments: what a log leaves open is settled once, when its rows are stored.

Three things that a log may not say, each settled from all rows of a student that one file or batch holds:

* Rows that are equal in all that an id is made of: the second and later ones are answers of their own and get numbered
  ids, so that 24 answers on a clock of minutes stay 24 and the same file again adds none. Rows that differ in their
  skills alone are one response. A source that has ids of its own, or numbers the attempts on an item, says itself which
  rows are the same.
* The order of equal moments: that of the file, or the reverse where the file runs backwards in time.
* Which answers are retries: those on an item that the student answered before in the same session.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.events.identity.ids import copy_ids
from features.schema import Event

SESSION = np.timedelta64(1, "h")
"""A pause as long as this ends a session, as in the profiles."""

SESSION_US = 3_600_000_000
"""The same in microseconds."""

Marks = npt.NDArray[np.bool_]


SETTLED = {
    "copies": "rows that equal an earlier one in student, moment, item and score: {:,}; they count as answers of their "
    "own, so if the file repeats rows, name the column with their ids as event_id",
    "retries": "attempts are not numbered: {:,} count as retries, since the student answered the item before in "
    'the same session; [attempt] form = "first" in a mapping makes each a first one',
}
"""What is said of what was settled, by what a log left open."""


def resolve_repeats(rows: pd.DataFrame, leaves_open: Collection[str], settled: Counter[str]) -> pd.DataFrame:
    """The rows of one file with what it leaves open between equal ones and moments.

    Args:
        rows: Valid rows with `features.events.checks.COLUMNS` in the order of the file, all of their students.
        leaves_open: What the log does not say, of `features.logs.rows.OPEN`.
        settled: Counts what was settled of it.
    """
    if "copies" in leaves_open:
        ids, copies = number_copies(rows, np.ones(len(rows), bool))
        rows = rows.assign(event_id=ids)
        settled["copies"] += copies
    return rows.assign(sequence=order_ties(rows))


def resolve_retries(
    rows: pd.DataFrame, before: pd.DataFrame, leaves_open: Collection[str], settled: Counter[str]
) -> pd.DataFrame:
    """The rows of one file with their attempt, where it leaves that open.

    Args:
        rows: What `resolve_repeats` returned.
        before: Events that were stored before, with `features.events.log.store.KNOWN`; at least those with an id of
            the rows, and those of the sessions that the rows are of.
        leaves_open: What the log does not say, of `features.logs.rows.OPEN`.
        settled: Counts what was settled of it.
    """
    if "retries" not in leaves_open:
        return rows
    attempt, retries = count_attempts(rows, before)
    settled["retries"] += retries
    return rows.assign(attempt=attempt)


def has_whole_sessions(rows: pd.DataFrame, before: pd.DataFrame, since: pd.Timestamp) -> bool:
    """Whether stored events from a moment on hold the sessions of some rows from their first answers on.

    Args:
        rows: Valid rows with `features.events.checks.COLUMNS`, later than the moment.
        before: Events that were stored before, with `features.events.log.store.KNOWN`, none of them earlier than the
            moment.
        since: The moment, UTC.
    """
    stored = before.loc[before["score"].notna(), SESSION_COLUMNS].assign(new=False)
    answers = rows.loc[rows["kind"].eq("response"), SESSION_COLUMNS].assign(new=True)
    every = pd.concat([stored, answers]).dropna().sort_values(SESSION_COLUMNS, kind="stable")
    student = every["student_id"]
    pauses = every.groupby("student_id")["occurred_at"].diff() >= SESSION
    of_first_session = ~pauses.groupby(student).cummax()
    may_begin_before = every.groupby("student_id")["occurred_at"].transform("min") < since + SESSION
    return not (every["new"] & of_first_session & may_begin_before).any()


def describe_settled(settled: Counter[str]) -> list[str]:
    """What was settled, in sentences for whoever loads the file."""
    return [SETTLED[what].format(count) for what, count in settled.items() if count]


def number_copies(rows: pd.DataFrame, without_key: Marks) -> "tuple[pd.Series[str], int]":
    """The ids of rows, in which the second and later of equal ones have an id of their own, and how many those are.

    Args:
        rows: Valid rows with `features.events.checks.COLUMNS` in the order of the file.
        without_key: Which rows have nothing of their source that would tell equal ones apart.
    """
    ids = rows["event_id"]
    again = without_key & ids.duplicated(keep=False).to_numpy()
    if not again.any():
        return ids, 0
    number = rows.loc[again, ["event_id", "skills"]].fillna("").groupby(["event_id", "skills"]).cumcount()
    further = number[number > 0]
    named = ids.copy()
    named[further.index] = copy_ids(ids[further.index], further).to_numpy()
    return named, named[further.index].nunique()


def order_ties(rows: pd.DataFrame) -> "pd.Series[int]":
    """The sequence of rows, in which events of one student and moment without an order have that of the file.

    Args:
        rows: Valid rows with `features.events.checks.COLUMNS` in the order of the file; one event may have several.
    """
    if not rows.duplicated(["student_id", "occurred_at"]).any():
        return rows["sequence"]
    open_order = rows["occurred_at"].notna() & rows["sequence"].isna()
    events = rows.loc[open_order & ~rows["event_id"].duplicated(), ["event_id", "student_id", "occurred_at"]]
    tied = events[events.duplicated(["student_id", "occurred_at"], keep=False)]
    if tied.empty:
        return rows["sequence"]
    step = events.groupby("student_id")["occurred_at"].diff()
    runs_backwards = int((step < pd.Timedelta(0)).sum()) > int((step > pd.Timedelta(0)).sum())
    place = tied.groupby(["student_id", "occurred_at"]).cumcount(ascending=not runs_backwards)
    of_event = pd.Series(place.to_numpy(), tied["event_id"])
    # all rows of one event have the same place, and those of other events keep none
    placed = rows["event_id"].where(open_order).map(of_event).astype(pd.Int64Dtype())
    return rows["sequence"].fillna(placed)


def count_attempts(rows: pd.DataFrame, before: pd.DataFrame) -> "tuple[pd.Series[int], int]":
    """The attempt of rows, counted where it is not said, and how many of them are retries.

    Args:
        rows: Valid rows with `features.events.checks.COLUMNS`; one event may have several.
        before: Events that were stored before, with the columns of `RETRY_COLUMNS` and `score`, of any students.
    """
    answers = rows.loc[rows["kind"].eq("response"), RETRY_COLUMNS]
    # an index looks texts up several times as fast as isin, which makes a Python string of each
    if (pd.Index(before["event_id"]).get_indexer(answers["event_id"]) >= 0).all():
        return rows["attempt"], 0  # what was stored keeps its attempt
    mine = pd.Index(answers["student_id"].unique()).get_indexer(before["student_id"]) >= 0
    earlier = before.loc[before["score"].notna() & mine, RETRY_COLUMNS]
    every = pd.concat([earlier, answers]) if len(earlier) else answers
    every = every[every["occurred_at"].notna() & ~every["event_id"].duplicated()]
    student, item = (pd.factorize(every[name])[0] for name in ("student_id", "item_id"))
    time = every["occurred_at"].dt.tz_convert(None).to_numpy("datetime64[us]")
    order = np.lexsort((every["sequence"].to_numpy(dtype=np.float64, na_value=-1.0), time, student))
    begins = np.ones(len(order), dtype=bool)
    begins[1:] = (np.diff(student[order]) != 0) | (np.diff(time[order]) >= SESSION)
    key = np.cumsum(begins) * (item.max(initial=0) + 1) + item[order]
    number = np.empty(len(order), dtype=np.int64)
    number[order] = pd.Series(key).groupby(key).cumcount() + 1
    place = pd.Index(every["event_id"]).get_indexer(rows["event_id"])
    counted = rows["attempt"].fillna(pd.Series(number, dtype="Int64").reindex(place).set_axis(rows.index))
    further = rows["attempt"].isna() & counted.gt(1).fillna(value=False)
    return counted, rows.loc[further, "event_id"].nunique()


class Tried(NamedTuple):
    """What is needed of an event that was stored before, to count later tries on its item.

    Attributes:
        event_id: Its id.
        student_id: Whose it is.
        occurred_at: Microseconds since 1970 UTC; null where the source has only an order.
        sequence: Its place in the source's own order; null without one.
        item_id: Its item; null where nobody counts tries on it.
        scored: Whether it is an answer.
    """

    event_id: str
    student_id: str
    occurred_at: int | None
    sequence: int | None
    item_id: str | None
    scored: bool


def count_attempts_of_few(events: Sequence[Event], before: Sequence[Tried]) -> list[Event]:
    """A few events with their attempt, as `count_attempts` counts it where it is not said."""
    answers = [event for event in events if event.kind == "response"]
    known, mine = {event.event_id for event in before}, {event.student_id for event in answers}
    if all(event.event_id in known for event in answers):
        return list(events)  # what was stored keeps its attempt
    every: dict[str, Event | Tried] = {}
    scored: list[Event | Tried] = [event for event in before if event.scored and event.student_id in mine]
    for event in (*scored, *answers):
        if event.occurred_at is not None:
            every.setdefault(event.event_id, event)
    number, last, tries = dict[str, int](), ("", 0), Counter[str | None]()
    for moment, event in sorted(((_moment(event), event) for event in every.values()), key=itemgetter(0)):
        student, time, _ = moment
        if student != last[0] or time - last[1] >= SESSION_US:
            tries.clear()
        tries[event.item_id] += 1
        number[event.event_id], last = tries[event.item_id], (student, time)
    return [
        event if event.attempt is not None else event._replace(attempt=number.get(event.event_id)) for event in events
    ]


def _moment(event: Event | Tried) -> tuple[str, int, int]:
    return event.student_id, event.occurred_at or 0, -1 if event.sequence is None else event.sequence


RETRY_COLUMNS = ["event_id", "student_id", "occurred_at", "sequence", "item_id"]
"""Columns that tell which answers are tries on one item in one session."""

SESSION_COLUMNS = ["student_id", "occurred_at"]
"""Columns that tell which answers are of one session."""
