"""One block as rows of a program: which adult leads what for how many, who monitors, in rooms of what size.

Generalized assignment with session opening, in a form that is exact on the hard rules and small: students whom no rule
tells apart take seats per skill instead of per session, and a session's load is how many of them it takes. The points
of seats are approximate; `seating.py` seats students exactly once the sessions of the whole plan are settled.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from serving.grouping.exact.program import Program, Terms
from serving.grouping.problem.policy import ADULT_LED
from serving.grouping.state.arrays import PINNED_LED, Bools, Floats, ProblemData, Slot, find_runs
from serving.grouping.state.draft import Draft

STATION_POINTS = -0.01  # one more room for online work is taken only where it is of use


class SessionColumn(NamedTuple):
    """A 0-1 column: a session of a kind is held, with `low` to `high` students."""

    column: int
    low: int
    high: int


class RoomConstraints:
    """What the adult-led sessions of a block need of its rooms, and which stations the other rooms can be.

    For every capacity, sessions that need at least that much and stations in such rooms may not outnumber these rooms;
    then all find a room, since a session that fits a room fits a larger one.
    """

    def __init__(self, data: ProblemData, block: int, program: Program) -> None:
        self.program = program
        self.ratio = data.problem.students_per_monitor
        self.present = int(data.arrays.present[:, block].sum())
        rooms = data.rooms[block]
        self.planned = rooms is not None
        held = [(min(room.capacity, self.present), room.station) for room in rooms or () if room.capacity]
        self.rooms = Counter(held)
        self.capacities = sorted({capacity for capacity, kept in held if not kept})
        self.needing: dict[int, Terms] = {capacity: [] for capacity in self.capacities}

    def offer(self, sizes: Sequence[int]) -> Iterator[SessionColumn]:
        """Adds a column for each range of sizes, and for each capacity that makes a difference to it."""
        for low, high in find_runs(sizes):
            if not self.planned:
                yield SessionColumn(self.program.add(0.0, whole=True), low, high)
                continue
            for capacity in self.capacities:
                if low <= capacity:
                    column = self.program.add(0.0, whole=True)
                    self.needing[capacity].append((column, 1.0))
                    yield SessionColumn(column, low, min(high, capacity))
                if high <= capacity:
                    break

    def bound(self, led: Terms, monitors: Terms) -> None:
        """Bounds sessions by rooms, and students online by the seats that rooms and monitors give."""
        if not self.planned:
            self.program.bound([*led, *_times(monitors, self.ratio)], float(self.present), np.inf)
            return
        seats: Terms = []
        supervising: Terms = []
        stations: dict[int, Terms] = {capacity: [] for capacity in self.capacities}
        for (capacity, kept), count in sorted(self.rooms.items()):
            full, part = divmod(capacity, self.ratio)
            station = self.program.add(STATION_POINTS, whole=True, highest=count)
            if not kept:
                stations[capacity].append((station, 1.0))
            for most, size in ((full, self.ratio), (1, part)):
                if most * size:
                    adults = self.program.add(0.0, whole=True, highest=most * count)
                    self.program.bound([(adults, 1.0), (station, -float(most))], -np.inf, 0.0)
                    seats.append((adults, float(size)))
                    supervising.append((adults, 1.0))
        self.program.bound([*led, *seats], float(self.present), np.inf)
        self.program.bound([*supervising, *_times(monitors, -1)], -np.inf, 0.0)
        for capacity in self.capacities:
            as_large = [other for other in self.capacities if other >= capacity]
            rooms = sum(self.rooms[other, False] for other in as_large)
            needing = [term for other in as_large for term in (*self.needing[other], *stations[other])]
            self.program.bound(needing, 0.0, float(rooms))


def _times(terms: Terms, factor: float) -> Terms:
    return [(column, factor * times) for column, times in terms]


class BlockProgram:
    """The columns of a block, all but `loads` of them 0-1.

    Attributes:
        seats: by (student, skill), of students whom no rule tells apart.
        places: by (student, adult, skill), of the others.
        loads: by (adult, kind, skill), how many of the former a session takes.
        leads: by (adult, skill). `kinds`: by (adult, kind), one column for each range of sizes.
        monitors: by adult. `co_teacher`: by adult, one column for each lead with whom the adult may co-teach.

    Args:
        named: students who get `places` of their own even where no rule tells them apart.
    """

    def __init__(self, draft: Draft, block: int, program: Program, named: Collection[int] = ()) -> None:
        self.draft, self.data, self.block, self.program = draft, draft.data, block, program
        self.adults = [int(at) for at in np.flatnonzero(self.data.arrays.adult_in[:, block])]
        self.apart: Bools = np.isneginf(self.data.arrays.between)
        self.seats: dict[tuple[int, int], int] = {}
        self.places: dict[tuple[int, int, int], int] = {}
        self.loads: dict[tuple[int, int, int], int] = {}
        self.leads: dict[tuple[int, int], int] = {}
        self.kinds: dict[tuple[int, int], list[SessionColumn]] = {}
        self.monitors: dict[int, int] = {}
        self.co_teacher: dict[int, list[int]] = defaultdict(list)
        self.room_constraints = RoomConstraints(self.data, block, program)
        self._add_kinds()
        self._add_seats(named)
        self._bound_sessions()
        self._bound_students()
        self._bound_duties()

    def duties(self, adult: int) -> Terms:
        """Returns what an adult may do in the block, once: lead, supervise online work, or co-teach."""
        led = [offer.column for offer in self.offers(adult)]
        monitoring = [self.monitors[adult]] if adult in self.monitors else []
        return [(column, 1.0) for column in (*led, *monitoring, *self.co_teacher.get(adult, ()))]

    def offers(self, adult: int) -> list[SessionColumn]:
        """Returns what an adult may lead, of any kind; nothing for one who is not there."""
        return [offer for kind in range(len(ADULT_LED)) for offer in self.kinds.get((adult, kind), ())]

    def _add_kinds(self) -> None:
        for adult in self.adults:
            for kind in range(len(ADULT_LED)):
                self.kinds[adult, kind] = list(self.room_constraints.offer(self.data.sizes[adult][kind]))

    def _add_seats(self, named: Collection[int]) -> None:
        """Adds every seat that a student may take, and a load for each session that anybody may take."""
        data = self.data
        special: Bools = data.arrays.pin[:, self.block] == PINNED_LED
        special |= self.apart.any(axis=1) | ~data.arrays.may_teach[:, self.adults].all(axis=1)
        special[list(named)] = True
        for skill in np.flatnonzero(data.arrays.held[self.block]).tolist():
            students = data.eligible(skill)
            reserved = data.arrays.reserved[students, skill]
            free = data.arrays.seatable[students, self.block] & ((reserved < 0) | (reserved == self.block))
            open_to = students[free & self.draft.may_join(Slot(self.block, 0, 0, skill), students)]
            plain, others = open_to[~special[open_to]], open_to[special[open_to]]
            points = self._seat_points(skill)
            for student in plain.tolist():
                self.seats[student, skill] = self.program.add(float(points[student]), whole=True)
            for adult in self.adults:
                if data.arrays.qualified[adult, skill] > 0:
                    self._add_session(adult, skill, plain.tolist(), others.tolist(), points)

    def _add_session(self, adult: int, skill: int, plain: list[int], others: list[int], points: Floats) -> None:
        data = self.data
        offered = data.arrays.offered[:, skill]
        kinds = [kind for kind in range(len(ADULT_LED)) if self.kinds[adult, kind] and offered[kind]]
        for student in others:
            alone = np.array([student])
            fitting = [kind for kind in kinds if data.fits_pins(alone, Slot(self.block, adult, kind, skill)).all()]
            if fitting and data.arrays.may_teach[student, adult]:
                column = self.program.add(float(points[student]), whole=True)
                self.places[student, adult, skill] = column
                if fitting != kinds:
                    offers = [(offer.column, -1.0) for kind in fitting for offer in self.kinds[adult, kind]]
                    self.program.bound([(column, 1.0), *offers], -np.inf, 0.0)
        if plain or any((student, adult, skill) in self.places for student in others):
            self.leads[adult, skill] = self.program.add(0.0, whole=True)
        for kind in kinds if plain else []:
            quality = data.arrays.qualified[adult, skill] * data.arrays.effect[adult, kind, 0] - self._usual
            worth = data.problem.weights.benefit * quality * float(np.mean(data.arrays.need[plain, skill]))
            highest = float(max(offer.high for offer in self.kinds[adult, kind]))
            self.loads[adult, kind, skill] = self.program.add(worth, whole=True, highest=highest)

    @property
    def _usual(self) -> float:
        """Share of a need that a session of the block meets on average over adults and kinds."""
        effects = self.data.arrays.effect[self.adults, :, 0]
        return float(np.mean(effects[np.isfinite(effects)])) if np.isfinite(effects).any() else 0.0

    def _seat_points(self, skill: int) -> Floats:
        """Returns the points of a seat for each student and any lead; NaN where the skill is no need."""
        weights = self.data.problem.weights
        points: Floats = weights.benefit * self._usual * self.data.arrays.need[:, skill] + weights.relationships
        points += self.data.arrays.urgent[:, skill]
        points += self.data.arrays.coverage * ~self.draft.covered / max(1, len(self.data.problem.blocks))
        return points

    def _bound_sessions(self) -> None:
        """Makes loads match seats and keep to the sizes of the one kind and skill that an adult leads."""
        of_skill: dict[int, Terms] = defaultdict(list)
        of_lead: dict[tuple[int, int], Terms] = defaultdict(list)
        of_kind: dict[tuple[int, int], Terms] = defaultdict(list)
        of_adult: dict[int, Terms] = defaultdict(list)
        for (_, skill), column in self.seats.items():
            of_skill[skill].append((column, -1.0))
        for (adult, kind, skill), column in self.loads.items():
            of_skill[skill].append((column, 1.0))
            of_lead[adult, skill].append((column, 1.0))
            of_kind[adult, kind].append((column, 1.0))
            of_adult[adult].append((column, 1.0))
        for (_, adult, skill), column in self.places.items():
            of_lead[adult, skill].append((column, 1.0))
            of_adult[adult].append((column, 1.0))
        for terms in of_skill.values():
            self.program.bound(terms, 0.0, 0.0)
        for (adult, kind), terms in of_kind.items():
            most = [(offer.column, -float(offer.high)) for offer in self.kinds[adult, kind]]
            self.program.bound([*terms, *most], -np.inf, 0.0)
        for adult in self.adults:
            offers = self.offers(adult)
            leads = {skill: column for (lead, skill), column in self.leads.items() if lead == adult}
            chosen = [(column, -1.0) for column in leads.values()]
            self.program.bound([*((offer.column, 1.0) for offer in offers), *chosen], 0.0, 0.0)
            most = [(offer.column, -float(offer.high)) for offer in offers]
            least = [(offer.column, -float(offer.low)) for offer in offers]
            self.program.bound([*of_adult[adult], *most], -np.inf, 0.0)
            self.program.bound([*of_adult[adult], *least], 0.0, np.inf)
            highest = float(max((offer.high for offer in offers), default=0))
            for skill, column in leads.items():
                self.program.bound([*of_lead[adult, skill], (column, -highest)], -np.inf, 0.0)

    def _bound_students(self) -> None:
        """Allows one session each, asks for it where it is pinned, and keeps those apart who must not meet."""
        of_student: dict[int, Terms] = defaultdict(list)
        with_adult: dict[tuple[int, int], Terms] = defaultdict(list)
        for (student, _), column in self.seats.items():
            of_student[student].append((column, 1.0))
        for (student, adult, _), column in self.places.items():
            of_student[student].append((column, 1.0))
            with_adult[student, adult].append((column, 1.0))
        pinned = set(np.flatnonzero(self.data.arrays.pin[:, self.block] == PINNED_LED).tolist())
        for student in sorted(of_student.keys() | pinned):
            self.program.bound(of_student[student], float(student in pinned), 1.0)
        for one, other in np.argwhere(np.triu(self.apart)).tolist():
            for adult in self.adults:
                self.program.bound([*with_adult[one, adult], *with_adult[other, adult]], 0.0, 1.0)

    def _bound_duties(self) -> None:
        """Allows one duty for each adult, trainees only with a teacher on duty, and as many online as can be."""
        arrays = self.data.arrays
        self.monitors = {adult: self.program.add(0.0, whole=True) for adult in self.adults if arrays.may_monitor[adult]}
        self._add_co_teachers()
        duties = {adult: self.duties(adult) for adult in self.adults}
        teaching = [(column, -1.0) for adult in self.adults if arrays.teacher[adult] for column, _ in duties[adult]]
        led = [(column, 1.0) for column in (*self.seats.values(), *self.places.values())]
        present = float(arrays.present[:, self.block].sum())
        for adult in self.adults:
            self.program.bound(duties[adult], 0.0, 1.0)
            if arrays.trainee[adult]:
                self.program.bound([*duties[adult], *teaching], -np.inf, 0.0)
            if adult in self.monitors:  # a monitor needs somebody online
                self.program.bound([(self.monitors[adult], 1.0), *led], -np.inf, present)
        self.room_constraints.bound(led, [(column, 1.0) for column in self.monitors.values()])

    def _add_co_teachers(self) -> None:
        """Lets an adult co-teach with a lead of a coaching pair; `blocks.open_sessions` finds out who does."""
        for one, other, _, observes in self.data.arrays.coaching.tolist():
            for adult, lead in ((other, one),) if observes else ((one, other), (other, one)):
                if {adult, lead} <= set(self.adults):
                    column = self.program.add(0.0, whole=True)
                    led = [(offer.column, -1.0) for offer in self.offers(lead)]
                    self.program.bound([(column, 1.0), *led], -np.inf, 0.0)
                    self.co_teacher[adult].append(column)
