"""What becomes of an episode, told from sequences that can be read by eye."""

import numpy as np
import pytest

from features.profiles.difficulty import fit_statistics
from features.profiles.timeline import sort_events
from features.profiles.vocabulary import build_vocabulary
from training.config import MasteryRule
from training.data.labels import INDETERMINATE, MASTERED, STRUGGLING, label_episodes

RULE = MasteryRule(streak=3, horizon=4, lapse_days=60)


@pytest.fixture
def label(events_of, tags):
    """Labels rows of (item, correct) and maybe the attempt, all of one student, a day apart."""
    vocabulary = build_vocabulary(tags, ["untagged"])
    nothing = fit_statistics(vocabulary, np.empty(0, np.int32), np.empty(0, bool))

    def _label(answers, seen=None):
        rows = [("s", day, *answer) for day, answer in enumerate(answers)]
        return label_episodes(sort_events(events_of(rows), nothing), vocabulary, RULE, seen)

    return _label


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ("111", MASTERED),
        ("0111", MASTERED),  # on the last opportunity that counts
        ("0000", STRUGGLING),
        ("1101", STRUGGLING),
        ("00111", STRUGGLING),  # mastered, but one too late
        ("11", INDETERMINATE),
        ("000", INDETERMINATE),
    ],
)
def test_an_episode_ends_as_its_answers_say(label, answers, outcome):
    """Three right in a row within four tries is mastery; four tries without it are struggle; fewer say nothing."""
    episodes = label([("plus", answer == "1") for answer in answers])

    assert episodes.outcome.tolist() == [outcome] * len(answers)
    assert episodes.opportunity.tolist() == list(range(len(answers)))


@pytest.mark.parametrize(("answers", "is_open"), [("1110", "1110"), ("00001", "11110")])
def test_a_forecast_is_due_until_mastery_or_the_limit(label, answers, is_open):
    """After either there is nothing left to forecast."""
    episodes = label([("plus", answer == "1") for answer in answers])

    assert episodes.open.tolist() == [each == "1" for each in is_open]


def test_retries_and_videos_are_no_opportunities(label):
    """A second try on an item neither breaks a streak nor makes one."""
    episodes = label(
        [("plus", True), ("plus", False, 2), (None, None), ("plus", True), ("plus", True, 2), ("plus", True)]
    )

    assert episodes.opportunity.tolist() == [0, -1, -1, 1, -1, 2]
    assert episodes.open.tolist() == [True, False, False, True, False, True]
    assert episodes.outcome.tolist() == [MASTERED, INDETERMINATE, INDETERMINATE, MASTERED, INDETERMINATE, MASTERED]


def test_items_of_one_skill_share_an_episode_and_skills_do_not(label):
    """Work on another skill in between changes nothing."""
    episodes = label([("plus", True), ("times", False), ("plus-2", True), ("times", False), ("plus", True)])

    assert episodes.opportunity.tolist() == [0, 0, 1, 1, 2]
    assert episodes.outcome.tolist() == [MASTERED, INDETERMINATE, MASTERED, INDETERMINATE, MASTERED]


def test_a_combination_moves_its_members(label):
    """Two items of adding and multiplying count on both, and on the pair as a skill of its own."""
    episodes = label([("both", True), ("both", True), ("plus", True), ("times", False), ("times", False)])

    assert episodes.opportunity.tolist() == [0, 1, 2, 2, 3]
    assert episodes.outcome.tolist() == [INDETERMINATE, INDETERMINATE, MASTERED, STRUGGLING, STRUGGLING]


def test_an_item_without_a_skill_has_no_episode(label):
    """Answers to it are never open and never an outcome."""
    episodes = label([("untagged", False)] * 5)

    assert not episodes.open.any()
    assert set(episodes.outcome.tolist()) == {INDETERMINATE}


def test_an_outcome_is_read_from_seen_events_only(label):
    """What comes after the end of a block does not decide what is known of it."""
    answers = [("plus", False), ("plus", True), ("plus", True), ("plus", True)]
    seen = np.array([True, True, True, False])

    before = label(answers, seen)
    after = label(answers)

    assert before.outcome.tolist() == [INDETERMINATE] * 4
    assert after.outcome.tolist() == [MASTERED] * 4
