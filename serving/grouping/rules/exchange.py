"""Changes of a finished plan that would give a student a seat: to join, to take a seat, to hold another session.

Each keeps every hard rule and says how much need it gains. Need is that of the objective, met and urgent; the changes
of most gain are found by it and by adults' time, and only those that are told are scored by all terms.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import NamedTuple

from serving.grouping.problem.people import Adult, Aim
from serving.grouping.problem.places import Block
from serving.grouping.problem.plan import Exchange, Session
from serving.grouping.problem.policy import ADULT_LED, SessionType
from serving.grouping.rules.objective import Ledger, score_ledger
from serving.grouping.rules.score_impact import ScoreImpact, measure_impact

Topic = tuple[str, Aim]
"""A skill and what a session on it is for: the students of a session have both in common."""

Group = tuple[float, tuple[str, ...]]
"""Students of a session that could be held, after the points of need that it meets."""

Groups = tuple[list[int], list["Candidate"], list[Group]]
"""Sizes that a session may have, the students who could be in it, its best group and its largest."""

Candidate = tuple[float, float, str]
"""A student's points in a session alone with its lead, the urgent ones among them apart, and the student's id."""

Changed = tuple[tuple[Session, ...], tuple[Session, ...]]
"""The sessions that a change replaces, and those in their place."""


class Way(NamedTuple):
    """A change that may be possible: what it gains in need and adults' time, in need alone, and how to make it."""

    gain: float
    need: float
    build: Callable[[], Changed | None]


