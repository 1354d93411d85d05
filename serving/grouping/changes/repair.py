"""Repairs an edited plan: finds one that keeps every hard rule and moves the fewest seats."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from serving.grouping.changes.difference import Move, count_moved, find_moves, previous_seats
from serving.grouping.clock import is_over
from serving.grouping.errors import InfeasibleError
from serving.grouping.exact.seating import assign_students
from serving.grouping.infeasible.counting import find_conflicts
from serving.grouping.problem.plan import Score, Session
from serving.grouping.problem.policy import SessionType, Weights
from serving.grouping.problem.problem import Problem, require_sessions
from serving.grouping.rules.check import Violation, find_violations
from serving.grouping.rules.objective import score_plan
from serving.grouping.search.anneal import Budget, search_sessions
from serving.grouping.search.warm_start import build_warm_start, read_groups
from serving.grouping.state.arrays import ONLINE, PINNED_LED, ProblemData, Slot, build_data
from serving.grouping.state.draft import Draft
from serving.grouping.state.rooms import station_limits

QUICK = Budget(rounds=1000, bound_rounds=0)
"""About half a second for a team of 60."""

AT_ONCE = 10
"""Units of a soft term that one seat moves at most, beside groupmates, wishes and crowding, which are counted."""


@dataclass(frozen=True, slots=True)
class Repair:
    """A plan near an edited one.

    Attributes:
        sessions: which keep every hard rule; the edited ones themselves where nothing was broken.
        score: by the problem's own weights.
        fixes: the breaches of the edited plan.
        moves: seats that differ from the edited plan; `before` is None for students who had none.
        moved: how many of them change a seat that was there.
        at_least: seats that no plan could leave as they are, so that where it equals `moved` no repair is smaller.
        cut_by_clock: whether the time ran out.
    """

    sessions: tuple[Session, ...]
    score: Score
    fixes: tuple[Violation, ...] = ()
    moves: tuple[Move, ...] = ()
    moved: int = 0
    at_least: int = 0
    cut_by_clock: bool = False


def repair_plan(problem: Problem, edited: tuple[Session, ...], budget: Budget = QUICK) -> Repair:
    """Returns the plan found that moves the fewest seats, and of several the one that scores highest.

    Half of the budget is spent on seats alone, where fewer could do, and again from an empty day where they still
    could; the other half on the score of such repairs.

    Raises:
        ProblemError: the edited plan names an unknown id, or a session has no meaning.
        InfeasibleError: no plan can keep every hard rule, or none was found in time.
        BrokenPlanError: the checker refuses the repair, which is a bug of ours.
    """
    violations = find_violations(problem, edited)
    if not violations:
        return Repair(edited, score_plan(problem, edited))
    edited = tuple(session for session in edited if session.students)
    require_sessions(problem, edited)
    conflicts = find_conflicts(problem)
    if conflicts:
        raise InfeasibleError(conflicts)
    return _RepairSearch(problem, edited, violations).find(budget)


class _RepairSearch:
    """The repair that moves the fewest seats so far, and of several the one that scores highest."""

    def __init__(self, problem: Problem, edited: tuple[Session, ...], violations: tuple[Violation, ...]) -> None:
        self.problem, self.edited, self.violations = problem, edited, violations
        self.near = replace(problem, previous=previous_seats(problem, edited))
        self.sessions = edited
        self.rank = math.inf, math.inf

    def find(self, budget: Budget) -> Repair:
        """Tries the edited plan's own sessions, then searches: for seats where fewer may do, and for score."""
        far = _seat_penalty(self.near)
        seats_alone = {field.name: getattr(self.problem.weights, field.name) / far for field in fields(Weights)}
        began = time.perf_counter()
        data = self._weigh(replace(self.problem.weights, perturbation=far))
        at_least = _count_forced(data)
        half = replace(
            budget,
            rounds=None if budget.rounds is None else budget.rounds // 2,
            seconds=None if budget.seconds is None else budget.seconds / 2,
        )
        quarter = None if budget.deadline is None else began + (budget.deadline - began) / 4
        reseated = reseat_students(data, self.edited, quarter)
        if reseated is not None:
            seats = reseated.finish()
            if not find_violations(self.problem, seats):  # a pinned student may have no session left to sit in
                self._offer(seats)
        cut = False
        if self.rank[0] > at_least:
            alone = self._weigh(replace(Weights(**seats_alone), perturbation=1.0))
            cut = self._search(alone, half)
            # where the edited plan leads into a dead end, seats draw back to it anyway
            if self.rank[0] > at_least and not is_over(budget.deadline):
                cut |= self._search(alone, half, anew=True)
        if math.isinf(self.rank[0]) or not is_over(budget.deadline):
            cut |= self._search(data, half)
        seated = assign_students(
            data, self.sessions, until=budget.until(began, 2.0), resize=True, few=budget.seconds is None
        )
        if seated is not None and not find_violations(self.problem, seated[0]):
            self._offer(seated[0])
        sessions = keep_rooms(self.problem, self.sessions, self.edited)
        moves = find_moves(self.problem, self.edited, sessions)
        score = score_plan(self.problem, sessions)
        late = is_over(budget.deadline)
        return Repair(sessions, score, self.violations, moves, count_moved(moves), at_least, cut or late)

    def _weigh(self, weights: Weights) -> ProblemData:
        return build_data(replace(self.near, weights=weights))

    def _search(self, data: ProblemData, budget: Budget, *, anew: bool = False) -> bool:
        start = None if anew else build_warm_start(data, read_groups(data, self.sessions))
        sessions, cut = search_sessions(data, budget, start)
        self._offer(sessions)
        return cut

    def _offer(self, sessions: tuple[Session, ...]) -> None:
        moved = count_moved(find_moves(self.problem, self.edited, sessions))
        rank = moved, -score_plan(self.problem, sessions).total
        if rank < self.rank:
            self.sessions, self.rank = sessions, rank


