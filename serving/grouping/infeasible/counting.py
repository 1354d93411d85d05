"""Finds, by counting, why a problem has no plan at all: each finding is proven and says its figures."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import combinations, islice

from serving.grouping.errors import Conflict
from serving.grouping.infeasible.supply import Supply, list_feasible_slots, list_led_pins
from serving.grouping.problem.people import Adult
from serving.grouping.problem.places import Block, Pin, Room
from serving.grouping.problem.policy import ADULT_LED, SessionType
from serving.grouping.problem.problem import Problem

MOST = 100
"""Conflicts that are named: nobody reads more, and a thousand pins may have half a million."""


def find_conflicts(problem: Problem, most: int = MOST) -> tuple[Conflict, ...]:
    """Returns the conflicts that counting shows, the first so many; empty does not prove that a plan exists.

    Pins are checked first, since a pin that cannot be kept explains what follows from it.
    """
    supply = Supply(problem)
    return tuple(islice((conflict for check in CHECKS for conflict in check(supply)), most))


def has_conflicts(problem: Problem) -> bool:
    """Says whether counting shows any conflict."""
    return bool(find_conflicts(problem, 1))


def contradicting_pins(supply: Supply) -> Iterator[Conflict]:
    """Yields pins of one student that contradict each other."""
    labels = {block.id: block.label for block in supply.problem.blocks}
    of_student: dict[str, list[Pin]] = defaultdict(list)
    for pin in supply.problem.pins:
        of_student[pin.student].append(pin)
    for pin, other in (pair for pins in of_student.values() for pair in combinations(pins, 2)):
        if pin.block == other.block:
            if _differ(pin, other):
                sentence = f"A student is pinned to two places at once in {labels[pin.block]}."
                yield Conflict(("pinned", "one_session"), sentence, students=(pin.student,))
        elif pin.skill is not None and pin.skill == other.skill:
            sentence = f"A student is pinned to {pin.skill} twice, in {labels[pin.block]} and in {labels[other.block]}."
            yield Conflict(("pinned", "skill_once"), sentence, students=(pin.student,))


def impossible_pins(supply: Supply) -> Iterator[Conflict]:
    """Yields pins whose student is absent, or that no adult, skill and kind of session can keep."""
    for block in supply.problem.blocks:
        for pin in supply.problem.pins:
            if pin.block != block.id:
                continue
            if block.id not in supply.students[pin.student].blocks:
                sentence = f"A student is pinned to a place in {block.label} but is absent then."
                yield Conflict(("pinned", "presence"), sentence, students=(pin.student,))
            elif not pin.online:
                feasible = list_feasible_slots(supply, pin, block)
                if feasible.rule is not None:
                    sentence = f"A student's pinned place in {block.label} cannot be: {feasible.why}."
                    yield Conflict(("pinned", feasible.rule), sentence, students=(pin.student,))


def pins_on_one_adult(supply: Supply) -> Iterator[Conflict]:
    """Yields two pins that only one adult could keep, who cannot keep both: a pair apart, or two sessions at once."""
    apart = set(supply.problem.keep_apart)
    for block in supply.problem.blocks:
        bound = [(pin, slots) for pin, slots in list_led_pins(supply, block) if len(slots.adults) == 1]
        for (pin, mine), (other, theirs) in combinations(bound, 2):
            if pin.student == other.student or mine.adults != theirs.adults:
                continue
            pair = (min(pin.student, other.student), max(pin.student, other.student))
            (adult,) = mine.adults
            if pair in apart:
                sentence = f"Two students who must not be grouped together are both pinned to {adult} in {block.label}."
                yield Conflict(("keep_apart", "pinned"), sentence, students=pair)
            sentence = f"{adult} would need two sessions at once in {block.label} for two students pinned there"
            if not (_overlap(mine.kinds, theirs.kinds) and _overlap(mine.skills, theirs.skills)):
                yield Conflict(("pinned", "one_activity"), f"{sentence}.", students=pair)
            elif mine.skills and theirs.skills and not _share_aim(supply, pair, mine.skills & theirs.skills):
                yield Conflict(("pinned", "one_aim"), f"{sentence}, who need the skill for two aims.", students=pair)


def crowded_pins(supply: Supply) -> Iterator[Conflict]:
    """Yields more students pinned to one adult, kind of session or certified adult at once than there are places."""
    for block in supply.problem.blocks:
        led, usable = list_led_pins(supply, block), supply.usable(block)
        if not led:
            continue
        for adult in supply.problem.adults:
            mine = {pin.student for pin, feasible in led if feasible.adults == {adult.id}}
            kinds = {kind for pin, feasible in led if feasible.adults == {adult.id} for kind in feasible.kinds}
            most = max((supply.most(adult, kind) for kind in kinds or ADULT_LED), default=0)
            yield from _yield_crowd(mine, most, f"{adult.id} in {block.label}", "group_size")
        for kind in ADULT_LED:
            asked = {pin.student for pin, feasible in led if feasible.kinds == {kind}}
            places = sum(supply.most(adult, kind) for adult in usable)
            yield from _yield_crowd(asked, places, f"{kind.replace('_', ' ')} in {block.label}", "group_size")
        needing = {pin.student for pin, _ in led if supply.students[pin.student].needs_certified}
        certified = sum(supply.largest(adult) for adult in usable if adult.certified)
        yield from _yield_crowd(needing, certified, f"certified adults in {block.label}", "certified")
        students = {pin.student for pin, _ in led}
        places = supply.led_at_most(block, len(usable), usable)
        yield from _yield_crowd(students, places, f"adult-led sessions in {block.label}", "group_size")


def pins_beyond_needs(supply: Supply) -> Iterator[Conflict]:
    """Yields students pinned to more adult-led sessions today than they have needs to sit in them for."""
    asked: dict[str, set[str]] = defaultdict(set)
    for pin in supply.problem.pins:
        if not pin.online and pin.block in supply.students[pin.student].blocks:
            asked[pin.student].add(pin.block)
    for student, blocks in sorted(asked.items()):
        needs = sum(student in students for students in supply.needed_by.values())
        if len(blocks) > needs > 0:
            sentence = (
                f"A student is pinned to {len(blocks)} adult-led sessions today and has {needs} needs listed, each of "
                f"which one session a day may serve."
            )
            yield Conflict(("pinned", "skill_once"), sentence, students=(student,))


def _yield_crowd(students: set[str], places: int, where: str, rule: str) -> Iterator[Conflict]:
    if len(students) > places > 0:
        sentence = f"{len(students)} students are pinned to {where}; there are {places} places."
        yield Conflict(("pinned", rule), sentence, students=tuple(sorted(students)))


def _share_aim(supply: Supply, pair: tuple[str, str], skills: frozenset[str]) -> bool:
    """Whether two students need one of some skills for the same aim, as far as their needs are listed."""
    aims = [(supply.aims.get((pair[0], skill)), supply.aims.get((pair[1], skill))) for skill in skills]
    return any(one is None or other is None or one is other for one, other in aims)


def _overlap(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two sets of what is feasible share anything; an empty one asks for nothing."""
    return not one or not other or bool(one & other)


