"""Which of the published profiles are newest."""

import os
import random
from datetime import UTC, datetime

import pytest

from features.bundle import write_bundle
from features.home import Home
from features.publications import moment_of, name_publication, newest_publication, order_of

OLDEST_FIRST = (
    "of another version",
    "no-clock-9.1",
    "no-clock-12.1",
    "20260309T000000Z-30.4",
    "20260314T000000Z-9.4",
    "20260314T000000Z-12.4",
    "20260314T000000Z-12.10",
    "20260314T000000Z-12.10-erased1",
    "20260314T000000Z-12.10-erased2",
)


def test_a_later_moment_is_newer_and_of_one_moment_the_later_log():
    """Versions are numbers, not texts, and what was written again without a student is newer than what it replaces."""
    names = random.Random(0).sample(OLDEST_FIRST, len(OLDEST_FIRST))

    assert tuple(sorted(names, key=order_of)) == OLDEST_FIRST


@pytest.mark.parametrize("as_of", [None, datetime(2026, 3, 14, 6, 30, tzinfo=UTC)])
def test_a_name_says_its_moment(as_of):
    assert moment_of(name_publication(as_of, "12.3")) == as_of


def test_the_time_of_a_file_says_nothing(tmp_path):
    """Nor does a draft of a night that was killed, or a folder without a manifest."""
    home = Home(tmp_path)
    for age, name in enumerate([*OLDEST_FIRST, ".20260401T000000Z-1.1-7"]):
        write_bundle(home.published / "run" / name, {}, lambda draft: None)
        os.utime(home.published / "run" / name / "manifest.json", (10**9 - age,) * 2)
    (home.published / "run" / "20260402T000000Z-1.1").mkdir()

    assert newest_publication(home, "run").name == OLDEST_FIRST[-1]
    assert newest_publication(home, "other") is None
