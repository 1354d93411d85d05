"""Live events in a real SQLite file and a real PostgreSQL, and their way into the event log: none lost, none twice."""

import json
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from sqlalchemy import select, update

from features.database import Database
from features.events.checks import check_rows
from features.events.ingest import ingest_rows
from features.events.live.answers import (
    LIVE_EVENTS,
    drop_events,
    keep_events,
    lock_writers,
    read_live_events,
    to_table,
    tries_since,
)
from features.events.live.ingest import ingest_live_events
from features.events.log.store import data_version, read_events, read_item_skills
from features.home import Home
from features.logs.rows import raw_rows
from features.schema import list_events
from tests.examples import DATABASES

NOW = datetime(2026, 3, 17, tzinfo=UTC)
START = pd.Timestamp("2026-03-16T08:00:00.000001Z")


@pytest.fixture(params=DATABASES)
def database(request, tmp_path):
    url = f"sqlite:///{tmp_path / 'regroup.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("empty_postgres")
    with Database(url) as database:
        yield database


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home")


def raw(keys, score=1.0):
    """One response per key, a minute apart, of two students in turn; every third row is of a log without a clock."""
    size = len(keys)
    columns = {
        "student_id": [("007", "zoë")[at % 2] for at in range(size)],
        "occurred_at": [pd.NaT if at % 3 == 2 else START + timedelta(minutes=at) for at in range(size)],
        "sequence": range(size),
        "item_id": [f"i{at}" for at in range(size)],
        "score": score,
        "correct": [None if at % 4 == 3 else True for at in range(size)],
        "duration_s": 0.1,
        "event_key": keys,
        "skills": "add\x1fcarry",
    }
    return raw_rows(columns, size)


def keep(database, rows):
    events = check_rows(rows, "app", NOW).events
    with database.changing() as connection:
        lock_writers(connection)
        keep_events(connection, list_events(events), NOW, "key")
    return events


def by_id(events):
    return events.sort_values("event_id", ignore_index=True)


def marks(database):
    with database.reading() as connection:
        return list(connection.execute(select(LIVE_EVENTS.c.log_version).order_by(LIVE_EVENTS.c.sequence)).scalars())


def test_an_event_comes_back_as_it_was_kept(database):
    events = keep(database, raw(list("abcdef")))

    read = read_live_events(database)

    pd.testing.assert_frame_equal(to_table(read.events), events.reset_index(drop=True))
    assert read.through == 6


def test_earlier_tries_are_found_whatever_their_items_are_called(database):
    """Read from the text of an event, in whatever order an earlier version wrote its fields."""
    odd = ['"', "\\", '\\"', '", "score": null', 'x", "item_id": "y', "ü", "\u2028", "y"]
    rows = raw(list("abcdefgh")).assign(item_id=odd, student_id="007", occurred_at=START)
    events = list_events(keep(database, rows))
    with database.changing() as connection:
        backwards = json.dumps(dict(reversed(events[-1]._asdict().items())))
        last = LIVE_EVENTS.c.event_id == events[-1].event_id
        connection.execute(update(LIVE_EVENTS).where(last).values(event=backwards))

    with database.reading() as connection:
        found = {item: tries_since(connection, {"007": [item], "zoë": ["y"]}, 0) for item in odd}
        none = tries_since(connection, {"007": ["z"]}, 0)

    assert none == []
    for item, tries in found.items():
        (same,) = (event for event in tries if event.item_id == item)
        assert same[:4] == next((e.event_id, "007", e.occurred_at, e.sequence) for e in events if e.item_id == item)
        assert {event.event_id for event in tries if event.scored} == {event.event_id for event in events}


def test_an_event_kept_again_keeps_its_number(database):
    keep(database, raw(["a", "b"]))

    keep(database, raw(["a", "b", "c"]))

    assert len(read_live_events(database).events) == 3
    assert len(read_live_events(database, after=2).events) == 1


