"""A file that comes later is read beside few of the stored events, and becomes what one with all of them would."""

import contextlib
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import strategies as st

from features.errors import InputError, UnavailableError
from features.events.checks import check_rows, keep_distinct
from features.events.identity.exports import ExportCheck
from features.events.identity.repeats import resolve_repeats, resolve_retries
from features.events.ingest import ingest_rows
from features.events.known import read_known
from features.events.log.files import find_files_of, list_files
from features.events.log.store import read_events
from features.home import Home
from features.logs.rows import raw_rows
from tests.examples import holds_for

NOW = datetime(2026, 9, 1, tzinfo=UTC)
START = pd.Timestamp("2026-03-02T08:00Z")
OPEN = ("copies", "retries")

ANSWERS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.one_of(st.integers(0, 400), st.integers(0, 40).map(lambda part: part * 50)),  # also without a pause for days
        st.sampled_from(["x", "y"]),
        st.sampled_from([None, None, "1", "2"]),
    ),
    min_size=1,
    max_size=60,
)


def raw(answers):
    student, minutes, items, keys = (list(column) for column in zip(*answers, strict=True))
    moments = [START + pd.Timedelta(minutes=each) for each in minutes]
    columns = {"student_id": student, "occurred_at": moments, "item_id": items, "event_key": keys}
    return raw_rows({**columns, "score": 1.0, "correct": True, "kind": "response"}, len(student))


@holds_for(8, 60, st.lists(ANSWERS, min_size=1, max_size=3), ANSWERS)
def test_what_is_stored_does_not_depend_on_how_much_was_read(before, after):
    """Ids that come again at other times, sessions longer than what is read, and exports in another zone."""
    with tempfile.TemporaryDirectory() as place:
        compare(Home(Path(place)), before, after)


def compare(home, before, after):
    for file in before:
        with contextlib.suppress(InputError):  # another export of the one before, which is refused
            ingest_rows(home, [raw(file)], "app", "before", 1.0, NOW, leaves_open=OPEN)
    rows = resolve_repeats(check_rows(raw(after), "app", NOW).events, OPEN, Counter())

    found = []
    for asked in (rows, None):
        exports, settled = ExportCheck(), Counter()
        known = pd.concat([read_known(files, asked, OPEN) for files in list_files(home).values()])
        distinct = keep_distinct(resolve_retries(rows, known, OPEN, settled), known)
        exports.add(distinct.events, known)
        found.append((distinct, settled, vars(exports), len(known)))

    near, whole = found
    for name in ("events", "retagged", "rejected", "item_skills"):
        pd.testing.assert_frame_equal(getattr(near[0], name), getattr(whole[0], name))
    assert (near[0].known, near[0].merged, *near[1:3]) == (whole[0].known, whole[0].merged, *whole[1:3])


def test_days_that_a_file_is_far_from_are_not_read(tmp_path):
    """Of a day's file, what is stored of the week before is told by its ids alone."""
    home = Home(tmp_path / "home")
    ingest_rows(home, [raw([("a", n, "x", None) for n in range(50)])], "app", "before", 1.0, NOW)
    later = check_rows(raw([("a", 7 * 1440, "x", None)]), "app", NOW).events

    (files,) = list_files(home).values()

    assert read_known(files, later, OPEN).empty
    assert len(read_known(files, None, OPEN)) == len(read_events(home)) == 50


def test_files_of_other_students_stay_closed(tmp_path):
    """Once it is known whose answers a file holds: it may even be gone."""
    home = Home(tmp_path / "home")
    for student in ("a", "b"):
        ingest_rows(home, [raw([(student, 0, "x", None)])], "app", student, 1.0, NOW)
    mine, other = (check_rows(raw([(student, 0, "x", None)]), "app", NOW).events for student in ("a", "b"))
    files = [path for paths in list_files(home).values() for path in paths]
    theirs = find_files_of(files, ["b"])
    assert len(files) == 2
    assert len(read_known(files, other, OPEN)) == 1

    Path(*theirs).unlink()

    assert len(read_known(files, mine, OPEN)) == 1
    with pytest.raises(UnavailableError):
        read_known(files, other, OPEN)


@pytest.mark.parametrize("first", [29, 15, 1])
def test_a_retry_is_counted_from_the_first_answer_of_its_session_however_long_that_is(tmp_path, first):
    """An answer every fifty minutes for a day, in two files."""
    home = Home(tmp_path / "home")
    answers = [("a", 50 * n, "x", None) for n in range(30)]
    for name, part in (("first", answers[:first]), ("second", answers[first:])):
        ingest_rows(home, [raw(part)], "app", name, 1.0, NOW, leaves_open=("retries",))

    events = read_events(home).sort_values("occurred_at")

    assert events["attempt"].tolist() == list(range(1, 31))
