"""Random days: whatever comes out keeps every rule, and small ones are held against all possible plans."""

from dataclasses import asdict, replace
from itertools import product

import pytest
from hypothesis import event
from hypothesis import strategies as st

from experiments.benchmarks.planner.instances.edge_cases import draw_edge_case
from serving.grouping.errors import InfeasibleError
from serving.grouping.exact.seating import assign_students
from serving.grouping.problem.plan import Session
from serving.grouping.problem.policy import ADULT_LED, SessionType, SizeBound, Weights
from serving.grouping.rules.check import RULES, find_violations
from serving.grouping.rules.objective import score_plan
from serving.grouping.search.anneal import Budget
from serving.grouping.search.bound import bound_day
from serving.grouping.search.greedy import construct_plan
from serving.grouping.solve import suggest_groups
from serving.grouping.state.arrays import build_data
from tests.examples import holds_for

QUICK = Budget(rounds=60)


@holds_for(
    100,
    1000,
    seed=st.integers(0, 10**6),
    students=st.sampled_from([0, 1, 3, 8, 14, 20]),
    adults=st.integers(0, 5),
    blocks=st.integers(0, 3),
    skills=st.integers(0, 4),
    rooms=st.booleans(),
    pins=st.integers(0, 3),
    ratio=st.sampled_from([4, 8, 30]),
    more=st.booleans(),
)
def test_a_plan_keeps_every_rule_or_its_absence_names_one(
    seed, students, adults, blocks, skills, rooms, pins, ratio, more
):
    problem = draw_edge_case(
        seed, students=students, adults=adults, blocks=blocks, skills=skills, rooms=rooms, pins=pins, ratio=ratio,
        more=more,
    )  # fmt: skip
    plan, impossible = plan_or_error(problem)

    if plan is None:
        event(f"impossible: {impossible.rules}, proven: {impossible.proven}")
        assert set(impossible.rules) <= {rule.__name__ for rule in RULES}
        assert impossible.sentence.endswith(".")
    else:
        event("possible")
        assert find_violations(problem, plan.sessions) == ()
        assert plan.bound >= plan.score.total
        assert 0 <= plan.proven_share <= 1
        assert plan.score == score_plan(problem, plan.sessions)
        assert asdict(suggest_groups(problem, QUICK)) == asdict(plan)


def plan_or_error(problem):
    try:
        return suggest_groups(problem, QUICK), None
    except InfeasibleError as error:
        return None, error.conflicts[0]


@pytest.mark.parametrize("seed", range(12))
def test_exact_seats_are_never_worse_than_the_drafted_ones(seed):
    problem = draw_edge_case(seed, students=24, adults=5, ratio=30, rooms=False, more=seed % 2 == 0)
    data = build_data(problem)
    try:
        drafted = construct_plan(data, data.arrays).finish()
    except InfeasibleError:
        pytest.skip("this day has no plan")

    seated = assign_students(data, drafted)

    assert seated is not None
    assert find_violations(problem, seated[0]) == ()
    assert score_plan(problem, seated[0]).total >= score_plan(problem, drafted).total - 1e-6


def all_seatings(problem, sessions):
    """Yields every way to seat students in the led sessions of a plan, online for the rest, that keeps all rules."""
    places = [
        (student, block.id) for block in problem.blocks for student in problem.students if block.id in student.blocks
    ]
    choices = [[s for s in sessions if s.block == block] for _, block in places]
    for chosen in product(*choices):
        seats = {session.id: [] for session in sessions}
        for (student, _), session in zip(places, chosen, strict=True):
            seats[session.id].append(student.id)
        plan = tuple(replace(s, students=tuple(seats[s.id])) for s in sessions if seats[s.id])
        if all(seats[s.id] for s in sessions if s.led) and not find_violations(problem, plan):
            yield plan


