"""The columns of `features.profiles.kernel` once more, in plain pandas: what they are checked and timed against.

Nothing of the kernel is used but its constants. Everything is a groupby over the whole table, with a loop per
student only where the next value needs the last (`pandas_steps`).
"""

from typing import Any

import numpy as np
import pandas as pd

from experiments.benchmarks.kernel.pandas_steps import (
    Difficulty,
    Fresh,
    average_from,
    average_known,
    before_moment,
    days_between,
    fade_work,
    find_abilities,
    find_surprises,
    last_share,
    mark_moments,
    run_length,
)
from features.profiles.kernel import COLUMNS, HALF_LIFE, PRIOR, SKILL_STEP, SKILL_STEP_DECAY, STEP, STEP_DECAY


def build_columns(events: pd.DataFrame, difficulty: Difficulty) -> pd.DataFrame:
    """Returns the columns of every event from what came before its moment.

    Args:
        events: Table of `pandas_steps.events_table`.
        difficulty: What the columns compare with.

    Returns:
        One row per event with the columns of `features.profiles.kernel.COLUMNS`, all null for events that are no first
        attempt.
    """
    events = _add_clock(events)
    answers = _select_answers(events, difficulty)
    touches = _touch_skills(answers, difficulty)
    parts = [
        _activity_columns(events, answers),
        _student_columns(answers, difficulty),
        _stint_columns(answers, difficulty),
        _skill_columns(touches, answers),
        _item_columns(answers),
        _pair_columns(answers, difficulty),
    ]
    columns = pd.concat(parts, axis=1)
    columns["item_ease"] = answers["ease"]
    columns["skill_ease"] = answers["node"].map(difficulty.nodes["ease"])
    columns["skill"] = answers["node"].where(answers["node"].map(difficulty.nodes["known"]))
    for name in ("skill_ability", "weakest_ability"):
        columns[name] += columns["student_ability"]
    logit = columns["skill_ability"] + columns["item_ease"]
    columns["expected_correct"] = 1 / (1 + np.exp(-logit))
    columns["rasch_item_logit"] = answers["rasch_logit"]
    columns["item_known_responses"] = answers["known"]
    rasch = before_moment(find_abilities(answers), answers, 0.0) + answers["rasch_logit"]
    columns["rasch_expected"] = 1 / (1 + np.exp(-rasch))
    columns = columns.set_axis(answers["event"])[list(COLUMNS)]
    return columns.astype("float32").reindex(events.index)


def _add_clock(events: pd.DataFrame) -> pd.DataFrame:
    """Adds `moment`, `last_time`, `pause` (days) and `session` (a number per student, null without a clock)."""
    student, time = events["student"], events["time"]
    events = events.assign(
        event=events.index,
        answered=events["correct"].notna() & (events["item"] >= 0),
        moment=(~((student == student.shift()) & (time == time.shift()))).cumsum(),
    )
    events = mark_moments(events, "student")
    last = before_moment(time.groupby(student).ffill(), events, pd.NaT)
    since = days_between(last, time)
    pause = since.where(events["opened"] == events["event"], 0.0)  # a moment is entered once
    session = (pause > 0).groupby(student).cumsum().where(time.notna())
    return events.assign(since=since, pause=pause, session=session)


def _select_answers(events: pd.DataFrame, difficulty: Difficulty) -> pd.DataFrame:
    """Returns first attempts with their item's ease and mean, and the surprise of each."""
    answers = events[events["answered"]].reset_index(drop=True)
    answers = answers.join(difficulty.items, on="item")
    touched: dict[int, list[int]] = {}
    for node, member in difficulty.members[["node", "member"]].itertuples(index=False):
        touched.setdefault(node, []).append(member)
    answers = answers.assign(
        index=answers.groupby("student").cumcount(),
        hinted=answers["hints"].clip(upper=1),
        residual=answers["correct"] - answers["mean"],
        surprise=find_surprises(answers, touched),
    )
    return mark_moments(answers, "student")


def _activity_columns(events: pd.DataFrame, answers: pd.DataFrame) -> pd.DataFrame:
    """Returns what was done lately, by the clock; null for answers without a time."""
    work = fade_work(events)
    fade = np.exp2(-events["since"].fillna(0.0) / HALF_LIFE)
    timed = events["time"].notna()
    by_event = pd.DataFrame(
        {
            "days_since_last_response": events["since"],
            "recent_responses_7d": (before_moment(work["recent_responses"], events, 0.0) * fade).where(timed),
            "active_minutes_7d": (before_moment(work["active_minutes"], events) * fade).where(timed),
        }
    )
    columns = by_event.take(answers["event"].to_numpy()).set_axis(answers.index)
    in_session = answers.groupby(["student", "session"]).cumcount().where(answers["session"].notna())
    columns["session_responses"] = in_session.take(answers["opened"].to_numpy()).set_axis(answers.index)
    return columns


