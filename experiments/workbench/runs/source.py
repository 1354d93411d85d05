"""The events that an experiment reads."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from experiments.benchmarks.forecasts.data.datasets import read_data_set
from experiments.workbench.runs.experiment import Data
from experiments.workbench.runs.numbers import Numbers, number_ids, read_salt
from features.errors import InputError
from features.events.log.store import data_version, read_events, read_item_skills
from features.home import Home, read_home
from features.profiles.difficulty import fit_statistics
from features.profiles.fold import build_profiles
from features.profiles.timeline import count_responses, fit_responses, sort_events
from features.profiles.vocabulary import build_vocabulary

CONTENT = ["event_id", "student_id", "occurred_at", "sequence", "item_id", "correct", "attempt", "skills"]
"""What the digest of a log is of."""


@dataclass(frozen=True)
class Source:
    """A log as an experiment reads it.

    Attributes:
        events: Rows of `Events`.
        item_skills: Rows of `ItemSkills`.
        said: Where they are from, for people: a name and versions.
        digest: A short hash of what the log says, whatever the order of its rows.
        salt: What ids are hashed with: a secret of the home, or for a public log a word that gives the same folds
            everywhere.
        kept: The home whose roster knows the students; null for a public log.
    """

    events: pd.DataFrame
    item_skills: pd.DataFrame
    said: str
    digest: str
    salt: bytes
    kept: Home | None

    def number(self, ids: Iterable[str], purpose: str) -> Numbers:
        """Returns the number of each id; see `number_ids`."""
        return number_ids(self.salt, ids, purpose)

    def before(self, moment: datetime | None) -> pd.DataFrame:
        """The events before a moment, and those without a time.

        Raises:
            InputError: There are none.
        """
        if moment is None:
            return self.events
        times = self.events["occurred_at"]
        events = self.events[times.isna() | (times < pd.Timestamp(moment))].reset_index(drop=True)
        if events.empty:
            raise InputError(f"as_of {moment:%Y-%m-%d %H:%M} UTC lies before the first event of {self.said}")
        return events


def read_source(data: Data, salt: str) -> Source:
    """Reads the events that an experiment names.

    Args:
        data: Which ones.
        salt: Name of the salt.

    Raises:
        InputError: A public log is not in the folder that `REGROUP_DATA` names.
        MissingError: Nothing was ingested.
    """
    if data.log is None:
        home = read_home()
        version = data_version(home)
        events = read_events(home, version=version.events)
        tags, said = read_item_skills(home, version.item_skills), f"own events {version.events}.{version.item_skills}"
        source = Source(events, tags, said, "", read_salt(home, salt), home)
    else:
        log = read_data_set(data.log)
        source = Source(log.events, log.item_skills, data.log, "", salt.encode(), None)
    if data.students is not None:
        source = _draw(source, data.students)
    return Source(**{**vars(source), "digest": _digest(source.events, source.item_skills)})


def load_events(log: str | None = None, as_of: datetime | None = None) -> pd.DataFrame:
    """Returns a log's events, one row per response or activity, with the columns of `features.schema.Events`.

    Times are UTC; null means not observed. The rows have the ids of students: keep them on this machine.

    Args:
        log: A public log of `REGROUP_DATA`; without it, the event store of `REGROUP_HOME`.
        as_of: A moment in UTC; events at or after it are left out.

    Raises:
        InputError: A public log is not known or not there, or no event lies before the moment.
        MissingError: Nothing was ingested.
    """
    return read_source(_data(log), "experiments").before(_utc(as_of))


def load_profiles(log: str | None = None, as_of: datetime | None = None) -> pd.DataFrame:
    """Returns skill profiles as of a moment: one row per student and practiced skill.

    Items and skills are as hard as all answers before the moment say. Columns and nulls are those of
    `features.profiles.columns.SKILL_PROFILES`; times are UTC.

    Args:
        log: As in `load_events`.
        as_of: A moment in UTC; without it, the end of the log.

    Raises:
        InputError: As in `load_events`.
        MissingError: Nothing was ingested.
    """
    source, as_of = read_source(_data(log), "experiments"), _utc(as_of)
    events = source.before(as_of)
    vocabulary = build_vocabulary(source.item_skills, events["item_id"].dropna().unique(), responses=events)
    timeline = sort_events(events, fit_statistics(vocabulary, np.empty(0, np.int32), np.empty(0, bool)))
    answered = (timeline.correct >= 0) & (timeline.item >= 0)
    statistics = fit_responses(timeline, count_responses(timeline, vocabulary, answered), answered)
    if as_of is None and events["occurred_at"].notna().any():
        as_of = (events["occurred_at"].max() + pd.Timedelta(microseconds=1)).to_pydatetime()
    return build_profiles(events, statistics, as_of)[0]


def _data(log: str | None) -> Data:
    try:
        return Data(log=log)
    except ValueError as error:
        raise InputError(str(error).split("Value error, ")[-1].split(" [type=")[0]) from None


def _utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _draw(source: Source, students: int) -> Source:
    """The students with the lowest numbers, which are the same in every experiment with this salt."""
    ids = pd.Index(source.events["student_id"].unique())
    if len(ids) < students:
        raise InputError(f"data.students is {students}, and {source.said} has {len(ids)}; name fewer, or none for all")
    drawn = ids[np.argsort(source.number(ids, "drawn"), kind="stable")[:students]]
    events = source.events[source.events["student_id"].isin(drawn)].reset_index(drop=True)
    return Source(**{**vars(source), "events": events, "said": f"{source.said}, {students:,} students drawn"})


def _digest(events: pd.DataFrame, item_skills: pd.DataFrame) -> str:
    """The sum of the hashes of all rows, so that it is the same in any order."""
    total = 0
    for table in (events[CONTENT], item_skills[["item_id", "skill_id"]]):
        hashed = pd.util.hash_pandas_object(table, index=False).to_numpy()
        total = (total * 31 + int(hashed.sum(dtype=np.uint64)) + len(table)) % 2**64
    return f"{total:016x}"