@pytest.mark.parametrize("seed", range(20))
def test_seats_are_the_best_of_all_seatings(seed):
    sizes = (SizeBound(ADULT_LED[0], 2, 3), SizeBound(ADULT_LED[1], 1, 1))
    more = seed % 2 == 0
    problem = draw_edge_case(seed, students=4, adults=3, skills=2, rooms=False, ratio=30, sizes=sizes, more=more)
    data = build_data(problem)
    try:
        drafted = construct_plan(data, data.arrays).finish()
    except InfeasibleError:
        pytest.skip("no adult to supervise anybody")
    # All sessions of the draft, and the station in each block, open to as many as the draft has in each.
    sizes = {session.id: len(session.students) for session in drafted}
    seatings = (plan for plan in all_seatings(problem, drafted) if all(len(s.students) == sizes[s.id] for s in plan))
    best = max(score_plan(problem, plan).total for plan in seatings)

    seated = assign_students(data, drafted)

    assert seated is not None
    assert seated[1]
    assert score_plan(problem, seated[0]).total == pytest.approx(best, abs=1e-3)


BESIDE = "beside"


def all_days(problem):
    """Yields every plan that keeps all rules, block by block; monitors are all who are left and may."""
    days = []
    for block in problem.blocks:
        plans = []
        here = [adult for adult in problem.adults if block.id in adult.blocks]
        acts = [
            [
                None,
                *product(sorted(a.session_types - {SessionType.ONLINE}), (s.id for s in problem.skills)),
                *((BESIDE, b.id) for b in here if any({a.id, b.id} == {p.coach, p.trainee} for p in problem.coaching)),
            ]
            for a in here
        ]
        for chosen in product(*acts):
            beside = {a.id: act[1] for a, act in zip(here, chosen, strict=True) if act and act[0] is BESIDE}
            led = tuple(
                Session(
                    f"{block.id}{a.id}", block.id, act[0], act[1],
                    (a.id, *(name for name, lead in beside.items() if lead == a.id)), None, (),
                )
                for a, act in zip(here, chosen, strict=True)
                if act and a.id not in beside
            )  # fmt: skip
            if not set(beside.values()) <= {session.adults[0] for session in led}:
                continue
            free = [a for a, act in zip(here, chosen, strict=True) if not act and SessionType.ONLINE in a.session_types]
            watchers = {tuple(a.id for a in free if not a.trainee), tuple(a.id for a in free)}
            students = tuple(replace(s, blocks=s.blocks & {block.id}) for s in problem.students)
            alone = replace(problem, blocks=(block,), students=students, pins=(), previous=(), adults=tuple(
                replace(a, blocks=a.blocks & {block.id}) for a in problem.adults
            ))  # fmt: skip
            for watch in sorted(watchers):
                station = Session(f"{block.id}o", block.id, SessionType.ONLINE, None, watch, None, ())
                plans += all_seatings(alone, (*led, station))
        days.append(plans)
    for parts in product(*days):
        plan = tuple(session for part in parts for session in part)
        if not find_violations(problem, plan):
            yield plan


@pytest.mark.parametrize("more", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_a_tiny_day_gets_the_best_of_all_plans_and_the_bound_is_above_it(seed, more):
    sizes = (SizeBound(ADULT_LED[0], 2, 3), SizeBound(ADULT_LED[1], 1, 1))
    problem = draw_edge_case(
        seed, students=4, adults=2, blocks=2, skills=2, rooms=False, ratio=30, sizes=sizes, more=more
    )
    problem = replace(problem, weights=Weights(load=0.0))
    try:
        plan = suggest_groups(problem, Budget(rounds=2000))
    except InfeasibleError:
        assert next(all_days(problem), None) is None
        return

    best = max(score_plan(problem, plan).total for plan in all_days(problem))

    assert plan.score.total <= best + 1e-6
    assert plan.score.total >= best - 1e-3
    assert plan.bound >= best - 1e-9
    exact = bound_day(build_data(problem).arrays, best, rounds=20, exact=20)
    assert best - 1e-9 <= exact