def _student_columns(answers: pd.DataFrame, difficulty: Difficulty) -> pd.DataFrame:
    """Everything the student did before, whatever the skill."""
    by_student = answers.groupby("student")
    correct, count = answers["correct"], answers["index"] + 1
    step = STEP / (1 + STEP_DECAY * answers["index"]) * answers["surprise"]
    right = by_student["correct"].cumsum()
    after = {
        "student_responses": (count, 0),
        "student_correct_share": ((right + PRIOR * difficulty.overall) / (count + PRIOR), difficulty.overall),
        "student_correct_ewm_05": (average_from(answers, "correct", 0.05, difficulty.overall), difficulty.overall),
        "student_correct_ewm_20": (average_from(answers, "correct", 0.20, difficulty.overall), difficulty.overall),
        "student_residual_ewm_05": (average_from(answers, "residual", 0.05, 0.0), 0.0),
        "student_residual_ewm_20": (average_from(answers, "residual", 0.20, 0.0), 0.0),
        "student_ability": (step.groupby(answers["student"]).cumsum(), 0.0),
        "correct_share_10r": (last_share(answers, 10), np.nan),
        "student_streak": (run_length(correct, answers["student"]) * (2 * correct - 1), 0),
        "student_hints_ewm_10": (average_known(answers, "hinted", 0.10), np.nan),
    }
    return pd.DataFrame({name: before_moment(values, answers, fresh) for name, (values, fresh) in after.items()})


def _stint_columns(answers: pd.DataFrame, difficulty: Difficulty) -> pd.DataFrame:
    """Returns the run of answers on one node that a row goes on with, or the one that it ends."""
    student, node = answers["student"], answers["node"]
    begins = (student != student.shift()) | (node != node.shift())
    stint = begins.cumsum()
    right_in_row = run_length(answers["correct"], stint) * answers["correct"]
    done = pd.DataFrame(
        {
            "node": node,
            "length": answers.groupby(stint).cumcount() + 1,
            "right": answers["correct"].groupby(stint).cumsum(),
            "best": right_in_row.groupby(stint).cummax(),
            "stints": begins.groupby(student).cumsum(),
        }
    )
    whole = done.assign(student=student).groupby(stint).last()
    earlier = whole.groupby("student")[["length", "best", "node"]].shift()
    done["earlier_length"] = stint.map(earlier["length"]).fillna(0)
    done["earlier_best"] = stint.map(earlier["best"])
    done["earlier_node"] = stint.map(earlier["node"]).fillna(-1)
    state = pd.DataFrame({name: before_moment(done[name], answers) for name in done})

    goes_on = state["node"] == node
    return pd.DataFrame(
        {
            "stint_responses": state["length"].where(goes_on, 0),
            "stint_correct_share": (state["right"] / state["length"]).where(goes_on),
            "stint_best_streak": state["best"].where(goes_on, 0),
            "previous_stint_responses": state["earlier_length"].where(goes_on, state["length"]).fillna(0),
            "previous_stint_best_streak": state["earlier_best"].where(goes_on, state["best"]),
            "stints": state["stints"].fillna(0),
            "transition_ease": _transition_ease(
                node, state["earlier_node"].where(goes_on, state["node"].fillna(-1)), ~goes_on, difficulty
            ),
        }
    )


def _transition_ease(
    node: "pd.Series[Any]", before: "pd.Series[Any]", starts: "pd.Series[bool]", difficulty: Difficulty
) -> "pd.Series[Any]":
    """Returns how often others are right on a node that comes after another, at the start of a run or later."""
    asked = pd.DataFrame({"node": node, "before": before.astype("int64"), "starts": starts})
    found = asked.merge(difficulty.transitions, how="left").merge(difficulty.places, how="left")
    return found["transition_ease"].fillna(found["place_ease"]).set_axis(node.index)