def _differ(pin: Pin, other: Pin) -> bool:
    if pin.online != other.online:
        return True
    named = [(pin.session_type, other.session_type), (pin.skill, other.skill), (pin.adult, other.adult)]
    return any(one is not None and two is not None and one != two for one, two in named)


def too_few_monitors(supply: Supply) -> Iterator[Conflict]:
    """Yields blocks whose adults cannot supervise everybody, however many lead and however many monitor."""
    for block in supply.problem.blocks:
        adults, there = supply.usable(block), supply.there(block)
        if _enough_monitors(supply, block, adults):
            continue
        able = sum(SessionType.ONLINE in adult.session_types for adult in adults)
        figures = (
            f"{block.label} has {len(supply.present(block))} students, one adult may supervise "
            f"{supply.problem.students_per_monitor} online"
        )
        if len(there) > len(adults) and _enough_monitors(supply, block, there):
            sentence = (
                f"{figures}, and without a supervising adult {len(there) - len(adults)} of the {len(there)} adults "
                f"there, who are in training, may have no session."
            )
            yield Conflict(("supervision", "monitors"), sentence)
        elif _enough_monitors(supply, block, adults, pinned=False):
            pinned = tuple(sorted({pin.student for pin, _ in list_led_pins(supply, block)}))
            sentence = (
                f"{figures}, and the {len(pinned)} students pinned to adult-led sessions take so many of the "
                f"{len(adults)} adults on duty that too few are left for the others."
            )
            yield Conflict(("pinned", "group_size", "monitors"), sentence, students=pinned)
        else:
            sentence = (
                f"{figures}, and of the {len(adults)} adults on duty {able} may; nor can adult-led sessions take the "
                f"others."
            )
            yield Conflict(("monitors",), sentence)


