"""Every row of a file is counted once, and a file ingested again, or by a run that was killed, adds nothing."""

import errno
import json
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from deltalake import DeltaTable, write_deltalake
from filelock import FileLock

import features.events.changes
import features.events.ingest
import features.events.staging
from features.__main__ import main
from features.console import run_command
from features.database import Database
from features.errors import InputError, TooManyRejectedError, UnavailableError
from features.events.ingest import MAX_REJECTED
from features.events.log.store import data_version, has_events, read_events, read_item_skills
from features.events.log.upkeep import erase_events
from features.home import Home, read_home
from features.logs import FORMATS
from features.profiles.difficulty import fit_statistics
from features.profiles.fold import build_profiles
from features.profiles.vocabulary import build_vocabulary
from features.tombstones import add_tombstone

DATA = Path(__file__).resolve().parents[4] / "shared/data"
REAL_EXPORTS = sorted([*DATA.glob("logs/*.csv"), *DATA.glob("formats/datashop/*.txt")])

MAPPING = """
[columns]
student = "who"
item = "what"
time = "at"
correct = "right"
skills = "skill"
duration_s = "seconds"
kind = "type"
"""
HEADER = "who,what,at,right,skill,seconds,type\n"
ROWS = [
    "007,i,2024-01-01T10:00:00Z,1,add,5,response",
    "007,i,2024-01-01T10:00:00Z,1,carry,5,response",
    "007,i,2024-01-01T10:00:00Z,1,add,5,response",
    "NA,i,2024-01-01T10:00:00Z,0,add,-5,response",
    "NA,,2024-01-01T10:01:00Z,,,60,video",
    ",i,2024-01-01T10:00:00Z,1,add,5,response",
    "NA,i,2024-01-01T10:00:00Z,7,add,5,response",
    "NA,i,2024-01-01",
]


@pytest.fixture
def home(tmp_path, monkeypatch) -> Home:
    monkeypatch.setenv("REGROUP_HOME", str(tmp_path / "home"))
    (tmp_path / "log.toml").write_text(MAPPING)
    return read_home()


def write_log(home: Home, rows=ROWS) -> Path:
    path = home.root.parent / "log.csv"
    path.write_text(HEADER + "\n".join(rows) + "\n")
    return path


def run(home: Home, path: Path, *options: str) -> dict:
    counts = home.root.parent / "counts.json"
    assert main(["ingest", str(path), "--json", str(counts), *options]) == 0
    return json.loads(counts.read_text())


def run_mapped(home: Home, path: Path, *options: str) -> dict:
    return run(home, path, "--mapping", str(home.root.parent / "log.toml"), "--max-rejected", "0.5", *options)


def adds_up(counts: dict) -> bool:
    parts = [counts[name] for name in ("events_stored", "events_known", "rows_merged", "activities")]
    return counts["rows_read"] == sum([*parts, *counts["unused"].values(), *counts["rejected"].values()])


def stored(home: Home) -> tuple[pd.DataFrame, pd.DataFrame]:
    events = read_events(home).sort_values("event_id", ignore_index=True)
    return events, read_item_skills(home).sort_values(["item_id", "skill_id"], ignore_index=True)


def assert_same(one: tuple, other: tuple):
    for left, right in zip(one, other, strict=True):
        pd.testing.assert_frame_equal(left, right)


def test_every_row_is_counted_once(home):
    counts = run_mapped(home, write_log(home))

    assert [note.partition(":")[0] for note in counts.pop("notes")] == [
        "rows that equal an earlier one in student, moment, item and score",
        "attempts are not numbered",
        "feeds profiles from 4 rows of answers with time, skills, duration (75%), and 1 activities",
        "stays null",
        "allows forecasts of mastery and struggle by skill",
    ]
    shares = {"time": 1.0, "skills": 1.0, "attempt": 0.0, "hints": 0.0, "duration": 0.75, "partial": 0.0}
    assert counts.pop("coverage") == pytest.approx(shares)
    assert counts == {
        "rows_read": 8,
        "events_stored": 3,
        "events_known": 0,
        "rows_merged": 1,
        "activities": 1,
        "evidence": 0,
        "unused": {},
        "rejected": {"no_student": 1, "score_out_of_range": 1, "wrong_number_of_cells": 1},
        "nulled": {"absurd_duration": 1},
        "data_version": {"events": 0, "item_skills": 0},
        "copied_students": 0,
    }
    assert adds_up(counts)


