"""Planted histories through the real kernel: mastery can be lost, live and over a summer."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from features.events.checks import COLUMNS as EVENT_COLUMNS
from features.logs.moments import UTC as UTC_TYPE
from features.profiles.difficulty import fit_statistics
from features.profiles.fold import fold, read_skill_rows
from features.profiles.incremental import IncrementalState
from features.profiles.state import State
from features.profiles.timeline import sort_events
from features.profiles.vocabulary import build_vocabulary
from features.schema import list_events
from serving.models.status import Thresholds, describe_facts, describe_statuses, judge_statuses
from training.config import load_config

RULE = Thresholds.from_json(load_config().model_dump(include={"mastery_rule", "evidence", "status"}))
START = datetime(2025, 9, 1, 8, tzinfo=UTC)
STATISTICS = fit_statistics(
    build_vocabulary(pd.DataFrame([("plus", "add"), ("times", "multiply")], columns=["item_id", "skill_id"])),
    np.array([0, 0, 1, 1], np.int32),
    np.array([1, 0, 1, 0], bool),
)
ANSWERS = st.lists(st.booleans(), max_size=25)
MASTERY = st.floats(0, 1)
ALIKE = settings(max_examples=60)


def make_events(answers, *, clock=True, days=0.0):
    """One student's answers on one skill, an hour apart, the first some days after the start."""
    size = len(answers)
    times = [START + timedelta(days=days, hours=at) if clock else pd.NaT for at in range(size)]
    table = pd.DataFrame(
        {
            "event_id": pd.Series([f"{days} {at}" for at in range(size)], dtype="str"),
            "student_id": pd.Series(["s"] * size, dtype="str"),
            "kind": pd.Series(["response"] * size, dtype="str"),
            "occurred_at": pd.Series(times, dtype=UTC_TYPE),
            "sequence": pd.Series(range(size), dtype="Int64"),
            "item_id": pd.Series(["plus"] * size, dtype="str"),
            "score": pd.Series(answers, dtype="float64"),
            "correct": pd.Series(answers, dtype="boolean"),
            "attempt": pd.Series([1] * size, dtype="Int64"),
            "hints": pd.Series([None] * size, dtype="Int64"),
            "duration_s": pd.Series([30.0] * size, dtype="float64"),
            "source": pd.Series(["test"] * size, dtype="str"),
            "skills": pd.Series(["add"] * size, dtype="str"),
        }
    )
    return table[EVENT_COLUMNS]


def fold_state(events):
    """The state of a night, without the checks of its tables."""
    return fold(sort_events(events, STATISTICS), STATISTICS, State.empty(), rows=False)[1]


def read_rows(events, moment):
    return read_skill_rows(fold_state(events), STATISTICS, moment).columns


def stand(answers, mastery=0.8, *, days=1.0, rule=RULE, clock=True):
    """Status and past after some answers, read some days after the last."""
    moment = START + timedelta(hours=max(0, len(answers) - 1), days=days) if clock else None
    judged = judge_statuses(read_rows(make_events(answers, clock=clock), moment), np.array([mastery]), rule)
    return judged.status[0], describe_statuses(judged, rule.streak)[0]


def status_of(answers, mastery=0.8, **more):
    return stand(answers, mastery, **more)[0]


def right(marks):
    """`+` and `-` as answers."""
    return [mark == "+" for mark in marks]


@pytest.mark.parametrize(
    ("marks", "mastery", "status"),
    [
        ("+", 0.9, "thin_evidence"),
        ("--", 0.1, "thin_evidence"),  # of a student with less than five answers to anything
        ("+++", 0.9, "proficient"),
        ("+-+-+", 0.6, "learning"),
        ("+--++-", 0.5, "not_yet_proficient"),
        ("-----", 0.1, "not_yet_proficient"),
        ("++-++-++-++-", 0.7, "not_yet_proficient"),  # ten attempts and never three in a row
        ("+++-", 0.7, "proficient"),
        ("+++-", 0.4, "review_due"),
        ("+++--", 0.6, "proficient"),
        ("+++---", 0.9, "review_due"),
        ("+++------+++", 0.1, "proficient"),  # three in a row again, which goes on
    ],
)
def test_the_status_of_histories_that_can_be_read_by_eye(marks, mastery, status):
    assert status_of(right(marks), mastery) == status


