"""The peers find what is in simulated answers, read no answer early, and take what training never saw."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit, softmax

from experiments.benchmarks.forecasts.peers import PEERS, Responses
from experiments.benchmarks.forecasts.peers.bkt import WEIGHT, fit_bkt, fit_parameters
from experiments.benchmarks.forecasts.peers.counts import fit_best_lr, fit_majority, fit_pfa, fit_rule
from experiments.benchmarks.forecasts.peers.item_response import (
    POINTS,
    REACH,
    fit_item_response,
    fit_item_response_online,
    fit_scale,
)
from experiments.benchmarks.forecasts.peers.responses import count_earlier

ITEMS, SKILLS = 12, 3

every_peer = pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)


def make_responses(rows, items=None, skills=None):
    """Rows of (student, item, skill, correct)."""
    student, item, skill, correct = np.array(rows).T
    return Responses(
        student.astype(np.int64),
        item.astype(np.int32),
        skill.astype(np.int32),
        correct.astype(np.int8),
        items or int(item.max()) + 1,
        skills or int(skill.max()) + 1,
    )


def practice(seed, students=150, length=40):
    """Students of varied ability who gain from each win; item i is of skill i % 3, and the last items are hardest."""
    random = np.random.default_rng(seed)
    rows = []
    for student in range(students):
        ability, wins = random.normal(), np.zeros(SKILLS)
        for _ in range(length):
            item = int(random.integers(ITEMS))
            skill = item % SKILLS
            correct = random.random() < expit(ability + 1 - item / 4 + 0.6 * np.log1p(wins[skill]))
            wins[skill] += correct
            rows.append((student, item, skill, correct))
    return make_responses(rows)


def acquire(seed, prior, learn, guess, slip, students=1500, length=8):
    """Students who know one skill from the start or learn it on the way, as Bayesian knowledge tracing has it."""
    random = np.random.default_rng(seed)
    known = random.random(students) < prior
    answers = []
    for _ in range(length):
        answers.append(random.random(students) < np.where(known, 1 - slip, guess))
        known |= random.random(students) < learn
    rows = [(student, 0, 0, correct) for student, line in enumerate(zip(*answers, strict=True)) for correct in line]
    return make_responses(rows)


def take(responses, rows):
    arrays = {name: getattr(responses, name)[rows] for name in ("student", "item", "skill", "correct")}
    return replace(responses, **arrays)


def integrate(scale, answers, ability):
    """Probabilities averaged over the posterior of the ability, from the definition."""
    log_odds = scale.item_logit(answers)[:, None] + ability
    right, wrong = -np.logaddexp(0, -log_odds), -np.logaddexp(0, log_odds)
    answered = np.where(answers.correct[:, None] == 1, right, wrong)
    belief = -(ability**2) / scale.ability_sd**2 / 2 + np.cumsum(answered, axis=0) - answered
    return np.sum(softmax(belief, axis=1) * np.exp(right), axis=1)


def log_loss(test, probability):
    return -np.mean(np.where(test.correct == 1, np.log(probability), np.log(1 - probability)))


TRAIN, TEST = practice(seed=1), practice(seed=2, students=50)


def test_each_peer_says_in_one_sentence_what_it_does():
    assert [peer.name for peer in PEERS] == [
        "majority", "rule", "item_response", "item_response_online", "pfa", "best_lr", "bkt",
    ]  # fmt: skip
    assert all(peer.meaning.endswith(".") and peer.meaning.count(".") == 1 for peer in PEERS)


@pytest.mark.long
@every_peer
def test_no_answer_is_read_before_it_is_given(peer):
    predict = peer.fit(TRAIN)
    here = int(np.flatnonzero(TEST.student == 20)[15])
    flipped = TEST.correct.copy()
    flipped[here:] = 1 - flipped[here:]

    before, after = predict(TEST), predict(replace(TEST, correct=flipped))

    np.testing.assert_array_equal(before[: here + 1], after[: here + 1])


@pytest.mark.long
@every_peer
def test_other_students_change_nothing(peer):
    predict = peer.fit(TRAIN)
    alone = TEST.student == 20

    together = predict(TEST)

    np.testing.assert_array_equal(together[alone], predict(take(TEST, alone)))


@pytest.mark.long
@every_peer
def test_a_second_fit_says_the_same(peer):
    np.testing.assert_array_equal(peer.fit(TRAIN)(TEST), peer.fit(TRAIN)(TEST))


@every_peer
def test_what_training_never_saw_gets_the_prior(peer):
    rows = [
        (0, 0, 0, 1),
        (0, ITEMS, 0, 1),  # an item with a code but no rows
        (0, ITEMS + 50, SKILLS, 0),  # a skill with a code but no rows
        (0, ITEMS + 51, SKILLS + 9, 0),  # beyond the codes that training knows
        (1, ITEMS, SKILLS, 1),
        (2, ITEMS + 51, SKILLS + 9, 1),
    ]
    train = replace(TRAIN, items=ITEMS + 1, skills=SKILLS + 1)

    probability = peer.fit(train)(make_responses(rows))

    assert np.all((probability > 0) & (probability < 1))
    assert probability[4] == pytest.approx(probability[5])


@every_peer
@pytest.mark.parametrize("codes", ["item", "skill"])
def test_the_numbering_of_codes_does_not_matter(peer, codes):
    size = {"item": ITEMS, "skill": SKILLS}[codes]
    renumbered = [
        replace(responses, **{codes: (size - 1 - getattr(responses, codes)).astype(np.int32)})
        for responses in (TRAIN, TEST)
    ]

    probability = peer.fit(renumbered[0])(renumbered[1])

    np.testing.assert_allclose(probability, peer.fit(TRAIN)(TEST), atol=2e-3)


@pytest.mark.parametrize("peer", [peer for peer in PEERS if peer.name != "majority"], ids=lambda peer: peer.name)
def test_every_peer_beats_the_majority_on_new_students(peer):
    probability = peer.fit(TRAIN)(TEST)

    assert log_loss(TEST, probability) < log_loss(TEST, fit_majority(TRAIN)(TEST)) - 0.01


def test_counts_are_of_earlier_responses_on_the_same_code():
    responses = make_responses([(7, 0, 0, 1), (7, 1, 1, 0), (7, 2, 0, 0), (7, 0, 0, 1), (3, 0, 0, 1), (3, 1, 1, 1)])

    attempts, wins = count_earlier(responses, responses.skill)

    assert attempts.tolist() == [0, 0, 1, 2, 0, 0]
    assert wins.tolist() == [0, 0, 1, 1, 0, 0]


def test_majority_is_the_training_share():
    train = make_responses([(0, 0, 0, 1), (0, 0, 0, 1), (0, 0, 0, 0), (1, 0, 0, 1)])

    assert fit_majority(train)(train).tolist() == [0.75] * 4


def test_the_rule_counts_the_last_three_on_the_skill():
    other_skill = (0, 1, 1, 0)
    answers = [(0, 0, 0, correct) for correct in (0, 0, 1, 1, 1, 0, 1)]
    answers.insert(6, other_skill)

    said = fit_rule(TRAIN)(make_responses(answers))

    of_none, none_of_one, none_of_two, one_of_three, two_of_three, three_of_three, _, two_again = said
    assert of_none > none_of_one > none_of_two
    assert three_of_three > two_of_three > one_of_three
    assert two_of_three == two_again


def test_before_any_answer_the_rule_says_the_skills_share():
    train = make_responses([(student, 0, student % 2, student % 2) for student in range(2000)])

    hard, easy = fit_rule(train)(make_responses([(0, 0, 0, 1), (0, 0, 1, 1)]))

    assert hard == pytest.approx(0.005, abs=0.001)
    assert easy == pytest.approx(0.995, abs=0.001)


def test_easier_items_are_answered_more_often():
    scale = fit_scale(TRAIN)

    item_logit = scale.item_logit(make_responses([(0, item, item % SKILLS, 0) for item in range(ITEMS)]))

    assert np.corrcoef(item_logit, np.arange(ITEMS))[0, 1] < -0.95
    assert scale.ability_sd == pytest.approx(1.2, abs=0.3)


def test_a_rare_item_stays_close_to_its_skill():
    rare = make_responses([(0, ITEMS, 0, 0), (1, ITEMS + 1, 2, 0)])
    train = replace(
        TRAIN,
        **{name: np.append(getattr(TRAIN, name), getattr(rare, name)) for name in ("item", "skill", "correct")},
        student=np.append(TRAIN.student, [900, 901]),
        items=ITEMS + 3,
    )

    of_skill, once_wrong = fit_item_response(train)(make_responses([(0, ITEMS + 2, 0, 0), (0, ITEMS, 0, 0)]))

    assert of_skill - 0.1 < once_wrong < of_skill


def test_items_alone_say_the_same_to_every_student():
    predict = fit_item_response(TRAIN)

    probability = predict(make_responses([(0, 4, 1, 1), (0, 4, 1, 1), (1, 4, 1, 0), (1, 4, 1, 0)]))

    assert len(set(probability)) == 1


def test_ability_follows_the_answers_as_the_integral_says():
    answers = make_responses([(0, 0, 0, 1), (0, 5, 2, 0), (0, 8, 2, 0), (0, 3, 0, 1)])

    probability = fit_item_response_online(TRAIN)(answers)

    expected = integrate(fit_scale(TRAIN), answers, np.linspace(-8, 8, 4001))
    np.testing.assert_allclose(probability, expected, atol=1e-3)


def test_one_surprise_after_the_other_is_weighed_exactly():
    never_wrong = make_responses([(1000 + student, ITEMS, SKILLS, 1) for student in range(3000)])
    names = ("student", "item", "skill", "correct")
    both = {name: np.append(getattr(TRAIN, name), getattr(never_wrong, name)) for name in names}
    train = replace(TRAIN, **both, items=ITEMS + 1, skills=SKILLS + 1)
    answers = make_responses([(0, ITEMS - 1, 2, 1)] * 500 + [(0, ITEMS, SKILLS, 0)] * 60)

    probability = fit_item_response_online(train)(answers)

    scale = fit_scale(train)
    expected = integrate(scale, answers, np.linspace(-REACH, REACH, POINTS) * scale.ability_sd)
    np.testing.assert_allclose(probability, expected, rtol=1e-9)


def test_pfa_finds_the_gain_of_a_win():
    rows = []
    for student in range(4000):
        first, second = student % 2, student % 20 < 16 if student % 2 else student % 20 < 6
        rows += [(student, 0, 0, first), (student, 0, 0, second)]
    predict = fit_pfa(make_responses(rows))

    after_win, after_fail = (predict(make_responses([(0, 0, 0, first), (0, 0, 0, 0)]))[1] for first in (1, 0))

    assert after_win == pytest.approx(0.8, abs=0.01)
    assert after_fail == pytest.approx(0.3, abs=0.01)


def test_best_lr_learns_that_an_item_met_before_is_easier():
    random = np.random.default_rng(3)
    rows = [
        (student, item, 0, random.random() < (0.9 if again else 0.4))
        for student in range(300)
        for again in (False, True)
        for item in range(3)
    ]

    first, second = fit_best_lr(make_responses(rows))(make_responses([(0, 1, 0, 0), (0, 1, 0, 0)]))

    assert first == pytest.approx(0.4, abs=0.1)
    assert second > first + 0.1


@pytest.mark.parametrize("truth", [(0.3, 0.15, 0.2, 0.1), (0.6, 0.05, 0.3, 0.2), (0.1, 0.3, 0.1, 0.05)])
def test_bkt_finds_the_parameters_of_simulated_students(truth):
    train = acquire(4, *truth)

    fitted = fit_parameters(train)[0]

    np.testing.assert_allclose(fitted, truth, atol=0.06)


def test_bkt_follows_bayes():
    train = acquire(5, 0.3, 0.15, 0.2, 0.1)
    prior, learn, guess, slip = fit_parameters(train)[0]

    first, second = fit_bkt(train)(make_responses([(0, 0, 0, 1), (0, 0, 0, 0)]))

    known = prior * (1 - slip) / first
    known += (1 - known) * learn
    assert first == pytest.approx(prior * (1 - slip) + (1 - prior) * guess)
    assert second == pytest.approx(known * (1 - slip) + (1 - known) * guess)


def test_knowing_never_means_answering_wrong():
    unlearning = make_responses([(student, 0, 0, place < 3) for student in range(200) for place in range(6)])

    guess, slip = fit_parameters(unlearning)[0, 2:]

    assert guess <= 0.5
    assert slip <= 0.5


def test_a_skill_with_few_responses_has_nearly_the_usual_parameters():
    common = acquire(6, 0.3, 0.15, 0.2, 0.1)
    rows = np.column_stack([common.student, common.item, common.skill, common.correct])
    train = make_responses([*rows, (9000, 0, 1, 0)], skills=3)

    _, rare, unseen, usual = fit_parameters(train)

    np.testing.assert_array_equal(unseen, usual)
    np.testing.assert_allclose(logit(rare), logit(usual), atol=2 / WEIGHT)
    assert rare[0] < usual[0]
