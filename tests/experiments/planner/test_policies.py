"""Policies compared: the frozen objective on forecasts made by hand, and the comparison on small schools."""

import json
from collections import Counter
from dataclasses import fields
from datetime import date

import pytest

from experiments.__main__ import main
from experiments.benchmarks.planner.days import schools
from experiments.benchmarks.planner.policies.before import (
    SIZES,
    WEIGHTS,
    count_days_in_a_row,
    find_mostly_mastered,
    list_needs_before,
    state_before,
)
from experiments.benchmarks.planner.policies.benchmark import compare_with_each, estimate_mean
from experiments.benchmarks.planner.policies.compare import OURS, Compared, Outcome, hold_days, list_policies
from experiments.benchmarks.planner.policies.learning import LearningLife
from experiments.simulation import SchoolConfig
from experiments.simulation.teaching import Level
from features.roster import PastSession, SkillMap, Team
from serving.grouping import find_violations
from serving.models.forecasts import SkillForecast
from training.config import load_config

pytestmark = pytest.mark.long  # whole benchmarks, if small ones

SKILLS = SkillMap({}, {"b": ("a",), "c": ("b",)})


def forecast(student, skill, risk, mastery, status="not_yet_proficient"):
    return SkillForecast(student, skill, 0, status, risk, mastery, 9, None, recent=True)


def team_of(*members, focus=None, past=()):
    return Team("t", "School", None, members, (), (), (), (), focus or {}, past)


def test_the_frozen_need_is_risk_times_what_is_missing_times_readiness_times_weight():
    known = [
        forecast("s1", "a", 0.5, 0.6),
        forecast("s1", "b", 0.8, 0.25),
        forecast("s1", "c", None, None, "thin_evidence"),
    ]

    needs = {need.skill: need for need in list_needs_before(team_of("s1", focus={"b": 0.9}), SKILLS, known)}

    assert needs["b"].need == pytest.approx(0.8 * 0.75 * 0.6 * 0.9)
    assert needs["a"].need == pytest.approx(0.5 * 0.4 * 1.0 * 0.3)  # outside the unit
    assert needs["c"].need == pytest.approx(0.12 * 0.25 * 0.3)  # no forecast, hardly ready
    assert {need.purpose for need in needs.values()} == {None}
    assert {need.urgent for need in needs.values()} == {0.0}


def test_the_frozen_needs_hold_what_comes_next_and_nothing_that_was_mastered_once():
    known = [forecast("s1", "a", 0.6, 0.4, "review_due")]

    needs = list_needs_before(team_of("s1"), SKILLS, known)

    assert [(need.skill, need.struggle_risk) for need in needs] == [("b", None)]


def past(day, skill, staff="adult"):
    return PastSession(date(2026, 3, day), "t", "mon-1", staff, skill, ("s1",))


def test_the_frozen_cap_counts_over_days_online_and_starts_anew_with_another_skill():
    behind = {"a"}

    assert count_days_in_a_row([past(9, "a"), past(10, "a", None), past(11, "a")], behind) == Counter(s1=2)
    assert count_days_in_a_row([past(9, "a"), past(10, "b"), past(11, "a")], behind)["s1"] == 1


def test_a_skill_that_most_with_evidence_mastered_is_one_to_catch_up_on():
    known = [forecast(f"s{at}", "a", 0.1, 0.9, "proficient") for at in range(3)]
    known += [forecast("s3", "a", 0.9, 0.1), forecast("s4", "a", None, None, "thin_evidence")]

    assert find_mostly_mastered(known) == {"a"}
    assert find_mostly_mastered(known[1:]) == {"a"}
    assert find_mostly_mastered(known[2:]) == set()


def outcome(value):
    return Outcome(**dict.fromkeys((field.name for field in fields(Outcome)), value))


def test_differences_are_ours_less_theirs_school_by_school():
    compared = [
        Compared("demo", seed, Level.MIDDLE, {OURS: [outcome(seed + 2.0)], "random": [outcome(seed)]})
        for seed in range(4)
    ]

    (row,) = compare_with_each(compared)

    assert (row["policy"], row["need_met"], row["need_met_low"], row["need_met_high"]) == ("random", 2.0, 2.0, 2.0)


