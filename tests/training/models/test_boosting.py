"""How the forecasts behave: repeatable, blind to names and order, and never kinder to more wrong answers."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.profiles.fold import build_profiles, fold, read_profiles
from features.profiles.kernel import COLUMNS
from features.profiles.state import State
from features.profiles.timeline import Timeline
from training.config import MasteryRule, Split
from training.data.dataset import build_dataset
from training.evaluation.metrics import evaluate
from training.models.artifacts import read_model, write_model
from training.models.boosting import FORECASTS, MASTERY, STRUGGLE, train_model


@pytest.fixture(scope="module")
def models(school_dataset, quick_config):
    """Both forecasts of the small school."""
    return {
        each.name: train_model(
            each,
            getattr(school_dataset, each.name)["train"],
            getattr(school_dataset, each.name)["calibration"],
            quick_config.boosting,
        )
        for each in FORECASTS
    }


@pytest.mark.parametrize("forecast", FORECASTS, ids=lambda each: each.name)
def test_the_same_rows_and_seed_give_the_same_model(models, school_dataset, quick_config, forecast):
    """Trained twice, the trees and the calibration are equal; with another seed they are not."""
    blocks = getattr(school_dataset, forecast.name)
    other_seed = quick_config.boosting.model_copy(update={"seed": 21})

    again = train_model(forecast, blocks["train"], blocks["calibration"], quick_config.boosting)
    other = train_model(forecast, blocks["train"], blocks["calibration"], other_seed)

    assert again.booster.model_to_string() == models[forecast.name].booster.model_to_string()
    assert again.calibration == models[forecast.name].calibration
    assert other.booster.model_to_string() != again.booster.model_to_string()


def test_too_many_rows_leave_out_whole_students(school_dataset, quick_config):
    """A model of at most 5000 rows has seen fewer than all, and still forecasts."""
    blocks = school_dataset.mastery
    small = quick_config.boosting.model_copy(update={"max_rows": 5000})

    model = train_model(MASTERY, blocks["train"], blocks["calibration"], small)

    root_rows = model.booster.dump_model()["tree_info"][0]["tree_structure"]["internal_count"]
    assert 3000 < root_rows <= 5000
    assert evaluate(blocks["holdout"], model.predict(blocks["holdout"].rows), quick_config.evaluation)["auc"].low > 0.6


@pytest.mark.parametrize("forecast", FORECASTS, ids=lambda each: each.name)
def test_row_order_and_names_of_students_move_no_forecast(models, school_dataset, school_log, forecast):
    """The same histories in another order, under other ids, get the same probabilities."""
    events = school_log[0].head(3000)
    renamed = events.assign(student_id=events["student_id"].str[::-1]).sample(frac=1, random_state=1)

    def risks(log):
        profiles, _ = build_profiles(log, school_dataset.statistics, None)
        risk = models[forecast.name].predict(profiles[list(COLUMNS)].to_numpy(np.float32))
        return dict(zip(zip(profiles["student_id"], profiles["skill_id"], strict=True), risk, strict=True))

    plain = risks(events)
    other = risks(renamed.reset_index(drop=True))

    assert {(student[::-1], skill): risk for (student, skill), risk in plain.items()} == other


@pytest.fixture(scope="module")
def items(school_dataset):
    """An item of one skill, one of another, and one that needs both, with the skills of each."""
    vocabulary = school_dataset.statistics.vocabulary
    both = np.flatnonzero(vocabulary.is_combination)[0]
    nodes = [both, *vocabulary.members[vocabulary.member_start[both] : vocabulary.member_start[both + 1]]]
    return {
        vocabulary.items[np.flatnonzero(vocabulary.node_of_item == node)[0]]: vocabulary.skills_of(node)
        for node in nodes
    }


@pytest.fixture(scope="module")
def told(models, school_dataset):
    """Forecasts of some skills after each of several histories of the same length, ten minutes between answers."""
    statistics = school_dataset.statistics

    def _told(histories, skills):
        answers = [answer for history in histories for answer in history]
        length, nothing = len(histories[0]), np.full(len(answers), np.nan)
        item = statistics.vocabulary.items.get_indexer([item for item, _ in answers]).astype(np.int32)
        timeline = Timeline(
            students=pd.Index([f"s{number:02}" for number in range(len(histories))]),
            start=np.arange(len(histories) + 1) * length,
            row=np.arange(len(answers)),
            time=np.tile(np.arange(length) * 600_000_000, len(histories)),
            item=item,
            node=statistics.vocabulary.node_of_item[item],
            correct=np.array([correct for _, correct in answers], np.int8),
            hints=nothing,
            duration=nothing,
        )
        _, state = fold(timeline, statistics, State.empty(), rows=False)
        profiles = read_profiles(state, statistics, None).set_index("skill_id").loc[list(skills)]
        rows = profiles.sort_values("student_id", kind="stable")[list(COLUMNS)].to_numpy(np.float32)
        return [models[each].predict(rows).reshape(len(histories), -1) for each in ("struggle", "mastery")]

    return _told


@settings(max_examples=18)
@given(st.data())
def test_one_more_wrong_answer_never_lowers_the_risk(told, items, data):
    """Of two histories that differ by one answer, wherever, the one with the wrong answer has no lower risk."""
    answers = data.draw(st.lists(st.tuples(st.sampled_from(sorted(items)), st.booleans()), min_size=1, max_size=12))
    skills = sorted({skill for item, _ in answers for skill in items[item]})
    turned = [
        [*answers[:place], (item, not correct), *answers[place + 1 :]] for place, (item, correct) in enumerate(answers)
    ]

    risk, _ = told([answers, *turned], skills)

    for (item, correct), other in zip(answers, risk[1:], strict=True):
        of = [skills.index(skill) for skill in items[item]]
        right, wrong = (risk[0], other) if correct else (other, risk[0])
        assert (wrong[of] >= right[of]).all()


def test_wrong_answers_do_raise_the_risk(told, items):
    """The forecast does not keep the rule above by saying the same to everyone."""
    item, skills = next((item, skills) for item, skills in items.items() if len(skills) == 1)

    risk, mastery = told([[(item, True)] * 3, [(item, False)] * 3], skills)

    assert risk[1] > risk[0] + 0.1
    assert mastery[1] < mastery[0] - 0.1


@pytest.fixture(scope="module")
def toy_world(events_of, tags, quick_config):
    """Sixty students, one a day: the even ones can add and nothing else, the odd ones all but add."""
    rows = [
        (f"s{number}", number + place / 100, item, (number % 2 == 0) == (item == "plus"))
        for number in range(60)
        for place, item in enumerate(["plus"] * 5 + ["times"] * 5)
    ]
    rule = MasteryRule(streak=3, horizon=4, lapse_days=60)
    split = Split(train_share=0.6, calibration_share=0.2, gap_days=0.0, folds=3)
    config = quick_config.model_copy(update={"mastery_rule": rule, "split": split})
    return build_dataset(events_of(rows), tags, config), config


@pytest.mark.parametrize("forecast", FORECASTS, ids=lambda each: each.name)
def test_an_obvious_signal_is_learnt(toy_world, forecast):
    """Where one answer on a skill tells the rest, nearly every later forecast is right."""
    dataset, config = toy_world
    blocks = getattr(dataset, forecast.name)

    model = train_model(forecast, blocks["train"], blocks["calibration"], config.boosting)

    holdout = blocks["holdout"]
    told = (holdout.opportunity > 0) & holdout.decided
    assert 0.3 < holdout.target[told].mean() < 0.7
    assert ((model.predict(holdout.rows) > 0.5) == holdout.target)[told].mean() > 0.97


def test_a_forecast_of_a_skill_does_not_lean_on_an_item():
    """Which item comes next is not known when a skill is forecast, and demographics are no columns at all."""
    assert not {name for name in STRUGGLE.columns if "item" in name}
    assert set(STRUGGLE.columns) < set(MASTERY.columns) == set(COLUMNS)


@pytest.mark.parametrize("forecast", FORECASTS, ids=lambda each: each.name)
def test_a_model_read_back_says_the_same(models, school_dataset, quick_config, tmp_path, forecast):
    """Trees, calibration and statistics survive storage bit for bit."""
    write_model(tmp_path / "model", models[forecast.name], school_dataset.statistics, quick_config, {"code": "test"})

    stored = read_model(tmp_path / "model")

    rows = getattr(school_dataset, forecast.name)["holdout"].rows
    np.testing.assert_array_equal(stored.model.predict(rows), models[forecast.name].predict(rows))
    np.testing.assert_array_equal(stored.statistics.item_mean, school_dataset.statistics.item_mean)
