"""The records of a roster: one per row of a roster file, and the team that planning reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, time
from typing import Any, Self

from features.roster.people.records import OtherId
from features.roster.policy.calendar import is_closed

Settings = Mapping[str, Any]
"""Keys of `policy.toml` with their values, tables as mappings; all that JSON can hold."""

SESSION_TYPES = ("small_group", "tutoring", "collaborative", "online")
"""Types of session that an adult can lead; to lead `online` is to supervise independent work."""

ROLE_MAY_LEAD: Mapping[str, tuple[str, ...]] = {
    "teacher_leader": SESSION_TYPES,
    "collaborating_teacher": SESSION_TYPES,
    "support_staff": ("tutoring", "online"),
    "teacher_in_training": ("small_group", "tutoring", "collaborative"),
}
"""What each role leads when the roster does not say; a teacher in training only together with a teacher."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

RULE_KINDS = ("keep_together", "keep_apart", "pinned", "unavailable")


@dataclass(frozen=True)
class TeamName:
    """One team: its id, its school, and a name for people (null = none given)."""

    team_id: str
    school: str
    name: str | None = None


@dataclass(frozen=True)
class Member:
    """One student of one team, from a first to a last day; null = open. A student may be in several teams."""

    team_id: str
    student_id: str
    from_date: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class Staff:
    """One adult of one team; an adult may be in several.

    Attributes:
        staff_id: Opaque id, unique in the team.
        team_id: The team the adult works in.
        role: A key of `ROLE_MAY_LEAD`, or a role of the school's own.
        may_lead: Session types the adult may lead, with the role's default filled in.
        skills: Skills the adult may teach; null = all.
        max_group: Most students at once; null = the session type's own bound.
        certified: May take students whose accommodations need a certified adult.
        coach: The colleague of the same team who coaches this adult; null = nobody.
    """

    staff_id: str
    team_id: str
    role: str
    may_lead: tuple[str, ...]
    skills: tuple[str, ...] | None = None
    max_group: int | None = None
    certified: bool = False
    coach: str | None = None


@dataclass(frozen=True)
class Room:
    """One room of a team and how many students it holds."""

    room_id: str
    team_id: str
    capacity: int


@dataclass(frozen=True)
class Block:
    """One weekly period of a team, in the school's own wall-clock time."""

    block_id: str
    team_id: str
    weekday: str
    start: time
    end: time


@dataclass(frozen=True)
class Rule:
    """One standing rule of a team.

    `keep_together` and `keep_apart` name two or more students. `pinned` puts students with an adult, in a
    block or on a skill. `unavailable` takes students or an adult out of a block (null = of every block).
    """

    rule_id: str
    team_id: str
    kind: str
    students: tuple[str, ...] = ()
    staff_id: str | None = None
    block_id: str | None = None
    skill_id: str | None = None


@dataclass(frozen=True)
class Series:
    """The same students with the same adult on the same unit, day after day, once a day at most.

    Attributes:
        series_id: Opaque id, unique in the roster.
        team_id: The team of all whom it names.
        students: Who is in it.
        staff_id: Who leads it.
        skills: The unit; each session is on one of its skills.
        from_date: Its first day, by the school's calendar.
        until: Its last day; null = for each student until all skills of the unit are proficient.
        block_ids: Blocks of the week in which it may take place; null = any.
        weekdays: Weekdays on which it may take place; null = all, or those of the blocks.
        sessions_per_week: Sessions wanted from Monday to Sunday; null = one each day, or as the minutes ask.
        minutes_per_week: Minutes wanted instead.
    """

    series_id: str
    team_id: str
    students: tuple[str, ...]
    staff_id: str
    skills: tuple[str, ...]
    from_date: date
    until: date | None = None
    block_ids: tuple[str, ...] | None = None
    weekdays: tuple[str, ...] | None = None
    sessions_per_week: int | None = None
    minutes_per_week: int | None = None


@dataclass(frozen=True)
class Skill:
    """One skill; name, grade and subject are null where nobody said."""

    skill_id: str
    name: str | None = None
    grade: str | None = None
    subject: str | None = None


@dataclass(frozen=True)
class Prerequisite:
    """One skill that has to be ready before another."""

    skill_id: str
    requires_skill_id: str


@dataclass(frozen=True)
class Focus:
    """How much a team's current unit is about one skill, 0-1."""

    team_id: str
    skill_id: str
    weight: float


