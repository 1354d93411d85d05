"""Equal rows stay as many answers, equal moments keep the file's order, and further tries are told from first ones."""

from collections import Counter
from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import InputError
from features.events.checks import check_rows, keep_distinct
from features.events.identity.exports import ExportCheck
from features.events.identity.odd_ids import IdWatch
from features.events.identity.repeats import Tried, count_attempts_of_few, resolve_repeats, resolve_retries
from features.events.log.store import KNOWN
from features.logs.rows import raw_rows
from features.profiles.difficulty import fit_statistics
from features.profiles.timeline import sort_events
from features.profiles.vocabulary import build_vocabulary
from features.schema import Event, list_events

NOW = datetime(2026, 6, 1, tzinfo=UTC)
START = pd.Timestamp("2026-03-05 09:00", tz="UTC")
FEW = settings(max_examples=25)

answer = st.tuples(st.sampled_from("ab"), st.integers(0, 3), st.sampled_from("xy"), st.booleans())
"""A student, a minute, an item, and whether it was right."""


def checked(answers: list[tuple], source: str = "app", **more: object) -> pd.DataFrame:
    columns = {
        "student_id": [student for student, *_ in answers],
        "occurred_at": [START + pd.Timedelta(minutes=minute) for _, minute, *_ in answers],
        "item_id": [item for _, _, item, _ in answers],
        "score": [float(right) for *_, right in answers],
        "correct": [right for *_, right in answers],
    }
    return check_rows(raw_rows(columns | more, len(answers)), source, NOW).events


NOTHING = checked([("a", 0, "x", True)])[KNOWN].iloc[:0]


def tried(event: Event) -> Tried:
    scored = event.score is not None
    return Tried(event.event_id, event.student_id, event.occurred_at, event.sequence, event.item_id, scored)


def store(rows: pd.DataFrame, known: pd.DataFrame, *leaves_open: str) -> pd.DataFrame:
    settled = Counter[str]()
    numbered = resolve_repeats(rows, leaves_open, settled)
    return keep_distinct(resolve_retries(numbered, known, leaves_open, settled), known).events


@given(answers=st.lists(answer, min_size=1, max_size=12), skills=st.sampled_from([None, "halves"]))
@FEW
def test_as_many_answers_as_rows_are_stored_and_the_same_file_again_adds_none(answers, skills):
    rows = checked(answers, skills=skills)

    events = store(rows, NOTHING, "copies")

    assert len(events) == events["event_id"].nunique() == len(answers)
    assert store(rows, events[KNOWN], "copies").empty
    assert store(rows.iloc[:-1], events[KNOWN], "copies").empty


def test_equal_rows_with_other_skills_are_one_answer_each():
    rows = checked([("a", 0, "x", True)] * 4, skills=["s", "t", "s", "t"])

    events = store(rows, NOTHING, "copies")

    assert events["skills"].tolist() == ["s\x1ft", "s\x1ft"]


@given(answers=st.lists(answer, min_size=2, max_size=12, unique=True), backwards=st.booleans())
@FEW
def test_equal_moments_keep_the_order_of_the_file_in_the_timeline(answers, backwards):
    """A file that runs backwards in time has its first answers last."""
    in_order = sorted(answers, key=lambda one: (one[0], one[1]))
    rows = checked(in_order[::-1] if backwards else in_order)
    moves = any(one[0] == other[0] and one[1] != other[1] for one in answers for other in answers)
    if backwards and not moves:
        return  # nothing in the file shows which way it runs

    events = store(rows, NOTHING).sample(frac=1, random_state=1).reset_index(drop=True)

    vocabulary = build_vocabulary(pd.DataFrame({"item_id": ["x", "y"], "skill_id": ["s", "s"]}))
    timeline = sort_events(
        events, fit_statistics(vocabulary, pd.array([], "int32").to_numpy(), pd.array([], "bool").to_numpy())
    )
    found = events.iloc[timeline.row]
    keys = zip(found["student_id"], found["occurred_at"], found["item_id"], found["correct"], strict=True)
    assert list(keys) == [(s, START + pd.Timedelta(minutes=m), item, right) for s, m, item, right in in_order]


timed = st.tuples(st.sampled_from("ab"), st.integers(0, 400), st.sampled_from("xy"), st.booleans())


