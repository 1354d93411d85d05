"""A night that goes on from the one before publishes what one that begins anew does, and writes only what changed."""

import json
import re
import shutil
import tempfile
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from deltalake import DeltaTable
from hypothesis import strategies as st

from features.bundle import read_manifest, write_bundle
from features.errors import InputError
from features.events.log.store import (
    EVENT_FIELDS,
    add_item_skills,
    append_events,
    data_version,
    read_events,
    read_item_skills,
    to_table,
)
from features.events.log.upkeep import erase_events, tidy_events
from features.home import Home
from features.profiles.arrays import _pack
from features.profiles.fold import build_profiles
from features.profiles.parts import Known, _list_arrays
from features.publications import (
    list_published_students,
    newest_publication,
    publish_events,
    publish_profiles,
    publish_without,
    read_publication,
)
from features.schema import bucket_of
from tests.examples import holds_for
from tests.features.profiles.test_fold import START, STATISTICS, TAGS, make_events

WEEK = 60 * 24 * 7

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["007", "NA", "zoë", "s1", "s9"]),  # the last is in one bucket with NA
        st.integers(0, 3 * WEEK - 1).map(lambda minutes: minutes // 7 * 7),
        st.sampled_from(["easy", "hard", "mixed", "untagged", "fresh b", "fresh a", "Fresh c", None]),
        st.booleans(),
        st.none(),
        st.sampled_from([1, 1, 1, 2]),
        st.sampled_from([None, None, "add", "carry", "zeta", "add\x1fbeta"]),
        st.sampled_from([0, 0, 0, 0, 0, 1, -1]),  # weeks that it comes late or, by a clock that is wrong, too early
    ),
    min_size=1,
    max_size=40,
)
MEANWHILE = st.sampled_from([None, "compact", "erase", "tag"])


def store(home, events):
    """Adds events to the log."""
    placed = events.assign(bucket=bucket_of(events["student_id"])).sort_values("bucket", kind="stable")
    append_events(home, to_table(placed, EVENT_FIELDS).to_batches())


def publish(home, week, run="run", code="code"):
    return publish_profiles(home, run, STATISTICS, moment(week), data_version(home), code)


def moment(week):
    return START + timedelta(minutes=week * WEEK)


def compact(home):
    DeltaTable(str(home.events)).optimize.compact()
    tidy_events(home, (), timedelta(0))  # the files of before are gone


def assert_same_state(one, other):
    for field in fields(one):
        left, right = (np.asarray(getattr(each, field.name)) for each in (one, other))
        if field.name == "students":
            assert left.tolist() == right.tolist()
        else:
            assert (left.dtype, left.shape, left.tobytes()) == (right.dtype, right.shape, right.tobytes()), field.name


@pytest.fixture
def home(tmp_path):
    """A log of four students, each in a bucket of their own, who answered on the first two days of a week."""
    made = Home(tmp_path / "bucket=höme")
    add_item_skills(made, TAGS)
    rows = [
        (each, day * 1440 + n, "easy", n % 2 == 0, 0, 1)
        for each in ("007", "NA", "zoë", "s1")
        for day in (0, 1)
        for n in range(9)
    ]
    store(made, make_events([(*row[:2], ["easy", "hard", "solo"][row[1] % 3], *row[3:]) for row in rows]))
    return made


@holds_for(3, 60, ROWS, st.lists(MEANWHILE, min_size=3, max_size=3))
def test_a_night_that_goes_on_equals_one_that_begins_anew(rows, meanwhile):
    """Bit for bit: with late events, new items and skills, erasures, tags that change, and after compaction."""
    with tempfile.TemporaryDirectory() as place:
        follow_nights(Home(Path(place)), rows, meanwhile)


def test_what_only_an_erased_student_practiced_is_known_no_more():
    """Though the erasure also removed files, which is upkeep of the log."""
    rows = [(student, 0, "easy", False, None, 1, skill, 0) for student, skill in [("NA", "zeta"), ("s9", None)]]
    with tempfile.TemporaryDirectory() as place:
        follow_nights(Home(Path(place)), rows, [None, "erase", None])


