"""Restates a problem with rules given up."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from serving.grouping.infeasible.concessions import Step
from serving.grouping.problem.people import Adult, Need
from serving.grouping.problem.places import Room
from serving.grouping.problem.policy import ADULT_LED, Effect, Role, SessionType, SizeBound
from serving.grouping.problem.problem import Problem


def give_up(problem: Problem, steps: Iterable[Step]) -> Problem:
    """Returns the problem without the rules that the steps give up; their order decides nothing."""
    parts = _Parts(problem)
    for step in steps:
        GIVING[step.rule](parts, *step.subject)
    return parts.build()


class _Parts:
    """The parts of a problem while they change."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.pins = dict.fromkeys(problem.pins)
        self.apart = dict.fromkeys(problem.keep_apart)
        self.students = {student.id: student for student in problem.students}
        self.adults = {adult.id: adult for adult in problem.adults}
        self.needs = {(need.student, need.skill): need for need in problem.needs}
        self.sizes = {bound.session_type: bound for bound in problem.sizes}
        self.rooms = None if problem.rooms is None else {room.id: room for room in problem.rooms}
        self.ratio = problem.students_per_monitor
        self.most_days = problem.most_catch_up_days

    def build(self) -> Problem:
        adults = tuple(self.adults.values())
        return replace(
            self.problem,
            students=tuple(self.students.values()),
            adults=adults,
            needs=tuple(self.needs.values()),
            pins=tuple(self.pins),
            keep_apart=tuple(self.apart),
            sizes=tuple(self.sizes.values()),
            rooms=None if self.rooms is None else tuple(self.rooms.values()),
            students_per_monitor=self.ratio,
            most_catch_up_days=self.most_days,
            effects=(*self.problem.effects, *self._missing_effects(adults)),
        )

    def _missing_effects(self, adults: tuple[Adult, ...]) -> list[Effect]:
        """A kind of session that a role leads only now is as good as with the role that leads it worst."""
        known = {(effect.session_type, effect.role) for effect in self.problem.effects}
        wanted = {(kind, adult.role) for adult in adults for kind in adult.session_types if kind in self.sizes} - known
        least = {
            kind: min((e.effect for e in self.problem.effects if e.session_type is kind), default=0.0)
            for kind in ADULT_LED
        }
        return [Effect(kind, role, least[kind]) for kind, role in sorted(wanted)]


def _drop_pin(parts: _Parts, pin: Any) -> None:  # noqa: ANN401 - the subject of a step
    parts.pins.pop(pin, None)


def _list_need(parts: _Parts, student: str, skills: tuple[str, ...]) -> None:
    for skill in skills:
        parts.needs.setdefault((student, skill), Need(student, skill, 0.0))


def _join_pair(parts: _Parts, one: str, other: str) -> None:
    parts.apart.pop((one, other), None)


def _waive(parts: _Parts, student: str) -> None:
    parts.students[student] = replace(parts.students[student], needs_certified=False)


def _bring(parts: _Parts, adult: str, block: str, kinds: frozenset[SessionType] | None = None) -> None:
    """Has an adult there; with `kinds`, one who is not of the team."""
    if kinds is not None and adult not in parts.adults:
        role = Role.TEACHER_LEADER
        parts.adults[adult] = Adult(adult, role, frozenset(), frozenset(), certified=True)
    here = parts.adults[adult]
    parts.adults[adult] = replace(
        here, blocks=here.blocks | {block}, session_types=here.session_types | (kinds or set())
    )


def _let(parts: _Parts, adult: str, kind: SessionType) -> None:
    parts.adults[adult] = replace(parts.adults[adult], session_types=parts.adults[adult].session_types | {kind})


def _let_lead(parts: _Parts, adult: str, skill: str) -> None:
    parts.adults[adult] = replace(parts.adults[adult], skills={**(parts.adults[adult].skills or {}), skill: 1.0})


def _trust(parts: _Parts, adult: str) -> None:
    parts.adults[adult] = replace(parts.adults[adult], in_training=False, supervises=False)


def _watch(parts: _Parts, ratio: int) -> None:
    parts.ratio = max(parts.ratio, ratio)


def _raise_cap(parts: _Parts, days: int) -> None:
    if parts.most_days is not None:
        parts.most_days = max(parts.most_days, days)


def _enlarge(parts: _Parts, capacities: tuple[tuple[str, int], ...]) -> None:
    for room, capacity in capacities:
        assert parts.rooms is not None
        parts.rooms[room] = replace(parts.rooms[room], capacity=max(capacity, parts.rooms[room].capacity))


def _find_rooms(parts: _Parts, rooms: tuple[Room, ...]) -> None:
    if parts.rooms is not None:
        parts.rooms |= {room.id: room for room in rooms}


def _resize(parts: _Parts, subject: str | SessionType, least: int | None, most: int | None) -> None:
    """Widens the bounds of a kind, or, where it is an adult's id, how many the adult teaches at once."""
    if not isinstance(subject, SessionType):
        own = parts.adults[subject]
        if own.max_group is not None and most is not None:
            parts.adults[subject] = replace(own, max_group=max(own.max_group, most))
        return
    bound = parts.sizes[subject]
    lowest = bound.least if least is None else min(bound.least, least)
    parts.sizes[subject] = SizeBound(subject, lowest, max(bound.most, most or 0), bound.tables)


GIVING: dict[str, Callable[..., None]] = {
    "pinned": _drop_pin,
    "eligibility": _list_need,
    "keep_apart": _join_pair,
    "certified": _waive,
    "adult_available": _bring,
    "permission": _let,
    "qualified": _let_lead,
    "supervision": _trust,
    "catch_up_days": _raise_cap,
    "monitors": _watch,
    "room_capacity": _enlarge,
    "rooms": _find_rooms,
    "group_size": _resize,
}
