"""Totals are stored once, replaced by what is newer, kept apart from events, and erased with the student."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from features.database import Database
from features.erasure import STORES, Installation, erase_everywhere
from features.errors import InputError, TooManyRejectedError
from features.events.evidence import forget_evidence, read_evidence
from features.events.ingest import ingest_file
from features.events.log.store import has_events
from features.home import Home

NOW = datetime(2026, 4, 1, tzinfo=UTC)
MAPPING = """
[file]
source = "ixl"
[columns]
student = "who"
time = "at"
skills = "of"
[totals]
form = "percent"
column = "SmartScore"
questions = "n"
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.delenv("REGROUP_DATABASE_URL", raising=False)
    (tmp_path / "m.toml").write_text(MAPPING)
    return Home(tmp_path / "home")


def ingest(home: Home, *lines: str, share: float = 0.1):
    path: Path = home.root.parent / "report.csv"
    path.write_text("who,at,of,SmartScore,n\n" + "\n".join(lines) + "\n")
    counts = ingest_file(home, path, mapping=home.root.parent / "m.toml", now=NOW, max_rejected=share)
    told = counts.events_known + counts.evidence + sum(counts.unused.values()) + sum(counts.rejected.values())
    assert counts.rows_read == told
    return counts


def read(home: Home, *students: str):
    with Database(home.database_url()) as database, database.reading() as connection:
        return read_evidence(connection, students)


def test_totals_are_stored_once_and_the_newest_counts(home):
    lines = ["a,2026-03-01,Ratios,40,10", "a,2026-03-20,Ratios,85,32", "b,2026-03-01,Ratios,,", "Total,,,,42"]

    first, again = ingest(home, *lines, lines[0]), ingest(home, *lines)
    later = ingest(home, "a,2026-03-20,Ratios,90,40")

    assert (first.evidence, first.events_known, first.unused) == (2, 1, {"no_figure": 1, "total_line": 1})
    assert (again.evidence, again.events_known) == (0, 2)
    assert later.evidence == 1
    assert not has_events(home)
    assert "totals without answers" in first.notes[0]
    newest = read(home, "a", "b")
    assert list(newest) == [("a", "Ratios")]
    assert newest["a", "Ratios"].figure == "90"
    assert "SmartScore 90 from 40 questions on 2026-03-20, about 88% of the skill" in newest["a", "Ratios"].describe()


def test_figures_that_contradict_each_other_or_come_from_the_future_are_rejected(home):
    counts = ingest(home, "a,2026-03-01,Ratios,40,1", "a,2026-03-01,Ratios,50,1", "a,2027-03-01,Halves,50,1", share=1)

    assert counts.rejected == {"conflicting_total": 2, "time_out_of_range": 1}
    with pytest.raises(TooManyRejectedError, match="several figures"):
        ingest(home, "a,2026-03-01,Ratios,40,1", "a,2026-03-01,Ratios,50,1")
    with pytest.raises(InputError, match="has a figure"):
        ingest(home, "a,2026-03-01,Ratios,,1")


def test_an_erased_student_and_old_totals_leave_nothing_behind(home):
    lines = ["a,2026-03-01,Ratios,40,10", "b,2020-03-01,Ratios,40,10", "b,2026-03-01,Ratios,40,10"]
    ingest(home, *lines)

    with Database(home.database_url()) as database:
        counts = erase_everywhere(STORES, Installation(home, database), "a")
        with database.changing() as connection:
            assert forget_evidence(connection, NOW - timedelta(days=1100)) == 1

    assert counts["evidence"] == 1
    assert ingest(home, *lines[:1], lines[2]).unused == {"erased_student": 1}
    assert list(read(home, "a", "b")) == [("b", "Ratios")]
