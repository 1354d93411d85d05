"""Targets of the struggle forecast: seen outcomes, and for undecided ones the chance that they would have ended badly.

Practice that ends early, because the product gives six questions a set, hides every struggling student and no
mastering one. Who learns from decided outcomes alone learns that short practice goes well, and figures on decided
outcomes agree. So an undecided outcome is rolled forward from the last answer that was seen: a model of the next
answer, which has not seen the student, says how likely a right answer is there; a small logistic model says how that
chance moves with the answers that follow; and the chances of all ways through the opportunities that are left add up
to the chance that the mastery rule is not met in them.
"""

import math
from dataclasses import dataclass

import lightgbm as lgb
import numba as nb
import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from features.profiles.fold import Rows
from features.profiles.kernel import COLUMNS
from features.profiles.timeline import Timeline
from training.config import Boosting, MasteryRule
from training.data.columns import BETTER, OF_THE_SKILL
from training.data.labels import UNDECIDED, Outcomes

Floats = npt.NDArray[np.float64]
Chosen = npt.NDArray[np.bool_]

READ = [COLUMNS.index(name) for name in OF_THE_SKILL]
"""Positions of the columns that the next answer is forecast from."""

HALVES = 2
"""A student's chances come from trees that learned from the other half of the students."""

MOST_ROWS = 300_000
"""Rows that each half's trees learn from at most."""

MOST_PAIRS = 400_000
"""Pairs of an answer and a later one that the moves of a chance are learned from at most."""

RAREST = 0.05
"""Share of the answers with the lowest chances, which are taken for as likely as the next ones: of what they have seen
so rarely, trees say too little."""

SHRINK = 3.0
"""Answers, besides those on the skill until then, that the expected share counts for when those since are weighed."""


def find_targets(
    next_answer: "NextAnswer", rows: Rows, due: Chosen, timeline: Timeline, outcomes: Outcomes, rule: MasteryRule
) -> npt.NDArray[np.float32]:
    """Returns the target of each event: 1 struggling, 0 mastered, and between them where the outcome is undecided.

    Args:
        next_answer: Says how likely each answer was to be right, by trees that have not seen its student.
        rows: The state before each event.
        due: The first attempts that may be read, of the block or the students that are judged.
        timeline: The events.
        outcomes: What was seen among these.
        rule: Mastery rule and horizon.
    """
    logits = np.full(len(due), np.nan)
    logits[due] = next_answer.logits(rows[due], timeline.student[due])
    if due.any():
        logits[due] = np.maximum(logits[due], np.quantile(logits[due], RAREST))
    moves = fit_moves(logits, timeline.correct, outcomes, rule.horizon)
    return fill_targets(outcomes, logits, timeline.correct, moves, rule)


@dataclass(frozen=True)
class NextAnswer:
    """Chances of a right answer, as trees say that have not seen the student.

    Attributes:
        boosters: One per half of the students, which forecasts the half that it has not learned from; null where there
            was nothing to learn from, so that every chance is one half.
    """

    boosters: tuple["lgb.Booster | None", "lgb.Booster | None"]

    def logits(self, rows: Rows, student: npt.NDArray[np.int64]) -> Floats:
        """Returns the logit of a right answer for each row; `student` are the codes that the trees learned with."""
        read = np.ascontiguousarray(rows[:, READ])
        half, logits = halves(student), np.zeros(len(rows))
        for number, booster in enumerate(self.boosters):
            mine = half == number
            if booster is not None and mine.any():
                logits[mine] = np.asarray(booster.predict(read[mine], raw_score=True), np.float64)
        return logits