def follow_nights(home, rows, meanwhile):
    add_item_skills(home, TAGS)
    events = make_events([row[:7] for row in rows])
    arrival = np.array([max(0, row[1] // WEEK + row[7]) for row in rows])
    gone = set()
    for week in range(3):
        came = events[(arrival == week) & ~events["student_id"].isin(gone)]
        if came.empty and not home.events.exists():
            continue
        if not came.empty:
            store(home, came)
        published = publish(home, week + 1)

        events_now, tags = read_events(home, before=moment(week + 1)), read_item_skills(home)
        known = STATISTICS.extend(tags, events_now["item_id"], events_now["skills"])
        profiles, state = build_profiles(events_now, known, moment(week + 1))
        goes_on, anew = read_publication(published), read_publication(publish(home, week + 1, "anew", ""))
        assert_same_state(goes_on.state, state)
        assert_same_state(anew.state, state)
        assert goes_on.statistics.to_json() == anew.statistics.to_json() == known.to_json()
        pd.testing.assert_frame_equal(
            goes_on.skill_profiles(), profiles.sort_values(["student_id", "skill_id"], ignore_index=True)
        )

        if meanwhile[week] == "compact":
            compact(home)
        elif meanwhile[week] == "tag":
            add_item_skills(home, pd.DataFrame({"item_id": ["fresh a"], "skill_id": ["carry"]}))
        elif meanwhile[week] == "erase":
            gone.add("NA")
            erase_events(home, "NA")
            publish_without(published, "NA")
            assert "NA" not in list_published_students(newest_publication(home, "run"))


def anew_after(home, caplog, **how):
    """How many buckets a further night folds from the start, of how many."""
    caplog.clear()
    with caplog.at_level("INFO", logger="regroup"):
        publish(home, **how)
    found = re.search(r"(\d+) of (\d+) student buckets folded from the start", caplog.text)
    return tuple(map(int, found.groups()))


def test_what_a_day_does_not_change_is_the_file_of_before(home, monkeypatch):
    """One student answers one question: a small file is new beside that student's state, all others have two names."""
    monkeypatch.setattr("features.publications.buckets.GROWN", 2)  # with so few rows, a file is mostly its headers
    first = publish(home, 1)
    store(home, later("007"))
    second = publish(home, 2)

    new = {path.name for path in second.iterdir() if path.stat().st_nlink == 1}
    (changes,) = new - {"manifest.json", "pairs.parquet"}
    own = f"{bucket_of(pd.Series(['007']))[0]:02d}"
    assert changes.startswith(f"state-{own}-")
    assert read_manifest(second)["buckets"][own][1:] == [changes]
    assert {path.name for path in first.iterdir()} - new == {path.name for path in second.iterdir()} - new


def later(student, minutes=10 * 1440, item="easy"):
    return make_events([(student, minutes, item, True, 0, 1)]).assign(event_id=f"{student} {minutes}")


def test_a_publication_needs_no_other(home):
    """The one before is pruned; what went on from it reads as it did."""
    first = publish(home, 1)
    store(home, later("007"))
    second = publish(home, 2)
    before = read_publication(second)

    shutil.rmtree(first)

    assert_same_state(read_publication(second).state, before.state)


def test_only_the_buckets_that_cannot_go_on_begin_anew(home, caplog):
    """Nothing new; a later event; a late one; an erasure; other code; an earlier moment; compaction."""
    assert anew_after(home, caplog, week=1) == (4, 4)
    store(home, later("007"))
    assert anew_after(home, caplog, week=2) == (0, 4)
    store(home, later("007", minutes=30))
    assert anew_after(home, caplog, week=2) == (1, 4)
    compact(home)
    store(home, later("s1"))
    assert anew_after(home, caplog, week=3) == (0, 4)
    erase_events(home, "s1")  # who was alone in a bucket
    assert anew_after(home, caplog, week=3) == (0, 3)
    assert anew_after(home, caplog, week=4, code="other") == (3, 3)
    store(home, later("NA"))
    assert anew_after(home, caplog, week=2, code="other") == (3, 3)


def test_changes_are_joined_before_they_outgrow_the_state(home, monkeypatch):
    """Night after night a student answers: now and then the bucket is one file again, so that reading stays cheap."""
    monkeypatch.setattr("features.publications.buckets.GROWN", 2.5)
    files = []
    for night in range(8):
        store(home, later("007", minutes=(3 + night) * 1440, item=["easy", "hard", "mixed"][night % 3]))
        folder = publish(home, 4 + night)
        files.append(len(read_manifest(folder)["buckets"][f"{bucket_of(pd.Series(['007']))[0]:02d}"]))

    assert 1 in files[1:]
    assert max(files) > 1


def test_a_large_bucket_is_folded_student_by_student(home, monkeypatch):
    """Some students after others give the same file."""
    whole = read_manifest(publish(home, 1))
    monkeypatch.setattr("features.publications.buckets.AT_ONCE", 2000)

    in_turns = read_manifest(publish(home, 1, run="other"))

    assert in_turns["files"] == whole["files"]


def test_an_altered_publication_is_not_continued(home, caplog):
    """Its files are no longer those that were published, so that the next night begins anew."""
    path = next(publish(home, 1).glob("state-*"))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    store(home, later("007"))

    assert anew_after(home, caplog, week=2) == (4, 4)


def test_one_student_less_leaves_the_others_as_they_were(home):
    """The folder has another name, the student is in none of its files, and nobody else's state differs."""
    folder = publish(home, 1)
    before = read_publication(folder).state

    assert publish_without(folder, "NA")
    assert not publish_without(newest_publication(home, "run"), "NA")

    after = newest_publication(home, "run")
    assert (after.name, folder.exists()) == (f"{folder.name}-erased1", False)
    assert b"NA" not in b"".join(path.read_bytes() for path in after.glob("state-*"))
    assert_same_state(read_publication(after).state, before.take(np.flatnonzero(before.students != "NA")))
    assert read_manifest(after)["students"] == 3


def test_profiles_of_an_earlier_version_are_read_and_erased(home, tmp_path):
    """One file with the state of all students, and tables of profiles that nothing reads any more."""
    state = read_publication(publish(home, 1))

    def write(draft):
        state.state.save(draft / "state.npz")
        (draft / "statistics.json").write_text(json.dumps(state.statistics.to_json()))
        (draft / "skill_profiles.parquet").write_bytes(b"NA")

    facts = {name: state.manifest[name] for name in ("run_id", "as_of", "data_version", "schema", "code", "students")}
    old = home.published / "run" / "20250101T000000Z-1.1"
    write_bundle(old, {**facts, "format": 1}, write)

    assert_same_state(read_publication(old).state, state.state)
    assert list_published_students(old) == {"007", "NA", "zoë", "s1"}
    assert publish_without(old, "NA")
    after = old.with_name(f"{old.name}-erased1")
    assert read_publication(after).state.students.tolist() == ["007", "s1", "zoë"]
    assert not (after / "skill_profiles.parquet").exists()


@pytest.mark.parametrize("form", [2, 3])
def test_parts_that_an_earlier_version_wrote_are_read_and_erased(home, form):
    """Archives of arrays: format 2 had them value by value, and rows of items of changes as they became."""
    before = read_publication(publish(home, 1))
    store(home, pd.concat([later("007", minutes) for minutes in (9 * 1440, 9 * 1440 + 5)]))
    after = read_publication(publish(home, 2))
    vocabulary, known = after.statistics.vocabulary, Known.of(STATISTICS.vocabulary)
    became = after.state.take(np.flatnonzero(after.state.students == "007"))
    states = [before.state, became] if form == 2 else [after.state]
    parts = {f"state-00-{at}.npz": _list_arrays(state, vocabulary, known) for at, state in enumerate(states)}

    def write(draft):
        for name, arrays in parts.items():
            np.savez(draft / name, **(arrays if form == 2 else pack_earlier(arrays)))
        (draft / "statistics.json").write_text(json.dumps(after.statistics.to_json()))

    old = home.published / "old" / "20250101T000000Z-1.1"
    write_bundle(old, {**after.manifest, "format": form, "buckets": {"00": list(parts)}}, write)

    assert_same_state(read_publication(old).state, after.state)
    assert list_published_students(old) == {"007", "NA", "zoë", "s1"}
    assert publish_without(old, "NA")
    without = newest_publication(home, "old")
    assert "NA" not in list_published_students(without)
    assert_same_state(read_publication(without).state, after.state.take(np.flatnonzero(after.state.students != "NA")))


def pack_earlier(arrays):
    """As format 3 had them: Zstandard after 64 bytes that say type and shape."""
    known = {"known": arrays.pop("known")}
    return known | {
        f"{name}.zst": np.frombuffer(
            json.dumps([values.dtype.str, values.shape]).encode().ljust(64) + _pack(values), np.uint8
        )
        for name, values in arrays.items()
    }


def test_events_without_a_log_are_published_alike(home):
    """A simulated school has the same state, in one file."""
    events, tags = read_events(home), read_item_skills(home)

    alone = publish_events(home, "alone", events, tags, STATISTICS, moment(1), "simulated")

    assert_same_state(read_publication(alone).state, read_publication(publish(home, 1)).state)


def test_a_log_that_was_restored_is_not_taken_for_the_one_that_was_folded(home, tmp_path, caplog):
    """The back-up lacks the last night's events, and other events came in under the same version."""
    shutil.copytree(home.events, tmp_path / "back-up")
    store(home, later("007"))
    publish(home, 2)
    shutil.rmtree(home.events)
    shutil.copytree(tmp_path / "back-up", home.events)
    store(home, later("007", minutes=9 * 1440, item="hard"))

    assert anew_after(home, caplog, week=3) == (1, 4)
    anew = publish(home, 3, "anew")
    assert_same_state(read_publication(newest_publication(home, "run")).state, read_publication(anew).state)


def test_a_damaged_state_is_an_error_in_words(home):
    """Whoever reads it hears which profiles they are."""
    folder = publish(home, 1)
    next(folder.glob("state-*")).write_bytes(b"nothing")

    with pytest.raises(InputError, match="not the one its manifest names"):
        read_publication(folder)
    with pytest.raises(InputError, match="cannot be read"):
        list_published_students(folder)
