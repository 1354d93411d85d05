"""The practice benchmark: figures that say whether a dial did what is asked, and two days of a small school."""

import json
from dataclasses import replace

import pytest

from experiments.__main__ import main
from experiments.benchmarks.practice.practices import DIALS, Days, summarize
from serving.grouping import Budget
from tests.experiments.planner.test_sense import models as models  # noqa: PLC0414 - a fixture

GOALS, STAGE = (next(dial for dial in DIALS if dial.name == name) for name in ("goals", "stage"))


def test_a_dial_does_what_is_asked_where_its_figure_moves_rightly_and_need_pays_little():
    good = Days("goals", 1, [5.0, 7.0], [4.0, 6.0], [9.6, 10.0], [10.0, 10.0])

    figures = summarize(GOALS, [good])

    assert (figures["with"], figures["without"], figures["change"], figures["as_asked"]) == (6.0, 5.0, 1.0, True)
    assert figures["need_met_share"] == pytest.approx(0.98)
    assert figures["change_interval"] == [1.0, 1.0]
    for wrong in ({"figure": [3.0, 6.0]}, {"met": [9.0, 9.0]}, {"broken": 1}):
        assert not summarize(GOALS, [replace(good, **wrong)])["as_asked"]
    assert not summarize(STAGE, [good])["as_asked"]
    assert summarize(STAGE, [replace(good, figure=[0.0, 0.0], met=[8.0, 8.0])])["as_asked"]


@pytest.mark.long
def test_two_days_are_planned_and_measured_with_every_dial(models, monkeypatch, tmp_path):
    monkeypatch.setattr(
        "experiments.benchmarks.practice.practices.BUDGET", Budget(rounds=60, seatings=1, bound_rounds=0)
    )
    path = tmp_path / "figures.json"

    code = main(["benchmark", "practice", "--seeds", "1", "--days", "2", "--models", str(models), "--json", str(path)])

    dials = json.loads(path.read_text(encoding="utf-8"))["dials"]
    assert code == (0 if all(figures["as_asked"] for figures in dials.values()) else 1)
    assert list(dials) == [dial.name for dial in DIALS]
    assert all(figures["rules_broken"] == 0 for figures in dials.values())
    assert dials["stage"]["with"] == 0 < dials["stage"]["without"]