@dataclass(frozen=True)
class PastSession:
    """One session that really happened; the date is the school's own, staff, skill and room null where unknown.

    A room, or a place in one, is known of sessions that regroup recorded, and of no file's, which may name them again.
    """

    date: date
    team_id: str
    block_id: str
    staff_id: str | None
    skill_id: str | None
    students: tuple[str, ...]
    room_id: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Demographic:
    """One fact about one student, for audits only and never a feature."""

    student_id: str
    column: str
    value: str


@dataclass(frozen=True)
class PolicyLayer:
    """What one table of `policy.toml` says.

    Attributes:
        team_id: The team; empty for what holds for all teams.
        settings: The keys of planning that name no student.
        roster: What the team is made of, where no CSV file says it, and its days without school.
        needs_certified: Students whose accommodations need a certified adult.
        adult_exclusions: Pairs of a student and the id of an adult who never leads the student.
    """

    team_id: str
    settings: Settings = field(default_factory=dict)
    needs_certified: tuple[str, ...] = ()
    adult_exclusions: tuple[tuple[str, str], ...] = ()
    roster: Settings = field(default_factory=dict)


@dataclass(frozen=True)
class Roster:
    """Everything the roster files hold, checked; `warnings` says what was left out or looks odd."""

    teams: tuple[TeamName, ...]
    members: tuple[Member, ...]
    staff: tuple[Staff, ...]
    rooms: tuple[Room, ...]
    blocks: tuple[Block, ...]
    rules: tuple[Rule, ...] = ()
    skills: tuple[Skill, ...] = ()
    prerequisites: tuple[Prerequisite, ...] = ()
    focus: tuple[Focus, ...] = ()
    past_sessions: tuple[PastSession, ...] = ()
    series: tuple[Series, ...] = ()
    demographics: tuple[Demographic, ...] = ()
    ids: tuple[OtherId, ...] = ()
    policies: tuple[PolicyLayer, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Team:
    """One team with all that planning a day needs; every tuple is sorted by id.

    Attributes:
        team_id: Opaque id.
        school: The school the team belongs to.
        name: For people; null = none given.
        members: Ids of the students.
        staff: The adults.
        rooms: Where sessions can be.
        blocks: The week's periods.
        rules: Standing rules.
        focus: Weight 0-1 of each skill of the current unit; empty = the team has not said.
        past_sessions: What happened, oldest first.
        series: Students who stay together with an adult on a unit.
        policies: What all teams of the roster chose, then what this one did; either may be missing.
        dates: First and last day of members who have one; null = open.
    """

    team_id: str
    school: str
    name: str | None
    members: tuple[str, ...]
    staff: tuple[Staff, ...]
    rooms: tuple[Room, ...]
    blocks: tuple[Block, ...]
    rules: tuple[Rule, ...]
    focus: Mapping[str, float]
    past_sessions: tuple[PastSession, ...]
    series: tuple[Series, ...] = ()
    policies: tuple[PolicyLayer, ...] = ()
    dates: Mapping[str, tuple[date | None, date | None]] = field(default_factory=dict)

    def has_school(self, day: date) -> bool:
        """Whether the day is none of those without school, of all teams or of this one."""
        return not any(is_closed(day, layer.roster.get("no_school", ())) for layer in self.policies)

    @property
    def leader_signs(self) -> bool:
        """Whether a day counts only once the team's leader has signed it; what the team says itself comes first."""
        said = [layer.roster["leader_signs"] for layer in self.policies if "leader_signs" in layer.roster]
        return bool(said and said[-1])

    def on(self, day: date) -> Self:
        """The team with those members alone who are in it on a day, also in its rules and series.

        Example:
            >>> dates = {"new": (date(2026, 9, 7), None)}
            >>> team = Team("t1", "North", None, ("new", "old"), (), (), (), (), {}, (), dates=dates)
            >>> team.on(date(2026, 9, 4)).members
            ('old',)
        """
        spans = {student: (first or day, last or day) for student, (first, last) in self.dates.items()}
        out = {student for student, (first, last) in spans.items() if not first <= day <= last}
        there = tuple(student for student in self.members if student not in out)
        if there == self.members:
            return self
        away = set(self.members).difference(there)
        return replace(
            self,
            members=there,
            rules=tuple(_without(rule, away) for rule in self.rules if not away.issuperset(rule.students or ("",))),
            series=tuple(_without(series, away) for series in self.series if not away.issuperset(series.students)),
        )


def _without(record: Any, students: set[str]) -> Any:  # noqa: ANN401 - a rule or a series
    return replace(record, students=tuple(student for student in record.students if student not in students))


@dataclass(frozen=True)
class SkillMap:
    """The skills by id, and which skills each one requires directly."""

    skills: Mapping[str, Skill]
    requires: Mapping[str, tuple[str, ...]]
