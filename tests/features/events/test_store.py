"""Events come back as they went in, by bucket, moment and version; commits do not show who is in them."""

import threading
from datetime import UTC, datetime

import pandas as pd
import pytest

from features.errors import MissingError
from features.events.ingest import ingest_rows
from features.events.log import store
from features.events.log.store import add_item_skills, data_version, read_events, read_item_skills
from features.home import Home
from features.logs.rows import raw_rows
from features.schema import Events, ItemSkills, bucket_of, check_table

NOW = datetime(2024, 9, 1, tzinfo=UTC)
STUDENTS = ["007", "NA", "Zoë", "s1"]


def some_rows(students=STUDENTS, day="2024-01-01", **changes) -> pd.DataFrame:
    moment = pd.Timestamp(day, tz="UTC")
    answer = {"item_id": "i", "score": 0.5, "correct": False, "skills": "add"}
    return raw_rows({"student_id": students, "occurred_at": moment, **answer, **changes}, len(students))


@pytest.fixture
def home(tmp_path) -> Home:
    made = Home(tmp_path / "a höme")
    ingest_rows(made, [some_rows()], "app", "day one", now=NOW)
    return made


def test_events_come_back_typed_with_nulls(home):
    events = read_events(home)

    check_table(Events, events)
    assert sorted(events["student_id"]) == sorted(STUDENTS)
    assert events["hints"].isna().all()
    check_table(ItemSkills, read_item_skills(home))


def test_a_bucket_holds_its_students_and_no_others(home):
    own = bucket_of(pd.Series(["007"]))[0]

    events = read_events(home, buckets=[own], columns=["student_id", "bucket"])

    assert "007" in events["student_id"].tolist()
    assert (events["bucket"] == own).all()
    assert read_events(home, buckets=[]).empty


def test_a_version_stays_readable_and_a_moment_cuts(home):
    ingest_rows(home, [some_rows(day="2024-02-01")], "app", "day two", now=NOW)

    assert len(read_events(home)) == 8
    assert len(read_events(home, version=0)) == 4
    assert len(read_events(home, before=datetime(2024, 2, 1, tzinfo=UTC))) == 4
    assert data_version(home).events == 1
    with pytest.raises(MissingError, match="no version 7; right would be 0 to 1"):
        read_events(home, version=7)


def test_events_without_a_clock_are_before_every_moment(tmp_path):
    home = Home(tmp_path)
    ingest_rows(home, [some_rows(occurred_at=None, sequence=1)], "app", "log", now=NOW)

    assert len(read_events(home, before=NOW)) == 4


def test_only_new_pairs_of_item_and_skill_make_a_version(home):
    old, new = (
        pd.DataFrame({"item_id": ["i"], "skill_id": ["add"]}),
        pd.DataFrame({"item_id": ["j"], "skill_id": ["x"]}),
    )

    add_item_skills(home, old)
    unchanged = data_version(home).item_skills
    add_item_skills(home, pd.concat([old, new]))

    assert (unchanged, data_version(home).item_skills) == (0, 1)
    assert sorted(read_item_skills(home)["item_id"]) == ["i", "j"]


def test_the_log_of_commits_names_no_student(home):
    commits = "".join(path.read_text() for path in (home.events / "_delta_log").glob("*.json"))

    assert "occurred_at" in commits
    assert not [student for student in STUDENTS if f'"{student}' in commits.replace("\\", "")]


def test_without_events_the_error_says_how_to_get_some(tmp_path):
    for read in (read_events, read_item_skills, data_version):
        with pytest.raises(MissingError, match="run python -m features ingest first"):
            read(Home(tmp_path))


def test_a_write_ends_when_its_threads_have_let_go_of_the_rows(home, monkeypatch):
    """One that does so while the interpreter ends would end the process."""
    letting_go = threading.Event()

    def hold(readers):
        letting_go.set()
        readers.pop().read_all()

    monkeypatch.setattr(
        store, "write_deltalake", lambda _, reader, **__: threading.Timer(0.2, hold, [[reader]]).start()
    )
    store.append_events(home, iter(()))

    assert letting_go.is_set()
