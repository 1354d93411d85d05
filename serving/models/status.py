"""How a student stands on a skill by present evidence, and the facts of that in plain words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from features.profiles.kernel import COLUMNS

Rows = npt.NDArray[np.float32]

Status = Literal["not_begun", "thin_evidence", "learning", "not_yet_proficient", "proficient", "review_due"]

RECENT = 5
"""Answers that the column `skill_correct_share_5r` looks back on."""

REVIEW_CAUSES = ("latest answers mostly wrong", "last practiced long ago", "next answer likely wrong")
"""Why a skill that was proficient is due for review, in the words and the order of `Statuses`."""

RESPONSES = COLUMNS.index("student_responses")
OPPORTUNITIES = COLUMNS.index("skill_opportunities")
STREAK = COLUMNS.index("skill_streak")
BEST_STREAK = COLUMNS.index("skill_best_streak")
SHARE = COLUMNS.index("skill_correct_share_5r")
HINTS = COLUMNS.index("skill_hints_ewm_20")
DAYS = COLUMNS.index("days_since_skill")


@dataclass(frozen=True)
class Thresholds:
    """The rules of a model version: when a skill is proficient, and how much evidence a forecast needs.

    Attributes:
        streak: Correct first attempts in a row that make a skill proficient.
        horizon: First attempts after which a skill that never was proficient is not yet.
        lapse_days: Days without practice after which a proficient skill is due for review.
        min_opportunities: First attempts on the skill that a forecast needs.
        min_responses: Responses of the student that a forecast needs.
        recent_wrong: Wrong answers among the last five that take proficiency away, or say that it is not near.
        review_mastery: Mastery below which a skill is due for review once its run of right answers broke.
        low_risk: Struggle risk below which only wrong answers contradict it.
        high_risk: Struggle risk above which only right answers contradict it.
    """

    streak: int
    horizon: int
    lapse_days: float
    min_opportunities: int
    min_responses: int
    recent_wrong: int
    review_mastery: float
    low_risk: float
    high_risk: float

    @classmethod
    def from_json(cls, stored: Mapping[str, Mapping[str, Any]]) -> Self:
        """Takes the sections of the training's configuration that a bundle holds."""
        rule, evidence, status = stored["mastery_rule"], stored["evidence"], stored["status"]
        return cls(
            streak=rule["streak"],
            horizon=rule["horizon"],
            lapse_days=rule["lapse_days"],
            min_opportunities=evidence["min_opportunities"],
            min_responses=evidence["min_responses"],
            recent_wrong=status["recent_wrong"],
            review_mastery=status["review_mastery"],
            low_risk=status["low_risk"],
            high_risk=status["high_risk"],
        )


@dataclass(frozen=True)
class Statuses:
    """How students stand on skills; one element per row of a profile.

    Attributes:
        status: A `Status`.
        broke: Whether the mastery rule was met before, and the run of right answers that met it ended.
        recently_wrong: Whether a skill that was proficient is due for review by the last five answers.
        lapsed: Whether it is because it was not practiced for long.
        doubtful: Whether it is because the next answer is forecast to be wrong.
    """

    status: npt.NDArray[np.str_]
    broke: npt.NDArray[np.bool_]
    recently_wrong: npt.NDArray[np.bool_]
    lapsed: npt.NDArray[np.bool_]
    doubtful: npt.NDArray[np.bool_]


