"""What a teacher-leader does with a list of who struggles: the most urgent skill first, so many at a time.

In each block at most two adults lead and the others supervise. A lead takes the skill of which most urgent pairs are
left, with those at the highest risk, and others who need the skill while there is room. All hard rules are kept.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from serving.grouping import ADULT_LED, Adult, Block, Conflict, InfeasibleError, Need, Problem, Session
from serving.grouping.problem.people import Aim
from serving.grouping.problem.policy import SessionType
from serving.grouping.problem.problem import Pair
from serving.grouping.state.rooms import assign_rooms, seat_online
from serving.models.forecasts import SkillForecast
from serving.plans.rules.policy import load_policy

LEADS = 2
"""Adults who lead in a block; the others supervise."""

Subject = tuple[str, Aim]
"""A skill, and what all of a group do with it."""


def find_urgent_or_lost(forecasts: Iterable[SkillForecast]) -> set[Pair]:
    """Returns the pairs of student and skill that are urgent by the forecasts: a high risk, or a lost proficiency."""
    risk = load_policy().need.urgent_risk
    return {
        (forecast.student, forecast.skill)
        for forecast in forecasts
        if forecast.status == "review_due"
        or (forecast.status != "proficient" and forecast.struggle_risk is not None and forecast.struggle_risk >= risk)
    }


def plan_greedily(problem: Problem, urgent: Collection[Pair], most: int, leads: int = LEADS) -> tuple[Session, ...]:
    """Plans a day as described above; fixed assignments are not looked at.

    Args:
        problem: The day.
        urgent: Pairs of student and skill to come first.
        most: Students at a time.
        leads: Adults who lead at once, where the others suffice to supervise.

    Raises:
        InfeasibleError: The students cannot be supervised.
    """
    needs: dict[Subject, list[Need]] = defaultdict(list)
    for need in problem.needs:
        needs[need.skill, need.aim].append(need)
    for listed in needs.values():
        listed.sort(key=lambda need: ((need.student, need.skill) not in urgent, -(need.struggle_risk or 0), -need.need))
    day = _Day(problem, frozenset(urgent), needs, most, leads)
    sessions = [session for block in problem.blocks for session in day.plan(block)]
    return seat_online(problem, sessions)


@dataclass
class _Day:
    """A day in the making; `done` holds the pairs of student and skill that have a seat."""

    problem: Problem
    urgent: frozenset[Pair]
    needs: Mapping[Subject, Sequence[Need]]
    most: int
    leads: int
    done: set[Pair] = field(default_factory=set)

    def plan(self, block: Block) -> list[Session]:
        """Returns the sessions of a block, those online still without students."""
        present = {student.id for student in self.problem.students if block.id in student.blocks}
        adults = [adult for adult in self.problem.adults if block.id in adult.blocks]
        # who may not supervise leads, and then whoever does it best
        adults.sort(key=lambda adult: (SessionType.ONLINE in adult.session_types, -self._effect(adult)))
        led: list[Session] = []
        finished = self._finish(block, adults, present, led)
        for adult in adults:
            if finished is not None and len(led) >= self.leads:
                break
            free = present.difference(*(session.students for session in led))
            session = self._teach(block, adult, free)
            if session is None:
                continue
            tried = self._finish(block, adults, present, [*led, session])
            if tried is None and finished is not None:
                continue
            led, finished = [*led, session], tried
            self.done.update((student, session.skill or "") for student in session.students)
        if finished is None:
            raise InfeasibleError((Conflict(("monitors",), "a block has too few adults to supervise", proven=False),))
        return finished

    def _effect(self, adult: Adult) -> float:
        found = [effect.effect for effect in self.problem.effects if effect.role == adult.role]
        return max(found, default=0.0)

    def _teach(self, block: Block, adult: Adult, free: Collection[str]) -> Session | None:
        """Returns the adult's session on the most urgent skill left; null where there is none to hold."""
        best: tuple[tuple[int, int, float], Session] | None = None
        for (skill, _), listed in self.needs.items():
            if block.skills is not None and skill not in block.skills:
                continue
            left = [need for need in listed if need.student in free and self._may_sit(need, adult)]
            together = self._drop_apart(left)
            kind, size = self._size(adult, len(together))
            if kind is None:
                continue
            group = together[:size]
            urgent = sum(self._is_urgent(need) for need in group)
            rank = urgent, sum(map(self._is_urgent, left)), sum(need.need for need in group)
            if best is None or rank > best[0]:
                students = tuple(sorted(need.student for need in group))
                name = f"{block.id}-{kind}-{adult.id}"
                best = rank, Session(name, block.id, kind, skill, (adult.id,), None, students)
        return None if best is None else best[1]

    def _is_urgent(self, need: Need) -> bool:
        return (need.student, need.skill) in self.urgent

    def _may_sit(self, need: Need, adult: Adult) -> bool:
        student = next(student for student in self.problem.students if student.id == need.student)
        qualified = adult.skills is None or need.skill in adult.skills
        certified = adult.certified or not student.needs_certified
        excluded = (need.student, adult.id) in self.problem.adult_exclusions
        return qualified and certified and not excluded and (need.student, need.skill) not in self.done

    def _drop_apart(self, needs: Sequence[Need]) -> list[Need]:
        """Returns the needs without those of students to keep apart from one who comes before."""
        kept: list[Need] = []
        for need in needs:
            if not any(tuple(sorted((need.student, other.student))) in self.problem.keep_apart for other in kept):
                kept.append(need)
        return kept

    def _size(self, adult: Adult, available: int) -> tuple[SessionType | None, int]:
        """Returns the first kind of session that the adult may lead with so many students, and how many it takes."""
        most = min(self.most, available, adult.max_group or available)
        for kind in ADULT_LED:
            for bound in self.problem.sizes:
                if bound.session_type is kind and kind in adult.session_types and bound.least <= most:
                    return kind, min(most, bound.most)
        return None, 0

    def _finish(
        self, block: Block, adults: Sequence[Adult], present: Collection[str], led: Sequence[Session]
    ) -> list[Session] | None:
        """Returns the block's sessions with rooms and supervision; null where these do not suffice."""
        problem, leads = self.problem, {session.adults[0] for session in led}
        rooms = None
        if problem.rooms is not None:
            rooms = [room for room in problem.rooms if room.blocks is None or block.id in room.blocks]
        free = [adult for adult in adults if adult.id not in leads and SessionType.ONLINE in adult.session_types]
        online = len(present) - sum(len(session.students) for session in led)
        ratio = problem.students_per_monitor
        assigned = assign_rooms(rooms, [len(session.students) for session in led], online, ratio, len(free))
        if assigned is None:
            return None
        on_duty = [adult for adult in adults if adult.id in leads]
        supervised = any(adult.supervisor for adult in on_duty)
        # a teacher first where somebody in training leads without one
        free.sort(key=lambda adult: (supervised or not adult.supervisor, adult.trainee))
        on_duty += free[: assigned.monitors]
        if any(adult.trainee for adult in on_duty) and not any(adult.supervisor for adult in on_duty):
            return None
        placed = zip(led, assigned.led, strict=True)
        sessions = [replace(session, room=room) for session, room in placed]
        for number, station in enumerate(assigned.stations):
            names, free = tuple(adult.id for adult in free[: station.monitors]), free[station.monitors :]
            name = f"{block.id}-online-{number + 1}"
            sessions.append(Session(name, block.id, SessionType.ONLINE, None, names, station.room, ()))
        return sessions
