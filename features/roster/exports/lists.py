"""What rosters of other systems say: schools, terms, classes, people, their roles and their enrollments."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from features.roster.files.sheets import Row


@dataclass(frozen=True)
class Org:
    """A school, a department or a district."""

    source_id: str
    active: bool = True
    name: str | None = None


@dataclass(frozen=True)
class Term:
    """A school year, a term or a part of one; a null date is open."""

    source_id: str
    active: bool = True
    start: date | None = None
    end: date | None = None


@dataclass(frozen=True)
class SchoolClass:
    """A class that people are enrolled in.

    Attributes:
        source_id: Its id in the system.
        active: False: it is to be deleted.
        title: What people call it.
        school: Id of its school.
        grades: Grades it is for.
        terms: Ids of the terms it meets in; none = all.
        location: Where it meets, as free text.
        start: First day, where the class itself says so.
        end: Last day, where the class itself says so.
    """

    source_id: str
    active: bool = True
    title: str | None = None
    school: str | None = None
    grades: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    location: str | None = None
    start: date | None = None
    end: date | None = None


@dataclass(frozen=True)
class Person:
    """Somebody of the system.

    Attributes:
        source_id: The id by which enrollments name the person.
        active: False: the person is to be deleted.
        enabled: Whether the account may be used.
        role: Null where the file does not say; roles may stand in a file of their own.
        grades: Grades of a student.
        other_id: The id that was chosen instead of `source_id`, such as the username; null = the same.
    """

    source_id: str
    active: bool = True
    enabled: bool = True
    role: str | None = None
    grades: tuple[str, ...] = ()
    other_id: str | None = None

    @property
    def regroup_id(self) -> str:
        """The id that the person has in regroup, which events carry."""
        return self.other_id or self.source_id


@dataclass(frozen=True)
class PersonRole:
    """One role of one person, for some time."""

    person: str
    role: str
    source_id: str | None = None
    active: bool = True
    start: date | None = None
    end: date | None = None


@dataclass(frozen=True)
class Enrollment:
    """One person in one class, for some time; a null date is open."""

    class_id: str
    person: str
    role: str
    source_id: str | None = None
    active: bool = True
    start: date | None = None
    end: date | None = None


Records = Mapping[str, list[Row]]
"""Rows by kind: `orgs`, `terms`, `classes`, `people`, `roles`, `enrollments`."""


@dataclass(frozen=True)
class SchoolLists:
    """All that a roster of another system says.

    Attributes:
        shape: What it was taken for, such as `OneRoster 1.2`.
        rows: The rows of each kind, with their lines.
        files: Name of the file of each kind, without `.csv`.
        delta: Kinds of which the files hold only what has changed.
    """

    shape: str
    rows: Records
    files: Mapping[str, str]
    delta: frozenset[str] = field(default_factory=frozenset)
