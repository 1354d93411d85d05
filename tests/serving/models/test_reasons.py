"""What is told beside a forecast agrees with it, or explains why not, or the forecast is not given."""

import json
from dataclasses import replace

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.bundle import write_bundle
from features.home import Home
from features.model_bundle import FORMAT, TREES, Line, Sigmoid, Term
from features.profiles.columns import FAMILIES, REGISTRY, SCHEMA_HASH
from features.profiles.kernel import COLUMNS
from serving.models.forecaster import Forecaster
from serving.models.forecasts import describe_all_facts, explain_forecasts, forecast_students
from serving.models.published.registry import Registry
from serving.models.published.sources import RegistrySource
from serving.models.reasons import choose_reasons, find_contradictions
from serving.models.snapshot import load_snapshot
from serving.models.status import OPPORTUNITIES, SHARE, Thresholds
from training.config import load_config

LOWERS, RAISES = "lowers", "raises"
AT = {name: COLUMNS.index(name) for name in COLUMNS}
FAMILY_OF = {column.name: column.family for column in REGISTRY}
ROWS = 400


def draw_rows(rng, size):
    """Random rows within the columns' ranges, half of them with only right or only wrong latest answers."""
    high = {"share": 1.0, "probability": 1.0, "0 or 1": 1.0, "logit": 2.0, "code": 5.0, "days": 90.0}
    scale = np.array([high.get(column.unit, 20.0) for column in REGISTRY])
    rows = (rng.random((size, len(COLUMNS))) * scale).astype(np.float32)
    rows[rng.random(rows.shape) < 0.05] = np.nan
    rows[:, OPPORTUNITIES] = rng.integers(1, 15, size)
    window = np.minimum(rows[:, OPPORTUNITIES], 5)
    rows[:, SHARE] = np.where(rng.random(size) < 0.5, rng.integers(0, 2, size), rng.integers(0, window + 1) / window)
    return rows


NO_LINE = Line(0.0, ())


def write_forecaster(folder, seed, line=NO_LINE, **effects):
    """A small model of random rows, whose struggle risk follows some columns by the effects given."""
    rng = np.random.default_rng(seed)
    rows = draw_rows(rng, 3000)
    logit = -1.0 + sum(
        effect * (np.nan_to_num(rows[:, AT[name]]) - np.nanmean(rows[:, AT[name]])) for name, effect in effects.items()
    )
    target = rng.random(len(rows)) < 1 / (1 + np.exp(-logit))
    settings = {"objective": "binary", "num_leaves": 8, "learning_rate": 0.2, "verbose": -1, "num_threads": 1}
    booster = lgb.train(settings, lgb.Dataset(rows, target, feature_name=list(COLUMNS)), num_boost_round=30)

    def write(draft):
        booster.save_model(draft / TREES)
        contents = {
            "features": {"columns": list(COLUMNS), "schema": SCHEMA_HASH},
            "line": line.to_json(),
            "calibration": Sigmoid(1.0, 0.0).to_json(),
            "thresholds": load_config().model_dump(include={"mastery_rule", "evidence", "status"}),
        }
        for name, content in contents.items():
            (draft / f"{name}.json").write_text(json.dumps(content))

    write_bundle(folder, {"format": FORMAT, "forecast": "struggle"}, write)
    return Forecaster(folder)


MODELS = {
    "sensible": {"skill_correct_share_5r": -3.0, "student_ability": -2.0, "item_ease": -1.0},
    "inverted": {"skill_correct_share_5r": 3.0, "stint_correct_share": 1.0},
    "deaf": {"student_correct_share": -5.0, "days_since_skill": 0.03},
}


@pytest.fixture(scope="module", params=MODELS)
def forecaster(request, tmp_path_factory):
    return write_forecaster(tmp_path_factory.mktemp("model") / request.param, 3, **MODELS[request.param])


@settings(max_examples=8)
@given(seed=st.integers(0, 10**6), most=st.integers(1, 4))
def test_a_forecast_against_the_facts_carries_what_explains_it_or_is_withheld(forecaster, seed, most):
    """In every model, whatever the row: a family with the opposite effect that is not about the same answers."""
    rows = draw_rows(np.random.default_rng(seed), ROWS)
    rule, risk = forecaster.thresholds, forecaster.predict(rows)
    weights = forecaster.weigh_families(rows)

    told = forecaster.explain(rows, most)

    for row, probability, reasons, by_family in zip(rows, risk, told, weights, strict=True):
        only_wrong, only_right = row[SHARE] == 0, row[SHARE] == 1
        against = LOWERS if only_wrong and probability < rule.low_risk else None
        against = RAISES if only_right and probability > rule.high_risk else against
        same = {"recent", "stint", "skill"} if row[OPPORTUNITIES] <= 5 else {"recent", "stint"}
        if against is None:
            assert reasons is not None
        elif reasons is None:
            sign = -1 if against == LOWERS else 1
            others = [sign * weight for name, weight in zip(FAMILIES, by_family, strict=True) if name not in same]
            assert max(others) < 0.05 or sum(others) < abs(sign * by_family.sum() - sum(others))
        else:
            assert any(reason.effect == against and reason.family not in same for reason in reasons)
        assert reasons is None or len(reasons) <= most


