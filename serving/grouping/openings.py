"""Lists the led sessions in which a pinned student could sit, or names the rule that leaves none."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from serving.grouping.people import Adult
from serving.grouping.places import Block, Pin
from serving.grouping.policy import LED, Modality
from serving.grouping.supply import Supply

CAPPED = "the student has been in catch-up groups for as many days in a row as the cap allows"


class Place(NamedTuple):
    """A led session, by its parts."""

    adult: Adult
    modality: Modality
    skill: str


@dataclass(frozen=True, slots=True)
class Openings:
    """Where a pinned student could sit, each place taken alone; without any, the rule in the way and why.

    Attributes:
        adults: ids of those who could lead it; the one named where there is no place. `kinds` and `skills` likewise.
    """

    places: tuple[Place, ...]
    adults: frozenset[str]
    kinds: frozenset[Modality]
    skills: frozenset[str]
    rule: str | None = None
    why: str | None = None


def list_openings(supply: Supply, pin: Pin, block: Block) -> Openings:
    """Returns the places that fit a pin to a led session.

    The rules are asked one after the other, and the first that leaves no place is the one that is named.
    """
    student = supply.students[pin.student]
    mine = [need.skill for need in supply.problem.needs if need.student == student.id]
    places = [
        Place(adult, kind, skill)
        for adult in supply.problem.adults
        for kind in LED
        for skill in mine
        if pin.adult in (None, adult.id) and pin.modality in (None, kind) and pin.skill in (None, skill)
    ]
    present, usable = supply.present(block), supply.usable(block)

    def enough(place: Place) -> bool:
        bound = supply.bounds.get(place.modality)
        return bound is not None and len(supply.needed_by[place.skill] & present) >= bound.least

    listed = any(pin.skill in (None, skill) for skill in mine)
    unlisted = "the skill asked for is not among the student's needs" if pin.skill else "the student has no need listed"
    tests: tuple[tuple[str, str, Callable[[Place], bool]], ...] = (
        ("eligibility", unlisted, lambda _: listed),
        ("catch_up_days", CAPPED, lambda place: student.id in supply.needed_by.get(place.skill, ())),
        ("adult_available", "the adult is not there", lambda place: block.id in place.adult.blocks),
        ("supervision", "nobody who supervises is there with the trainee", lambda place: place.adult in usable),
        ("permission", "the adult may not lead such a session", lambda p: p.modality in p.adult.modalities),
        ("qualified", "no adult there is qualified in the skill", lambda p: supply.taught(p.skill, [p.adult])),
        ("certified", "no adult there is certified", lambda p: p.adult.certified or not student.needs_certified),
        ("group_size", "too few students who need the skill are there", enough),
        ("group_size", "the adult takes no group of that size", lambda p: supply.most(p.adult, p.modality) > 0),
    )
    for rule, why, test in tests:
        places = [place for place in places if test(place)]
        if not places:
            named = frozenset({pin.adult} if pin.adult else ())
            skills = frozenset({pin.skill} if pin.skill else ())
            return Openings((), named, frozenset({pin.modality} if pin.modality else ()), skills, rule, why)
    return Openings(
        places=tuple(places),
        adults=frozenset(place.adult.id for place in places),
        kinds=frozenset(place.modality for place in places),
        skills=frozenset(place.skill for place in places),
    )


def led_pins(supply: Supply, block: Block) -> list[tuple[Pin, Openings]]:
    """Returns a block's pins to led sessions of students who are there, with the places that fit them."""
    return [
        (pin, list_openings(supply, pin, block))
        for pin in supply.problem.pins
        if pin.block == block.id and not pin.online and block.id in supply.students[pin.student].blocks
    ]
