"""One team's day as a question: who is there, where, who needs what, and which rules hold."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from operator import attrgetter
from typing import Any

from serving.grouping.errors import ProblemError, require_known, require_range, require_unique
from serving.grouping.problem.people import Adult, Coaching, Contact, GroupmateCount, Need, Student
from serving.grouping.problem.places import Block, Pin, Room, Seat, Skill
from serving.grouping.problem.plan import Session
from serving.grouping.problem.policy import ADULT_LED, DEFAULT_SIZES, Effect, SizeBound, Weights

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Everything that decides a plan; the order in which its parts are given decides nothing.

    Construction sorts the parts, checks every reference and raises `ProblemError` at the first that is not right.

    Attributes:
        rooms: None where the team does not plan rooms; an empty tuple means that there is none.
        effects: one for each kind of session and role that occurs together.
        needs: the eligible pairs of student and skill, and only those; a group on a skill is drawn from its pairs.
        keep_apart: pairs never in one session other than online.
        keep_together: pairs to seat in one led session today where that costs little.
        recent_groupmates: how often pairs of students shared a led session lately; a pair left out, never.
        coaching: pairs of adults who should share led sessions today, one leading and one beside.
        contacts: how often an adult worked with a student lately; a pair left out, never.
        previous: seats of an earlier plan of the same day, for changes that move few students.
        sizes: bounds per kind of led session; a kind without any is not offered.
        students_per_monitor: how many students online one adult watches over.
        most_catch_up_days: days in a row after which a student sits in no led session on a skill to catch up on;
            None: no cap.
    """

    blocks: tuple[Block, ...]
    students: tuple[Student, ...]
    adults: tuple[Adult, ...]
    skills: tuple[Skill, ...]
    effects: tuple[Effect, ...]
    rooms: tuple[Room, ...] | None = None
    needs: tuple[Need, ...] = ()
    keep_apart: tuple[Pair, ...] = ()
    keep_together: tuple[Pair, ...] = ()
    pins: tuple[Pin, ...] = ()
    recent_groupmates: tuple[GroupmateCount, ...] = ()
    contacts: tuple[Contact, ...] = ()
    previous: tuple[Seat, ...] = ()
    sizes: tuple[SizeBound, ...] = DEFAULT_SIZES
    weights: Weights = field(default_factory=Weights)
    students_per_monitor: int = 30
    coaching: tuple[Coaching, ...] = ()
    most_catch_up_days: int | None = None

    def __post_init__(self) -> None:
        self._require_identity()
        self._require_references()
        self._require_effects()
        self._sort()

    def to_json(self) -> str:
        """Writes the problem in one canonical way: equal problems give equal text."""
        return json.dumps(self, default=_parts, separators=(",", ":"))

    def open_needs(self) -> tuple[Need, ...]:
        """Returns the needs that may be met today, without those that the cap on catching up rules out."""
        if self.most_catch_up_days is None:
            return self.needs
        capped = {student.id for student in self.students if student.catch_up_days >= self.most_catch_up_days}
        return tuple(need for need in self.needs if not (need.catch_up and need.student in capped))

    def digest(self) -> str:
        """Returns the SHA-256 of the canonical text, which a stored plan names as its problem."""
        return digest_text(self.to_json())

    def _require_identity(self) -> None:
        require_range("students_per_monitor", self.students_per_monitor, 1)
        if self.most_catch_up_days is not None:
            require_range("most_catch_up_days", self.most_catch_up_days, 1)
        for name in ("blocks", "adults", "skills", "rooms"):
            require_unique(name, (part.id for part in getattr(self, name) or ()))
        require_unique("students", (student.id for student in self.students), private=True)
        require_unique("blocks.order", (block.order for block in self.blocks))
        require_unique("needs", ((need.student, need.skill) for need in self.needs), private=True)
        require_unique(
            "recent_groupmates", (frozenset((m.first, m.second)) for m in self.recent_groupmates), private=True
        )
        require_unique("contacts", ((c.student, c.adult) for c in self.contacts), private=True)
        require_unique("previous", ((seat.student, seat.block) for seat in self.previous), private=True)
        require_unique("coaching", (frozenset((pair.coach, pair.trainee)) for pair in self.coaching))
        require_unique("sizes", (bound.session_type for bound in self.sizes))
        require_unique("effects", ((effect.session_type, effect.role) for effect in self.effects))

    def _require_references(self) -> None:
        blocks = {block.id for block in self.blocks}
        adults = {adult.id for adult in self.adults}
        known = {
            "student": {student.id for student in self.students},
            "skill": {skill.id for skill in self.skills},
            "adult": adults,
            "coach": adults,
            "block": blocks,
        }
        for name in ("adults", "needs", "pins", "contacts", "previous"):
            for at, part in enumerate(getattr(self, name)):
                for key, ids in known.items():
                    value = getattr(part, key, None)
                    # An earlier plan may hold a skill that nobody needs any more.
                    if value is not None and value not in ids and (name, key) != ("previous", "skill"):
                        require_known(f"{name}[{at}].{key}", value, ids, "adults" if key == "coach" else f"{key}s")
        for name in ("students", "adults", "rooms"):
            for at, part in enumerate(getattr(self, name) or ()):
                for block in sorted(part.blocks or ()):
                    require_known(f"{name}[{at}].blocks", block, blocks, "blocks")
        self._require_pairs(known["student"])
        for at, pair in enumerate(self.coaching):
            require_known(f"coaching[{at}].coach", pair.coach, adults, "adults")
            require_known(f"coaching[{at}].trainee", pair.trainee, adults, "adults")
            if pair.coach == pair.trainee:
                raise ProblemError(f"coaching[{at}]", pair.coach, "two different adults")

    def _require_pairs(self, students: set[str]) -> None:
        recent_groupmates = tuple((mate.first, mate.second) for mate in self.recent_groupmates)
        for name, pairs in (
            ("keep_apart", self.keep_apart),
            ("keep_together", self.keep_together),
            ("recent_groupmates", recent_groupmates),
        ):
            for at, (first, second) in enumerate(pairs):
                if first not in students or second not in students:
                    require_known(f"{name}[{at}][0]", first, students, "students")
                    require_known(f"{name}[{at}][1]", second, students, "students")
                if first == second:
                    raise ProblemError(f"{name}[{at}]", (first, second), "two different students", private=True)

    def _require_effects(self) -> None:
        known = {(effect.session_type, effect.role) for effect in self.effects}
        offered = {bound.session_type for bound in self.sizes}
        for adult in self.adults:
            for session_type in ADULT_LED:
                if session_type in offered & adult.session_types and (session_type, adult.role) not in known:
                    raise ProblemError("effects", f"nothing for {session_type} led by {adult.role}", "complete")

    def _sort(self) -> None:
        def put(name: str, value: object) -> None:
            object.__setattr__(self, name, value)  # the one way to sort the fields of a frozen dataclass

        put("blocks", tuple(sorted(self.blocks, key=lambda block: block.order)))
        for name in ("students", "adults", "skills"):
            put(name, tuple(sorted(getattr(self, name), key=lambda part: str(part.id))))
        if self.rooms is not None:
            put("rooms", tuple(sorted(self.rooms, key=lambda room: room.id)))
        for name in ("keep_apart", "keep_together"):
            put(name, tuple(sorted({(min(pair), max(pair)) for pair in getattr(self, name)})))
        put("needs", tuple(sorted(self.needs, key=lambda need: (need.student, need.skill))))
        put("pins", tuple(sorted(set(self.pins), key=repr)))
        put("coaching", tuple(sorted(self.coaching, key=lambda pair: (pair.coach, pair.trainee))))
        put("recent_groupmates", tuple(sorted(self.recent_groupmates, key=lambda m: (m.first, m.second))))
        put("effects", tuple(sorted(self.effects, key=lambda effect: (str(effect.session_type), str(effect.role)))))
        for name in ("contacts", "previous", "sizes"):
            put(name, tuple(sorted(getattr(self, name), key=repr)))


