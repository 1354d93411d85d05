"""What is measured of a night, on rows that can be counted by eye."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.home import Home
from features.profiles.columns import OF_STUDENTS
from training.nightly.checks.history import read_history, write_measures
from training.nightly.checks.measures import (
    ALL,
    Answers,
    Figure,
    Measures,
    Sums,
    measure_answers,
    measure_events,
)

NIGHT = datetime(2026, 1, 6, tzinfo=UTC)


def make_answers(correct, forecast, **changes):
    count = len(correct)
    given = {
        "correct": np.array(correct, np.int8),
        "forecast": np.array(forecast, float),
        "student": np.arange(count),
        "item": np.arange(count),
        "known_item": np.ones(count, bool),
        "known_skill": np.ones(count, bool),
        "school": np.full(count, ALL, dtype=object),
    }
    return Answers(**(given | changes))


def test_the_days_answers_by_school(events_of):
    """Two schools; one answer comes twice within a minute, and a second attempt a moment later does not count so."""
    rows = [("a", 0.0, "plus", 1), ("a", 0.0001, "plus", 1), ("b", 0.1, "plus", 0), ("b", 0.1001, "plus", 0, 2)]
    events = events_of(rows)

    found = measure_events(events, np.array(["North", "North", "South", "South"], dtype=object))

    assert set(found) == {ALL, "North", "South"}
    assert found[ALL]["volume"] == Figure(pytest.approx(np.log(4)))
    assert found["North"]["duplicates"] == Figure(0.5)
    assert found["South"]["duplicates"] == Figure(0.0)
    assert found["North"]["clock"].value == pytest.approx(8.0, abs=0.05)
    assert found[ALL]["filled hints"] == Figure(0.0)
    assert found[ALL]["filled duration_s"] == Figure(1.0)


def test_forecasts_that_come_true_leave_nothing_over():
    """The base rate and the loss are what the forecasts say; of a school with others, what it is beyond them."""
    right = measure_answers(make_answers([1, 0, 1, 0], [0.5] * 4))[ALL]
    low = measure_answers(make_answers([1, 1, 1, 0], [0.5] * 4))[ALL]
    wrong = measure_answers(make_answers([0, 0, 0, 1], [0.9, 0.9, 0.9, 0.1]))[ALL]

    assert (right["base_rate"].value, right["champion_loss"].value) == (pytest.approx(0), pytest.approx(0))
    assert low["base_rate"].value == pytest.approx(0.25)
    assert wrong["champion_loss"].value > 1
    assert wrong["champion_ranking"].value == 0


def test_a_class_on_one_new_item_moves_the_base_rate_little():
    """Thirty wrong answers to one item weigh less than thirty to thirty items."""
    correct, forecast = [0] * 30 + [1, 0] * 15, [0.5] * 60
    one_item = np.r_[np.zeros(30), 1 + np.arange(30)].astype(int)
    alike = measure_answers(make_answers(correct, forecast, item=one_item, known_item=one_item > 0))[ALL]

    plain = measure_answers(make_answers(correct, forecast))[ALL]

    assert plain["base_rate"].value == pytest.approx(-0.25)
    assert -0.08 < alike["base_rate"].value < -0.02
    assert alike["unknown_items"].value == 0.5


def test_columns_of_who_practiced_lately_and_those_of_the_calendar_of_who_did_today():
    """A break moves what counts days for everybody, so only the day's own practice is looked at there."""
    names = list(OF_STUDENTS)
    rows = np.zeros((4, len(names)), np.float32)
    rows[:, names.index("student_ability")] = [1, 2, 6, 99]
    rows[:, names.index("days_since_last_response")] = [0.2, 0.4, 20, 50]
    last = (NIGHT.timestamp() - np.array([0.2, 0.4, 20, 50]) * 86_400) * 1e6

    sums = Sums(names, NIGHT)
    sums.add(rows, last, np.full(4, ALL, dtype=object))
    found = sums.figures()[ALL]

    assert found["column student_ability"].value == pytest.approx(3)
    assert found["column student_ability"].spread == pytest.approx(np.std([1, 2, 6]))
    assert found["column days_since_last_response"].value == pytest.approx(0.3)
    assert "column student_streak" not in found  # it is the same for all


@given(st.integers(0, 10_000), st.lists(st.integers(0, 60), min_size=1, max_size=4))
def test_profiles_measured_part_by_part_are_those_measured_at_once(seed, cuts):
    """However they are cut, and whichever school, value or moment is in which part."""
    random, names = np.random.default_rng(seed), list(OF_STUDENTS)
    rows = random.choice([np.nan, 0, 1, 2.5], size=(60, len(names))).astype(np.float32)
    last = (NIGHT.timestamp() - random.uniform(0, 60, 60) * 86_400) * 1e6
    schools = random.choice(np.array([ALL, "North", "South"], dtype=object), 60)

    whole, parts = Sums(names, NIGHT), Sums(names, NIGHT)
    whole.add(rows, last, schools)
    for part in np.split(np.arange(60), sorted(cuts)):
        parts.add(rows[part], last[part], schools[part])

    one, other = whole.figures(), parts.figures()
    assert {school: set(figures) for school, figures in one.items()} == {s: set(f) for s, f in other.items()}
    for school, figures in one.items():
        for name, figure in figures.items():
            assert other[school][name].value == pytest.approx(figure.value)
            assert other[school][name].spread == pytest.approx(figure.spread)


def test_nights_come_back_as_they_were_kept(tmp_path):
    """In order, without those from the moment on; what another version wrote, and what is broken, is passed over."""
    home = Home(tmp_path)
    nights = [
        Measures(
            NIGHT + timedelta(days=day), "run", {"": 3}, {"North": 4}, {"2026-01-05": 7},
            {"": {"volume": Figure(1.5), "column c": Figure(0.25, 2.0)}}, {("North", "volume"): -1},
            {"": {"column c": -0.5}},
        )
        for day in range(3)
    ]  # fmt: skip
    for night in reversed(nights):
        write_measures(home, night)
    (home.checks / "20260101T000000Z.json").write_text('{"format": 0}')
    first = home.checks / f"{nights[0].moment:%Y%m%dT%H%M%SZ}.json"
    stored = json.loads(first.read_text())
    del stored["bridge"]
    first.write_text(json.dumps(stored | {"format": 1}))  # as it was written before there were bridges
    (home.checks / "20260102T000000Z.json").write_text("{")

    assert read_history(home, nights[2].moment) == [replace(nights[0], bridge={}), nights[1]]


def test_missing_times_and_ids_do_not_matter(events_of):
    """Rows are counted as they are."""
    events = events_of([("a", 0.0, "plus", 1)])
    events["skills"] = pd.Series(["add"], dtype="str")

    assert measure_events(events, np.array([""], dtype=object))[ALL]["filled skills"] == Figure(1.0)