def _touch_skills(answers: pd.DataFrame, difficulty: Difficulty) -> pd.DataFrame:
    """Returns one row per answer and node that it is practice on: its own, and the members if that is a combination."""
    names = ["event", "moment", "time", "student", "node", "index", "correct", "hinted", "residual", "surprise"]
    own = answers[names].assign(own=True, owner=answers.index)
    members = own.merge(difficulty.members, on="node").assign(own=False)
    members = members.drop(columns="node").rename(columns={"member": "node"})
    touches = pd.concat([own, members]).sort_values(["student", "node", "event"], ignore_index=True)
    touches["skill_key"] = touches.groupby(["student", "node"]).ngroup()
    touches["mean"] = touches["node"].map(difficulty.nodes["mean"])
    return mark_moments(touches, "skill_key")


def _skill_columns(touches: pd.DataFrame, answers: pd.DataFrame) -> pd.DataFrame:
    """Returns what the student did before on the node of each answer, and on its weakest member."""
    by_skill = touches.groupby("key")
    earlier, mean, correct = by_skill.cumcount(), touches["mean"], touches["correct"]
    right = by_skill["correct"].cumsum()
    right_in_row = run_length(correct, touches["key"]) * correct
    step = SKILL_STEP / (1 + SKILL_STEP_DECAY * earlier) * touches["surprise"]
    after: dict[str, tuple[pd.Series[Any], Fresh]] = {
        "skill_opportunities": (earlier + 1, 0),
        "skill_correct_share": ((right + PRIOR * mean) / (earlier + 1 + PRIOR), mean),
        "skill_correct_ewm_20": (average_from(touches, "correct", 0.20, mean), mean),
        "skill_correct_ewm_50": (average_from(touches, "correct", 0.50, mean), mean),
        "skill_residual_ewm_20": (average_from(touches, "residual", 0.20, 0.0), 0.0),
        "skill_ability": (step.groupby(touches["key"]).cumsum(), 0.0),
        "skill_streak": (right_in_row, 0),
        "skill_best_streak": (right_in_row.groupby(touches["key"]).cummax(), 0),
        "skill_correct_share_5r": (last_share(touches, 5), np.nan),
        "last_index": (touches["index"], np.nan),
        "skill_first_correct": (by_skill["correct"].transform("first"), np.nan),
        "skill_hints_ewm_20": (average_known(touches, "hinted", 0.20), np.nan),
    }
    state = pd.DataFrame({name: before_moment(values, touches, fresh) for name, (values, fresh) in after.items()})
    last_time = before_moment(touches["time"].groupby(touches["key"]).ffill(), touches, pd.NaT)
    state["days_since_skill"] = days_between(last_time, touches["time"])

    columns = state[touches["own"]].set_axis(touches.loc[touches["own"], "owner"]).sort_index()
    before = answers["index"].take(answers["opened"].to_numpy()).set_axis(answers.index)
    columns["responses_since_skill"] = before - columns.pop("last_index")
    weakest = ["skill_opportunities", "skill_correct_share", "skill_ability"]
    lowest = state.loc[~touches["own"], weakest].groupby(touches["owner"]).min()
    for name in weakest:
        columns[name.replace("skill", "weakest")] = lowest[name].reindex(columns.index).fillna(columns[name])
    return columns


def _item_columns(answers: pd.DataFrame) -> pd.DataFrame:
    """Returns what the student did before on the very item."""
    rows = answers[["student", "item", "event", "moment", "time", "correct"]]
    rows = rows.assign(item_key=rows.groupby(["student", "item"]).ngroup(), owner=rows.index)
    rows = mark_moments(rows.sort_values(["item_key", "event"], ignore_index=True), "item_key")
    last_time = before_moment(rows["time"].groupby(rows["key"]).ffill(), rows, pd.NaT)
    columns = pd.DataFrame(
        {
            "item_responses": before_moment(rows.groupby("key").cumcount() + 1, rows, 0),
            "item_last_correct": before_moment(rows["correct"], rows),
            "days_since_item": days_between(last_time, rows["time"]),
        }
    )
    return columns.set_axis(rows["owner"]).sort_index()


def _pair_columns(answers: pd.DataFrame, difficulty: Difficulty) -> pd.DataFrame:
    """Returns what others did on the item of each answer after the same item and the same outcome there."""
    before = before_moment(answers["item"], answers, -1).astype("int64")
    right = before_moment(answers["correct"], answers, 0) == 1
    asked = pd.DataFrame({"item": answers["item"], "before": before, "right": right})
    found = asked.merge(difficulty.pairs, how="left")[["item_pair_residual", "item_pair_responses"]]
    return found.fillna(0.0).set_axis(answers.index)