def digest_text(text: str) -> str:
    """Returns the digest of a problem whose canonical text is known."""
    return hashlib.sha256(text.encode()).hexdigest()


def _parts(part: Any) -> dict[str, Any] | list[Any]:  # noqa: ANN401 - whatever a problem holds
    """What JSON has no word for: a dataclass by its fields in order, a set in order; much quicker than `asdict`."""
    if is_dataclass(part):
        names, values = _fields(part.__class__)
        return dict(zip(names, values(part), strict=True))
    return sorted(part)


@cache
def _fields(kind: Any) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:  # noqa: ANN401 - a dataclass
    names = tuple(sorted(each.name for each in fields(kind)))
    several = attrgetter(*names)
    return names, several if len(names) > 1 else lambda part: (several(part),)


def require_sessions(problem: Problem, sessions: Sequence[Session]) -> None:
    """Refuses sessions of which a rule or a term could not say anything.

    Raises:
        ProblemError: an id is unknown or repeated, a led session lacks its skill or adult, or an online one has a
            skill; the field is named as a path, such as `sessions[3].skill`.
    """
    known = {
        "block": {block.id for block in problem.blocks},
        "adult": {adult.id for adult in problem.adults},
        "student": {student.id for student in problem.students},
        "skill": {skill.id for skill in problem.skills},
        "room": {room.id for room in problem.rooms or ()},
    }
    require_unique("sessions.id", (session.id for session in sessions))
    for at, session in enumerate(sessions):
        path = f"sessions[{at}]"
        require_known(f"{path}.block", session.block, known["block"], "blocks")
        for each, adult in enumerate(session.adults):
            require_known(f"{path}.adults[{each}]", adult, known["adult"], "adults")
        for each, student in enumerate(session.students):
            require_known(f"{path}.students[{each}]", student, known["student"], "students")
        if session.room is not None:
            require_known(f"{path}.room", session.room, known["room"], "rooms")
        if session.skill is not None:
            require_known(f"{path}.skill", session.skill, known["skill"], "skills")
        if session.led and session.skill is None:
            raise ProblemError(f"{path}.skill", None, "the id of a skill, since an adult leads the session")
        if session.led and not session.adults:
            raise ProblemError(f"{path}.adults", (), "at least one adult, since the session is led")
        if not session.led and session.skill is not None:
            raise ProblemError(f"{path}.skill", session.skill, "null, since the session is online")
