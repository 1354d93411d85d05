"""A bad row is rejected by the rule it breaks, and an event is one row however often it comes."""

from datetime import UTC, datetime
from hashlib import blake2b

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st

from features.events.checks import check_rows, keep_distinct
from features.events.log.store import KNOWN
from features.logs.rows import raw_rows
from features.schema import Events, check_table
from tests.examples import holds_for

NOW = datetime(2024, 9, 1, tzinfo=UTC)
GOOD = {
    "student_id": "s",
    "kind": "response",
    "occurred_at": pd.Timestamp("2024-01-01", tz="UTC"),
    "item_id": "i",
    "score": 1.0,
    "correct": True,
    "attempt": 1,
    "hints": 0,
    "duration_s": 5.0,
}


def raw(*changes: dict) -> pd.DataFrame:
    rows = [GOOD | change for change in changes]
    return raw_rows({name: [row.get(name) for row in rows] for name in set().union(*rows)}, len(rows))


def valid(*changes: dict) -> pd.DataFrame:
    return check_rows(raw(*changes), "app", NOW).events


NOTHING_KNOWN = valid({})[KNOWN].iloc[:0]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"student_id": None}, "no_student"),
        ({"item_id": None}, "no_item"),
        ({"score": None}, "no_score"),
        ({"score": 1.01}, "score_out_of_range"),
        ({"score": -1}, "score_out_of_range"),
        ({"occurred_at": None}, "no_time"),
        ({"occurred_at": pd.Timestamp("1970-01-01", tz="UTC")}, "time_out_of_range"),
        ({"occurred_at": pd.Timestamp("2024-09-03", tz="UTC")}, "time_out_of_range"),
        ({"kind": "film"}, "bad_kind"),
        ({"rejected": "unreadable_time", "occurred_at": None}, "unreadable_time"),
    ],
)
def test_a_bad_row_is_rejected_by_its_rule_alone(change, rule):
    checked = check_rows(raw({}, change), "app", NOW)

    assert checked.rejected["rejected"].tolist() == [rule]
    assert len(checked.events) == 1
    check_table(Events, checked.events)


def test_an_order_stands_for_a_time():
    checked = check_rows(raw({"occurred_at": None, "sequence": 3}), "app", NOW)

    assert checked.events["sequence"].tolist() == [3]


def test_an_activity_needs_only_a_student_and_a_time():
    activity = {"kind": "video", "item_id": None, "score": None, "attempt": None, "hints": None}

    checked = check_rows(raw(activity), "app", NOW)

    assert checked.events["kind"].tolist() == ["video"]
    assert checked.events["correct"].isna().all()


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [("duration_s", value, "absurd_duration") for value in (-1, 3601, np.inf)]
    + [("attempt", 0, "bad_attempt"), ("hints", -1, "bad_hints")],
)
def test_what_is_wrong_beside_an_answer_becomes_null_and_is_counted(name, value, rule):
    checked = check_rows(raw({name: value}, {}, {name: None}), "app", NOW)

    assert checked.nulled == {rule: 1}
    assert checked.events[name].isna().tolist() == [True, False, True]


def test_unused_rows_are_counted_by_kind():
    checked = check_rows(raw({"unused": "hint_request", "student_id": None}, {}), "app", NOW)

    assert (checked.unused, len(checked.rejected), len(checked.events)) == ({"hint_request": 1}, 0, 1)


def test_an_id_is_the_documented_hash():
    with_key, without = valid({"student_id": "Zoë", "event_key": "e"}, {"student_id": "Zoë"})["event_id"]

    key = "app\x1f3\x1fZoë\x1fkey\x1fe"
    content = "app\x1f3\x1fZoë\x1fcontent\x1f1704067200000000\x1f\x1f1000000\x1f1\x1fresponse\x1fi"
    assert with_key == blake2b(key.encode(), digest_size=16).hexdigest()
    assert without == blake2b(content.encode(), digest_size=16).hexdigest()


def test_an_id_depends_on_source_and_student():
    keyed = raw({"event_key": "e"}, {"event_key": "e", "student_id": "t"})

    of_one, of_other = (check_rows(keyed, source, NOW).events["event_id"] for source in ("app", "other"))

    assert len({*of_one, *of_other}) == 4


