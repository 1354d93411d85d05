"""Days with hardly enough rooms and adults: a plan comes out exactly where one exists, or the rules that leave none."""

import random
from collections import Counter, defaultdict
from dataclasses import replace
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import event
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import dok_array

from experiments.benchmarks.planner.instances.edge_cases import default_session_types
from serving.grouping.errors import InfeasibleError
from serving.grouping.exact import blocks as exact_blocks
from serving.grouping.problem.people import Adult, Need, Student
from serving.grouping.problem.places import Block, Pin, Room, Skill
from serving.grouping.problem.policy import ADULT_LED, Effect, Role, SessionType, SizeBound
from serving.grouping.problem.problem import Problem
from serving.grouping.rules.check import RULES, find_violations
from serving.grouping.search.anneal import Budget
from serving.grouping.solve import suggest_groups
from tests.examples import holds_for

FEW = Budget(rounds=20, bound_rounds=0)
"""Whether there is a plan does not hang on how long is searched for a better one."""

EFFECTS = tuple(Effect(kind, role, 0.9 / (at + 1)) for at, kind in enumerate(ADULT_LED) for role in Role)
ALL = frozenset(SessionType)
ANY = 10**6
ANYWHERE = Room("anywhere", ANY)
SIZES = (SizeBound(ADULT_LED[0], 3, 8), SizeBound(ADULT_LED[1], 1, 2), SizeBound(ADULT_LED[2], 4, 6, tables=3))
STAFF = (
    (Role.TEACHER_LEADER, ALL, None, True),
    (Role.COLLABORATING_TEACHER, ALL, None, False),
    (Role.COLLABORATING_TEACHER, ALL, None, True),
    (Role.SUPPORT_STAFF, frozenset({SessionType.TUTORING, SessionType.SMALL_GROUP, SessionType.ONLINE}), 5, False),
    (Role.TEACHER_IN_TRAINING, ALL - {SessionType.ONLINE}, 6, False),
)


