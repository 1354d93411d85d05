"""Gives sessions the rooms for which most of their students wish, once everybody has a seat."""

import math
from collections import defaultdict
from dataclasses import replace

from serving.grouping.errors import BrokenPlanError
from serving.grouping.exact.program import Program, Terms
from serving.grouping.problem.people import Wish
from serving.grouping.problem.plan import Session
from serving.grouping.problem.problem import Problem
from serving.grouping.rules.check import find_violations


def list_room_wishes(problem: Problem) -> list[Wish]:
    """Returns the wishes for rooms, none where the weight of wishes is 0."""
    return [wish for wish in problem.wishes if wish.rooms] if problem.weights.wishes else []


def grant_rooms(problem: Problem, sessions: tuple[Session, ...], until: float | None = None) -> tuple[Session, ...]:
    """Returns the same sessions in rooms that meet as many wishes as any; of those, most stay where they are.

    Adult-led sessions of a block change among its free rooms, where these hold everybody and no online work is in them.

    Args:
        problem: the day.
        sessions: a plan that keeps every rule.
        until: when to stop, on the clock of `time.perf_counter`; None: without a clock.

    Raises:
        BrokenPlanError: the checker refuses the rooms, which is a bug of ours.
    """
    wishes = list_room_wishes(problem)
    wishing = {wish.student for wish in wishes}
    blocks = {session.block for session in sessions if session.led and not wishing.isdisjoint(session.students)}
    if not blocks:
        return sessions
    moving = [session for session in sessions if session.led and session.block in blocks]
    online = {(session.block, session.room) for session in sessions if not session.led}
    program, columns, taking = Program(), dict[tuple[str, str], int](), defaultdict[tuple[str, str], Terms](list)
    for session in moving:
        fitting: Terms = []
        for room in problem.rooms or ():
            free = (room.blocks is None or session.block in room.blocks) and (session.block, room.id) not in online
            if free and not room.station and len(session.students) <= room.capacity:
                stays = 1 / (2 * len(moving)) if room.id == session.room else 0.0
                columns[session.id, room.id] = column = program.add(stays, whole=True)
                fitting.append((column, 1.0))
                taking[session.block, room.id].append((column, 1.0))
        program.bound(fitting, 1.0, 1.0)
    for terms in taking.values():
        program.bound(terms, 0.0, 1.0)
    for wish in wishes:
        mine = [columns.get((s.id, room)) for s in moving if wish.student in s.students for room in wish.rooms]
        granting = [(column, -1.0) for column in mine if column is not None]
        if granting:
            program.bound([(program.add(1.0), 1.0), *granting], -math.inf, 0.0)
    chosen, _ = program.solve(until=until)
    if chosen is None:
        return sessions
    rooms = {session: room for (session, room), column in columns.items() if chosen[column]}
    placed = tuple(replace(session, room=rooms.get(session.id, session.room)) for session in sessions)
    broken = find_violations(problem, placed)
    if broken:
        raise BrokenPlanError(tuple(violation.rule for violation in broken))
    return placed
