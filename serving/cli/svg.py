"""A day as a picture: one row per block, one column per room, a card per session. SVG, without any library."""

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from serving.grouping import Plan, Problem, Session, SessionType

COLOURS = {
    SessionType.SMALL_GROUP: "#dbe9f6",
    SessionType.TUTORING: "#fbe3cf",
    SessionType.COLLABORATIVE: "#e2efda",
    SessionType.ONLINE: "#f0f0f2",
}
WIDTH, LINE, MARGIN, LABEL = 190, 15, 12, 92
"""Pixels: of a column, a line of text, around everything, and for the times."""

LETTERS = 25
"""That fit into one line of a card."""

FEW = 9
"""Students named on a card; of more, only the number is told."""


def draw_day(problem: Problem, plan: Plan) -> str:
    """The SVG text of a plan.

    Args:
        problem: Names blocks, skills and adults.
        plan: Of this problem.
    """
    skills = {skill.id: skill.name for skill in problem.skills}
    rooms = sorted({session.room or session.adults[0] for session in plan.sessions})
    parts, top = [], MARGIN + 2 * LINE
    for block in problem.blocks:
        here = [session for session in plan.sessions if session.block == block.id]
        cards = {session.room or session.adults[0]: _lines(session, skills) for session in here}
        height = max((len(lines) for lines in cards.values()), default=1) * LINE + 2 * MARGIN
        parts.append(_text(MARGIN, top + MARGIN + LINE, block.label, bold=True))
        for session in here:
            place = session.room or session.adults[0]
            left = MARGIN + LABEL + rooms.index(place) * WIDTH
            parts.append(
                f'<rect x="{left}" y="{top}" width="{WIDTH - 8}" height="{height - 8}" rx="6" '
                f'fill="{COLOURS[session.session_type]}"/>'
            )
            parts += [
                _text(left + 8, top + 4 + LINE * (at + 1), line, bold=at == 0) for at, line in enumerate(cards[place])
            ]
        top += height
    head = [_text(MARGIN + LABEL + at * WIDTH + 8, MARGIN + LINE, room, bold=True) for at, room in enumerate(rooms)]
    width, foot = 2 * MARGIN + LABEL + len(rooms) * WIDTH, _foot(plan)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{top + 2 * LINE}" '
        f'font-family="sans-serif" font-size="12" role="img" aria-label="{escape(foot)}">'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(head + parts)}'
        f"{_text(MARGIN, top + LINE, foot)}</svg>\n"
    )


def _lines(session: Session, skills: Mapping[str, str]) -> list[str]:
    what = session.session_type.replace("_", " ")
    head = what if session.skill is None else skills[session.skill]
    count = len(session.students)
    lines = [head, f"{', '.join(session.adults)}; {count if session.skill is None else f'{what}, {count}'}"]
    if count <= FEW:
        lines += _wrap(session.students)
    return [line if len(line) <= LETTERS else f"{line[: LETTERS - 1]}…" for line in lines]


def _wrap(names: Sequence[str]) -> list[str]:
    lines = [""]
    for name in names:
        if lines[-1] and len(lines[-1]) + len(name) + 1 > LETTERS:
            lines.append("")
        lines[-1] += f" {name}" if lines[-1] else name
    return lines


def _foot(plan: Plan) -> str:
    met = next((term.value for term in plan.score.terms if term.name == "benefit"), 0.0)
    return (
        f"{met:.1f} whole needs met; at least {plan.proven_share:.0%} of what the best plan could add to a day online"
    )


def _text(left: int, top: int, what: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{left}" y="{top}"{weight}>{escape(what)}</text>'
