"""Raw rows → events, and rejected rows with the name of the rule they break; then one row per event.

| rule | a row is rejected because |
|---|---|
| `no_student`, `no_item`, `no_score` | it does not say who, on what, or how it went |
| `no_time` | it has neither a time nor a place in an order |
| `score_out_of_range` | its score is not between 0 and 1 (or between 0 and `max_score`) |
| `time_out_of_range` | it is from before 1990, or more than a day from now |
| `bad_kind` | its kind of activity is unknown |
| `too_long` | an id of it has more characters than `features.lengths` allows |
| `conflicting_response` | the same event is there with another item or score; none of them is taken |
| `reused_key` | its id is there with another moment, as row numbers are that start anew in every file; likewise |
| `unreadable_time`, `unreadable_score`, `unknown_time_zone` | something is written there, but not this |
| `wrong_number_of_cells` | its line has more or fewer cells than the header |

What is written beside an answer is no reason to lose it: an `absurd_duration` (negative, above an hour, no number), a
`bad_attempt` (below 1, no whole number) and `bad_hints` (below 0, no whole number) become null.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.dates import FIRST_DATE
from features.events.identity.ids import event_ids
from features.lengths import LONGEST_ADDRESS, LONGEST_ID
from features.logs.cells import Marks
from features.logs.rows import SKILL_MARK, first_rule, join_skills, split_skills, unite_skills
from features.schema import KINDS, Events

EARLIEST = pd.Timestamp(FIRST_DATE, tz="UTC")
"""No log of learning software is older; a clock that was never set is."""

CLOCK_SKEW = timedelta(days=1)
"""How far ahead of ours a clock may be, zones included."""

MAX_DURATION_S = 3600.0
"""Longer on one response means that the student left."""

SAME_MOMENT = timedelta(minutes=1)
"""Moments of one event that differ by less are the same, written by clocks of minutes, seconds and milliseconds."""

LONGEST = {
    "student_id": LONGEST_ID,
    "item_id": LONGEST_ADDRESS,
    "event_key": LONGEST_ADDRESS,
    "skills": LONGEST_ID,
}
"""The most characters of an id in each column, of each skill in `skills`."""

ERASED = "erased_student"
"""Rows of students who were erased are unused."""

WORDS = {
    "conflicting_response": "the same event is there with another item or score",
    "conflicting_total": "the same student, skill and moment have several figures, as where two grades have skills of "
    "one name",
    "reused_key": "their id is there with another moment; row numbers that start anew in every file are no ids, so "
    "leave event_id out of the mapping",
}
"""What a rule means that one row alone does not break."""

COLUMNS = list(Events.to_schema().columns)
"""Columns of `Checked.events`."""


@dataclass(frozen=True)
class Checked:
    """Raw rows, sorted into events and others.

    Attributes:
        events: Valid rows with `COLUMNS`; the same event may still come twice.
        rejected: The other raw rows, with the rule they break as `rejected`.
        unused: Rows that are no events, by kind.
        nulled: Cells made null in valid rows, by rule.
    """

    events: pd.DataFrame
    rejected: pd.DataFrame
    unused: Mapping[str, int]
    nulled: Mapping[str, int]


@dataclass(frozen=True)
class Distinct:
    """Valid rows, reduced to one row per event that is not known yet.

    Attributes:
        events: Events that were not known yet, one row each, with `COLUMNS` and the skills of all their rows.
        retagged: `event_id` and `skills` of known events to which a row adds a skill: what they had, and the further.
        rejected: Rows that contradict another row or a known event.
        item_skills: Pairs of item and skill from all rows that were not rejected.
        known: Rows that were there already, here or in the event log.
        merged: Rows that add a further skill to a response, also to one in the event log.
    """

    events: pd.DataFrame
    retagged: pd.DataFrame
    rejected: pd.DataFrame
    item_skills: pd.DataFrame
    known: int
    merged: int


def check_rows(raw: pd.DataFrame, source: str, now: datetime, ahead: timedelta = CLOCK_SKEW) -> Checked:
    """Sorts raw rows into events, rejected and unused ones.

    Args:
        raw: Rows in the shape of `features.logs.rows.RAW_TYPES`.
        source: The `source` of the events; part of their ids.
        now: The current moment, with a time zone.
        ahead: How far in the future an event may be, because a clock is ahead.
    """
    used = _keep(raw, raw["unused"].isna())
    kind = used["kind"].fillna("response") if used["kind"].notna().any() else _repeat("response", used)
    used = used.assign(kind=kind)
    answer = np.asarray(kind == "response")
    time, score = used["occurred_at"].dt.tz_convert(None).to_numpy(), used["score"].to_numpy()
    rules = {
        "no_student": used["student_id"].isna(),
        "too_long": _too_long(used),
        "bad_kind": ~kind.isin(KINDS),
        "no_item": answer & used["item_id"].isna(),
        "no_score": answer & np.isnan(score),
        "score_out_of_range": (score < 0) | (score > 1),
        "no_time": np.isnat(time) & used["sequence"].isna(),
        "time_out_of_range": (time < _naive(EARLIEST)) | (time > _naive(now + ahead)),
    }
    found = first_rule(len(used), {name: np.asarray(broken, dtype=bool) for name, broken in rules.items()})
    # a rule that the reader found broken comes first: the null that it left may break another
    found = found.set_axis(used.index)
    rule = used["rejected"].fillna(found) if used["rejected"].notna().any() else found
    valid = _keep(used, rule.isna())
    duration = valid["duration_s"].to_numpy()
    nulled = {
        "duration_s": ("absurd_duration", (duration < 0) | (duration > MAX_DURATION_S)),
        "attempt": ("bad_attempt", valid["attempt"].lt(1).fillna(value=False).to_numpy(dtype=bool)),
        "hints": ("bad_hints", valid["hints"].lt(0).fillna(value=False).to_numpy(dtype=bool)),
    }
    unscored = valid["score"].isna()
    columns = {name: valid[name].mask(marks) for name, (_, marks) in nulled.items() if marks.any()}
    columns |= {"correct": valid["correct"].mask(unscored)} if unscored.any() else {}
    valid = valid.assign(**columns, source=_repeat(source, valid), skills=_in_order(valid["skills"]))
    valid["event_id"] = event_ids(valid, source)
    return Checked(
        events=valid[COLUMNS].reset_index(drop=True),
        rejected=_keep(used, rule.notna()).assign(rejected=rule.dropna()),
        unused=count_rules(raw["unused"]),
        nulled={name: int(marks.sum()) for name, marks in nulled.values() if marks.any()},
    )


def _keep(rows: pd.DataFrame, marks: "pd.Series[bool]") -> pd.DataFrame:
    """The marked rows; mostly all of them, of which no copy is made."""
    return rows if marks.all() else rows[marks]


def _repeat(text: str, rows: pd.DataFrame) -> "pd.Series[str]":
    """One text for each row."""
    repeated: pd.Series[str] = pa.repeat(pa.scalar(text, pa.large_string()), len(rows)).to_pandas()
    return repeated.set_axis(rows.index)


def _naive(moment: datetime) -> np.datetime64:
    """A moment in UTC, as numpy has it."""
    return pd.Timestamp(moment).tz_convert("UTC").tz_localize(None).to_datetime64()


def _too_long(rows: pd.DataFrame) -> Marks:
    """Which rows have an id that nobody could ask for; most columns have none, which one look at the longest tells."""
    found = np.zeros(len(rows), dtype=bool)
    for name, most in LONGEST.items():
        text = pa.array(rows[name], pa.large_string())
        if (pc.max(pc.binary_length(text)).as_py() or 0) <= most:
            continue
        if name == "skills":
            codes, texts = pd.factorize(rows[name])
            longest = [max(map(len, text.split(SKILL_MARK))) > most for text in texts]
            found |= np.append(longest, False)[codes]
        else:
            found |= rows[name].str.len().gt(most).fillna(value=False).to_numpy(dtype=bool)
    return found


def count_rules(names: "pd.Series[str]") -> dict[str, int]:
    """How often each name comes; nulls are not counted.

    Example:
        >>> count_rules(pd.Series(["no_item", None, "no_item"], dtype="str"))
        {'no_item': 2}
    """
    return {str(name): int(count) for name, count in names.value_counts().items()}


def keep_distinct(rows: pd.DataFrame, known: pd.DataFrame) -> Distinct:
    """One row per event that is not known yet; the result does not depend on the order of the rows.

    Args:
        rows: Valid rows with `COLUMNS`.
        known: `event_id`, `occurred_at`, `item_id`, `score` and `skills` of events in the log.
    """
    repeated = rows["event_id"].duplicated(keep=False)
    known = known.rename(columns={"skills": "skills_stored"})
    stored = rows[["event_id"]].merge(known, on="event_id", how="left", indicator="_found")
    is_known = stored["_found"].eq("both").to_numpy()
    moment = rows["occurred_at"].reset_index(drop=True)
    reused = is_known & ((moment - stored["occurred_at"]).abs() >= SAME_MOMENT).to_numpy(dtype=bool)
    contradicts_log = is_known & (
        _differs(rows["item_id"], stored["item_id"]) | _differs(rows["score"], stored["score"])
    )
    answers = rows.loc[repeated, ["event_id", "item_id", "score"]].drop_duplicates()
    contradictory = answers.loc[answers["event_id"].duplicated(), "event_id"]
    moments = rows[repeated].groupby("event_id")["occurred_at"]
    apart = moments.max() - moments.min() >= SAME_MOMENT
    reused |= rows["event_id"].isin(apart.index[apart]).to_numpy() & ~is_known
    conflict = reused | contradicts_log | (rows["event_id"].isin(contradictory).to_numpy() & ~is_known)

    good, found = rows[~conflict], is_known[~conflict]
    retagged, without_repeat = _retag(good[found], stored.loc[~conflict, "skills_stored"][found])
    further = good[["event_id", "skills"]].drop_duplicates()
    # one text of each event is the response itself, and what only repeats the log is known
    merged = len(further) - further["event_id"].nunique() + without_repeat
    new = good[~found]
    again = new["event_id"].duplicated(keep=False)
    # which of two rows that differ in a lesser column is kept must not depend on their order
    events = pd.concat([new[~again], unite_skills(new[again].sort_values(COLUMNS, na_position="last"))])
    return Distinct(
        events=events,
        retagged=retagged,
        rejected=rows[conflict].assign(rejected=np.where(reused[conflict], "reused_key", "conflicting_response")),
        item_skills=split_skills(good[["item_id", "skills"]]),
        known=len(good) - len(events) - merged,
        merged=merged,
    )


def _in_order(skills: "pd.Series[str]") -> "pd.Series[str]":
    """The skills of each row sorted and each once; null where it names none."""
    if not (skills.str.contains(SKILL_MARK, regex=False) | skills.eq("")).any():
        return skills
    codes, texts = pd.factorize(skills)
    sorted_texts = pd.array([*(join_skills([text]) for text in texts), None], dtype="str")
    return pd.Series(sorted_texts.take(codes), skills.index)


def _retag(rows: pd.DataFrame, stored: "pd.Series[str]") -> tuple[pd.DataFrame, int]:
    """Known events to which rows add skills, with all their skills, and how many of them have no other row.

    Args:
        rows: Rows of known events.
        stored: Which skills the known event of each row has.
    """
    if rows.empty:
        return rows[["event_id", "skills"]], 0
    differs = (rows["skills"].notna() & rows["skills"].ne(stored.set_axis(rows.index))).to_numpy()
    pairs = pd.DataFrame({"skills": rows["skills"].to_numpy(), "stored": stored.to_numpy()})[differs]  # few differ
    distinct = pairs.drop_duplicates()
    distinct["united"] = [join_skills(pair) for pair in distinct.itertuples(index=False)]
    united = pairs.merge(distinct, how="left").set_axis(rows.index[differs])
    further = united.loc[united["united"] != united["stored"], "united"]
    tags = pd.DataFrame({"event_id": rows.loc[further.index, "event_id"], "skills": further})
    alone = ~tags["event_id"].isin(rows["event_id"].drop(further.index))
    return unite_skills(tags), tags.loc[alone, "event_id"].nunique()


def _differs(left: "pd.Series[Any]", right: "pd.Series[Any]") -> npt.NDArray[np.bool_]:
    here, there = left.reset_index(drop=True), right.reset_index(drop=True)
    same = here.eq(there).fillna(value=False) | (here.isna() & there.isna())
    return ~same.to_numpy(dtype=bool)
