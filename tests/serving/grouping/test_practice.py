"""Stages, observers, adults' own words and wishes in random days and in days whose right answer is obvious."""

import random
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import event
from hypothesis import strategies as st

from experiments.benchmarks.planner.instances.edge_cases import draw_edge_case
from serving.grouping.changes.repair import repair_plan
from serving.grouping.errors import InfeasibleError, ProblemError
from serving.grouping.exact.wished_rooms import grant_rooms
from serving.grouping.infeasible.concessions import list_graded_constraints, list_soft_constraints
from serving.grouping.infeasible.relaxed_problem import relax
from serving.grouping.problem.people import Coaching, Contact, Need, Wish
from serving.grouping.problem.policy import SessionType, Weights
from serving.grouping.rules.check import find_stage_violations, find_violations
from serving.grouping.rules.objective import score_plan
from serving.grouping.search.anneal import Budget, search_day
from serving.grouping.search.kernel import new_workspace, score_seats
from serving.grouping.search.starts import scale_social
from serving.grouping.solve import find_sessions, suggest_groups
from serving.grouping.state.arrays import build_data
from tests.examples import holds_for
from tests.serving.grouping.search.test_kernel import seats_of

QUICK = Budget(rounds=60)


def draw_practice(seed, students):
    """A random day with stages, observers, marks and wishes."""
    problem = draw_edge_case(seed, students=students, adults=4, skills=3, rooms=seed % 2 == 0, more=seed % 3 == 0)
    draw = random.Random(seed)
    names, adults = [s.id for s in problem.students], [a.id for a in problem.adults]
    skills = [skill.id for skill in problem.skills]
    one, other = draw.sample(adults, 2)
    wishes = {Wish(draw.choice(names), adult=draw.choice(adults)) for _ in range(3)}
    wishes |= {Wish(draw.choice(names), skill=draw.choice(skills)) for _ in range(3)}
    wishes |= {Wish(*draw.sample(names, 2)) for _ in range(4)}
    rooms = [room.id for room in problem.rooms or ()]
    wishes |= {Wish(draw.choice(names), rooms=tuple(draw.sample(rooms, draw.randint(1, 2)))) for _ in rooms[1:]}
    marks = {(name, draw.choice(adults)) for name in names[::3]} - {(c.student, c.adult) for c in problem.contacts}
    return replace(
        problem,
        adults=tuple(replace(adult, stage_most=draw.choice([None, None, 0, 1, 2, 4])) for adult in problem.adults),
        coaching=(Coaching(one, other, draw.randint(0, 2)), Coaching(one, other, draw.randint(1, 2), observes=True)),
        contacts=(*problem.contacts, *(Contact(*mark, 0, known=True) for mark in marks)),
        wishes=tuple(wishes),
        weights=replace(problem.weights, wishes=draw.choice([0.0, 0.02, 0.5]), relationships=draw.choice([0.0, 0.05])),
    )


@holds_for(30, 600, seed=st.integers(0, 10**6), students=st.sampled_from([4, 9, 16]))
def test_a_plan_keeps_stages_and_observers_and_pays_little_for_wishes(seed, students):
    problem = draw_practice(seed, students)
    for constraint in [*list_soft_constraints(problem), *(each.whole for each in list_graded_constraints(problem))]:
        stages = {adult.id: adult.stage_most for adult in problem.adults}
        assert stages.items() <= {a.id: a.stage_most for a in relax(problem, [constraint]).adults}.items()
        assert constraint.remedy
    try:
        plan = suggest_groups(problem, QUICK)
    except InfeasibleError:
        event("no plan")
        return

    event("a plan")
    stages = {adult.id: adult.stage_most for adult in problem.adults}
    for session in plan.sessions:
        most = stages[session.adults[0]]
        assert most is None or (most and (not session.led or len(session.students) <= most))
    assert find_stage_violations(problem, plan.sessions) == find_violations(problem, plan.sessions) == ()
    assert plan.score == score_plan(problem, plan.sessions)
    assert plan.bound >= plan.score.total
    assert plan.need_gain >= (1 - problem.most_social_cost) * plan.most_need_gain - 1e-6
    asked = {roles for pair in problem.coaching if pair.sessions for roles in pair.roles}
    assert {(s.adults[0], other) for s in plan.sessions if s.led for other in s.adults[1:]} <= asked


