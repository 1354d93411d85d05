"""Seats for one student while nobody else moves: all that the rules allow, with the score impact of each."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from experiments.benchmarks.planner.instances.edge_cases import draw_edge_case
from experiments.benchmarks.planner.instances.team import draw_day
from serving.grouping.changes.seat_options import rank_seat_options, take_seat
from serving.grouping.errors import InfeasibleError, ProblemError
from serving.grouping.problem.people import Need, Student
from serving.grouping.problem.places import Pin
from serving.grouping.problem.policy import SessionType, SizeBound
from serving.grouping.rules.check import find_violations
from serving.grouping.rules.objective import score_plan
from serving.grouping.search.anneal import Budget
from serving.grouping.solve import suggest_groups

QUICK = Budget(rounds=30, bound_rounds=0)


@pytest.fixture
def larger(team):
    """The team with a seventh student, who comes late and needs both skills."""
    late = Student("z", frozenset({"m1", "m2"}))
    needs = (*team.needs, Need("z", "fractions", 0.9, 0.9), Need("z", "ratios", 0.3, 0.5))
    return replace(team, students=(*team.students, late), needs=needs)


def names(options):
    return [option.session.id for option in options]


def test_the_group_on_the_greater_need_comes_first_and_online_last(larger, sessions):
    ranked = rank_seat_options(larger, sessions, "z")

    assert [names(options) for options in ranked.blocks] == [["g1", "o1"], ["g2", "o2"]]
    assert names(ranked.best) == ["g1", "g2"]
    assert find_violations(larger, ranked.sessions) == ()
    assert ranked.blocks[0][0].sentence == (
        "Fractions with lead in 09:00-09:45 (small group, need 0.90), beside 3: gains 0.45: 0.30 more need met "
        "(+0.30), 1 fewer student without a seat with an adult (+0.10), 1.00 more first meetings with "
        "adults (+0.05)."
    )


def test_a_skill_once_a_day_gives_up_the_second_best_place_for_the_best(larger, sessions, swap):
    """Both groups are on fractions; the other one meets less of the need, as its lead knows less of it."""
    adults = swap(larger.adults, "new", skills={"fractions": 0.5})
    needs = (*(need for need in larger.needs if need.skill == "fractions"),)
    twice = replace(larger, adults=adults, needs=needs)
    held = swap(sessions, "g2", skill="fractions")

    ranked = rank_seat_options(twice, held, "z")

    assert [names(options) for options in ranked.blocks] == [["g1", "o1"], ["g2", "o2"]]
    assert names(ranked.best) == ["g1", "o2"]


@pytest.mark.parametrize(
    "change",
    [
        {"keep_apart": (("a", "z"),)},
        {"sizes": (SizeBound(SessionType.SMALL_GROUP, 3, 3),)},
        {"pins": (Pin("z", "m1", SessionType.ONLINE),)},
    ],
)
def test_a_seat_that_a_rule_forbids_is_not_offered(larger, sessions, change):
    ranked = rank_seat_options(replace(larger, **change), sessions, "z", ["m1"])

    assert names(ranked.blocks[0]) == ["o1"]


def test_where_no_station_has_a_place_left_a_free_adult_opens_one(larger, sessions, swap):
    adults = swap(larger.adults, "new", session_types=frozenset(SessionType))
    full = replace(larger, adults=adults, students_per_monitor=3, keep_apart=(("a", "z"),))

    ranked = rank_seat_options(full, sessions, "z", ["m1"])

    (option,) = ranked.blocks[0]
    assert option.opened
    assert (option.session.adults, option.session.room, option.session.students) == (("new",), "two", ("z",))


def test_where_nothing_is_left_there_is_no_seat(larger, sessions):
    busy = replace(larger, students_per_monitor=3, sizes=(SizeBound(SessionType.SMALL_GROUP, 3, 3),))

    ranked = rank_seat_options(busy, sessions, "z")

    assert ranked.blocks[0] == ()
    assert ranked.best is None
    assert ranked.sessions == sessions


def test_who_sits_somewhere_already_may_stay_there(team, sessions, swap):
    four = swap(swap(sessions, "g1", students=("a", "b", "c", "d")), "o1", students=("e", "f"))

    ranked = rank_seat_options(team, four, "a", ["m1"])

    assert names(ranked.blocks[0]) == ["g1", "o1"]
    assert ranked.sessions == four


def test_who_would_leave_a_group_too_small_can_only_stay(team, sessions):
    ranked = rank_seat_options(team, sessions, "b", ["m1"])

    assert names(ranked.blocks[0]) == ["g1"]


def test_an_absent_student_has_no_seat(larger, sessions, swap):
    early = replace(larger, students=swap(larger.students, "z", blocks=frozenset({"m2"})))

    with pytest.raises(ProblemError, match="block: 'm1'"):
        rank_seat_options(early, sessions, "z", ["m1"])


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), rooms=st.booleans(), pins=st.integers(0, 3), who=st.integers(0, 11))
def test_seats_are_all_that_break_no_rule_and_their_impacts_are_differences_of_scores(seed, rooms, pins, who):
    problem = draw_edge_case(seed, rooms=rooms, pins=pins, ratio=30)
    try:
        sessions = suggest_groups(problem, QUICK).sessions
    except InfeasibleError:
        assume(False)
    student = problem.students[who]
    out = tuple(replace(s, students=tuple(name for name in s.students if name != student.id)) for s in sessions)
    out = tuple(session for session in out if session.students)

    ranked = rank_seat_options(problem, sessions, student.id)

    for options in ranked.blocks:
        for option in options:
            plain = take_seat(out, student.id, option)
            assert option.score_impact.points == pytest.approx(
                score_plan(problem, plain).total - score_plan(problem, out).total
            )
    assert all(options for options in ranked.blocks)  # the seats that the student has are among them
    assert find_violations(problem, ranked.sessions) == ()
    for option in (option for options in ranked.blocks for option in options if len(ranked.blocks) == 1):
        assert find_violations(problem, take_seat(sessions, student.id, option)) == ()
    best = -float("inf")
    for chosen in product(*ranked.blocks):
        plan = out
        for option in chosen:
            plan = take_seat(plan, student.id, option)
        if not find_violations(problem, plan):
            best = max(best, score_plan(problem, plan).total)
    assert score_plan(problem, ranked.sessions).total == pytest.approx(best)


def test_every_session_that_a_student_could_join_is_offered():
    problem = draw_day(60, seed=2)
    sessions = suggest_groups(problem, QUICK).sessions
    student = problem.students[0].id
    block = min(problem.students[0].blocks)
    out = tuple(
        replace(s, students=tuple(name for name in s.students if name != student)) if s.block == block else s
        for s in sessions
    )
    open_to = {
        session.id
        for session in out
        if session.block == block
        and not find_violations(
            problem,
            tuple(replace(s, students=(*s.students, student)) if s is session else s for s in out),
        )
    }

    ranked = rank_seat_options(problem, sessions, student, [block])

    assert set(names(ranked.blocks[0])) == open_to
