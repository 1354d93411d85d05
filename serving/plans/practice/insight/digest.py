"""The weekly digest of a team: one page as Markdown, HTML and plain text for an e-mail, without names of anybody."""

import html
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from features.roster import Team
from serving.access.caller import Caller
from serving.plans.practice.goals import read_goals
from serving.plans.practice.insight.parts import TEAM, WEEKS, Insight, Part, make_insight
from serving.plans.practice.insight.session_contrast import Contrast
from serving.plans.recommend import Planner
from serving.store.recommendations import find_current_plans

MOST_NAMED = 4
"""Skills and items that are named at most: more is no list for one meeting."""

WIDTH = 76
"""Characters of a line of plain text."""

MISLEADS = (
    "It is what was observed beside what was to be expected, no effect of anything, and chance alone names about one "
    "skill a month: look at materials, time and what was taught before you change something, and look again in two "
    "weeks."
)


@dataclass(frozen=True)
class Digest:
    """One page.

    Attributes:
        team: The team.
        monday: First day of the week.
        sections: Headings, each with its sentences.
    """

    team: Team
    monday: date
    sections: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def subject(self) -> str:
        """Title of the page and subject of the e-mail."""
        day = self.monday
        return f"{self.team.name or self.team.team_id}: week of {day:%a} {day.day} {day:%b} {day.year}"

    def to_markdown(self) -> str:
        """As Markdown."""
        parts = [f"# {_plain(self.subject)}"]
        for heading, sentences in self.sections:
            parts.append(f"## {heading}\n\n" + "\n".join(f"- {_plain(sentence)}" for sentence in sentences))
        return "\n\n".join(parts) + "\n"

    def to_html(self) -> str:
        """As a fragment of HTML without styles or links."""
        parts = [f"<h1>{html.escape(self.subject)}</h1>"]
        for heading, sentences in self.sections:
            items = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in sentences)
            parts.append(f"<h2>{html.escape(heading)}</h2><ul>{items}</ul>")
        return "\n".join(parts) + "\n"

    def to_text(self) -> str:
        """As plain text in short lines."""
        parts = [self.subject]
        for heading, sentences in self.sections:
            lines = [textwrap.fill(one, WIDTH, initial_indent="- ", subsequent_indent="  ") for one in sentences]
            parts.append("\n".join([heading.upper(), *lines]))
        return "\n\n".join(parts) + "\n"


def write_digest(planner: Planner, caller: Caller, team_id: str, week: date | None = None) -> Digest:
    """The digest of a week.

    Args:
        planner: What planning needs of a running service.
        caller: Who asks.
        team_id: The team.
        week: A day of the week for plans, sessions and goals; null = the week of the latest answers. Answers are always
            the latest.

    Raises:
        NotFoundError: There is no such team, or none that the caller may know of.
        NotReadyError: There is no model or no roster yet.
    """
    insight = make_insight(planner, caller, team_id)
    latest = date.today() if insight.until is None else (insight.until - timedelta(days=1)).date()  # noqa: DTZ011
    day = week or latest
    monday = day - timedelta(days=day.weekday())
    sections = (
        ("What to look at together", tuple(_say_behind(insight))),
        ("What goes well", tuple(_say_ahead(insight))),
        ("The week", tuple(_say_week(planner, insight.team, monday))),
        ("After sessions, beside similar students who waited", tuple(map(_say_contrast, _pick(insight.contrasts)))),
        ("How to read this", (MISLEADS,)),
    )
    return Digest(insight.team, monday, tuple(section for section in sections if section[1]))


def _say_behind(insight: Insight) -> Iterator[str]:
    named = [(part, each) for part in insight.parts for each in part.named][:MOST_NAMED]
    for part, each in named:
        what = f"Item {part.name(each)}" if part.kind == "item" else part.name(each)
        usual = "of a usual item of its skill" if part.kind == "item" else "the same students' other answers let expect"
        yield (
            f"{what}: of 100 answers about {abs(round(each.points))} fewer are right than {usual}, by "
            f"{each.answers} answers of {each.students} students."
        )
    if insight.until is None:
        yield "There are no answers to compare yet."
    elif not named:
        yield f"Nothing: no skill or item lies far behind by the answers of the last {WEEKS} weeks."


def _say_ahead(insight: Insight) -> Iterator[str]:
    part: Part = next(part for part in insight.parts if part.kind == TEAM)
    ahead = [each for each in reversed(part.funnel.compared) if each.points >= 1][:2]
    if ahead:
        skills = " and ".join(f"{part.name(each)} ({round(each.points):+d} of 100)" for each in ahead)
        yield f"Furthest ahead: {skills}."


def _say_week(planner: Planner, team: Team, monday: date) -> Iterator[str]:
    sunday = monday + timedelta(days=6)
    plans = find_current_plans(planner.database, team.team_id, monday, sunday).values()
    counted = sum(row.decision is not None and not row.awaits_signature for row in plans)
    held = [each for each in team.past_sessions if each.staff_id is not None and monday <= each.date <= sunday]
    sat = {student for session in held for student in session.students}
    without = len(set(team.members) - sat)
    yield f"{_count(len(held), 'session')} with an adult on record; plans of {_count(counted, 'day')} were accepted."
    if held:
        yield f"{_count(without, 'student')} of {len(team.members)} had no session with an adult."
    goals = read_goals(planner.database, *team.members)
    ended = [goal for goal in goals if goal.ended_at is not None and monday <= goal.ended_at.date() <= sunday]
    if goals:
        reached = sum(goal.reached is True for goal in ended)
        open_goals = sum(goal.is_open(sunday) for goal in goals)
        yield f"{_count(open_goals, 'open goal')}; {_count(len(ended), 'goal')} ended, {reached} of them reached."


def _pick(contrasts: tuple[Contrast, ...]) -> list[Contrast]:
    return [each for each in contrasts if each.skill is None]


def _say_contrast(each: Contrast) -> str:
    sure = "" if each.low <= 0 <= each.high else ", more than chance"
    return (
        f"{each.kind.capitalize()}: right answers on the skill went from {each.before:.0%} to {each.after:.0%}, those "
        f"of similar students who waited from {each.waited_before:.0%} to {each.waited_after:.0%}{sure} "
        f"({each.students} students). It need not have come from the sessions."
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _plain(text: str) -> str:
    """Text in which nothing is markup; names come from rosters."""
    for mark in "\\`*_[]<>#|":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())