class Exchanges:
    """The changes of one plan, which has to keep the hard rules.

    Args:
        ledger: the plan.
        until: when to look for no more of them, on the clock of `time.perf_counter`; None: without a clock.
    """

    def __init__(self, ledger: Ledger, until: float | None = None) -> None:
        problem = ledger.problem
        self.until = until
        self.ledger = ledger
        self.problem = problem
        self.blocks = {block.id: block for block in problem.blocks}
        self.present = {student.id: student.blocks for student in problem.students}
        self.certified_only = {student.id for student in problem.students if student.needs_certified}
        self.excluded = set(problem.adult_exclusions)
        self.pinned = {(pin.student, pin.block) for pin in problem.pins}
        self.bounds = {bound.session_type: bound for bound in problem.sizes}
        self.rooms = {room.id: room for room in problem.rooms or ()}
        self.seats = {(student, s.block): s for s in ledger.sessions for student in s.students}
        self.duties = {(adult, s.block): s for s in ledger.sessions for adult in s.adults}
        self.apart: defaultdict[str, set[str]] = defaultdict(set)
        for first, second in problem.keep_apart:
            self.apart[first].add(second)
            self.apart[second].add(first)
        weights = problem.weights
        self._time = {
            student.id: weights.coverage + weights.adult_time_due * student.adult_time_due
            for student in problem.students
        }
        self._sizes: dict[tuple[SessionType, str, int], list[int]] = {}
        self._seat_points: dict[tuple[SessionType, str, float, str], dict[str, tuple[float, float]]] = {}
        self._groups: dict[tuple[str, SessionType, str, Topic], Groups] = {}
        self._online: dict[tuple[str, Topic], list[str]] = {}
        self._full: set[tuple[str, str, str]] = set()
        self._found: dict[tuple[str, str, str], tuple[float, Exchange] | None] = {}
        self._trainees = any(adult.trainee for adult in problem.adults)
        self._shares: dict[int, float] = {}

    @property
    def late(self) -> bool:
        """Whether the clock has ended the look at changes."""
        return self.until is not None and time.perf_counter() > self.until

    @cached_property
    def topics(self) -> dict[str, Topic]:
        """The topic of each adult-led session."""
        return {session.id: (session.skill or "", self.aim_of(session)) for session in self.ledger.led}

    def aim_of(self, session: Session) -> Aim:
        """Returns what an adult-led session is for."""
        listed = (self.ledger.needs.get((student, session.skill or "")) for student in session.students)
        return next((need.aim for need in listed if need is not None), Aim.SUPPORT)

    @cached_property
    def by_block(self) -> defaultdict[str, list[Session]]:
        """The sessions of each block."""
        found: defaultdict[str, list[Session]] = defaultdict(list)
        for session in self.ledger.sessions:
            found[session.block].append(session)
        return found

    @cached_property
    def by_topic(self) -> defaultdict[Topic, list[Session]]:
        """The adult-led sessions on each topic."""
        found: defaultdict[Topic, list[Session]] = defaultdict(list)
        for session in self.ledger.led:
            found[self.topics[session.id]].append(session)
        return found

    @cached_property
    def worth(self) -> dict[str, float]:
        """Need points of each adult-led session."""
        return {session.id: self.points(session) for session in self.ledger.led}

    def points(self, session: Session) -> float:
        """Returns need points of an adult-led session, urgent ones included."""
        seats = self._seats_with(session.session_type, session.adults[0], session.skill or "")
        found = [seats[student] for student in session.students if student in seats]
        return self._share(len(session.students)) * sum(seat[0] for seat in found) + sum(seat[1] for seat in found)

    def teaches(self, adult: Adult, student: str, skill: str) -> bool:
        """Says whether an adult may lead a student on a skill in some block and type of session."""
        return (
            self.ledger.qualification(adult.id, skill) > 0
            and (adult.certified or student not in self.certified_only)
            and (student, adult.id) not in self.excluded
        )

    def teachers_of(self, student: str, skill: str) -> list[tuple[Adult, list[Block]]]:
        """Returns the adults who may lead a student on a skill, with the blocks in which both are there for it."""
        found = []
        for adult in self.problem.adults:
            if not self.teaches(adult, student, skill) or not adult.session_types & set(ADULT_LED):
                continue
            shared = self.present[student] & adult.blocks
            blocks = [block for block in self.problem.blocks if block.id in shared and _offers(block, skill)]
            if blocks:
                found.append((adult, blocks))
        return found

    def is_full(self, session: Session) -> bool:
        """Says whether the session's type, lead or room allows no further student."""
        return not self._allows(session, len(session.students) + 1)

    def find(self, student: str, skill: str, blocks: Iterable[str]) -> Exchange | None:
        """Returns the change within one of the blocks that seats the student on the skill with most gain.

        Args:
            student: an id.
            skill: one that is listed as the student's need and not met in the plan.
            blocks: those in which the student is there.
        """
        found = [ranked for block in blocks if (ranked := self._find_in(student, skill, block)) is not None]
        return max(found, key=lambda ranked: ranked[0])[1] if found else None

    def is_online_full(self, student: str, skill: str, blocks: Iterable[str]) -> bool:
        """Says whether sessions on a skill could be held for a student, if online work had places for the others."""
        tried = [(student, skill, block) for block in blocks]
        return any(key in self._full for key in tried)

    def split_need(self, exchange: Exchange) -> tuple[float, float, int]:
        """Returns how much need a change meets, how urgent, and how many urgent needs, less what sessions before do."""
        met, urgent, count = 0.0, 0.0, 0
        for sign, sessions in ((-1, exchange.before), (1, exchange.after)):
            for session in sessions:
                if session.led:
                    met += sign * sum(self.ledger.benefit(session, student) for student in session.students)
                    needs = (self.ledger.needs.get((name, session.skill or "")) for name in session.students)
                    levels = [need.urgent for need in needs if need is not None and need.urgent]
                    urgent += sign * sum(levels)
                    count += sign * len(levels)
        return met, urgent, count

    def find_other_use(self, session: Session) -> Exchange | None:
        """Returns the change of most gain that has the lead hold a session on something else instead."""
        topics = sorted(topic for topic in self._waiting if topic != self.topics[session.id])
        ways = (way for topic in topics for way in self._replace(session, topic, None))
        best = self._build_best(ways)[0]
        return None if best is None else best[1]

    def _find_in(self, student: str, skill: str, block: str) -> tuple[float, Exchange] | None:
        key = student, skill, block
        if key not in self._found:
            topic = skill, self.ledger.needs[student, skill].aim
            free = (student, block) not in self.pinned and (student, block) in self.seats
            ways = (*self._join(student, block, topic), *self._hold(student, block, topic)) if free else ()
            self._found[key], refused = self._build_best(ways)
            if self._found[key] is None and refused and not self.by_topic[topic]:
                self._full.add(key)
        return self._found[key]

    def _build_best(self, ways: Iterable[Way]) -> tuple[tuple[float, Exchange] | None, bool]:
        """Returns the possible change of most gain, and whether one failed as online work has no place for somebody."""
        full = False
        for way in sorted(ways, key=lambda way: -way.gain):
            changed = way.build()
            full |= changed is None
            if changed is not None and self._is_supervised(*changed):
                return (way.gain, Exchange(*changed, way.need)), full
        return None, full

    def _is_supervised(self, before: tuple[Session, ...], after: tuple[Session, ...]) -> bool:
        """Says whether a supervising adult stays on duty beside those in training."""
        if not self._trainees:
            return True
        gone = {session.id for session in before}
        rest = (session for session in self.by_block[before[0].block] if session.id not in gone)
        duty = [self.ledger.adults[adult] for session in (*rest, *after) for adult in session.adults]
        return not any(adult.trainee for adult in duty) or any(adult.supervisor for adult in duty)

    def leave(self, session: Session, student: str) -> Exchange | None:
        """Returns the change in which a student works online instead; None where the rules or places forbid it."""
        rest = _without(session, {student})
        if not self._allows(session, len(rest.students)) or (student, session.block) in self.pinned:
            return None
        stations = self._move_stations(session.block, added=(student,))
        if stations is None:
            return None
        return Exchange((session, *stations[0]), (rest, *stations[1]), self.points(rest) - self.worth[session.id])

    def measure(self, exchange: Exchange) -> ScoreImpact:
        """Returns what a change does to every term of the score."""
        return measure_impact(*(score_ledger(ledger) for ledger in self._narrow(exchange)))

    @cached_property
    def _waiting(self) -> defaultdict[Topic, set[str]]:
        """The students of each topic who have it as a need that no session of today meets."""
        found: defaultdict[Topic, set[str]] = defaultdict(set)
        for need in self.problem.needs:
            if need.skill not in self.ledger.skills_met[need.student]:
                found[need.skill, need.aim].add(need.student)
        return found

    def waiting(self, topic: Topic) -> set[str]:
        """Returns the students who need a topic that no session of today meets."""
        return self._waiting[topic]

    def _join(self, student: str, block: str, topic: Topic) -> Iterator[Way]:
        """Yields the seats in sessions that are held: a further one, or that of a student there who gains least."""
        present = self.seats[student, block]
        time = 0.0 if self.ledger.led_seats[student] else self._time[student]
        for session in self.by_topic[topic]:
            if session.block != block or not self.teaches(self.ledger.adults[session.adults[0]], student, topic[0]):
                continue
            for gone, left in self._make_room(session, present, student):
                held = replace(session, students=(*(name for name in session.students if name != gone), student))
                need = self.points(held) - self.worth[session.id]
                need += self.points(left) - self.worth[present.id] if present.led else 0.0
                alone = gone is not None and not (present.led and gone in left.students)
                lost = self._time[gone or ""] if alone and self.ledger.led_seats[gone or ""] == 1 else 0.0
                yield Way(need + time - lost, need, partial(self._reseat, session, held, present, left))

    def _make_room(self, session: Session, present: Session, student: str) -> Iterator[tuple[str | None, Session]]:
        """Yields who could leave a session for a student, and what then becomes of the one that the student is in."""
        left = _without(present, {student})
        foes = self.apart[student] & set(session.students)
        may_leave = not present.led or self._allows(present, len(left.students))
        if may_leave and not foes and not self.is_full(session):
            yield None, left
            return
        places = (name for name in foes or session.students if (name, session.block) not in self.pinned)
        leaving = [] if len(foes) > 1 else list(places)
        gone = self._find_least(session, leaving)
        if not present.led:
            if gone is not None:
                yield gone, replace(left, students=(*left.students, gone))
            return
        if gone is not None and may_leave:
            yield gone, left
        lead, topic = self.ledger.adults[present.adults[0]], self.topics[present.id]
        swapped = self._find_least(
            session,
            [
                name
                for name in leaving
                if name in self._waiting[topic]
                and self.teaches(lead, name, topic[0])
                and not self.apart[name] & set(left.students)
            ],
        )
        if swapped is not None:
            yield swapped, replace(left, students=(*left.students, swapped))

    def _reseat(self, session: Session, held: Session, present: Session, left: Session) -> Changed | None:
        """Returns the sessions before and after a student moves from one to another; who leaves neither is online."""
        online = tuple({*session.students, *present.students} - {*held.students, *left.students})
        stations = self._move_stations(session.block, added=online)
        if stations is None:
            return None
        after = (held, left) if left.students else (held,)
        return (session, present, *stations[0]), (*after, *stations[1])

    def _find_least(self, session: Session, leaving: Iterable[str]) -> str | None:
        """Returns the one of those who may leave a session whose seat there gains least."""
        seats = self._seats_with(session.session_type, session.adults[0], session.skill or "")
        return min(leaving, key=lambda name: (sum(seats.get(name, (0.0, 0.0))), name), default=None)

    def _hold(self, student: str, block: str, topic: Topic) -> Iterator[Way]:
        """Yields further sessions on a topic with the student, by each adult of the block."""
        if self.seats[student, block].led or not _offers(self.blocks[block], topic[0]):
            return
        for adult in self.problem.adults:
            if block not in adult.blocks or not self.teaches(adult, student, topic[0]):
                continue
            duty = self.duties.get((adult.id, block))
            if duty is None or not duty.led:
                yield from self._open(adult, block, topic, student, duty)
            elif duty.adults[0] == adult.id and self.topics[duty.id] != topic:
                yield from self._replace(duty, topic, student)

    def _open(self, adult: Adult, block: str, topic: Topic, student: str, station: Session | None) -> Iterator[Way]:
        """Yields sessions of an adult who has no duty, or supervises online work that others can see to alone."""
        room = self._find_room(block)
        if self.problem.rooms is not None and room is None:
            return
        for kind in self._kinds(adult, topic[1]):
            for points, students in self._choose(block, kind, adult.id, topic, None, student, room):
                time = sum(self._time[name] for name in students if not self.ledger.led_seats[name])
                session = Session(f"{block}-further", block, kind, topic[0], (adult.id,), room, students)
                relieved = None if station is None else adult.id
                yield Way(points + time, points, partial(self._add_session, session, relieved))

    def _add_session(self, session: Session, relieved: str | None) -> Changed | None:
        stations = self._move_stations(session.block, session.students, relieved)
        return None if stations is None else (tuple(stations[0]), (session, *stations[1]))

    def _replace(self, ended: Session, topic: Topic, student: str | None) -> Iterator[Way]:
        """Yields sessions on a topic that the lead of a session could hold in its place, its students online."""
        block, lead = ended.block, self.ledger.adults[ended.adults[0]]
        if (
            not self.ledger.qualification(lead.id, topic[0])
            or not _offers(self.blocks[block], topic[0])
            or ended.id in self._fixed
        ):
            return
        seats = self.ledger.led_seats
        for kind in self._kinds(lead, topic[1]):
            for points, students in self._choose(block, kind, lead.id, topic, ended, student, ended.room):
                chosen = set(students)
                time = sum(self._time[name] for name in students if not seats[name])
                time -= sum(self._time[name] for name in ended.students if seats[name] == 1 and name not in chosen)
                need = points - self.worth[ended.id]
                held = replace(ended, session_type=kind, skill=topic[0], students=students)
                yield Way(need + time, need, partial(self._replace_session, ended, held))

    def _replace_session(self, ended: Session, held: Session) -> Changed | None:
        displaced = tuple(name for name in ended.students if name not in held.students)
        taken = tuple(name for name in held.students if name not in ended.students)
        stations = self._move_stations(ended.block, taken, None, displaced)
        return None if stations is None else ((ended, *stations[0]), (held, *stations[1]))

    def _kinds(self, adult: Adult, aim: Aim) -> list[SessionType]:
        kinds = (kind for kind in ADULT_LED if kind in adult.session_types and kind in self.bounds)
        return [kind for kind in kinds if self.bounds[kind].support or aim is not Aim.SUPPORT]

    def _choose(
        self,
        block: str,
        kind: SessionType,
        lead: str,
        topic: Topic,
        ended: Session | None,
        student: str | None,
        room: str | None,
    ) -> list[Group]:
        """Returns the group of most need points that a lead could teach, and the largest; with a student, if named."""
        key = block, kind, lead, topic
        if key not in self._groups:
            most = len(self.present) if room is None else self.rooms[room].capacity
            sizes = self._list_sizes(kind, lead, most)
            pool = self._pool(block, kind, lead, topic, () if ended is None else ended.students) if sizes else []
            self._groups[key] = sizes, pool, self._pick(sizes, pool, None)
        sizes, pool, best = self._groups[key]
        if student is None or not pool or all(student in students for _, students in best):
            return best
        alone = self._seats_with(kind, lead, topic[0])[student]
        return self._pick(sizes, pool, (*alone, student))

    def _pick(self, sizes: Sequence[int], pool: Sequence[Candidate], first: Candidate | None) -> list[Group]:
        """Returns the best group of the first candidates of a pool, and the largest; with one candidate, if named."""
        if not sizes or len(pool) < sizes[0]:
            return []
        chosen: list[str] = []
        barred: set[str] = set()
        found: list[tuple[float, int]] = []
        alone = urgent = 0.0
        for points, more, name in pool if first is None else (first, *pool):
            if name in barred:
                continue
            chosen.append(name)
            barred |= self.apart[name]
            barred.add(name)
            alone += points
            urgent += more
            count = len(chosen)
            if count in sizes:
                found.append((self._share(count) * alone + urgent, count))
            if count >= sizes[-1]:
                break
        told = dict.fromkeys((max(found, key=lambda group: group[0]), found[-1])) if found else ()
        return [(points, tuple(chosen[:count])) for points, count in told]

    def _pool(self, block: str, kind: SessionType, lead: str, topic: Topic, ended: Sequence[str]) -> list[Candidate]:
        """Returns whom a lead could teach a topic, of those online or in a session that ends; the best first."""
        key = block, topic
        if key not in self._online:
            self._online[key] = [
                name
                for name in self._waiting[topic]
                if (session := self.seats.get((name, block))) is not None
                and not session.led
                and (name, block) not in self.pinned
            ]
        seats = self._seats_with(kind, lead, topic[0])
        names = self._online[key] + [name for name in ended if name in self._waiting[topic]]
        return sorted([(*seats[name], name) for name in names if self._may_lead(lead, name)], key=_by_points)

    def _may_lead(self, lead: str, student: str) -> bool:
        certified = self.ledger.adults[lead].certified or student not in self.certified_only
        return certified and (student, lead) not in self.excluded

    def _seats_with(self, kind: SessionType, lead: str, skill: str) -> dict[str, tuple[float, float]]:
        """Returns the points of each student's seat: alone with the lead, and for an urgent need, whoever leads it."""
        role, qualification = self.ledger.adults[lead].role, self.ledger.qualification(lead, skill)
        key = kind, role, qualification, skill
        if key not in self._seat_points:
            rate = self.problem.weights.benefit * qualification
            high, low = (rate * self.ledger.effect(kind, role, low_evidence=known) for known in (False, True))
            self._seat_points[key] = {
                student: (need * (low if low_evidence else high), urgent)
                for student, need, low_evidence, urgent in self._needs_on[skill]
            }
        return self._seat_points[key]

    @cached_property
    def _needs_on(self) -> defaultdict[str, list[tuple[str, float, bool, float]]]:
        """Who needs each skill: the student, how much, whether without a forecast, and the points of urgency."""
        weight = self.problem.weights.urgent
        found: defaultdict[str, list[tuple[str, float, bool, float]]] = defaultdict(list)
        for need in self.problem.needs:
            found[need.skill].append((need.student, need.need, need.low_evidence, weight * need.urgent))
        return found

    @cached_property
    def _fixed(self) -> set[str]:
        """The sessions in which somebody's place is pinned."""
        return {s.id for s in self.ledger.sessions if any((name, s.block) in self.pinned for name in s.students)}

    def _share(self, students: int) -> float:
        if students not in self._shares:
            self._shares[students] = self.problem.size_curve.share(students)
        return self._shares[students]

    def _list_sizes(self, kind: SessionType, lead: str, capacity: int) -> list[int]:
        """Returns the numbers of students that a session may have, in order."""
        key = kind, lead, capacity
        if key not in self._sizes:
            bound, most = self.bounds[kind], self.ledger.adults[lead].max_group
            tables = range(1, bound.tables + 1)
            counts = {count for at in tables for count in range(bound.least * at, bound.most * at + 1)}
            self._sizes[key] = sorted(
                count for count in counts if count <= capacity and (most is None or count <= most)
            )
        return self._sizes[key]

    def _allows(self, session: Session, students: int) -> bool:
        if session.session_type not in self.bounds:
            return False
        capacity = len(self.present) if session.room is None else self.rooms[session.room].capacity
        return students in self._list_sizes(session.session_type, session.adults[0], capacity)

    def _find_room(self, block: str) -> str | None:
        """Returns the largest room in which a further adult-led session could be held; None for none."""
        taken = {session.room for session in self.by_block[block]}
        free = [
            room
            for room in self.rooms.values()
            if room.id not in taken and not room.station and (room.blocks is None or block in room.blocks)
        ]
        return max(free, key=lambda room: (room.capacity, room.id)).id if free else None

    def _move_stations(
        self, block: str, taken: Sequence[str] = (), adult: str | None = None, added: Sequence[str] = ()
    ) -> Changed | None:
        """Returns the stations of a block that change, before and after; None where not all find a place.

        Args:
            block: an id.
            taken: students who leave them.
            adult: who does not supervise there any more; None: all stay.
            added: students who come.
        """
        if not taken and not added and adult is None:
            return (), ()
        before = [session for session in self.by_block[block] if not session.led]
        gone, left = set(taken), list(added)
        after = []
        for station in before:
            students = [student for student in station.students if student not in gone]
            adults = tuple(name for name in station.adults if name != adult)
            room = len(self.present) if station.room is None else self.rooms[station.room].capacity
            most = min(room, self.problem.students_per_monitor * len(adults))
            while left and len(students) < most:
                students.append(left.pop())
            if len(students) > most:
                return None
            after.append(replace(station, adults=adults, students=tuple(students)))
        if left:
            return None
        pairs = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
        return tuple(old for old, _ in pairs), tuple(new for _, new in pairs if new.students)

    def _narrow(self, exchange: Exchange) -> Iterator[Ledger]:
        """Yields the ledgers before and after, with no students but those whom the change concerns.

        What the others add to the terms is the same in both; the count of seats stays that of all.
        """
        before, after = exchange.before, exchange.after
        online = [{name for s in sessions if not s.led for name in s.students} for sessions in (before, after)]
        concerned = (online[0] ^ online[1]).union(*(s.students for s in (*before, *after) if s.led))
        changed = {session.id for session in before}
        rest = tuple(_only(s, concerned) for s in self.ledger.sessions if s.id not in changed)
        seats = self.ledger.led_seats.copy()
        yield self.ledger.of((*(_only(session, concerned) for session in before), *rest), seats)
        seats.subtract(student for session in exchange.before if session.led for student in session.students)
        seats.update(student for session in exchange.after if session.led for student in session.students)
        yield self.ledger.of((*(_only(session, concerned) for session in after), *rest), seats)


def _only(session: Session, students: set[str]) -> Session:
    return replace(session, students=tuple(student for student in session.students if student in students))


def _without(session: Session, students: set[str]) -> Session:
    return replace(session, students=tuple(student for student in session.students if student not in students))


def _offers(block: Block, skill: str) -> bool:
    return block.skills is None or skill in block.skills


def _by_points(candidate: Candidate) -> tuple[float, str]:
    return -(candidate[0] + candidate[1]), candidate[2]
