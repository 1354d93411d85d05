"""A partial solution: led sessions so far, and whether the adults and rooms left make every block feasible."""

from collections.abc import Collection

import numpy as np

from serving.grouping.problem.plan import Session
from serving.grouping.problem.policy import ADULT_LED, SessionType
from serving.grouping.state.arrays import Bools, Ints, ProblemData, Slot
from serving.grouping.state.rooms import RoomAssignment, assign_rooms, seat_online


class Draft:
    """Led sessions by slot; whoever is in none of a block works online there.

    Attributes:
        groups: students by position, per session held.
        taken: N x B, in a led session of the block. `done`: N x K, the skill is on the student's day.
        leads: A x B. `beside`: A x B, the lead beside whom an adult sits, -1 none.
        covered: N, has a led session today.
    """

    def __init__(self, data: ProblemData) -> None:
        self.data = data
        self.groups: dict[Slot, tuple[int, ...]] = {}
        self.taken: Bools = np.zeros_like(data.arrays.present)
        self.done: Bools = np.zeros_like(data.arrays.low_evidence)
        self.leads: Bools = np.zeros_like(data.arrays.adult_in)
        self.beside: Ints = np.full(data.arrays.adult_in.shape, -1, dtype=np.int64)
        self.covered: Bools = np.zeros(len(data.arrays.present), dtype=np.bool_)
        self._violated: dict[int, dict[tuple[int, int], str | None]] = {}

    def may_join(self, slot: Slot, students: Ints) -> Bools:
        """Says who of the students has neither another led session in the block nor the skill elsewhere today."""
        busy: Bools = self.taken[students, slot.block] | self.done[students, slot.skill]
        return ~busy

    def open(self, slot: Slot, students: tuple[int, ...]) -> None:
        """Holds a session; the caller has asked `violated_rule` first."""
        at = np.array(students, dtype=np.int64)
        self.groups[slot] = students
        self.leads[slot.adult, slot.block] = True
        self.taken[at, slot.block] = True
        self.done[at, slot.skill] = True
        self.covered[at] = True
        self._violated.pop(slot.block, None)

    def add_co_teacher(self, block: int, adult: int, lead: int) -> None:
        """Sets an adult who is free beside one who leads, as the rule `beside` allows; -1 frees the adult again."""
        self.beside[adult, block] = lead
        self._violated.pop(block, None)

    def without(self, blocks: Collection[int]) -> "Draft":
        """Returns the plan without the sessions of some blocks."""
        return self.closing([slot for slot in self.groups if slot.block in blocks])

    def closing(self, closed: Collection[Slot]) -> "Draft":
        """Returns the plan without some sessions and without those who sit beside their leads."""
        others = Draft(self.data)
        for slot, students in self.groups.items():
            if slot not in closed:
                others.open(slot, students)
        for adult, block in np.argwhere(self.beside >= 0).tolist():
            if others.leads[self.beside[adult, block], block]:
                others.add_co_teacher(block, adult, int(self.beside[adult, block]))
        return others

    def online(self, block: int) -> Ints:
        """Returns the students who work online in a block."""
        return np.flatnonzero(self.data.arrays.present[:, block] & ~self.taken[:, block])

    def duties(self) -> Ints:
        """Returns the led sessions per adult, leading or beside."""
        duties: Ints = (self.leads | (self.beside >= 0)).sum(axis=1, dtype=np.int64)
        return duties

    def violated_rule(self, block: int, more: tuple[Slot, int] | None = None) -> str | None:
        """Names the rule that a block would break if it were finished now, None if it breaks none.

        Args:
            block: its position.
            more: a further session and its number of students, to ask before it is opened.
        """
        known = self._violated.setdefault(block, {})
        key = (more[0].adult, more[1]) if more else (-1, 0)
        if key not in known:
            known[key] = self._find_violated_rule(block, more)
        return known[key]

    def _find_violated_rule(self, block: int, more: tuple[Slot, int] | None) -> str | None:
        online = len(self.online(block)) - (more[1] if more else 0)
        leads = self.leads[:, block] | (self.beside[:, block] >= 0)
        sizes = [len(students) for slot, students in self.groups.items() if slot.block == block]
        if more:
            leads[more[0].adult] = True
            sizes.append(more[1])
        crew = self._free_monitors(block, leads, self.duties())
        assigned = self._assign_rooms(block, sizes, online, len(crew))
        if assigned is None:
            roomy = self._assign_rooms(block, sizes, online, online)
            return "room_capacity" if roomy is None else "monitors"
        return "supervision" if self._crew(leads, crew, assigned.monitors) is None else None

    def finish(self) -> tuple[Session, ...]:
        """Returns the sessions, with monitors and rooms; every block's `violated_rule` must be None."""
        problem = self.data.problem
        duties = self.duties()
        sessions = []
        for block, held in enumerate(problem.blocks):
            slots = sorted(slot for slot in self.groups if slot.block == block)
            online = self.online(block)
            leads = self.leads[:, block] | (self.beside[:, block] >= 0)
            free = self._free_monitors(block, leads, duties)
            assigned = self._assign_rooms(block, [len(self.groups[slot]) for slot in slots], len(online), len(free))
            assert assigned is not None
            crew = self._crew(leads, free, assigned.monitors)
            assert crew is not None
            duties[crew] += 1
            for slot, room in zip(slots, assigned.led, strict=True):
                adult, session_type = problem.adults[slot.adult].id, ADULT_LED[slot.session_type]
                beside = (problem.adults[at].id for at in np.flatnonzero(self.beside[:, block] == slot.adult))
                skill = problem.skills[slot.skill].id
                students = tuple(problem.students[at].id for at in sorted(self.groups[slot]))
                name = f"{held.id}-{session_type}-{adult}"
                sessions.append(Session(name, held.id, session_type, skill, (adult, *beside), room, students))
            for at, station in enumerate(assigned.stations):
                monitors, crew = crew[: station.monitors], crew[station.monitors :]
                adults = tuple(problem.adults[at].id for at in sorted(monitors))
                name = f"{held.id}-{SessionType.ONLINE}" + (f"-{at + 1}" if at else "")
                sessions.append(Session(name, held.id, SessionType.ONLINE, None, adults, station.room, ()))
        return seat_online(problem, sessions)

    def _assign_rooms(self, block: int, sizes: list[int], online: int, monitors: int) -> RoomAssignment | None:
        ratio = self.data.problem.students_per_monitor
        return assign_rooms(self.data.rooms[block], sizes, online, ratio, monitors)

    def _free_monitors(self, block: int, leads: Bools, duties: Ints) -> list[int]:
        """Returns the adults who may watch over a block's stations: no trainees first, then the least busy."""
        data = self.data
        free = np.flatnonzero(data.arrays.adult_in[:, block] & data.arrays.may_monitor & ~leads)
        ahead = np.array([adult.load_ahead for adult in data.problem.adults])
        busy = (duties + ahead) / np.maximum(1, data.arrays.adult_in.sum(axis=1))
        return sorted(free.tolist(), key=lambda at: (data.arrays.trainee[at], busy[at], at))

    def _crew(self, leads: Bools, free: list[int], wanted: int) -> list[int] | None:
        """Chooses monitors for a block, a teacher first where a trainee needs one; None where there is none."""
        data = self.data
        crew = free[:wanted]
        trainees = bool((leads & data.arrays.trainee).any()) or any(data.arrays.trainee[at] for at in crew)
        if trainees and not (leads & data.arrays.teacher).any():
            teachers = [at for at in free if data.arrays.teacher[at]]
            if not teachers or not crew:
                return None
            crew = [teachers[0], *(at for at in crew if at != teachers[0])][:wanted]
        return crew
