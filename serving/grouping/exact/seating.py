"""The best students for settled sessions, as one program: who may sit where, and what each seat is worth.

That is generalized assignment with size bounds. All terms are exact but for many recent groupmates, who would make it
quadratic: beyond `PAIR_LIMIT` each seat is priced by how often the groupmates sat there in earlier seatings of the
same sessions, and the caller seats again, as in Frank and Wolfe (1956).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from serving.grouping.clock import is_over
from serving.grouping.exact.program import Program
from serving.grouping.problem.plan import Session
from serving.grouping.state.arrays import PINNED_LED, WEIGHTS, Bools, Floats, ProblemData, Slot, find_runs
from serving.grouping.state.rooms import seat_online, station_limits

PAIR_LIMIT = 60  # columns for recent groupmates; with hundreds HiGHS takes a quarter of a minute for nothing

SEAT_LIMIT = 1_500
"""Possible seats beyond which the program is left out where rounds are counted, since it would take seconds.

A team of 60 has about 300, one of 120 about 1,000, which take half a second, and one of 240 about 3,000.
"""

Column = int


class Seating:
    """The program of settled sessions: a 0-1 column per student and session whom the rules let sit in it.

    Sessions keep their numbers of students, since crowding makes what a seat is worth depend on them. Where a number is
    not allowed, or with `resize`, they may change, and seats have the points of the present numbers; then not exact.
    """

    def __init__(
        self,
        data: ProblemData,
        sessions: tuple[Session, ...],
        led: list[Session],
        earlier: Sequence[Sequence[Session]],
        *,
        resize: bool,
    ) -> None:
        self.data = data
        self.program = Program()
        self.exact = True
        self.resize = resize
        self.slots = [data.slot(session) for session in led]
        apart = np.isneginf(data.arrays.between)
        self.apart, self.repeats = apart, np.where(apart, 0.0, -data.arrays.between)
        self.seats: dict[tuple[int, int], Column] = {}
        self.of_student: dict[int, list[tuple[Column, Slot]]] = defaultdict(list)
        self.of_session: dict[int, dict[int, Column]] = {at: {} for at in range(len(led))}
        for at, slot in enumerate(self.slots):
            students = data.candidates(slot)
            size = min(len(led[at].students), len(data.arrays.crowding) - 1)
            worth = data.seat_points(slot, students, size)
            for student, points in zip(students.tolist(), worth.tolist(), strict=True):
                column = self.program.add(points, whole=True)
                self.seats[student, at] = self.of_session[at][student] = column
                self.of_student[student].append((column, slot))
        self._bound_students()
        self._bound_sessions(led)
        self._bound_stations(sessions)
        self._score_meetings()
        self._score_subgroups()
        self.exact &= self._score_groupmates(led, earlier)
        self._score_wished()

    def _bound_students(self) -> None:
        """Allows one session per block, a skill once a day, and asks for the adult-led places that are pinned."""
        pinned = self.data.arrays.pin == PINNED_LED
        for student, seats in self.of_student.items():
            blocks, skills = defaultdict(list), defaultdict(list)
            for column, slot in seats:
                blocks[slot.block].append((column, 1.0))
                skills[slot.skill].append((column, 1.0))
            for block, terms in blocks.items():
                self.program.bound(terms, float(pinned[student, block]), 1.0)
            for terms in skills.values():
                if len(terms) > 1:
                    self.program.bound(terms, 0.0, 1.0)

    def _bound_sessions(self, led: list[Session]) -> None:
        """Allows the numbers of students that kind, lead and room do, and no two students who must not meet."""
        capacity = {room.id: room.capacity for room in self.data.problem.rooms or ()}
        for at, slot in enumerate(self.slots):
            most = capacity.get(led[at].room or "", len(self.data.arrays.present))
            sizes = [size for size in self.data.sizes[slot.adult][slot.session_type] if size <= most]
            terms = [(column, 1.0) for column in self.of_session[at].values()]
            if len(led[at].students) in sizes and not self.resize:
                sizes = [len(led[at].students)]
            elif self.data.problem.size_curve.share(max(sizes, default=0)) < 1.0:
                self.exact = False
            runs = find_runs(sizes)
            if len(runs) == 1:
                self.program.bound(terms, float(runs[0][0]), float(runs[0][1]))
            else:  # tables leave gaps: 4-6 fit one, 8-12 two, 7 none
                picks = [self.program.add(0.0, whole=True) for _ in runs]
                self.program.bound([(pick, 1.0) for pick in picks], 1.0, 1.0)
                lows = [(pick, -float(low)) for pick, (low, _) in zip(picks, runs, strict=True)]
                highs = [(pick, -float(high)) for pick, (_, high) in zip(picks, runs, strict=True)]
                self.program.bound([*terms, *lows], 0.0, np.inf)
                self.program.bound([*terms, *highs], -np.inf, 0.0)
            for one, other, _ in self._couples(at, self.apart):
                self.program.bound([(one, 1.0), (other, 1.0)], 0.0, 1.0)

    def _bound_stations(self, sessions: tuple[Session, ...]) -> None:
        """Allows as many online as monitors and rooms do, and asks for one where a monitor is the trainee's teacher."""
        problem = self.data.problem
        limits = station_limits(problem, sessions)
        for number, block in enumerate(problem.blocks):
            here = [at for at, slot in enumerate(self.slots) if slot.block == number]
            terms = [(column, 1.0) for at in here for column in self.of_session[at].values()]
            if not terms:
                continue
            present = int(self.data.arrays.present[:, number].sum())
            most = sum(limits[session.id] for session in sessions if session.block == block.id and not session.led)
            held_here = [session for session in sessions if session.led and session.block == block.id]
            leads = [adult for adult in problem.adults if any(adult.id in session.adults for session in held_here)]
            supervised = any(adult.trainee for adult in leads) and not any(adult.supervisor for adult in leads)
            self.program.bound(terms, float(max(0, present - most)), float(present - supervised))

    def _score_meetings(self) -> None:
        """Counts once: the first seat of the day, the first in a group that is due, and the first meeting of two."""
        weights = self.data.problem.weights
        meeting = float(self.data.arrays.weights[WEIGHTS.index("relationships")])
        for student, seats in self.of_student.items():
            self._score_any(float(self.data.arrays.coverage[student]), [column for column, _ in seats])
            grouped = [column for column, slot in seats if self.data.arrays.is_group[slot.session_type]]
            if self.data.arrays.group_time_due[student] and grouped:
                self._score_any(weights.group_time_due, grouped)
            for adult in sorted({slot.adult for _, slot in seats}):
                points = meeting * float(self.data.arrays.relation[student, adult])
                self._score_any(points, [column for column, slot in seats if slot.adult == adult])

    def _score_any(self, points: float, columns: list[Column]) -> None:
        if len(columns) == 1:
            self.program.points[columns[0]] += points
        elif points:
            reached = self.program.add(points)
            self.program.bound([(reached, -1.0), *((column, 1.0) for column in columns)], 0.0, np.inf)

    def _score_subgroups(self) -> None:
        share, weight = self.data.arrays.group_share, self.data.problem.weights.share
        labelled = [(self.data.arrays.group[student], column) for (student, _), column in self.seats.items()]
        for group, part in enumerate(share):
            terms = [(column, float(group == label) - float(part)) for label, column in labelled if label >= 0]
            if terms and weight:
                short = self.program.add(-weight, highest=np.inf)
                self.program.bound([(short, 1.0), *terms], 0.0, np.inf)

    def _score_groupmates(self, led: list[Session], earlier: Sequence[Sequence[Session]]) -> bool:
        """Charges recent groupmates who share a session again; returns whether exactly."""
        again = [couple for at in self.of_session for couple in self._couples(at, self.repeats)]
        if len(again) <= PAIR_LIMIT:
            for one, other, price in again:
                both = self.program.add(-price)
                self.program.bound([(both, -1.0), (one, 1.0), (other, 1.0)], -np.inf, 1.0)
                for column in (one, other) if price < 0 else ():  # a wish, which only both of them meet
                    self.program.bound([(both, -1.0), (column, 1.0)], 0.0, np.inf)
            return True
        place = {session.id: at for at, session in enumerate(led)}
        share = np.zeros((len(led), len(self.repeats)))
        for session in (session for seating in earlier for session in seating if session.id in place):
            students = [self.data.at.student[student] for student in session.students]
            share[place[session.id], students] += 1 / len(earlier)
        expected = share @ self.repeats
        for at, columns in self.of_session.items():
            for student, column in columns.items():
                self.program.points[column] -= float(expected[at, student])
        return False

    def _score_wished(self) -> None:
        """Rewards pairs to keep together who share a session."""
        weights, data = self.data.problem.weights, self.data
        for first, second in data.arrays.wished.tolist() if weights.keep_together else []:
            shared = []
            for columns in self.of_session.values():
                if first in columns and second in columns:
                    both = self.program.add(0.0)
                    self.program.bound([(both, -1.0), (columns[first], 1.0)], 0.0, np.inf)
                    self.program.bound([(both, -1.0), (columns[second], 1.0)], 0.0, np.inf)
                    shared.append(both)
            if shared:
                self._score_any(weights.keep_together, shared)

    def _couples(self, at: int, table: Bools | Floats) -> list[tuple[Column, Column, float]]:
        """Returns the columns of each pair of students in a session that a symmetric table marks, and its figure."""
        students = list(self.of_session[at])
        among = np.triu(table[np.ix_(students, students)])
        columns = list(self.of_session[at].values())
        return [(columns[i], columns[j], float(among[i, j])) for i, j in np.argwhere(among).tolist()]


