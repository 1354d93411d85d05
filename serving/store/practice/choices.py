"""What students chose of the skills that they were offered, as it is stored."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from features.roster import find_gone
from serving.store.tables import CHOICES


@dataclass(frozen=True)
class Choice:
    """A skill that a student chose.

    Attributes:
        choice_id: 32 hexadecimal digits.
        student_id: The student.
        skill_id: The skill.
        probability: With which probability it was among the offers, above 0 and at most 1.
        offered: The offers at that moment, in their order.
        chosen_at: The moment, UTC.
        key_id: Id of the key that sent it.
    """

    choice_id: str
    student_id: str
    skill_id: str
    probability: float
    offered: tuple[str, ...]
    chosen_at: datetime
    key_id: str


def keep_choice(connection: Connection, choice: Choice) -> None:
    """Stores a choice."""
    connection.execute(insert(CHOICES).values(**asdict(choice)))


def list_choices(connection: Connection, student_id: str, limit: int) -> tuple[Choice, ...]:
    """The latest choices of a student, the newest first; none of one who was erased."""
    if find_gone(connection, [student_id]):
        return ()
    choices = CHOICES.c
    query = select(CHOICES).where(choices.student_id == student_id)
    rows = connection.execute(query.order_by(choices.chosen_at.desc(), choices.choice_id).limit(limit)).mappings()
    return tuple(Choice(**{**row, "offered": tuple(row["offered"])}) for row in rows)
