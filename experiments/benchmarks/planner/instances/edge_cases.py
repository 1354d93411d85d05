"""Synthetic days at the edges of what the rules allow, and of any size, so that no corner of the rules is left out."""

import random
from dataclasses import fields, replace
from itertools import combinations

from experiments.benchmarks.planner.instances.team import Size, draw_day
from serving.grouping.problem.people import Adult, Coaching, Contact, GroupmateCount, Need, Purpose, Student
from serving.grouping.problem.places import Block, Pin, Room, Seat, Skill
from serving.grouping.problem.policy import (
    ADULT_LED,
    TEACHERS,
    Effect,
    Role,
    SessionType,
    SizeBound,
    SizeCurve,
    Weights,
)
from serving.grouping.problem.problem import Problem

EFFECTS = tuple(Effect(kind, role, 0.9 / (at + 1)) for at, kind in enumerate(ADULT_LED) for role in Role)


def default_session_types(role: str, *, may_lead: bool = False) -> frozenset[SessionType]:
    """Returns what a role leads or, for tables and online work, supervises; support staff small groups if they may.

    Example:
        >>> sorted(map(str, default_session_types(Role.SUPPORT_STAFF)))
        ['collaborative', 'online', 'tutoring']
    """
    if role in TEACHERS:
        return frozenset(SessionType)
    if role == Role.TEACHER_IN_TRAINING:
        return frozenset({SessionType.SMALL_GROUP, SessionType.TUTORING})
    support = {SessionType.TUTORING, SessionType.COLLABORATIVE, SessionType.ONLINE}
    return frozenset(support | {SessionType.SMALL_GROUP} if may_lead else support)


