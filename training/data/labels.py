"""What became of each forecast: the mastery rule met within the next opportunities, not met, or not known yet.

A forecast of struggle is due at every first attempt on a skill whose mastery rule is not met by the run of correct
answers that is going on. Its outcome is read from the `horizon` opportunities from there on: *mastered* when a run
reaches `streak` among them, *struggling* when all of them passed without that, and *undecided* when practice ended
before either. Undecided is evidence of neither: practice that is short by design ends before anybody can be seen to
struggle, so `training.data.targets` fills those outcomes in.

Source: Beck and Gong (2013), "Wheel-spinning: students who fail to master a skill", asked anew at every opportunity;
the numbers are settings, since a product's own mastery rule decides what teachers see.
"""

from dataclasses import dataclass

import numba as nb
import numpy as np
import numpy.typing as npt
import pandas as pd

from features.profiles.kernel import NO_TIME
from features.profiles.timeline import Timeline
from features.profiles.vocabulary import Vocabulary, build_vocabulary
from training.config import MasteryRule

UNDECIDED, MASTERED, STRUGGLING = -1, 0, 1

DAY = 86_400_000_000
"""Microseconds."""


@dataclass(frozen=True)
class Outcomes:
    """What was seen before and after each event of a timeline, on the skill of its item; one entry per event.

    Attributes:
        opportunity: First attempts on the skill before this one; -1 for events that are no opportunity.
        right: How many of those were correct.
        run: Correct answers in a row just before this one, or minus the number of wrong ones in a row.
        open: Whether a forecast is due.
        outcome: `MASTERED`, `STRUGGLING` or `UNDECIDED`.
        next: The student's next opportunity on the skill, as a position in the timeline; -1 after the last one.
        last: Where an outcome is undecided, the last opportunity that was seen; -1 elsewhere.
        left: Where an outcome is undecided, how many opportunities of the horizon were not seen; 0 elsewhere.
        run_at_end: Where an outcome is undecided, the run of correct answers after `last`; 0 elsewhere.
    """

    opportunity: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    run: npt.NDArray[np.int32]
    open: npt.NDArray[np.bool_]
    outcome: npt.NDArray[np.int8]
    next: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]
    left: npt.NDArray[np.int32]
    run_at_end: npt.NDArray[np.int32]


def label_outcomes(
    timeline: Timeline,
    vocabulary: Vocabulary,
    rule: MasteryRule,
    seen: npt.NDArray[np.bool_] | None = None,
    *,
    from_start: bool = False,
) -> Outcomes:
    """Labels every event with what became of the forecast that was due at it.

    An answer that needs several skills is an opportunity on the combination and on each member; the event is
    labeled with the combination's.

    Args:
        timeline: Events by student and time.
        vocabulary: Whose codes the timeline has.
        rule: What counts as mastered, how far a forecast looks ahead, and when a run has lapsed.
        seen: Events that an outcome may be read from, all by default; a training block passes those before its end.
        from_start: Ask whether the rule is met within the first `horizon` opportunities on the skill, instead of the
            next ones; a forecast is then due until the rule was met once or the limit is reached.
    """
    size = len(timeline.row)
    lapse = np.iinfo(np.int64).max if from_start else int(rule.lapse_days * DAY)
    (opportunity, right, run, is_open), visits = _walk(
        timeline.start, timeline.time, timeline.item, timeline.node, timeline.correct,
        np.ones(size, np.bool_) if seen is None else seen, vocabulary.member_start, vocabulary.members,
        rule.streak, rule.horizon, lapse, from_start,
    )  # fmt: skip
    ahead = np.full(size, rule.horizon, np.int32)
    if from_start:
        ahead -= opportunity
    own, following, event, run_after = visits
    seen_ahead = _look_ahead(own, following, event, run_after, ahead, rule.streak)
    return Outcomes(opportunity, right, run, is_open, *seen_ahead)


def compile_labels() -> None:
    """Compiles the labels, or reads them from numba's cache."""
    vocabulary = build_vocabulary(pd.DataFrame({"item_id": ["i"], "skill_id": ["k"]}))
    counts, answers, nothing = np.array([0, 1]), np.zeros(1, np.int8), np.full(1, np.nan)
    one = np.zeros(1, np.int64)
    code = np.zeros(1, np.int32)
    timeline = Timeline(pd.Index(["s"]), counts, one, one, code, code, answers, nothing, nothing)
    label_outcomes(timeline, vocabulary, MasteryRule(streak=3, horizon=10, lapse_days=60))


