"""Days with hardly enough rooms and adults: a plan comes out exactly where one exists, or the rules that leave none."""

import random
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from serving.grouping import rescue
from serving.grouping.check import RULES, find_violations
from serving.grouping.errors import InfeasibleError
from serving.grouping.people import Adult, Need, Student
from serving.grouping.places import Block, Pin, Room, Skill
from serving.grouping.policy import LED, TEACHERS, Effect, Modality, Role, SizeBound, default_modalities
from serving.grouping.problem import Problem
from serving.grouping.solve import suggest_groups

EFFECTS = tuple(Effect(kind, role, 0.9 / (at + 1)) for at, kind in enumerate(LED) for role in Role)
ALL = frozenset(Modality)
CREW = (
    (Role.TEACHER_LEADER, ALL, None, True),
    (Role.COLLABORATING_TEACHER, ALL, None, False),
    (Role.COLLABORATING_TEACHER, ALL, None, True),
    (Role.SUPPORT_STAFF, frozenset({Modality.TUTORING, Modality.SMALL_GROUP, Modality.ONLINE}), 5, False),
    (Role.TEACHER_IN_TRAINING, ALL - {Modality.ONLINE}, 6, False),
)


def tight_day(seed, *, students=60, adults=5, blocks=4, rooms=(40, 24, 16, 6), skills=10, needs=6, ratio=30, **odds):
    """Draws a team's day: half the skills are in focus, so that nearly everybody needs them.

    Args:
        odds: of absences of adults (`away`) and of students needing a certified adult (`certified`); how many are pinned
            (`pins`); whether adults may lead what their role usually may (`usual`); sizes of groups (`sizes`).
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
    chosen = [CREW[at % len(CREW)] for at in range(adults)]
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
                default_modalities(role) if odds.get("usual") else may,
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
                draw.choice([None, None, *LED]),
                draw.choice([None, *topics]),
                draw.choice([None, *(f"t{at}" for at in range(adults))]),
            )
            for _ in range(odds.get("pins", 0))
        ),
        sizes=odds.get("sizes") or (SizeBound(LED[0], 3, 8), SizeBound(LED[1], 1, 2), SizeBound(LED[2], 4, 6, tables=3)),
        students_per_monitor=ratio,
    )  # fmt: skip


def a_plan_exists(problem):
    """Asks a plain program, with a column for every student, session and room, whether any plan keeps all rules."""
    columns, rows = {}, []

    def column(*name):
        return columns.setdefault(name, len(columns))

    def row(terms, low, high):
        rows.append((terms, low, high))

    free, many = np.inf, len(problem.students) + 1
    needs = defaultdict(set)
    for need in problem.needs:
        needs[need.student].add(need.skill)
    everywhere = Room("anywhere", many * many)
    rooms = (everywhere,) if problem.rooms is None else problem.rooms
    for block in problem.blocks:
        here = [adult for adult in problem.adults if block.id in adult.blocks]
        present = [student for student in problem.students if block.id in student.blocks]
        open_rooms = [room for room in rooms if room.blocks is None or block.id in room.blocks]
        duties = defaultdict(list)
        inside = defaultdict(list)
        for adult in here:
            held, seats, places = [], [], []
            skills = [s.id for s in problem.skills if adult.skills is None or s.id in adult.skills]
            for bound in problem.sizes:
                most = None if bound.modality is Modality.COLLABORATIVE else adult.max_group
                for tables in range(1, bound.tables + 1):
                    for skill in skills if bound.modality in adult.modalities else ():
                        session = column("led", block.id, adult.id, bound.modality, tables, skill)
                        mine = []
                        for student in present:
                            if skill in needs[student.id] and (adult.certified or not student.needs_certified):
                                name = ("seat", student.id, block.id, adult.id, bound.modality, tables, skill)
                                mine.append((column(*name), 1))
                        highest = min(bound.most * tables, most or many)
                        row([*mine, (session, -bound.least * tables)], 0, free)
                        row([*mine, (session, -highest)], -free, 0)
                        held.append((session, 1))
                        seats += mine
            for room in open_rooms:
                if not room.station:
                    there = column("in", block.id, adult.id, room.id)
                    places.append((there, 1))
                    inside[room.id].append((there, 1))
                    row([*seats, (there, many * many)], -free, room.capacity + many * many)
            row([*held, *((at, -1) for at, _ in places)], 0, 0) if problem.rooms is not None else None
            watches = [
                (column("watch", block.id, adult.id, room.id), 1)
                for room in open_rooms
                if Modality.ONLINE in adult.modalities
            ]
            duties[adult.id] = [*held, *watches]
            row(duties[adult.id], 0, 1)
        teaching = [(at, -1) for a in here if a.role in TEACHERS for at, _ in duties[a.id]]
        for adult in here:
            if adult.role is Role.TEACHER_IN_TRAINING:
                row([*duties[adult.id], *teaching], -free, 0)
        for room in open_rooms:
            online = [(column("online", student.id, block.id, room.id), 1) for student in present]
            used = column("station", block.id, room.id)
            watches = [(at, -problem.students_per_monitor) for n, at in columns.items() if n[0] == "watch"
                       and n[1] == block.id and n[3] == room.id]  # fmt: skip
            row([*online, *watches], -free, 0)
            row([*online, (used, -room.capacity)], -free, 0)
            for at, _ in watches:  # a room that nobody works in needs nobody to watch
                row([*online, (at, -1)], 0, free)
            if problem.rooms is not None:
                row([*inside[room.id], (used, 1)], 0, 1)
        for student in present:
            row([(at, 1) for name, at in columns.items() if name[:3] == ("seat", student.id, block.id)
                 or name[:3] == ("online", student.id, block.id)], 1, 1)  # fmt: skip
        for one, other in problem.keep_apart:
            for adult in here:
                row([(at, 1) for n, at in columns.items() if n[0] == "seat" and n[1] in (one, other)
                     and n[2:4] == (block.id, adult.id)], 0, 1)  # fmt: skip
    for student in problem.students:
        for skill in needs[student.id]:
            row([(at, 1) for n, at in columns.items() if n[:2] == ("seat", student.id) and n[-1] == skill], 0, 1)
    for pin in problem.pins:
        row([(at, 1) for n, at in columns.items() if n[:3] == ("seat", pin.student, pin.block)
             and pin.adult in (None, n[3]) and pin.modality in (None, n[4]) and pin.skill in (None, n[6])], 1, 1)  # fmt: skip
    if any(not terms and low > 0 for terms, low, _ in rows):
        return False
    matrix = np.zeros((len(rows), len(columns)))
    for at, (terms, _, _) in enumerate(rows):
        for where, factor in terms:
            matrix[at, where] += factor
    if not columns:
        return True
    bounds = [(low, high) for _, low, high in rows]
    result = milp(
        np.zeros(len(columns)),
        integrality=np.ones(len(columns)),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(matrix, *zip(*bounds, strict=True)),
    )
    assert result.status in (0, 2)
    return result.status == 0


def plan_or_error(problem):
    try:
        return suggest_groups(problem), None
    except InfeasibleError as error:
        return None, error


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    students=st.integers(4, 14),
    adults=st.integers(1, 4),
    blocks=st.integers(1, 2),
    rooms=st.none() | st.lists(st.integers(2, 8), min_size=1, max_size=5),
    skills=st.integers(1, 3),
    ratio=st.sampled_from([3, 5, 12]),
    pins=st.sampled_from([0, 0, 0, 1, 3]),
    station=st.sampled_from([0.0, 0.0, 0.3]),
    certified=st.sampled_from([0.0, 0.3]),
    usual=st.booleans(),
)
def test_a_small_day_is_refused_exactly_where_no_plan_exists(
    seed, students, adults, blocks, rooms, skills, ratio, pins, station, certified, usual
):
    sizes = (SizeBound(LED[0], 2, 4), SizeBound(LED[1], 1, 2), SizeBound(LED[2], 3, 4, tables=2))
    problem = tight_day(
        seed, students=students, adults=adults, blocks=blocks, rooms=rooms, skills=skills, needs=skills, ratio=ratio,
        pins=pins, station=station, certified=certified, usual=usual, away=0.1, sizes=sizes,
    )  # fmt: skip

    plan, error = plan_or_error(problem)

    assert (plan is not None) == a_plan_exists(problem)
    if plan is not None:
        event("possible" + " with several stations" * (len(plan.sessions) > len({s.id for s in plan.sessions})))
        assert find_violations(problem, plan.sessions) == ()
    else:
        event(f"impossible: {error.rule}")
        assert error.proven
        assert {rule for conflict in error.conflicts for rule in conflict.rules} <= {rule.__name__ for rule in RULES}
        told = " ".join([str(error), *(conflict.sentence for conflict in error.conflicts)])
        assert not any(student.id in told for student in problem.students)
