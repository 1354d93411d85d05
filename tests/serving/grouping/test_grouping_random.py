"""Random days: whatever comes out keeps every rule, and small ones are held against all possible plans."""

import random
from dataclasses import asdict, replace
from itertools import combinations, product

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from serving.grouping.assignment import assign_students
from serving.grouping.check import RULES, find_violations
from serving.grouping.draft import Draft
from serving.grouping.errors import InfeasibleError
from serving.grouping.gains import best_group, best_possible, most_possible
from serving.grouping.greedy import draft_plan
from serving.grouping.index import Slot
from serving.grouping.layout import index_problem
from serving.grouping.objective import score_plan
from serving.grouping.people import Adult, Contact, MateCount, Need, Student
from serving.grouping.places import Block, Pin, Room, Seat, Skill
from serving.grouping.plan import Session
from serving.grouping.policy import LED, Effect, Modality, Role, SizeBound, Weights, default_modalities
from serving.grouping.problem import Problem
from serving.grouping.solve import suggest_groups

EFFECTS = tuple(Effect(kind, role, 0.9 / (at + 1)) for at, kind in enumerate(LED) for role in Role)


def random_team(seed, *, students=12, adults=4, blocks=2, skills=3, rooms=True, pins=0, ratio=8, sizes=None):
    """Draws a day with absences, accommodations, pairs and history; all odds are meant to reach the edges."""
    draw = random.Random(seed)
    days = [f"b{at}" for at in range(blocks)]
    names = [f"s{at:02}" for at in range(students)]
    roles = [draw.choice(list(Role)) for _ in range(adults)]
    topics = [f"k{at}" for at in range(skills)]
    pairs = list(combinations(names, 2))
    draw.shuffle(pairs)
    some = max(0, students // 4)
    return Problem(
        blocks=tuple(Block(day, day, at) for at, day in enumerate(days)),
        students=tuple(
            Student(
                name,
                frozenset(day for day in days if draw.random() > 0.15),
                draw.random() < 0.15,
                draw.choice(["p", "q", None]),
            )
            for name in names
        ),
        adults=tuple(
            Adult(
                f"t{at}",
                role,
                frozenset(day for day in days if draw.random() > 0.1),
                default_modalities(role, may_lead=draw.random() < 0.5),
                draw.choice([None, None, {topic: draw.uniform(0.3, 1) for topic in topics if draw.random() < 0.7}]),
                draw.choice([None, 2, 5]),
                draw.random() < 0.5,
            )
            for at, role in enumerate(roles)
        ),
        skills=tuple(Skill(topic, topic.upper()) for topic in topics),
        effects=EFFECTS,
        rooms=tuple(Room(f"r{at}", draw.choice([4, 8, 20]), station=draw.random() < 0.2) for at in range(adults + 1))
        if rooms
        else None,
        needs=tuple(
            Need(name, topic, draw.random(), draw.choice([None, 0.5])) for name in names for topic in topics
            if draw.random() < 0.7
        ),
        keep_apart=tuple(pairs[:some]),
        keep_together=tuple(pairs[some : 2 * some]),
        mates=tuple(MateCount(one, other, draw.randint(1, 3)) for one, other in pairs[2 * some : 5 * some]),
        contacts=tuple(Contact(name, f"t{at}", 2) for name in names for at in range(adults) if draw.random() < 0.3),
        previous=tuple(
            draw.choice(
                [Seat(name, day, Modality.ONLINE), Seat(name, day, Modality.TUTORING, draw.choice(topics), "t0")]
            )
            for name in names for day in days if adults and topics and draw.random() < 0.3
        ),
        pins=tuple(
            Pin(
                draw.choice(names),
                draw.choice(days),
                draw.choice([None, None, *LED]),
                draw.choice([None, None, *topics]),
                draw.choice([None, None, *(f"t{at}" for at in range(adults))]),
            )
            for _ in range(pins if students and blocks else 0)
        ),
        sizes=sizes or (SizeBound(LED[0], 3, 8), SizeBound(LED[1], 1, 2), SizeBound(LED[2], 4, 6, tables=2)),
        students_per_monitor=ratio,
    )  # fmt: skip


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    students=st.sampled_from([0, 1, 3, 8, 14, 20]),
    adults=st.integers(0, 5),
    blocks=st.integers(0, 3),
    skills=st.integers(0, 4),
    rooms=st.booleans(),
    pins=st.integers(0, 3),
    ratio=st.sampled_from([4, 8, 30]),
)
def test_a_plan_keeps_every_rule_or_its_absence_names_one(seed, students, adults, blocks, skills, rooms, pins, ratio):
    problem = random_team(
        seed, students=students, adults=adults, blocks=blocks, skills=skills, rooms=rooms, pins=pins, ratio=ratio
    )
    plan, impossible = plan_or_error(problem)

    if plan is None:
        event(f"impossible: {impossible.rules}, proven: {impossible.proven}")
        assert set(impossible.rules) <= {rule.__name__ for rule in RULES}
        assert impossible.sentence.endswith(".")
    else:
        event("possible")
        assert find_violations(problem, plan.sessions) == ()
        assert plan.score == score_plan(problem, plan.sessions)
        assert asdict(suggest_groups(problem)) == asdict(plan)


