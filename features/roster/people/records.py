"""The records of what is known of people beside who they are in regroup."""

from dataclasses import dataclass


@dataclass(frozen=True)
class OtherId:
    """An id that a student has in another system, of a kind such as `username`; no two students share one."""

    student_id: str
    kind: str
    other_id: str


@dataclass(frozen=True)
class PersonName:
    """The display name of a student or of an adult; the other of the two ids is null."""

    student_id: str | None
    staff_id: str | None
    name: str
