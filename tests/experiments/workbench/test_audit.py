"""Audits of forecasts and of stored plans find what was planted, and little where labels were dealt at random."""

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete

from experiments.__main__ import main
from experiments.workbench.audit.forecasts import audit_forecasts
from experiments.workbench.audit.labels import read_labels
from experiments.workbench.audit.plans import _segregate, audit_plans
from experiments.workbench.runs.experiment import make_experiment
from experiments.workbench.runs.run import run_experiment
from experiments.workbench.runs.store import Shelf
from features.database import Database
from features.errors import InputError, MissingError
from features.home import Home
from serving.app import create_app
from serving.store.tables import DECISIONS, RECOMMENDATIONS
from training.evaluation.metrics import area_under_curve, log_losses

RANDOM = [f"random {number}" for number in range(10)]
"""Columns whose labels are dealt at random: by chance alone, more than three of ten differ once in a thousand times."""


def label_students(students, values, column="planted"):
    return pd.DataFrame({"student_id": students, "column": column, "value": values})


@pytest.fixture(scope="module")
def run(school):
    quick = {"boosting": {"rounds": 5, "leaves": 7, "min_rows_per_leaf": 20}}
    return run_experiment(
        make_experiment(name="audited", split={"folds": 3}, seeds=[1], training=quick), tracking=False
    )


def test_forecasts_are_audited_by_group_with_intervals(school, run, tmp_path, capsys):
    assert main(["audit", "forecasts", "audited", "--json", str(tmp_path / "audit.json")]) == 0

    figures = pd.DataFrame(json.loads((tmp_path / "audit.json").read_text(encoding="utf-8"))["audited"])
    assert set(figures["group"]) == {"a", "b"}
    assert ((figures["low"] <= figures["value"]) & (figures["value"] <= figures["high"])).all()
    assert figures["students"].min() >= 10
    assert "came true" in capsys.readouterr().out


def test_figures_are_those_of_the_groups_rows(school, run):
    shelf = Shelf(school)
    predictions = shelf.read_predictions(run)
    labels = read_labels(None, school)

    table = audit_forecasts(shelf, run, labels).set_index(["group", "metric"])

    assert table.loc["a", "rows"].iloc[0] + table.loc["b", "rows"].iloc[0] == len(predictions)
    target, forecast = predictions["target"].to_numpy(np.float64), predictions["seed 1"].to_numpy(np.float64)
    both = [table.loc[(group, "log-loss"), "value"] for group in "ab"]
    rows = [table.loc[(group, "log-loss"), "rows"] for group in "ab"]
    assert np.average(both, weights=rows) == pytest.approx(log_losses(target, forecast).mean())
    one = label_students(labels["student_id"], "all")
    assert audit_forecasts(shelf, run, one).set_index("metric").loc["AUC", "value"] == pytest.approx(
        area_under_curve(target, forecast), abs=1e-6
    )


def test_labels_come_from_a_file_that_is_read_for_the_audit_alone(school, run, tmp_path):
    students = read_labels(None, school)["student_id"].to_numpy()
    path = tmp_path / "groups.csv"
    label_students(students, np.where(np.arange(len(students)) < 15, "first", "other")).to_csv(path, index=False)

    table = audit_forecasts(Shelf(school), run, read_labels(path, school))

    assert table.groupby("group")["students"].first().to_dict() == {"first": 15, "other": 25}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("student,column,value\ns1,a,b\n", "has no column student_id"),
        ("student_id,column,value\ns1,a,b\ns1,a,c\n", "says more than once .* in 1 rows"),
        ("student_id,column,value\nnobody,a,b\n", "no group of the labels may be shown"),
    ],
)
def test_labels_that_cannot_be_used_are_a_sentence(school, run, tmp_path, text, sentence):
    path = tmp_path / "groups.csv"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(InputError, match=sentence):
        audit_forecasts(Shelf(school), run, read_labels(path, school))


