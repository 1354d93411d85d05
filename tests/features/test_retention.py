"""Old events go by the age of their log, files by their own, and profiles when nothing needs them."""

import os
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from features.bundle import write_bundle
from features.errors import InputError
from features.events.ingest import ingest_rows
from features.events.log.store import data_version, read_events
from features.home import Home
from features.retention import (
    TOGETHER,
    NamedProfiles,
    Removed,
    forget_old_events,
    read_events_kept,
    remove_old_files,
    remove_paths,
    remove_profiles,
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

    assert forget_old_events(home, KEPT, NOW) == 2 * len(STUDENTS)

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

    assert forget_old_events(home, KEPT, NOW) == 0
    assert data_version(home) == before


def test_an_event_of_the_future_ends_nothing_early(home):
    ingest(home, NOW - KEPT, NOW - DAY)
    assert forget_old_events(home, KEPT, NOW - 99 * DAY) == 0


def test_events_without_a_clock_stay(home):
    rows = [some_rows(occurred_at=None, sequence=1)]
    ingest_rows(home, rows, "app", "log", now=NOW)

    assert forget_old_events(home, KEPT, NOW) == 0
    assert len(read_events(home)) == len(STUDENTS)


def write(path, age):
    """A file of some age."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("ten bytes!")
    os.utime(path, ((NOW - age).timestamp(),) * 2)
    return path


def test_old_files_go_and_are_counted_with_their_bytes(tmp_path):
    old, new = write(tmp_path / "old", KEPT + DAY), write(tmp_path / "new", KEPT - DAY)

    assert remove_old_files("log files", [old, new], KEPT, NOW, dry_run=True) == Removed("log files", 1, 10)
    assert old.exists()
    assert str(remove_old_files("log files", [old, new], KEPT, NOW)) == "1 log files, 0.0 MB"
    assert not old.exists()
    assert new.exists()


def test_a_file_that_is_kept_under_another_name_gives_no_room(tmp_path):
    for name in ("one", "two", "kept"):
        (tmp_path / name).mkdir()
    write(tmp_path / "one" / "a", KEPT)
    write(tmp_path / "one" / "b", KEPT)
    os.link(tmp_path / "one" / "a", tmp_path / "two" / "a")
    os.link(tmp_path / "one" / "b", tmp_path / "kept" / "b")

    assert remove_paths("folders", [tmp_path / "one", tmp_path / "two"]) == Removed("folders", 2, 10)
    assert [path.name for path in tmp_path.rglob("*")] == ["kept", "b"]


def publish(home, run, day, age, erased=""):
    """Profiles of a day of March that were published some days ago."""
    folder = home.published / run / f"202603{day:02d}T000000Z-7.7{erased}"
    write_bundle(folder, {}, lambda draft: None)
    os.utime(folder / "manifest.json", ((NOW - age * DAY).timestamp(),) * 2)
    return folder.name


def test_of_profiles_the_newest_of_each_alias_the_new_ones_and_those_of_recent_plans_stay(home):
    for run, day, age in (("a", 1, 99), ("a", 2, 50), ("a", 3, 1), ("b", 2, 60), ("b", 1, 55), ("c", 1, 9)):
        publish(home, run, day, age)
    publish(home, "c", 2, 40, erased="-erased2")
    (home.published / "c" / ".20260309T000000Z-7.7-123").mkdir()
    of_plans = [
        NamedProfiles("c", "20260302T000000Z-7.7", NOW - 13 * DAY),
        NamedProfiles("a", "20260302T000000Z-7.7-erased1", NOW - 14 * DAY),
        NamedProfiles("a", "20260301T000000Z-7.7", NOW - 15 * DAY),
        NamedProfiles("gone", "20260301T000000Z-7.7", NOW),
    ]

    removed = remove_profiles(home, {"b", "never-published"}, of_plans, NOW, 2 * DAY, 14 * DAY)

    assert removed.count == 4
    left = {f"{path.parent.name}/{path.name[7]}" for path in home.published.glob("*/*")}
    assert left == {"a/2", "a/3", "b/2", "c/2"}


@pytest.mark.parametrize("text", ["0", "59", "-400", "1e3", "ever", "36501"])
def test_a_time_that_cannot_be_meant_is_refused(text, monkeypatch):
    monkeypatch.setenv("REGROUP_EVENTS_KEPT_DAYS", text)

    with pytest.raises(InputError, match="REGROUP_EVENTS_KEPT_DAYS"):
        read_events_kept()
