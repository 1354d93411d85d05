"""Finds what limits a plan: per block the adults, rooms and seats that are exhausted, so that no more sessions fit."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from serving.grouping.infeasible.supply import Supply
from serving.grouping.problem.places import Block
from serving.grouping.problem.plan import Session
from serving.grouping.problem.policy import ADULT_LED, SessionType
from serving.grouping.problem.problem import Problem, require_sessions
from serving.grouping.state.rooms import station_limits


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """One resource of one block that is exhausted.

    Attributes:
        resource: `adults`, `monitors`, `rooms`, or a kind of adult-led session for its seats.
        used: how much of it the plan takes; equal to `there`.
    """

    block: str
    resource: str
    used: int
    there: int
    sentence: str


def find_bottlenecks(problem: Problem, sessions: tuple[Session, ...]) -> tuple[Bottleneck, ...]:
    """Returns what is exhausted, block by block; a resource that has something left is not in it.

    Raises:
        ProblemError: the plan names an unknown id, or a session has no meaning.
    """
    require_sessions(problem, sessions)
    supply = Supply(problem)
    by_block = {block: [session for session in sessions if session.block == block.id] for block in problem.blocks}
    return tuple(
        bottleneck
        for block, here in by_block.items()
        for check in (CHECKS if here else ())
        for bottleneck in check(supply, block, here)
    )


def exhausted_adults(supply: Supply, block: Block, here: Sequence[Session]) -> Iterator[Bottleneck]:
    """Yields the adults if all who can have a duty have one, and so many monitors are needed for those online."""
    leading = {adult for session in here if session.led for adult in session.adults}
    monitoring = {adult for session in here if not session.led for adult in session.adults}
    usable = {adult.id for adult in supply.usable(block)}
    ratio = supply.problem.students_per_monitor
    needed = sum(-(-len(session.students) // ratio) for session in here if not session.led)
    if usable and usable <= leading | monitoring and needed >= len(monitoring):
        online = sum(len(session.students) for session in here if not session.led)
        duties = f"{len(leading)} lead{'s' if len(leading) == 1 else ''}"
        if monitoring:
            duties += f" and {len(monitoring)} must supervise {online} online, {ratio} each at most"
        sentence = f"All {len(usable)} adults are taken in {block.label}: {duties}."
        yield Bottleneck(block.id, "adults", len(usable), len(usable), sentence)


def exhausted_monitors(supply: Supply, block: Block, here: Sequence[Session]) -> Iterator[Bottleneck]:
    """Yields the monitors if no station takes one more student."""
    limits = station_limits(supply.problem, here)
    online = sum(len(session.students) for session in here if not session.led)
    if limits and online >= sum(limits.values()):
        adults = sum(len(session.adults) for session in here if not session.led)
        sentence = (
            f"Online work is full in {block.label}: {online} students, as many as its rooms and its adults, "
            f"{adults} for up to {supply.problem.students_per_monitor} each, take."
        )
        yield Bottleneck(block.id, "monitors", online, sum(limits.values()), sentence)


def exhausted_rooms(supply: Supply, block: Block, here: Sequence[Session]) -> Iterator[Bottleneck]:
    """Yields the rooms if every one in which a further adult-led session could be held has a session."""
    if supply.problem.rooms is None:
        return
    taken = {session.room for session in here}
    ordinary = [room for room in supply.rooms(block) if not room.station]
    if all(room.id in taken for room in ordinary):
        sentence = f"No room for a further adult-led session is free in {block.label}: all {len(ordinary)} are in use."
        yield Bottleneck(block.id, "rooms", len(ordinary), len(ordinary), sentence)


def exhausted_seats(supply: Supply, block: Block, here: Sequence[Session]) -> Iterator[Bottleneck]:
    """Yields a kind of which all sessions are as large as their kind, lead and room allow."""
    capacity = {room.id: room.capacity for room in supply.problem.rooms or ()}
    of_kind: dict[SessionType, list[tuple[int, int]]] = defaultdict(list)
    for session in here:
        if session.led:
            count = len(session.students)
            most = supply.most(supply.adults[session.adults[0]], session.session_type)
            most = min(most, capacity.get(session.room or "", most))
            of_kind[session.session_type].append((count, most))
    for kind in ADULT_LED:
        held = of_kind[kind]
        if held and all(count >= most for count, most in held):
            seats = sum(most for _, most in held)
            what = kind.replace("_", " ")
            full = "1 session at its largest" if len(held) == 1 else f"{len(held)} sessions at their largest"
            sentence = f"All {seats} seats of {what} are taken in {block.label}: {full}."
            yield Bottleneck(block.id, str(kind), sum(count for count, _ in held), seats, sentence)


CHECKS: tuple[Callable[[Supply, Block, Sequence[Session]], Iterator[Bottleneck]], ...] = (
    exhausted_adults, exhausted_monitors, exhausted_rooms, exhausted_seats,
)  # fmt: skip