@pytest.mark.parametrize(("name", "least", "most"), [("sensible", 0.5, 1.0), ("inverted", 0.0, 0.1)])
def test_what_outweighs_the_answers_explains_and_what_turns_them_round_does_not(tmp_path, name, least, most):
    """A low risk beside wrong answers because of other results is given; because of the wrong answers it is not."""
    forecaster = write_forecaster(tmp_path / "model", 3, **MODELS[name])
    rows = draw_rows(np.random.default_rng(1), 4000)
    against = find_contradictions(rows, forecaster.predict(rows), forecaster.thresholds)

    given_share = np.mean([reasons is not None for reasons in forecaster.explain(rows[against])])

    assert against.sum() > 20
    assert least <= given_share <= most


def test_the_reason_that_explains_is_told_though_others_are_stronger():
    """Of three places the last goes to it."""
    rule = Thresholds.from_json(load_config().model_dump(include={"mastery_rule", "evidence", "status"}))
    row = np.zeros(len(COLUMNS), np.float32)
    row[[OPPORTUNITIES, SHARE]] = 3, 0.0
    weights = np.zeros(len(FAMILIES))
    names = list(FAMILIES)
    for family, weight in {"recent": 0.6, "stint": 0.5, "skill": -0.4, "hints": -0.35, "pace": -0.36}.items():
        weights[names.index(family)] = weight

    reasons = choose_reasons(row, 0.05, weights, rule)

    assert [reason.family for reason in reasons] == ["recent", "stint", "pace"]
    assert [reason.family for reason in choose_reasons(row, 0.3, weights, rule)] == ["recent", "stint", "skill"]
    weights[names.index("pace")] = 0.0
    assert choose_reasons(row, 0.05, weights, rule) is None


def test_a_contradicted_forecast_is_not_given_and_the_answers_are_still_told(trained_school, tmp_path):
    """With a model in which wrong answers lower the risk: null, the quick check, and what the answers alone say."""
    source = RegistrySource(Home(trained_school.home), Registry(trained_school.mlruns_uri))
    with source.open(source.look()) as artifacts:
        snapshot = load_snapshot(artifacts)
    inverted = replace(snapshot, struggle=write_forecaster(tmp_path / "model", 3, **MODELS["inverted"]))

    forecasts = forecast_students(inverted, trained_school.student_ids, 14)

    contradicted = [forecast for forecast in forecasts if forecast.contradicted]
    assert {forecast.status for forecast in contradicted} == {"thin_evidence", "not_yet_proficient", "review_due"}
    for forecast, facts in zip(contradicted, describe_all_facts(inverted, contradicted), strict=True):
        assert (forecast.struggle_risk, forecast.mastery) == (None, None)
        assert forecast.missing == inverted.struggle.thresholds.streak
        assert facts[0].endswith(("wrong", "right"))
        assert (forecast.status == "thin_evidence") == (
            forecast.opportunities < inverted.struggle.thresholds.horizon and forecast.status != "review_due"
        )
    for forecast, reasons in zip(forecasts, explain_forecasts(inverted, forecasts), strict=True):
        is_modeled = forecast.struggle_risk is not None and forecast.status != "proficient"
        assert is_modeled or reasons == ()


def test_a_line_takes_part_in_forecasts_and_reasons(tmp_path):
    """What a column adds to the line counts for its family, as what the trees make of it does."""
    rows = draw_rows(np.random.default_rng(1), 50)
    rows[:, AT["skill_correct_share"]] = np.linspace(0, 1, 50)
    line = Line(0.3, (Term("skill_correct_share", 0.5, -2.0),))
    without = write_forecaster(tmp_path / "without", 3, **MODELS["sensible"])
    within = write_forecaster(tmp_path / "within", 3, line, **MODELS["sensible"])

    moved = within.weigh_families(rows) - without.weigh_families(rows)
    logits = [np.log(risk / (1 - risk)) for risk in (without.predict(rows), within.predict(rows))]

    at = list(FAMILIES).index("skill")
    np.testing.assert_allclose(moved[:, at], np.linspace(1, -1, 50), atol=1e-6)
    np.testing.assert_allclose(np.delete(moved, at, axis=1), 0, atol=1e-9)
    np.testing.assert_allclose(logits[1] - logits[0], 0.3 + moved[:, at], atol=1e-6)
