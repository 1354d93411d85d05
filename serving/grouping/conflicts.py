"""Finds, by counting, why a problem has no plan at all: each finding is proven and says its figures."""

from collections.abc import Callable, Iterator

from serving.grouping.errors import Conflict
from serving.grouping.openings import led_pins
from serving.grouping.people import Adult
from serving.grouping.pins import pins_alone, pins_crowded, pins_starved, pins_together, pins_with_one_adult
from serving.grouping.places import Block, Room
from serving.grouping.policy import LED, Modality
from serving.grouping.problem import Problem
from serving.grouping.supply import Supply


def find_conflicts(problem: Problem) -> tuple[Conflict, ...]:
    """Returns every conflict that counting shows; empty does not prove that a plan exists.

    Pins are judged first, since a pin that cannot be kept explains what follows from it.
    """
    supply = Supply(problem)
    return tuple(conflict for check in CHECKS for conflict in check(supply))


def too_few_monitors(supply: Supply) -> Iterator[Conflict]:
    """Blocks whose adults cannot watch over everybody, however many lead and however many monitor."""
    for block in supply.problem.blocks:
        adults, there = supply.usable(block), supply.there(block)
        if _watched(supply, block, adults):
            continue
        able = sum(Modality.ONLINE in adult.modalities for adult in adults)
        figures = (
            f"{block.label} has {len(supply.present(block))} students, one adult may watch over "
            f"{supply.problem.students_per_monitor} online"
        )
        if len(there) > len(adults) and _watched(supply, block, there):
            sentence = (
                f"{figures}, and without a supervising adult {len(there) - len(adults)} of the {len(there)} adults "
                f"there, who are in training, may have no session."
            )
            yield Conflict(("supervision", "monitors"), sentence)
        elif _watched(supply, block, adults, pinned=False):
            pinned = tuple(sorted({pin.student for pin, _ in led_pins(supply, block)}))
            sentence = (
                f"{figures}, and the {len(pinned)} students pinned to led sessions take so many of the {len(adults)} "
                f"adults on duty that too few are left for the others."
            )
            yield Conflict(("pinned", "group_size", "monitors"), sentence, students=pinned)
        else:
            sentence = (
                f"{figures}, and of the {len(adults)} adults on duty {able} may; nor can led sessions take the others."
            )
            yield Conflict(("monitors",), sentence)


def _watched(supply: Supply, block: Block, adults: list[Adult], *, pinned: bool = True) -> bool:
    """Whether so many adults could be enough, if each led as many as anybody does.

    With pins, as many adults as pins to one kind of session need lead such sessions, and no more than these take.
    """
    present, ratio = len(supply.present(block)), supply.problem.students_per_monitor
    pins = led_pins(supply, block) if pinned else []
    leading = {adult for _, openings in pins if len(openings.adults) == 1 for adult in openings.adults}
    able = sum(Modality.ONLINE in adult.modalities and adult.id not in leading for adult in adults)
    bound, seats = 0, 0  # adults bound to lead one kind, and the most they seat
    for kind in LED:
        asked = len({pin.student for pin, openings in pins if openings.kinds == {kind}})
        sizes = sorted((supply.most(adult, kind) for adult in adults), reverse=True)
        needed = next((at for at in range(len(sizes) + 1) if sum(sizes[:at]) >= asked), len(sizes))
        bound, seats = bound + needed, seats + sum(sizes[:needed])
    for monitors in range(able + 1):
        leads = len(adults) - monitors
        led = min(supply.led_by(block, leads, adults), seats + supply.seats(block, adults, leads - bound))
        if leads >= bound and present - led <= monitors * ratio:
            return True
    return False


def too_small_rooms(supply: Supply) -> Iterator[Conflict]:
    """Blocks whose rooms are too few or too small for everybody, however adults and students are dealt out to them."""
    if supply.problem.rooms is None:
        return
    for block in supply.problem.blocks:
        present, rooms = len(supply.present(block)), supply.rooms(block)
        adults = supply.usable(block)
        if present and not rooms:
            yield Conflict(("rooms",), f"{block.label} has {present} students and no free room.")
            continue
        held = sum(room.capacity for room in rooms[: len(adults)])
        if not _housed(supply, block, rooms, adults) and (held < present or _watched(supply, block, adults)):
            sentence = (
                f"{block.label} has {present} students; the {min(len(adults), len(rooms))} largest free rooms, one for "
                f"each of {len(adults)} adults, hold {held}"
            )
            sentence += "." if held < present else ", but not with led sessions and online work of the sizes allowed."
            more = [*rooms, *(Room(f"another {at}", rooms[0].capacity) for at in range(len(adults) - len(rooms)))]
            few = len(rooms) < len(more) and _housed(supply, block, more, adults)
            yield Conflict(("room_capacity", "rooms") if few else ("room_capacity",), sentence)


def _housed(supply: Supply, block: Block, rooms: list[Room], adults: list[Adult]) -> bool:
    """Whether rooms could hold everybody, the largest of them for as many led sessions and stations as is best."""
    present, ratio = len(supply.present(block)), supply.problem.students_per_monitor
    capacities = sorted((room.capacity for room in rooms), reverse=True)
    ordinary = sorted((room.capacity for room in rooms if not room.station), reverse=True)
    able = sum(Modality.ONLINE in adult.modalities for adult in adults)
    for monitors in range(able + 1):
        leads = len(adults) - monitors
        led = min(supply.led_by(block, leads, adults), sum(ordinary[:leads]))
        online = min(monitors * ratio, sum(capacities[:monitors]))
        if min(led + online, sum(capacities[: len(adults)])) >= present:
            return True
    return False


CHECKS: tuple[Callable[[Supply], Iterator[Conflict]], ...] = (
    pins_together, pins_with_one_adult, pins_alone, pins_crowded, pins_starved, too_few_monitors, too_small_rooms,
)  # fmt: skip
