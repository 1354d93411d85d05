"""A hand-made team whose right groups are obvious: three students need fractions, three need ratios."""

from dataclasses import replace

import pytest

from experiments.benchmarks.planner.instances.edge_cases import default_session_types
from serving.grouping.problem.people import Adult, Need, Student
from serving.grouping.problem.places import Block, Room, Skill
from serving.grouping.problem.plan import Session
from serving.grouping.problem.policy import Effect, Role, SessionType
from serving.grouping.problem.problem import Problem

EFFECTS = tuple(
    Effect(session_type, role, effect, low_evidence)
    for role in Role
    for session_type, effect, low_evidence in (
        (SessionType.SMALL_GROUP, 0.5, 0.6),
        (SessionType.TUTORING, 0.8, 0.9),
        (SessionType.COLLABORATIVE, 0.2, None),
    )
)
DAY = frozenset({"m1", "m2"})


@pytest.fixture
def effects():
    return EFFECTS


@pytest.fixture
def team():
    """Six students, a teacher-leader, a tutor and a trainee, two blocks, three rooms."""
    high = {"a": "fractions", "b": "fractions", "c": "fractions", "d": "ratios", "e": "ratios", "f": "ratios"}
    return Problem(
        blocks=(Block("m1", "09:00-09:45", 1), Block("m2", "09:50-10:35", 2)),
        students=tuple(Student(name, DAY) for name in high),
        adults=(
            Adult("lead", Role.TEACHER_LEADER, DAY, default_session_types(Role.TEACHER_LEADER)),
            Adult("help", Role.SUPPORT_STAFF, DAY, default_session_types(Role.SUPPORT_STAFF)),
            Adult("new", Role.TEACHER_IN_TRAINING, DAY, default_session_types(Role.TEACHER_IN_TRAINING), coach="lead"),
        ),
        skills=(Skill("fractions", "Fractions"), Skill("ratios", "Ratios")),
        effects=EFFECTS,
        rooms=(Room("big", 30), Room("one", 10), Room("two", 10)),
        needs=tuple(
            Need(name, skill, 0.8, 0.9, 0.1) if high[name] == skill else Need(name, skill, 0.1, 0.2, 0.6)
            for name in high
            for skill in ("fractions", "ratios")
        ),
    )


@pytest.fixture
def sessions():
    """A day for the team that keeps every rule."""
    return (
        Session("g1", "m1", SessionType.SMALL_GROUP, "fractions", ("lead",), "one", ("a", "b", "c")),
        Session("o1", "m1", SessionType.ONLINE, None, ("help",), "big", ("d", "e", "f")),
        Session("g2", "m2", SessionType.SMALL_GROUP, "ratios", ("new",), "one", ("d", "e", "f")),
        Session("o2", "m2", SessionType.ONLINE, None, ("lead",), "big", ("a", "b", "c")),
    )


@pytest.fixture
def swap():
    """Replaces one named part of a tuple of parts with ids."""

    def _swap(parts, name, **changes):
        assert any(part.id == name for part in parts)
        return tuple(replace(part, **changes) if part.id == name else part for part in parts)

    return _swap
