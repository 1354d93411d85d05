"""What a night works on: equal data, moment, choices and code need no second night."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import pandas as pd

from features.errors import InputError
from features.events.log.sample import read_sample
from features.events.log.store import DataVersion, data_version, read_item_skills
from features.events.log.upkeep import find_span
from features.home import Home
from features.profiles.columns import SCHEMA_HASH
from training.config import TrainingConfig

BUSY = "another nightly run is at work in this home; wait for it to end"

PACKAGES = ("features", "training")
"""Whose code decides what comes of a night."""


@dataclass(frozen=True)
class Night:
    """What one night works on.

    Attributes:
        home: Whose event log is read.
        config: Every choice of the training.
        data: Versions of the event log and of the items' skills.
        as_of: Events at or after this moment, in UTC, do not exist; None for a log without a clock.
        facts: The same in texts, with the hashes of the choices, the columns and the code.
    """

    home: Home
    config: TrainingConfig
    data: DataVersion
    as_of: datetime | None
    facts: Mapping[str, str]

    @property
    def key(self) -> str:
        """A short hash of the facts."""
        return hashlib.sha256(json.dumps(dict(self.facts), sort_keys=True).encode()).hexdigest()[:16]

    @property
    def date(self) -> str:
        """The day of the moment, YYYY-MM-DD, UTC; `no-clock` for a log without a clock."""
        return "no-clock" if self.as_of is None else f"{self.as_of:%Y-%m-%d}"

    @property
    def name(self) -> str:
        """What people call it, such as `night 2026-03-14`."""
        return f"night {self.date}"

    def read_events(self) -> pd.DataFrame:
        """The events that models learn from and are judged by.

        Of a log of more than `max_rows` events, they are those of a sample of students, always the same ones.
        """
        return read_sample(self.home, self.data.events, self.as_of, self.config.boosting.max_rows)

    def read_item_skills(self) -> pd.DataFrame:
        """The items' skills of their version."""
        return read_item_skills(self.home, self.data.item_skills)


def find_night(home: Home, config: TrainingConfig, as_of: datetime | None) -> Night:
    """Finds what a night would work on now.

    Args:
        home: Whose event log is read.
        config: Every choice of the training.
        as_of: The moment, in UTC; by default the midnight after the last event.

    Raises:
        MissingError: No event was ever ingested.
        InputError: The moment lies in the future, where nothing can be known and no later night would be newer.
    """
    data = data_version(home)
    if as_of is None or as_of > datetime.now(UTC):
        end = _midnight_after_last_event(home, data)
        if as_of is not None and (end is None or as_of > end):
            until = "" if end is None else f"; the events end before {end:%Y-%m-%d %H:%M} UTC"
            raise InputError(f"the moment {as_of:%Y-%m-%d %H:%M} UTC lies in the future{until}: name an earlier one")
        as_of = as_of or end
    facts = {
        "as_of": str(as_of or "end of log"),
        "data_version": f"{data.events}.{data.item_skills}",
        "config": config.digest,
        "columns": SCHEMA_HASH,
        "code": hash_code(),
        "version": version("regroup"),
    }
    return Night(home, config, data, as_of, facts)


@cache
def hash_code(also: tuple[str, ...] = ()) -> str:
    """A short hash of the source files of `features` and `training`.

    A version number would not do: an edited feature has the number of the one before.

    Args:
        also: Further packages, whose code has a say as well.
    """
    digest = hashlib.sha256()
    for package in (*PACKAGES, *also):
        root = Path(str(files(package)))
        for path in sorted(root.rglob("*.py")):
            digest.update(f"{package}/{path.relative_to(root).as_posix()}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _midnight_after_last_event(home: Home, data: DataVersion) -> datetime | None:
    """Finds the midnight after the last event, UTC; None for a log without a clock."""
    span = find_span(home, data.events)
    return None if span is None else datetime.combine(span[1].date() + timedelta(days=1), time.min, UTC)