def test_what_is_due_for_review_says_what_was_reached_and_why():
    short = ("reached 3 in a row before",)

    assert stand(right("+++-"))[1] == short
    assert stand(right("+++---"))[1] == (*short, "review due: latest answers mostly wrong")
    assert stand(right("+++-"), 0.4)[1] == (*short, "review due: next answer likely wrong")
    assert stand(right("+++++"), days=90)[1] == ("review due: last practiced long ago",)
    assert stand(right("+++---"), 0.2, days=90)[1] == (
        *short,
        "review due: latest answers mostly wrong, last practiced long ago, next answer likely wrong",
    )
    assert stand(right("+-+-+"))[1] == ()


@ALIKE
@given(ANSWERS, st.integers(0, 5), MASTERY)
def test_a_proficient_skill_with_five_wrong_of_the_last_six_is_due_for_review(before, which, mastery):
    """Whatever came before, whichever of the six was right, and whatever is forecast."""
    proficient = [*before, True, True, True]
    assert status_of(proficient, mastery) == "proficient"

    assert status_of([*proficient, *(at == which for at in range(6))], mastery) == "review_due"


@ALIKE
@given(ANSWERS, MASTERY, st.integers(1, 8))
def test_a_wrong_answer_never_makes_a_skill_proficient(before, mastery, streak):
    rule = replace(RULE, streak=streak)
    assume(before and status_of(before, mastery, rule=rule) != "proficient")

    assert status_of([*before, False], mastery, rule=rule) != "proficient"


@ALIKE
@given(ANSWERS, MASTERY, st.floats(0.1, 400))
def test_a_skill_is_forgotten_over_a_summer_and_not_without_a_clock(before, mastery, days):
    answers = [*before, True, True, True]

    assert status_of(answers, mastery, days=days) == ("proficient" if days <= RULE.lapse_days else "review_due")
    assert status_of(answers, mastery, clock=False) == "proficient"


def test_the_first_right_answers_after_a_summer_are_proficient_again():
    """What was forgotten is no longer, once it is shown."""
    events = pd.concat([make_events([True] * 4), make_events([True] * 3, days=90)], ignore_index=True)

    judged = judge_statuses(read_rows(events, START + timedelta(days=91)), np.array([0.9]), RULE)

    assert judged.status.tolist() == ["proficient"]


@ALIKE
@given(ANSWERS.filter(bool), ANSWERS.filter(bool), MASTERY, st.floats(0, 120))
def test_live_equals_nightly(of_night, live, mastery, pause):
    """Answers on top of last night's state give the status that the next night gives, also after a long pause."""
    before, after = make_events(of_night), make_events(live, days=2 + pause)
    moment = START + timedelta(days=pause + 5)
    incremental = IncrementalState(fold_state(before), STATISTICS, lambda _: list_events(before))
    incremental.add(list_events(after))

    on_top = read_skill_rows(incremental.state_of(["s"]), incremental.statistics, moment).columns

    whole = read_rows(pd.concat([before, after], ignore_index=True), moment)
    of_live, of_next_night = (judge_statuses(rows, np.array([mastery]), RULE) for rows in (on_top, whole))
    assert of_live.status.tolist() == of_next_night.status.tolist()
    assert describe_statuses(of_live, RULE.streak) == describe_statuses(of_next_night, RULE.streak)


def test_facts_are_said_in_plain_words():
    rows = read_rows(make_events(right("+--")), START + timedelta(days=30))

    assert describe_facts(rows[0]) == ["2 of the last 3 wrong", "3 attempts on this skill", "not practiced for 29 days"]
