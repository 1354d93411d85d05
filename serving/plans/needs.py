"""Which skills each student could work on today, and how much each is needed."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from features.roster import SkillMap, Team
from serving.grouping import Need
from serving.models.forecasts import SkillForecast, forecast_students
from serving.models.snapshot import Snapshot
from serving.plans.policy import NeedPolicy
from serving.store.roster_cache import TeamSnapshot


@dataclass(frozen=True)
class Candidate:
    """A need, and the forecast that it comes from; null for a skill that the student has not begun."""

    need: Need
    forecast: SkillForecast | None


def find_candidates(
    snapshot: Snapshot, team: Team, roster: TeamSnapshot, policy: NeedPolicy, recent_days: int, max_candidates: int
) -> Sequence[Candidate]:
    """The candidates of a team by the snapshot's forecasts, computed once for each version of the roster.

    Args:
        snapshot: Models and profiles.
        team: The team.
        roster: The snapshot that the team is part of, with the skills.
        policy: Need of a null forecast, and weights.
        recent_days: Days for which practice counts as recent.
        max_candidates: Candidates per student.
    """

    def compute() -> Sequence[Candidate]:
        forecasts = forecast_students(snapshot, team.members, recent_days)
        return tuple(list_candidates(team, roster.skills, forecasts, policy, max_candidates))

    version = roster.version, team.team_id, team.members, tuple(team.focus.items())
    return snapshot.cache.get(("candidates", version, policy, recent_days, max_candidates), compute)


def list_candidates(
    team: Team, skills: SkillMap, forecasts: Sequence[SkillForecast], policy: NeedPolicy, max_candidates: int
) -> list[Candidate]:
    """The skills that each student needs most, the most needed first.

    Need = struggle risk x (1 - mastery) x readiness x weight. Candidates are skills practiced recently in which the
    student is not proficient, or no longer, and skills not begun in whose prerequisites the student is proficient, or
    was until they were last practiced long ago: those that build on them, and those that the team works on now.
    Readiness is the mastery of the weakest prerequisite, 1 where none is known. The weight is the priority that the
    team gives the skill in its current unit, or without one the share of the team that practiced the skill recently,
    relative to the skill most practiced. A skill in which most of the members with evidence are proficient is one to
    catch up on.

    Args:
        team: Members and current unit.
        skills: Prerequisites.
        forecasts: Forecasts of the team's members.
        policy: Need of a null forecast, and weights.
        max_candidates: Candidates per student.
    """
    catch_up = _mostly_proficient(forecasts, policy.catch_up_share)
    by_student: dict[str, dict[str, SkillForecast]] = defaultdict(dict)
    for forecast in forecasts:
        by_student[forecast.student][forecast.skill] = forecast
    practiced = Counter(forecast.skill for forecast in forecasts if forecast.recent)
    shares = {skill: count / max(1, len(team.members)) for skill, count in practiced.items()}
    weights = _weigh_skills(team, shares, policy)
    current = set(team.focus) or {skill for skill, share in shares.items() if share >= policy.next_share}
    found = []
    for student in team.members:
        known = by_student[student]
        candidates = [
            Candidate(
                _need(forecast, _readiness(forecast.skill, known, skills), weights[forecast.skill], policy), forecast
            )
            for forecast in known.values()
            if forecast.status != "proficient" and (forecast.recent or forecast.skill in team.focus)
        ]
        candidates += [
            Candidate(_unknown(student, skill, weights[skill], policy), None)
            for skill in sorted((current | skills.requires.keys()) - known.keys())
            if _may_begin(skill, known, skills)
        ]
        needs = sorted(candidates, key=lambda candidate: (-candidate.need.need, candidate.need.skill))
        found += [
            replace(candidate, need=replace(candidate.need, catch_up=candidate.need.skill in catch_up))
            for candidate in needs[:max_candidates]
            if candidate.need.need > 0
        ]
    return found


def _mostly_proficient(forecasts: Sequence[SkillForecast], share: float) -> set[str]:
    known = Counter(forecast.skill for forecast in forecasts if forecast.status != "thin_evidence")
    proficient = Counter(forecast.skill for forecast in forecasts if forecast.status == "proficient")
    return {skill for skill, count in proficient.items() if count >= share * known[skill]}


def _weigh_skills(team: Team, shares: Mapping[str, float], policy: NeedPolicy) -> Mapping[str, float]:
    if team.focus:
        return defaultdict(lambda: policy.outside_focus, team.focus)
    most = max(shares.values(), default=1.0)
    relative = {skill: max(policy.least_weight, share / most) for skill, share in shares.items()}
    return defaultdict(lambda: policy.least_weight, relative)


def _readiness(skill: str, known: Mapping[str, SkillForecast], skills: SkillMap) -> float:
    mastery = [known[required].mastery for required in skills.requires.get(skill, ()) if required in known]
    return min((value for value in mastery if value is not None), default=1.0)


def _may_begin(skill: str, known: Mapping[str, SkillForecast], skills: SkillMap) -> bool:
    required = skills.requires.get(skill, ())
    return all(skill in known and (known[skill].status == "proficient" or known[skill].forgotten) for skill in required)


def _need(forecast: SkillForecast, readiness: float, weight: float, policy: NeedPolicy) -> Need:
    risk, mastery = forecast.struggle_risk, forecast.mastery
    if risk is None or mastery is None:
        return _unknown(forecast.student, forecast.skill, weight, policy, readiness)
    need = risk * (1.0 - mastery) * readiness * weight
    return Need(forecast.student, forecast.skill, need, risk, mastery, readiness, weight)


def _unknown(student: str, skill: str, weight: float, policy: NeedPolicy, readiness: float = 1.0) -> Need:
    return Need(student, skill, policy.unknown * readiness * weight, None, None, readiness, weight)
