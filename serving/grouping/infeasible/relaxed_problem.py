"""Restates a problem with soft constraints relaxed."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from serving.grouping.infeasible.concessions import SoftConstraint
from serving.grouping.problem.people import Adult, Need
from serving.grouping.problem.places import Pin, Room
from serving.grouping.problem.policy import ADULT_LED, Effect, Role, SessionType, SizeBound
from serving.grouping.problem.problem import Problem


def relax(problem: Problem, constraints: Iterable[SoftConstraint]) -> Problem:
    """Returns the problem with the constraints relaxed; their order decides nothing."""
    relaxed = _RelaxedProblem(problem)
    for constraint in constraints:
        RELAX[constraint.rule](relaxed, *constraint.subject)
    return relaxed.build()


class _RelaxedProblem:
    """The parts of a problem while they change."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.pins = dict.fromkeys(problem.pins)
        self.apart = dict.fromkeys(problem.keep_apart)
        self.exclusions = dict.fromkeys(problem.adult_exclusions)
        self.blocks = {block.id: block for block in problem.blocks}
        self.students = {student.id: student for student in problem.students}
        self.adults = {adult.id: adult for adult in problem.adults}
        self.needs = {(need.student, need.skill): need for need in problem.needs}
        self.mixed: set[str] = set()  # skills with sessions for any aim
        self.sizes = {bound.session_type: bound for bound in problem.sizes}
        self.rooms = {room.id: room for room in problem.rooms or ()}
        self.ratio = problem.students_per_monitor

    def build(self) -> Problem:
        return replace(
            self.problem,
            students=tuple(self.students.values()),
            adults=tuple(self.adults.values()),
            needs=tuple(replace(n, purpose=None) if n.skill in self.mixed else n for n in self.needs.values()),
            pins=tuple(self.pins),
            keep_apart=tuple(self.apart),
            adult_exclusions=tuple(self.exclusions),
            blocks=tuple(self.blocks.values()),
            sizes=tuple(self.sizes.values()),
            rooms=None if self.problem.rooms is None else tuple(self.rooms.values()),
            students_per_monitor=self.ratio,
            effects=(*self.problem.effects, *self._missing_effects()),
        )

    def change_adult(self, adult: str, **changes: Any) -> None:  # noqa: ANN401 - any attributes of an adult
        self.adults[adult] = replace(self.adults[adult], **changes)

    def _missing_effects(self) -> list[Effect]:
        """A kind of session that a role leads only now is as good as with the role that leads it worst."""
        known = {(effect.session_type, effect.role) for effect in self.problem.effects}
        led = {(kind, adult.role) for adult in self.adults.values() for kind in adult.session_types}
        least = {
            kind: min((effect.effect for effect in self.problem.effects if effect.session_type is kind), default=0.0)
            for kind in ADULT_LED
        }
        return [Effect(kind, role, least[kind]) for kind, role in sorted(led - known) if kind in self.sizes]


def _drop_pin(relaxed: _RelaxedProblem, pin: Pin) -> None:
    relaxed.pins.pop(pin, None)


def _list_needs(relaxed: _RelaxedProblem, student: str, skills: tuple[str, ...]) -> None:
    """Lists needs for what most others need the skill for, so that the student can sit with them."""
    for skill in skills:
        purposes = Counter(need.purpose for need in relaxed.problem.needs if need.skill == skill)
        purpose = max(purposes, key=lambda each: (purposes[each], each or ""), default=None)
        relaxed.needs.setdefault((student, skill), Need(student, skill, 0.0, purpose=purpose))


def _let_share(relaxed: _RelaxedProblem, one: str, other: str) -> None:
    relaxed.apart.pop((one, other), None)


def _let_lead(relaxed: _RelaxedProblem, student: str, adult: str) -> None:
    relaxed.exclusions.pop((student, adult), None)


def _mix_aims(relaxed: _RelaxedProblem, skill: str) -> None:
    relaxed.mixed.add(skill)


def _open_block(relaxed: _RelaxedProblem, block: str) -> None:
    relaxed.blocks[block] = replace(relaxed.blocks[block], skills=None)


def _waive_certification(relaxed: _RelaxedProblem, student: str) -> None:
    relaxed.students[student] = replace(relaxed.students[student], needs_certified=False)


def _add_presence(
    relaxed: _RelaxedProblem, adult: str, block: str, kinds: frozenset[SessionType] = frozenset()
) -> None:
    """Has an adult there; with `kinds`, one who is not of the team."""
    if kinds and adult not in relaxed.adults:
        relaxed.adults[adult] = Adult(adult, Role.TEACHER_LEADER, frozenset(), frozenset(), certified=True)
    there = relaxed.adults[adult]
    relaxed.change_adult(adult, blocks=there.blocks | {block}, session_types=there.session_types | kinds)


def _permit(relaxed: _RelaxedProblem, adult: str, kind: SessionType) -> None:
    relaxed.change_adult(adult, session_types=relaxed.adults[adult].session_types | {kind})


def _qualify(relaxed: _RelaxedProblem, adult: str, skill: str) -> None:
    relaxed.change_adult(adult, skills={**(relaxed.adults[adult].skills or {}), skill: 1.0})


def _waive_supervision(relaxed: _RelaxedProblem, adult: str) -> None:
    relaxed.change_adult(adult, in_training=False, supervises=False)


def _raise_ratio(relaxed: _RelaxedProblem, ratio: int) -> None:
    relaxed.ratio = max(relaxed.ratio, ratio)


def _enlarge_rooms(relaxed: _RelaxedProblem, capacities: tuple[tuple[str, int], ...]) -> None:
    for name, capacity in capacities:
        room = relaxed.rooms[name]
        relaxed.rooms[name] = replace(room, capacity=max(capacity, room.capacity))


def _add_rooms(relaxed: _RelaxedProblem, rooms: tuple[Room, ...]) -> None:
    relaxed.rooms |= {room.id: room for room in rooms}


def _resize(relaxed: _RelaxedProblem, subject: str | SessionType, least: int | None, most: int | None) -> None:
    """Widens the bounds of a kind, or, where it is an adult's id, how many the adult teaches at once."""
    if isinstance(subject, SessionType):
        bound = relaxed.sizes[subject]
        lowest = bound.least if least is None else min(bound.least, least)
        relaxed.sizes[subject] = SizeBound(subject, lowest, max(bound.most, most or 0), bound.tables, bound.support)
        return
    max_group = relaxed.adults[subject].max_group
    if max_group is not None and most is not None:
        relaxed.change_adult(subject, max_group=max(max_group, most))


RELAX: dict[str, Callable[..., None]] = {
    "pinned": _drop_pin,
    "eligibility": _list_needs,
    "keep_apart": _let_share,
    "adult_exclusions": _let_lead,
    "one_aim": _mix_aims,
    "block_skills": _open_block,
    "certified": _waive_certification,
    "adult_available": _add_presence,
    "permission": _permit,
    "qualified": _qualify,
    "supervision": _waive_supervision,
    "monitors": _raise_ratio,
    "room_capacity": _enlarge_rooms,
    "rooms": _add_rooms,
    "group_size": _resize,
}
"""How each rule is relaxed, for the subject of its soft constraint."""
