"""The benchmark of the planner: its own days, the usual ways to group, and what the command leaves."""

import json

import numpy as np
import pytest

from experiments.__main__ import main
from experiments.benchmarks import grouping
from experiments.benchmarks.days import SIZES, draw_day
from experiments.benchmarks.usual_groups import LARGEST, USUAL, plan_usual
from serving.grouping.check import find_violations
from serving.grouping.layout import index_problem


@pytest.mark.parametrize("name", USUAL)
def test_every_student_is_in_one_group_of_at_most_eight(name):
    index = index_problem(draw_day(60, seed=1))

    groups = USUAL[name](index, np.random.default_rng(1))

    assert sorted(np.concatenate(groups).tolist()) == list(range(60))
    assert max(map(len, groups)) <= LARGEST


@pytest.mark.parametrize("name", USUAL)
def test_the_usual_ways_keep_every_rule(name):
    problem = draw_day(60, seed=1)

    assert find_violations(problem, plan_usual(problem, name, seed=1)) == ()


def test_like_needs_meet_more_than_chance():
    problem = draw_day(60, seed=1)

    served = {name: len([s for s in plan_usual(problem, name, seed=1) if s.led]) for name in USUAL}

    assert served["clusters"] >= served["random"]


def test_the_command_leaves_figures_and_a_picture(tmp_path, monkeypatch):
    monkeypatch.setattr(grouping, "SIZES", {24: SIZES[24]})

    code = main(
        ["benchmark", "grouping", "--instances", "1", "--reference", "0.2",
         "--json", str(tmp_path / "g.json"), "--charts", str(tmp_path)]
    )  # fmt: skip

    told = json.loads((tmp_path / "g.json").read_text())
    values = {row["method"]: row["of_best_known_median"] for row in told["rows"]}
    assert code == 0
    assert told["sound"]
    assert max(values.values()) == 1.0
    assert values["1 s"] > values["clusters"]
    assert all(0 <= each["forced"] <= 1 and each["moved"] <= 1 for each in told["absences"])
    assert (tmp_path / "grouping.png").stat().st_size > 10_000


def test_nothing_to_measure_is_refused():
    with pytest.raises(Exception, match="--instances 0"):
        main(["benchmark", "grouping", "--instances", "0"])
