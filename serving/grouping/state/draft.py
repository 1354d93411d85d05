"""A plan in the making: led sessions so far, and whether the adults and rooms left still carry every block."""

import numpy as np

from serving.grouping.problem.plan import Session
from serving.grouping.problem.policy import LED, Modality
from serving.grouping.state.arrays import Bools, Floats, Index, Ints, Slot
from serving.grouping.state.rooms import Housing, house_block, seat_online


class Draft:
    """Led sessions by slot; whoever is in none of a block works online there.

    Attributes:
        groups: students by position, per session held.
        taken: N x B, in a led session of the block. `done`: N x K, the skill is on the student's day.
        leads: A x B. `beside`: A x B, the lead beside whom an adult sits, -1 none.
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
        self.beside: Ints = np.full(index.adult_in.shape, -1, dtype=np.int64)
        self.covered: Bools = np.zeros(len(index.present), dtype=np.bool_)
        self.group_seats: Floats = np.zeros_like(index.group_share)
        weights = index.problem.weights
        self.between: Floats = -weights.repeat_mates * index.mates
        self.between[index.wished[:, 0], index.wished[:, 1]] += weights.keep_together
        self.between[index.wished[:, 1], index.wished[:, 0]] += weights.keep_together
        self.between[index.apart] = -np.inf
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
        here = set(students)
        for one, other in self.index.wished.tolist():
            if one in here and other in here and not self.index.apart[one, other]:
                price = -self.index.problem.weights.repeat_mates * self.index.mates[one, other]
                self.between[one, other] = self.between[other, one] = price  # a wish is granted once
        self._relief = None
        self._obstacles.pop(slot.block, None)
        groups = self.index.group[at]
        np.add.at(self.group_seats, groups[groups >= 0], 1)

    def sit_beside(self, block: int, adult: int, lead: int) -> None:
        """Sets an adult who is free beside one who leads, as the rule `beside` allows; -1 frees the adult again."""
        self.beside[adult, block] = lead
        self._obstacles.pop(block, None)

    def without(self, block: int) -> "Draft":
        """Returns the plan without the sessions of a block."""
        others = Draft(self.index)
        for slot, students in self.groups.items():
            if slot.block != block:
                others.open(slot, students)
        others.beside[:] = self.beside
        others.beside[:, block] = -1
        return others

    def online(self, block: int) -> Ints:
        """Returns the students who work online in a block."""
        return np.flatnonzero(self.index.present[:, block] & ~self.taken[:, block])

    def duties(self) -> Ints:
        """Returns the led sessions per adult, leading or beside."""
        duties: Ints = (self.leads | (self.beside >= 0)).sum(axis=1, dtype=np.int64)
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
        leads = self.leads[:, block] | (self.beside[:, block] >= 0)
        sizes = [len(students) for slot, students in self.groups.items() if slot.block == block]
        if more:
            leads[more[0].adult] = True
            sizes.append(more[1])
        crew = self._free_monitors(block, leads, self.duties())
        housing = self._house(block, sizes, online, len(crew))
        if housing is None:
            roomy = self._house(block, sizes, online, online)
            return "room_capacity" if roomy is None else "monitors"
        return "supervision" if self._crew(leads, crew, housing.monitors) is None else None

    def finish(self) -> tuple[Session, ...]:
        """Returns the sessions, with monitors and rooms; every block's `obstacle` must be None."""
        problem = self.index.problem
        duties = self.duties()
        sessions = []
        for block, held in enumerate(problem.blocks):
            slots = sorted(slot for slot in self.groups if slot.block == block)
            online = self.online(block)
            leads = self.leads[:, block] | (self.beside[:, block] >= 0)
            free = self._free_monitors(block, leads, duties)
            housing = self._house(block, [len(self.groups[slot]) for slot in slots], len(online), len(free))
            assert housing is not None
            crew = self._crew(leads, free, housing.monitors)
            assert crew is not None
            duties[crew] += 1
            for slot, room in zip(slots, housing.led, strict=True):
                adult, modality = problem.adults[slot.adult].id, LED[slot.modality]
                beside = (problem.adults[at].id for at in np.flatnonzero(self.beside[:, block] == slot.adult))
                skill = problem.skills[slot.skill].id
                students = tuple(problem.students[at].id for at in sorted(self.groups[slot]))
                name = f"{held.id}-{modality}-{adult}"
                sessions.append(Session(name, held.id, modality, skill, (adult, *beside), room, students))
            for at, station in enumerate(housing.stations):
                monitors, crew = crew[: station.monitors], crew[station.monitors :]
                adults = tuple(problem.adults[at].id for at in sorted(monitors))
                name = f"{held.id}-{Modality.ONLINE}" + (f"-{at + 1}" if at else "")
                sessions.append(Session(name, held.id, Modality.ONLINE, None, adults, station.room, ()))
        return seat_online(problem, sessions)

    def _house(self, block: int, sizes: list[int], online: int, monitors: int) -> Housing | None:
        ratio = self.index.problem.students_per_monitor
        return house_block(self.index.rooms[block], sizes, online, ratio, monitors)

    def _free_monitors(self, block: int, leads: Bools, duties: Ints) -> list[int]:
        """Returns the adults who may watch over a block's stations: no trainees first, then the least busy."""
        index = self.index
        free = np.flatnonzero(index.adult_in[:, block] & index.may_monitor & ~leads)
        ahead = np.array([adult.load_ahead for adult in index.problem.adults])
        busy = (duties + ahead) / np.maximum(1, index.adult_in.sum(axis=1))
        return sorted(free.tolist(), key=lambda at: (index.trainee[at], busy[at], at))

    def _crew(self, leads: Bools, free: list[int], wanted: int) -> list[int] | None:
        """Chooses monitors for a block, a teacher first where a trainee needs one; None where there is none."""
        index = self.index
        crew = free[:wanted]
        trainees = bool((leads & index.trainee).any()) or any(index.trainee[at] for at in crew)
        if trainees and not (leads & index.teacher).any():
            teachers = [at for at in free if index.teacher[at]]
            if not teachers or not crew:
                return None
            crew = [teachers[0], *(at for at in crew if at != teachers[0])][:wanted]
        return crew
