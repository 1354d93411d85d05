"""The line that a forecast begins from: slopes of one sign, never null, the same beside other rows."""

import numpy as np
import pytest

from features.model_bundle import Line
from features.profiles.kernel import COLUMNS
from training.data.columns import BETTER, CARRIES_OVER, OF_THE_SKILL
from training.models.boosting import STRUGGLE, train_model
from training.models.line import fit_line

ABILITY, EASE = COLUMNS.index("skill_ability"), COLUMNS.index("skill_ease")


def draw_rows(size, seed=1):
    """Rows of noise, and the chance of a bad end that falls with ability and rises with ease."""
    rows = np.random.default_rng(seed).normal(size=(size, len(COLUMNS))).astype(np.float32)
    return rows, 1 / (1 + np.exp(2.0 * rows[:, ABILITY] - rows[:, EASE]))


def test_slopes_are_found_and_never_of_the_wrong_sign():
    """What falls is found from chances as targets; what rises, against all sense, gets no slope."""
    rows, chance = draw_rows(20_000)

    line = fit_line(rows, chance.astype(np.float32), ["skill_ability", "skill_ease"], -1)

    assert [term.column for term in line.terms] == ["skill_ability", "skill_ease"]
    assert line.terms[0].weight == pytest.approx(-1.8, abs=0.3)
    assert line.terms[1].weight == 0


@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_one_outcome_or_a_column_that_never_moves_leaves_a_line(outcome):
    """A school's first rows may all end alike, and be of one skill."""
    rows, _ = draw_rows(50)
    rows[:, EASE] = 0.5

    line = fit_line(rows, np.full(50, outcome, np.float32), ["skill_ability", "skill_ease"], -1)

    assert np.isfinite(line.score(rows)).all()
    assert (line.score(rows) > 0).all() == bool(outcome)


def test_it_goes_on_beyond_the_rows_it_learned_from():
    """Who is weaker than everybody that was seen has the higher risk."""
    rows, chance = draw_rows(5000)
    line = fit_line(rows, chance.astype(np.float32), ["skill_ability"], -1)
    beyond = np.zeros((2, len(COLUMNS)), np.float32)
    beyond[:, ABILITY] = rows[:, ABILITY].min() - 1, rows[:, ABILITY].min() - 2

    assert line.score(beyond)[1] > line.score(beyond)[0] > line.score(rows).max()


def test_a_row_has_the_same_score_beside_any_others():
    """To the last bit: what is said live is what the night says."""
    rows, chance = draw_rows(999)
    line = fit_line(rows, chance.astype(np.float32), CARRIES_OVER, -1)

    alone = np.concatenate([line.score(rows[at : at + 1]) for at in range(len(rows))])

    np.testing.assert_array_equal(line.score(rows), alone)
    np.testing.assert_array_equal(Line.from_json(line.to_json()).score(rows), alone)


def test_its_columns_are_read_by_the_trees_and_never_null(school_dataset):
    """Each is one that no educator would accept the reverse of; a null would have no score."""
    assert set(CARRIES_OVER) <= BETTER & set(OF_THE_SKILL)
    for block in school_dataset.struggle.values():
        assert (block.opportunity == 0).any()
        assert not np.isnan(block.rows[:, [COLUMNS.index(name) for name in CARRIES_OVER]]).any()


def test_trees_add_to_the_line(school_dataset, quick_config):
    """The forecast is the line and the trees together, and some of it is the line."""
    train = school_dataset.struggle["train"]

    model = train_model(STRUGGLE, train, None, quick_config.boosting)

    read = np.ascontiguousarray(train.rows[:, [COLUMNS.index(name) for name in STRUGGLE.columns]])
    trees, line = model.booster.predict(read, raw_score=True), model.line.score(train.rows)
    np.testing.assert_allclose(model.predict(train.rows), model.calibration.apply(trees + line))
    assert min(line.std(), trees.std()) > 0.1
