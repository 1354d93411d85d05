"""Steps of the pandas columns: tables of the log, recursions that need a loop, and windows over earlier rows."""

import math
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.typing import NaTType

from features.profiles.difficulty import PAIR_PRIOR, Statistics
from features.profiles.kernel import HALF_LIFE, SKILL_STEP, SKILL_STEP_DECAY, STEP, STEP_DECAY
from features.profiles.rasch import ABILITY_VARIANCE
from features.profiles.timeline import Timeline


def fade_work(events: pd.DataFrame) -> pd.DataFrame:
    """Returns responses and minutes at work after each event, both fading by half in `HALF_LIFE` days.

    Args:
        events: By student and time: `student`, `pause` (days since the event before, 0 or null for none),
            `answered` (whether it is a first attempt), `duration_s`.

    Returns:
        `recent_responses`, `active_minutes` (null before the first known duration).
    """
    faded = np.empty((len(events), 2))
    kept = np.exp2(-events["pause"].fillna(0.0).to_numpy() / HALF_LIFE)
    answered = events["answered"].to_numpy(dtype=np.float64)
    minutes = events["duration_s"].to_numpy() / 60
    for rows in events.groupby("student", sort=False).indices.values():
        responses, active, values = 0.0, math.nan, []
        for keep, one, spent in zip(kept[rows].tolist(), answered[rows].tolist(), minutes[rows].tolist(), strict=True):
            responses = responses * keep + one
            active *= keep
            if not math.isnan(spent):
                active = spent + (0.0 if math.isnan(active) else active)
            values.append((responses, active))
        faded[rows] = values
    return pd.DataFrame(faded, columns=["recent_responses", "active_minutes"], index=events.index)


def find_surprises(answers: pd.DataFrame, touched: dict[int, list[int]]) -> "pd.Series[float]":
    """Returns how far each answer is from what the abilities of the moment made likely, -1 to 1.

    Abilities move with every answer, one overall and one per node, so the next surprise needs the last (Elo 1978).

    Args:
        answers: By student and time: `student`, `node`, `ease` (of the item), `correct`.
        touched: The members of each combination, whose abilities move with it.
    """
    surprises = np.empty(len(answers))
    columns = [answers[name].to_numpy() for name in ("node", "ease", "correct")]
    for rows in answers.groupby("student", sort=False).indices.values():
        overall, values = 0.0, []
        on_node: dict[int, float] = {}
        seen: dict[int, int] = {}
        for count, (node, ease, correct) in enumerate(zip(*(column[rows].tolist() for column in columns), strict=True)):
            surprise = correct - 1 / (1 + math.exp(-(overall + on_node.get(node, 0.0) + ease)))
            overall += STEP / (1 + STEP_DECAY * count) * surprise
            for touched_node in (node, *touched.get(node, ())):
                times = seen.get(touched_node, 0)
                on_node[touched_node] = (
                    on_node.get(touched_node, 0.0) + SKILL_STEP / (1 + SKILL_STEP_DECAY * times) * surprise
                )
                seen[touched_node] = times + 1
            values.append(surprise)
        surprises[rows] = values
    return pd.Series(surprises, index=answers.index)


def find_abilities(answers: pd.DataFrame) -> "pd.Series[float]":
    """Returns the student's ability after each answer, in logits: the mode that one Newton step per answer follows.

    Args:
        answers: By student and time: `student`, `rasch_logit` (of the item), `correct`.
    """
    abilities = np.empty(len(answers))
    columns = [answers[name].to_numpy() for name in ("rasch_logit", "correct")]
    for rows in answers.groupby("student", sort=False).indices.values():
        ability, precision, values = 0.0, 1 / ABILITY_VARIANCE, []
        for rasch_logit, correct in zip(*(column[rows].tolist() for column in columns), strict=True):
            expected = 1 / (1 + math.exp(-(ability + rasch_logit)))
            precision += expected * (1 - expected)
            ability += (correct - expected) / precision
            values.append(ability)
        abilities[rows] = values
    return pd.Series(abilities, index=answers.index)


