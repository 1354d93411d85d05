"""Changes of a finished plan that would give a student a seat: to join, to take a seat, to hold another session.

Each keeps every hard rule and says how much need it gains. Need is that of the objective, met and urgent; the changes
of most gain are found by it and by adults' time, and only those that are told are scored by all terms.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from serving.grouping.problem.people import Adult, Aim
from serving.grouping.problem.places import Block
from serving.grouping.problem.plan import Exchange, Session
from serving.grouping.problem.policy import ADULT_LED, SessionType
from serving.grouping.rules.objective import Ledger, score_ledger
from serving.grouping.rules.score_impact import ScoreImpact, measure_impact

Topic = tuple[str, Aim]
"""A skill and what a session on it is for: the students of a session have both in common."""

Candidate = tuple[float, float, str]
"""A student's points in a session alone with its lead, the urgent ones among them apart, and the student's id."""

Ranked = tuple[float, Exchange]
"""A change, after the points of need and adults' time that it gains."""


class Exchanges:
    """The changes of one plan, which has to keep the hard rules."""

    def __init__(self, ledger: Ledger) -> None:
        problem = ledger.problem
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
        self._candidates: dict[tuple[str, SessionType, str, str, Topic], list[Candidate]] = {}
        self._shares: dict[int, float] = {}

    @cached_property
    def topics(self) -> dict[str, Topic]:
        """The topic of each adult-led session."""
        needs = self.ledger.needs
        found = {}
        for session in self.ledger.led:
            listed = (needs.get((student, session.skill or "")) for student in session.students)
            aim = next((need.aim for need in listed if need is not None), Aim.SUPPORT)
            found[session.id] = (session.skill or "", aim)
        return found

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
        found = (self._seat(session.session_type, session.adults[0], session.skill or "", s) for s in session.students)
        alone = list(found)
        return self._share(len(alone)) * sum(seat[0] for seat in alone) + sum(seat[1] for seat in alone)

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
            if not self.teaches(adult, student, skill) or not adult.session_types & set(ADULT_LED) & self.bounds.keys():
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
        topic = skill, self.ledger.needs[student, skill].aim
        best: Ranked | None = None
        for block in blocks:
            if (student, block) in self.pinned or (student, block) not in self.seats:
                continue
            for ranked in (*self._join(student, block, topic), *self._hold(student, block, topic)):
                if best is None or ranked[0] > best[0] + 1e-12:
                    best = ranked
        return None if best is None else best[1]

    def find_other_use(self, session: Session) -> Exchange | None:
        """Returns the change of most gain that has the lead hold a session on something else instead."""
        best: Ranked | None = None
        open_topics = {topic for topic, students in self._waiting.items() if students}
        for topic in sorted(open_topics - {self.topics[session.id]}):
            if session.students and not self._may_hold(session.adults[0], session.block, topic[0]):
                continue
            for ranked in self._replace(session, topic, None):
                if best is None or ranked[0] > best[0] + 1e-12:
                    best = ranked
        return None if best is None else best[1]

    def leave(self, session: Session, student: str) -> Exchange | None:
        """Returns the change in which a student works online instead; None where the rules or places forbid it."""
        rest = _without(session, {student})
        if not self._allows(session, len(rest.students)) or (student, session.block) in self.pinned:
            return None
        stations = self._send_online(session.block, [student])
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

    def _join(self, student: str, block: str, topic: Topic) -> Iterator[Ranked]:
        """Yields the seats in sessions that are held: a further one, or that of the student there who gains least."""
        present = self.seats[student, block]
        if present.led and not self._allows(present, len(present.students) - 1):
            return
        left = _without(present, {student})
        loss = self.points(left) - self.worth[present.id] if present.led else 0.0
        time = 0.0 if self.ledger.led_seats[student] else self._time[student]
        for session in self.by_topic[topic]:
            lead = session.adults[0]
            if session.block != block or not self.teaches(self.ledger.adults[lead], student, topic[0]):
                continue
            foes = self.apart[student] & set(session.students)
            if not foes and not self.is_full(session):
                joined = replace(session, students=(*session.students, student))
                need = self.points(joined) - self.worth[session.id] + loss
                after = (joined, left) if left.students else (joined,)
                yield need + time, Exchange((session, present), after, need)
                continue
            gone = self._find_least(session, foes)
            if gone is None:
                continue
            swapped = replace(session, students=(*(s for s in session.students if s != gone), student))
            need = self.points(swapped) - self.worth[session.id] + loss
            lost = self._time[gone] if self.ledger.led_seats[gone] == 1 else 0.0
            if not present.led:
                home = replace(left, students=(*left.students, gone))
                yield need + time - lost, Exchange((session, present), (swapped, home), need)
            elif (stations := self._send_online(block, [gone])) is not None:
                after = (swapped, left, *stations[1]) if left.students else (swapped, *stations[1])
                yield need + time - lost, Exchange((session, present, *stations[0]), after, need)

    def _find_least(self, session: Session, foes: set[str]) -> str | None:
        """Returns the student whose seat gains least, of those who are not pinned; the one foe where there is one."""
        if len(foes) > 1:
            return None
        lead, skill = session.adults[0], session.skill or ""
        free = [s for s in foes or session.students if (s, session.block) not in self.pinned]
        return min(free, key=lambda s: (self._seat(session.session_type, lead, skill, s)[:2], s), default=None)

    def _hold(self, student: str, block: str, topic: Topic) -> Iterator[Ranked]:
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

    def _open(self, adult: Adult, block: str, topic: Topic, student: str, station: Session | None) -> Iterator[Ranked]:
        """Yields sessions of an adult who has no duty, or supervises online work that others can see to alone."""
        if adult.trainee and station is None and not self._has_supervisor(block):
            return
        room = self._find_room(block)
        if self.problem.rooms is not None and room is None:
            return
        for kind in ADULT_LED:
            if kind not in adult.session_types or kind not in self.bounds:
                continue
            group = self._choose(block, kind, adult.id, topic, (), student, room)
            if group is None:
                continue
            changed = self._draw_from_stations(block, group[1], adult.id if station is not None else None)
            if changed is None:
                continue
            session = Session(f"{block}-further", block, kind, topic[0], (adult.id,), room, group[1])
            time = sum(self._time[s] for s in group[1] if not self.ledger.led_seats[s])
            yield group[0] + time, Exchange(changed[0], (session, *changed[1]), group[0])

    def _replace(self, ended: Session, topic: Topic, student: str | None) -> Iterator[Ranked]:
        """Yields sessions on a topic that the lead of a session could hold in its place, its students online."""
        block, lead = ended.block, ended.adults[0]
        if any((s, block) in self.pinned for s in ended.students):
            return
        for kind in ADULT_LED:
            if kind not in self.ledger.adults[lead].session_types or kind not in self.bounds:
                continue
            group = self._choose(block, kind, lead, topic, ended.students, student, ended.room)
            if group is None:
                continue
            chosen = set(group[1])
            displaced = [s for s in ended.students if s not in chosen]
            changed = self._draw_from_stations(block, tuple(chosen - set(ended.students)), None, displaced)
            if changed is None:
                continue
            seats = self.ledger.led_seats
            time = sum(self._time[s] for s in group[1] if not seats[s])
            time -= sum(self._time[s] for s in displaced if seats[s] == 1)
            need = group[0] - self.worth[ended.id]
            held = replace(ended, session_type=kind, skill=topic[0], students=group[1])
            yield need + time, Exchange((ended, *changed[0]), (held, *changed[1]), need)

    def _choose(
        self,
        block: str,
        kind: SessionType,
        lead: str,
        topic: Topic,
        ended: Sequence[str],
        student: str | None,
        room: str | None,
    ) -> tuple[float, tuple[str, ...]] | None:
        """Returns the group of most need points that a lead could teach, with its points; with the student if one is named."""
        most = self.rooms[room].capacity if room is not None else len(self.present)
        sizes = self._list_sizes(kind, lead, most)
        pool = self._pool(block, kind, lead, topic)
        if ended:
            own = {s for s in ended if s in self._waiting[topic] and self._may_lead(lead, s)}
            if own:
                pool = sorted([*pool, *((*self._seat(kind, lead, topic[0], s), s) for s in own)], key=_by_points)
        chosen: list[Candidate] = []
        if student is not None:
            chosen = [(*self._seat(kind, lead, topic[0], student), student)]
        barred = set(self.apart[student]) if student is not None else set()
        for candidate in pool:
            if not sizes or len(chosen) >= sizes[-1]:
                break
            if candidate[2] != student and candidate[2] not in barred:
                chosen.append(candidate)
                barred |= self.apart[candidate[2]]
        best: tuple[float, int] | None = None
        alone = urgent = 0.0
        for count, candidate in enumerate(chosen, 1):
            alone += candidate[0]
            urgent += candidate[1]
            if count in sizes:
                points = self._share(count) * alone + urgent
                if best is None or points > best[0]:
                    best = points, count
        return None if best is None else (best[0], tuple(candidate[2] for candidate in chosen[: best[1]]))

    def _pool(self, block: str, kind: SessionType, lead: str, topic: Topic) -> list[Candidate]:
        """Returns the students online in a block whom a lead could teach a topic that they need, most points first."""
        key = block, kind, lead, topic[0], topic
        if key not in self._candidates:
            found = (
                (*self._seat(kind, lead, topic[0], s), s)
                for s in self._waiting[topic]
                if (s, block) in self.seats
                and not self.seats[s, block].led
                and (s, block) not in self.pinned
                and self._may_lead(lead, s)
            )
            self._candidates[key] = sorted(found, key=_by_points)
        return self._candidates[key]

    def _may_lead(self, lead: str, student: str) -> bool:
        certified = self.ledger.adults[lead].certified or student not in self.certified_only
        return certified and (student, lead) not in self.excluded

    def _may_hold(self, lead: str, block: str, skill: str) -> bool:
        return self.ledger.qualification(lead, skill) > 0 and _offers(self.blocks[block], skill)

    def _seat(self, kind: SessionType, lead: str, skill: str, student: str) -> tuple[float, float]:
        """Returns the points of a seat: alone with the lead, and for an urgent need, whoever leads it."""
        need = self.ledger.needs.get((student, skill))
        if need is None:
            return 0.0, 0.0
        weights = self.problem.weights
        effect = self.ledger.effect(kind, self.ledger.adults[lead].role, low_evidence=need.low_evidence)
        alone = weights.benefit * need.need * effect * self.ledger.qualification(lead, skill)
        return alone, weights.urgent * need.urgent

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
            self._sizes[key] = sorted(count for count in counts if count <= capacity and (most is None or count <= most))
        return self._sizes[key]

    def _allows(self, session: Session, students: int) -> bool:
        if session.session_type not in self.bounds:
            return False
        capacity = len(self.present) if session.room is None else self.rooms[session.room].capacity
        return students in self._list_sizes(session.session_type, session.adults[0], capacity)

    def _has_supervisor(self, block: str) -> bool:
        on_duty = (adult for session in self.by_block[block] for adult in session.adults)
        return any(self.ledger.adults[adult].supervisor for adult in on_duty)

    def _find_room(self, block: str) -> str | None:
        """Returns the largest room in which a further adult-led session could be held; None for none."""
        taken = {session.room for session in self.by_block[block]}
        free = [
            room
            for room in self.rooms.values()
            if room.id not in taken and not room.station and (room.blocks is None or block in room.blocks)
        ]
        return max(free, key=lambda room: (room.capacity, room.id)).id if free else None

    def _send_online(self, block: str, students: Sequence[str]) -> tuple[list[Session], list[Session]] | None:
        return self._draw_from_stations(block, (), None, students)

    def _draw_from_stations(
        self, block: str, taken: Sequence[str], adult: str | None, added: Sequence[str] = ()
    ) -> tuple[list[Session], list[Session]] | None:
        """Returns the stations of a block that change, before and after; None where not all find a place.

        Args:
            block: an id.
            taken: students who leave them.
            adult: who does not supervise there any more; None: all stay.
            added: students who come.
        """
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
        return [old for old, _ in pairs], [new for _, new in pairs if new.students]

    def _narrow(self, exchange: Exchange) -> Iterator[Ledger]:
        """Yields the ledgers before and after, with no students but those whom the change concerns.

        What others add to the terms is the same in both, but for shares of subgroups, for which all are kept.
        """
        concerned = {student for session in (*exchange.before, *exchange.after) for student in session.students}
        changed = {session.id for session in exchange.before}
        if self._subgroups:
            rest = [session for session in self.ledger.sessions if session.id not in changed]
        else:
            rest = [
                replace(session, students=tuple(student for student in session.students if student in concerned))
                for session in self.ledger.sessions
                if session.id not in changed
            ]
        for sessions in (exchange.before, exchange.after):
            yield self.ledger.of((*sessions, *rest))

    @cached_property
    def _subgroups(self) -> bool:
        return any(student.subgroup is not None for student in self.problem.students)


def count_adults_online(sessions: Iterable[Session]) -> Counter[str]:
    """Returns how many students each adult who supervises online work shares with the others there."""
    return Counter({adult: len(s.students) for s in sessions if not s.led for adult in s.adults})


def _without(session: Session, students: set[str]) -> Session:
    return replace(session, students=tuple(student for student in session.students if student not in students))


def _offers(block: Block, skill: str) -> bool:
    return block.skills is None or skill in block.skills


def _by_points(candidate: Candidate) -> tuple[float, str]:
    return -(candidate[0] + candidate[1]), candidate[2]
