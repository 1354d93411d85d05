"""Keeps rooms, monitors and names of an earlier plan where a new one, which is housed from scratch, allows it."""

from collections.abc import Sequence
from dataclasses import replace

from serving.grouping.check import find_violations
from serving.grouping.plan import Session
from serving.grouping.problem import Problem
from serving.grouping.stations import station_limits


def keep_rooms(problem: Problem, sessions: tuple[Session, ...], earlier: Sequence[Session]) -> tuple[Session, ...]:
    """Returns the same seats, block by block with the sessions of the earlier plan as far as that keeps every rule.

    Args:
        problem: the day.
        sessions: a plan that keeps every rule.
        earlier: another of the same day, which may break rules; its ids are known.
    """
    for block in problem.blocks:
        others = tuple(session for session in sessions if session.block != block.id)
        here = [session for session in sessions if session.block == block.id]
        before = [session for session in earlier if session.block == block.id]
        tried = (*others, *_restore(problem, here, before))
        if not find_violations(problem, tried):
            sessions = tried
    order = {block.id: at for at, block in enumerate(problem.blocks)}
    return tuple(sorted(sessions, key=lambda session: order[session.block]))


def _restore(problem: Problem, here: Sequence[Session], before: Sequence[Session]) -> list[Session]:
    old = {_what(session): session for session in before if session.led}
    restored = [
        replace(old[_what(session)], students=session.students, adults=session.adults)
        if _what(session) in old
        else session
        for session in here
        if session.led
    ]
    online = [student for session in here if not session.led for student in session.students]
    stations = [session for session in before if not session.led]
    if not stations or not online:
        return [*restored, *(session for session in here if not session.led)]
    return [*restored, *_stay(problem, stations, online)]


def _stay(problem: Problem, stations: Sequence[Session], online: Sequence[str]) -> list[Session]:
    """Leaves those online at the station where they were, and puts others where most places are free."""
    limits = station_limits(problem, stations)
    waiting = set(online)
    held: dict[str, list[str]] = {}
    for station in stations:
        held[station.id] = [name for name in station.students if name in waiting][: limits[station.id]]
        waiting -= set(held[station.id])
    for student in sorted(waiting):
        roomiest = max(stations, key=lambda station: limits[station.id] - len(held[station.id]))
        held[roomiest.id].append(student)
    return [replace(s, students=tuple(sorted(held[s.id]))) for s in stations if held[s.id]]


def _what(session: Session) -> tuple[str, str | None, str]:
    return session.modality, session.skill, session.adults[0]
