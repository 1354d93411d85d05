"""The playlist: what a student could do next alone, and why; the student chooses.

Offered are skills that are ready, since what they build on is proficient, and not proficient themselves. The two from
which most is expected are always offered; the third is drawn at random among the others, so that what comes of choices
can be estimated later (`probability` is that of being offered).
"""

import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from features.roster import SkillMap
from serving.access.caller import Caller
from serving.access.visibility import require_student
from serving.audit.entries import AuditEntry, add_entries
from serving.errors import ConflictError
from serving.models.forecasts import SkillForecast, forecast_students
from serving.models.snapshot import Snapshot
from serving.plans.problem import skill_name
from serving.plans.recommend import Planner
from serving.store.practice.choices import Choice, keep_choice, list_choices

OFFERS = 3
"""Skills that are offered at a time."""

SURE = OFFERS - 1
"""Of these, how many are not drawn."""

NEAR, FAR = 0.7, 0.4
"""Expected progress from which a skill is nearly there, and below which it is a longer way."""

MOST_CHOICES = 20
"""Choices that are shown, the newest first."""


@dataclass(frozen=True)
class NextSkill:
    """A skill that a student could do next.

    Attributes:
        skill: Its id.
        name: Its name.
        expected_progress: Chance of meeting the mastery rule within the next attempts (10 by default), 0-1; null where
            no forecast is given.
        probability: With which probability it is offered, above 0 and at most 1.
        offered: Whether it is.
        why: Why it could be next, in a sentence.
    """

    skill: str
    name: str
    expected_progress: float | None
    probability: float
    offered: bool
    why: str


@dataclass(frozen=True)
class Playlist:
    """What a student could do next, and what they chose before.

    Attributes:
        team_id: The student's team; null for none.
        offers: Everything that is ready, from which most is expected first.
        choices: The latest choices, the newest first.
        snapshot: What it rests on.
    """

    team_id: str | None
    offers: tuple[NextSkill, ...]
    choices: tuple[Choice, ...]
    snapshot: Snapshot


def make_playlist(planner: Planner, caller: Caller, student_id: str) -> Playlist:
    """What a student could do next.

    Raises:
        NotFoundError: There is no such student, or none that the caller may know of.
        NotReadyError: There is no model yet.
    """
    team_id, roster, snapshot = planner.open_student(caller, student_id)
    forecasts = forecast_students(snapshot, [student_id], planner.settings.recent_days)
    focus = {} if roster.team is None else roster.team.focus
    today = date.today()  # noqa: DTZ011 - the school's own day
    offers = list_offers(student_id, forecasts, roster.skills, focus, today)
    with planner.database.reading() as connection:
        choices = list_choices(connection, student_id, MOST_CHOICES)
    return Playlist(team_id, offers, choices, snapshot)


def choose_skill(
    planner: Planner, caller: Caller, student_id: str, skill_id: str, note: Callable[[str | None], AuditEntry]
) -> Choice:
    """Stores which skill a student chose, with the probability of its offer.

    Args:
        planner: What planning needs of a running service.
        caller: Who sends it.
        student_id: The student, who has to be in a team.
        skill_id: The skill.
        note: Gives, for the student's team, the audit entry that is stored with the choice.

    Raises:
        NotFoundError: There is no such student, or none that the caller may know of.
        NotReadyError: There is no model yet.
        ConflictError: The skill could not be offered now.
    """
    playlist = make_playlist(planner, caller, student_id)
    chosen = next((offer for offer in playlist.offers if offer.skill == skill_id), None)
    if chosen is None:
        detail = "skill_id: it is not ready, or proficient already; ask again for what is next"
        raise ConflictError("not_offered", detail)
    offered = tuple(offer.skill for offer in playlist.offers if offer.offered)
    choice = Choice(
        uuid.uuid4().hex, student_id, skill_id, chosen.probability, offered, datetime.now(UTC), caller.key_id
    )
    with planner.database.changing() as connection:
        require_student(connection, caller, student_id)
        keep_choice(connection, choice)
        add_entries(connection, [note(playlist.team_id)])
    return choice


def list_offers(
    student_id: str,
    forecasts: Sequence[SkillForecast],
    skills: SkillMap,
    focus: Mapping[str, float],
    day: date,
) -> tuple[NextSkill, ...]:
    """Every skill that a student is ready for and not proficient in, from which most is expected first.

    Skills that were not begun are those of the team's unit, and those whose prerequisites are proficient; nothing is
    forecast of them, so that they come last.

    Args:
        student_id: The student.
        forecasts: Of this student.
        skills: Names and prerequisites.
        focus: Weights of the team's current unit.
        day: The school's own day: the same draw stands all day.
    """
    known = {forecast.skill: forecast for forecast in forecasts}
    done = {skill for skill, each in known.items() if each.status == "proficient" or each.forgotten}
    begun = [skill for skill, each in known.items() if each.status not in {"proficient", "not_begun"}]
    new = {*focus, *skills.requires} - set(begun) - done
    ready = [skill for skill in (*begun, *new) if done.issuperset(skills.requires.get(skill, ()))]
    progress = {skill: _expect_progress(known.get(skill)) for skill in ready}
    ordered = sorted(ready, key=lambda skill: (-_or_last(progress[skill]), -focus.get(skill, 0.0), skill))
    drawn = len(ordered) - SURE
    third = SURE + _draw(student_id, day, drawn) if drawn > 0 else SURE
    return tuple(
        NextSkill(
            skill=skill,
            name=skill_name(skills, skill),
            expected_progress=progress[skill],
            probability=1.0 if at < SURE else 1.0 / drawn,
            offered=at < SURE or at == third,
            why=_say_why(skill_name(skills, skill), known.get(skill), progress[skill]),
        )
        for at, skill in enumerate(ordered)
    )


def _expect_progress(forecast: SkillForecast | None) -> float | None:
    return None if forecast is None or forecast.struggle_risk is None else 1.0 - forecast.struggle_risk


def _or_last(progress: float | None) -> float:
    return -1.0 if progress is None else progress


def _draw(student_id: str, day: date, count: int) -> int:
    """A number below a count that is the same all day for a student, and else as good as random."""
    digest = hashlib.sha256(f"{day} {student_id}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8]) % count


def _say_why(name: str, forecast: SkillForecast | None, progress: float | None) -> str:
    if forecast is None or forecast.status == "not_begun":
        return f"{name} is new, and what it builds on is proficient."
    if forecast.status == "review_due":
        return f"{name} was proficient, and a review is due."
    if progress is None:
        return f"{name} has too few answers to say more; a few questions show where it stands."
    if progress >= NEAR:
        return f"{name} is nearly there by the latest answers."
    if progress >= FAR:
        return f"{name} is within reach by the latest answers, and what it builds on is proficient."
    return f"{name} is a longer way, and what it builds on is proficient."
