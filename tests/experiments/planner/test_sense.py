"""The sense benchmark: its judge on a day that can be checked by eye, teacher-greedy's rules, and days in a row."""

import json
from dataclasses import replace
from datetime import date
from itertools import pairwise
from types import SimpleNamespace

import pytest

from experiments.__main__ import main
from experiments.benchmarks.planner.days import schools
from experiments.benchmarks.planner.days.judge import (
    find_longest_without,
    find_most_served,
    find_never_served,
    find_urgent,
    judge_day,
    summarize,
)
from experiments.benchmarks.planner.days.run import HeldDay, StatedDay, plan_as_served, run_days
from experiments.benchmarks.planner.days.teacher_greedy import LEADS, plan_greedily
from experiments.benchmarks.planner.instances.edge_cases import draw_edge_case
from experiments.benchmarks.planner.instances.team import draw_day
from experiments.benchmarks.planner.sense import PLANNED
from experiments.benchmarks.registry import SCHOOLS
from experiments.simulation import SchoolConfig
from features.roster import Team
from serving.grouping import (
    ADULT_LED,
    Adult,
    Block,
    Budget,
    Effect,
    InfeasibleError,
    Need,
    Problem,
    Purpose,
    Role,
    Session,
    SessionType,
    Skill,
    Student,
    find_violations,
)
from serving.models.forecasts import SkillForecast
from serving.plans.need.needs import Candidate
from training.config import load_config

pytestmark = pytest.mark.long  # whole benchmarks, if small ones

FEW = Budget(rounds=60, seatings=1, bound_rounds=0)
SMALL_GROUP, ONLINE = SessionType.SMALL_GROUP, SessionType.ONLINE


def forecast(student, skill, risk, status="not_yet_proficient"):
    return SkillForecast(student, skill, 0, status, risk, 0.5, 9, None, recent=True)


def problem_of(needs, students="abcdef", adults="xy"):
    morning = frozenset({"m"})
    return Problem(
        blocks=(Block("m", "09:00-09:45", 0),),
        students=tuple(Student(name, morning) for name in students),
        adults=tuple(Adult(name, Role.TEACHER_LEADER, morning, frozenset(SessionType)) for name in adults),
        skills=(Skill("add", "Add"), Skill("tell", "Tell"), Skill("new", "New")),
        effects=tuple(Effect(kind, Role.TEACHER_LEADER, 0.5) for kind in ADULT_LED),
        needs=tuple(Need(*need, purpose=Purpose.RETEACH) for need in needs),
    )


@pytest.fixture
def held():
    """Six students; a to d are in trouble with adding, e with telling, and f lost adding; c, d and f get a teacher."""
    needs = [(name, "add", 0.9, 0.9) for name in "abcd"] + [("f", "add", 0.2, 0.2), ("e", "tell", 0.6, 0.6)]
    problem = problem_of([*needs, ("e", "new", 0.1, None), ("b", "tell", 0.3, 0.4)])
    facts = [forecast(name, "add", 0.9) for name in "abcd"]
    facts += [forecast("f", "add", 0.2, "review_due"), forecast("e", "tell", 0.6), forecast("b", "tell", 0.4)]
    team = Team("t", "school", None, tuple("abcdef"), (), (), (), (), {"add": 1.0}, ())
    candidates = tuple(Candidate(need, None) for need in problem.needs)
    stated = StatedDay(0, date(2026, 3, 16), team, facts, candidates, problem, ())
    sessions = (
        Session("1", "m", SMALL_GROUP, "add", ("x",), None, ("c", "d", "f")),
        Session("2", "m", ONLINE, None, ("y",), None, ("a", "b", "e")),
    )
    return HeldDay(stated, sessions)


def test_the_judge_counts_what_can_be_counted_by_eye(held):
    figures = judge_day(held, FEW)

    assert figures.urgent == {*((name, "add") for name in "abcd"), ("e", "tell")}
    assert figures.in_need == figures.urgent | {("f", "add")}
    assert figures.served == {(name, "add") for name in "cdf"}
    assert (figures.led_seats, figures.listed, figures.broken) == (3, 5, 0)
    assert (figures.servable, figures.greedy) == (5, 5)  # x takes the four of adding while y tutors e
    assert figures.with_adult == figures.in_group == set("cdf")
    assert figures.sizes == (("reteach", 3),)
    assert figures.false_sentences is None
    assert not figures.refused


