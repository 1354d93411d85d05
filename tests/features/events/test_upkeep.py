"""Small files of nights are merged; what is needed still reads, what nobody names goes, no commit names a student."""

import shutil
from datetime import timedelta

import pandas as pd
import pyarrow as pa
import pytest

from features.errors import UnavailableError
from features.events.ingest import ingest_rows
from features.events.log.store import EVENT_FIELDS, append_events, data_version, open_table, read_events, scan_rows
from features.events.log.upkeep import SMALL_FILES, Upkeep, erase_events, find_span, tidy_events
from features.home import Home
from tests.features.events.test_store import NOW, STUDENTS, some_rows

NIGHTS = SMALL_FILES + 1
NOBODY_READS = timedelta(0)


def add_nights(home, count):
    """A commit of one event of each of four students, each of whom has a bucket of their own, for every night."""
    ingest_rows(home, [some_rows(item_id="i1")], "app", "log", now=NOW)
    first = scan_rows(open_table(home.events), EVENT_FIELDS.names, None).to_table()
    for night in range(2, count + 1):
        ids = pa.array([f"{event_id}-{night}" for event_id in first["event_id"].to_pylist()])
        items = pa.array([f"i{night}"] * len(first))
        rows = first.set_column(0, "event_id", ids).set_column(5, "item_id", items)
        append_events(home, rows.cast(EVENT_FIELDS).to_batches())


@pytest.fixture(scope="module")
def nights(tmp_path_factory):
    made = Home(tmp_path_factory.mktemp("nights") / "home")
    add_nights(made, NIGHTS)
    return made


@pytest.fixture
def home(nights, tmp_path):
    """A copy of nine nights."""
    shutil.copytree(nights.root, tmp_path / "home")
    return Home(tmp_path / "home")


def sorted_events(home, version=None):
    return read_events(home, version=version).sort_values("event_id", ignore_index=True)


def files_of(home):
    return list(home.events.glob("bucket=*/*.parquet"))


def test_small_files_become_one_for_each_bucket_with_the_same_rows_in_the_same_version(home):
    before, version, span = sorted_events(home), data_version(home), find_span(home)

    done = tidy_events(home, (), NOBODY_READS)

    assert (done.merged, done.removed) == (NIGHTS * len(STUDENTS),) * 2
    assert done.bytes > 100_000
    assert len(files_of(home)) == len(STUDENTS)
    assert data_version(home) == version
    assert find_span(home) == span
    pd.testing.assert_frame_equal(sorted_events(home), before)
    pd.testing.assert_frame_equal(sorted_events(home, version.events), before)
    assert tidy_events(home, (), NOBODY_READS) == Upkeep()


def test_versions_that_are_needed_still_read_and_others_go(home):
    tidy_events(home, {4}, NOBODY_READS)
    ingest_rows(home, [some_rows(day="2024-02-01", item_id="later")], "app", "log", now=NOW)
    tidy_events(home, {4, 99}, NOBODY_READS)

    assert len(read_events(home, version=4)) == 5 * len(STUDENTS)
    assert len(read_events(home, version=NIGHTS - 1)) == NIGHTS * len(STUDENTS)
    with pytest.raises(UnavailableError):
        read_events(home, version=5)


def test_of_checkpoints_the_newest_stays_and_versions_before_it_still_read(home):
    """They say once more what the commits before them say."""
    rows = scan_rows(open_table(home.events), EVENT_FIELDS.names, None).to_table().slice(0, 4).to_batches()
    for _ in range(13):
        append_events(home, rows)
    count, checkpoints = len(read_events(home, version=12)), (home.events / "_delta_log").glob
    before = list(checkpoints("*.checkpoint.parquet"))

    tidy_events(home, {5, 12}, NOBODY_READS)

    assert len(before) == 2
    assert len(list(checkpoints("*.checkpoint.parquet"))) == 1
    assert [len(read_events(home, version=version)) for version in (5, 12)] == [6 * len(STUDENTS), count]


def test_who_reads_while_files_are_merged_can_go_on_for_a_while(home):
    reader = read_events(home, version=5)

    done = tidy_events(home, (), timedelta(hours=1))

    assert done.removed == 0
    table = open_table(home.events)
    assert table.version() > NIGHTS - 1
    assert len(files_of(home)) > len(reader)


def test_what_would_be_done_is_counted_and_not_done(home):
    before = sorted(files_of(home))

    assert tidy_events(home, (), NOBODY_READS, dry_run=True).merged == NIGHTS * len(STUDENTS)
    assert sorted(files_of(home)) == before


def test_commits_name_no_student(home):
    tidy_events(home, (), NOBODY_READS)

    commits = "".join(path.read_text() for path in (home.events / "_delta_log").glob("*.json")).replace("\\", "")
    assert "OPTIMIZE" in commits
    assert "occurred_at" in commits
    assert not [student for student in STUDENTS if f'"{student}' in commits]


@pytest.mark.parametrize(
    "end", [lambda home: erase_events(home, "007"), lambda home: tidy_events(home, (), NOBODY_READS)]
)
def test_what_a_killed_write_left_goes_from_the_disk(home, end):
    """No commit names it, but students' rows are in it."""
    left = files_of(home)[0].with_name("part-00000-of-a-killed-process.parquet")
    left.write_bytes(b"007")

    end(home)

    assert not left.exists()
