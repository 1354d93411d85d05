"""What becomes of a forecast, told from sequences that can be read by eye."""

import numpy as np
import pytest

from features.profiles.difficulty import fit_statistics
from features.profiles.timeline import sort_events
from features.profiles.vocabulary import build_vocabulary
from training.config import MasteryRule
from training.data.labels import MASTERED, STRUGGLING, UNDECIDED, label_outcomes

RULE = MasteryRule(streak=3, horizon=4, lapse_days=60)
LETTERS = {"m": MASTERED, "s": STRUGGLING, "?": UNDECIDED}


@pytest.fixture
def label(events_of, tags):
    """Labels rows of (item, correct) and maybe the attempt, all of one student, a day apart or on days given."""
    vocabulary = build_vocabulary(tags, ["untagged"])
    nothing = fit_statistics(vocabulary, np.empty(0, np.int32), np.empty(0, bool))

    def _label(answers, seen=None, days=None, **options):
        rows = [("s", day, *answer) for day, answer in zip(days or range(len(answers)), answers, strict=True)]
        return label_outcomes(sort_events(events_of(rows), nothing), vocabulary, RULE, seen, **options)

    return _label


def plus(answers):
    return [("plus", answer == "1") for answer in answers]


@pytest.mark.parametrize(
    ("answers", "outcomes"),
    [
        ("111", "mmm"),
        ("0111", "mmmm"),  # on the last of the four opportunities that the first forecast asks for
        ("00111", "smmmm"),
        ("0000", "s???"),
        ("1101", "s???"),
        ("11", "??"),
        ("000", "???"),
    ],
)
def test_each_forecast_looks_as_far_ahead_as_the_others(label, answers, outcomes):
    """Three right in a row within four tries is mastery; four without it are struggle; fewer say nothing."""
    found = label(plus(answers))

    assert found.outcome.tolist() == [LETTERS[letter] for letter in outcomes]
    assert found.opportunity.tolist() == list(range(len(answers)))


@pytest.mark.parametrize(("answers", "is_open"), [("11101", "11101"), ("00001", "11111"), ("11111", "11100")])
def test_a_forecast_is_due_unless_the_run_that_is_going_on_meets_the_rule(label, answers, is_open):
    """However many tries there were, and after a mastered skill was answered wrong."""
    assert label(plus(answers)).open.tolist() == [letter == "1" for letter in is_open]


def test_what_was_seen_before_is_counted(label):
    """Right answers so far, and the run up to now: below zero, wrong in a row."""
    found = label(plus("110001"))

    assert found.right.tolist() == [0, 1, 2, 2, 2, 2]
    assert found.run.tolist() == [0, 1, 2, -1, -2, -3]


def test_an_undecided_forecast_knows_where_practice_ended(label):
    """The last answer, how many of the opportunities were not seen, and the run that it ended with."""
    found = label(plus("0011"))

    assert found.outcome.tolist() == [STRUGGLING, UNDECIDED, UNDECIDED, UNDECIDED]
    assert found.last.tolist() == [-1, 3, 3, 3]
    assert found.left.tolist() == [0, 1, 2, 3]
    assert found.run_at_end.tolist() == [0, 2, 2, 2]
    assert found.next.tolist() == [1, 2, 3, -1]


def test_a_run_lapses_over_a_summer(label):
    """Two right answers in June and one in September are no run of three, and a mastered skill is open again."""
    found = label(plus("11100"), days=[0, 1, 2, 100, 101])
    broken = label(plus("111"), days=[0, 1, 100])

    assert found.open.tolist() == [True, True, True, True, True]
    assert found.run.tolist() == [0, 1, 2, 0, -1]
    assert broken.outcome.tolist() == [UNDECIDED] * 3


def test_the_older_question_ends_with_the_first_opportunities(label):
    """Mastered within the first four or not, asked until either is known."""
    found = label(plus("001110"), from_start=True)

    assert found.open.tolist() == [True, True, True, True, False, False]
    assert found.outcome[:4].tolist() == [STRUGGLING] * 4


def test_retries_and_videos_are_no_opportunities(label):
    """A second try on an item neither breaks a run nor makes one."""
    found = label([("plus", True), ("plus", False, 2), (None, None), ("plus", True), ("plus", True, 2), ("plus", True)])

    assert found.opportunity.tolist() == [0, -1, -1, 1, -1, 2]
    assert found.open.tolist() == [True, False, False, True, False, True]
    assert found.outcome.tolist() == [MASTERED, UNDECIDED, UNDECIDED, MASTERED, UNDECIDED, MASTERED]


def test_items_of_one_skill_share_practice_and_skills_do_not(label):
    """Work on another skill in between changes nothing."""
    found = label([("plus", True), ("times", False), ("plus-2", True), ("times", False), ("plus", True)])

    assert found.opportunity.tolist() == [0, 0, 1, 1, 2]
    assert found.outcome.tolist() == [MASTERED, UNDECIDED, MASTERED, UNDECIDED, MASTERED]


def test_a_combination_moves_its_members(label):
    """Two items of adding and multiplying count on both, and on the pair as a skill of its own."""
    found = label([("both", True), ("both", True), ("plus", True), ("times", False), ("times", False)])

    assert found.opportunity.tolist() == [0, 1, 2, 2, 3]
    assert found.run.tolist() == [0, 1, 2, 2, -1]
    assert found.outcome.tolist() == [UNDECIDED, UNDECIDED, MASTERED, UNDECIDED, UNDECIDED]


def test_an_item_without_a_skill_has_no_forecast(label):
    """Answers to it are never open and never an outcome."""
    found = label([("untagged", False)] * 5)

    assert not found.open.any()
    assert set(found.outcome.tolist()) == {UNDECIDED}


def test_an_outcome_is_read_from_seen_events_only(label):
    """What comes after the end of a block does not decide what is known of it."""
    seen = np.array([True, True, True, False])

    before, after = label(plus("0111"), seen), label(plus("0111"))

    assert before.outcome.tolist() == [UNDECIDED] * 4
    assert after.outcome.tolist() == [MASTERED] * 4
