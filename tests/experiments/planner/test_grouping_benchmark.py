"""The benchmark of the planner: its own days, stored figures, the usual ways to group, and what the command leaves."""

import json
from dataclasses import replace

import numpy as np
import pytest

from experiments.__main__ import main
from experiments.benchmarks.planner import absences, grouping, grouping_measure, grouping_parts, long_runs, scaling
from experiments.benchmarks.planner.days import SIZES, Size, draw_day
from experiments.benchmarks.planner.grouping_tables import find_behind
from experiments.benchmarks.planner.known_days import Known, checksum, look_up, read_known, write_known
from experiments.benchmarks.planner.usual_groups import LARGEST, USUAL, plan_usual
from features.errors import InputError
from serving.grouping.rules.check import find_violations
from serving.grouping.search.anneal import Budget
from serving.grouping.state.arrays import build_data


@pytest.mark.parametrize("name", USUAL)
def test_every_student_is_in_one_group_of_at_most_eight(name):
    data = build_data(draw_day(60, seed=1))

    groups = USUAL[name](data, np.random.default_rng(1))

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


def test_days_stay_what_the_stored_figures_are_of():
    """Who changes the draw raises FAMILY and runs long again."""
    digests = {students: checksum(draw_day(students, 101)) for students in SIZES}

    assert digests == {24: "8f2038b8de8f", 60: "c30c9a481c36", 120: "8fdfdf1708f6", 240: "6f2e39aba91b"}


def test_a_size_of_its_own_draws_the_same_day_where_it_is_a_known_one():
    assert draw_day(SIZES[24], seed=1) == draw_day(24, seed=1)
    assert len(draw_day(Size(30, 4, 1, 6), seed=1).students) == 30


@pytest.fixture
def tiny(monkeypatch):
    """The command on teams of 24 alone, with searches of a moment."""
    moment = Budget(rounds=50, seatings=0, bound_rounds=0)
    monkeypatch.setattr(grouping_parts, "SIZES", {24: SIZES[24]})
    monkeypatch.setattr(grouping_measure, "BUDGETS", grouping_measure.BUDGETS | {1.0: moment})
    monkeypatch.setattr(absences, "BUDGET", moment)
    parts = (grouping_parts.tell_days, grouping_parts.tell_absences, grouping_parts.tell_rotation)
    monkeypatch.setattr(grouping, "PARTS", parts)


def test_the_command_leaves_figures_and_a_picture(tmp_path, tiny):
    problem = draw_day(24, 101)
    write_known(tmp_path / "known.json", {(24, 101): Known(11.0, 12.0, proven=True, checksum=checksum(problem))})

    code = main(
        ["benchmark", "grouping", "--instances", "1", "--known", str(tmp_path / "known.json"),
         "--json", str(tmp_path / "g.json"), "--charts", str(tmp_path)]
    )  # fmt: skip

    told = json.loads((tmp_path / "g.json").read_text())
    first, second = told["families"]
    assert code == 0
    assert told["sound"]
    assert (first["students"], first["budget_s"], second["budget_s"]) == (24, 0.0, 1.0)
    assert second["ratio_bk_min"] == pytest.approx(second["ratio_ub_min"] * 12 / 11)
    assert 0 < told["tiny_worst"] < 0.5
    assert first["p95_checked_ms"] < first["p95_ms"]
    assert told["tiny_optimal_share"] == 0
    assert set(told["rotation"].values()) == {0}
    assert set(told["against"]) == {"1 s", *USUAL}
    assert all(each["forced"] <= each["fewest"] <= each["moved"] <= 1 for each in told["replan"])
    assert (tmp_path / "grouping.png").stat().st_size > 10_000


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
    monkeypatch.setattr(long_runs, "TINY", 0)

    long_runs.improve_known([(24, 101)], 0.2, path, jobs=1)

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


@pytest.mark.parametrize("given", [["--instances", "0"], ["--reference", "0"], ["--reference", "1", "--jobs", "0"]])
def test_nothing_to_measure_is_refused(given):
    with pytest.raises(InputError, match="above 0"):
        main(["benchmark", "grouping", *given])


def test_memory_is_that_of_a_process_of_its_own():
    cost = scaling.measure_size(SIZES[24])

    assert 50 < cost.memory_mb < scaling.MOST_MB
    assert cost.first_s < cost.rounds_s
