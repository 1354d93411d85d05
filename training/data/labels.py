"""What became of each episode: mastered, struggling, or not known yet.

An episode is one student on one skill. It is *mastered* when `streak` first attempts in a row were correct within the
first `limit` opportunities, *struggling* when `limit` opportunities passed without that, and *indeterminate* when
practice ended before either; an indeterminate episode is evidence of neither.

Source: Beck and Gong (2013), "Wheel-spinning: students who fail to master a skill"; both numbers are settings, since
a product's own mastery rule decides what teachers see.
"""

from dataclasses import dataclass

import numba as nb
import numpy as np
import numpy.typing as npt
import pandas as pd

from features.profiles.timeline import Timeline
from features.profiles.vocabulary import Vocabulary, build_vocabulary
from training.config import MasteryRule

INDETERMINATE, MASTERED, STRUGGLING = -1, 0, 1


@dataclass(frozen=True)
class Episodes:
    """The state and the outcome of the episode that each event of a timeline belongs to.

    Attributes:
        opportunity: First attempts on the skill before this one; -1 for events that are no opportunity.
        open: Whether a forecast is due: the limit is not reached and the skill not mastered.
        outcome: `MASTERED`, `STRUGGLING` or `INDETERMINATE`.
    """

    opportunity: npt.NDArray[np.int32]
    open: npt.NDArray[np.bool_]
    outcome: npt.NDArray[np.int8]


def label_episodes(
    timeline: Timeline, vocabulary: Vocabulary, rule: MasteryRule, seen: npt.NDArray[np.bool_] | None = None
) -> Episodes:
    """Labels every event with its episode's outcome.

    An answer that needs several skills is an opportunity on the combination and on each member; the event is
    labeled with the combination's episode.

    Args:
        timeline: Events by student and time.
        vocabulary: Whose codes the timeline has.
        rule: What counts as mastered and as struggling.
        seen: Events that an outcome may be read from, all by default; a training block passes those before its end.
    """
    size = len(timeline.row)
    opportunity, outcome = np.full(size, -1, np.int32), np.full(size, INDETERMINATE, np.int8)
    is_open = np.zeros(size, bool)
    _label(
        timeline.start, timeline.item, timeline.correct, np.ones(size, bool) if seen is None else seen,
        timeline.node, vocabulary.member_start, vocabulary.members, rule.streak, rule.horizon,
        opportunity, is_open, outcome,
    )  # fmt: skip
    has_skill = timeline.item >= 0
    has_skill[has_skill] = np.diff(vocabulary.member_start)[timeline.node[has_skill]] > 0
    return Episodes(np.where(has_skill, opportunity, -1).astype(np.int32), is_open & has_skill, outcome)


def compile_labels() -> None:
    """Compiles the labels, or reads them from numba's cache."""
    vocabulary = build_vocabulary(pd.DataFrame({"item_id": ["i"], "skill_id": ["k"]}))
    counts, answers, nothing = np.array([0, 1]), np.zeros(1, np.int8), np.full(1, np.nan)
    one = np.zeros(1, np.int64)
    code = np.zeros(1, np.int32)
    timeline = Timeline(pd.Index(["s"]), counts, one, one, code, code, answers, nothing, nothing)
    label_episodes(timeline, vocabulary, MasteryRule(streak=3, horizon=10))


@nb.njit(cache=True)
def _label(  # type: ignore[no-untyped-def]  # noqa: ANN202, C901 - numba infers types; one loop
    start, item, correct, seen, event_node, member_start, members,  # noqa: ANN001
    streak_needed, limit, opportunity, is_open, outcome,  # noqa: ANN001
):  # fmt: skip
    nodes = len(member_start) - 1
    owner = np.full(nodes, -1, np.int64)
    count = np.zeros(nodes, np.int64)
    streak = np.zeros(nodes, np.int64)
    mastered_at = np.zeros(nodes, np.int64)
    for student in range(len(start) - 1):
        for event in range(start[student], start[student + 1]):
            if correct[event] < 0 or item[event] < 0:
                continue
            node = event_node[event]
            first, last = member_start[node], member_start[node + 1]
            own = 1 if last - first > 1 else 0  # a combination counts besides its members
            for position in range(first - own, last):
                skill = node if position < first else members[position]
                if owner[skill] != student:
                    owner[skill] = student
                    count[skill] = 0
                    streak[skill] = 0
                    mastered_at[skill] = 0
                if skill == node:
                    opportunity[event] = count[skill]
                    is_open[event] = count[skill] < limit and mastered_at[skill] == 0
                if seen[event]:
                    count[skill] += 1
                    streak[skill] = streak[skill] + 1 if correct[event] == 1 else 0
                    if streak[skill] >= streak_needed and mastered_at[skill] == 0:
                        mastered_at[skill] = count[skill]
        for event in range(start[student], start[student + 1]):
            if opportunity[event] < 0:
                continue
            node = event_node[event]
            if mastered_at[node] > 0 and mastered_at[node] <= limit:
                outcome[event] = 0
            elif count[node] >= limit:
                outcome[event] = 1
