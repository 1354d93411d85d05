"""All places that a late or new student could take while nobody else moves, ranked by what each does to the score."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush

from serving.grouping.changes.difference import Price, price_change
from serving.grouping.errors import ProblemError, require_known
from serving.grouping.problem.plan import Session
from serving.grouping.problem.policy import SessionType
from serving.grouping.problem.problem import Problem, require_sessions
from serving.grouping.rules.check import Violation, find_violations
from serving.grouping.rules.objective import score_plan


def pick_best_first(worth: Sequence[Sequence[float]]) -> Iterator[tuple[float, tuple[int, ...]]]:
    """Yields a position in each list, with the sum of the numbers there, the greatest sum first; none if one is empty.

    Only as many are looked at as are asked for (best-first search over a lattice).

    Example:
        >>> list(pick_best_first([[1.0, 5.0], [2.0]]))
        [(7.0, (1, 0)), (3.0, (0, 0))]
    """
    order = [sorted(range(len(row)), key=lambda at, row=row: (-row[at], at)) for row in worth]  # type: ignore[misc]

    def total(ranks: tuple[int, ...]) -> float:
        return sum(row[into[at]] for row, into, at in zip(worth, order, ranks, strict=True))

    first = (0,) * len(worth)
    waiting = [(-total(first), first)] if all(worth) else []
    seen = {first}
    while waiting:
        most, ranks = heappop(waiting)
        yield -most, tuple(into[at] for into, at in zip(order, ranks, strict=True))
        for row, at in enumerate(ranks):
            further = (*ranks[:row], at + 1, *ranks[row + 1 :])
            if at + 1 < len(worth[row]) and further not in seen:
                seen.add(further)
                heappush(waiting, (-total(further), further))


@dataclass(frozen=True, slots=True)
class Place:
    """One session that the hard rules let the student join.

    Attributes:
        session: as it is with the student in it.
        opened: whether it is a further online station, which the plan does not hold yet.
        price: what it adds to the plan without the student in the blocks asked for.
    """

    block: str
    session: Session
    opened: bool
    price: Price
    sentence: str


@dataclass(frozen=True, slots=True)
class Placements:
    """What one student could do.

    Attributes:
        blocks: for each block asked for, in order, its places, the best first; empty where there is none.
        best: one place for each block, together the best; their prices are those of each alone. None where a block
            has no place, or where none go together.
        price: of the best places together, against the same plan.
        sessions: the plan with the student in the best places; as given where there are none.
    """

    blocks: tuple[tuple[Place, ...], ...]
    best: tuple[Place, ...] | None
    price: Price | None
    sessions: tuple[Session, ...]


def rank_places(
    problem: Problem, sessions: tuple[Session, ...], student: str, blocks: Sequence[str] | None = None
) -> Placements:
    """Returns the places of a student, each judged by the checker on the changed plan and by the score of both.

    Breaches that the plan has anyway, such as another late student without a seat, stand in no place's way.

    Args:
        problem: the day, with the student there in the blocks.
        sessions: the plan; it may seat the student elsewhere in these blocks, or nowhere.
        student: an id.
        blocks: ids; None: all in which the student is there.

    Raises:
        ProblemError: an id is unknown, or the student is absent in a block.
    """
    require_sessions(problem, sessions)
    require_known("student", student, {each.id for each in problem.students}, "students")
    there = next(each.blocks for each in problem.students if each.id == student)
    for block in blocks or ():
        require_known("block", block, {each.id for each in problem.blocks}, "blocks")
        if block not in there:
            raise ProblemError("block", block, "one in which the student is there")
    asked = [block.id for block in problem.blocks if block.id in (there if blocks is None else blocks)]
    desk = _Desk(problem, sessions, student, asked)
    ranked = tuple(tuple(sorted(desk.places(block), key=_rank)) for block in asked)
    return desk.combine(ranked)


def take_place(sessions: tuple[Session, ...], student: str, place: Place) -> tuple[Session, ...]:
    """Returns the plan with the student in a place instead of the seat there was in that block."""
    left = tuple(_without(session, student) if session.block == place.block else session for session in sessions)
    return _put([session for session in left if session.students], [place.session])


class _Desk:
    """The plan without the student in the blocks asked for, and its figures.

    Of the problem only what concerns the student is kept, since all else is the same before and after.
    """

    def __init__(self, problem: Problem, sessions: tuple[Session, ...], student: str, blocks: Sequence[str]) -> None:
        self.problem, self.given, self.student, self.blocks = problem, sessions, student, blocks
        self.alone = tuple(s for s in sessions if s.block in blocks and s.students == (student,))
        self.base = self._leave(blocks)
        self.listed = {need.skill for need in problem.needs if need.student == student}
        self.pins = tuple(pin for pin in problem.pins if pin.student == student and pin.block in blocks)
        self.rules = replace(
            problem,
            keep_apart=tuple(pair for pair in problem.keep_apart if student in pair),
            pins=tuple(pin for pin in problem.pins if pin not in self.pins),
        )
        self.terms = replace(
            problem,
            needs=tuple(need for need in problem.needs if need.student == student),
            keep_apart=(),
            keep_together=tuple(pair for pair in problem.keep_together if student in pair),
            pins=(),
            recent_groupmates=tuple(mate for mate in problem.recent_groupmates if student in (mate.first, mate.second)),
            contacts=tuple(contact for contact in problem.contacts if contact.student == student),
            previous=tuple(seat for seat in problem.previous if seat.student == student),
        )
        self.broken = set(find_violations(self.rules, sessions))
        self.score = score_plan(self.terms, self.base)
        self.duties = Counter(adult for session in self.base for adult in session.adults)

    def places(self, block: str) -> Iterator[Place]:
        """Yields the sessions of a block that the student may join, and online work there."""
        online = False
        excused = self.broken | set(find_violations(self.rules, self._leave({*self.blocks} - {block})))
        for session in (*self.base, *self.alone):
            if session.block == block and (not session.led or session.skill in self.listed):
                joined = replace(session, students=tuple(sorted({*session.students, self.student})))
                if self.allows((joined,), excused):
                    online |= not session.led
                    yield self._place(joined, opened=False)
        if not online:
            station = next((each for each in self._stations(block) if self.allows((each,), excused)), None)
            if station is not None:
                yield self._place(station, opened=True)

    def allows(self, joined: Sequence[Session], excused: set[Violation]) -> bool:
        """Whether a plan with these sessions breaks no rule but in ways that are excused."""
        blocks = {session.block for session in joined}
        pins = tuple(pin for pin in self.pins if pin.block in blocks)
        rules = replace(self.rules, pins=(*self.rules.pins, *pins)) if pins else self.rules
        return set(find_violations(rules, _put(self.base, joined))) <= excused

    def combine(self, ranked: tuple[tuple[Place, ...], ...]) -> Placements:
        """Finds the best places together: exactly, from the best sum of single prices on.

        Together they are worth at most that sum, since what counts once (a first seat, a meeting, a pair) is in each;
        only duties of further stations may even each other out, by at most `SWAY` each.
        """
        best, found = None, -float("inf")
        sway = SWAY * self.problem.weights.load
        worth = [[place.price.points + sway * place.opened for place in places] for places in ranked]
        for most, picks in pick_best_first(worth):
            if most <= found + ROUNDING:
                break
            places = tuple(row[at] for row, at in zip(ranked, picks, strict=True))
            joined = [place.session for place in places]
            points = score_plan(self.terms, _put(self.base, joined)).total - self.score.total
            if points > found + ROUNDING and (len(joined) == 1 or self.allows(joined, self.broken)):
                best, found = places, points
        if best is None:
            return Placements(ranked, None, None, self.given)
        sessions = _put(self.base, [place.session for place in best])
        return Placements(ranked, best, price_change(self.score, score_plan(self.terms, sessions)), sessions)

    def _leave(self, blocks: Collection[str]) -> tuple[Session, ...]:
        """The plan given, without the student in some blocks."""
        left = (_without(session, self.student) if session.block in blocks else session for session in self.given)
        return tuple(session for session in left if session.students)

    def _stations(self, block: str) -> Iterator[Session]:
        """Yields online stations that adults without a duty in the block could watch over, the least busy first."""
        here = [session for session in self.base if session.block == block]
        busy = {adult for session in here for adult in session.adults}
        taken = {session.room for session in here}
        rooms: list[str | None] = [room.id for room in self.problem.rooms or () if room.id not in taken]
        rooms = rooms or [None]
        free = [adult.id for adult in self.problem.adults if block in adult.blocks and adult.id not in busy]
        names = {session.id for session in self.base}
        name = next(name for at in range(1, len(names) + 2) if (name := f"{block}-online-{at}") not in names)
        for adult in sorted(free, key=lambda adult: (self.duties[adult], adult)):
            for room in rooms:
                yield Session(name, block, SessionType.ONLINE, None, (adult,), room, (self.student,))

    def _place(self, joined: Session, *, opened: bool) -> Place:
        price = price_change(self.score, score_plan(self.terms, _put(self.base, (joined,))))
        return Place(joined.block, joined, opened, price, self._tell(joined, price, opened=opened))

    def _tell(self, session: Session, price: Price, *, opened: bool) -> str:
        label = next(block.label for block in self.problem.blocks if block.id == session.block)
        if not session.led:
            where = f"Online in {label}" + (f", a further station with {session.adults[0]}" if opened else "")
            return f"{where}: {price.sentence}."
        name = next(skill.name for skill in self.problem.skills if skill.id == session.skill)
        need = next(n.need for n in self.terms.needs if n.skill == session.skill)
        others = len(session.students) - 1
        kind = session.session_type.replace("_", " ")
        where = f"{name} with {session.adults[0]} in {label} ({kind}, need {need:.2f}), beside {others}"
        return f"{where}: {price.sentence}."


SWAY = 4.0
"""Blocks off an even load that one further duty changes at most: its own, and the even load of all."""

ROUNDING = 1e-9


def _rank(place: Place) -> tuple[float, str]:
    return -place.price.points, place.session.id


def _without(session: Session, student: str) -> Session:
    if student not in session.students:
        return session
    return replace(session, students=tuple(name for name in session.students if name != student))


def _put(base: Sequence[Session], joined: Sequence[Session]) -> tuple[Session, ...]:
    """The plan with sessions in place of those of the same id, or beside them."""
    by = {session.id: session for session in joined}
    kept = tuple(by.pop(session.id, session) for session in base)
    return (*kept, *by.values())
