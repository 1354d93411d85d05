"""The three recursions that pandas has no method for, as a Python loop per student."""

import math

import numpy as np
import pandas as pd

from features.profiles.kernel import HALF_LIFE, SKILL_STEP, SKILL_STEP_DECAY, STEP, STEP_DECAY
from features.profiles.rasch import ABILITY_VARIANCE


def fade_work(events: pd.DataFrame) -> pd.DataFrame:
    """Responses and minutes at work after each event, both fading by half in `HALF_LIFE` days.

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
    """How far each answer is from what the abilities of the moment made likely, -1 to 1.

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
        for count, (node, ease, correct) in enumerate(zip(*(each[rows].tolist() for each in columns), strict=True)):
            surprise = correct - 1 / (1 + math.exp(-(overall + on_node.get(node, 0.0) + ease)))
            overall += STEP / (1 + STEP_DECAY * count) * surprise
            for each in (node, *touched.get(node, ())):
                times = seen.get(each, 0)
                on_node[each] = on_node.get(each, 0.0) + SKILL_STEP / (1 + SKILL_STEP_DECAY * times) * surprise
                seen[each] = times + 1
            values.append(surprise)
        surprises[rows] = values
    return pd.Series(surprises, index=answers.index)


def find_abilities(answers: pd.DataFrame) -> "pd.Series[float]":
    """The student's ability after each answer, in logits: the mode that one Newton step per answer follows.

    Args:
        answers: By student and time: `student`, `easiness` (of the item), `correct`.
    """
    abilities = np.empty(len(answers))
    columns = [answers[name].to_numpy() for name in ("easiness", "correct")]
    for rows in answers.groupby("student", sort=False).indices.values():
        ability, precision, values = 0.0, 1 / ABILITY_VARIANCE, []
        for easiness, correct in zip(*(each[rows].tolist() for each in columns), strict=True):
            expected = 1 / (1 + math.exp(-(ability + easiness)))
            precision += expected * (1 - expected)
            ability += (correct - expected) / precision
            values.append(ability)
        abilities[rows] = values
    return pd.Series(abilities, index=answers.index)
