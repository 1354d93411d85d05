"""The series benchmark: figures that add up, and a week of a small school."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from experiments.__main__ import main
from experiments.benchmarks.planner import series
from experiments.benchmarks.planner.series import Figures, choose_series, summarize
from features.roster import SkillMap, Staff, Team
from serving.grouping import Budget
from tests.experiments.planner.test_sense import forecast
from tests.experiments.planner.test_sense import models as models  # noqa: PLC0414 - a fixture

pytestmark = pytest.mark.long  # whole benchmarks, if small ones

FEW = Budget(rounds=60, seatings=1, bound_rounds=0)


def test_figures_of_schools_are_shares_of_all_their_days():
    one = Figures(1, wanted=18, due=18, kept=18, met=9.0, met_without=10.0, seats=100, changed=4, forced=1)
    other = replace(one, wanted=18, due=20, kept=16, met=8.0, met_without=10.0, changed=8, broken=1)

    both = summarize([one, other])

    assert both["series_kept_share"] == pytest.approx(34 / 36)
    assert both["kept_when_due_share"] == pytest.approx(34 / 38)
    assert both["need_met_share"] == pytest.approx(0.85)
    assert (both["seats_changed_share"], both["seats_forced_share"]) == (0.06, 0.01)
    assert both["rules_broken"] == 1


def test_the_two_who_share_the_greatest_risks_are_tutored_by_who_leads_nothing_larger():
    known = [
        forecast("a", "add", 0.9),
        forecast("b", "add", 0.3),
        forecast("c", "add", 0.8),
        forecast("c", "tell", 0.9),
    ]
    lead, aide = Staff("lead", "t", "lead", ("small_group", "tutoring")), Staff("tutor", "t", "aide", ("tutoring",))
    other = Staff("able", "t", "aide", ("tutoring",), skills=("tell",))
    team = Team("t", "s", None, ("a", "b", "c"), (other, lead, aide), (), (), (), {"add": 1.0}, ())

    chosen = choose_series(
        SimpleNamespace(team=team, skills=SkillMap({}, {}), forecasts=known, as_of=datetime(2026, 3, 16, tzinfo=UTC))
    )

    assert (chosen.students, chosen.skills, chosen.staff_id) == (("a", "c"), ("add",), "tutor")


def test_a_week_is_planned_and_measured(models, monkeypatch, tmp_path):
    monkeypatch.setattr(series, "BUDGET", FEW)
    path = tmp_path / "figures.json"

    code = main(["benchmark", "series", "--seeds", "1", "--weeks", "1", "--models", str(models), "--json", str(path)])

    figures = json.loads(path.read_text(encoding="utf-8"))
    (row,) = figures["schools"]
    reached = figures["series_kept_share"] >= 0.95 and figures["need_met_share"] >= 0.95
    assert code == (0 if reached and figures["seats_changed_share"] <= 0.1 else 1)
    assert (row["wanted"], row["broken"]) == (3, 0)
    assert row["kept"] <= row["due"]
    assert row["forced"] <= row["changed"] < row["seats"] / 4
    assert row["cycle_met_free"] > 0
