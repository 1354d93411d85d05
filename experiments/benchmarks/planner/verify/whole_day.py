"""A whole day as one mixed-integer program: all hard rules and all terms, to prove what the best plan scores.

It is written from the sentences of the rules and the terms and shares no code with the search, the bound or the exact
seating, so that it verifies them. It is for tiny days: HiGHS proves 24 students in two blocks, not 60 in four.
Days are those that the planner draws: each led session has one adult, while the checker would let more of them join.

Seats are linked to their session one by one, since `sum of seats <= capacity x session` alone leaves the bound useless.
Rooms of one capacity are counted, not named, and online work is whatever is left: no day is in it twice but for who
supervises which room.
"""

from collections import Counter, defaultdict
from typing import NamedTuple

from experiments.benchmarks.planner.verify.linear_program import LinearProgram
from features.errors import InputError
from serving.grouping.problem.people import Adult, Aim, Need
from serving.grouping.problem.policy import ADULT_LED, SessionType, SizeBound
from serving.grouping.problem.problem import Problem

Terms = list[tuple[int, float]]


class Held(NamedTuple):
    """A led session that could be held, by ids; its students need the skill with one aim."""

    block: str
    adult: str
    session_type: SessionType
    skill: str
    aim: Aim


class WholeDay:
    """The columns of a problem and the rows of its hard rules.

    Attributes:
        held: For each session that could be held, the column that says whether it is.
        seats: For each such session, the columns of the students who may sit in it.
        sizes: For each such session, by least and most students, the columns that say how large it is: one for every
            size at which its effect falls, and one for each stretch at which it is the same.
        monitors: For each block and adult, the column that says whether the adult supervises online work.
        stations: For each block, by capacity and whether kept for it, how many rooms serve for online work.
        lodged: For each block, adult and capacity, whether the adult's led session is in such a room.
    """

    def __init__(self, problem: Problem) -> None:
        """Adds all columns and rows of the hard rules.

        Raises:
            InputError: The day asks for coaching, which puts two adults into a session.
        """
        if problem.coaching:
            raise InputError("coaching puts two adults into a session, which the whole-day program does not know")
        self.problem = problem
        self.program = LinearProgram()
        self.held: dict[Held, int] = {}
        self.seats: dict[Held, dict[str, int]] = {}
        self.sizes: dict[Held, dict[tuple[int, int], int]] = {}
        self.monitors: dict[tuple[str, str], int] = {}
        self.stations: dict[str, dict[tuple[int, bool], int]] = {}
        self.lodged: dict[tuple[str, str, int], int] = {}
        self._add_sessions()
        self._bound_students()
        self._bound_adults()
        for block in problem.blocks:
            self._bound_rooms(block.id)

    def duty(self, block: str, adult: str) -> Terms:
        """Returns the sum that is 1 where an adult leads a session or supervises online work, else 0."""
        led = [(column, 1.0) for held, column in self.held.items() if (held.block, held.adult) == (block, adult)]
        monitor = self.monitors.get((block, adult))
        return led if monitor is None else [*led, (monitor, 1.0)]

    def seats_of(self, student: str, block: str | None = None) -> list[tuple[int, Held]]:
        """Returns a student's columns, of one block or of the day."""
        return [
            (columns[student], held)
            for held, columns in self.seats.items()
            if student in columns and block in {None, held.block}
        ]

    def _add_sessions(self) -> None:
        bounds = {bound.session_type: bound for bound in self.problem.sizes}
        needs: dict[tuple[str, Aim], list[Need]] = defaultdict(list)
        for need in self.problem.needs:
            needs[need.skill, need.aim].append(need)
        blocks = {block.id: block for block in self.problem.blocks}
        for adult in self.problem.adults:
            for block in sorted(adult.blocks):
                for kind in (kind for kind in ADULT_LED if kind in adult.session_types and kind in bounds):
                    for skill, aim in sorted(needs):
                        held = Held(block, adult.id, kind, skill, aim)
                        taught = blocks[block].skills
                        if aim is Aim.SUPPORT and not bounds[kind].support:
                            continue
                        if (adult.skills is None or skill in adult.skills) and (taught is None or skill in taught):
                            self._add_session(held, adult, bounds[kind], needs[skill, aim])

    def _add_session(self, held: Held, adult: Adult, bound: SizeBound, needs: list[Need]) -> None:
        """Adds a session: its sizes at any number of tables, its seats, and one seat for two kept from meeting."""
        there = {student.id: student for student in self.problem.students if held.block in student.blocks}
        who = [
            need.student
            for need in needs
            if need.student in there
            and (adult.certified or not there[need.student].needs_certified)
            and (need.student, adult.id) not in self.problem.adult_exclusions
        ]
        curve = self.problem.size_curve
        runs = size_runs(bound, adult, len(who), curve.full if curve.loss else len(who))
        if not runs:
            return
        program = self.program
        column = self.held[held] = program.add(whole=True)
        seats = self.seats[held] = {student: program.add(whole=True) for student in who}
        for seat in seats.values():
            program.bound([(seat, 1.0), (column, -1.0)], high=0.0)
        picks = [column]
        if len(runs) > 1:
            picks = [program.add(whole=True) for _ in runs]
            program.bound([(column, -1.0), *((pick, 1.0) for pick in picks)], low=0.0, high=0.0)
        self.sizes[held] = dict(zip(runs, picks, strict=True))
        seated = [(seat, 1.0) for seat in seats.values()]
        lows = [(pick, -float(low)) for pick, (low, _) in zip(picks, runs, strict=True)]
        highs = [(pick, -float(high)) for pick, (_, high) in zip(picks, runs, strict=True)]
        program.bound([*seated, *lows], low=0.0)
        program.bound([*seated, *highs], high=0.0)
        for one, other in self.problem.keep_apart:
            if one in seats and other in seats:
                program.bound([(seats[one], 1.0), (seats[other], 1.0), (column, -1.0)], high=0.0)

    def _bound_students(self) -> None:
        """Adds that a student has one session a block and a skill once a day, and the pins."""
        for student in self.problem.students:
            by_skill: dict[str, Terms] = defaultdict(list)
            for block in sorted(student.blocks):
                seats = self.seats_of(student.id, block)
                self.program.bound([(seat, 1.0) for seat, _ in seats], high=1.0)
                for seat, held in seats:
                    by_skill[held.skill].append((seat, 1.0))
            for terms in by_skill.values():
                self.program.bound(terms, high=1.0)
        present = {student.id: student.blocks for student in self.problem.students}
        for pin in self.problem.pins:
            wanted = 0.0 if pin.online else 1.0
            fitting = [
                (seat, 1.0)
                for seat, held in self.seats_of(pin.student, pin.block)
                if pin.online
                or (
                    pin.session_type in {None, held.session_type}
                    and pin.skill in {None, held.skill}
                    and pin.adult in {None, held.adult}
                )
            ]
            absent = pin.block not in present[pin.student]
            self.program.bound([] if absent else fitting, low=1.0 if absent else wanted, high=1.0 if absent else wanted)

    def _bound_adults(self) -> None:
        """Adds that an adult has one duty a block, and a trainee one only while a supervising adult has."""
        problem = self.problem
        for block in (block.id for block in problem.blocks):
            here = [adult for adult in problem.adults if block in adult.blocks]
            for adult in here:
                if SessionType.ONLINE in adult.session_types:
                    self.monitors[block, adult.id] = self.program.add(whole=True)
                self.program.bound(self.duty(block, adult.id), high=1.0)
            teaching = [term for adult in here if adult.supervisor for term in self.duty(block, adult.id)]
            for adult in here:
                if adult.trainee:
                    others = [(column, -factor) for column, factor in teaching]
                    self.program.bound([*self.duty(block, adult.id), *others], high=0.0)

    def _bound_rooms(self, block: str) -> None:
        """Adds that everybody online has a room and a monitor, and each led session a room that holds it."""
        program, problem = self.program, self.problem
        ratio = problem.students_per_monitor
        present = sum(block in student.blocks for student in problem.students)
        led = [(s, 1.0) for held, seats in self.seats.items() if held.block == block for s in seats.values()]
        monitors = [(column, 1.0) for (at, _), column in self.monitors.items() if at == block]
        for column, _ in monitors:  # nobody supervises an empty room
            program.bound([*led, (column, 1.0)], high=float(present))
        self.stations[block] = {}
        if problem.rooms is None:
            program.bound([*led, *((column, float(ratio)) for column, _ in monitors)], low=float(present))
            return
        free = [room for room in problem.rooms if room.capacity and (room.blocks is None or block in room.blocks)]
        count = Counter((min(room.capacity, present), room.station) for room in free)
        online: Terms = []
        supervised: Terms = []
        taken: dict[int, Terms] = {capacity: [] for capacity, kept in count if not kept}
        for (capacity, kept), rooms in sorted(count.items()):
            station = self.stations[block][capacity, kept] = program.add(whole=True, highest=float(rooms))
            if not kept:
                taken[capacity].append((station, 1.0))
            full, rest = divmod(capacity, ratio)
            for most, size in ((full, ratio), (1, rest)):
                if most and size:
                    adults = program.add(whole=True, highest=float(most * rooms))
                    program.bound([(adults, 1.0), (station, -float(most))], high=0.0)
                    online.append((adults, float(size)))
                    supervised.append((adults, 1.0))
        program.bound([*led, *online], low=float(present))
        program.bound([*supervised, *((column, -1.0) for column, _ in monitors)], high=0.0)
        self._lodge(block, taken)
        for capacity, terms in taken.items():
            program.bound(terms, high=float(count[capacity, False]))

    def _lodge(self, block: str, taken: dict[int, Terms]) -> None:
        for adult in self.problem.adults:
            mine = [held for held in self.held if (held.block, held.adult) == (block, adult.id)]
            lodged = [(self.program.add(whole=True), capacity) for capacity in taken] if mine else []
            for column, capacity in lodged:
                self.lodged[block, adult.id, capacity] = column
                taken[capacity].append((column, 1.0))
            if mine:
                rooms = [(column, -1.0) for column, _ in lodged]
                self.program.bound([*((self.held[held], 1.0) for held in mine), *rooms], low=0.0, high=0.0)
                seats = [(seat, 1.0) for held in mine for seat in self.seats[held].values()]
                room = [(column, -float(capacity)) for column, capacity in lodged]
                self.program.bound([*seats, *room], high=0.0)


def size_runs(bound: SizeBound, adult: Adult, students: int, alike: int) -> list[tuple[int, int]]:
    """Returns the stretches of sizes that a kind and its lead allow so many students; tables leave gaps.

    Sizes above `alike` are a stretch each.

    Example:
        >>> size_runs(SizeBound(SessionType.COLLABORATIVE, 4, 5, 2), Adult("a", "h", frozenset(), frozenset()), 9, 9)
        [(4, 5), (8, 9)]
    """
    most = students if adult.max_group is None else min(students, adult.max_group)
    runs: list[tuple[int, int]] = []
    for size in range(1, most + 1):
        if not any(bound.least * tables <= size <= bound.most * tables for tables in range(1, bound.tables + 1)):
            continue
        if runs and runs[-1][1] == size - 1 and size <= alike:
            runs[-1] = runs[-1][0], size
        else:
            runs.append((size, size))
    return runs
