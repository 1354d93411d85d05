"""What a source feeds is said as the profiles have it."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from features.events.checks import check_rows
from features.events.coverage import NULL_WITHOUT, Coverage
from features.logs.rows import raw_rows, split_skills
from features.profiles.difficulty import fit_statistics
from features.profiles.fold import build_profiles, read_student_profiles
from features.profiles.timeline import count_responses, fit_responses, sort_events
from features.profiles.vocabulary import build_vocabulary

NOW = datetime(2026, 4, 1, tzinfo=UTC)
FIELDS = {
    "time": {"occurred_at": pd.date_range("2026-03-01", periods=40, freq="7h", tz="UTC")},
    "duration": {"duration_s": np.full(40, 20.0)},
    "hints": {"hints": np.arange(40) % 2},
    "attempt": {"attempt": np.ones(40, int)},
    "skills": {"skills": ["ratios", "halves"] * 20},
}


def events(*without: str) -> pd.DataFrame:
    columns: dict[str, object] = {
        "student_id": ["a", "b", "a", "c"] * 10,
        "item_id": [f"i{at % 7}" for at in range(40)],
        "sequence": range(40),
        "score": np.arange(40) % 3 / 2,
        "correct": np.arange(40) % 3 == 2,
    }
    for name, more in FIELDS.items():
        if name not in without:
            columns |= more
    return check_rows(raw_rows(columns, 40), "test", NOW).events


def build(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    vocabulary = build_vocabulary(split_skills(rows[["item_id", "skills"]]))
    timeline = sort_events(rows, fit_statistics(vocabulary, np.zeros(1, np.int32), np.ones(1, bool)))
    every = timeline.correct >= 0
    statistics = fit_responses(timeline, count_responses(timeline, vocabulary, every), every)
    as_of = None if rows["occurred_at"].isna().all() else NOW
    profiles, state = build_profiles(rows, statistics, as_of)
    return read_student_profiles(state, statistics, as_of), profiles


def null_columns(rows: pd.DataFrame) -> set[str]:
    return {name for table in build(rows) for name in table.columns if table[name].isna().all()}


@pytest.mark.parametrize("without", [(), ("time",), ("duration",), ("hints",), ("time", "hints"), ("attempt",)])
def test_columns_that_are_said_to_stay_null_are_those_that_do(without):
    coverage = Coverage()
    rows = events(*without)
    coverage.add(rows)

    null = null_columns(rows) - null_columns(events()) - {"last_active", "last_practiced"}

    said = {name for field in without for name in NULL_WITHOUT.get(field, ())}
    assert null == said
    assert all((name in " ".join(coverage.describe())) for name in said)


def test_without_skills_no_forecast_by_skill_is_promised():
    coverage = Coverage()
    coverage.add(events("skills"))

    assert any("allows no forecast by skill" in sentence for sentence in coverage.describe())
    assert coverage.shares()["skills"] == 0
    assert coverage.shares()["partial"] == pytest.approx(13 / 40)