def plan_or_error(problem):
    try:
        return suggest_groups(problem), None
    except InfeasibleError as error:
        return None, error.conflicts[0]


@pytest.mark.parametrize("seed", range(12))
def test_exact_seats_are_never_worse_than_the_drafted_ones(seed):
    problem = random_team(seed, students=24, adults=5, ratio=30, rooms=False)
    index = index_problem(problem)
    drafted = draft_plan(index).finish()

    seated = assign_students(index, drafted)

    assert seated is not None
    assert find_violations(problem, seated[0]) == ()
    assert score_plan(problem, seated[0]).total >= score_plan(problem, drafted).total - 1e-6


@pytest.mark.parametrize("seed", range(6))
def test_what_a_session_could_add_is_never_more_than_its_bound(seed):
    index = index_problem(random_team(seed, pins=1))
    draft = Draft(index)
    for block in range(len(index.problem.blocks)):
        for round_ in range(2):
            bounds = most_possible(draft, block)
            for at in product(*map(range, bounds.shape)):
                slot = Slot(block, *at)
                if index.adult_in[at[0], block] and index.qualified[at[0], at[2]] > 0:
                    assert best_possible(draft, slot) <= bounds[at] + 1e-9
                    group = best_group(draft, slot) if round_ == 0 else None
                    if group is not None and not draft.leads[at[0], block]:
                        draft.open(slot, group.students)


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
    sizes = (SizeBound(LED[0], 2, 3), SizeBound(LED[1], 1, 1))
    problem = random_team(seed, students=4, adults=3, skills=2, rooms=False, ratio=30, sizes=sizes)
    index = index_problem(problem)
    try:
        drafted = draft_plan(index).finish()
    except InfeasibleError:
        pytest.skip("no adult to watch over anybody")
    # All sessions of the draft, and the station in each block, open to all.
    best = max(score_plan(problem, plan).total for plan in all_seatings(problem, drafted))

    seated = assign_students(index, drafted)

    assert seated is not None
    assert seated[1]
    assert score_plan(problem, seated[0]).total == pytest.approx(best, abs=1e-3)


def all_days(problem):
    """Yields every plan that keeps all rules, block by block; monitors are all who are left and may."""
    days = []
    for block in problem.blocks:
        plans = []
        here = [adult for adult in problem.adults if block.id in adult.blocks]
        acts = [
            [None, *product(sorted(a.modalities - {Modality.ONLINE}), (s.id for s in problem.skills))] for a in here
        ]
        for chosen in product(*acts):
            led = tuple(
                Session(f"{block.id}{a.id}", block.id, act[0], act[1], (a.id,), None, ())
                for a, act in zip(here, chosen, strict=True)
                if act
            )
            free = [a for a, act in zip(here, chosen, strict=True) if not act and Modality.ONLINE in a.modalities]
            watch = tuple(a.id for a in free if a.role is not Role.TEACHER_IN_TRAINING)
            station = Session(f"{block.id}o", block.id, Modality.ONLINE, None, watch, None, ())
            students = tuple(replace(s, blocks=s.blocks & {block.id}) for s in problem.students)
            alone = replace(problem, blocks=(block,), students=students, pins=(), previous=(), adults=tuple(
                replace(a, blocks=a.blocks & {block.id}) for a in problem.adults
            ))  # fmt: skip
            plans += all_seatings(alone, (*led, station))
        days.append(plans)
    for parts in product(*days):
        plan = tuple(session for part in parts for session in part)
        if not find_violations(problem, plan):
            yield plan


@pytest.mark.parametrize("seed", range(12))
def test_no_plan_scores_above_the_best_of_all_plans(seed):
    sizes = (SizeBound(LED[0], 2, 3), SizeBound(LED[1], 1, 1))
    problem = random_team(seed, students=4, adults=2, blocks=2, skills=2, rooms=False, ratio=30, sizes=sizes)
    problem = replace(problem, weights=Weights(load=0.0))
    try:
        total = suggest_groups(problem).score.total
    except InfeasibleError:
        assert next(all_days(problem), None) is None
        return

    best = max(score_plan(problem, plan).total for plan in all_days(problem))

    assert total <= best + 1e-6
    assert total >= best - 0.15 * (1 + abs(best))
