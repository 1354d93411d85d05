"""The playlist: what a student could do next alone, and why; the student chooses.

Offered are skills that are ready, since what they build on is proficient, and not proficient themselves. The two that
the product's own order and the team's unit most likely give next are always offered; the third is drawn at random among
the others, the likelier the more often, so that what comes of choices can be estimated later (`probability` is that of
being offered). The one from which most is expected comes first.
"""

import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from random import Random

from features.roster import SkillMap
from serving.access.caller import Caller
from serving.access.visibility import require_student
from serving.audit.entries import AuditEntry, add_entries
from serving.errors import ConflictError
from serving.models.forecasts import SkillForecast, forecast_students
from serving.models.snapshot import Snapshot
from serving.plans.practice.product_order import ProductOrder
from serving.plans.problem import skill_name
from serving.plans.recommend import Planner
from serving.store.practice.choices import Choice, keep_choice, list_choices

NO_ORDER = ProductOrder()

OFFERS = 3
"""Skills that are offered at a time."""

SURE = OFFERS - 1
"""Of these, how many are not drawn."""

NEAR, FAR = 0.7, 0.4
"""Expected progress from which a skill is nearly there, and below which it is a longer way."""

IN_UNIT = 0.3
"""By how much a skill of the team's unit is likelier to come next, times its weight in the unit."""

LEAST_WEIGHT = 0.001
"""Weight of a skill that neither the product's order nor the unit gives next."""

SHARPNESS = 6
"""Power of the weights by which the third offer is drawn."""

MOST_ITEMS = 5
"""Items that are named of a skill."""

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
        item_ids: Items of the product's catalog on the skill that the student has not answered, those that most
            students get right first; empty where none is known.
    """

    skill: str
    name: str
    expected_progress: float | None
    probability: float
    offered: bool
    why: str
    item_ids: tuple[str, ...] = ()


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
    found = list_offers(student_id, forecasts, roster.skills, focus, today, find_order(planner.served()))
    offers = tuple(
        replace(offer, item_ids=list_items(snapshot, student_id, offer.skill)) if offer.offered else offer
        for offer in found
    )
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


def find_order(served: Snapshot) -> ProductOrder:
    """The product's order by the statistics of a night; empty where these are gone."""

    def read() -> ProductOrder:
        return ProductOrder() if served.statistics is None else ProductOrder.of(served.statistics)

    return served.cache.get("product-order", read, pinned=True)


def list_items(snapshot: Snapshot, student_id: str, skill: str) -> tuple[str, ...]:
    """Items on a skill that a student has not answered, those that most students get right first."""
    answers = snapshot.answers
    if answers is None:
        return ()
    seen = set(answers.answered(student_id)[0].tolist())
    new = [code for code in answers.items_of(skill).tolist() if code not in seen]
    new.sort(key=lambda code: (len(answers.skills_of(code)), -answers.share[code], answers.items[code]))
    return tuple(str(answers.items[code]) for code in new[:MOST_ITEMS])


def list_offers(
    student_id: str,
    forecasts: Sequence[SkillForecast],
    skills: SkillMap,
    focus: Mapping[str, float],
    day: date,
    order: ProductOrder = NO_ORDER,
) -> tuple[NextSkill, ...]:
    """Every skill that a student is ready for and not proficient in, from which most is expected first.

    Skills that were not begun are those of the team's unit, those whose prerequisites are proficient, and those that
    the product gives next; nothing is forecast of them, so that they come last.

    Args:
        student_id: The student.
        forecasts: Of this student.
        skills: Names and prerequisites.
        focus: Weights of the team's current unit.
        day: The school's own day: the same draw stands all day.
        order: The product's.
    """
    known = {forecast.skill: forecast for forecast in forecasts}
    done = {skill for skill, each in known.items() if each.status == "proficient" or each.forgotten}
    begun = [skill for skill, each in known.items() if each.status not in {"proficient", "not_begun"}]
    usual = order.weigh_next(_list_recent(forecasts))
    new = {*focus, *skills.requires, *usual} - set(begun) - done
    ready = [skill for skill in (*begun, *new) if done.issuperset(skills.requires.get(skill, ()))]
    progress = {skill: _expect_progress(known.get(skill)) for skill in ready}
    weight = {skill: LEAST_WEIGHT + usual.get(skill, 0.0) + IN_UNIT * focus.get(skill, 0.0) for skill in ready}
    expected = sorted(ready, key=lambda skill: (-_or_last(progress[skill]), -focus.get(skill, 0.0), skill))
    likely = sorted(expected, key=lambda skill: -weight[skill])
    drawn = {skill: weight[skill] ** SHARPNESS for skill in likely[SURE:]}
    offered = {*likely[:SURE], *_draw(student_id, day, drawn)}
    return tuple(
        NextSkill(
            skill=skill,
            name=skill_name(skills, skill),
            expected_progress=progress[skill],
            probability=drawn[skill] / sum(drawn.values()) if skill in drawn else 1.0,
            offered=skill in offered,
            why=_say_why(skill_name(skills, skill), known.get(skill), progress[skill], skill in skills.requires),
        )
        for skill in expected
    )


def _list_recent(forecasts: Sequence[SkillForecast]) -> list[str]:
    """Skills that were practiced, the latest first; none in a log without a clock."""
    practiced = [(each.last_practiced, each.skill) for each in forecasts if each.last_practiced is not None]
    return [skill for _, skill in sorted(practiced, reverse=True)]


def _expect_progress(forecast: SkillForecast | None) -> float | None:
    return None if forecast is None or forecast.struggle_risk is None else 1.0 - forecast.struggle_risk


def _or_last(progress: float | None) -> float:
    return -1.0 if progress is None else progress


def _draw(student_id: str, day: date, weights: Mapping[str, float]) -> Sequence[str]:
    """One of the skills by their weights, the same all day for a student, and else as good as random."""
    if not weights:
        return ()
    digest = hashlib.sha256(f"{day} {student_id}".encode("utf-8", "surrogatepass")).digest()
    random = Random(int.from_bytes(digest[:8]))  # noqa: S311 - nothing secret
    return random.choices(list(weights), list(weights.values()))


def _say_why(name: str, forecast: SkillForecast | None, progress: float | None, builds: bool) -> str:
    if forecast is None or forecast.status == "not_begun":
        rest = "and what it builds on is proficient" if builds else "and usually practiced about now"
        return f"{name} is new, {rest}."
    if forecast.status == "review_due":
        return f"{name} was proficient, and a review is due."
    if progress is None:
        return f"{name} has too few answers to say more; a few questions show where it stands."
    if progress >= NEAR:
        return f"{name} is nearly there by the latest answers."
    if progress >= FAR:
        return f"{name} is within reach by the latest answers, and what it builds on is proficient."
    return f"{name} is a longer way, and what it builds on is proficient."
