"""Undecided outcomes are filled in with the chance that the answers ahead would have met the mastery rule."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.config import MasteryRule
from training.data.labels import UNDECIDED, Outcomes
from training.data.targets import SHRINK, Moves, fill_targets, fit_moves

RULE = MasteryRule(streak=3, horizon=5, lapse_days=60)
STILL = Moves((0.0, 1.0, 0.0, 0.0))
"""The chance of a right answer stays as it is."""


def ended(left, run, answer):
    """One event per entry, each the last one on its skill."""
    size = len(left)
    nothing = np.zeros(size, np.int32)
    undecided = np.full(size, UNDECIDED, np.int8)
    nowhere = np.full(size, -1, np.int64)
    outcomes = Outcomes(
        nothing, nothing, nothing, nothing > 0, undecided, nowhere, np.arange(size), np.array(left), np.array(run)
    )
    return outcomes, np.array(answer, np.int8)


def walk(left, run, answer, logit, moves, practiced):
    """The same chance, from every way that the answers ahead may go."""
    expected = 1 / (1 + np.exp(-logit))
    missed = 0.0
    for ahead in product((0, 1), repeat=left):
        chance, rights, length = 1.0, answer, run
        for since, right in enumerate(ahead, start=1):
            beyond = (rights - since * expected) / (since + SHRINK + practiced)
            growth = np.log((practiced + 1 + since) / (practiced + 1))
            moved = np.dot(moves.weights, (1.0, logit, beyond, growth))
            is_right = 1 / (1 + np.exp(-moved))
            chance *= is_right if right else 1 - is_right
            length = length + 1 if right else 0
            rights += right
            if length >= RULE.streak:
                chance = 0.0
        missed += chance
    return missed


@given(
    st.integers(1, 5), st.integers(0, 2), st.floats(-3, 3), st.integers(0, 9),
    st.tuples(st.floats(-1, 1), st.floats(0.2, 1.5), st.floats(0, 4), st.floats(-1, 1)),
)  # fmt: skip
def test_a_filled_in_target_is_the_chance_over_all_ways_ahead(left, run, logit, practiced, weights):
    answer, moves = int(run > 0), Moves(weights)
    outcomes, correct = ended([left], [run], [answer])

    outcomes.opportunity[:] = practiced

    (target,) = fill_targets(outcomes, np.array([logit]), correct, moves, RULE)

    assert target == pytest.approx(walk(left, run, answer, logit, moves, practiced), abs=1e-6)


def test_more_opportunities_ahead_and_a_longer_run_lower_the_target():
    outcomes, correct = ended([1, 4, 5, 1, 1], [2, 2, 2, 0, 1], [1, 1, 1, 0, 1])

    target = fill_targets(outcomes, np.zeros(5), correct, STILL, RULE)

    assert target[0] > target[1] > target[2] > 0
    assert target[3:] == pytest.approx([1.0, 1.0])  # one answer cannot make a run of three out of less than two
    assert target[0] == pytest.approx(0.5)


def test_a_seen_outcome_stays():
    outcomes, correct = ended([0, 0], [0, 0], [1, 0])
    outcomes.outcome[:] = (0, 1)

    assert fill_targets(outcomes, np.zeros(2), correct, STILL, RULE).tolist() == [0.0, 1.0]


def test_answers_since_move_the_chance_as_they_did_in_the_log():
    """Students differ in what no column says, so right answers since the forecast raise the chance of the next."""
    random = np.random.default_rng(0)
    students, answers = 2000, 8
    chance = 1 / (1 + np.exp(-random.normal(0.0, 1.5, students)))
    correct = (random.random((students, answers)) < chance[:, None]).astype(np.int8).ravel()
    following = np.arange(len(correct)) + 1
    following[answers - 1 :: answers] = -1
    outcomes, _ = ended([0] * len(correct), [0] * len(correct), correct)
    outcomes.next[:] = following

    moves = fit_moves(np.zeros(len(correct)), correct, outcomes, horizon=7)

    assert moves.weights[2] > 2.0
    assert abs(moves.weights[0]) < 0.2


def test_without_a_later_answer_a_chance_stays_as_it_is():
    outcomes, correct = ended([2], [0], [0])

    assert fit_moves(np.zeros(1), correct, outcomes, horizon=5) == STILL
