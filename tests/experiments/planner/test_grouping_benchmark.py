"""The planner's benchmark: its days, stored figures, the baseline policies, and what the command writes."""

import json
from dataclasses import replace

import numpy as np
import pytest

from experiments.__main__ import main
from experiments.benchmarks.planner import absences, best_known, grouping, grouping_measure
from experiments.benchmarks.planner.baselines import BASELINES, LARGEST, plan_baseline
from experiments.benchmarks.planner.best_known import STORED, Known, checksum, look_up, read_known, write_known
from experiments.benchmarks.planner.grouping_tables import find_behind
from experiments.benchmarks.planner.instances.team import SIZES, Size, draw_day
from features.errors import InputError
from serving.grouping.rules.check import find_violations
from serving.grouping.search.anneal import Budget
from serving.grouping.state.arrays import build_data


@pytest.mark.parametrize("name", BASELINES)
def test_every_student_is_in_one_group_of_at_most_eight(name):
    data = build_data(draw_day(60, seed=1))

    groups = BASELINES[name](data, np.random.default_rng(1))

    assert sorted(np.concatenate(groups).tolist()) == list(range(60))
    assert max(map(len, groups)) <= LARGEST


@pytest.mark.parametrize("name", BASELINES)
def test_the_baseline_policies_keep_every_rule(name):
    problem = draw_day(60, seed=1)

    assert find_violations(problem, plan_baseline(problem, name, seed=1)) == ()


def test_like_needs_meet_more_than_chance():
    problem = draw_day(60, seed=1)

    served = {name: len([s for s in plan_baseline(problem, name, seed=1) if s.led]) for name in BASELINES}

    assert served["clusters"] >= served["random"]


def test_days_stay_what_the_stored_figures_are_of():
    """Who changes the draw raises FAMILY and runs long again."""
    stored = read_known(STORED)

    assert all(checksum(draw_day(students, 101)) == stored[students, 101].checksum for students in SIZES)


def test_a_size_of_its_own_draws_the_same_day_where_it_is_a_known_one():
    assert draw_day(SIZES[24], seed=1) == draw_day(24, seed=1)
    assert len(draw_day(Size(30, 4, 1, 6), seed=1).students) == 30


@pytest.fixture
def tiny(monkeypatch):
    """The command on teams of 24 alone, with searches of a moment."""
    moment = Budget(rounds=50, seatings=0, bound_rounds=0)
    monkeypatch.setattr(grouping, "SIZES", {24: SIZES[24]})
    monkeypatch.setattr(grouping_measure, "BUDGETS", grouping_measure.BUDGETS | {1.0: moment})
    monkeypatch.setattr(absences, "BUDGET", moment)


def test_the_command_writes_figures(tmp_path, tiny, monkeypatch):
    monkeypatch.setattr(grouping, "STORED", tmp_path / "known.json")
    problem = draw_day(24, 101)
    write_known(tmp_path / "known.json", {(24, 101): Known(11.0, 12.0, proven=True, checksum=checksum(problem))})

    code = main(["benchmark", "grouping", "--instances", "1", "--json", str(tmp_path / "g.json")])

    figures = json.loads((tmp_path / "g.json").read_text())
    first, second = figures["families"]
    assert code == 0
    assert figures["sound"]
    assert (first["students"], first["budget_s"], second["budget_s"]) == (24, 0.0, 1.0)
    assert second["ratio_bk_min"] == pytest.approx(second["ratio_ub_min"] * 12 / 11)
    assert 0 < figures["tiny_worst"] < 0.5
    assert first["p95_checked_ms"] < first["p95_ms"]
    assert figures["tiny_optimal_share"] == 0
    assert 50 < figures["memory_mb"] < 500
    assert set(figures["against"]) == {"1 s", *BASELINES}
    assert all(absence["forced"] <= absence["fewest"] <= absence["moved"] <= 1 for absence in figures["replan"])


def test_a_better_plan_counts_as_the_best_known():
    problem = draw_day(24, 101)
    stored = {(24, 101): Known(1.0, 20.0, proven=False, checksum=checksum(problem))}
    monkeyed = grouping_measure.SPENT | {24: (0.0,)}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grouping_measure, "SPENT", monkeyed)
        measured = grouping_measure.measure_day((24, 101), stored)

    assert measured.better
    assert measured.known.best == max(run.value for run in measured.runs) > 1.0


def test_long_runs_store_only_what_is_better(tmp_path, monkeypatch):
    path, problem = tmp_path / "known.json", draw_day(24, 101)
    write_known(path, {(24, 101): Known(10.2, 10.5, proven=False, checksum=checksum(problem))})
    monkeypatch.setattr(best_known, "TINY", 0)

    best_known.improve_known([(24, 101)], 0.2, path)

    found = read_known(path)[24, 101]
    assert 10.2 <= found.best <= found.bound <= 10.5


def test_figures_of_another_day_are_refused(tmp_path):
    problem = draw_day(24, 101)
    known = {(24, 101): Known(1.0, 2.0, proven=False, checksum=checksum(problem))}
    other = replace(problem, students_per_monitor=39)

    with pytest.raises(InputError, match="24 students and seed 101 has checksum"):
        look_up(known, (24, 101), other)

    (tmp_path / "old.json").write_text('{"family": 0, "days": []}')
    with pytest.raises(InputError, match="family 0"):
        read_known(tmp_path / "old.json")


def test_a_term_that_is_a_loss_is_behind_where_it_is_higher():
    against = {"ours": {"benefit": 2.0, "coverage": 3.0}, "random": {"benefit": 1.0, "coverage": 2.0}}

    assert find_behind(against, "ours") == [("random", "coverage")]


@pytest.mark.parametrize("option", ["--instances", "--reference"])
def test_nothing_to_measure_is_refused(option):
    with pytest.raises(InputError, match="above 0"):
        main(["benchmark", "grouping", option, "0"])