def test_an_event_sent_again_with_a_further_skill_is_read_again_and_is_one_event(database, home):
    events = keep(database, raw(["a", "b"]))
    ingest_live_events(home, database, NOW)
    with database.changing() as connection:
        lock_writers(connection)
        drop_events(connection, events["event_id"].tolist()[:1])
        (first, _) = list_events(events)
        keep_events(connection, [first._replace(skills="add\x1fcarry\x1ftimes")], NOW, "key")

    (again,) = read_live_events(database, after=2).events
    counts = ingest_live_events(home, database, NOW)

    assert (again.event_id, again.skills) == (events["event_id"][0], "add\x1fcarry\x1ftimes")
    assert (counts.rows_read, counts.rows_merged, counts.events_stored) == (1, 1, 0)
    assert sorted(read_events(home)["skills"]) == ["add\x1fcarry", "add\x1fcarry\x1ftimes"]
    assert marks(database) == [0, 1]


def test_a_number_is_never_given_twice(database):
    keep(database, raw(["a", "b"]))
    seen = read_live_events(database).through
    with database.changing() as connection:
        connection.execute(LIVE_EVENTS.delete())

    keep(database, raw(["c"]))

    assert len(read_live_events(database, after=seen).events) == 1


def test_a_night_takes_events_up_in_one_commit(database, home):
    events = keep(database, raw(list("abcdef")))

    counts = ingest_live_events(home, database, NOW)

    assert (counts.events_stored, data_version(home).events) == (6, 0)
    pd.testing.assert_frame_equal(by_id(read_events(home)), by_id(events))
    assert len(read_item_skills(home)) == 12
    assert marks(database) == [0] * 6
    assert ingest_live_events(home, database, NOW) is None


def test_a_night_killed_before_it_marked_doubles_nothing(database, home):
    keep(database, raw(list("abc")))
    ingest_live_events(home, database, NOW)
    with database.changing() as connection:  # as if it had died between the two
        connection.execute(update(LIVE_EVENTS).values(log_version=None))
    keep(database, raw(list("abcd")))

    counts = ingest_live_events(home, database, NOW)

    assert (counts.events_stored, counts.events_known) == (1, 3)
    assert len(read_events(home)) == 4
    assert marks(database) == [1] * 4


def test_a_night_killed_before_it_committed_loses_nothing(database, home, monkeypatch):
    keep(database, raw(list("abc")))
    with monkeypatch.context() as patch:
        patch.setattr("features.events.changes.append_events", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            ingest_live_events(home, database, NOW)

    assert marks(database) == [None] * 3
    assert ingest_live_events(home, database, NOW).events_stored == 3


def test_an_event_that_came_in_a_file_too_is_there_once(database, home):
    ingest_rows(home, [raw(["a"])], "app", "log.csv", now=NOW)
    keep(database, raw(["a", "b"]))

    counts = ingest_live_events(home, database, NOW)

    assert (counts.events_stored, counts.events_known) == (1, 1)
    assert len(read_events(home)) == 2


def test_an_event_that_contradicts_the_log_is_put_aside_with_its_rule(database, home):
    ingest_rows(home, [raw(["a"], score=0.0)], "app", "log.csv", now=NOW)
    keep(database, raw(["a"]))

    counts = ingest_live_events(home, database, NOW)

    (record,) = home.rejected.glob("*-live.parquet")
    assert counts.rejected == {"conflicting_response": 1}
    assert pd.read_parquet(record)["rejected"].tolist() == ["conflicting_response"]
    assert read_events(home)["score"].tolist() == [0.0]


def test_what_a_publication_holds_is_not_read_again(database, home):
    keep(database, raw(["a"]))
    ingest_live_events(home, database, NOW)
    keep(database, raw(["a", "b"]))
    ingest_live_events(home, database, NOW)
    keep(database, raw(["a", "b", "c"]))

    after_first = read_live_events(database, log_version=0, as_of=NOW)
    after_second = read_live_events(database, log_version=1, as_of=NOW)
    of_an_earlier_moment = read_live_events(database, log_version=1, as_of=START + timedelta(minutes=1))

    assert [len(rows.events) for rows in (after_first, after_second, of_an_earlier_moment)] == [2, 1, 2]
    assert after_first.through == after_second.through >= 3


def test_events_that_the_log_holds_leave_the_table_after_a_month(database, home):
    keep(database, raw(["a"]))
    ingest_live_events(home, database, NOW)
    keep(database, raw(["a", "b"]))

    ingest_live_events(home, database, NOW + timedelta(days=31))

    assert marks(database) == []
    assert len(read_events(home)) == 2
