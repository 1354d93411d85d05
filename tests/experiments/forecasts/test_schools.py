"""Schools that are new: nothing of them is learned from, and both forecasts are of the same rows."""

import json

import pandas as pd
import pytest

from experiments.benchmarks.forecasts import schools
from experiments.benchmarks.forecasts.schools import KNOWN, NEW, measure_schools, simulate_district, split_schools
from experiments.simulation import SchoolConfig
from training.config import load_config
from training.evaluation import fairness

pytestmark = pytest.mark.long  # whole benchmarks, if small ones


@pytest.fixture(scope="module")
def quick():
    config = load_config()
    boosting = config.boosting.model_copy(update={"rounds": 5, "min_rows_per_leaf": 20, "threads": 1})
    return config.model_copy(
        update={"boosting": boosting, "evaluation": config.evaluation.model_copy(update={"bootstrap": 20})}
    )


@pytest.fixture(scope="module")
def district():
    """Two schools of ten to twelve students."""
    return simulate_district(SchoolConfig(teams=2, students_per_team=12, weeks=2, skills=6, strands=2))


def test_schools_are_split_whole_and_the_largest_first():
    """Rows 5, 3, 3, 1, 1, 1 by school: the sixth finds five folds and joins one of a single row."""
    school = pd.Series(list("abcdef"), index=[f"s{number}" for number in range(6)])
    rows = pd.Series([5, 3, 3, 1, 1, 1], index=school.index)

    assert split_schools(school, rows).tolist() == [0, 1, 2, 3, 4, 3]


def test_nothing_is_learnt_from_a_new_school_and_every_row_is_forecast_twice(district, quick, monkeypatch):
    """Models that know the school learn from as many students, none of them judged; figures can be written."""
    monkeypatch.setattr(schools, "FOLDS", 2)
    monkeypatch.setattr(fairness, "PERMUTATIONS", 20)
    honest, learned = schools._forecast, []

    def note(log, students, others, judged, config):
        learned.append((set(others), set(judged)))
        return honest(log, students, others, judged, config)

    monkeypatch.setattr(schools, "_forecast", note)

    figures = measure_schools(district, quick)

    school = district.school
    for new, one, other in (learned[:3], learned[3:]):
        assert not set(school[list(new[0])]) & set(school[list(new[1])])
        assert one[1] | other[1] == new[1]
        assert len(new[0]) == len(one[0]) == len(other[0])
        assert not one[0] & one[1]
        assert not other[0] & other[1]
    assert (figures["simulated"], figures["schools"]) == (True, 2)
    mastery = figures["forecasts"]["mastery"]
    assert mastery["rows"] == len(district.events)
    assert {group["column"] for group in mastery["groups"]} == {"school", "unit", "group"}
    of = {how: figure["auc"]["value"] for how, figure in mastery["results"].items()}
    assert mastery["new_minus_known"]["auc"]["value"] == pytest.approx(of[NEW] - of[KNOWN])
    json.dumps(figures, allow_nan=False)
