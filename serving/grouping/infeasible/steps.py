"""Steps by which a day's rules give way: each one named rule for one subject, at a price, told in plain words.

Prices are in the unit of a dropped pin: what is only asked for gives way before what needs another person or room, and
that before what protects somebody. They order answers for a person to choose from, and no plan is scored with them.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from serving.grouping.places import Pin
from serving.grouping.policy import LED, Modality
from serving.grouping.problem import Problem

PRICES = {
    "pinned": 1.0,
    "eligibility": 1.5,
    "adult_available": 3.0,
    "qualified": 3.0,
    "permission": 3.0,
    "keep_apart": 4.0,
    "supervision": 6.0,
    "certified": 8.0,
}


@dataclass(frozen=True, slots=True)
class Step:
    """One rule for one subject, and what it means to give it up.

    Attributes:
        rule: by the names of `check.py`.
        subject: what `giving.give_up` changes; it may hold ids of students, so that no text shows it.
        price: in dropped pins.
        asks: what the rule asks, in plain words without students.
        gives: what giving it up means, as an instruction.
        students: ids of those concerned, for whoever may see them.
    """

    rule: str
    subject: tuple[Any, ...] = field(repr=False)
    price: float
    asks: str
    gives: str
    students: tuple[str, ...] = field(default=(), repr=False)


def list_steps(problem: Problem) -> tuple[Step, ...]:
    """Returns every step on a single pin, pair, student or adult; what is asked for comes first."""
    return (*_pins(problem), *_pairs(problem), *_accommodations(problem), *_absences(problem), *_adults(problem))


def tell_kind(kind: Modality) -> str:
    """Returns what an adult does in a session of a kind, in plain words."""
    return "watch over online work" if kind is Modality.ONLINE else f"lead {kind.replace('_', ' ')} sessions"


def _pins(problem: Problem) -> Iterator[Step]:
    labels = {block.id: block.label for block in problem.blocks}
    names = {skill.id: skill.name for skill in problem.skills}
    needs: dict[str, set[str]] = {}
    for need in problem.needs:
        needs.setdefault(need.student, set()).add(need.skill)
    for pin in problem.pins:
        where = f"{_tell_pin(pin, names)} in {labels[pin.block]}"
        asks, gives = f"a student is pinned to {where}", f"drop the pin of a student to {where}"
        yield Step("pinned", (pin,), PRICES["pinned"], asks, gives, (pin.student,))
        mine = needs.get(pin.student, set())
        if not pin.online and (not mine if pin.skill is None else pin.skill not in mine):
            skills = (pin.skill,) if pin.skill else tuple(names)
            asks = f"a student pinned to {where} has no such need listed"
            gives = f"let a student pinned to {where} sit there without such a need"
            yield Step("eligibility", (pin.student, skills), PRICES["eligibility"], asks, gives, (pin.student,))


def _tell_pin(pin: Pin, names: dict[str, str]) -> str:
    if pin.online:
        return "online work"
    kind = f"{pin.modality.replace('_', ' ')} work" if pin.modality else "a led session"
    on = f" on {names[pin.skill]}" if pin.skill else ""
    return f"{kind}{on}{f' with {pin.adult}' if pin.adult else ''}"


def _pairs(problem: Problem) -> Iterator[Step]:
    there = {student.id: student.blocks for student in problem.students}
    for pair in problem.keep_apart:
        if there[pair[0]] & there[pair[1]]:
            gives = "let two students who are to be kept apart share a session"
            yield Step("keep_apart", pair, PRICES["keep_apart"], "two students are to be kept apart", gives, pair)


def _accommodations(problem: Problem) -> Iterator[Step]:
    for student in problem.students:
        if student.needs_certified and student.blocks:
            asks = "a student needs a certified adult in led sessions"
            gives = "seat a student who needs a certified adult with one who is not"
            yield Step("certified", (student.id,), PRICES["certified"], asks, gives, (student.id,))


def _absences(problem: Problem) -> Iterator[Step]:
    for block in problem.blocks:
        for adult in problem.adults:
            if block.id not in adult.blocks:
                words = f"{adult.id} is away in {block.label}", f"have {adult.id} there in {block.label}"
                yield Step("adult_available", (adult.id, block.id), PRICES["adult_available"], *words)


def _adults(problem: Problem) -> Iterator[Step]:
    offered = {bound.modality for bound in problem.sizes}
    names = {skill.id: skill.name for skill in problem.skills}
    wanted = _wanted(problem)
    for adult in problem.adults:
        if adult.trainee:
            asks = f"{adult.id}, who is in training, has duties only while a supervising adult has one too"
            gives = f"let {adult.id}, who is in training, work without a supervising adult"
            yield Step("supervision", (adult.id,), PRICES["supervision"], asks, gives)
        for kind in (*(kind for kind in LED if kind in offered), Modality.ONLINE):
            if kind not in adult.modalities:
                asks, gives = f"{adult.id} may not {tell_kind(kind)}", f"let {adult.id} {tell_kind(kind)}"
                yield Step("permission", (adult.id, kind), PRICES["permission"], asks, gives)
        known = names if adult.skills is None else adult.skills
        for skill in sorted(wanted):
            if skill not in known:
                asks, gives = f"{adult.id} is not qualified in {names[skill]}", f"let {adult.id} lead {names[skill]}"
                yield Step("qualified", (adult.id, skill), PRICES["qualified"], asks, gives)


def _wanted(problem: Problem) -> Collection[str]:
    """Returns the skills on which pinned students could sit in led sessions; no other lead is ever missing."""
    pinned = {pin.student for pin in problem.pins if not pin.online}
    named = {pin.skill for pin in problem.pins if pin.skill is not None}
    return named | {need.skill for need in problem.needs if need.student in pinned}