def draw_edge_case(
    seed: int,
    *,
    students: int = 12,
    adults: int = 4,
    blocks: int = 2,
    skills: int = 3,
    rooms: bool = True,
    pins: int = 0,
    ratio: int = 8,
    sizes: tuple[SizeBound, ...] | None = None,
    more: bool = False,
) -> Problem:
    """Draws a day with absences, accommodations, pairs and history; many have no plan.

    Args:
        seed: Equal seeds give equal days.
        students: How many, all of them there most of the day.
        adults: How many, of roles drawn evenly.
        blocks: How many the day has.
        skills: How many there are to be needed.
        rooms: Whether the team plans rooms.
        pins: Fixed assignments, which may contradict each other.
        ratio: Students whom one adult may supervise.
        sizes: Size bounds of sessions; null = 3-8, 1-2, and 4-6 at up to two tables.
        more: Whether to add roles of the school's own, coaching, students due for
            teacher time or time with an adult, urgent needs of several aims, exclusions, and blocks for some skills.

    Example:
        >>> len(draw_edge_case(1, students=5).students)
        5
    """
    draw = random.Random(seed)
    days = [f"b{at}" for at in range(blocks)]
    names = [f"s{at:02}" for at in range(students)]
    roles = [draw.choice(list(Role)) for _ in range(adults)]
    topics = [f"k{at}" for at in range(skills)]
    pairs = list(combinations(names, 2))
    draw.shuffle(pairs)
    some = max(0, students // 4)
    problem = Problem(
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
                default_session_types(role, may_lead=draw.random() < 0.5),
                draw.choice([None, None, {topic: draw.uniform(0.3, 1) for topic in topics if draw.random() < 0.7}]),
                draw.choice([None, 2, 5]),
                draw.random() < 0.5,
                load_ahead=at % 3 - 1.0,
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
        recent_groupmates=tuple(
            GroupmateCount(one, other, draw.randint(1, 3)) for one, other in pairs[2 * some : 5 * some]
        ),
        contacts=tuple(Contact(name, f"t{at}", 2) for name in names for at in range(adults) if draw.random() < 0.3),
        previous=tuple(
            draw.choice(
                [Seat(name, day, SessionType.ONLINE), Seat(name, day, SessionType.TUTORING, draw.choice(topics), "t0")]
            )
            for name in names for day in days if adults and topics and draw.random() < 0.3
        ),
        pins=tuple(
            Pin(
                draw.choice(names),
                draw.choice(days),
                draw.choice([None, None, *ADULT_LED]),
                draw.choice([None, None, *topics]),
                draw.choice([None, None, *(f"t{at}" for at in range(adults))]),
            )
            for _ in range(pins if students and blocks else 0)
        ),
        sizes=sizes or (
            SizeBound(ADULT_LED[0], 3, 8), SizeBound(ADULT_LED[1], 1, 2), SizeBound(ADULT_LED[2], 4, 6, tables=2),
        ),
        students_per_monitor=ratio,
    )  # fmt: skip
    return _add_more(problem, random.Random(f"{seed}-more")) if more else problem


def _add_more(problem: Problem, draw: random.Random) -> Problem:
    """Adds parts drawn from a generator of their own, so that days without them stay as they were."""
    own = [adult.id for adult in problem.adults if draw.random() < 0.3]
    pairs = [draw.sample(two, 2) for two in combinations([a.id for a in problem.adults], 2) if draw.random() < 0.4]
    return replace(
        problem,
        adults=tuple(
            replace(
                adult,
                role="artist" if adult.id in own else adult.role,
                in_training=draw.choice([None, None, None, True, False]),
                supervises=draw.choice([None, None, None, False]),
            )
            for adult in problem.adults
        ),
        effects=(*problem.effects, *(Effect(kind, "artist", 0.5) for kind in ADULT_LED)),
        students=tuple(
            replace(student, group_time_due=draw.random() < 0.3, adult_time_due=draw.random() < 0.3)
            for student in problem.students
        ),
        blocks=tuple(
            replace(block, skills=frozenset(skill.id for skill in problem.skills if draw.random() < 0.8))
            if draw.random() < 0.3
            else block
            for block in problem.blocks
        ),
        needs=tuple(
            replace(
                need,
                urgent=draw.choice([0.0, 0.0, 1.0]),
                purpose=draw.choice([None, Purpose.RETEACH, Purpose.REVIEW, Purpose.INTRODUCE, Purpose.EXTEND]),
            )
            for need in problem.needs
        ),
        adult_exclusions=tuple(
            (student.id, adult.id) for student in problem.students for adult in problem.adults if draw.random() < 0.05
        ),
        size_curve=draw.choice([SizeCurve(), SizeCurve(), SizeCurve(full=1, loss=0.3), SizeCurve(loss=0.0)]),
        coaching=tuple(Coaching(one, other, draw.randint(0, 2)) for one, other in pairs),
    )


def draw_crowded_day(seed: int) -> Problem:
    """Draws a day of 60 students and 7 blocks with so few monitors that most students have to be taught at any time.

    Many have no plan. Where there is one, several adults have to begin to lead at once, and exact programs take long.

    Example:
        >>> len(draw_crowded_day(1).blocks)
        7
    """
    draw = random.Random(f"crowded-{seed}")
    skills, rooms, pins = draw.choice([8, 12, 20]), draw.random() < 0.3, draw.choice([0, 0, 0, 1])
    return draw_edge_case(
        seed, students=60, adults=6, blocks=7, skills=skills, rooms=rooms, pins=pins, ratio=10, more=draw.random() < 0.5
    )


SMALL = (SizeBound(ADULT_LED[0], 2, 3), SizeBound(ADULT_LED[1], 1, 1))
"""Sizes at which a few students make several groups."""


def draw_instance(seed: int) -> Problem:
    """Draws a day of any kind: three of four at the edges of the rules, one as a team has it (`team.py`).

    Both get weights between zero and ten times the default, rooms that are free in some blocks only, and coaches.

    Example:
        >>> draw_instance(3) == draw_instance(3)
        True
    """
    draw = random.Random(f"any-{seed}")
    return _vary(_draw_team(seed, draw) if seed % 4 == 0 else _draw_edge_case(seed, draw), draw)


def _draw_edge_case(seed: int, draw: random.Random) -> Problem:
    return draw_edge_case(
        seed,
        students=draw.choice([0, 1, 3, 5, 8, 12, 14, 20, 30]),
        adults=draw.randint(0, 6),
        blocks=draw.randint(0, 4),
        skills=draw.randint(0, 5),
        rooms=draw.random() < 0.6,
        pins=draw.choice([0, 0, 0, 1, 2, 3]),
        ratio=draw.choice([1, 4, 8, 15, 30]),
        sizes=draw.choice([None, None, SMALL]),
        more=draw.random() < 0.5,
    )


def _draw_team(seed: int, draw: random.Random) -> Problem:
    return draw_day(Size(draw.randint(6, 40), draw.randint(2, 5), draw.randint(1, 4), draw.randint(3, 12)), seed)


def _vary(problem: Problem, draw: random.Random) -> Problem:
    """Adds what neither family draws."""
    defaults = Weights()
    weights = {
        field.name: getattr(defaults, field.name) * draw.choice([0.0, 1.0, 1.0, 1.0, 10.0]) for field in fields(Weights)
    }
    days = [block.id for block in problem.blocks]
    rooms = problem.rooms and tuple(
        replace(room, blocks=frozenset(day for day in days if draw.random() < 0.7)) if draw.random() < 0.2 else room
        for room in problem.rooms
    )
    names = [adult.id for adult in problem.adults]
    adults = tuple(
        replace(adult, coach=draw.choice([name for name in names if name != adult.id] or [None]))
        if draw.random() < 0.2
        else adult
        for adult in problem.adults
    )
    return replace(problem, weights=Weights(**weights), rooms=rooms, adults=adults)
