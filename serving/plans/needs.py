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
    """A need with the forecast that it comes from; none for a skill that the student has not begun."""

    need: Need
    forecast: SkillForecast | None


def find_candidates(
    snapshot: Snapshot, team: Team, seen: TeamSnapshot, policy: NeedPolicy, recent_days: int, max_candidates: int
) -> Sequence[Candidate]:
    """The candidates of a team by the snapshot's forecasts, computed once for each version of the roster.

    Args:
        snapshot: Models and profiles.
        team: As it was seen.
        seen: With the skills.
        policy: Need of a null forecast, and weights.
        recent_days: How far back practice is recent.
        max_candidates: Candidates per student.
    """

    def compute() -> Sequence[Candidate]:
        forecasts = forecast_students(snapshot, team.members, recent_days)
        return tuple(list_candidates(team, seen.skills, forecasts, policy, max_candidates))

    of_roster = seen.version, team.team_id, team.members, tuple(team.focus.items())
    return snapshot.cache.get(("candidates", of_roster, policy, recent_days, max_candidates), compute)


def list_candidates(
    team: Team, skills: SkillMap, forecasts: Sequence[SkillForecast], policy: NeedPolicy, max_candidates: int
) -> list[Candidate]:
    """A handful of candidate skills per student, the most needed first.

    Need = struggle risk x (1 - mastery) x readiness x weight. Candidates are skills practised lately and not mastered,
    and skills not begun whose prerequisites the student has mastered: those that build on them, and those that the
    team works on now. Readiness is the mastery of the weakest prerequisite, 1 where none is known. The weight is the
    team's own word for its current unit, or without it the share of the team that practised the skill lately,
    relative to the skill most practised. A skill that most of the members with evidence have mastered is one to catch
    up on.

    Args:
        team: Members and focus.
        skills: Prerequisites.
        forecasts: Of the team's members.
        policy: Need of a null forecast, and weights.
        max_candidates: Candidates per student.
    """
    behind = _mostly_mastered(forecasts, policy.catch_up_share)
    by_student: dict[str, dict[str, SkillForecast]] = defaultdict(dict)
    for each in forecasts:
        by_student[each.student][each.skill] = each
    share = _share_practising(team, forecasts)
    weights = _weigh_skills(team, share, policy)
    worked_on = set(team.focus) or {skill for skill, part in share.items() if part >= policy.next_share}
    found = []
    for student in team.members:
        mine = by_student[student]
        options = [
            Candidate(_need(each, _readiness(each.skill, mine, skills), weights[each.skill], policy), each)
            for each in mine.values()
            if each.status != "mastered" and (each.recent or each.skill in team.focus)
        ]
        options += [
            Candidate(_unknown(student, skill, weights[skill], policy), None)
            for skill in sorted((worked_on | skills.requires.keys()) - mine.keys())
            if _may_begin(skill, mine, skills)
        ]
        options.sort(key=lambda each: (-each.need.need, each.need.skill))
        found += [
            replace(each, need=replace(each.need, catch_up=each.need.skill in behind))
            for each in options
            if each.need.need > 0
        ][:max_candidates]
    return found


def _mostly_mastered(forecasts: Sequence[SkillForecast], share: float) -> set[str]:
    known = Counter(each.skill for each in forecasts if each.status != "not_enough_evidence")
    mastered = Counter(each.skill for each in forecasts if each.status == "mastered")
    return {skill for skill, count in mastered.items() if count >= share * known[skill]}


def _share_practising(team: Team, forecasts: Sequence[SkillForecast]) -> Mapping[str, float]:
    counts = Counter(each.skill for each in forecasts if each.recent)
    return {skill: count / max(1, len(team.members)) for skill, count in counts.items()}


def _weigh_skills(team: Team, share: Mapping[str, float], policy: NeedPolicy) -> Mapping[str, float]:
    if team.focus:
        return defaultdict(lambda: policy.outside_focus, team.focus)
    most = max(share.values(), default=1.0)
    relative = {skill: max(policy.least_weight, part / most) for skill, part in share.items()}
    return defaultdict(lambda: policy.least_weight, relative)


def _readiness(skill: str, mine: Mapping[str, SkillForecast], skills: SkillMap) -> float:
    known = [mine[each].mastery for each in skills.requires.get(skill, ()) if each in mine]
    return min((each for each in known if each is not None), default=1.0)


def _may_begin(skill: str, mine: Mapping[str, SkillForecast], skills: SkillMap) -> bool:
    return all(each in mine and mine[each].status == "mastered" for each in skills.requires.get(skill, ()))


def _need(forecast: SkillForecast, readiness: float, weight: float, policy: NeedPolicy) -> Need:
    risk, mastery = forecast.struggle_risk, forecast.mastery
    if risk is None or mastery is None:
        return _unknown(forecast.student, forecast.skill, weight, policy, readiness)
    need = risk * (1.0 - mastery) * readiness * weight
    return Need(forecast.student, forecast.skill, need, risk, mastery, readiness, weight)


def _unknown(student: str, skill: str, weight: float, policy: NeedPolicy, readiness: float = 1.0) -> Need:
    return Need(student, skill, policy.unknown * readiness * weight, None, None, readiness, weight)
