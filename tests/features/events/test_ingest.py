"""Every row of a file is counted once, and a file ingested again, or by a run that was killed, adds nothing."""

import errno
import json
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from filelock import FileLock

import features.events.ingest
from features.__main__ import main
from features.console import run_command
from features.errors import InputError, TooManyRejectedError, UnavailableError
from features.events.ingest import MAX_REJECTED
from features.events.store import data_version, has_events, read_events, read_item_skills
from features.home import Home, read_home
from features.logs import FORMATS

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

    assert counts == {
        "rows_read": 8,
        "events_stored": 2,
        "events_known": 1,
        "rows_merged": 1,
        "activities": 1,
        "unused": {},
        "rejected": {"no_student": 1, "score_out_of_range": 1, "wrong_number_of_cells": 1},
        "nulled": {"absurd_duration": 1},
        "data_version": {"events": 0, "item_skills": 0},
        "copied_students": 0,
    }
    assert adds_up(counts)


def test_rejected_rows_are_kept_with_their_rule_beside_the_log(home):
    run_mapped(home, write_log(home))

    (kept,) = home.rejected.glob("*-log.parquet")
    rejected = pd.read_parquet(kept)
    assert sorted(rejected["rejected"]) == ["no_student", "score_out_of_range", "wrong_number_of_cells"]
    assert not home.staging.exists()


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
        broken.setattr(features.events.ingest, "append_events", no_space)
        with pytest.raises(UnavailableError, match="is full; make room"):
            run_mapped(home, write_log(home))
    assert not has_events(home)
    assert not home.staging.exists()

    assert run_mapped(home, write_log(home))["data_version"] == {"events": 0, "item_skills": 0}


DIES_WHILE_WRITING = """
import os, signal, sys
import features.events.ingest as ingest
from features.__main__ import main

read_new = ingest.read_new

def dies(folder):
    yield next(read_new(folder))
    os.kill(os.getpid(), signal.SIGKILL)

ingest.read_new = dies
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
    [("unreadable", 2, "is a PNG image"), ("rejected", 3, "rows of log.csv are rejected"), ("busy", 75, "try again")],
)
def test_the_command_ends_with_one_sentence_and_its_code(home, capsys, case, code, sentence):
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
