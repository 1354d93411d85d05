"""Days of teams as the service states them, in families of like size: the instance set that the search is judged on.

A roster with adults, rooms, blocks, standing rules and three weeks of sessions is drawn (what was held reaches half to
all of the team a day), and what the students answered (`evidence.py`). From there on everything is the service's own:
who needs what and what for, and the problem with its history. Nothing is taken from any student's data.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from experiments.benchmarks.planner.instances.evidence import Curriculum, draw_forecasts
from features.roster import PolicyLayer, Rule, Staff, Team
from features.roster.records import ROLE_MAY_LEAD, WEEKDAYS, Block, PastSession, Room
from serving.grouping.problem.policy import TEACHERS, Role, SessionType
from serving.grouping.problem.problem import Problem
from serving.plans.need.needs import Candidate, list_candidates
from serving.plans.problem import Absence, DayRequest, state_day
from serving.plans.rules.policy import load_policy


@dataclass(frozen=True)
class Size:
    """The size of a team.

    Attributes:
        students: Members.
        adults: Adults, in the order of `ROLES`.
        blocks: Blocks of each day.
        skills: Skills of the curriculum.
        monitored: Students online whom one adult may supervise.
        one_room: Whether the whole team shares one large room, where several sessions are held at once.
    """

    students: int
    adults: int
    blocks: int
    skills: int = 28
    monitored: int = 30
    one_room: bool = False


SIZES = {24: Size(24, 3, 2, 12), 60: Size(60, 4, 5), 120: Size(120, 8, 5), 240: Size(240, 14, 6, 40)}

FAMILIES: dict[str, tuple[Size, ...]] = {
    **{f"{size.students} x {size.blocks}": (size,) for size in SIZES.values()},
    "open team room": tuple(
        Size(students, adults, 8, monitored=60, one_room=True) for students in (100, 110, 120) for adults in (4, 3)
    ),
}
"""The sizes of each family, taken in turn by seed; the last are the teams of schools that teach in one large room."""

CANDIDATES = 6
"""Needs of a student that the service considers at most."""

MONDAY, MEETING = date(2026, 3, 16), "wed"
HISTORY_DAYS = 21

ROLES = (
    Role.TEACHER_LEADER, Role.COLLABORATING_TEACHER, Role.SUPPORT_STAFF, Role.TEACHER_IN_TRAINING,
    Role.COLLABORATING_TEACHER, Role.SUPPORT_STAFF, Role.COLLABORATING_TEACHER,
)  # fmt: skip

SUPPORT_LEADS = (SessionType.TUTORING, SessionType.SMALL_GROUP, SessionType.ONLINE)

ROOMS = (24, 16, 6)
"""Capacity of the rooms beside the hall, in turn."""

AWAY, LATE, ADULT_AWAY, CERTIFIED, KNOWN = 0.04, 0.03, 0.04, 0.05, 0.7
"""Shares: of students away, of students who miss one block, of other adults than teachers away, of students with an
accommodation, and of the skills that every second support staff may teach."""

PAIRS = 20
"""Students for each pair to keep apart, pair to keep together, pull-out and fixed assignment."""


def draw_family(family: str, seed: int) -> Problem:
    """Draws a day of one of `FAMILIES`; equal seeds give equal days.

    Example:
        >>> len(draw_family("24 x 2", seed=1).students)
        24
    """
    sizes = FAMILIES[family]
    return draw_day(sizes[seed % len(sizes)], seed)


def draw_day(students: int | Size, seed: int) -> Problem:
    """Draws the day of a team of one of `SIZES`, or of a size of its own; equal seeds give equal days.

    Example:
        >>> len(draw_day(24, seed=1).students)
        24
    """
    size = students if isinstance(students, Size) else SIZES[students]
    rng = np.random.default_rng([size.students, size.adults, size.blocks, seed])
    day = MONDAY + timedelta(days=seed % 5)
    as_of = datetime.combine(day, time(), UTC)
    ids = tuple(f"k{at:02}" for at in range(size.skills))
    curriculum = Curriculum(ids, float(rng.uniform(0.3, 0.85) * size.skills))
    members = tuple(f"s{at:03}" for at in range(size.students))
    team = Team(
        team_id="t",
        school="Synthetic",
        name=None,
        members=members,
        staff=tuple(_draw_staff(size, ids, rng)),
        rooms=(
            Room("hall", "t", size.students + 10),
            *(Room(f"r{at}", "t", ROOMS[at % len(ROOMS)]) for at in range(0 if size.one_room else size.adults - 1)),
        ),
        blocks=tuple(
            Block(f"{weekday}-{at}", "t", weekday, _clock(45 * at), _clock(45 * at + 40))
            for weekday in WEEKDAYS[:5]
            for at in range(size.blocks)
        ),
        rules=(),
        focus=curriculum.focus,
        past_sessions=tuple(_draw_past(size, members, curriculum, day, rng)),
    )
    forecasts = draw_forecasts(members, curriculum, as_of, rng)
    candidates = list_candidates(team, curriculum.skills, forecasts, load_policy().need, CANDIDATES, as_of)
    team = replace(team, rules=tuple(_draw_rules(team, day, candidates, rng)))
    settings = {"students_per_monitor": size.monitored} | ({"preset": "open_team_room"} if size.one_room else {})
    fixed = {student for rule in team.rules if rule.kind == "pinned" for student in rule.students}
    certified = [student for student in members if rng.random() < CERTIFIED and student not in fixed]
    team = replace(team, policies=(PolicyLayer("t", settings, tuple(certified)),))
    request = DayRequest(day, absences=tuple(_draw_absences(team, day, rng)))
    policy = load_policy()
    policy = replace(policy, need=replace(policy.need, waiting_more=0.0))  # the past seats nobody by need: all waited
    problem = state_day(team, curriculum.skills, request, candidates, policy).problem
    subgroups = rng.choice(["p", "q"], size.students, p=[0.7, 0.3])
    people = zip(problem.students, subgroups.tolist(), strict=True)
    return replace(problem, students=tuple(replace(student, subgroup=group) for student, group in people))


def _clock(minutes: int) -> time:
    return time(8 + minutes // 60, minutes % 60)


def _draw_staff(size: Size, skills: tuple[str, ...], rng: np.random.Generator) -> Iterator[Staff]:
    """Yields adults of the usual roles; of each four the last is in training, coached by the first."""
    for at in range(size.adults):
        role = ROLES[at % len(ROLES)]
        limited = role == Role.SUPPORT_STAFF and at > ROLES.index(role)
        known = tuple(skill for skill in skills if rng.random() < KNOWN) if limited else None
        may_lead = SUPPORT_LEADS if role == Role.SUPPORT_STAFF else ROLE_MAY_LEAD[role]
        most = {Role.SUPPORT_STAFF: 5, Role.TEACHER_IN_TRAINING: 6}.get(role)
        coach = "a00" if role == Role.TEACHER_IN_TRAINING else None
        yield Staff(f"a{at:02}", "t", role, may_lead, known, most, certified=role in TEACHERS, coach=coach)


def _draw_past(
    size: Size, members: tuple[str, ...], curriculum: Curriculum, day: date, rng: np.random.Generator
) -> Iterator[PastSession]:
    """Yields three weeks of groups on the current unit; who comes last on a day had no adult on it."""
    leads = max(1, size.adults - -(-size.students // size.monitored))
    group = min(8, max(3, round(0.7 * size.students / (leads * size.blocks))))
    unit = list(curriculum.focus)
    for back in range(HISTORY_DAYS, 0, -1):
        past = day - timedelta(days=back)
        if past.weekday() >= 5:  # noqa: PLR2004 - Saturday
            continue
        shuffled = iter([members[at] for at in rng.permutation(size.students)])
        for block in range(size.blocks):
            for adult in rng.permutation(size.adults)[:leads].tolist():
                students = tuple(sorted(student for _, student in zip(range(group), shuffled, strict=False)))
                block_id, skill = f"{WEEKDAYS[past.weekday()]}-{block}", str(rng.choice(unit))
                if students:
                    yield PastSession(past, "t", block_id, f"a{adult:02}", skill, students)


def _draw_rules(team: Team, day: date, candidates: list[Candidate], rng: np.random.Generator) -> Iterator[Rule]:
    """Yields pairs, pull-outs, a weekly meeting of the first adult, and fixed assignments on what is needed most."""
    blocks = [block.block_id for block in team.blocks if block.weekday == WEEKDAYS[day.weekday()]]
    count = -(-len(team.members) // PAIRS)
    drawn = iter([team.members[at] for at in rng.permutation(len(team.members))])
    for at in range(count):
        yield Rule(f"apart-{at}", "t", "keep_apart", (next(drawn), next(drawn)))
        yield Rule(f"together-{at}", "t", "keep_together", (next(drawn), next(drawn)))
        yield Rule(f"out-{at}", "t", "unavailable", (next(drawn),), block_id=str(rng.choice(blocks)))
    meeting = [block.block_id for block in team.blocks if block.weekday == MEETING][-1]
    yield Rule("meeting", "t", "unavailable", staff_id=team.staff[0].staff_id, block_id=meeting)
    most: dict[str, str] = {}
    for candidate in candidates:
        most.setdefault(candidate.need.student, candidate.need.skill)
    for at in range(count):
        student, adult = next(drawn), team.staff[(1 + at) % len(team.staff)]
        if adult.skills is None or most[student] in adult.skills:
            block = blocks[at % len(blocks)]
            yield Rule(f"fixed-{at}", "t", "pinned", (student,), adult.staff_id, block, most[student])


def _draw_absences(team: Team, day: date, rng: np.random.Generator) -> Iterator[Absence]:
    blocks = [block.block_id for block in team.blocks if block.weekday == WEEKDAYS[day.weekday()]]
    for student in team.members:
        if rng.random() < AWAY:
            yield Absence(student=student)
        elif rng.random() < LATE:
            yield Absence(student=student, blocks=(str(rng.choice(blocks)),))
    for adult in team.staff[4:]:  # of four all are needed when the first is at the meeting
        if adult.role not in TEACHERS and rng.random() < ADULT_AWAY:
            yield Absence(staff=adult.staff_id)