def test_an_interval_is_students_t_of_differences():
    mean, low, high = estimate_mean([[1.0, 2.0, 3.0]])

    assert mean == 2.0
    assert (mean - low, high - mean) == (pytest.approx(4.3027 / 3**0.5, rel=1e-4),) * 2


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    place = tmp_path_factory.mktemp("models")
    quick = place / "quick.toml"
    quick.write_text("[boosting]\nrounds = 30\n", encoding="utf-8")
    small = SchoolConfig(teams=2, students_per_team=30, weeks=6, skills=16, strands=2, items_per_skill=20)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schools, "DEMO", small)
        schools.train_models(place / "models", load_config(quick))
        yield place / "models"


def test_every_policy_keeps_the_rules_and_its_lessons_reach_the_forecasts(models):
    school = schools.open_school("demo", 3, models)
    for name, policy in list_policies(school.skills).items():
        life = LearningLife(school, Level.MIDDLE)
        held = hold_days(school, life, policy, 2)

        if name != "before":  # whose needs are others; see below
            assert all(not find_violations(day.stated.problem, day.sessions) for day in held)
        taught = {(lesson.taught.student, lesson.taught.skill) for lesson in life.lessons[0]}
        first, second = ({(f.student, f.skill): f for f in day.stated.forecasts} for day in held)
        assert taught
        for pair in taught:
            told = first[pair].opportunities if pair in first else 0
            assert second[pair].opportunities >= told + 3  # the items at the end of a session
        assert held[1].stated.team.focus.keys() <= school.skills.skills.keys()


def test_the_frozen_objective_keeps_people_places_and_rules_of_the_day(models):
    school = schools.open_school("demo", 3, models)
    life = LearningLife(school, Level.MIDDLE)
    (day,) = hold_days(school, life, list_policies(school.skills)["before"], 1)
    stated = day.stated

    before = state_before(stated.problem, stated.team, school.skills, stated.forecasts, stated.day)

    assert not find_violations(before, day.sessions)
    assert (before.weights, set(before.sizes)) == (WEIGHTS, set(SIZES))
    assert (before.blocks, before.adults, before.rooms) == (
        stated.problem.blocks,
        stated.problem.adults,
        stated.problem.rooms,
    )


@pytest.mark.long
def test_the_command_writes_figures(models, tmp_path):
    path = tmp_path / "figures.json"
    options = ["--schools", "2", "--days", "1", "--kind", "demo", "--workers", "1", "--models", str(models)]

    code = main(["benchmark", "policies", *options, "--json", str(path)])

    figures = json.loads(path.read_text(encoding="utf-8"))
    policies = ["random", "score_bands", "clusters", "teacher_greedy", "before"]
    assert [row["policy"] for row in figures["against"]] == policies
    ahead = all(row["need_met_low"] > 0 and row["lowest_quartile_low"] > 0 for row in figures["against"])
    assert code == (0 if ahead else 1)
    assert {row["level"] for row in figures["levels"]} == {"low", "middle", "high"}
    assert len(figures["runs"]) == 2 * 3 * 6
    assert figures["main"] == "need_met"


@pytest.mark.long
def test_outcomes_are_paired_by_seed_and_say_what_they_assume(models, tmp_path, capsys):
    path = tmp_path / "figures.json"
    options = ["--seeds", "2", "--days", "1", "--workers", "1", "--models", str(models), "--json", str(path)]

    code = main(["benchmark", "outcomes", *options])

    figures = json.loads(path.read_text(encoding="utf-8"))
    assert [row["policy"] for row in figures["against"]] == ["random", "score_bands", "clusters", "teacher_greedy"]
    ahead = all(row["skills_a_week_low"] > 0 and row["lowest_quartile_low"] > 0 for row in figures["against"])
    assert code == (0 if ahead else 1)
    for row in figures["against"]:  # a school's figure is the mean over its teams
        of_teams = [team["skills_a_week"] for team in figures["teams"] if team["policy"] == row["policy"]]
        assert len(of_teams) > 1
        assert row["skills_a_week"] == pytest.approx(sum(of_teams) / len(of_teams))
    assert "proves nothing about real children" in figures["assumed"]
    assert "proves nothing about real children" in " ".join(capsys.readouterr().out.split())
    for figure in figures["policies"].values():
        assert figure["lowest_adult_minutes"] >= 0
        assert 0 < figure["gap"] < 1