def test_needs_that_leave_an_urgent_pair_out_do_not_hide_it(held):
    stated = held.stated
    fewer = tuple(need for need in stated.problem.needs if need.student != "e")
    stated = replace(stated, problem=replace(stated.problem, needs=fewer))

    figures = judge_day(replace(held, stated=stated), FEW)

    assert ("e", "tell") in figures.urgent
    assert (len(figures.urgent), figures.listed, figures.servable) == (5, 4, 4)


def test_who_is_away_has_no_urgent_pair(held):
    away = tuple(replace(s, blocks=frozenset()) if s.id == "a" else s for s in held.stated.problem.students)
    stated = replace(held.stated, problem=replace(held.stated.problem, students=away))

    assert {student for student, _ in find_urgent(stated)} == set("bcde")


def test_a_skill_not_begun_counts_outside_the_current_unit_alone(held):
    new = Session("3", "m", SessionType.TUTORING, "new", ("y",), None, ("e",))
    in_unit = replace(held.stated, team=replace(held.stated.team, focus={"new": 1.0}))
    with_new = replace(held, sessions=(*held.sessions[:1], new))

    assert judge_day(with_new, FEW).not_begun == 1
    assert judge_day(replace(with_new, stated=in_unit), FEW).not_begun == 0


def test_the_row_of_a_school_adds_its_days_up(held):
    day = judge_day(held, FEW, lambda problem, plan: 1)  # the day has no plan with reasons
    last = replace(day, served=frozenset(), with_adult=frozenset())
    row = summarize("demo", 3, [replace(day, in_group=day.present), last])

    assert row["seats_on_need_share"] == 3 / 6
    assert row["urgent_pairs_served_share"] == row["urgent_pairs_servable_share"] == 2 / 10
    assert row["greedy_served_share"] == 1
    assert row["day15_of_day1"] == 0
    assert row["in_need_served_share"] == 3 / 12
    assert row["never_served"] == 3
    assert (row["days_without_adult_longest"], row["days_without_group_longest"]) == (2, 1)
    assert row["false_sentences"] is None
    assert row["group_size_median"] == {"reteach": 3}


def test_days_without_an_adult_are_counted_over_days_there():
    days = [("ab", "b"), ("b", "b"), ("ab", ""), ("ab", "a")]

    longest = find_longest_without((frozenset(present), frozenset(seated)) for present, seated in days)

    assert longest == 2  # a on the first and third day, away between; b on the last two


def test_never_served_are_those_who_were_urgent_on_some_day():
    first = SimpleNamespace(urgent={("a", "add"), ("b", "add"), ("b", "tell")}, served={("b", "tell")})
    second = SimpleNamespace(urgent={("c", "add")}, served=set())

    assert find_never_served([first, second]) == {"a", "c"}


def test_false_sentences_are_counted_where_a_plan_says_why(held):
    sessions, plan = plan_as_served(FEW)(held.stated)

    figures = judge_day(HeldDay(held.stated, sessions, plan), FEW, lambda problem, plan: len(plan.seat_reasons))

    assert figures.false_sentences == len(plan.seat_reasons) > 0


def test_the_most_served_is_that_of_every_way_to_seat_a_tiny_day():
    """Two adults, of whom one must watch: the best single group takes all who share the commonest urgent skill."""
    for seed in range(8):
        needs = [(s, k, 0.5, 0.6) for at, s in enumerate("abcdef") for j, k in enumerate(("add", "tell", "new"))
                 if (seed + 3 * at + 5 * j) % 7 < 3]  # fmt: skip
        problem = replace(problem_of(needs), students_per_monitor=6)
        urgent = frozenset((student, skill) for student, skill, *_ in needs)
        by_skill = [sum(pair[1] == skill for pair in urgent) for skill in ("add", "tell", "new")]
        single = max(by_skill)
        everybody = {s for s, _ in urgent} == set("abcdef")

        most = find_most_served(problem, urgent, FEW)

        # both may lead only where nobody is left to watch
        assert most == single or (most == 6 and everybody)