@pytest.mark.parametrize("seed", range(12))
def test_the_search_counts_wishes_marks_and_observers_as_the_objective_does(seed):
    drawn = draw_practice(seed, 16)
    problem = replace(drawn, wishes=tuple(wish for wish in drawn.wishes if not wish.rooms))  # given after the search
    data = build_data(problem)
    try:
        draft, _ = search_day(data, Budget(rounds=30, seed=seed))
    except InfeasibleError:
        pytest.skip("this day has no plan")

    workspace = new_workspace(data.arrays)
    workspace.touched[:] = True
    score = score_seats(data.arrays, seats_of(data.arrays, draft), workspace)
    assert score == pytest.approx(score_plan(problem, draft.finish()).total)
    alone, workspace.touched[:] = scale_social(data, 0.0), True
    need = score_seats(alone, seats_of(alone, draft), workspace)
    assert need == pytest.approx(score_plan(problem, draft.finish()).need_points)


@pytest.mark.parametrize("most", [1, 2])
def test_a_repair_of_an_edit_goes_not_beyond_a_stage(team, sessions, swap, most):
    staged = replace(team, adults=swap(team.adults, "lead", stage_most=most))

    repair = repair_plan(staged, sessions)

    assert find_stage_violations(staged, sessions)
    assert find_violations(staged, repair.sessions) == ()


def test_an_observer_joins_where_the_other_leads(team):
    asked = replace(
        team,
        coaching=(Coaching("lead", "new", 1, observes=True),),
        adults=tuple(replace(a, in_training=False, certified=True) for a in team.adults),
        weights=Weights(observations=5.0),
    )

    plan = suggest_groups(asked, Budget(rounds=300))

    assert [s.adults for s in plan.sessions if s.led and len(s.adults) > 1] == [("new", "lead")]
    assert next(term.value for term in plan.score.terms if term.name == "observations") == 1
    reason = next(r for r in plan.session_reasons if "co-teaches" in r.sentence)
    assert "lead co-teaches to observe new." in reason.sentence


def test_an_adults_own_word_counts_as_one_meeting(team, sessions):
    def worth(*contacts):
        terms = score_plan(replace(team, contacts=contacts), sessions).terms
        return next(term.value for term in terms if term.name == "relationships")

    student, adult = next((s.students[0], s.adults[0]) for s in sessions if s.led)
    nobody, marked, met = worth(), worth(Contact(student, adult, 0, known=True)), worth(Contact(student, adult, 1))

    assert (nobody - marked, marked) == (0.5, met)
    both = worth(Contact(student, adult, 1, known=True))
    assert marked - both == pytest.approx(1 / 2 - 1 / 3)


def two_of_four(team, **more):
    """Four students with one need each, alike; one adult tutors two of them in the only block."""
    block = team.blocks[:1]
    students = tuple(replace(s, blocks=frozenset({block[0].id})) for s in team.students[:4])
    needs = tuple(Need(s.id, "fractions", 0.5, 0.5) for s in students)
    adults = tuple(
        replace(
            adult,
            blocks=frozenset({block[0].id}),
            session_types=frozenset({kind}),
            certified=True,
            in_training=False,
            coach=None,
        )
        for adult, kind in zip(team.adults[:2], (SessionType.TUTORING, SessionType.ONLINE), strict=True)
    )
    weights = Weights(relationships=0.01, repeat_groupmates=0.0005, load=0.01)
    problem = replace(team, blocks=block, students=students, needs=needs, adults=adults, weights=weights)
    return replace(problem, keep_apart=(), keep_together=(), pins=(), contacts=(), recent_groupmates=(), **more)


