"""Events go when they are older than their log's last by more than is kept; so do their files, and profiles of then."""

import os
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from features.bundle import write_bundle
from features.errors import InputError
from features.events.ingest import ingest_rows
from features.events.store import data_version, read_events
from features.home import Home
from features.retention import (
    PUBLISHED,
    TOGETHER,
    Forgotten,
    forget_old_events,
    forget_old_profiles,
    read_events_kept,
)
from tests.features.events.test_store import STUDENTS, some_rows

NOW = datetime(2026, 9, 1, tzinfo=UTC)
DAY, KEPT = timedelta(days=1), timedelta(days=365)
LAST = datetime(2024, 6, 1, tzinfo=UTC)


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home")


def ingest(home, *moments, **changes):
    rows = [some_rows(day=moment and moment.replace(tzinfo=None), **changes) for moment in moments]
    ingest_rows(home, rows, "app", "log", now=NOW)


def test_old_events_go_from_the_log_and_from_the_disk(home):
    old = LAST - KEPT - TOGETHER - DAY
    ingest(home, old, LAST - KEPT - DAY)
    ingest(home, LAST - KEPT, LAST)
    expected = read_events(home)
    expected = expected[expected["occurred_at"] >= LAST - KEPT]

    assert forget_old_events(home, KEPT, NOW) == Forgotten(2 * len(STUDENTS), 0)

    left = read_events(home)
    order = ["student_id", "occurred_at"]
    pd.testing.assert_frame_equal(
        left.sort_values(order, ignore_index=True), expected.sort_values(order, ignore_index=True)
    )
    on_disk = pd.concat(pd.read_parquet(path) for path in home.events.rglob("*.parquet"))
    assert len(on_disk) == len(left)
    commits = "".join(path.read_text() for path in (home.events / "_delta_log").glob("*.json"))
    assert not [student for student in STUDENTS if f'"{student}' in commits.replace("\\", "")]


def test_the_log_is_not_rewritten_for_a_few_days(home):
    ingest(home, LAST - KEPT - TOGETHER, LAST)
    before = data_version(home)

    assert forget_old_events(home, KEPT, NOW) == Forgotten(0, 0)
    assert data_version(home) == before


def test_an_event_of_the_future_ends_nothing_early(home):
    ingest(home, NOW - KEPT, NOW - DAY)
    assert forget_old_events(home, KEPT, NOW - 99 * DAY) == Forgotten(0, 0)


def test_events_without_a_clock_stay(home):
    rows = [some_rows(occurred_at=None, sequence=1)]
    ingest_rows(home, rows, "app", "log", now=NOW)

    assert forget_old_events(home, KEPT, NOW) == Forgotten(0, 0)
    assert len(read_events(home)) == len(STUDENTS)


def test_files_of_events_go_with_them(home):
    done = home.inbox / "done", home.inbox / "refused", home.inbox / "practice-app" / "done"
    folders = home.rejected, *done, home.inbox
    paths = []
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        for name, age in (("old", KEPT + DAY), ("new", KEPT - DAY)):
            paths.append(folder / f"{name}.parquet")
            paths[-1].touch()
            os.utime(paths[-1], ((NOW - age).timestamp(),) * 2)

    assert forget_old_events(home, KEPT, NOW) == Forgotten(0, 4)
    assert [path.stem for path in paths if path.exists()] == ["new"] * 4 + ["old", "new"]  # the inbox waits


def test_of_old_profiles_the_newest_of_the_serving_run_stay(home):
    for run, day, age in (
        ("a", "1", 99),
        ("a", "2", 50),
        ("a", "3", 1),
        ("b", "2", 60),
        ("b", "1", 55),
        ("c", "1", 9),
    ):
        name = f"2026030{day}T000000Z-7.7"
        write_bundle(home.published / run / name, {}, lambda draft: None)
        manifest = home.published / run / name / "manifest.json"
        os.utime(manifest, ((NOW - age * DAY).timestamp(),) * 2)

    assert forget_old_profiles(home, "b", NOW) == 3
    assert PUBLISHED == 30 * DAY
    left = {f"{path.parent.name}/{path.name[7]}" for path in home.published.glob("*/*")}
    assert left == {"a/3", "b/2", "c/1"}


@pytest.mark.parametrize("text", ["0", "59", "-400", "1e3", "ever", "36501"])
def test_a_time_that_cannot_be_meant_is_refused(text, monkeypatch):
    monkeypatch.setenv("REGROUP_EVENTS_KEPT_DAYS", text)

    with pytest.raises(InputError, match="REGROUP_EVENTS_KEPT_DAYS"):
        read_events_kept()
