"""Ranks the seats that a late or new student could take while nobody else moves, by their impact on the score."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from itertools import islice

from serving.grouping.clock import is_over
from serving.grouping.errors import ProblemError, require_known
from serving.grouping.problem.plan import Session
from serving.grouping.problem.policy import SessionType
from serving.grouping.problem.problem import Problem, require_sessions
from serving.grouping.rules.check import Violation, find_violations
from serving.grouping.rules.objective import score_plan
from serving.grouping.rules.score_impact import ScoreImpact, measure_impact

SWAY = 4.0
"""Blocks off an even load that one further duty changes at most: its own, and the even load of all."""

ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class SeatOption:
    """One session that the hard rules let the student join.

    Attributes:
        session: as it is with the student in it.
        opened: whether it is a further online station, which the plan does not hold yet.
        score_impact: what it adds to the plan without the student in the blocks asked for.
    """

    block: str
    session: Session
    opened: bool
    score_impact: ScoreImpact
    sentence: str


@dataclass(frozen=True, slots=True)
class SeatOptions:
    """The seats that one student could take, block by block and together.

    Attributes:
        blocks: for each block asked for, in order, its seats, the best first; empty where there is none.
        best: one seat for each block, together the best; the impact of each is that of the seat alone. None where a
            block has no seat, or where none go together.
        score_impact: of the best seats together, against the same plan; None where there are none.
        sessions: the plan with the student in the best seats; unchanged where there are none.
        cut_by_clock: whether the time ran out, so that there may be further and better seats.
    """

    blocks: tuple[tuple[SeatOption, ...], ...]
    best: tuple[SeatOption, ...] | None
    score_impact: ScoreImpact | None
    sessions: tuple[Session, ...]
    cut_by_clock: bool = False


def rank_seat_options(
    problem: Problem,
    sessions: tuple[Session, ...],
    student: str,
    blocks: Sequence[str] | None = None,
    until: float | None = None,
) -> SeatOptions:
    """Returns the seats of a student that the checker accepts in the changed plan, with the score impact of each.

    Breaches that the plan has anyway, such as another late student without a seat, forbid no seat.

    Args:
        problem: the day, with the student there in the blocks.
        sessions: the plan; it may seat the student elsewhere in these blocks, or nowhere.
        student: an id.
        blocks: ids; None: all in which the student is there.
        until: when to look for no further seat, on the clock of `time.perf_counter`; None: without a clock.

    Raises:
        ProblemError: an id is unknown, or the student is absent in a block.
    """
    require_sessions(problem, sessions)
    require_known("student", student, {known.id for known in problem.students}, "students")
    there = next(known.blocks for known in problem.students if known.id == student)
    for block in blocks or ():
        require_known("block", block, {known.id for known in problem.blocks}, "blocks")
        if block not in there:
            raise ProblemError("block", block, "one in which the student is there")
    asked = [block.id for block in problem.blocks if block.id in (there if blocks is None else blocks)]
    evaluator = _SeatEvaluator(problem, sessions, student, asked, until)
    ranked = (sorted(evaluator.list_options(block), key=_rank) for block in asked)
    found = evaluator.combine(tuple(tuple(options) for options in ranked))
    return replace(found, cut_by_clock=evaluator.cut)


def take_seat(sessions: tuple[Session, ...], student: str, option: SeatOption) -> tuple[Session, ...]:
    """Returns the plan with the student in a seat instead of the present one in that block."""
    return _put(_leave(sessions, student, {option.block}), [option.session])


class _SeatEvaluator:
    """The plan without the student in the blocks asked for, as the base that every seat is compared with.

    Rules and terms keep only what concerns the student or whom the student may join, since all else is the same before
    and after.
    """

    def __init__(
        self,
        problem: Problem,
        sessions: tuple[Session, ...],
        student: str,
        blocks: Sequence[str],
        until: float | None,
    ) -> None:
        self.problem, self.sessions, self.student, self.blocks = problem, sessions, student, blocks
        self.until, self.cut = until, False
        self.alone = tuple(s for s in sessions if s.block in blocks and s.students == (student,))
        self.base = _leave(sessions, student, blocks)
        self.listed = {need.skill: need.need for need in problem.needs if need.student == student}
        self.pins = tuple(pin for pin in problem.pins if pin.student == student and pin.block in blocks)
        self.rules = replace(
            problem,
            keep_apart=tuple(pair for pair in problem.keep_apart if student in pair),
            pins=tuple(pin for pin in problem.pins if pin not in self.pins),
        )
        self.terms = replace(
            problem,
            needs=tuple(need for need in problem.needs if need.skill in self.listed),  # of all whom the student crowds
            keep_apart=(),
            keep_together=tuple(pair for pair in problem.keep_together if student in pair),
            pins=(),
            recent_groupmates=tuple(pair for pair in problem.recent_groupmates if student in (pair.first, pair.second)),
            contacts=tuple(contact for contact in problem.contacts if contact.student == student),
            wishes=tuple(wish for wish in problem.wishes if student in (wish.student, wish.other)),
            previous=tuple(seat for seat in problem.previous if seat.student == student),
        )
        self.broken = set(find_violations(self.rules, sessions))
        self.score = score_plan(self.terms, self.base)
        self.duties = Counter(adult for session in self.base for adult in session.adults)

    def is_late(self) -> bool:
        """Whether the time is up, which is remembered."""
        self.cut |= is_over(self.until)
        return self.cut

    def list_options(self, block: str) -> Iterator[SeatOption]:
        """Yields the sessions of a block that the student may join, and online work there."""
        online = False
        if self.is_late():
            return
        excused = self.broken | set(
            find_violations(self.rules, _leave(self.sessions, self.student, {*self.blocks} - {block}))
        )
        for session in (*self.base, *self.alone):
            fits = session.block == block and (not session.led or session.skill in self.listed)
            if fits and not self.is_late():
                joined = replace(session, students=tuple(sorted({*session.students, self.student})))
                if self.allows((joined,), excused):
                    online |= not session.led
                    yield self._measure(joined, opened=False)
        if not online:
            stations = (
                station
                for station in self._list_stations(block)
                if not self.is_late() and self.allows((station,), excused)
            )
            for station in islice(stations, 1):
                yield self._measure(station, opened=True)

    def allows(self, joined: Sequence[Session], excused: set[Violation]) -> bool:
        """Whether a plan with these sessions breaks no rule but in ways that are excused."""
        blocks = {session.block for session in joined}
        pins = tuple(pin for pin in self.pins if pin.block in blocks)
        rules = replace(self.rules, pins=(*self.rules.pins, *pins)) if pins else self.rules
        return set(find_violations(rules, _put(self.base, joined))) <= excused

    def combine(self, ranked: tuple[tuple[SeatOption, ...], ...]) -> SeatOptions:
        """Returns the best seats together: exactly, from the best sum of single impacts on.

        Together they are worth at most that sum, since what counts once (a first seat, a meeting, a pair) is in each;
        only duties of further stations may even each other out, by at most `SWAY` each.
        """
        best, found = None, -float("inf")
        sway = SWAY * self.problem.weights.load
        limits = [[option.score_impact.points + sway * option.opened for option in options] for options in ranked]
        for most, picks in pick_best_first(limits):
            if most <= found + ROUNDING or self.is_late():
                break
            options = tuple(row[at] for row, at in zip(ranked, picks, strict=True))
            joined = [option.session for option in options]
            points = score_plan(self.terms, _put(self.base, joined)).total - self.score.total
            if points > found + ROUNDING and (len(joined) == 1 or self.allows(joined, self.broken)):
                best, found = options, points
        if best is None:
            return SeatOptions(ranked, None, None, self.sessions)
        sessions = _put(self.base, [option.session for option in best])
        return SeatOptions(ranked, best, measure_impact(self.score, score_plan(self.terms, sessions)), sessions)

    def _list_stations(self, block: str) -> Iterator[Session]:
        """Yields online stations that adults without a duty in the block could supervise, the least busy first."""
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

    def _measure(self, joined: Session, *, opened: bool) -> SeatOption:
        impact = measure_impact(self.score, score_plan(self.terms, _put(self.base, (joined,))))
        sentence = f"{self._describe(joined, opened=opened)}: {impact.sentence}."
        return SeatOption(joined.block, joined, opened, impact, sentence)

    def _describe(self, session: Session, *, opened: bool) -> str:
        label = next(block.label for block in self.problem.blocks if block.id == session.block)
        if not session.led:
            return f"Online in {label}" + (f", a further station with {session.adults[0]}" if opened else "")
        name = next(skill.name for skill in self.problem.skills if skill.id == session.skill)
        need = self.listed[session.skill or ""]
        others = len(session.students) - 1
        kind = session.session_type.replace("_", " ")
        return f"{name} with {session.adults[0]} in {label} ({kind}, need {need:.2f}), beside {others}"


def pick_best_first(rows: Sequence[Sequence[float]]) -> Iterator[tuple[float, tuple[int, ...]]]:
    """Yields a position in each list, with the sum of the numbers there, the greatest sum first; none if one is empty.

    Only as many are looked at as are taken from the iterator (best-first search over a lattice).

    Example:
        >>> list(pick_best_first([[1.0, 5.0], [2.0]]))
        [(7.0, (1, 0)), (3.0, (0, 0))]
    """
    order = [sorted(range(len(row)), key=lambda at, row=row: (-row[at], at)) for row in rows]  # type: ignore[misc]

    def total(ranks: tuple[int, ...]) -> float:
        return sum(row[best[at]] for row, best, at in zip(rows, order, ranks, strict=True))

    first = (0,) * len(rows)
    waiting = [(-total(first), first)] if all(rows) else []
    seen = {first}
    while waiting:
        most, ranks = heappop(waiting)
        yield -most, tuple(best[at] for best, at in zip(order, ranks, strict=True))
        for row, at in enumerate(ranks):
            further = (*ranks[:row], at + 1, *ranks[row + 1 :])
            if at + 1 < len(rows[row]) and further not in seen:
                seen.add(further)
                heappush(waiting, (-total(further), further))


def _rank(option: SeatOption) -> tuple[float, str]:
    return -option.score_impact.points, option.session.id


def _leave(sessions: Sequence[Session], student: str, blocks: Collection[str]) -> tuple[Session, ...]:
    """Returns the plan without a student in some blocks, and without the sessions that are empty then."""
    left = (
        replace(session, students=tuple(name for name in session.students if name != student))
        if session.block in blocks and student in session.students
        else session
        for session in sessions
    )
    return tuple(session for session in left if session.students)


def _put(base: Sequence[Session], joined: Sequence[Session]) -> tuple[Session, ...]:
    """Returns the plan with sessions in place of those of the same id, or beside them."""
    added = {session.id: session for session in joined}
    kept = tuple(added.pop(session.id, session) for session in base)
    return (*kept, *added.values())