def run_case(home: Home, rows: list[str]) -> dict:
    path = home.root.parent / "log.csv"
    path.write_text("who,what,at,right,skill\n" + "".join(row + "\n" for row in rows))
    (home.root.parent / "log.toml").write_text(MAPPING.replace('duration_s = "seconds"\nkind = "type"\n', ""))
    return run_mapped(home, path)


def skills_of(home: Home) -> dict[str, list]:
    events = read_events(home).sort_values(["student_id", "occurred_at"])
    return {str(student): part["skills"].tolist() for student, part in events.groupby("student_id")}


CONDITIONS = [
    "a,q1,2024-01-01T10:00:00Z,1,2 halves",
    "a,q2,2024-01-01T10:01:00Z,0,2 halves",
    "b,q1,2024-01-01T10:00:00Z,0,20 halves",
    "b,q2,2024-01-01T10:01:00Z,1,20 halves",
]


def test_a_response_has_the_skills_of_its_own_rows_and_no_others(home):
    """Which skill a row names depends on the student's condition, so a student has one skill, not both."""
    counts = run_case(home, CONDITIONS)

    assert (counts["events_stored"], adds_up(counts)) == (4, True)
    assert skills_of(home) == {"a": ["2 halves", "2 halves"], "b": ["20 halves", "20 halves"]}
    assert practiced(home) == {("a", "2 halves"): 2, ("b", "20 halves"): 2}


def practiced(home: Home) -> dict[tuple[str, str], int]:
    """The opportunities of every student-skill, from the event log to the profiles."""
    events, item_skills = stored(home)
    vocabulary = build_vocabulary(item_skills, events["item_id"].dropna().unique(), responses=events)
    nothing = fit_statistics(vocabulary, np.empty(0, np.int32), np.empty(0, bool))
    profiles, _ = build_profiles(events, nothing, None)
    keys = zip(profiles["student_id"], profiles["skill_id"], strict=True)
    return dict(zip(keys, profiles["skill_opportunities"].astype(int), strict=True))


def test_a_response_without_skills_has_those_that_its_item_usually_has(home):
    run_case(home, [*CONDITIONS, "c,q1,2024-01-01T10:00:00Z,1,20 halves", "d,q1,2024-01-01T10:00:00Z,1,"])

    assert pd.isna(skills_of(home)["d"][0])
    assert practiced(home)["d", "20 halves"] == 1
    assert ("d", "2 halves") not in practiced(home)


def test_a_response_sent_later_with_a_further_skill_is_one_response_with_both(home):
    """In one commit with what else is new; the file again adds nothing, and a second skill of one row is not lost."""
    run_case(home, CONDITIONS)
    later = [
        "a,q1,2024-01-01T10:00:00Z,1,thirds",
        CONDITIONS[1],
        *[f"new{n},q9,2024-01-01T10:00:00Z,1,x" for n in range(9)],
    ]

    counts, again = run_case(home, later), run_case(home, later)

    assert (counts["events_stored"], counts["rows_merged"], counts["events_known"]) == (9, 1, 1)
    assert adds_up(counts)
    assert skills_of(home)["a"] == ["2 halves\x1fthirds", "2 halves"]
    assert skills_of(home)["b"] == ["20 halves", "20 halves"]
    assert len(read_events(home)) == read_events(home)["event_id"].nunique() == 13
    assert (again["events_stored"], again["rows_merged"], again["data_version"]) == (0, 0, counts["data_version"])
    assert counts["data_version"]["events"] == 1


