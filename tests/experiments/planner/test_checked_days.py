"""Made-up days of any kind are planned without a fault, and a fault would be seen."""

import json
from dataclasses import replace

import pytest

from experiments.__main__ import main
from experiments.benchmarks.planner import checked_days
from experiments.benchmarks.planner.any_days import draw_any_day
from experiments.benchmarks.planner.checked_days import judge_day, judge_plan
from experiments.benchmarks.planner.days import draw_day
from features.errors import InputError
from serving.grouping.errors import BrokenPlanError, Conflict, InfeasibleError
from serving.grouping.solve import suggest_groups


def test_the_command_counts_what_became_of_every_day(tmp_path):
    code = main(["benchmark", "odd-days", "--instances", "12", "--json", str(tmp_path / "d.json")])

    told = json.loads((tmp_path / "d.json").read_text())
    assert code == 0
    assert told["outcomes"]["plan"] > 0
    assert told["outcomes"]["refused"] > 0
    assert told["outcomes"]["plan"] + told["outcomes"]["refused"] + told["outcomes"]["unproven"] == 12
    assert told["not_planned_or_refused"] == []


def test_days_differ_in_all_that_a_day_has():
    days = [draw_any_day(seed) for seed in range(60)]

    assert min(len(day.students) for day in days) == 0
    assert max(len(day.students) for day in days) > 30
    assert any(day.rooms is None for day in days)
    assert any(room.blocks is not None for day in days for room in day.rooms or ())
    assert all(any(getattr(day, part) for day in days) for part in ("pins", "coaching", "previous", "keep_apart"))
    assert len({day.weights for day in days}) > 30


def test_a_plan_that_breaks_a_rule_or_exceeds_its_bound_is_seen():
    problem = draw_day(24, seed=1)
    plan = suggest_groups(problem, checked_days.BUDGET)

    assert judge_plan(problem, plan) == ("plan", "")
    assert judge_plan(problem, replace(plan, sessions=plan.sessions[1:]))[0] == "broken"
    assert judge_plan(problem, replace(plan, bound=plan.score.total - 0.1))[0] == "above_bound"


@pytest.mark.parametrize(
    ("error", "outcome", "detail"),
    [
        (InfeasibleError((Conflict(("rooms",), "No room."),)), "refused_wrongly", "rooms"),
        (InfeasibleError((Conflict(("rooms",), "No room.", proven=False),)), "missed", "rooms"),
        (InfeasibleError((Conflict(("colour",), "No."),)), "failed", "a refusal names no rule of the checker: colour"),
        (BrokenPlanError(("rooms",)), "broken", "rooms"),
        (KeyError("b1"), "failed", "KeyError: 'b1' (test_checked_days.py)"),
    ],
)
def test_a_refusal_of_a_day_with_a_plan_and_an_error_are_seen(monkeypatch, error, outcome, detail):
    def fail(*_):
        raise error

    monkeypatch.setattr(checked_days, "suggest_groups", fail)

    judged = judge_day(7, draw_day(24, seed=1))

    assert (judged.seed, judged.students, judged.outcome, judged.detail) == (7, 24, outcome, detail)


def test_no_day_is_refused():
    with pytest.raises(InputError, match="--instances 0 must be above 0"):
        main(["benchmark", "odd-days", "--instances", "0"])
