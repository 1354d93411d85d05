"""Logs that can be checked by eye, and the small school's rows."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from features.events.log.store import read_events, read_item_skills
from features.home import Home
from features.schema import Events, check_table
from training.config import load_config
from training.data.dataset import build_dataset

START = datetime(2026, 1, 5, 8, tzinfo=UTC)

TAGS = pd.DataFrame(
    [("plus", "add"), ("plus-2", "add"), ("times", "multiply"), ("both", "add"), ("both", "multiply")],
    columns=["item_id", "skill_id"],
)


def make_events(rows, *, clock=True):
    """Rows of (student, days since the start, item or None for a video, correct) and maybe the attempt."""
    table = pd.DataFrame([(*row, 1)[:5] for row in rows], columns=["student_id", "days", "item_id", "correct", "try"])
    answered = table["item_id"].notna()
    times = pd.Series([START + timedelta(days=days) if clock else None for days in table["days"]])
    return check_table(
        Events,
        pd.DataFrame(
            {
                "event_id": [f"e{number}" for number in range(len(table))],
                "student_id": table["student_id"],
                "kind": np.where(answered, "response", "video"),
                "occurred_at": pd.to_datetime(times, utc=True).astype("datetime64[us, UTC]"),
                "sequence": pd.array(range(len(table)), "Int64"),
                "item_id": table["item_id"],
                "score": table["correct"].astype(float).where(answered),
                "correct": table["correct"].astype("boolean").where(answered),
                "attempt": table["try"].astype("Int64").where(answered),
                "hints": pd.array([pd.NA] * len(table), "Int64"),
                "duration_s": 30.0,
                "source": "test",
                "skills": None,
            }
        ),
    )


@pytest.fixture(scope="session")
def events_of():
    """Turns rows that are easy to read into rows of `Events`."""
    return make_events


@pytest.fixture(scope="session")
def tags():
    """`plus` and `plus-2` need adding, `times` multiplying, `both` needs both."""
    return TAGS


@pytest.fixture(scope="session")
def quick_config(trained_school):
    """The settings that the small school was trained with."""
    return load_config(trained_school.config)


@pytest.fixture(scope="session")
def school_log(simulated_school):
    """The small school's events and skills of items."""
    home = Home(simulated_school.home)
    return read_events(home), read_item_skills(home)


@pytest.fixture(scope="session")
def school_dataset(school_log, quick_config):
    """The rows that the small school's models learnt from."""
    return build_dataset(*school_log, quick_config)
