"""A partial solution: adult-led sessions so far, and whether the adults and rooms left make every block feasible."""

from collections.abc import Collection

import numpy as np

from serving.grouping.problem.plan import Session
from serving.grouping.problem.policy import ADULT_LED, SessionType
from serving.grouping.state.arrays import Bools, Ints, ProblemData, Slot
from serving.grouping.state.rooms import RoomAssignment, assign_rooms, seat_online


class Draft:
    """Adult-led sessions by slot; a student who is in none of a block works online there.

    Attributes:
        groups: students by position, per session held.
        taken: N x B, in an adult-led session of the block. `done`: N x K, the skill is on the student's day.
        leads: A x B. `co_teacher`: A x B, the lead whom an adult joins as co-teacher, -1 none.
        covered: N, has an adult-led session today.
    """

    def __init__(self, data: ProblemData) -> None:
        self.data = data
        self.groups: dict[Slot, tuple[int, ...]] = {}
        self.taken: Bools = np.zeros_like(data.arrays.present)
        self.done: Bools = np.zeros_like(data.arrays.low_evidence)
        self.leads: Bools = np.zeros_like(data.arrays.adult_in)
        self.co_teacher: Ints = np.full(data.arrays.adult_in.shape, -1, dtype=np.int64)
        self.covered: Bools = np.zeros(len(data.arrays.present), dtype=np.bool_)
        self._violated: dict[int, dict[tuple[int, int], str | None]] = {}

    def may_join(self, slot: Slot, students: Ints) -> Bools:
        """Says which students have neither another adult-led session in the block nor the skill elsewhere today."""
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
        """Lets a free adult co-teach with one who leads, as the rule `co_teaching` allows; -1 frees the adult again."""
        self.co_teacher[adult, block] = lead
        self._violated.pop(block, None)

    def without(self, blocks: Collection[int]) -> "Draft":
        """Returns the plan without the sessions of some blocks."""
        return self.closing([slot for slot in self.groups if slot.block in blocks])

    def closing(self, closed: Collection[Slot]) -> "Draft":
        """Returns the plan without some sessions and their co-teachers."""
        others = Draft(self.data)
        for slot, students in self.groups.items():
            if slot not in closed:
                others.open(slot, students)
        for adult, block in np.argwhere(self.co_teacher >= 0).tolist():
            if others.leads[self.co_teacher[adult, block], block]:
                others.add_co_teacher(block, adult, int(self.co_teacher[adult, block]))
        return others

    def online(self, block: int) -> Ints:
        """Returns the students who work online in a block."""
        return np.flatnonzero(self.data.arrays.present[:, block] & ~self.taken[:, block])

    def on_duty(self, block: int) -> Bools:
        """Returns the adults who lead or co-teach in a block."""
        return self.leads[:, block] | (self.co_teacher[:, block] >= 0)

    def duties(self) -> Ints:
        """Returns the adult-led sessions of each adult, as lead or co-teacher."""
        duties: Ints = (self.leads | (self.co_teacher >= 0)).sum(axis=1, dtype=np.int64)
        return duties

    def violated_rule(self, block: int, more: tuple[Slot, int] | None = None) -> str | None:
        """Names the rule that a block would break if it were finished now, None if it breaks none.

        Args:
            block: position.
            more: a further session and its number of students, to ask before it is opened.
        """
        known = self._violated.setdefault(block, {})
        key = (more[0].adult, more[1]) if more else (-1, 0)
        if key not in known:
            known[key] = self._find_violated_rule(block, more)
        return known[key]

    def _find_violated_rule(self, block: int, more: tuple[Slot, int] | None) -> str | None:
        online = len(self.online(block)) - (more[1] if more else 0)
        leads = self.on_duty(block)
        sizes = [len(students) for slot, students in self.groups.items() if slot.block == block]
        if more:
            leads[more[0].adult] = True
            sizes.append(more[1])
        free = self._free_monitors(block, leads, self.duties())
        assigned = self._assign_rooms(block, sizes, online, len(free))
        if assigned is None:
            with_everybody = self._assign_rooms(block, sizes, online, online)
            return "room_capacity" if with_everybody is None else "monitors"
        return "supervision" if self._choose_monitors(leads, free, assigned.monitors) is None else None

    def finish(self) -> tuple[Session, ...]:
        """Returns the sessions, with monitors and rooms; every block's `violated_rule` must be None."""
        problem, duties, sessions = self.data.problem, self.duties(), []
        for at, block in enumerate(problem.blocks):
            slots = sorted(slot for slot in self.groups if slot.block == at)
            leads = self.on_duty(at)
            free = self._free_monitors(at, leads, duties)
            sizes = [len(self.groups[slot]) for slot in slots]
            assigned = self._assign_rooms(at, sizes, len(self.online(at)), len(free))
            assert assigned is not None
            monitors = self._choose_monitors(leads, free, assigned.monitors)
            assert monitors is not None
            duties[monitors] += 1
            for slot, room in zip(slots, assigned.led, strict=True):
                staff = [slot.adult, *np.flatnonzero(self.co_teacher[:, at] == slot.adult)]
                adults = tuple(problem.adults[adult].id for adult in staff)
                session_type, skill = ADULT_LED[slot.session_type], self.data.at.topics[slot.skill].skill
                students = tuple(problem.students[student].id for student in sorted(self.groups[slot]))
                name = f"{block.id}-{session_type}-{adults[0]}"
                sessions.append(Session(name, block.id, session_type, skill, adults, room, students))
            for number, station in enumerate(assigned.stations):
                staff, monitors = sorted(monitors[: station.monitors]), monitors[station.monitors :]
                adults = tuple(problem.adults[adult].id for adult in staff)
                name = f"{block.id}-{SessionType.ONLINE}" + (f"-{number + 1}" if number else "")
                sessions.append(Session(name, block.id, SessionType.ONLINE, None, adults, station.room, ()))
        return seat_online(problem, sessions)

    def _assign_rooms(self, block: int, sizes: list[int], online: int, monitors: int) -> RoomAssignment | None:
        ratio = self.data.problem.students_per_monitor
        return assign_rooms(self.data.rooms[block], sizes, online, ratio, monitors)

    def _free_monitors(self, block: int, leads: Bools, duties: Ints) -> list[int]:
        """Returns the adults who may supervise a block's online work: no trainees first, then the least busy."""
        arrays = self.data.arrays
        free = np.flatnonzero(arrays.adult_in[:, block] & arrays.may_monitor & ~leads)
        busy = (duties + arrays.ahead) / np.maximum(1, arrays.adult_blocks)
        return sorted(free.tolist(), key=lambda adult: (arrays.trainee[adult], busy[adult], adult))

    def _choose_monitors(self, leads: Bools, free: list[int], wanted: int) -> list[int] | None:
        """Chooses monitors for a block, a teacher first where a trainee needs one; None where there is none."""
        arrays, chosen = self.data.arrays, free[:wanted]
        trained = (leads & arrays.trainee).any() or arrays.trainee[chosen].any()
        if trained and not (leads & arrays.teacher).any():
            teachers = [adult for adult in free if arrays.teacher[adult]]
            if not teachers or not chosen:
                return None
            chosen = [teachers[0], *(adult for adult in chosen if adult != teachers[0])][:wanted]
        return chosen
