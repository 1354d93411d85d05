"""The replay of past days, on answers made by hand, and the command on a small made-up log."""

import json
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from experiments.__main__ import main
from experiments.benchmarks.forecasts.data.datasets import DATA_SETS, STARTS, to_log
from experiments.benchmarks.replay import benchmark
from experiments.benchmarks.replay.benchmark import REPORTED, state_morning
from experiments.benchmarks.replay.measure import (
    Reached,
    Seat,
    describe_seats,
    find_reached,
    in_small_groups,
    measure_served,
    weigh_draws,
)
from experiments.benchmarks.replay.mornings import Morning, find_facts, know_mornings, list_school_days
from experiments.benchmarks.replay.policies import OURS, Choices, find_rested, list_policies, state_by_facts
from experiments.benchmarks.replay.strugglers import Practice, Struggler, find_strugglers
from experiments.benchmarks.replay.teams import find_teams, staff_teams
from features.errors import InputError
from features.roster import PastSession, Team
from serving.grouping import SessionType, find_violations
from training.config import load_config

LOG = DATA_SETS["assistments-2012"]
DAY_S = 86_400
MONDAY = pd.Timestamp("1970-01-05", tz="UTC")


def log_of(*answers):
    """A log of (student, day, skill, right) in order; each answer a second after the one before, from eight o'clock."""
    rows = [
        {
            "user_id": user,
            "item_id": at,
            "timestamp": day * DAY_S + 8 * 3600 + 60 * at,
            "correct": right,
            "skill_id": skill,
        }
        for at, (user, day, skill, right) in enumerate(answers)
    ]
    return to_log(LOG, pd.DataFrame(rows))


def moment(day, hour=0):
    return (day * 24 + hour) * 3600 * 1_000_000


def seat(student, skill, day, *, hour=8.5, adult="a", session="s", kind=SessionType.SMALL_GROUP, team="t"):
    return Seat(team, day, moment(day, hour), session, kind, adult, student, skill)