def _enough_monitors(supply: Supply, block: Block, adults: list[Adult], *, pinned: bool = True) -> bool:
    """Whether so many adults could be enough, if each led as many as anybody does.

    With pins, as many adults as pins to one kind of session need lead such sessions, and no more than these take.
    """
    present, ratio = len(supply.present(block)), supply.problem.students_per_monitor
    pins = list_led_pins(supply, block) if pinned else []
    leading = {adult for _, feasible in pins if len(feasible.adults) == 1 for adult in feasible.adults}
    able = sum(SessionType.ONLINE in adult.session_types and adult.id not in leading for adult in adults)
    bound, seats = 0, 0  # adults bound to lead one kind, and the most they seat
    for kind in ADULT_LED:
        asked = len({pin.student for pin, feasible in pins if feasible.kinds == {kind}})
        sizes = sorted((supply.most(adult, kind) for adult in adults), reverse=True)
        needed = next((at for at in range(len(sizes) + 1) if sum(sizes[:at]) >= asked), len(sizes))
        bound, seats = bound + needed, seats + sum(sizes[:needed])
    for monitors in range(able + 1):
        leads = len(adults) - monitors
        led = min(supply.led_at_most(block, leads, adults), seats + supply.seats(block, adults, leads - bound))
        if leads >= bound and present - led <= monitors * ratio:
            return True
    return False


def too_small_rooms(supply: Supply) -> Iterator[Conflict]:
    """Yields blocks whose rooms are too few or too small, however adults and students are assigned to them."""
    if supply.problem.rooms is None:
        return
    for block in supply.problem.blocks:
        present, rooms = len(supply.present(block)), supply.rooms(block)
        adults = supply.usable(block)
        if present and not rooms:
            yield Conflict(("rooms",), f"{block.label} has {present} students and no free room.")
            continue
        held = sum(room.capacity for room in rooms[: len(adults)])
        if not _enough_rooms(supply, block, rooms, adults) and (
            held < present or _enough_monitors(supply, block, adults)
        ):
            sentence = (
                f"{block.label} has {present} students; the {min(len(adults), len(rooms))} largest free rooms, one for "
                f"each of {len(adults)} adults, hold {held}"
            )
            sentence += (
                "." if held < present else ", but not with adult-led sessions and online work of the sizes allowed."
            )
            more = [*rooms, *(Room(f"another {at}", rooms[0].capacity) for at in range(len(adults) - len(rooms)))]
            few = len(rooms) < len(more) and _enough_rooms(supply, block, more, adults)
            yield Conflict(("room_capacity", "rooms") if few else ("room_capacity",), sentence)


def _enough_rooms(supply: Supply, block: Block, rooms: list[Room], adults: list[Adult]) -> bool:
    """Whether rooms could hold everybody, the largest of them for as many led sessions and stations as is best."""
    present, ratio = len(supply.present(block)), supply.problem.students_per_monitor
    capacities = sorted((room.capacity for room in rooms), reverse=True)
    ordinary = sorted((room.capacity for room in rooms if not room.station), reverse=True)
    able = sum(SessionType.ONLINE in adult.session_types for adult in adults)
    for monitors in range(able + 1):
        leads = len(adults) - monitors
        led = min(supply.led_at_most(block, leads, adults), sum(ordinary[:leads]))
        online = min(monitors * ratio, sum(capacities[:monitors]))
        if min(led + online, sum(capacities[: len(adults)])) >= present:
            return True
    return False


CHECKS: tuple[Callable[[Supply], Iterator[Conflict]], ...] = (
    contradicting_pins, pins_on_one_adult, impossible_pins, crowded_pins, pins_beyond_needs, too_few_monitors,
    too_small_rooms,
)  # fmt: skip