@given(answers=st.lists(timed, min_size=1, max_size=12, unique_by=lambda one: one[:2]), cut=st.integers(0, 12))
@FEW
def test_further_tries_are_those_on_an_item_of_the_same_session(answers, cut):
    """Also where the session began in a file that was stored before."""
    in_order = sorted(answers)
    before = store(checked(in_order[:cut]), NOTHING, "retries") if in_order[:cut] else checked(in_order)[:0]
    later = store(checked(in_order[cut:]), before[KNOWN], "retries") if in_order[cut:] else before[:0]

    expected, seen, last = [], Counter[tuple](), {}
    for student, minute, item, _ in in_order:
        if student not in last or minute - last[student] >= 60:
            seen = Counter({key: count for key, count in seen.items() if key[0] != student})
        last[student] = minute
        seen[student, item] += 1
        expected.append(seen[student, item])
    events = pd.concat([before, later]).sort_values(["student_id", "occurred_at"])
    assert events["attempt"].tolist() == expected
    if in_order[cut:]:
        few = count_attempts_of_few(list_events(checked(in_order[cut:])), [tried(one) for one in list_events(before)])
        assert {event.event_id: event.attempt for event in few} == dict(
            zip(later["event_id"], later["attempt"], strict=True)
        )


def test_a_key_that_returns_with_another_moment_is_a_conflict_and_a_coarser_clock_is_none():
    rows = checked([("a", 0, "x", True), ("a", 1, "y", False)], event_key=["1", "2"])
    next_day = rows.assign(occurred_at=rows["occurred_at"] + pd.Timedelta(days=1))
    by_seconds = rows.assign(occurred_at=rows["occurred_at"] + pd.Timedelta(seconds=59))

    again = keep_distinct(next_day, rows[KNOWN])

    assert (again.known, again.rejected["rejected"].tolist()) == (0, ["reused_key"] * 2)
    assert keep_distinct(pd.concat([rows, next_day], ignore_index=True), NOTHING).events.empty
    assert keep_distinct(by_seconds, rows[KNOWN]).known == 2


@given(
    answers=st.lists(timed, min_size=3, max_size=12, unique_by=lambda one: one[:3]),
    quarters=st.integers(-56, 56),
)
@FEW
def test_another_export_of_the_same_answers_is_refused_in_words_whatever_its_zone_and_keys(answers, quarters):
    stored = checked(answers)
    other = checked([(s, minute + 15 * quarters, item, right) for s, minute, item, right in answers], "other")
    others = checked([(s, minute, f"other {item}", right) for s, minute, item, right in answers])

    for events, is_export in ((other, True), (others, False)):
        check = ExportCheck()
        check.add(events, stored[KNOWN])
        if is_export:
            with pytest.raises(InputError, match=r"log\.csv looks like another export of answers that are stored"):
                check.refuse("log.csv")
        else:
            check.refuse("log.csv")


@pytest.mark.parametrize(
    ("minutes", "same", "other"),
    [(24 * 60, 2, 0), (24 * 60, 30, 0), (7 * 24 * 60, 5, 0), (6 * 60, 1, 0), (6 * 60, 2, 1), (6 * 60, 8, 4)],
)
def test_answers_given_again_another_day_or_among_new_ones_are_no_second_export(minutes, same, other):
    stored = [("a", 3 * at, f"item {at}", at % 2 == 0) for at in range(same)]
    again = [(student, minute + minutes, item, right) for student, minute, item, right in stored]
    check = ExportCheck()

    check.add(checked(again + [("a", 3 * at, f"new {at}", True) for at in range(other)]), checked(stored)[KNOWN])

    check.refuse("log.csv")


@given(number=st.integers(1, 10**6), rest=st.sampled_from(["{}.0", "{}.00", "00{}", "0{}.0"]))
@FEW
def test_ids_that_a_spreadsheet_wrote_differently_are_told_without_naming_them(number, rest):
    watch = IdWatch()
    watch.add(raw_rows({"student_id": [str(number), rest.format(number), "p-ada", "9.91E+08"], "item_id": "Q 1"}, 4))

    near, rounded = sorted(watch.notes(), key=lambda note: "9.91E+08" in note)

    assert near.startswith("2 ids of students differ from another only")
    assert rounded.startswith("1 ids of students are written like 9.91E+08")


@given(ids=st.lists(st.from_regex(r"[a-z]{2}-[1-9][0-9]{0,3}", fullmatch=True), unique=True, max_size=8))
@FEW
def test_plain_ids_are_not_complained_of(ids):
    watch = IdWatch()
    watch.add(raw_rows({"student_id": ids}, len(ids)))

    assert watch.notes() == []
