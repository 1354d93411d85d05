"""Converts what to teach to a body and to words."""

from features.roster import SkillMap
from serving.plans.need.teaching import Teaching
from serving.plans.problem import skill_name
from serving.schemas.sessions import MissedItemOut, SharedSkillOut, TeachOut


def to_teach(skills: SkillMap, teaching: Teaching) -> TeachOut:
    """What to teach in one session."""
    return TeachOut(
        missed_items=[MissedItemOut(item_id=missed.item, students=missed.students) for missed in teaching.missed],
        shared_skills=[
            SharedSkillOut(skill_id=skill, skill=skill_name(skills, skill), items=items)
            for skill, items in teaching.shared
        ],
        exit_check=list(teaching.exit_check),
        sentence=_describe(skills, teaching),
    )


def _describe(skills: SkillMap, teaching: Teaching) -> str:
    missed = ", ".join(f"{missed.item} by {missed.students}" for missed in teaching.missed)
    parts = [f"Missed last time: {missed}." if missed else "Nobody here missed an item of it last time."]
    for skill, items in teaching.shared:
        parts.append(f"{items} of these {len(teaching.missed)} need {skill_name(skills, skill)} as well.")
    if teaching.exit_check:
        parts.append(f"Exit check, seen by nobody here: {', '.join(teaching.exit_check)}.")
    return " ".join(parts)