def test_a_further_skill_merges_and_an_equal_row_is_known():
    rows = valid({"skills": "add"}, {"skills": "carry"}, {"skills": "add"}, {"item_id": "j", "skills": "add\x1ftimes"})

    distinct = keep_distinct(rows, NOTHING_KNOWN)

    assert (len(distinct.events), distinct.merged, distinct.known) == (2, 1, 1)
    assert sorted(distinct.events["skills"]) == ["add\x1fcarry", "add\x1ftimes"]
    pairs = distinct.item_skills.to_numpy().tolist()
    assert pairs == [["i", "add"], ["i", "carry"], ["j", "add"], ["j", "times"]]


def test_what_the_log_has_is_known_and_what_contradicts_it_is_rejected():
    rows = valid({"event_key": "e"}, {"event_key": "e", "score": 0.0, "correct": False}, {"event_key": "f"})

    distinct = keep_distinct(rows, rows.loc[[0], KNOWN])

    assert distinct.known == 1
    assert distinct.rejected["score"].tolist() == [0.0]
    assert distinct.rejected["rejected"].tolist() == ["conflicting_response"]
    assert distinct.events["event_id"].tolist() == [rows["event_id"][2]]


def test_rows_that_contradict_each_other_are_all_rejected():
    rows = valid({"event_key": "e"}, {"event_key": "e", "item_id": "j"}, {"event_key": "e"}, {})

    distinct = keep_distinct(rows, NOTHING_KNOWN)

    assert (len(distinct.events), len(distinct.rejected), distinct.known) == (1, 3, 0)


def test_the_skills_of_a_row_are_in_order_and_each_once():
    skills = valid({"skills": "b\x1fa\x1fb"}, {"skills": "\x1f"}, {"skills": None}, {"skills": "c"})["skills"]

    assert skills.fillna("-").tolist() == ["a\x1fb", "-", "-", "c"]


@pytest.mark.parametrize(
    ("before", "later", "retagged", "merged"),
    [
        ("add", ["carry"], "add\x1fcarry", 1),
        ("add", ["add", "carry"], "add\x1fcarry", 1),
        ("add", ["carry", "times", "carry"], "add\x1fcarry\x1ftimes", 2),
        ("add\x1fcarry", ["carry", "add\x1fcarry"], None, 1),  # two texts of one response, as when the file was new
        ("add\x1fcarry", ["carry"], None, 0),
        (None, ["add"], "add", 1),
        ("add", [None, None], None, 0),
    ],
)
def test_a_response_sent_again_with_a_further_skill_gets_it(before, later, retagged, merged):
    known = valid({"skills": before})[KNOWN]

    distinct = keep_distinct(valid(*({"skills": skills} for skills in later)), known)

    assert distinct.events.empty
    assert distinct.retagged["skills"].tolist() == ([] if retagged is None else [retagged])
    assert (distinct.merged, distinct.known) == (merged, len(later) - merged)


row = st.fixed_dictionaries(
    {
        "event_key": st.sampled_from(["e", "f", None]),
        "item_id": st.sampled_from(["i", "j"]),
        "skills": st.sampled_from(["a", "b", "a\x1fb", None]),
        "hints": st.sampled_from([0, 2, None]),
    }
)


@holds_for(12, 120, changes=st.lists(row, min_size=1, max_size=8), before=st.lists(row, max_size=4), data=st.data())
def test_the_order_of_rows_changes_nothing(changes, before, data):
    shuffled = data.draw(st.permutations(changes))
    known = keep_distinct(valid(*before), NOTHING_KNOWN).events[KNOWN] if before else NOTHING_KNOWN

    one, other = (keep_distinct(valid(*rows), known) for rows in (changes, shuffled))

    in_order = [distinct.events.sort_values("event_id") for distinct in (one, other)]
    pd.testing.assert_frame_equal(*(table.reset_index(drop=True) for table in in_order))
    pd.testing.assert_frame_equal(one.item_skills, other.item_skills)
    tags = [distinct.retagged.sort_values("event_id", ignore_index=True) for distinct in (one, other)]
    pd.testing.assert_frame_equal(*tags)
    assert (one.known, one.merged, len(one.rejected)) == (other.known, other.merged, len(other.rejected))
    assert len(one.events) + one.known + one.merged + len(one.rejected) == len(changes)