@pytest.mark.parametrize("seed", range(3))
def test_wishes_decide_where_needs_are_alike_and_not_where_one_is_greater(team, seed):
    alike = two_of_four(team, wishes=(Wish("d", other="b"),))
    greater = replace(alike, needs=(Need("a", "fractions", 0.9, 0.9), *alike.needs[1:]))

    def tutored(problem):
        plan = suggest_groups(problem, Budget(rounds=200, seed=seed))
        return next(set(s.students) for s in plan.sessions if s.led)

    assert tutored(alike) == {"b", "d"}
    assert "a" in tutored(greater)


def count_wishes(problem, sessions):
    """The value of the term `wishes`."""
    return next(term.value for term in score_plan(problem, sessions).terms if term.name == "wishes")


def list_ways(problem, sessions):
    """Yields the plan with its adult-led sessions in every choice of rooms that keeps the rules."""
    ways = [()]
    for block in {session.block for session in sessions}:
        here = [session for session in sessions if session.block == block]
        taken = {session.room for session in here if not session.led}
        free = [room.id for room in problem.rooms if room.id not in taken]
        led = [session for session in here if session.led]
        ways = [
            (*way, *(replace(s, room=room) for s, room in zip(led, rooms, strict=True)), *set(here) - set(led))
            for way in ways
            for rooms in permutations(free, len(led))
        ]
    return (way for way in ways if not find_violations(problem, way))


@holds_for(15, 200, seed=st.integers(0, 10**6))
def test_rooms_are_given_to_as_many_wishes_as_can_be_and_change_nothing_else(seed):
    problem = draw_edge_case(seed, students=9, adults=3, ratio=9)
    draw = random.Random(seed)
    rooms = [room.id for room in problem.rooms]
    wishes = {Wish(student.id, rooms=(draw.choice(rooms),)) for student in problem.students}
    asked = replace(problem, wishes=tuple(wishes))
    try:
        before = find_sessions(problem, QUICK).sessions
    except InfeasibleError:
        event("no plan")
        return

    event("a plan")
    after = grant_rooms(asked, before)
    assert [replace(session, room=None) for session in after] == [replace(session, room=None) for session in before]
    assert find_violations(asked, after) == ()
    assert score_plan(asked, after).need_points == score_plan(problem, before).need_points
    assert count_wishes(asked, after) == max(count_wishes(asked, way) for way in list_ways(asked, before))


@pytest.mark.parametrize(
    ("wishes", "capacity", "expected"),
    [
        ([("a", "two")], 10, ("two", "one")),  # nobody is there, so that it costs nothing
        ([("a", "two"), ("b", "two"), ("c", "one"), ("d", "two")], 10, ("two", "two")),  # more wish for it
        ([("a", "big"), ("d", "one")], 10, ("one", "one")),  # in the large one is the online work
        ([("a", "two")], 2, ("one", "one")),  # it is too small
    ],
)
def test_a_group_meets_where_most_of_it_wish_to_if_the_room_is_free(team, sessions, swap, wishes, capacity, expected):
    asked = replace(team, rooms=swap(team.rooms, "two", capacity=capacity))
    asked = replace(asked, wishes=tuple(Wish(student, rooms=(room,)) for student, room in wishes))

    placed = grant_rooms(asked, sessions)

    assert tuple(session.room for session in placed if session.led) == expected
    assert grant_rooms(replace(asked, weights=Weights(wishes=0.0)), sessions) == sessions


def test_a_plan_has_the_rooms_wished_for_and_its_bound_holds(team):
    plain = suggest_groups(team, QUICK)
    group = next(session for session in plain.sessions if session.led)
    taken = {session.room for session in plain.sessions if session.block == group.block and not session.led}
    wish = Wish(group.students[0], rooms=tuple({room.id for room in team.rooms} - taken - {group.room}))

    plan = suggest_groups(replace(team, wishes=(wish,)), QUICK)

    assert count_wishes(replace(team, wishes=(wish,)), plan.sessions) == 1
    assert plan.score.need_points == plain.score.need_points
    assert plan.bound >= plan.score.total
    assert (plain.status, plan.status) == ("seats_optimal", "searched")


def test_a_wish_for_a_room_that_the_day_does_not_have_is_refused(team):
    with pytest.raises(ProblemError, match=r"wishes\[0\]\.rooms: 'attic'"):
        replace(team, wishes=(Wish("a", rooms=("attic",)),))