def test_an_event_log_of_an_earlier_version_is_read_and_gets_its_skills_from_the_same_file(home):
    """It has no column of skills: its responses have those of their items, until the file is ingested again."""
    run_case(home, CONDITIONS)
    forget_skills(home)
    old = skills_of(home)
    both = {(student, skill) for student in "ab" for skill in ("2 halves", "20 halves")}

    assert all(pd.isna(skills) for part in old.values() for skills in part)
    assert set(practiced(home)) == both
    erase_events(home, "nobody")
    erase_events(home, "b")
    counts = run_case(home, CONDITIONS)

    assert (counts["events_stored"], counts["rows_merged"], adds_up(counts)) == (2, 2, True)
    assert practiced(home) == {("a", "2 halves"): 2, ("b", "20 halves"): 2}


def forget_skills(home: Home) -> None:
    """Writes the event log as it was before it had the column."""
    table = DeltaTable(str(home.events)).to_pyarrow_dataset().to_table().drop_columns("skills")
    shutil.rmtree(home.events)
    write_deltalake(str(home.events), table, partition_by=["bucket"])


def test_rejected_rows_are_kept_with_their_rule_beside_the_log(home):
    run_mapped(home, write_log(home))

    (kept,) = home.rejected.glob("*-log.parquet")
    rejected = pd.read_parquet(kept)
    assert sorted(rejected["rejected"]) == ["no_student", "score_out_of_range", "wrong_number_of_cells"]
    assert not home.staging.exists()


def test_who_is_erased_while_an_ingest_waits_for_the_erasure_is_not_stored(home, monkeypatch):
    """The ingest begins before the erasure, and comes to its work after it."""
    path, clear = write_log(home, ROWS[:5]), features.events.staging.clear_staging

    def erase_first(home):
        with Database(home.database_url()) as database, database.changing(erasing=True) as connection:
            add_tombstone(connection, "007", datetime.now(UTC))
        monkeypatch.setattr(features.events.staging, "clear_staging", clear)
        clear(home)

    monkeypatch.setattr(features.events.staging, "clear_staging", erase_first)
    counts = run_mapped(home, path)

    assert counts["unused"] == {"erased_student": 3}
    assert "007" not in set(read_events(home)["student_id"])


def test_a_second_ingest_adds_nothing(home):
    first = run_mapped(home, write_log(home))
    before = stored(home)

    second = run_mapped(home, write_log(home))

    assert_same(stored(home), before)
    assert second["data_version"] == first["data_version"]
    assert second["events_known"] == first["events_stored"] + first["events_known"] + first["activities"]
    assert adds_up(second)


def test_the_order_and_the_number_of_files_change_nothing(home, monkeypatch):
    run_mapped(home, write_log(home))
    whole = stored(home)
    monkeypatch.setenv("REGROUP_HOME", str(home.root / "other"))
    other = read_home()

    for rows in (ROWS[:2:-1], ROWS[2::-1]):
        run_mapped(home, write_log(home, rows), "--max-rejected", "1")

    assert_same(stored(other), whole)


