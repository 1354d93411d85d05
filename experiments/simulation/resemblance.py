"""How much a simulated log resembles a real one: the same summary of both, side by side."""

from pathlib import Path

import numpy as np
import pandas as pd

from experiments.simulation.config import SchoolConfig, like_assistments
from experiments.simulation.school import simulate_school
from features.errors import InputError

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
Ints = np.ndarray[tuple[int], np.dtype[np.int64]]
Truths = np.ndarray[tuple[int], np.dtype[np.bool_]]

STREAK = 3
"""Correct responses in a row that count as mastery."""

LIMIT = 10
"""Opportunities within which mastery has to be reached."""

ENOUGH = 20
"""Responses from which a student's, item's or skill's mean is counted."""

SESSION_GAP_S = 3600
"""Seconds without a response that end a session."""


def summarize(events: pd.DataFrame) -> "pd.Series[float]":
    """Returns figures of a log with the columns student_id, item_id, skills, time_s (seconds) and correct.

    Shares are 0-1, and an episode is one student on one skill (or combination of skills).

    - `responses_per_student_q1`, `_median`, `_q3`: quartiles.
    - `responses_per_session_median`: a session ends with more than an hour without a response.
    - `correct_share`: share of all responses.
    - `student_mean_sd`, `item_mean_sd`, `skill_mean_sd`: spread between those with 20 or more responses.
    - `episodes_of_10_share`: episodes with 10 or more responses.
    - `mastered_share`: episodes with 3 in a row within the first 10.
    - `struggled_share`: episodes with 10 responses and no 3 in a row among them; `struggled_of_decided_share`: of these
      and the mastered ones.
    - `indeterminate_share`: all other episodes.
    - `gain_1_to_5`: mean correct at the 5th less that at the 1st response, of episodes with both.
    - `autocorrelation`: correlation of one response with the next of the same episode.
    - `repeated_item_share`: responses to an item that the student has met before.
    - `same_skill_share`: responses of the same skill as the one before, within a session.
    """
    student = pd.factorize(events["student_id"])[0].astype(np.int64)
    order = np.lexsort((events["time_s"].to_numpy(), student))
    student = student[order]
    item = pd.factorize(events["item_id"])[0].astype(np.int64)[order]
    skill = pd.factorize(events["skills"])[0].astype(np.int64)[order]
    time_s = events["time_s"].to_numpy().astype(np.float64)[order]
    correct = events["correct"].to_numpy().astype(np.float64)[order]

    within = student[1:] == student[:-1]
    within &= np.diff(time_s) <= SESSION_GAP_S
    sessions = np.bincount(np.concatenate([[0], np.cumsum(~within)]))
    per_student = np.bincount(student)
    quartiles = np.quantile(per_student, [0.25, 0.5, 0.75])
    figures = {
        "responses_per_student_q1": quartiles[0],
        "responses_per_student_median": quartiles[1],
        "responses_per_student_q3": quartiles[2],
        "responses_per_session_median": np.median(sessions),
        "correct_share": correct.mean(),
        "student_mean_sd": _sd_of_means(student, correct),
        "item_mean_sd": _sd_of_means(item, correct),
        "skill_mean_sd": _sd_of_means(skill, correct),
        **_episodes(student * (skill.max() + 1) + skill, correct),
        "repeated_item_share": 1 - len(np.unique(student * (item.max() + 1) + item)) / len(item),
        "same_skill_share": (skill[1:] == skill[:-1])[within].mean(),
    }
    return pd.Series(figures, dtype="float64")


def read_real(path: Path) -> pd.DataFrame:
    """Returns a real Parquet log with user_id, item_id, timestamp (seconds), skill_id and correct, for `summarize`.

    Raises:
        InputError: The file is missing, is no Parquet file or lacks a column.
    """
    names = {"user_id": "student_id", "item_id": "item_id", "skill_id": "skills", "timestamp": "time_s"}
    try:
        return pd.read_parquet(path, columns=[*names, "correct"]).rename(columns=names)
    except (OSError, ValueError) as error:  # pyarrow's ArrowInvalid is a ValueError
        wanted = ", ".join([*names, "correct"])
        raise InputError(f"real log {path.name} cannot be compared; name a Parquet file with {wanted}") from error


def set_side_by_side(real: "pd.Series[float]", simulated: dict[str, "pd.Series[float]"]) -> pd.DataFrame:
    """Returns one row per figure: the real one, each simulated log's, and the ratio of the two (null for a real 0)."""
    table = pd.DataFrame({"real": real}).rename_axis("figure")
    for name, summary in simulated.items():
        table[name], table[f"{name}_ratio"] = summary, summary / real.where(real != 0)
    return table


def _sd_of_means(group: Ints, correct: Floats) -> float:
    counts = np.bincount(group)
    means = np.bincount(group, correct)[counts >= ENOUGH] / counts[counts >= ENOUGH]
    return float(means.std()) if len(means) else float("nan")


def _episodes(episode: Ints, correct: Floats) -> dict[str, float]:
    order = np.argsort(episode, kind="stable")
    episode, correct = episode[order], correct[order]
    starts = np.flatnonzero(np.concatenate([[True], episode[1:] != episode[:-1]]))
    sizes = np.diff(np.concatenate([starts, [len(episode)]]))
    place = np.arange(len(episode)) - np.repeat(starts, sizes)

    in_a_row = np.ones(len(episode), dtype=np.bool_)
    for back in range(STREAK):
        in_a_row &= (np.roll(correct, back) == 1) & (place >= STREAK - 1) & (place < LIMIT)
    mastered = np.logical_or.reduceat(in_a_row, starts)
    struggled = ~mastered & (sizes >= LIMIT)
    fifth = starts[sizes >= 5] + 4  # noqa: PLR2004 - the figure's name says it
    follows = place[1:] > 0
    return {
        "episodes_of_10_share": float((sizes >= LIMIT).mean()),
        "mastered_share": float(mastered.mean()),
        "struggled_share": float(struggled.mean()),
        "indeterminate_share": float((~mastered & ~struggled).mean()),
        "struggled_of_decided_share": float(struggled.sum() / max((mastered | struggled).sum(), 1)),
        "gain_1_to_5": float((correct[fifth] - correct[fifth - 4]).mean()) if len(fifth) else float("nan"),
        "autocorrelation": float(np.corrcoef(correct[1:][follows], correct[:-1][follows])[0, 1]),
    }


def compare(real_path: Path, seed: int = 1) -> pd.DataFrame:
    """Returns a real log beside the default school and beside one of the real log's own volume per student.

    Raises:
        InputError: The real log is missing or lacks a column.
    """
    real = summarize(read_real(real_path))
    configs = {"same_volume": like_assistments(seed), "school": SchoolConfig(seed=seed)}
    return set_side_by_side(
        real, {name: summarize(timed(simulate_school(config).events)) for name, config in configs.items()}
    )


def timed(events: pd.DataFrame) -> pd.DataFrame:
    """Returns simulated events with the column time_s that `summarize` reads."""
    return events.assign(time_s=events["occurred_at"].astype("int64"))
