"""The tables that the plain pandas version of the history columns starts from."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.profiles.difficulty import Statistics
from features.profiles.timeline import Timeline


@dataclass(frozen=True)
class Difficulty:
    """How hard everything is, as tables.

    Attributes:
        items: One row per item, by code: `node`, `mean` (share correct), `ease` (its logit) and `easiness` (Rasch's).
        nodes: One row per skill or combination, by code: `mean`, `ease`, and whether it is `known` from training.
        members: One row per combination and skill in it: `node`, `member`.
        transitions: One row per seen transition: `node`, `before` (node of the run before, -1: none), `starts` (of a
            run), `transition_ease`.
        places: One row per node and place in a run: `node`, `starts`, `place_ease`.
        overall: Share correct in the whole log.
    """

    items: pd.DataFrame
    nodes: pd.DataFrame
    members: pd.DataFrame
    transitions: pd.DataFrame
    places: pd.DataFrame
    overall: float

    @classmethod
    def of(cls, statistics: Statistics) -> Self:
        """The fitted statistics as tables."""
        catalog = statistics.catalog
        items = pd.DataFrame({"node": catalog.node_of_item, "mean": statistics.item_mean})
        items["easiness"] = statistics.item_easiness
        nodes = pd.DataFrame({"mean": statistics.node_mean, "known": statistics.node_responses > 0})
        for table in (items, nodes):
            table["ease"] = np.log(table["mean"] / (1 - table["mean"]))
        sizes = np.diff(catalog.member_start)
        members = pd.DataFrame({"node": np.repeat(np.arange(len(sizes)), sizes), "member": catalog.members})
        key = statistics.transitions.key
        transitions = pd.DataFrame({"node": key // 2**32, "before": key % 2**32 // 2 - 1, "starts": key % 2 == 1})
        transitions["transition_ease"] = _logit(statistics.transition_mean)
        places = pd.DataFrame({"node": np.repeat(nodes.index, 2), "starts": [False, True] * len(nodes)})
        places["place_ease"] = _logit(statistics.place_mean.ravel())
        combined = members[np.repeat(sizes > 1, sizes)]
        return cls(items, nodes, combined, transitions, places, statistics.global_mean)


def _logit(share: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.log(share / (1 - share))


def events_table(timeline: Timeline) -> pd.DataFrame:
    """One row per event in the timeline's order.

    Returns:
        `student` (code), `time` (UTC without a zone, null without a clock), `item` (code, -1 for activities),
        `correct` (1 or 0, null for what is no first attempt), `hints` and `duration_s` (null where not observed).
    """
    return pd.DataFrame(
        {
            "student": timeline.student,
            "time": timeline.time.view("datetime64[us]"),
            "item": timeline.item,
            "correct": pd.Series(timeline.correct, dtype="float64").where(timeline.correct >= 0),
            "hints": timeline.hints,
            "duration_s": timeline.duration,
        }
    )