@pytest.mark.parametrize("seed", range(40))
def test_teacher_greedy_keeps_every_rule(seed):
    drawn = draw_edge_case(seed, students=14, blocks=3, ratio=15) if seed % 2 else draw_day(24, seed)
    skills = frozenset(skill.id for skill in drawn.skills[: seed % 5]) if seed % 3 else None
    problem = replace(
        drawn,
        pins=(),
        blocks=(replace(drawn.blocks[0], skills=skills), *drawn.blocks[1:]),
        adult_exclusions=tuple(
            (student.id, adult.id) for student, adult in zip(drawn.students, drawn.adults * 9, strict=False)
        ),
        needs=tuple(replace(need, purpose=list(Purpose)[at % 6]) for at, need in enumerate(drawn.needs)),
    )
    urgent = {(need.student, need.skill) for need in problem.needs if (need.struggle_risk or 0) >= 0.5}

    try:
        sessions = plan_greedily(problem, urgent, 6)
    except InfeasibleError:
        assert seed % 2, "a team's usual day can be supervised"
        return

    assert find_violations(problem, sessions) == ()
    led = [session for session in sessions if session.led]
    assert all(len(session.students) <= 6 for session in led)
    if not seed % 2:
        assert led
        assert max(sum(session.block == block.id for session in led) for block in problem.blocks) <= LEADS


def test_teacher_greedy_begins_with_the_most_urgent_skill(held):
    problem, urgent = held.stated.problem, find_urgent(held.stated)

    first = next(session for session in plan_greedily(problem, urgent, 5) if session.led)

    assert (first.skill, first.students) == ("add", tuple("abcdf"))


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    place = tmp_path_factory.mktemp("models")
    quick = place / "quick.toml"
    quick.write_text("[boosting]\nrounds = 30\n", encoding="utf-8")
    small = SchoolConfig(teams=2, students_per_team=40, weeks=6, skills=24, strands=3, items_per_skill=20)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schools, "DEMO", small)
        schools.train_models(place / "models", load_config(quick))
        yield place / "models"


def test_what_was_held_is_the_history_of_the_next_day(models):
    school = schools.open_school("thin_evidence", 2, models)
    days = list(run_days(school, plan_as_served(FEW), 6))

    assert [day.stated.day for day in days] == [*(date(2026, 3, 16 + at) for at in range(5)), date(2026, 3, 23)]
    for before, after in pairwise(days):
        new = set(after.stated.team.past_sessions) - set(before.stated.team.past_sessions)
        assert {(s.block_id, s.staff_id, s.skill_id, s.students) for s in new if s.staff_id} == {
            (s.block, s.adults[0], s.skill, s.students) for s in before.sessions if s.led
        }
        assert after.stated.problem.contacts
        assert not find_violations(after.stated.problem, after.sessions)
    begun = {past.date for past in days[0].stated.team.past_sessions}
    assert min(begun) >= date(2026, 3, 4)  # ten days before the first
    assert any(len(student.blocks) == 0 for day in days for student in day.stated.problem.students)


def test_an_open_room_keeps_its_groups_for_a_week(models):
    school = schools.open_school("open_room", 1, models)
    days = list(run_days(school, plan_as_served(PLANNED), 7))

    def groups(day):
        return {(s.block[-1], s.adults[0], s.skill) for s in day.sessions if s.led}

    assert len(school.team.rooms) == 1
    assert not any(find_violations(day.stated.problem, day.sessions) for day in days)
    kept = [len(groups(one) & groups(other)) / len(groups(one)) for one, other in pairwise(days)]
    assert sum(kept[:4]) / 4 > 0.8
    assert kept[4] < 0.5  # a new week


def test_the_command_writes_figures(models, tmp_path):
    path = tmp_path / "figures.json"
    options = ["--seeds", "1", "--days", "1", "--kind", "demo", "--models", str(models)]

    code = main(["benchmark", "sense", *options, "--json", str(path)])

    figures = json.loads(path.read_text(encoding="utf-8"))
    (row,) = figures["schools"]
    assert code == 0
    assert (row["kind"], row["seed"], row["days"], row["rules_broken"]) == ("demo", 1, 1, 0)
    assert 0 < row["urgent_pairs_servable_share"] <= 1
    assert row["false_sentences"] == 0
    assert [kind["kind"] for kind in figures["kinds"]] == ["demo"]


def test_the_kinds_are_those_that_can_be_opened():
    assert tuple(schools.KINDS) == SCHOOLS
