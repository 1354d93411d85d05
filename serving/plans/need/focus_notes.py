"""Says of the skills of the team's current unit that get no session why that is, though students need them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from features.roster import SkillMap, Team
from serving.grouping import Need, Plan, Problem
from serving.models.forecasts import SkillForecast
from serving.plans.problem import skill_name


@dataclass(frozen=True)
class FocusNote:
    """One skill of the current unit without a session on a day.

    Attributes:
        kind: `not_ready` where most who could use it have to work on something else first, else `no_session`.
        skill: The skill's id.
        needing: Students present who have it as a need.
        not_ready: Students present who need another skill first.
        first: The skill that most of those need first; null where nobody does.
        sentence: All that in plain words; it names no student.
    """

    kind: Literal["not_ready", "no_session"]
    skill: str
    needing: int
    not_ready: int
    first: str | None
    sentence: str


def note_focus(
    team: Team, skills: SkillMap, problem: Problem, plan: Plan, forecasts: Sequence[SkillForecast]
) -> tuple[FocusNote, ...]:
    """Returns a note for each skill of the current unit that students need or are not ready for and no session is on.

    Args:
        team: With its current unit; without one there are no notes.
        skills: Names and prerequisites.
        problem: The day.
        plan: Its plan.
        forecasts: Forecasts of the team's members.
    """
    held = {session.skill for session in plan.sessions if session.led}
    present = {student.id for student in problem.students if student.blocks}
    known: dict[str, dict[str, SkillForecast]] = {student: {} for student in present}
    for forecast in forecasts:
        if forecast.student in present:
            known[forecast.student][forecast.skill] = forecast
    needs = [need for need in problem.needs if need.student in present]
    redirected = {(need.student, need.because_of): need.skill for need in reversed(needs)}
    notes = []
    for skill in sorted(team.focus, key=lambda skill: (-team.focus[skill], skill)):
        if skill in held:
            continue
        needing = [need for need in needs if need.skill == skill]
        first = {
            student: required
            for student, of_student in known.items()
            if (required := redirected.get((student, skill)) or _find_required(skill, skills, of_student)) is not None
        }
        if needing or first:
            notes.append(_write(skill, skills, needing, first, len(present), plan))
    return tuple(notes)


def _find_required(skill: str, skills: SkillMap, known: Mapping[str, SkillForecast]) -> str | None:
    """Returns the skill that a student has to work on before another; null where the student may work on it."""
    if skill in known and known[skill].status != "not_begun":
        return None
    required = (r for r in skills.requires.get(skill, ()) if not _is_ready(known.get(r)))
    return next(required, None)


def _is_ready(forecast: SkillForecast | None) -> bool:
    return forecast is not None and (forecast.status == "proficient" or forecast.forgotten)


def _write(
    skill: str, skills: SkillMap, needing: Sequence[Need], first: Mapping[str, str], present: int, plan: Plan
) -> FocusNote:
    name, parts = skill_name(skills, skill), []
    before = Counter(first.values()).most_common()
    if first:
        of_present = f"{len(first)} of {present} {'is' if len(first) == 1 else 'are'} not ready for it"
        each = [(count, skill_name(skills, required)) for required, count in before]
        if len(each) == 1:
            parts.append(f"{of_present} and {_need(len(first))} {each[0][1]} first")
        else:
            parts.append(f"{of_present}: {', '.join(f'{count} {_need(count)} {name} first' for count, name in each)}")
    if needing:
        greatest = max(need.need for need in needing)
        parts.append(f"{len(needing)} {_need(len(needing))} it, the greatest need is {greatest:.2f}")
        why = next((unmet.sentence for unmet in plan.unmet if unmet.skill == skill), None)
        if why is not None:
            parts.append(f"for one of them {why.partition(' waits: ')[2].rstrip('.')}")
    return FocusNote(
        kind="not_ready" if len(first) > len(needing) else "no_session",
        skill=skill,
        needing=len(needing),
        not_ready=len(first),
        first=before[0][0] if before else None,
        sentence=f"{name} gets no session: {'; '.join(parts)}.",
    )


def _need(students: int) -> str:
    return "needs" if students == 1 else "need"