def test_segregation_is_one_where_no_session_mixes_and_nil_where_all_do():
    block = np.zeros(2, np.int64)
    unit = np.repeat([0, 1], 4)

    assert _segregate(unit, block, np.repeat([0, 1], 4), 2) == pytest.approx((1, 1))
    assert _segregate(unit, block, np.tile([0, 1], 4), 2) == pytest.approx((0, 0))
    # 3 of 4 against 1 of 4, by hand: H = 1 - (.811 bits / 1 bit), D = |.75 - .25|
    theil, apart = _segregate(unit, block, np.array([0, 0, 0, 1, 0, 1, 1, 1]), 2)
    assert (round(theil, 4), apart) == (0.1887, pytest.approx(0.5))


def test_stored_plans_are_audited(own_school):
    """Labels by who had the lead teacher on Monday: that group has more of that time, and sits apart."""
    home, team = Home(own_school.home), own_school.team_ids[0]
    with Database(home.database_url()) as database, database.changing() as connection:
        for table in (DECISIONS, RECOMMENDATIONS):  # of other tests, where the school was copied after them
            connection.execute(delete(table))
    with pytest.raises(MissingError, match="no plan is stored"):
        audit_plans(home.database_url(), label_students(["s1"], ["x"]))

    with TestClient(create_app(), headers=own_school.headers) as client:

        def plan(day, away=()):
            asked = {"team_id": team, "date": day, "seconds": 0.1, "absences": [*away]}
            return client.post("/v1/recommendations", json=asked).json()

        usual = [plan("2026-03-17"), plan("2026-03-16")][1]
        adults = [each["adults"][0] for each in usual["sessions"] if each["session_type"] != "online"]
        lead = next(adult["staff_id"] for adult in adults if adult["role"] == "teacher_leader")
        blocks = sorted({each["block_id"] for each in usual["sessions"]})
        for away in range(1, len(blocks)):  # until ten do not meet the lead teacher
            monday = plan("2026-03-16", [{"staff_id": lead, "block_ids": blocks[-away:]}])
            led = [each for each in monday["sessions"] if each["adults"][0]["role"] == "teacher_leader"]
            led = [session for session in led if session["session_type"] != "online"]
            with_lead = {seat["student_id"] for session in led for seat in session["students"]}
            students = sorted({seat["student_id"] for each in monday["sessions"] for seat in each["students"]})
            if len(students) - len(with_lead) >= 10:
                break
        decided = client.post(f"/v1/recommendations/{monday['id']}/decision", json={"decision": "accepted"})
    assert decided.is_success

    draw, halves = np.random.default_rng(1), np.arange(len(students)) % 2
    random = [label_students(students, draw.permutation(halves).astype(str), name) for name in RANDOM]
    planted = label_students(students, np.where(np.isin(students, [*with_lead]), "with", "without"))
    labels = pd.concat([planted, *random])
    found = audit_plans(home.database_url(), labels, team=team)

    assert (found.days, found.decided) == (2, 1)
    minutes = found.groups[found.groups["measure"] == "lead_minutes"].set_index(["column", "group"])
    assert minutes.loc[("planted", "with"), "gap_low"] > 0
    gaps = minutes.loc[[(name, "0") for name in RANDOM]]
    assert ((gaps["gap_low"] > 0) | (gaps["gap_high"] < 0)).sum() <= 3
    alone = audit_plans(home.database_url(), labels, until=date(2026, 3, 16))
    minutes = alone.groups[alone.groups["measure"] == "lead_minutes"].set_index(["column", "group"])
    hand = sum(50 * sum(seat["student_id"] in with_lead for seat in session["students"]) for session in led)
    assert minutes.loc[("planted", "with"), "value"] == pytest.approx(hand / len(with_lead))
    assert minutes.loc[("planted", "without"), "value"] == 0
    apart = alone.segregation.set_index(["column", "sessions", "index"])
    assert apart.loc[("planted", "all", "Theil's H"), "p"] < 0.05
    assert apart.loc[("planted", "all", "Theil's H"), "value"] > apart.loc[("planted", "all", "Theil's H"), "by_chance"]
    assert (apart.loc[[(name, "all", "dissimilarity") for name in RANDOM], "p"] < 0.05).sum() <= 3
