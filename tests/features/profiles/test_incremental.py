"""Whatever comes later, in whatever order and parts, the profiles are those of a fold of all events at once."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st

from features.errors import DatabaseAwayError
from features.events.checks import COLUMNS
from features.logs.moments import UTC as UTC_TYPE
from features.logs.rows import split_skills, unite_skills
from features.profiles.difficulty import fit_statistics
from features.profiles.fold import build_profiles, read_profiles
from features.profiles.incremental import IncrementalState
from features.profiles.state import State
from features.profiles.timeline import sort_events, sort_few
from features.profiles.vocabulary import build_vocabulary
from features.schema import Event, list_events
from tests.examples import holds_for

START = datetime(2024, 9, 2, 8, tzinfo=UTC)
MOMENT = START + timedelta(days=3)
SKILLS = {"easy": "add", "hard": "add", "mixed": "add\x1fcarry", "fresh": "carry\x1fnew", "bare": None, None: None}
TAGS = pd.DataFrame(
    [("easy", "add"), ("hard", "add"), ("mixed", "add"), ("mixed", "carry")], columns=["item_id", "skill_id"]
)
STATISTICS = fit_statistics(
    build_vocabulary(TAGS), np.array([0, 0, 0, 1, 1, 2], np.int32), np.array([1, 1, 0, 0, 0, 1], bool)
)


def make_events(rows):
    """Rows of (student, hours since the start or None, item, correct, attempt), maybe skills; an id each by place."""
    return pd.DataFrame(
        {
            "event_id": pd.Series([f"e{at}" for at in range(len(rows))], dtype="str"),
            "student_id": pd.Series([row[0] for row in rows], dtype="str"),
            "kind": pd.Series(["video" if row[2] is None else "response" for row in rows], dtype="str"),
            "occurred_at": pd.Series(
                [pd.NaT if row[1] is None else START + timedelta(hours=row[1]) for row in rows], dtype=UTC_TYPE
            ),
            "sequence": pd.Series(range(len(rows)), dtype="Int64"),
            "item_id": pd.Series([row[2] for row in rows], dtype="str"),
            "score": pd.Series([None if row[2] is None else float(row[3]) for row in rows], dtype="float64"),
            "correct": pd.Series([None if row[2] is None else row[3] for row in rows], dtype="boolean"),
            "attempt": pd.Series([row[4] for row in rows], dtype="Int64"),
            "hints": pd.Series([None] * len(rows), dtype="Int64"),
            "duration_s": pd.Series([30.0] * len(rows), dtype="float64"),
            "source": pd.Series(["test"] * len(rows), dtype="str"),
            "skills": pd.Series([SKILLS[row[2]] if len(row) < 6 else row[5] for row in rows], dtype="str"),
        }
    )[COLUMNS]


def published(events):
    """The statistics and the state that a night leaves of some events."""
    tags = split_skills(events[["item_id", "skills"]].dropna())
    known = STATISTICS.extend(tags, events["item_id"], events["skills"])
    _, state = build_profiles(events, known, None)
    return known, state


def of_night(events):
    known, state = published(events)
    return read_profiles(state, known, MOMENT)


def of_incremental(incremental, students):
    return read_profiles(incremental.state_of(students), incremental.statistics, MOMENT)


def in_order(profiles):
    return profiles.sort_values(["student_id", "skill_id"], ignore_index=True)


def incremental_on(before, *, history=None):
    known, state = published(before)
    read = history or (lambda students: list_events(before[before["student_id"].isin(students)]))
    return IncrementalState(state, known, read)


def never(students):
    raise AssertionError("the log is read only for events older than the state")


HOURS = st.one_of(st.integers(0, 12), st.integers(0, 60), st.none())
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["007", "NA", "zoë"]),
        HOURS,
        st.sampled_from(list(SKILLS)),
        st.booleans(),
        st.sampled_from([1, 1, 1, 2]),
        st.integers(-1, 3),  # before the night, or in which batch after it
    ),
    max_size=30,
)


@holds_for(8, 80, ROWS)
def test_live_events_leave_what_a_night_leaves(rows):
    events = make_events(rows)
    batch = np.array([row[5] for row in rows], dtype=int)
    incremental = incremental_on(events[batch < 0].reset_index(drop=True))

    for number in range(4):
        incremental.add(list_events(events[batch == number]))

    expected = in_order(of_night(events))
    pd.testing.assert_frame_equal(in_order(of_incremental(incremental, ["NA", "zoë", "007", "nobody"])), expected)


TAGGED = {
    "easy": ["add", "carry", "add\x1fcarry", "other", None],
    "hard": ["add", None],
    "mixed": ["add", "add\x1fcarry"],
    "later": ["add", "carry", "fresh", "add\x1ffresh", None],  # an item that is only answered after the night
    None: [None],
}
TAGGED_ROWS = st.lists(
    st.sampled_from(list(TAGGED)).flatmap(
        lambda item: st.tuples(
            st.sampled_from(["007", "NA", "zoë"]),
            HOURS,
            st.just(item),
            st.booleans(),
            st.just(1),
            st.sampled_from(TAGGED[item]),
            st.integers(0 if item == "later" else -1, 2),  # before the night, or in which batch after it
            st.sampled_from([None, None, "further", "add"]),  # sent again in the last batch, with this skill
        )
    ),
    max_size=25,
)


@holds_for(12, 120, TAGGED_ROWS)
def test_live_events_leave_what_a_night_leaves_where_each_response_has_skills_of_its_own(rows):
    events = make_events([row[:6] for row in rows])
    batch = np.array([row[6] for row in rows], dtype=int)
    further = pd.Series([row[7] for row in rows], dtype="str")
    again = further.notna() & events["item_id"].notna()
    incremental = incremental_on(events[batch < 0].reset_index(drop=True))
    retagged = unite_skills(pd.concat([events, events.assign(skills=further)[again]], ignore_index=True))

    for number in range(3):
        incremental.add(list_events(events[batch == number]))
    incremental.add(list_events(retagged[again.to_numpy()]))

    assert incremental.count_events(["007", "NA", "zoë"]) == ((batch >= 0) | again.to_numpy()).sum()
    expected = in_order(of_night(retagged))
    pd.testing.assert_frame_equal(in_order(of_incremental(incremental, ["NA", "zoë", "007"])), expected)


@holds_for(8, 80, ROWS)
def test_a_few_events_as_plain_values_are_sorted_as_a_table_of_them(rows):
    events = make_events(rows).sample(frac=1, random_state=len(rows))
    statistics = STATISTICS.extend(TAGS, events["item_id"], events["skills"])

    few, table = (
        sort(some, statistics, np.array(["zoë"], object))
        for sort, some in ((sort_few, list_events(events)), (sort_events, events))
    )

    assert few.students.tolist() == table.students.tolist()
    for name in ("start", "row", "time", "item", "node", "correct", "hints", "duration"):
        np.testing.assert_array_equal(getattr(few, name), getattr(table, name))
    assert list(Event._fields) == COLUMNS


def test_a_new_item_is_about_what_most_of_its_responses_name_so_far():
    """The first answers said otherwise, and one that says nothing goes with the most."""
    incremental = incremental_on(make_events([]))
    rows = [("007", at, "later", True, 1, skills) for at, skills in enumerate(["a", None, "b", "b"])]
    events = make_events(rows)

    practiced = []
    for at in range(4):
        incremental.add(list_events(events.iloc[at : at + 1]))
        profiles = of_incremental(incremental, ["007"])
        practiced.append(dict(zip(profiles["skill_id"], profiles["skill_opportunities"], strict=True)))

    assert practiced == [{"a": 1}, {"a": 2}, {"a": 2, "b": 1}, {"a": 1, "b": 3}]


def test_what_could_not_be_read_is_folded_when_the_same_events_come_again():
    rows = [("007", at, "later", True, 1, skills) for at, skills in enumerate(["a", None, "b", "b"])]
    events, away = list_events(make_events(rows)), [True]

    def read_since(students):
        if away:
            raise DatabaseAwayError("the database is away")
        return events

    incremental = IncrementalState(*reversed(published(make_events([]))), never, read_since)
    for event in events[:3]:
        incremental.add([event])
    with pytest.raises(DatabaseAwayError):
        incremental.add(events[3:])  # most answers now name b
    away.clear()

    incremental.add(events[3:])

    profiles = of_incremental(incremental, ["007"])
    assert dict(zip(profiles["skill_id"], profiles["skill_opportunities"], strict=True)) == {"a": 1, "b": 3}


def test_what_the_statistics_know_leaves_them_as_they_are():
    """Also where a new item comes again: the answers of everybody else would have to be computed anew."""
    incremental = incremental_on(make_events([("007", 0, "easy", True, 1)]), history=lambda students: None)
    incremental.add(list_events(make_events([("NA", 1, "later", True, 1, "add")]).assign(event_id="first")))
    before = incremental.statistics

    more = [("NA", 2, "later", False, 1, "add"), ("zoë", 2, "easy", True, 1, "add\x1fcarry"), ("zoë", 3, None, None, 1)]
    incremental.add(list_events(make_events(more)))

    assert incremental.statistics is before


def test_events_that_come_in_order_never_ask_for_the_log():
    before = make_events([("007", 0, "easy", True, 1), ("NA", 1, "hard", False, 1)])
    incremental = incremental_on(before, history=never)
    later = make_events([("007", 5, "mixed", True, 1), ("007", 3, "fresh", False, 1), ("zoë", 0, "easy", True, 1)])

    for at in range(3):  # the second comes late, but after the night
        incremental.add(list_events(later.iloc[at : at + 1].assign(event_id=f"live{at}")))

    assert incremental.touched == {"007", "zoë"}
    assert incremental.latest_of(["007", "NA"]) == pd.Timestamp(START + timedelta(hours=5))
    assert incremental.latest_of(["zoë", "nobody"]) == pd.Timestamp(START)
    assert (incremental.count_events(["007"]), incremental.count_events(["zoë", "NA"])) == (2, 1)
    everything = pd.concat([before, later.assign(event_id=["x", "y", "z"])], ignore_index=True)
    pd.testing.assert_frame_equal(
        in_order(of_incremental(incremental, ["007", "NA", "zoë"])), in_order(of_night(everything))
    )


def test_an_event_that_the_night_knew_from_a_file_is_not_counted_twice():
    events = make_events([("007", 0, "easy", True, 1), ("007", 2, "hard", False, 1)])
    incremental = incremental_on(events)

    incremental.add(list_events(events.iloc[1:]))

    pd.testing.assert_frame_equal(in_order(of_incremental(incremental, ["007"])), in_order(of_night(events)))


def test_without_the_log_a_late_event_waits_and_the_others_do_not():
    before = make_events([("007", 4, "easy", True, 1)])
    incremental = incremental_on(before, history=lambda students: None)
    late, timely = (
        make_events([("007", 1, "hard", False, 1), ("007", 6, "hard", True, 1)])
        .assign(event_id=["late", "timely"])
        .pipe(lambda rows: (rows.iloc[:1], rows.iloc[1:].reset_index(drop=True)))
    )

    incremental.add(list_events(late))
    incremental.add(list_events(timely))

    expected = of_night(pd.concat([before, timely], ignore_index=True))
    pd.testing.assert_frame_equal(in_order(of_incremental(incremental, ["007"])), in_order(expected))


def test_the_state_of_some_students_is_theirs_alone():
    rows = [("007", 0, "easy", True, 1), ("NA", 1, "mixed", False, 1), ("zoë", 2, "bare", False, 1)]
    _, state = published(make_events(rows))

    some = State.join([state.take(np.array([2])), state.take(np.array([0, 1]))])

    assert list(some.students) == ["zoë", "007", "NA"]
    again = some.take(np.array([1, 2, 0]))
    for name in ("student", "skill_start", "skill_node", "skill", "item_start", "item_code", "item"):
        np.testing.assert_array_equal(getattr(again, name), getattr(state, name))