def tight_day(seed, *, students=60, adults=5, blocks=4, rooms=(40, 24, 16, 6), skills=10, needs=6, ratio=30, **odds):
    """Draws a team's day: half the skills are in focus, so that nearly everybody needs them.

    `odds` are those of adults' absences (`away`), of students who need a certified adult (`certified`) and of rooms for
    online work only (`station`); with them come the number of `pins`, whether adults lead what their role `usual`ly
    does, and `sizes` of groups.
    """
    draw = random.Random(seed)
    days = [f"b{at}" for at in range(blocks)]
    names = [f"s{at:02}" for at in range(students)]
    topics = [f"k{at}" for at in range(skills)]
    focus, review = topics[: (skills + 1) // 2], topics[(skills + 1) // 2 :]
    listed = []
    for name in names:
        mine = [topic for topic in focus if draw.random() < 0.9][: max(1, needs - 1)]
        mine += draw.sample(review, min(len(review), needs - len(mine)))
        listed += [Need(name, topic, draw.uniform(0.2, 0.9), 0.5) for topic in mine]
    pairs = list(zip(names[::2], names[1::2], strict=False))
    draw.shuffle(pairs)
    chosen = [STAFF[at % len(STAFF)] for at in range(adults)]
    return Problem(
        blocks=tuple(Block(day, f"{8 + at}:30", at) for at, day in enumerate(days)),
        students=tuple(
            Student(
                name, frozenset(d for d in days if draw.random() > 0.05), draw.random() < odds.get("certified", 0.0)
            )
            for name in names
        ),
        adults=tuple(
            Adult(
                f"t{at}",
                role,
                frozenset(day for day in days if draw.random() >= odds.get("away", 0.0)),
                default_session_types(role) if odds.get("usual") else may,
                None if draw.random() > 0.2 else {topic: 1.0 for topic in topics if draw.random() < 0.6},
                most,
                certified,
            )
            for at, (role, may, most, certified) in enumerate(chosen)
        ),
        skills=tuple(Skill(topic, topic) for topic in topics),
        effects=EFFECTS,
        rooms=None if rooms is None else tuple(
            Room(f"r{at}", capacity, station=draw.random() < odds.get("station", 0.0))
            for at, capacity in enumerate(rooms)
        ),
        needs=tuple(listed),
        keep_apart=tuple(pairs[: 1 + students // 12]),
        keep_together=tuple(pairs[-1:]),
        pins=tuple(
            Pin(
                draw.choice(names),
                draw.choice(days),
                draw.choice([None, None, *ADULT_LED]),
                draw.choice([None, *topics]),
                draw.choice([None, *(f"t{at}" for at in range(adults))]),
            )
            for _ in range(odds.get("pins", 0))
        ),
        sizes=odds.get("sizes", SIZES),
        students_per_monitor=ratio,
    )  # fmt: skip


class Rows:
    """A program with 0-1 columns by name and rows over whatever columns a test of their names picks."""

    def __init__(self, names):
        self.columns = {name: at for at, name in enumerate(names)}
        self.rows = []

    def bound(self, factors, low, high):
        self.rows.append(({self.columns[name]: factor for name, factor in factors.items()}, low, high))

    def possible(self):
        if any(not terms and low > 0 for terms, low, _ in self.rows):
            return False
        rows = [row for row in self.rows if row[0]]
        if not rows:
            return True
        matrix = dok_array((len(rows), len(self.columns)))
        for at, (terms, _, _) in enumerate(rows):
            for column, factor in terms.items():
                matrix[at, column] = factor
        limits = LinearConstraint(matrix.tocsr(), [row[1] for row in rows], [row[2] for row in rows])
        nothing, whole = np.zeros(len(self.columns)), np.ones(len(self.columns))
        result = milp(nothing, integrality=whole, bounds=Bounds(0, 1), constraints=limits)
        assert result.status in (0, 2)
        return result.status == 0


class Held(NamedTuple):
    """A session that could be held: its kind and number of tables, or online work if it has none."""

    block: str
    adult: str
    room: str | None
    bound: SizeBound | None = None
    tables: int = 0
    skill: str | None = None


def could_be_held(problem):
    for block, adult, room in product(problem.blocks, problem.adults, problem.rooms or (ANYWHERE,)):
        if block.id in adult.blocks and (room.blocks is None or block.id in room.blocks):
            if SessionType.ONLINE in adult.session_types:
                yield Held(block.id, adult.id, room.id)
            for bound, skill in product(problem.sizes, problem.skills):
                qualified = adult.skills is None or skill.id in adult.skills
                if bound.session_type in adult.session_types and qualified and not room.station:
                    for tables in range(1, bound.tables + 1):
                        yield Held(block.id, adult.id, room.id, bound, tables, skill.id)


def could_sit(problem):
    """Returns whether a led session is open to a student, by every rule on one student alone."""
    adults = {adult.id: adult for adult in problem.adults}
    listed = {(need.student, need.skill) for need in problem.needs}

    @cache
    def fits(student, block, adult, kind, skill):
        pins = [pin for pin in problem.pins if (pin.student, pin.block) == (student.id, block)]
        return (
            block in student.blocks
            and (student.id, skill) in listed
            and (adults[adult].certified or not student.needs_certified)
            and all(
                pin.session_type in (None, kind) and pin.adult in (None, adult) and pin.skill in (None, skill)
                for pin in pins
            )
        )

    return lambda student, held: fits(student, held.block, held.adult, held.bound.session_type, held.skill)


def a_plan_exists(problem):
    """Asks a plain program, with a column for every session, seat and place online, whether a plan keeps all rules."""
    held = list(could_be_held(problem))
    led = [h for h in held if h.bound]
    fits = could_sit(problem)
    seats = [(s.id, h) for h in led for s in problem.students if fits(s, h)]
    stations = sorted({(h.block, h.room) for h in held if not h.bound})
    online = [(s.id, *at) for at in stations for s in problem.students if at[0] in s.blocks]
    rows = Rows([*held, *seats, *stations, *online])
    inside, here, beside, today = (defaultdict(dict) for _ in range(4))
    for name in seats:
        student, h = name
        inside[h][name] = here[student, h.block][name] = 1
        beside[student, h.block, h.adult][name] = today[student, h.skill][name] = 1
    for name in online:
        here[name[:2]][name] = inside[name[1:]][name] = 1

    bound_sizes(rows, problem, led, inside)
    bound_stations(rows, problem, held, inside)
    for block in problem.blocks:
        bound_duties(rows, [(a, [h for h in held if (h.block, h.adult) == (block.id, a.id)]) for a in problem.adults])
    for (one, other), block, adult in product(problem.keep_apart, problem.blocks, problem.adults):
        rows.bound(beside[one, block.id, adult.id] | beside[other, block.id, adult.id], 0, 1)
    for student in problem.students:
        for block in student.blocks:
            rows.bound(here[student.id, block], 1, 1)
    for terms in today.values():
        rows.bound(terms, 0, 1)
    for pin in problem.pins:
        rows.bound({name: 1 for name in here[pin.student, pin.block] if len(name) == 2}, 1, 1)
    return rows.possible()


def bound_sizes(rows, problem, led, inside):
    capacity = {room.id: room.capacity for room in problem.rooms or ()}
    at_most = {adult.id: adult.max_group or ANY for adult in problem.adults}
    for h in led:
        own = ANY if h.bound.session_type is SessionType.COLLABORATIVE else at_most[h.adult]
        highest = min(h.bound.most * h.tables, capacity.get(h.room, ANY), own)
        rows.bound(inside[h] | {h: -h.bound.least * h.tables}, 0, np.inf)
        rows.bound(inside[h] | {h: -highest}, -np.inf, 0)


def bound_stations(rows, problem, held, inside):
    """A room holds one led session or online work, and adults who monitor there supervise somebody."""
    for block, room in product(problem.blocks, problem.rooms or (ANYWHERE,)):
        at = (block.id, room.id)
        monitors = [h for h in held if (h.block, h.room) == at and not h.bound]
        if monitors:
            rows.bound(inside[at] | dict.fromkeys(monitors, -problem.students_per_monitor), -np.inf, 0)
            rows.bound(inside[at] | {at: -room.capacity}, -np.inf, 0)
        for h in monitors:
            rows.bound(inside[at] | {h: -1}, 0, np.inf)
        if problem.rooms:
            led = {h: 1 for h in held if (h.block, h.room) == at and h.bound}
            rows.bound(led | ({at: 1} if monitors else {}), 0, 1)


def bound_duties(rows, duties):
    """One duty for an adult of a block, and trainees only beside teachers."""
    teaching = {h: -1 for adult, its in duties if adult.supervisor for h in its}
    for adult, its in duties:
        rows.bound(dict.fromkeys(its, 1), 0, 1)
        if adult.trainee:
            rows.bound(dict.fromkeys(its, 1) | teaching, -np.inf, 0)


def plan_or_error(problem):
    try:
        return suggest_groups(problem, FEW), None
    except InfeasibleError as error:
        return None, error


@holds_for(
    30,
    300,
    seed=st.integers(0, 10**6),
    students=st.integers(6, 12),
    adults=st.integers(2, 3),
    blocks=st.integers(1, 2),
    rooms=st.none() | st.lists(st.integers(2, 9), min_size=2, max_size=4),
    skills=st.integers(1, 2),
    ratio=st.sampled_from([4, 6, 12]),
    pins=st.sampled_from([0, 0, 0, 0, 0, 1, 2]),
    station=st.sampled_from([0.0, 0.3]),
    certified=st.sampled_from([0.0, 0.3]),
    usual=st.booleans(),
)
def test_a_small_day_is_refused_exactly_where_no_plan_exists(
    seed, students, adults, blocks, rooms, skills, ratio, pins, station, certified, usual
):
    sizes = (SizeBound(ADULT_LED[0], 2, 4), SizeBound(ADULT_LED[1], 1, 2), SizeBound(ADULT_LED[2], 3, 4, tables=2))
    problem = tight_day(
        seed, students=students, adults=adults, blocks=blocks, rooms=rooms, skills=skills, needs=skills, ratio=ratio,
        pins=pins, station=station, certified=certified, usual=usual, away=0.1, sizes=sizes,
    )  # fmt: skip

    plan, error = plan_or_error(problem)

    assert (plan is not None) == a_plan_exists(problem)
    if plan is not None:
        rooms_online = Counter(session.block for session in plan.sessions if not session.led)
        event(f"possible, with {max(rooms_online.values(), default=0)} stations at most")
        assert find_violations(problem, plan.sessions) == ()
    else:
        event(f"impossible: {error.rule}")
        assert error.proven
        assert {rule for conflict in error.conflicts for rule in conflict.rules} <= {rule.__name__ for rule in RULES}
        text = " ".join([str(error), *(conflict.sentence for conflict in error.conflicts)])
        assert not any(student.id in text for student in problem.students)


@pytest.mark.parametrize(
    ("seed", "day"),
    [
        *((seed, {}) for seed in range(3)),
        *((seed, {"students": 24, "adults": 3, "blocks": 2, "rooms": (14, 8, 6), "skills": 6, "needs": 3})
          for seed in range(4)),
        *((seed, {"students": 90, "adults": 6, "rooms": (30, 30, 24, 16, 16, 10)}) for seed in range(2)),
        (2, {"students": 120, "adults": 6, "rooms": (60, 40, 24, 16, 12, 8), "needs": 3}),
        (1, {"students": 45, "adults": 5, "rooms": (20, 16, 12, 8, 8), "ratio": 20, "away": 0.1}),
    ],
)  # fmt: skip
def test_a_tight_day_gets_a_plan(seed, day):
    problem = tight_day(seed, **day)

    plan = suggest_groups(problem, FEW)

    assert find_violations(problem, plan.sessions) == ()


def test_a_room_too_small_for_all_online_is_joined_by_a_second(team):
    quiet = replace(team, needs=(), rooms=(Room("four", 4), Room("three", 3), Room("two", 2)))

    plan = suggest_groups(quiet)

    assert [(s.id, s.room, len(s.students), len(s.adults)) for s in plan.sessions if s.block == "m1"] == [
        ("m1-online", "four", 3, 1),
        ("m1-online-2", "three", 3, 1),
    ]
    assert find_violations(quiet, plan.sessions) == ()


def test_one_room_for_online_work_is_enough_where_it_holds_all(team):
    quiet = replace(team, needs=(), rooms=(Room("six", 6), Room("ten", 10), Room("five", 5)))

    plan = suggest_groups(quiet)

    assert [(s.id, s.room) for s in plan.sessions] == [("m1-online", "ten"), ("m2-online", "ten")]


def test_rules_that_leave_no_plan_are_those_whose_end_would_leave_one(team):
    """Two pins take both adults, which leaves nobody for those online; counting does not see that."""
    pins = (Pin("a", "m1", SessionType.TUTORING, "fractions"), Pin("d", "m1", SessionType.TUTORING, "ratios"))
    two = tuple(adult for adult in team.adults if adult.id != "new")

    plan, error = plan_or_error(replace(team, pins=pins, adults=two))

    assert plan is None
    assert error.proven
    assert [conflict.rules for conflict in error.conflicts] == [("pinned", "group_size")]
    assert error.sentence == (
        "09:00-09:45 has no sessions that keep every rule; giving up any one of these would do: pinned, group size."
    )


def test_blocks_that_stand_alone_but_not_on_one_day_name_the_skill_that_comes_once(team):
    """Nobody may supervise online work, so that all have to learn their only skill in both blocks."""
    lead = replace(team.adults[1], session_types=frozenset({SessionType.SMALL_GROUP}))
    once = tuple(need for need in team.needs if need.skill == "fractions")

    plan, error = plan_or_error(replace(team, adults=(lead,), needs=once))

    assert plan is None
    assert error.proven
    assert error.rule == "skill_once"


def test_an_unproven_failure_says_so(team, monkeypatch):
    pins = (Pin("a", "m1", SessionType.TUTORING, "fractions"), Pin("d", "m1", SessionType.TUTORING, "ratios"))
    two = tuple(adult for adult in team.adults if adult.id != "new")
    monkeypatch.setattr(exact_blocks, "find_sessions", lambda draft, blocks, until=None: (None, False))

    plan, error = plan_or_error(replace(team, pins=pins, adults=two))

    assert plan is None
    assert error.rule == "pinned"
    assert not error.proven
    assert "no plan keeps the rule 'pinned'" in str(error)
