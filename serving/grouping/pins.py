"""Finds pinned places that cannot be kept: alone, with another, or for want of places."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations

from serving.grouping.errors import Conflict
from serving.grouping.openings import led_pins, list_openings
from serving.grouping.places import Pin
from serving.grouping.policy import LED
from serving.grouping.supply import Supply


def pins_together(supply: Supply) -> Iterator[Conflict]:
    """Pins of one student that contradict each other."""
    labels = {block.id: block.label for block in supply.problem.blocks}
    for pin, other in combinations(supply.problem.pins, 2):
        if pin.student != other.student:
            continue
        if pin.block == other.block:
            if _differ(pin, other):
                sentence = f"A student is pinned to two places at once in {labels[pin.block]}."
                yield Conflict(("pinned", "one_session"), sentence, students=(pin.student,))
        elif pin.skill is not None and pin.skill == other.skill:
            sentence = f"A student is pinned to {pin.skill} twice, in {labels[pin.block]} and in {labels[other.block]}."
            yield Conflict(("pinned", "skill_once"), sentence, students=(pin.student,))


def pins_alone(supply: Supply) -> Iterator[Conflict]:
    """A pin whose student is absent, or that no adult, skill and kind of session can keep."""
    for block in supply.problem.blocks:
        for pin in supply.problem.pins:
            if pin.block != block.id:
                continue
            if block.id not in supply.students[pin.student].blocks:
                sentence = f"A student is pinned to a place in {block.label} but is absent then."
                yield Conflict(("pinned", "presence"), sentence, students=(pin.student,))
            elif not pin.online:
                openings = list_openings(supply, pin, block)
                if openings.rule is not None:
                    sentence = f"A student's pinned place in {block.label} cannot be: {openings.why}."
                    yield Conflict(("pinned", openings.rule), sentence, students=(pin.student,))


def pins_with_one_adult(supply: Supply) -> Iterator[Conflict]:
    """Pins that only one adult could keep, who cannot keep both: two kept apart, or two sessions at once."""
    apart = set(supply.problem.keep_apart)
    for block in supply.problem.blocks:
        for (pin, mine), (other, theirs) in combinations(led_pins(supply, block), 2):
            if pin.student == other.student or len(mine.adults) != 1 or mine.adults != theirs.adults:
                continue
            pair = (min(pin.student, other.student), max(pin.student, other.student))
            (adult,) = mine.adults
            if pair in apart:
                sentence = f"Two students who are to be kept apart are both pinned to {adult} in {block.label}."
                yield Conflict(("keep_apart", "pinned"), sentence, students=pair)
            if not (_meet(mine.kinds, theirs.kinds) and _meet(mine.skills, theirs.skills)):
                sentence = f"{adult} would need two sessions at once in {block.label} for two students pinned there."
                yield Conflict(("pinned", "one_activity"), sentence, students=pair)


def pins_crowded(supply: Supply) -> Iterator[Conflict]:
    """More students pinned to one adult, to tutoring, or to certified adults, at once than there are places."""
    for block in supply.problem.blocks:
        led, usable = led_pins(supply, block), supply.usable(block)
        if not led:
            continue
        for adult in supply.problem.adults:
            mine = {pin.student for pin, openings in led if openings.adults == {adult.id}}
            kinds = {kind for pin, openings in led if openings.adults == {adult.id} for kind in openings.kinds}
            most = max((supply.most(adult, kind) for kind in kinds or LED), default=0)
            yield from _crowd(mine, most, f"{adult.id} in {block.label}", "group_size")
        for kind in LED:
            asked = {pin.student for pin, openings in led if openings.kinds == {kind}}
            places = sum(supply.most(adult, kind) for adult in usable)
            yield from _crowd(asked, places, f"{kind.replace('_', ' ')} in {block.label}", "group_size")
        needing = {pin.student for pin, _ in led if supply.students[pin.student].needs_certified}
        certified = sum(max(supply.most(adult, kind) for kind in LED) for adult in usable if adult.certified)
        yield from _crowd(needing, certified, f"certified adults in {block.label}", "certified")
        students = {pin.student for pin, _ in led}
        places = supply.led_at_most(block, len(usable))
        yield from _crowd(students, places, f"led sessions in {block.label}", "group_size")


def pins_starved(supply: Supply) -> Iterator[Conflict]:
    """A student pinned to more led sessions today than there are needs to sit in them for."""
    asked: dict[str, set[str]] = defaultdict(set)
    for pin in supply.problem.pins:
        if not pin.online and pin.block in supply.students[pin.student].blocks:
            asked[pin.student].add(pin.block)
    for student, blocks in sorted(asked.items()):
        needs = sum(student in students for students in supply.needed_by.values())
        if len(blocks) > needs > 0:
            sentence = (
                f"A student is pinned to {len(blocks)} led sessions today and has {needs} needs listed, each of which "
                f"one session a day may serve."
            )
            yield Conflict(("pinned", "skill_once"), sentence, students=(student,))


def _crowd(students: set[str], places: int, where: str, rule: str) -> Iterator[Conflict]:
    if len(students) > places > 0:
        sentence = f"{len(students)} students are pinned to {where}; there are {places} places."
        yield Conflict(("pinned", rule), sentence, students=tuple(sorted(students)))


def _meet(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two sets of what would do share anything; an empty one asks for nothing."""
    return not one or not other or bool(one & other)


def _differ(pin: Pin, other: Pin) -> bool:
    if pin.online != other.online:
        return True
    named = [(pin.modality, other.modality), (pin.skill, other.skill), (pin.adult, other.adult)]
    return any(one is not None and two is not None and one != two for one, two in named)