def halves(student: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Returns the half of each student code, 0 or 1, the same whichever other codes there are.

    Example:
        >>> halves(np.arange(8)).tolist()
        [0, 1, 0, 1, 0, 0, 1, 0]
    """
    hashed = student.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)  # the golden ratio: neighbors lie far apart
    return (hashed >> np.uint64(63)).astype(np.int64)


def fit_next_answer(
    rows: Rows,
    correct: npt.NDArray[np.int8],
    student: npt.NDArray[np.int64],
    boosting: Boosting,
) -> NextAnswer:
    """Learns the chance of a right answer from first attempts, half by half.

    Args:
        rows: The state before each first attempt.
        correct: 1 or 0.
        student: Code of each row's student.
        boosting: Threads, seed and size of the trees; these learn in larger steps than a forecast's.
    """
    read, half = np.ascontiguousarray(rows[:, READ]), halves(student)
    boosters = []
    for number in range(HALVES):
        at = np.flatnonzero(half != number)
        if len(at) > MOST_ROWS:
            at = np.sort(np.random.default_rng(boosting.seed).choice(at, MOST_ROWS, replace=False))
        boosters.append(_train(read[at], correct[at], boosting) if len(at) > 0 else None)
    return NextAnswer((boosters[0], boosters[1]))


def _train(rows: Rows, correct: npt.NDArray[np.int8], boosting: Boosting) -> "lgb.Booster":
    parameters = {
        "objective": "binary",
        "learning_rate": 0.1,
        "num_leaves": 31,
        "min_data_in_leaf": boosting.min_rows_per_leaf,
        "lambda_l2": boosting.l2,
        "feature_fraction": boosting.column_share,
        "monotone_constraints": [int(name in BETTER) for name in OF_THE_SKILL],
        "deterministic": True,
        "force_row_wise": True,
        "seed": boosting.seed,
        "num_threads": boosting.threads,
        "verbosity": -1,
    }
    # few rows bear few trees; from some ten thousand on, eighty are within noise of the best number
    return lgb.train(parameters, lgb.Dataset(rows, correct), num_boost_round=int(np.clip(len(rows) / 250, 5, 80)))


@dataclass(frozen=True)
class Moves:
    """How the logit of a right answer moves after the row that it was forecast for.

    Attributes:
        weights: Of one, the logit at that row, the right answers since beyond what was expected, and the growth of
            practice on the skill since, as a logarithm.
    """

    weights: tuple[float, float, float, float]


def fit_moves(logits: Floats, correct: npt.NDArray[np.int8], outcomes: Outcomes, horizon: int) -> Moves:
    """Learns how a chance moves with the answers since, from answers whose later ones on the skill were seen.

    Args:
        logits: Of each event, the logit of a right answer; NaN for events that were not forecast, such as those after
            the block.
        correct: Of each event, whether it was right.
        outcomes: Says which event is the next on the skill.
        horizon: How many answers ahead.
    """
    tables, targets = [], []
    start = np.flatnonzero(~np.isnan(logits) & (outcomes.next >= 0))
    if len(start) > MOST_PAIRS // 3:
        start = np.sort(np.random.default_rng(0).choice(start, MOST_PAIRS // 3, replace=False))
    at, rights = start, np.zeros(len(start))
    for since in range(1, horizon + 1):
        rights = rights + correct[at]
        at = outcomes.next[at]
        on = at >= 0
        on[on] = ~np.isnan(logits[at[on]])
        start, at, rights = start[on], at[on], rights[on]
        if len(at) == 0:
            break
        tables.append(_moving(logits[start], outcomes.opportunity[start], rights, since))
        targets.append(correct[at])
    if not tables:
        return Moves((0.0, 1.0, 0.0, 0.0))
    table, target = np.concatenate(tables), np.concatenate(targets)
    if target.min() == target.max():
        return Moves((0.0, 1.0, 0.0, 0.0))
    # the penalty is of no weight, but for logs of a few answers
    fitted = LogisticRegression(C=10.0, max_iter=200).fit(table, target)
    offset, level, beyond, number = float(fitted.intercept_[0]), *map(float, fitted.coef_[0])
    return Moves((offset, level, beyond, number))


def _moving(logit: Floats, practiced: npt.NDArray[np.int32], rights: Floats, since: int) -> Floats:
    """What a chance moves with: the more was practiced, the less one more answer says, and the less it adds."""
    expected = since / (1.0 + np.exp(-logit))
    growth = np.log((practiced + 1.0 + since) / (practiced + 1.0))
    return np.column_stack([logit, (rights - expected) / (since + SHRINK + practiced), growth])


def fill_targets(
    outcomes: Outcomes, logits: Floats, correct: npt.NDArray[np.int8], moves: Moves, rule: MasteryRule
) -> npt.NDArray[np.float32]:
    """Returns the target of each event: 1 struggling, 0 mastered, and between them where the outcome is undecided.

    Args:
        outcomes: What was seen.
        logits: Of each event, the logit of a right answer.
        correct: Of each event, whether it was right.
        moves: How that logit moves.
        rule: Mastery rule and horizon.
    """
    target = outcomes.outcome.astype(np.float32)
    undecided = np.flatnonzero((outcomes.outcome == UNDECIDED) & (outcomes.last >= 0))
    if len(undecided) == 0:
        return target
    last, place = np.unique(outcomes.last[undecided], return_inverse=True)
    run = np.zeros(len(last), np.int64)
    run[place] = outcomes.run_at_end[undecided]
    known = np.nan_to_num(logits[last])
    practiced = outcomes.opportunity[last].astype(np.float64)
    answer = correct[last].astype(np.int64)
    missed = _roll(known, practiced, answer, run, np.array(moves.weights), rule.streak, rule.horizon)
    target[undecided] = missed[place, outcomes.left[undecided]]
    return target


@nb.njit(cache=True)
def _roll(logit, practiced, answer, run, weights, streak, horizon):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """The chance that no run reaches `streak` within 0 to `horizon` answers after a last one: a row per last answer.

    Walks all ways through the answers ahead at once, by the run and the right answers since.
    """
    out = np.ones((len(logit), horizon + 1))
    now = np.zeros((streak, horizon + 2))
    then = np.zeros((streak, horizon + 2))
    for row in range(len(logit)):
        expected = 1.0 / (1.0 + math.exp(-logit[row]))
        now[:] = 0.0
        now[min(run[row], streak - 1), answer[row]] = 1.0
        for step in range(1, horizon + 1):
            then[:] = 0.0
            growth = math.log((practiced[row] + 1.0 + step) / (practiced[row] + 1.0))
            alive = 0.0
            for rights in range(step + 1):
                beyond = (rights - step * expected) / (step + SHRINK + practiced[row])
                moved = weights[0] + weights[1] * logit[row] + weights[2] * beyond + weights[3] * growth
                chance = 1.0 / (1.0 + math.exp(-moved))
                for length in range(streak):
                    here = now[length, rights]
                    if here == 0.0:
                        continue
                    then[0, rights] += here * (1.0 - chance)
                    alive += here * (1.0 - chance)
                    if length + 1 < streak:
                        then[length + 1, rights + 1] += here * chance
                        alive += here * chance
            out[row, step] = alive
            now, then = then, now
    return out