def assign_students(
    data: ProblemData,
    sessions: tuple[Session, ...],
    earlier: Sequence[Sequence[Session]] = (),
    until: float | None = None,
    *,
    resize: bool = False,
    few: bool = True,
) -> tuple[tuple[Session, ...], bool] | None:
    """Returns the same sessions with the best students in each, as many as before, and whether that is proven best.

    Online sessions take the students who are left, and go where nobody is. None where HiGHS found no seats within its
    limits, or where possible seats are more than `SEAT_LIMIT`.

    Args:
        data: the problem.
        sessions: settled but for their students.
        earlier: seatings of them, which say where recent groupmates tend to sit if these are too many to be exact.
        until: when it has to end, on the clock of `time.perf_counter`; None: without a clock.
        resize: whether sessions may change their numbers of students, as they do where these are not allowed; then
            nothing is proven where crowding counts.
        few: whether `SEAT_LIMIT` holds; not where the time is the caller's own.
    """
    led = [session for session in sessions if session.led]
    if not led:
        return sessions, True
    if few and sum(len(data.candidates(data.slot(session))) for session in led) > SEAT_LIMIT:
        return None
    if is_over(until):
        return None
    seating = Seating(data, sessions, led, [sessions, *earlier], resize=resize)
    values, proven = seating.program.solve(until=until)
    if values is None:
        return None
    chosen: dict[str, list[str]] = {session.id: [] for session in led}
    for (student, at), column in seating.seats.items():
        if values[column]:
            chosen[led[at].id].append(data.problem.students[student].id)
    seated = [replace(session, students=tuple(sorted(chosen.get(session.id, ())))) for session in sessions]
    return seat_online(data.problem, seated), proven and seating.exact
