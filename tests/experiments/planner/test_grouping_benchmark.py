"""The planner's benchmark: its days, stored figures, and what the command writes."""

import json
from dataclasses import replace

import pytest

from experiments.__main__ import main
from experiments.benchmarks.planner import absences, best_known, grouping, grouping_measure
from experiments.benchmarks.planner.best_known import (
    STORED,
    Known,
    checksum,
    improve_known,
    look_up,
    read_known,
    write_known,
)
from experiments.benchmarks.planner.instances.team import FAMILIES, draw_family
from features.errors import InputError
from serving.grouping.search.anneal import Budget

pytestmark = pytest.mark.long  # whole benchmarks, if small ones

TINY = "24 x 2"


@pytest.fixture
def moment(monkeypatch):
    """Searches of a moment, on tiny days alone."""
    budget = Budget(rounds=50, seatings=0, bound_rounds=0)
    monkeypatch.setattr(grouping, "FAMILIES", {TINY: FAMILIES[TINY]})
    monkeypatch.setattr(grouping, "JUDGED", TINY)
    monkeypatch.setattr(grouping_measure, "BUDGETS", grouping_measure.BUDGETS | {1.0: budget})
    monkeypatch.setattr(absences, "BUDGET", budget)


def test_days_stay_what_the_stored_figures_are_of():
    """Who changes the draw, the needs or the weights runs long again."""
    stored = read_known(STORED)

    assert all(checksum(draw_family(family, 101)) == stored[family, 101].checksum for family in FAMILIES)


@pytest.mark.long
def test_the_command_writes_figures(tmp_path, moment, monkeypatch):
    monkeypatch.setattr(grouping, "STORED", tmp_path / "known.json")
    day = checksum(draw_family(TINY, 101))
    write_known(tmp_path / "known.json", {(TINY, 101): Known(50.0, 55.0, proven=True, seconds=1.0, checksum=day)})

    code = main(["benchmark", "grouping", "--instances", "1", "--json", str(tmp_path / "g.json")])

    figures = json.loads((tmp_path / "g.json").read_text())
    family, (run, judged) = figures["families"][0], figures["runs"]
    assert code == int(not figures["sound"])
    assert (family["name"], family["students"], judged["budget_s"], run["budget_s"]) == (TINY, 24, 1.0, 0.0)
    assert family["ratio_bk_median"] == family["ratio_bk_least"] == judged["value"] / 50
    assert family["bound_share_median"] == judged["value"] / judged["bound"] < 1
    assert figures["tiny_bound_median"] == 50 / judged["bound"]
    assert figures["tiny_optimal_share"] == 0
    assert 0.5 < figures["need_bound_60_median"] <= 1
    assert 50 < figures["memory_mb"] < 500
    (absence,) = figures["absences"]
    assert absence["forced"] <= absence["fewest"] <= absence["moved"] == figures["absence_moved_share"]


def test_a_better_plan_counts_as_the_best_known():
    problem = draw_family(TINY, 101)
    stored = {(TINY, 101): Known(1.0, 99.0, proven=False, seconds=1.0, checksum=checksum(problem))}

    measured = grouping_measure.measure_day((TINY, 101), stored)

    assert measured.better
    assert measured.known.best == max(run.value for run in measured.runs) > 1.0
    assert measured.known.bound < 99
    assert grouping_measure.is_sound([measured])
    assert not grouping_measure.is_sound([replace(measured, known=replace(measured.known, best=99.0))])


@pytest.mark.long
def test_long_runs_store_only_what_is_better_and_go_on_where_they_were(tmp_path, monkeypatch):
    path, day = tmp_path / "known.json", checksum(draw_family(TINY, 101))
    monkeypatch.setattr(best_known, "PROCESSES", 1)
    before = Known(1.0, 60.0, proven=False, seconds=0.1, checksum=day)
    write_known(path, {(TINY, 101): before, (TINY, 102): replace(before, seconds=9.0, checksum="of another day")})

    improve_known([(TINY, 101), (TINY, 102)], 0.6, path, proof=1)

    found = read_known(path)
    assert 1.0 < found[TINY, 101].best <= found[TINY, 101].bound <= 60.0
    assert found[TINY, 101].seconds == found[TINY, 102].seconds == 0.6
    monkeypatch.setattr(best_known, "run_long", None)  # nothing is left to run
    improve_known([(TINY, 101), (TINY, 102)], 0.6, path, proof=1)
    assert read_known(path) == found


def test_figures_of_another_day_are_refused(tmp_path):
    problem = draw_family(TINY, 101)
    known = {(TINY, 101): Known(1.0, 2.0, proven=False, seconds=1.0, checksum=checksum(problem))}

    with pytest.raises(InputError, match="family '24 x 2' and seed 101 has checksum"):
        look_up(known, (TINY, 101), replace(problem, students_per_monitor=39))

    (tmp_path / "old.json").write_text('{"family": 0, "days": [{"students": 24}]}')
    with pytest.raises(InputError, match="cannot be read as figures"):
        read_known(tmp_path / "old.json")


@pytest.mark.parametrize("option", ["--instances", "--reference"])
def test_nothing_to_measure_is_refused(option):
    with pytest.raises(InputError, match="above 0"):
        main(["benchmark", "grouping", option, "0"])