def test_a_run_that_fails_before_its_commit_leaves_nothing_half_done(home, monkeypatch):
    def no_space(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(features.events.changes, "append_events", no_space)
        with pytest.raises(UnavailableError, match="is full; make room"):
            run_mapped(home, write_log(home))
    assert not has_events(home)
    assert not home.staging.exists()

    assert run_mapped(home, write_log(home))["data_version"] == {"events": 0, "item_skills": 0}


DIES_WHILE_WRITING = """
import os, signal, sys
import features.events.changes as changes
from features.__main__ import main

read_new = changes.read_new

def dies(folder):
    yield next(read_new(folder))
    os.kill(os.getpid(), signal.SIGKILL)

changes.read_new = dies
main(sys.argv[1:])
"""


@pytest.mark.long
def test_a_killed_run_and_another_equal_a_clean_one(home, monkeypatch):
    path = write_log(home, [f"s{n},i{n % 97},2024-01-01T10:00:00Z,1,k{n % 7},5,response" for n in range(3_000)])
    command = ["ingest", str(path), "--mapping", str(home.root.parent / "log.toml")]

    killed = subprocess.run(
        [sys.executable, "-c", DIES_WHILE_WRITING, *command], stderr=subprocess.DEVNULL, check=False
    )
    left_behind = (home.staging.exists(), has_events(home))
    main(command)

    assert (killed.returncode, left_behind) == (-signal.SIGKILL, (True, False))
    result = stored(home)
    monkeypatch.setenv("REGROUP_HOME", str(home.root / "clean"))
    main(command)
    assert_same(result, stored(read_home()))
    assert data_version(home) == data_version(read_home())


def test_too_many_rejected_rows_store_nothing(home):
    with pytest.raises(TooManyRejectedError) as error:
        run_mapped(home, write_log(home), "--max-rejected", "0.3")

    assert "3 of 8 rows of log.csv are rejected (no_student 1" in str(error.value)
    assert not has_events(home)
    assert len(list(home.rejected.glob("*.parquet"))) == 1


@pytest.mark.parametrize("content", ["", HEADER])
def test_a_file_without_rows_is_an_error(home, content):
    path = home.root.parent / "log.csv"
    path.write_text(content)

    with pytest.raises(InputError, match=r"log\.csv has no rows"):
        run_mapped(home, path)

    assert not has_events(home)


def test_a_file_without_an_answer_is_an_error(home):
    """Rows that claim none do not count for the share that may be rejected; where none is left, nothing is stored."""
    path = home.root.parent / "export.txt"
    names = "Transaction Id\tAnon Student Id\tTime\tTime Zone\tDuration (sec)\tStudent Response Type\tProblem Name\t"
    path.write_text(names + "Step Name\tAttempt At Step\tOutcome\n" + "\t" * 9 + "\n" + "t\ts" + "\t" * 8 + "\n")

    with pytest.raises(InputError, match=r"no row of export\.txt says how somebody answered .*blank 1, no_outcome 1"):
        run(home, path)

    assert not has_events(home)


def test_a_home_that_cannot_be_written_is_a_sentence(home, monkeypatch):
    monkeypatch.setenv("REGROUP_HOME", str(write_log(home) / "home"))

    with pytest.raises(InputError, match="cannot be made: Not a directory"):
        run_mapped(home, write_log(home))


@pytest.mark.parametrize("command", [["--help"], ["ingest", "--help"], ["roster", "--help"]])
def test_help_shows_what_can_be_asked(command, capsys):
    with pytest.raises(SystemExit) as end:
        main(command)

    assert end.value.code == 0
    assert "python -m features" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("case", "code", "sentence"),
    [
        ("unreadable", 2, "is a picture (PNG)"),
        ("rejected", 3, "rows of log.csv are rejected"),
        ("busy", 75, "try again"),
    ],
)
def test_the_command_ends_with_one_sentence_and_its_code(home, capsys, monkeypatch, case, code, sentence):
    monkeypatch.setattr("features.home.WAIT_S", 0.1)
    path = write_log(home)
    if case == "unreadable":
        path.write_bytes(b"\x89PNG\r\n")
    home.root.mkdir()
    lock = FileLock(home.lock("ingest"))
    if case == "busy":
        lock.acquire()

    arguments = ["ingest", str(path), "--mapping", str(home.root.parent / "log.toml")]
    with pytest.raises(SystemExit) as end:
        run_command(lambda: main(arguments))
    lock.release()

    message = capsys.readouterr().err
    assert end.value.code == code
    assert sentence in message
    assert "Traceback" not in message
    assert "007" not in message


@pytest.mark.skipif(not REAL_EXPORTS, reason="no real exports beside this checkout")
@pytest.mark.parametrize("path", REAL_EXPORTS, ids=lambda path: path.stem)
def test_a_real_export_is_read_whole_without_a_mapping(home, path):
    lines = path.read_text(encoding="latin-1").strip("\n").count("\n")

    counts = run(home, path)
    again = run(home, path)

    assert (counts["rows_read"], counts["rejected"]) == (lines, {})
    assert counts["events_stored"] > 0.9 * counts["rows_read"]
    assert adds_up(counts)
    assert adds_up(again)
    assert (again["events_stored"], again["data_version"]) == (0, counts["data_version"])


def test_help_names_the_readers_formats_and_the_default_share(capsys):
    """They are repeated in the command, which does not import the readers before it works."""
    with pytest.raises(SystemExit):
        main(["ingest", "--help"])

    shown = " ".join(capsys.readouterr().out.split())
    assert f"{{{','.join(FORMATS)}}}" in shown
    assert f"(default: {MAX_REJECTED})" in shown
