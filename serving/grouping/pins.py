"""Finds pinned places that cannot be kept: alone, with another, or for want of places."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from serving.grouping.errors import Conflict
from serving.grouping.people import Adult
from serving.grouping.places import Block, Pin
from serving.grouping.policy import LED, Modality
from serving.grouping.supply import Supply


class Place(NamedTuple):
    """A led session in which a pinned student could sit, by ids."""

    adult: Adult
    modality: Modality
    skill: str


def pins_together(supply: Supply) -> Iterator[Conflict]:
    """Pins that contradict each other, or a rule on two students."""
    pins = supply.problem.pins
    apart = set(supply.problem.keep_apart)
    labels = {block.id: block.label for block in supply.problem.blocks}
    for at, pin in enumerate(pins):
        for other in pins[at + 1 :]:
            same_student, same_block = pin.student == other.student, pin.block == other.block
            same_adult = pin.adult is not None and pin.adult == other.adult
            label, pair = labels[pin.block], (min(pin.student, other.student), max(pin.student, other.student))
            if same_student and same_block and _differ(pin, other):
                sentence = f"A student is pinned to two places at once in {label}."
                yield Conflict(("pinned", "one_session"), sentence, students=(pin.student,))
            if same_student and not same_block and pin.skill is not None and pin.skill == other.skill:
                sentence = f"A student is pinned to {pin.skill} twice, in {label} and in {labels[other.block]}."
                yield Conflict(("pinned", "skill_once"), sentence, students=(pin.student,))
            if not same_student and same_block and same_adult:
                if pair in apart:
                    sentence = f"Two students who are to be kept apart are both pinned to {pin.adult} in {label}."
                    yield Conflict(("keep_apart", "pinned"), sentence, students=pair)
                if _differ(pin, other):
                    sentence = f"{pin.adult} would need two sessions at once in {label} for two students pinned there."
                    yield Conflict(("pinned", "one_activity"), sentence, students=pair)


def pins_alone(supply: Supply) -> Iterator[Conflict]:
    """A pin whose student is absent, or that no adult, skill and kind of session can keep."""
    blocks = {block.id: block for block in supply.problem.blocks}
    for pin in supply.problem.pins:
        block = blocks[pin.block]
        if block.id not in supply.students[pin.student].blocks:
            sentence = f"A student is pinned to a place in {block.label} but is absent then."
            yield Conflict(("pinned", "presence"), sentence, students=(pin.student,))
        elif not pin.online:
            rule = _missing(supply, pin, block)
            if rule is not None:
                name, why = rule
                sentence = f"A student's pinned place in {block.label} cannot be: {why}."
                yield Conflict(("pinned", name), sentence, students=(pin.student,))


def pins_crowded(supply: Supply) -> Iterator[Conflict]:
    """More students pinned to one adult, or to tutoring, at once than there are places."""
    for block in supply.problem.blocks:
        pins = [pin for pin in supply.problem.pins if pin.block == block.id and not pin.online]
        for adult in supply.problem.adults:
            mine = {pin.student for pin in pins if pin.adult == adult.id}
            kinds = {pin.modality for pin in pins if pin.adult == adult.id and pin.modality is not None}
            most = max(supply.most(adult, kind) for kind in kinds or LED)
            if len(mine) > most > 0:
                sentence = f"{len(mine)} students are pinned to {adult.id} in {block.label}, who takes at most {most}."
                yield Conflict(("pinned", "group_size"), sentence, students=tuple(sorted(mine)))
        for kind in LED:
            asked = {pin.student for pin in pins if pin.modality is kind}
            places = sum(supply.most(adult, kind) for adult in supply.usable(block))
            if len(asked) > places > 0:
                sentence = (
                    f"{len(asked)} students are pinned to {kind} in {block.label}; all adults have {places} places."
                )
                yield Conflict(("pinned", "group_size"), sentence, students=tuple(sorted(asked)))
        students = {pin.student for pin in pins}
        places = supply.led_at_most(block, len(supply.usable(block)))
        if len(students) > places > 0:
            sentence = (
                f"{len(students)} students are pinned to led sessions in {block.label}; there are {places} places."
            )
            yield Conflict(("pinned", "group_size"), sentence, students=tuple(sorted(students)))


def _differ(pin: Pin, other: Pin) -> bool:
    if pin.student == other.student and pin.online != other.online:
        return True
    named: list[tuple[str | None, str | None]] = [(pin.modality, other.modality), (pin.skill, other.skill)]
    if pin.student == other.student:
        named.append((pin.adult, other.adult))
    return any(one is not None and two is not None and one != two for one, two in named)


def _missing(supply: Supply, pin: Pin, block: Block) -> tuple[str, str] | None:
    """Names the rule that leaves a pinned student without any place, and why; None where a place is left."""
    student = supply.students[pin.student]
    listed = [need.skill for need in supply.problem.needs if need.student == student.id]
    skills = [skill for skill in listed if pin.skill in (None, skill)]
    adults = [adult for adult in supply.problem.adults if pin.adult in (None, adult.id)]
    kinds = [kind for kind in LED if pin.modality in (None, kind)]
    places = [Place(adult, kind, skill) for adult in adults for kind in kinds for skill in skills]
    present, usable = supply.present(block), supply.usable(block)

    def enough(place: Place) -> bool:
        bound = supply.bounds.get(place.modality)
        return bound is not None and len(supply.needed_by[place.skill] & present) >= bound.least

    tests: tuple[tuple[str, str, Callable[[Place], bool]], ...] = (
        ("eligibility", "the skill asked for is not among the student's needs", lambda _: True),
        (
            "catch_up_days",
            "the student has been in catch-up groups for as many days in a row as the cap allows",
            lambda place: student.id in supply.needed_by.get(place.skill, ()),
        ),
        ("adult_available", "the adult is not there", lambda place: block.id in place.adult.blocks),
        ("supervision", "nobody who supervises is there with the trainee", lambda place: place.adult in usable),
        ("permission", "the adult may not lead such a session", lambda p: p.modality in p.adult.modalities),
        ("qualified", "the adult is not qualified in the skill", lambda p: supply.taught(p.skill, [p.adult])),
        ("certified", "the adult is not certified", lambda p: p.adult.certified or not student.needs_certified),
        ("group_size", "too few students who need the skill are there", enough),
        ("group_size", "the adult takes no group of that size", lambda p: supply.most(p.adult, p.modality) > 0),
    )
    for name, why, test in tests:
        places = [place for place in places if test(place)]
        if not places:
            return name, why
    return None
