"""A discrete-time survival model of struggle: the hazard of mastering at each step ahead, from the state now.

Source: Singer and Willett (1993), "It's about time: using discrete-time survival analysis"; van Houwelingen (2007),
"Dynamic prediction by landmarking in event history analysis", for a model with the state now and the step ahead.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import logit

from features.model_bundle import Sigmoid
from features.profiles.fold import Rows
from features.profiles.kernel import COLUMNS
from training.config import Boosting, MasteryRule
from training.data.dataset import Block
from training.data.labels import INDETERMINATE, MASTERED
from training.models.boosting import STRUGGLE, Forecast, Model, train_with_trial
from training.models.calibration import fit_sigmoid

Floats = npt.NDArray[np.float64]

STREAK = COLUMNS.index("skill_streak")

HAZARD = Forecast(
    name="hazard",
    columns=(*STRUGGLE.columns, "steps_ahead"),
    monotone=frozenset(),  # who is not through after a good start is a poor risk: no column acts in one direction
    direction=1,
    meaning="probability that the student masters the skill so many opportunities ahead, not having done so before",
    layout=(*COLUMNS, "steps_ahead"),
)


@dataclass(frozen=True)
class Survival:
    """Hazards of mastering at each step ahead, and what they say of the whole way to the limit.

    Attributes:
        hazard: Of one step.
        rule: What counts as mastered, and the limit.
    """

    hazard: Model
    rule: MasteryRule

    def predict(self, block: Block) -> Floats:
        """The probability of each open row that the limit comes before mastery."""
        survived = np.ones(len(block))
        for step in range(1, self.rule.limit + 1):
            due = (block.opportunity + step <= self.rule.limit) & _can_master(block.rows, step, self.rule)
            rows = np.column_stack([block.rows[due], np.full(due.sum(), step, np.float32)])
            survived[due] *= 1 - self.hazard.predict(rows)
        return survived


def fit_survival(open_rows: Block, rule: MasteryRule, boosting: Boosting) -> tuple[Survival, Sigmoid]:
    """The survival form, and the calibration that rows of known outcome need, from students its trial had not seen.

    Args:
        open_rows: Of known outcome or not.
        rule: What counts as mastered, and the limit.
        boosting: Parameters; all steps of all students are used, whatever `max_rows` says.
    """
    steps = expand_steps(open_rows, rule)
    boosting = boosting.model_copy(update={"max_rows": max(boosting.max_rows, len(steps))})
    model, trial = train_with_trial(HAZARD, steps, boosting)
    if trial is None:
        return Survival(model, rule), Sigmoid(1.0, 0.0)
    left_out = np.isin(open_rows.student, trial.left_out.student) & (open_rows.target != INDETERMINATE)
    known = open_rows.take(left_out)
    return Survival(model, rule), fit_sigmoid(to_logits(Survival(trial.model, rule).predict(known)), known.target)


def expand_steps(open_rows: Block, rule: MasteryRule) -> Block:
    """One row for each open row and each step ahead of it that was seen, until mastery, the limit or the last answer.

    Steps at which mastery is out of reach, because the streak would be too short, are left out.

    Args:
        open_rows: All open rows of each episode, with -1 as the target of those without a known outcome.
        rule: What counts as mastered.

    Returns:
        Rows in the layout of `HAZARD`; the target is 1 where the skill was mastered at the step.
    """
    episode = np.unique(open_rows.episode, return_inverse=True)[1]
    seen = np.zeros(episode.max(initial=-1) + 1, np.int64)
    np.maximum.at(seen, episode, open_rows.opportunity + 1)
    ahead = seen[episode] - open_rows.opportunity
    steps = open_rows.take(np.repeat(np.arange(len(open_rows)), ahead))
    step = np.arange(len(steps)) - np.repeat(np.cumsum(ahead) - ahead, ahead) + 1
    target = (steps.target == MASTERED) & (step == np.repeat(ahead, ahead))
    rows = np.column_stack([steps.rows, step.astype(np.float32)])
    return replace(steps, rows=rows, target=target.astype(np.int8)).take(_can_master(steps.rows, step, rule))


def to_logits(risk: Floats) -> Floats:
    """Scores to calibrate; where mastery is out of reach the risk is 1, whose logit would be infinite."""
    scores: Floats = logit(np.clip(risk, 1e-6, 1 - 1e-6))
    return scores


def _can_master(rows: Rows, step: int | npt.NDArray[np.int64], rule: MasteryRule) -> npt.NDArray[np.bool_]:
    possible: npt.NDArray[np.bool_] = rows[:, STREAK] + step >= rule.streak
    return possible