def _seat_penalty(problem: Problem) -> float:
    """Points above anything that moving one seat could add in all other terms together."""
    met: dict[str, int] = {}
    for mate in problem.recent_groupmates:
        for student in (mate.first, mate.second):
            met[student] = met.get(student, 0) + mate.sessions
    urgent = max((need.urgent for need in problem.needs), default=0.0)
    share, largest = problem.size_curve.share, max((size.most * size.tables for size in problem.sizes), default=1)
    crowding = max(count * (share(count - 1) - share(count)) for count in range(1, largest + 1))
    units = AT_ONCE + len(problem.keep_together) + max(met.values(), default=0) + urgent + crowding
    return 1.0 + units * math.fsum(getattr(problem.weights, field.name) for field in fields(Weights))


def _count_forced(data: ProblemData) -> int:
    """Counts earlier seats that no plan can give again: the student or lead may not, or the session was too large."""
    arrays, before = data.arrays, data.arrays.before
    gone = before == len(data.problem.adults)
    forced = int(gone.sum() + ((before == ONLINE) & (arrays.pin == PINNED_LED)).sum())
    held: dict[Slot, list[int]] = {}
    for student, block in np.argwhere((before >= 0) & ~gone).tolist():
        place = student, block
        slot = Slot(block, int(before[place]), int(arrays.before_kind[place]), int(arrays.before_skill[place]))
        held.setdefault(slot, []).append(student)
    for slot, students in held.items():
        sizes = data.sizes[slot.adult][slot.session_type] if data.may_lead(slot) else ()
        allowed = set(data.candidates(slot).tolist()).intersection(students) if sizes else set()
        forced += len(students) - min(len(allowed), sizes[-1] if sizes else 0)
    return forced


def reseat_students(data: ProblemData, edited: Sequence[Session], until: float | None = None) -> Draft | None:
    """Returns the edited plan's adult-led sessions with seats that keep every rule.

    Sessions that their lead may not or cannot hold are left out; the others stay in block, kind, skill and lead. Rooms
    and monitors are assigned anew.

    Args:
        data: a problem with the edited seats as `previous`, and a penalty for each that differs.
        edited: sessions whose ids are known.
        until: when to stop, on the clock of `time.perf_counter`; None: without a clock.

    Returns:
        None where the sessions cannot all be held, or are too many for the exact program.
    """
    led = [session for session in edited if session.led]
    kept: dict[tuple[int, int], Session] = {}
    for session, (slot, _) in zip(led, read_groups(data, edited), strict=True):
        if data.may_lead(slot):
            kept.setdefault((slot.block, slot.adult), replace(session, room=None))
    seated = assign_students(data, (*kept.values(), *_stations(data, set(kept))), until=until, resize=True)
    if seated is None:
        return None
    draft = build_warm_start(data, read_groups(data, seated[0]))
    blocks = range(len(data.problem.blocks))
    return draft if all(draft.violated_rule(block) is None for block in blocks) else None


def _stations(data: ProblemData, leading: set[tuple[int, int]]) -> list[Session]:
    """Returns one station for each block, with all adults who may monitor and do not lead."""
    stations = []
    for at, block in enumerate(data.problem.blocks):
        monitors = tuple(
            adult.id
            for lead, adult in enumerate(data.problem.adults)
            if data.arrays.adult_in[lead, at] and data.arrays.may_monitor[lead] and (at, lead) not in leading
        )
        if monitors and data.arrays.present[:, at].any():
            stations.append(Session(f"{block.id}-online", block.id, SessionType.ONLINE, None, monitors, None, ()))
    return stations


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
    old = {_activity(session): session for session in before if session.led}
    restored = [
        replace(old[_activity(session)], students=session.students, adults=session.adults)
        if _activity(session) in old
        else session
        for session in here
        if session.led
    ]
    online = [student for session in here if not session.led for student in session.students]
    stations = [session for session in before if not session.led]
    if not stations or not online:
        return [*restored, *(session for session in here if not session.led)]
    return [*restored, *_keep_stations(problem, stations, online)]


def _keep_stations(problem: Problem, stations: Sequence[Session], online: Sequence[str]) -> list[Session]:
    """Returns the stations with students where they were before, and others where most places are free."""
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


def _activity(session: Session) -> tuple[str, str | None, str]:
    return session.session_type, session.skill, session.adults[0]
