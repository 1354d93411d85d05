"""The best plan of a tiny day, proven: the whole-day program solved, read back as sessions, and checked."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from experiments.benchmarks.planner.verify.whole_day import WholeDay
from experiments.benchmarks.planner.verify.whole_day_terms import add_terms
from serving.grouping.problem.places import Room
from serving.grouping.problem.plan import Session
from serving.grouping.problem.policy import SessionType
from serving.grouping.problem.problem import Problem
from serving.grouping.rules.check import find_violations
from serving.grouping.rules.objective import score_plan

SLACK = 1e-6
"""Points that rounding may cost."""


@dataclass(frozen=True, slots=True)
class Optimum:
    """What is proven of a day.

    Attributes:
        sessions: The best day found; empty where none was.
        value: Its score, by `score_plan`; minus infinity without.
        bound: A score that no plan exceeds.
        proven: Whether no plan scores more, or none keeps all rules.
    """

    sessions: tuple[Session, ...]
    value: float
    bound: float
    proven: bool


def prove_optimum(problem: Problem, seconds: float, at_least: float = float("-inf")) -> Optimum:
    """Solves a day exactly.

    Args:
        problem: The day; tiny, such as 24 students in two blocks.
        seconds: Wall-clock time after which the proof is given up.
        at_least: A score that a plan is known to reach, so that the search need not look below.

    Raises:
        AssertionError: The program and the checker or the score disagree, which is a bug of one of them.
    """
    day = WholeDay(problem)
    constant = add_terms(day)
    answer = day.program.solve(seconds, at_least - constant - SLACK)
    if answer.columns is None:
        return Optimum((), float("-inf"), answer.bound + constant, answer.proven)
    sessions = read_day(day, answer.columns.round().astype(int).tolist())
    value = score_plan(problem, sessions).total
    broken = find_violations(problem, sessions)
    assert not broken, broken
    assert abs(value - answer.value - constant) < SLACK, (value, answer.value + constant)
    return Optimum(sessions, value, max(value, answer.bound + constant), answer.proven)


def read_day(day: WholeDay, columns: Sequence[int]) -> tuple[Session, ...]:
    """Returns the sessions of a solution of the program, block by block."""
    return tuple(session for block in day.problem.blocks for session in _read_block(day, columns, block.id))


def _read_block(day: WholeDay, columns: Sequence[int], block: str) -> list[Session]:
    problem = day.problem
    present = sum(block in student.blocks for student in problem.students)
    free: dict[tuple[int, bool], list[Room]] = defaultdict(list)
    for room in problem.rooms or ():
        if room.blocks is None or block in room.blocks:
            free[min(room.capacity, present), room.station].append(room)
    lodged = {adult: size for (at, adult, size), column in day.lodged.items() if at == block and columns[column]}
    online = [student.id for student in problem.students if block in student.blocks]
    sessions = []
    for held in (held for held, column in day.held.items() if held.block == block and columns[column]):
        students = tuple(sorted(name for name, seat in day.seats[held].items() if columns[seat]))
        online = [name for name in online if name not in students]
        room_id = None if problem.rooms is None else free[lodged[held.adult], False].pop().id
        name = f"{block}-{held.session_type}-{held.adult}"
        sessions.append(Session(name, block, held.session_type, held.skill, (held.adult,), room_id, students))
    rooms = [free[kind].pop() for kind, column in day.stations[block].items() for _ in range(columns[column])]
    adults = [adult for (at, adult), column in day.monitors.items() if at == block and columns[column]]
    return sessions + _seat_online(problem, block, online, rooms, adults)


def _seat_online(
    problem: Problem, block: str, online: list[str], rooms: list[Room], adults: list[str]
) -> list[Session]:
    """Fills the rooms, with as many adults as needed in each; the adults who are left help in the first."""
    if not online:
        return []
    ratio = problem.students_per_monitor
    if problem.rooms is None:
        return [Session(f"{block}-online-0", block, SessionType.ONLINE, None, tuple(adults), None, tuple(online))]
    shares = [
        (min(ratio, room.capacity - done), -at)
        for at, room in enumerate(rooms)
        for done in range(0, room.capacity, ratio)
    ]
    supervised = sorted(shares, reverse=True)[: len(adults)]
    sessions: list[Session] = []
    for at, room in enumerate(rooms):
        seats = [size for size, of in supervised if -of == at]
        here, online = tuple(online[: sum(seats)]), online[sum(seats) :]
        if here:
            monitors, adults = tuple(adults[: len(seats)]), adults[len(seats) :]
            sessions.append(Session(f"{block}-online-{at}", block, SessionType.ONLINE, None, monitors, room.id, here))
    return [replace(sessions[0], adults=(*sessions[0].adults, *adults)), *sessions[1:]]
