"""Each term moves the figure it is named for: the same few days, with the term off and high."""

import json

import numpy as np
import pytest

from experiments.__main__ import main
from experiments.benchmarks.planner import term_ablation
from experiments.benchmarks.planner.instances.school_days import LearningTeam, Setting, simulate_days
from experiments.benchmarks.planner.term_ablation import FIGURES, TERMS, mean_of_weeks, measure_weeks
from serving.grouping.search.anneal import Budget

FEW = Budget(rounds=60, seatings=0, bound_rounds=0)


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.name)
def test_a_higher_term_moves_its_figure_the_right_way(term):
    off, _, high = (
        mean_of_weeks(measure_weeks(simulate_days(60, 1, 5, step, FEW)), term.figure) for step in term.steps
    )

    assert high < off if term.lower else high > off


def test_what_is_taught_is_learnt_and_makes_room_for_what_comes_next():
    team = LearningTeam(24, seed=1)
    before, first = team.mastery.copy(), team.draw_problem(0)
    day = simulate_days(24, 1, 1, Setting(), FEW)[0]

    team.learn(first, day.sessions)

    taught = {(student, s.skill) for s in day.sessions if s.led for student in s.students}
    moved = {(f"s{at:03}", f"k{skill:02}") for at, skill in np.argwhere(team.mastery > before).tolist()}
    assert taught == moved
    assert team.mastery.max() < 1
    assert {need.skill for need in team.draw_problem(1).needs} <= {skill.id for skill in first.skills}


def test_the_command_writes_figures(tmp_path, monkeypatch):
    monkeypatch.setattr(term_ablation, "TERMS", TERMS[:1])
    monkeypatch.setattr(term_ablation, "BUDGET", FEW)

    code = main(
        ["benchmark", "term-ablation", "--days", "6", "--students", "24", "--json", str(tmp_path / "d.json")]
    )  # fmt: skip

    figures = json.loads((tmp_path / "d.json").read_text())
    assert code == 0
    assert [(row["term"], row["step"], len(row["weeks"])) for row in figures["rows"]] == [
        ("repeat_groupmates", "off", 2), ("repeat_groupmates", "default", 2), ("repeat_groupmates", "high", 2),
    ]  # fmt: skip
    assert all(row["weeks"][0].keys() == FIGURES.keys() for row in figures["rows"])


@pytest.mark.parametrize(("option", "value"), [("--days", "1"), ("--students", "7")])
def test_what_cannot_be_simulated_is_refused(option, value):
    with pytest.raises(Exception, match=f"{option} is {value}"):
        main(["benchmark", "term-ablation", option, value])
