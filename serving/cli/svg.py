"""A day as a picture: one row per block, one column per room, a card per session. SVG, without any library."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from textwrap import wrap
from xml.sax.saxutils import escape

from serving.grouping import Plan, Problem, Session, SessionType

FILLS = {
    SessionType.SMALL_GROUP: "#dbe9f6",
    SessionType.TUTORING: "#fbe3cf",
    SessionType.COLLABORATIVE: "#e2efda",
    SessionType.ONLINE: "#f0f0f2",
}
WIDTH, LINE, MARGIN, LABEL = 190, 15, 12, 92
"""Pixels of a column, of a line of text, around everything, and of the column with the times."""

LETTERS = 25
"""Letters that fit into one line of a card."""

FEW = 9
"""The most students that a card names; a card with more says only how many they are."""


@dataclass(frozen=True)
class Labels:
    """What people are called instead of their ids, which stay for those who are not in here."""

    students: Mapping[str, str] = field(default_factory=dict)
    adults: Mapping[str, str] = field(default_factory=dict)

    def name_adults(self, session: Session) -> str:
        """The adults of a session, the lead first."""
        return ", ".join(self.adults.get(adult, adult) for adult in session.adults)

    def name_students(self, session: Session) -> str:
        """Its students; names have blanks, so that commas stand between them."""
        mark = ", " if self.students else " "
        return mark.join(self.students.get(student, student) for student in session.students)


def draw_day(problem: Problem, plan: Plan, labels: Labels) -> str:
    """The SVG text of a plan.

    Args:
        problem: The day, with the names of blocks and skills.
        plan: A plan of this day.
        labels: What people are called.
    """
    skills = {skill.id: skill.name for skill in problem.skills}
    rooms = sorted({_room_of(session) for session in plan.sessions})
    parts, top = [], MARGIN + 2 * LINE
    for block in problem.blocks:
        cards = [
            (MARGIN + LABEL + rooms.index(_room_of(session)) * WIDTH, session, _write_card(session, skills, labels))
            for session in plan.sessions
            if session.block == block.id
        ]
        height = max((len(lines) for _, _, lines in cards), default=1) * LINE + 2 * MARGIN
        parts.append(_draw_text(MARGIN, top + MARGIN + LINE, block.label, bold=True))
        for left, session, lines in cards:
            parts.append(
                f'<rect x="{left}" y="{top}" width="{WIDTH - 8}" height="{height - 8}" rx="6" '
                f'fill="{FILLS[session.session_type]}"/>'
            )
            parts += [
                _draw_text(left + 8, top + 4 + LINE * (row + 1), line, bold=row == 0) for row, line in enumerate(lines)
            ]
        top += height
    head = [
        _draw_text(MARGIN + LABEL + column * WIDTH + 8, MARGIN + LINE, room, bold=True)
        for column, room in enumerate(rooms)
    ]
    width, summary = 2 * MARGIN + LABEL + len(rooms) * WIDTH, _summarize(plan)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{top + 2 * LINE}" '
        f'font-family="sans-serif" font-size="12" role="img" aria-label="{escape(summary)}">'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(head + parts)}'
        f"{_draw_text(MARGIN, top + LINE, summary)}</svg>\n"
    )


def _room_of(session: Session) -> str:
    return session.room or session.adults[0]


def _write_card(session: Session, skills: Mapping[str, str], labels: Labels) -> list[str]:
    kind, count = session.session_type.replace("_", " "), len(session.students)
    head = f"{labels.name_adults(session)}; {count if session.skill is None else f'{kind}, {count}'}"
    lines = [kind if session.skill is None else skills[session.skill]]
    lines += wrap(head, LETTERS, break_long_words=False, break_on_hyphens=False) if labels.adults else [head]
    if count <= FEW:
        lines += wrap(labels.name_students(session), LETTERS, break_long_words=False, break_on_hyphens=False)
    return [line if len(line) <= LETTERS else f"{line[: LETTERS - 1]}…" for line in lines]


def _summarize(plan: Plan) -> str:
    met = next((term.value for term in plan.score.terms if term.name == "benefit"), 0.0)
    return (
        f"{met:.1f} need points met; at least {plan.proven_share:.0%} of what the best plan could add to a day online"
    )


def _draw_text(left: int, top: int, text: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{left}" y="{top}"{weight}>{escape(text)}</text>'