def judge_statuses(rows: Rows, mastery: npt.NDArray[np.float64], rule: Thresholds) -> Statuses:
    """Judges each skill by what was answered and when; nothing that was reached once is kept for good.

    - `proficient`: `streak` right in a row, and the run goes on or most of the last answers are right since.
    - `review_due`: was proficient, and since then most of the last answers are wrong, the next is forecast to be wrong,
      or it was not practiced for `lapse_days`.
    - `not_yet_proficient`: never was, after `horizon` attempts or with most of the last answers wrong.
    - `learning`: never was, and neither of the two.
    - `thin_evidence`: never was, and too few answers for a forecast.
    - `not_begun`: no answer.

    The columns do not tell the pause before the last answer, so that the first answer after a long one, right or wrong,
    ends the lapse, and a run of right answers goes on over it.

    Args:
        rows: The kernel's columns as of the moment in question.
        mastery: Mastery of each row, 0-1.
        rule: The rules of the model version.
    """
    attempts, share, streak = rows[:, OPPORTUNITIES], rows[:, SHARE], rows[:, STREAK]
    window = np.minimum(attempts, RECENT)
    wrong = np.where(attempts > 0, window - np.rint(np.nan_to_num(share) * window), 0)
    mostly_wrong = wrong >= rule.recent_wrong
    was_proficient = rows[:, BEST_STREAK] >= rule.streak
    broke = was_proficient & (streak < rule.streak)
    recently_wrong, doubtful = broke & mostly_wrong, broke & (mastery < rule.review_mastery)
    lapsed = was_proficient & (rows[:, DAYS] > rule.lapse_days)  # null without a clock: not lapsed
    low_evidence = (attempts < rule.min_opportunities) | (rows[:, RESPONSES] < rule.min_responses)
    status = np.select(
        [
            attempts == 0,
            recently_wrong | lapsed | doubtful,
            was_proficient,
            low_evidence,
            mostly_wrong | (attempts >= rule.horizon),
        ],
        ["not_begun", "review_due", "proficient", "thin_evidence", "not_yet_proficient"],
        "learning",
    )
    return Statuses(status, broke, recently_wrong, lapsed, doubtful)


def describe_statuses(judged: Statuses, streak: int) -> list[tuple[str, ...]]:
    """Says in plain words what was reached before, and why it is due for review, for each row; often nothing.

    Args:
        judged: As `judge_statuses` judged it.
        streak: Correct first attempts in a row that make a skill proficient.
    """
    told: list[tuple[str, ...]] = [()] * len(judged.status)
    columns = np.stack([judged.broke, judged.recently_wrong, judged.lapsed, judged.doubtful])
    for at in np.flatnonzero(columns.any(axis=0)).tolist():
        broke, *applies = columns[:, at].tolist()
        causes = [cause for applied, cause in zip(applies, REVIEW_CAUSES, strict=True) if applied]
        before = [f"reached {streak} in a row before"] if broke else []
        told[at] = (*before, f"review due: {', '.join(causes)}") if causes else tuple(before)
    return told


def describe_facts(row: Sequence[float] | Rows) -> list[str]:
    """Says in plain words what happened, from one row of a profile; nothing that was not observed.

    Example:
        >>> row = np.full(len(COLUMNS), np.nan, np.float32)
        >>> row[[OPPORTUNITIES, SHARE]] = 7, 0.4
        >>> describe_facts(row)
        ['3 of the last 5 wrong', '7 attempts on this skill']
    """
    attempts, share, hints, days = (float(row[at]) for at in (OPPORTUNITIES, SHARE, HINTS, DAYS))
    facts = []
    if attempts > 0:
        window = min(RECENT, int(attempts))
        wrong = window - round(share * window)
        counted = f"{int(attempts)} {'attempt' if attempts == 1 else 'attempts'} on this skill"
        if attempts < 3:  # noqa: PLR2004 - one or two answers have no "last" among them
            facts = [f"{counted}, {'right' if wrong == 0 else 'wrong' if wrong == attempts else 'one of them wrong'}"]
        else:
            facts = [f"{wrong} of the last {window} wrong" if wrong else f"the last {window} right", counted]
    if hints >= 0.25:  # noqa: PLR2004 - a hint on every fourth answer is worth a word
        facts.append(f"hints on {hints:.0%} of them lately")
    if days >= 7:  # noqa: PLR2004 - a week without practice is worth a word
        facts.append(f"not practiced for {int(days)} days")
    return facts
