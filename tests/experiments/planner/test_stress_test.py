"""Synthetic days of any kind are planned without a fault, and a fault would be seen."""

import json
from dataclasses import replace

import pytest

from experiments.__main__ import main
from experiments.benchmarks.planner import stress_test
from experiments.benchmarks.planner.instances.edge_cases import draw_instance
from experiments.benchmarks.planner.instances.team import draw_day
from experiments.benchmarks.planner.stress_test import verify_day, verify_plan
from features.errors import InputError
from serving.grouping.errors import BrokenPlanError, Conflict, InfeasibleError
from serving.grouping.solve import suggest_groups

pytestmark = pytest.mark.long  # whole benchmarks, if small ones


@pytest.mark.parametrize("instances", [3, pytest.param(60, marks=pytest.mark.long)])
def test_the_command_counts_what_became_of_every_day(tmp_path, instances):
    code = main(["benchmark", "stress-test", "--instances", str(instances), "--json", str(tmp_path / "d.json")])

    figures = json.loads((tmp_path / "d.json").read_text())
    assert code == 0
    assert instances < 12 or min(figures["outcomes"][name] for name in ("plan", "refused")) > 0
    assert sum(figures["outcomes"][name] for name in ("plan", "refused", "unproven")) == instances
    assert figures["not_planned_or_refused"] == []


def test_days_differ_in_all_that_a_day_has():
    days = [draw_instance(seed) for seed in range(60)]

    assert min(len(day.students) for day in days) == 0
    assert max(len(day.students) for day in days) > 30
    assert any(day.rooms is None for day in days)
    assert any(room.blocks is not None for day in days for room in day.rooms or ())
    assert all(any(getattr(day, part) for day in days) for part in ("pins", "coaching", "previous", "keep_apart"))
    assert len({day.weights for day in days}) > 30


def test_a_plan_that_breaks_a_rule_or_exceeds_its_bound_is_seen():
    problem = draw_day(24, seed=1)
    plan = suggest_groups(problem, stress_test.BUDGET)

    assert verify_plan(problem, plan) == ("plan", "")
    assert verify_plan(problem, replace(plan, sessions=plan.sessions[1:]))[0] == "broken"
    assert verify_plan(problem, replace(plan, bound=plan.score.total - 0.1))[0] == "above_bound"


@pytest.mark.parametrize(
    ("error", "outcome", "detail"),
    [
        (InfeasibleError((Conflict(("rooms",), "No room."),)), "refused_wrongly", "rooms"),
        (InfeasibleError((Conflict(("rooms",), "No room.", proven=False),)), "missed", "rooms"),
        (InfeasibleError((Conflict(("color",), "No."),)), "failed", "a refusal names no rule of the checker: color"),
        (BrokenPlanError(("rooms",)), "broken", "rooms"),
        (KeyError("b1"), "failed", "KeyError: 'b1' (test_stress_test.py)"),
    ],
)
def test_a_refusal_of_a_day_with_a_plan_and_an_error_are_seen(monkeypatch, error, outcome, detail):
    def fail(*_):
        raise error

    monkeypatch.setattr(stress_test, "suggest_groups", fail)
    monkeypatch.setattr(stress_test, "PROOF_S", 300.0)  # a busy machine takes longer to find that there is a plan

    verdict = verify_day(7, draw_day(24, seed=1))

    assert (verdict.seed, verdict.students, verdict.outcome, verdict.detail) == (7, 24, outcome, detail)


def test_no_day_is_an_error():
    with pytest.raises(InputError, match="--instances 0 must be above 0"):
        main(["benchmark", "stress-test", "--instances", "0"])