def test_a_struggler_is_certain_with_the_tenth_answer_without_three_in_a_row():
    stuck = [(1, 4 + at // 4, 7, at % 2) for at in range(10)]
    rescued = [(2, 4, 7, right) for right in (0, 0, 1, 1, 1, 0, 0, 0, 0)]
    log = log_of(*stuck, *rescued)

    found, practice = find_strugglers(log.events, log.item_skills, load_config().mastery_rule, moment(5), moment(7))

    (struggler,) = found
    assert struggler.pair == ("1", "7")
    assert [datetime.fromtimestamp(at / 1e6, UTC).day - 1 for at in (struggler.begun, struggler.limit)] == [4, 6]
    assert practice["1", "7"].count_between(moment(6), struggler.limit) == 2
    assert practice["2", "7"].fails_after(moment(4)) is True
    assert practice["2", "7"].fails_after(moment(5)) is None


def test_who_is_certain_before_the_first_seat_or_after_the_last_does_not_count():
    log = log_of(*[(1, 4 + at // 4, 7, 0) for at in range(10)])

    for first, last in ((moment(7), moment(9)), (moment(1), moment(6))):
        assert not find_strugglers(log.events, log.item_skills, load_config().mastery_rule, first, last)[0]


def test_a_seat_counts_on_the_same_skill_before_the_limit():
    strugglers = [Struggler((student, "k"), 0, moment(2, 12)) for student in ("on time", "late", "elsewhere")]
    times = np.array([moment(day, hour) for day in range(3) for hour in (10, 12)])
    practice = {one.pair: Practice(times, np.zeros(6, bool)) for one in strugglers}
    seats = [seat("on time", "k", 1), seat("on time", "k", 2), seat("late", "k", 2, hour=13), seat("elsewhere", "j", 1)]

    found = find_reached(seats, strugglers, practice)

    assert found.served.tolist() == [1, 0, 0]
    assert found.lead[0] == 4


def test_equal_policies_have_a_ratio_of_one_and_a_surely_better_one_is_above():
    strugglers = [Struggler((str(at % 40), "k"), 0, 1) for at in range(200)]
    weights = weigh_draws(strugglers, np.arange(200) % 9, seed=1)
    half = Reached((np.arange(200) % 2).astype(float), np.zeros(200))
    full = Reached(np.ones(200), np.zeros(200))

    rows, same = measure_served({OURS: half, "other": half}, weights)
    _, better = measure_served({OURS: full, "other": half, "worse": Reached(0 * half.served, half.lead)}, weights)

    assert same["ratio"] == {"over": "other", "value": 1.0, "low": 1.0, "high": 1.0}
    assert rows[OURS]["low"] < 0.5 < rows[OURS]["high"]
    assert better["ratio"]["over"] == "other"
    assert better["ratio"]["value"] == 2.0
    assert better["ratio"]["low"] > 1


def test_draws_take_each_student_and_each_day_once_on_average():
    strugglers = [Struggler((str(at), "k"), 0, 1) for at in range(30)]

    weights = weigh_draws(strugglers, np.arange(30) % 5, seed=2)

    assert weights.mean() == pytest.approx(1.0, abs=0.05)
    assert (weights >= 0).all()


def test_what_seats_are_like():
    seats = [
        seat("x", "k", 0), seat("y", "k", 0),
        seat("x", "k", 1), seat("y", "k", 1, adult="a"),
        seat("x", "j", 2, adult="b", kind=SessionType.COLLABORATIVE),
    ]  # fmt: skip
    practice = {("x", "k"): Practice(np.array([moment(1, 9)]), np.array([False]))}

    found = describe_seats(seats, practice, students=2, days=4)

    assert found["purity"] == 1.0  # both seats of x before the one answer, which is wrong
    assert found["coverage"] == pytest.approx(5 / 8)
    assert found["churn"] == pytest.approx(1 / 3)
    assert found["repeat_groupmates"] == 0.5
    assert found["continuity"] == pytest.approx(2 / 3)
    assert found["group_size"] == pytest.approx(5 / 3)
    assert len(in_small_groups(seats)) == 4


def test_facts_are_of_what_was_practiced_lately():
    log = log_of((1, 4, 7, 1), (1, 4, 7, 0), (1, 5, 7, 0), (1, 5, 7, 0), (1, 5, 7, 1), (1, 5, 7, 0), (1, 4, 8, 1))

    facts = find_facts(log.events, pd.Timestamp(6, unit="D", tz="UTC"))
    later = find_facts(log.events, pd.Timestamp(6, unit="D", tz="UTC") + timedelta(days=27))

    assert facts["1", "7"].last_score == 0.25
    assert (facts["1", "7"].wrong, facts["1", "7"].wrong_in_a_row) == (4, 1)
    assert facts["1", "8"].wrong_in_a_row == 0
    assert later.keys() == {("1", "7")}


def practice_like_classes(classes, students, days, seed=0):
    """Each class has a skill a day, on which its students answer six times; one in three is mostly wrong."""
    random = np.random.default_rng(seed)
    for day in days:
        for number in range(classes):
            skill = 10 * number + day // 7 % 5
            for student in range(students):
                if random.random() < 0.7:
                    ease = 0.35 if student % 3 == 0 else 0.8
                    for _ in range(6):
                        yield number * students + student, day, skill, int(random.random() < ease)


def test_teams_are_students_who_practiced_alike():
    log = log_of(*practice_like_classes(2, 60, [day for day in range(4, 25) if day % 7 not in (2, 3)]))
    first = pd.Timestamp(28, unit="D", tz="UTC")

    teams = find_teams(log.events, first, 2, seed=3)

    assert {tuple(sorted(int(student) // 60 for student in team)) for team in teams} == {(0,) * 60, (1,) * 60}
    with pytest.raises(InputError, match="ask for 2 teams at most"):
        find_teams(log.events, first, 3, seed=3)


def test_no_morning_knows_a_later_answer():
    """The same forecasts and facts whatever is answered from the first day on, and on the second from then on."""
    log = log_of(*practice_like_classes(1, 60, [4, 5, 6, 7, 8, 11, 12]))
    staffed = staff_teams([tuple(str(student) for student in range(60))], blocks=1)
    days = list_school_days(log.events, pd.Timestamp(11, unit="D", tz="UTC"), 2)
    config = load_config()
    config = config.model_copy(update={"boosting": config.boosting.model_copy(update={"rounds": 5})})

    def know(events):
        return know_mornings(events, log.item_skills, staffed, days, 60, config)[0]

    def turn_from(day):
        late = log.events["occurred_at"] >= day
        return log.events.assign(correct=log.events["correct"] ^ late)

    known, first, second = know(log.events), know(turn_from(days[0])), know(turn_from(days[1]))

    assert known[0].facts
    assert known[0].forecasts
    assert first[0] == known[0]
    assert first[1] != known[1]
    assert second == known


def test_every_policy_keeps_the_rules():
    log = log_of(*practice_like_classes(1, 60, [4, 5, 6, 7, 8]))
    (team,) = staff_teams([tuple(str(student) for student in range(60))], blocks=1)
    day = list_school_days(log.events, MONDAY, 4)[3]
    morning = Morning(day, (), find_facts(log.events[log.events["occurred_at"] < day], day))
    stated = state_morning(team, morning, 3)

    for name, plan in list_policies(Choices()).items():
        sessions = plan(stated, morning)

        if name == OURS or "teacher_greedy" in name:  # without forecasts they have nothing to plan by
            continue
        problem = state_by_facts(stated.problem, morning.facts)
        assert not find_violations(problem, sessions), name
        assert any(session.led for session in sessions), name


def test_who_had_a_seat_in_the_last_school_days_rests():
    past = tuple(
        PastSession(date(2026, 3, day), "t", "b", "a", "k", (student,)) for day, student in ((9, "x"), (11, "y"))
    )
    team = Team("t", "School", None, ("x", "y"), (), (), (), (), {}, past)

    assert find_rested(team, 1) == {("y", "k")}
    assert find_rested(team, 2) == {("y", "k"), ("x", "k")}
    assert find_rested(team, 0) == set()


@pytest.mark.long
def test_the_command_writes_figures_and_goes_on_from_what_was_kept(tmp_path, monkeypatch):
    first = (REPORTED - STARTS["assistments-2012"]).days
    log = list(practice_like_classes(2, 60, [day for day in range(first - 40, first + 12) if day % 7 > 1]))
    rows = pd.DataFrame(log, columns=["user_id", "day", "skill_id", "correct"])
    rows["timestamp"] = rows["day"] * DAY_S + 9 * 3600 + rows.groupby(["user_id", "day"]).cumcount() * 60
    rows["item_id"] = rows["skill_id"] * 100 + rows.index % 40
    (tmp_path / "logs").mkdir()
    rows.drop(columns="day").to_parquet(tmp_path / LOG.file)
    quick, path = tmp_path / "quick.toml", tmp_path / "figures.json"
    quick.write_text("[boosting]\nrounds = 20\n", encoding="utf-8")
    options = ["--teams", "2", "--days", "3", "--workers", "1", "--data", str(tmp_path), "--config", str(quick)]
    command = ["benchmark", "replay", "--dataset", LOG.name, *options, "--keep", str(tmp_path / "kept")]

    code = main([*command, "--json", str(path)])

    figures = json.loads(path.read_text(encoding="utf-8"))
    assert [row["policy"] for row in figures["policies"]] == list(list_policies(Choices()))
    assert figures["days"] == ["2013-02-04", "2013-02-05", "2013-02-06"]
    assert figures["strugglers"] > 0
    assert all(0 <= row["low"] <= row["strugglers_served"] <= row["high"] <= 1 for row in figures["policies"])
    assert code == (0 if figures["ratio"]["low"] > 1 else 1)
    for name in ("know_mornings", "plan_team"):
        monkeypatch.setattr(benchmark, name, lambda *_: pytest.fail("what was kept is made again"))
    assert main([*command, "--json", str(tmp_path / "again.json")]) == code
    assert json.loads((tmp_path / "again.json").read_text(encoding="utf-8")) == figures
    with pytest.raises(
        InputError, match="--days 30 is more than the 10 school days of assistments-2012 from 2013-02-04"
    ):
        main([*command, "--days", "30"])


def test_a_log_without_a_clock_has_no_days():
    with pytest.raises(InputError, match="pykt-assist2015 has no clock"):
        main(["benchmark", "replay", "--dataset", "pykt-assist2015"])
