"""A plan in the making: led sessions so far, and whether the adults and rooms left still carry every block."""

import numpy as np

from serving.grouping.index import Bools, Floats, Index, Ints, Slot
from serving.grouping.plan import Session
from serving.grouping.policy import LED, Modality


class Draft:
    """Led sessions by slot; whoever is in none of a block works online there.

    Attributes:
        groups: students by position, per session held.
        taken: N x B, in a led session of the block. `done`: N x K, the skill is on the student's day.
        met: N x A, meets the adult in a led session today. `covered`: N, has a led session today.
        between: N x N, the points of two students in one session; minus infinity for those to be kept apart.
    """

    def __init__(self, index: Index) -> None:
        self.index = index
        self.groups: dict[Slot, tuple[int, ...]] = {}
        self.taken: Bools = np.zeros_like(index.present)
        self.done: Bools = np.zeros_like(index.thin)
        self.met: Bools = np.zeros(index.relation.shape, dtype=np.bool_)
        self.leads: Bools = np.zeros_like(index.adult_in)
        self.covered: Bools = np.zeros(len(index.present), dtype=np.bool_)
        self.group_seats: Floats = np.zeros_like(index.group_share)
        weights = index.problem.weights
        self.between: Floats = -weights.repeat_mates * index.mates
        self.between[index.wished[:, 0], index.wished[:, 1]] += weights.keep_together
        self.between[index.wished[:, 1], index.wished[:, 0]] += weights.keep_together
        self.between[index.apart] = -np.inf
        self.patience = 0.0
        self.hopes: Floats = np.zeros((len(index.present), len(LED)))
        self._relief: Floats | None = None
        self._obstacles: dict[int, dict[tuple[int, int], str | None]] = {}

    def may_join(self, slot: Slot, students: Ints) -> Bools:
        """Says who of the students has neither another led session in the block nor the skill elsewhere today."""
        busy: Bools = self.taken[students, slot.block] | self.done[students, slot.skill]
        return ~busy

    def open(self, slot: Slot, students: tuple[int, ...]) -> None:
        """Holds a session; the caller has asked `obstacle` first."""
        at = np.array(students, dtype=np.int64)
        self.groups[slot] = students
        self.leads[slot.adult, slot.block] = True
        self.taken[at, slot.block] = True
        self.done[at, slot.skill] = True
        self.met[at, slot.adult] = True
        self.covered[at] = True
        for one, other in self.index.wished.tolist():
            if one in students and other in students and not self.index.apart[one, other]:
                price = -self.index.problem.weights.repeat_mates * self.index.mates[one, other]
                self.between[one, other] = self.between[other, one] = price  # a wish is granted once
        self._relief = None
        self._obstacles.pop(slot.block, None)
        groups = self.index.group[at]
        np.add.at(self.group_seats, groups[groups >= 0], 1)

    def online(self, block: int) -> Ints:
        """Returns the students who work online in a block."""
        return np.flatnonzero(self.index.present[:, block] & ~self.taken[:, block])

    def duties(self) -> Ints:
        """Returns the led sessions per adult."""
        duties: Ints = self.leads.sum(axis=1, dtype=np.int64)
        return duties

    def obstacle(self, block: int, more: tuple[Slot, int] | None = None) -> str | None:
        """Names the rule that a block would break if it were finished now, None if it breaks none.

        Args:
            block: its position.
            more: a further session and its number of students, to ask before it is opened.
        """
        known = self._obstacles.setdefault(block, {})
        key = (more[0].adult, more[1]) if more else (-1, 0)
        if key not in known:
            known[key] = self._find_obstacle(block, more)
        return known[key]

    def relief(self) -> Floats:
        """Returns the seats by which subgroups' shortfall falls with one more seat for each in turn; last: for none."""
        if self._relief is None:
            share, seats = self.index.group_share, self.group_seats
            now = np.maximum(0.0, share * seats.sum() - seats).sum()
            more = seats + np.eye(len(share))
            after = np.maximum(0.0, share * (seats.sum() + 1) - more).sum(axis=1)
            self._relief = np.append(now - after, 0.0)
        return self._relief

    def _find_obstacle(self, block: int, more: tuple[Slot, int] | None) -> str | None:
        online = len(self.online(block)) - (more[1] if more else 0)
        leads = self.leads[:, block].copy()
        sizes = [len(students) for slot, students in self.groups.items() if slot.block == block]
        if more:
            leads[more[0].adult] = True
            sizes.append(more[1])
        crew = self._crew(block, leads, online)
        if isinstance(crew, str):
            return crew
        return None if self._fit_rooms(block, sizes, online) is not None else "room_capacity"

    def finish(self) -> tuple[Session, ...]:
        """Returns the sessions, with monitors and rooms; every block's `obstacle` must be None."""
        problem = self.index.problem
        sessions = []
        for block, held in enumerate(problem.blocks):
            slots = sorted(slot for slot in self.groups if slot.block == block)
            online = self.online(block)
            places = self._fit_rooms(block, [len(self.groups[slot]) for slot in slots], len(online))
            crew = self._crew(block, self.leads[:, block], len(online))
            assert places is not None
            assert not isinstance(crew, str)
            for slot, room in zip(slots, places, strict=False):  # the station's room comes last
                adult, modality = problem.adults[slot.adult].id, LED[slot.modality]
                skill = problem.skills[slot.skill].id
                students = tuple(problem.students[at].id for at in sorted(self.groups[slot]))
                name = f"{held.id}-{modality}-{adult}"
                sessions.append(Session(name, held.id, modality, skill, (adult,), room, students))
            if len(online):
                monitors = tuple(problem.adults[at].id for at in sorted(crew))
                students = tuple(problem.students[at].id for at in online)
                name = f"{held.id}-{Modality.ONLINE}"
                sessions.append(Session(name, held.id, Modality.ONLINE, None, monitors, places[-1], students))
        return tuple(sessions)

    def _crew(self, block: int, leads: Bools, online: int) -> list[int] | str:
        """Chooses monitors for a block: the fewest, teachers where a trainee needs one, then the least busy."""
        index = self.index
        wanted = -(-online // index.problem.students_per_monitor)
        free = np.flatnonzero(index.adult_in[:, block] & index.may_monitor & ~leads)
        teacher_leads = bool((leads & index.teacher).any())
        busy = self.duties() / np.maximum(1, index.adult_in.sum(axis=1))
        order = sorted(free, key=lambda at: (index.trainee[at], busy[at], at))
        crew = [int(at) for at in order[:wanted]]
        if len(crew) < wanted:
            return "monitors"
        trainees = bool((leads & index.trainee).any()) or any(index.trainee[at] for at in crew)
        if trainees and not teacher_leads and not any(index.teacher[at] for at in crew):
            teachers = [int(at) for at in order if index.teacher[at]]
            if not teachers or not crew:
                return "supervision"
            crew[-1] = teachers[0]
        return crew

    def _fit_rooms(self, block: int, sizes: list[int], online: int) -> list[str | None] | None:
        """Gives the largest room to the largest session; None where one does not fit.

        The online station, if anybody is there, comes last and has the rooms kept for it to itself.
        """
        problem = self.index.problem
        if problem.rooms is None:
            return [None] * (len(sizes) + 1)
        held = problem.blocks[block].id
        free = [room for room in problem.rooms if room.blocks is None or held in room.blocks]
        station = [room for room in free if room.station]
        demand = [*sizes, online] if online else list(sizes)
        places: list[str | None] = [None] * len(demand)
        if station and online:
            largest = max(station, key=lambda room: room.capacity)
            if largest.capacity < demand.pop():
                return None
            places[-1] = largest.id
        if station:
            free = [room for room in free if not room.station]
        if len(free) < len(demand):
            return None
        by_size = sorted(range(len(demand)), key=lambda at: -demand[at])
        by_capacity = sorted(free, key=lambda room: -room.capacity)
        for at, room in zip(by_size, by_capacity, strict=False):
            if room.capacity < demand[at]:
                return None
            places[at] = room.id
        return places
