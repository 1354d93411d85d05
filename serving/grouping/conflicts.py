"""Finds, by counting, why a problem has no plan at all: each finding is proven and says its figures."""

from collections.abc import Callable, Iterator

from serving.grouping.errors import Conflict
from serving.grouping.pins import pins_alone, pins_crowded, pins_together
from serving.grouping.policy import Modality
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
    ratio = supply.problem.students_per_monitor
    for block in supply.problem.blocks:
        present, adults = len(supply.present(block)), supply.usable(block)
        leading = {pin.adult for pin in supply.problem.pins if pin.block == block.id}
        able = sum(Modality.ONLINE in adult.modalities and adult.id not in leading for adult in adults)
        splits = (
            present - supply.led_at_most(block, len(adults) - monitors) <= monitors * ratio
            for monitors in range(able + 1)
        )
        if not any(splits):
            sentence = (
                f"{block.label} has {present} students, one adult may watch over {ratio} online, and of the "
                f"{len(adults)} adults on duty {able} may; nor can led sessions take the others."
            )
            yield Conflict(("monitors",), sentence)


def too_small_rooms(supply: Supply) -> Iterator[Conflict]:
    """Blocks whose rooms cannot hold everybody, though each adult has a session in one of the largest."""
    if supply.problem.rooms is None:
        return
    for block in supply.problem.blocks:
        present, rooms = len(supply.present(block)), supply.rooms(block)
        if present and not rooms:
            yield Conflict(("rooms",), f"{block.label} has {present} students and no free room.")
            continue
        adults = len(supply.usable(block))
        held = sum(room.capacity for room in rooms[:adults])
        if held < present:
            sentence = (
                f"{block.label} has {present} students; the {min(adults, len(rooms))} largest free rooms, one for each "
                f"of {adults} adults, hold {held}."
            )
            yield Conflict(("room_capacity",), sentence)


CHECKS: tuple[Callable[[Supply], Iterator[Conflict]], ...] = (
    pins_together, pins_alone, pins_crowded, too_few_monitors, too_small_rooms,
)  # fmt: skip