@dataclass(frozen=True)
class Difficulty:
    """How hard everything is, as tables.

    Attributes:
        items: One row per item, by code: `mean` (share correct), `ease` (its logit), `rasch_logit`,
            `known` (responses that these rest on).
        nodes: One row per skill or combination, by code: `mean`, `ease`, and whether it is `known` from training.
        members: One row per combination and skill in it: `node`, `member`.
        transitions: One row per seen transition: `node`, `before` (node of the run before, -1: none), `starts` (of a
            run), `transition_ease`.
        places: One row per node and place in a run: `node`, `starts`, `place_ease`.
        pairs: One row per known item pair: `item`, `before` (the item before, -1: none), whether that was `right`,
            `item_pair_residual`, `item_pair_responses`.
        overall: Share correct in the whole log.
    """

    items: pd.DataFrame
    nodes: pd.DataFrame
    members: pd.DataFrame
    transitions: pd.DataFrame
    places: pd.DataFrame
    pairs: pd.DataFrame
    overall: float

    @classmethod
    def of(cls, statistics: Statistics) -> Self:
        """Returns the fitted statistics as tables."""
        vocabulary = statistics.vocabulary
        items = pd.DataFrame({"mean": statistics.item_mean})
        items["rasch_logit"], items["known"] = statistics.rasch_item_logit, statistics.item_responses
        nodes = pd.DataFrame({"mean": statistics.node_mean, "known": statistics.node_responses > 0})
        for table in (items, nodes):
            table["ease"] = np.log(table["mean"] / (1 - table["mean"]))
        sizes = np.diff(vocabulary.member_start)
        members = pd.DataFrame({"node": np.repeat(np.arange(len(sizes)), sizes), "member": vocabulary.members})
        key = statistics.transitions.key
        transitions = pd.DataFrame({"node": key // 2**32, "before": key % 2**32 // 2 - 1, "starts": key % 2 == 1})
        transitions["transition_ease"] = _logit(statistics.transition_mean)
        places = pd.DataFrame({"node": np.repeat(nodes.index, 2), "starts": [False, True] * len(nodes)})
        places["place_ease"] = _logit(statistics.place_mean.ravel())
        key, responses = statistics.pairs.key, statistics.pairs.responses
        pairs = pd.DataFrame({"item": key // 2**32, "before": key % 2**32 // 2 - 1, "right": key % 2 == 1})
        pairs["item_pair_residual"] = statistics.pairs.residual / (responses + PAIR_PRIOR)
        pairs["item_pair_responses"] = responses
        combined = members[np.repeat(sizes > 1, sizes)]
        return cls(items, nodes, combined, transitions, places, pairs, statistics.global_mean)


def _logit(share: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.log(share / (1 - share))


def events_table(timeline: Timeline) -> pd.DataFrame:
    """Returns one row per event in the timeline's order.

    Returns:
        `student` (code), `time` (UTC without a zone, null without a clock), `item` and `node` (codes, -1 for
        activities), `correct` (1 or 0, null for what is no first attempt), `hints` and `duration_s` (null where not
        observed).
    """
    return pd.DataFrame(
        {
            "student": timeline.student,
            "time": timeline.time.view("datetime64[us]"),
            "item": timeline.item,
            "node": timeline.node,
            "correct": pd.Series(timeline.correct, dtype="float64").where(timeline.correct >= 0),
            "hints": timeline.hints,
            "duration_s": timeline.duration,
        }
    )


Fresh: TypeAlias = "pd.Series[Any] | float | NaTType"


def mark_moments(rows: pd.DataFrame, key: str) -> pd.DataFrame:
    """Adds `opened`: for each row, the position of the first row of its key at its moment.

    Args:
        rows: Sorted by `key` and then by time, numbered from 0, with a column `moment`.
        key: The column whose values have histories of their own.
    """
    again = (rows[key] == rows[key].shift()) & (rows["moment"] == rows["moment"].shift())
    opened = pd.Series(np.arange(len(rows)), index=rows.index).mask(again).ffill().astype("int64")
    return rows.assign(key=rows[key], opened=opened)


def before_moment(after: "pd.Series[Any]", rows: pd.DataFrame, fresh: Fresh = np.nan) -> "pd.Series[Any]":
    """Returns what held before each row's moment, so that answers given together do not see each other.

    Args:
        after: What holds after each row.
        rows: From `mark_moments`.
        fresh: What holds before the first row of a key.

    Example:
        >>> rows = mark_moments(pd.DataFrame({"student": [7, 7, 7], "moment": [0, 1, 1]}), "student")
        >>> before_moment(pd.Series([10, 20, 30]), rows, 0).tolist()
        [0.0, 10.0, 10.0]
    """
    earlier = after.groupby(rows["key"], sort=False).shift()
    earlier = earlier.where(rows["key"] == rows["key"].shift(), fresh)
    return earlier.take(rows["opened"].to_numpy()).set_axis(rows.index)


def days_between(earlier: "pd.Series[Any]", now: "pd.Series[Any]") -> "pd.Series[Any]":
    """Days in whole hours; null where either time is."""
    return (now - earlier).dt.total_seconds() // 3600 / 24


def run_length(values: "pd.Series[Any]", keys: "pd.Series[Any]") -> "pd.Series[Any]":
    """Returns how many rows in a row, with this one, have the same value within a key."""
    run = ((values != values.shift()) | (keys != keys.shift())).cumsum()
    return values.groupby(run).cumcount() + 1


def last_share(rows: pd.DataFrame, window: int) -> "pd.Series[Any]":
    """Returns the share correct of a key's last answers."""
    return rows.groupby("key")["correct"].rolling(window, min_periods=1).mean().droplevel(0)


def average_from(rows: pd.DataFrame, name: str, rate: float, start: "pd.Series[Any] | float") -> "pd.Series[Any]":
    """Returns an exponential average that stands at `start` before a key's first value, which pandas would start at."""
    by_key = rows.groupby("key")[name]
    mean = by_key.ewm(alpha=rate, adjust=False).mean().droplevel(0)
    return mean + (1 - rate) ** (by_key.cumcount() + 1) * (start - by_key.transform("first"))


def average_known(rows: pd.DataFrame, name: str, rate: float) -> "pd.Series[Any]":
    """Returns an exponential average that starts at a key's first known value and passes over nulls."""
    return rows.groupby("key")[name].ewm(alpha=rate, adjust=False, ignore_na=True).mean().droplevel(0)
