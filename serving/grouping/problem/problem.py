"""One team's day to plan: who is there, where, who needs what, and which rules hold."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from operator import attrgetter
from typing import Any

from serving.grouping.errors import ProblemError, require_known, require_range, require_share, require_unique
from serving.grouping.problem.people import (
    Adult,
    Coaching,
    Contact,
    GroupmateCount,
    Need,
    Student,
    StudentId,
    Wish,
)
from serving.grouping.problem.places import Block, Pin, Room, Seat, Skill
from serving.grouping.problem.plan import Session
from serving.grouping.problem.policy import (
    ADULT_LED,
    DEFAULT_SIZES,
    DEFAULT_STUDENTS_PER_MONITOR,
    Effect,
    SizeBound,
    SizeCurve,
    Weights,
)

Pair = tuple[StudentId, StudentId]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Everything that decides a plan; the order in which its parts are given decides nothing.

    Construction sorts the parts, checks every reference and raises `ProblemError` at the first that is not right.

    Attributes:
        rooms: None where the team does not plan rooms; an empty tuple means that there is none.
        effects: one for each kind of session and role that occurs together.
        needs: the eligible pairs of student and skill, and only those; a group on a skill is drawn from its pairs.
        keep_apart: pairs never in one session other than online.
        adult_exclusions: pairs of a student and an adult who never leads a session of that student.
        keep_together: pairs to seat in one adult-led session today where that costs little.
        recent_groupmates: how often pairs of students shared an adult-led session lately; a pair left out, never.
        coaching: pairs of adults who should share adult-led sessions today, one as lead and one as co-teacher.
        contacts: how often an adult worked with a student lately; a pair left out, never.
        wishes: what students wish for, which decides between plans that meet about as much need.
        previous: seats of an earlier plan of the same day, for changes that move few students.
        sizes: bounds per kind of adult-led session; a kind without any is not offered.
        students_per_monitor: how many students online one adult may supervise.
        size_curve: how the effect of a seat falls as its session grows.
        most_social_cost: 0-1, the share of what urgent needs, need met and adult time reach that all other terms
            together may cost at most.
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
    wishes: tuple[Wish, ...] = ()
    previous: tuple[Seat, ...] = ()
    sizes: tuple[SizeBound, ...] = DEFAULT_SIZES
    weights: Weights = field(default_factory=Weights)
    students_per_monitor: int = DEFAULT_STUDENTS_PER_MONITOR
    coaching: tuple[Coaching, ...] = ()
    adult_exclusions: tuple[tuple[StudentId, str], ...] = ()
    size_curve: SizeCurve = field(default_factory=SizeCurve)
    most_social_cost: float = 0.05

    def __post_init__(self) -> None:
        self._require_identity()
        self._require_references()
        self._require_effects()
        self._sort()

    def to_json(self) -> str:
        """Writes the problem in one canonical way: equal problems give equal text."""
        return json.dumps(self, default=_parts, separators=(",", ":"))

    def digest(self) -> str:
        """Returns the SHA-256 of the canonical text, which a stored plan names as its problem."""
        return digest_text(self.to_json())

    def _require_identity(self) -> None:
        require_range("students_per_monitor", self.students_per_monitor, 1)
        require_share("most_social_cost", self.most_social_cost)
        for name, identity in _IDENTITY.items():
            private = name in {"students", "needs", "recent_groupmates", "contacts", "previous", "wishes"}
            require_unique(name, map(identity, getattr(self, name) or ()), private=private)
        require_unique("blocks.order", (block.order for block in self.blocks))
        require_unique("coaching", ((*coaching.pair, *sorted(coaching.roles)) for coaching in self.coaching))

    def _require_references(self) -> None:
        known = _ids(self)
        for name in ("adults", "needs", "pins", "contacts", "previous", "wishes"):
            for at, part in enumerate(getattr(self, name)):
                for key, kind in _REFERENCES.items():
                    value = getattr(part, key, None)
                    # An earlier plan may hold a skill that nobody needs any more.
                    if value is not None and value not in known[kind] and (name, key) != ("previous", "skill"):
                        require_known(f"{name}[{at}].{key}", value, known[kind], kind)
        for name, key in _LISTS:
            for at, part in enumerate(getattr(self, name) or ()):
                for value in sorted(getattr(part, key) or ()):
                    require_known(f"{name}[{at}].{key}", value, known[key], key)
        groupmates = tuple((mate.first, mate.second) for mate in self.recent_groupmates)
        _require_pairs("keep_apart", self.keep_apart, known["students"])
        _require_pairs("keep_together", self.keep_together, known["students"])
        _require_pairs("recent_groupmates", groupmates, known["students"])
        self._require_adults(known)

    def _require_adults(self, known: dict[str, set[str]]) -> None:
        for at, (student, adult) in enumerate(self.adult_exclusions):
            require_known(f"adult_exclusions[{at}][0]", student, known["students"], "students")
            require_known(f"adult_exclusions[{at}][1]", adult, known["adults"], "adults")
        for at, coaching in enumerate(self.coaching):
            require_known(f"coaching[{at}].coach", coaching.coach, known["adults"], "adults")
            require_known(f"coaching[{at}].trainee", coaching.trainee, known["adults"], "adults")
            if coaching.coach == coaching.trainee:
                raise ProblemError(f"coaching[{at}]", coaching.coach, "two different adults")

    def _require_effects(self) -> None:
        known = {(effect.session_type, effect.role) for effect in self.effects}
        offered = {bound.session_type for bound in self.sizes}
        for adult in self.adults:
            for session_type in ADULT_LED:
                if session_type in offered & adult.session_types and (session_type, adult.role) not in known:
                    raise ProblemError("effects", f"nothing for {session_type} led by {adult.role}", "complete")

    def _sort(self) -> None:
        order = _IDENTITY | dict.fromkeys(("contacts", "previous", "sizes", "wishes"), repr)
        order |= {"blocks": attrgetter("order"), "coaching": attrgetter("coach", "trainee", "observes")}
        values = {name: sorted(getattr(self, name), key=key) for name, key in order.items() if getattr(self, name)}
        values["pins"] = sorted(set(self.pins), key=repr)
        values["adult_exclusions"] = sorted(set(self.adult_exclusions))
        for name in ("keep_apart", "keep_together"):
            values[name] = sorted({(min(pair), max(pair)) for pair in getattr(self, name)})
        for name, parts in values.items():
            object.__setattr__(self, name, tuple(parts))  # the one way to set a field of a frozen dataclass


_IDENTITY: dict[str, Callable[[Any], Any]] = {
    **{name: attrgetter("id") for name in ("blocks", "adults", "skills", "rooms", "students")},
    "needs": attrgetter("student", "skill"),
    "recent_groupmates": attrgetter("first", "second"),
    "contacts": attrgetter("student", "adult"),
    "wishes": attrgetter("student", "other", "adult", "skill", "rooms"),
    "previous": attrgetter("student", "block"),
    "sizes": attrgetter("session_type"),
    "effects": attrgetter("session_type", "role"),
}
"""For each kind of part, what no two of a problem may share."""


_REFERENCES = {
    "student": "students",
    "other": "students",
    "skill": "skills",
    "because_of": "skills",
    "adult": "adults",
    "coach": "adults",
    "block": "blocks",
}
"""The fields that name a part, and the parts that they may name."""


_LISTS = (("students", "blocks"), ("adults", "blocks"), ("rooms", "blocks"), ("blocks", "skills"), ("wishes", "rooms"))
"""Kinds of part, each with a field that lists parts of the kind that it is called after."""


def _require_pairs(name: str, pairs: Sequence[Pair], students: set[str]) -> None:
    for at, pair in enumerate(pairs):
        if not students.issuperset(pair):
            require_known(f"{name}[{at}][0]", pair[0], students, "students")
            require_known(f"{name}[{at}][1]", pair[1], students, "students")
        if pair[0] == pair[1]:
            raise ProblemError(f"{name}[{at}]", pair, "two different students", private=True)


def _ids(problem: Problem) -> dict[str, set[str]]:
    """Returns the ids of each kind of part."""
    kinds = ("blocks", "students", "adults", "skills", "rooms")
    return {kind: {part.id for part in getattr(problem, kind) or ()} for kind in kinds}


def digest_text(text: str) -> str:
    """Returns the digest of a problem whose canonical text is known."""
    return hashlib.sha256(text.encode()).hexdigest()


def _parts(part: Any) -> dict[str, Any] | list[Any]:  # noqa: ANN401 - whatever a problem holds
    """Returns a dataclass as its fields in order, and a set as a sorted list; much quicker than `asdict`."""
    if is_dataclass(part):
        names, values = _fields(part.__class__)
        return dict(zip(names, values(part), strict=True))
    return sorted(part)


@cache
def _fields(kind: Any) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:  # noqa: ANN401 - a dataclass
    names = tuple(sorted(item.name for item in fields(kind)))
    read = attrgetter(*names)
    return names, read if len(names) > 1 else lambda part: (read(part),)


def require_sessions(problem: Problem, sessions: Sequence[Session]) -> None:
    """Checks that the rules and terms can judge sessions.

    Raises:
        ProblemError: an id is unknown or repeated, an adult-led session lacks its skill or adult, or an online one has
            a skill; the field is named as a path, such as `sessions[3].skill`.
    """
    known = _ids(problem)
    require_unique("sessions.id", (session.id for session in sessions))
    for at, session in enumerate(sessions):
        path = f"sessions[{at}]"
        for key in ("block", "room", "skill"):
            if getattr(session, key) is not None:
                require_known(f"{path}.{key}", getattr(session, key), known[f"{key}s"], f"{key}s")
        for kind in ("adults", "students"):
            for place, person in enumerate(getattr(session, kind)):
                require_known(f"{path}.{kind}[{place}]", person, known[kind], kind)
        if session.led and session.skill is None:
            raise ProblemError(f"{path}.skill", None, "the id of a skill, since an adult leads the session")
        if session.led and not session.adults:
            raise ProblemError(f"{path}.adults", (), "at least one adult, since the session is adult-led")
        if not session.led and session.skill is not None:
            raise ProblemError(f"{path}.skill", session.skill, "null, since the session is online")