@nb.njit(cache=True)
def _walk(  # type: ignore[no-untyped-def]  # noqa: ANN202, C901, PLR0912, PLR0915 - numba infers types; one loop
    start, time, item, event_node, correct, seen, member_start, members,  # noqa: ANN001
    streak, horizon, lapse, from_start,  # noqa: ANN001
):  # fmt: skip
    """What was seen before each event; and every answer as each skill of it sees it, a visit, in a chain per skill."""
    size, nodes = len(item), len(member_start) - 1
    opportunity = np.full(size, -1, np.int32)
    right = np.zeros(size, np.int32)
    run = np.zeros(size, np.int32)
    is_open = np.zeros(size, np.bool_)
    most = 0
    for event in range(size):
        if correct[event] >= 0 and item[event] >= 0:
            node = event_node[event]
            most += 1 + member_start[node + 1] - member_start[node]
    visit_next = np.full(most, -1, np.int64)
    visit_event = np.empty(most, np.int64)
    visit_run = np.empty(most, np.int32)
    own_visit = np.full(size, -1, np.int64)
    visits = 0
    owner = np.full(nodes, -1, np.int64)
    latest = np.full(nodes, -1, np.int64)
    count = np.zeros(nodes, np.int32)
    correct_count = np.zeros(nodes, np.int32)
    run_now = np.zeros(nodes, np.int32)
    met = np.zeros(nodes, np.bool_)
    for student in range(len(start) - 1):
        for event in range(start[student], start[student + 1]):
            if correct[event] < 0 or item[event] < 0:
                continue
            node = event_node[event]
            first, stop = member_start[node], member_start[node + 1]
            own = 1 if stop - first > 1 else 0  # a combination counts besides its members
            for position in range(first - own, stop):
                skill = node if position < first else members[position]
                if owner[skill] != student:
                    owner[skill] = student
                    latest[skill] = -1
                    count[skill] = 0
                    correct_count[skill] = 0
                    run_now[skill] = 0
                    met[skill] = False
                before = latest[skill]
                then = time[visit_event[before]] if before >= 0 else NO_TIME
                if time[event] != NO_TIME and then != NO_TIME and time[event] - then > lapse:
                    run_now[skill] = min(run_now[skill], 0)
                if skill == node:
                    opportunity[event] = count[skill]
                    right[event] = correct_count[skill]
                    run[event] = run_now[skill]
                    if from_start:
                        is_open[event] = not met[skill] and count[skill] < horizon
                    else:
                        is_open[event] = run_now[skill] < streak
                if not seen[event]:
                    continue
                if correct[event] == 1:
                    run_now[skill] = max(run_now[skill], 0) + 1
                else:
                    run_now[skill] = min(run_now[skill], 0) - 1
                count[skill] += 1
                correct_count[skill] += correct[event]
                met[skill] = met[skill] or run_now[skill] >= streak
                if before >= 0:
                    visit_next[before] = visits
                latest[skill] = visits
                visit_event[visits] = event
                visit_run[visits] = run_now[skill]
                if skill == node:
                    own_visit[event] = visits
                visits += 1
    return (opportunity, right, run, is_open), (own_visit, visit_next, visit_event, visit_run)


@nb.njit(cache=True)
def _look_ahead(own_visit, visit_next, visit_event, visit_run, ahead, streak):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """What became of each event's forecast within as many opportunities, its own the first."""
    size = len(own_visit)
    outcome = np.full(size, UNDECIDED, np.int8)
    following = np.full(size, -1, np.int64)
    last = np.full(size, -1, np.int64)
    left = np.zeros(size, np.int32)
    run_at_end = np.zeros(size, np.int32)
    for event in range(size):
        visit, steps = own_visit[event], ahead[event]
        if visit >= 0 and visit_next[visit] >= 0:
            following[event] = visit_event[visit_next[visit]]
        while visit >= 0 and steps > 0:
            steps -= 1
            if visit_run[visit] >= streak:
                outcome[event] = MASTERED
                break
            if steps == 0:
                outcome[event] = STRUGGLING
            elif visit_next[visit] < 0:
                last[event] = visit_event[visit]
                left[event] = steps
                run_at_end[event] = max(visit_run[visit], 0)
            visit = visit_next[visit]
    return outcome, following, last, left, run_at_end
